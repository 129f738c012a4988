package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/handschlag/handschlag/batch/segment"
)

// puller fetches one night's files into a folder.
type puller struct {
	from *reached
	date string
	dir  string
	key  string // public key of the manifests
	out  streams
}

func (p puller) path(name string) string { return "/v1/exports/" + p.date + "/" + name }

// fruitless is how many tries in a row may bring nothing.
const fruitless = 5

// betweenTries is the wait before the second try in a row; each further one doubles it.
var betweenTries = 500 * time.Millisecond

// file fetches one file, from where an earlier pull or a cut connection left it. It
// gets its name once it is whole and its SHA-256 is the manifest's.
func (p puller) file(ctx context.Context, f segment.File, got *tally) error {
	path := filepath.Join(p.dir, f.Name)
	if sum, err := sumOf(path); err == nil && sum == f.SHA256 {
		got.kept++
		return nil
	}
	part, err := openPart(path + partly)
	if err != nil {
		return err
	}
	defer func() { _ = part.Close() }()
	fresh := false // all of the part is of this pull
	for {
		n, begun, err := p.whole(ctx, f, part)
		got.bytes += n
		fresh = fresh || begun
		if err != nil {
			return fmt.Errorf("fetching %s: %w", f.Name, err)
		}
		sum, err := sumOf(path + partly)
		if err != nil {
			return fmt.Errorf("reading %s back: %w", f.Name, err)
		}
		if sum == f.SHA256 {
			got.fetched++
			return inPlace(path+partly, path)
		}
		if err := part.Truncate(0); err != nil {
			return fmt.Errorf("writing %s: %w", f.Name, err)
		}
		if fresh {
			return fmt.Errorf("%s is not what the manifest says; was the night published again meanwhile? Then the same command fetches that", f.Name)
		}
		fresh = true // what was there was of another run: once more, from the start
	}
}

// openPart opens what there is of a file. Two pulls into one folder would mix.
func openPart(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("writing %s: %w", filepath.Base(path), err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		return nil, errors.New("another pull writes into this folder")
	}
	return f, nil
}

// whole fetches until the part is as long as the file. It gives the bytes that came,
// and whether they began at the first.
func (p puller) whole(ctx context.Context, f segment.File, part *os.File) (n int64, begun bool, err error) {
	for tries := 0; ; {
		at, err := part.Seek(0, io.SeekEnd)
		if err != nil {
			return n, begun, err
		}
		if at >= f.Bytes {
			return n, begun, nil
		}
		came, from, err := p.more(ctx, f, part, at)
		n, begun = n+came, begun || from == 0
		if came > 0 {
			tries = 0
		}
		var final *refused
		if errors.As(err, &final) && final.forGood() || ctx.Err() != nil {
			return n, begun, err
		}
		if tries++; err != nil && tries >= fruitless {
			return n, begun, err
		}
		if err != nil {
			pause(ctx, betweenTries<<max(tries-1, 0))
		}
	}
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// refused is an answer that is no file.
type refused struct {
	status int
	why    error
}

func (r *refused) Error() string { return r.why.Error() }

// forGood tells what asking again will not mend from a busy server and a link that
// has run out.
func (r *refused) forGood() bool {
	return r.status >= 400 && r.status < 500 && r.status != http.StatusTooManyRequests && r.status != http.StatusRequestedRangeNotSatisfiable
}

// more asks for the rest of a file and appends what comes. A server that sends the
// whole of it starts the part anew.
func (p puller) more(ctx context.Context, f segment.File, part *os.File, at int64) (n, from int64, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watch := time.AfterFunc(stalled, func() { cancel(errors.New("nothing came for " + stalled.String())) })
	defer watch.Stop()
	res, err := p.ask(ctx, f, at)
	if err != nil {
		return 0, at, err
	}
	defer func() { _ = res.Body.Close() }()
	if from, err = begins(res, at); err != nil {
		return 0, at, err
	}
	if err := part.Truncate(from); err != nil {
		return 0, from, err
	}
	if _, err := part.Seek(from, io.SeekStart); err != nil {
		return 0, from, err
	}
	n, err = io.Copy(part, &watched{io.LimitReader(res.Body, f.Bytes-from), watch})
	if err == nil && from+n < f.Bytes {
		err = io.ErrUnexpectedEOF
	}
	if why := context.Cause(ctx); err != nil && why != nil {
		err = why
	}
	return n, from, err
}

// ask requests a file from a byte on, of the version that the manifest names.
func (p puller) ask(ctx context.Context, f segment.File, at int64) (*http.Response, error) {
	req, err := p.from.newRequest(ctx, "GET", p.path(f.Name), "staff", nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept-Encoding", "identity")
	if at > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", at))
		req.Header.Set("If-Range", strconv.Quote(f.SHA256))
	}
	res, err := p.from.http.Do(req)
	if err != nil {
		return nil, err
	}
	if res.StatusCode == http.StatusOK || res.StatusCode == http.StatusPartialContent {
		return res, nil
	}
	defer func() { _ = res.Body.Close() }()
	status := res.StatusCode
	if res.Request != nil && res.Request.Response != nil { // a link's answer: the server may give a new one
		status = http.StatusServiceUnavailable
	}
	return nil, &refused{status, refusal(res)}
}

// begins says at which byte of the file an answer begins.
func begins(res *http.Response, at int64) (int64, error) {
	if res.StatusCode == http.StatusOK {
		return 0, nil
	}
	if !strings.HasPrefix(res.Header.Get("Content-Range"), fmt.Sprintf("bytes %d-", at)) {
		return 0, &refused{http.StatusBadRequest, fmt.Errorf("asked for the bytes from %d on, got %q", at, res.Header.Get("Content-Range"))}
	}
	return at, nil
}

// watched tells the watch whenever something came.
type watched struct {
	io.Reader
	watch *time.Timer
}

func (w *watched) Read(b []byte) (int, error) {
	n, err := w.Reader.Read(b)
	if n > 0 {
		w.watch.Reset(stalled)
	}
	return n, err
}

// sumOf is a file's SHA-256 in hex.
func sumOf(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// manifestFiles are the names in a manifest that is there already; none if it was not
// written to its end.
func manifestFiles(body []byte) (names []string) {
	var m segment.Manifest
	if json.Unmarshal(body, &m) != nil {
		return nil
	}
	for _, f := range m.Files {
		if f.Name == filepath.Base(f.Name) {
			names = append(names, f.Name)
		}
	}
	return names
}

func sorted(set map[string]bool) []string { return slices.Sorted(maps.Keys(set)) }
