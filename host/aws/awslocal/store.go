package awslocal

import (
	"bytes"
	"net/http"
	"strings"
	"sync"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
)

// store is the S3 server. It honours If-Match and If-None-Match, and a locked
// bucket keeps every version.
type store struct {
	back   *s3mem.Backend
	handle http.Handler

	mu     sync.Mutex
	locked map[string]bool
}

func newStore() *store {
	back := s3mem.New()
	return &store{back: back, handle: gofakes3.New(back, gofakes3.WithTimeSkewLimit(0)).Server(), locked: map[string]bool{}}
}

func (s *store) make(bucket string, locked bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if there, _ := s.back.BucketExists(bucket); there {
		return nil
	}
	if err := s.back.CreateBucket(bucket); err != nil || !locked {
		return err
	}
	s.locked[bucket] = true
	var v gofakes3.VersioningConfiguration
	v.SetEnabled(true)
	return s.back.SetVersioningConfiguration(bucket, v)
}

func (s *store) put(bucket, key string, body []byte) error {
	_, err := s.back.PutObject(bucket, key, map[string]string{}, bytes.NewReader(body), int64(len(body)), nil)
	return err
}

func (s *store) serve(w http.ResponseWriter, r *http.Request) {
	bucket, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	s.mu.Lock()
	kept := s.locked[bucket]
	s.mu.Unlock()
	if kept && r.Method == http.MethodDelete && r.URL.Query().Has("versionId") {
		answer(w, "s3", problem{http.StatusForbidden, "AccessDenied", "Access Denied because object protected by object lock."})
		return
	}
	s.handle.ServeHTTP(w, r)
}

// has says whether an object is there.
func (s *store) has(bucket, key string) bool {
	o, err := s.back.HeadObject(bucket, key)
	if err != nil {
		return false
	}
	_ = o.Contents.Close()
	return true
}
