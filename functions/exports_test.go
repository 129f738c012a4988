//go:build awslocal

package functions_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

func (s *shop) put(bucket, key string, body []byte) {
	s.t.Helper()
	c := s3.New(s3.Options{Region: s.options.Account.Region, Credentials: s.ground.Account("operator").Credentials, BaseEndpoint: &s.ground.URL, UsePathStyle: true})
	_, err := c.PutObject(s.t.Context(), &s3.PutObjectInput{Bucket: sdk.String(s.options.Buckets + "-" + bucket), Key: &key, Body: bytes.NewReader(body)})
	if err != nil {
		s.t.Fatal(err)
	}
}

// An answer of Lambda carries a small file; a big one is fetched from where it lies,
// by whoever was allowed to ask, for five minutes.
func TestABigExportIsFetchedFromWhereItLies(t *testing.T) {
	s := openShop(t)
	big := []byte("key\n" + strings.Repeat("0123456789abcde\n", 300_000))
	s.put("exports", "2026-11-21/run/manifest.json", fmt.Appendf(nil, `{"expires_at":%q,"files":[{"name":"small.csv"},{"name":"big.csv"}]}`, time.Now().Add(time.Hour).Format(time.RFC3339)))
	s.put("exports", "2026-11-21/run/small.csv", []byte("key\n1\n"))
	s.put("exports", "2026-11-21/run/big.csv", big)
	s.put("exports", "current.json", []byte(`{"run":"run","nights":{"2026-11-21":"run"}}`))
	max := s.staff("max", "marketing")
	if a := s.want(200, "GET", "/v1/exports/2026-11-21/small.csv", max, nil); a.body != "key\n1\n" {
		t.Errorf("got %q", a.body)
	}
	s.want(403, "GET", "/v1/exports/2026-11-21/big.csv", s.staff("dora", "dpo"), nil)
	r, w := httptest.NewRequestWithContext(t.Context(), "GET", "/v1/exports/2026-11-21/big.csv", nil), httptest.NewRecorder()
	r.Header.Set("Authorization", max)
	s.front.ServeHTTP(w, r)
	at := w.Header().Get("Location")
	if w.Code != http.StatusFound || !strings.Contains(at, "X-Amz-Expires=300") {
		t.Fatalf("got %d %v %.100s", w.Code, w.Header(), w.Body)
	}
	res, err := http.Get(at)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if got, err := io.ReadAll(res.Body); err != nil || !bytes.Equal(got, big) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if strings.Contains(s.said.String(), "X-Amz-Signature") {
		t.Error("the link is in a log")
	}
}
