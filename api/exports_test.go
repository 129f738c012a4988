package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/host/desk"
	"github.com/handschlag/handschlag/host/hosttest"
)

// linking is a host whose files can be fetched from elsewhere.
type linking struct {
	*hosttest.Memory
	fstest.MapFS
	broken bool
}

func (l linking) Exports(context.Context) fs.FS { return l }

func (l linking) Open(name string) (fs.File, error) {
	f, err := l.MapFS.Open(name)
	return linkedFile{f, l.broken}, err
}

type linkedFile struct {
	fs.File
	broken bool
}

func (f linkedFile) Link(_ context.Context, ttl time.Duration) (string, error) {
	if f.broken {
		return "", errors.New("no key to sign with")
	}
	return "https://bucket.example/file?for=" + ttl.String(), nil
}

// exporting is a shop behind a gateway that carries at most 10 bytes.
func exporting(t *testing.T, above int64, broken bool) *door {
	t.Helper()
	d := openDoor(t, func(o *Options) { o.LinkAbove = above })
	host := linking{d.host, fstest.MapFS{
		"2026-11-21/manifest.json":  {Data: []byte(`{"expires_at":"2026-11-23T00:00:00Z","files":[{"name":"big.csv"},{"name":"small.csv"}]}`)},
		"2026-11-21/big.csv":        {Data: []byte("key\n" + strings.Repeat("1\n", 100))},
		"2026-11-21/small.csv":      {Data: []byte("key\n1\n")},
		"2026-11-21/unpublished.md": {Data: []byte("nobody may read this yet")},
	}, broken}
	queue, err := desk.NewQueue("https://shop.example/meet")
	if err != nil {
		t.Fatal(err)
	}
	f, err := flow.New(t.Context(), config.Default(), host, queue, d.clock, "test")
	if err != nil {
		t.Fatal(err)
	}
	staff, err := StaticStaff("marketing:marketing-token")
	if err != nil {
		t.Fatal(err)
	}
	d.h = New(f, Options{Staff: staff, Now: d.clock, LinkAbove: above})
	return d
}

func fetch(d *door, file string) got {
	return d.do(call{method: "GET", path: "/v1/exports/2026-11-21/" + file, as: "marketing"})
}

func TestAFileThatIsTooBigForAnAnswerIsFetchedByALink(t *testing.T) {
	d := exporting(t, 10, false)
	if g := fetch(d, "small.csv"); g.status != http.StatusOK || string(g.raw) != "key\n1\n" {
		t.Errorf("a small file: %d %q", g.status, g.raw)
	}
	g := fetch(d, "big.csv")
	if g.status != http.StatusFound || g.header.Get("Location") != "https://bucket.example/file?for=5m0s" || len(g.raw) > 0 {
		t.Errorf("a big file: %d %v %q", g.status, g.header, g.raw)
	}
	if g.header.Get("Cache-Control") != "no-store" {
		t.Error("somebody may keep the link")
	}
	if g := fetch(d, "unpublished.md"); g.status != http.StatusNotFound {
		t.Errorf("a file that no manifest names: %d", g.status)
	}
	if found, _, err := d.host.SearchDecisions(t.Context(), flow.DecisionQuery{Action: "export"}); err != nil || len(found) != 2 {
		t.Errorf("%d decision records, %v", len(found), err)
	}
}

func TestWithoutALimitEveryFileIsStreamed(t *testing.T) {
	if g := fetch(exporting(t, 0, false), "big.csv"); g.status != http.StatusOK || len(g.raw) != 204 {
		t.Errorf("got %d, %d bytes", g.status, len(g.raw))
	}
}

func TestALinkThatCannotBeMadeIsAnError(t *testing.T) {
	if g := fetch(exporting(t, 10, true), "big.csv"); g.status < 500 || g.header.Get("Location") != "" {
		t.Errorf("got %d %v", g.status, g.header)
	}
}

// published is a shop with one night whose files are known.
func published(t *testing.T) (d *door, body, sum string) {
	t.Helper()
	d, dir := openDoor(t), t.TempDir()
	body = "key\n" + strings.Repeat("0123456789\n", 1000)
	digest := sha256.Sum256([]byte(body))
	sum = hex.EncodeToString(digest[:])
	if err := os.MkdirAll(filepath.Join(dir, "2026-11-21"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"rows.csv": body, "manifest.json": `{"expires_at":"2026-11-23T00:00:00Z","files":[{"name":"rows.csv","kind":"segment","sha256":"` + sum + `"}]}`,
	} {
		if err := os.WriteFile(filepath.Join(dir, "2026-11-21", name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	d.host = hosttest.NewMemory(hosttest.WithExports(dir))
	queue, err := desk.NewQueue("https://shop.example/meet")
	if err != nil {
		t.Fatal(err)
	}
	if d.flow, err = flow.New(t.Context(), config.Default(), d.host, queue, d.clock, "test"); err != nil {
		t.Fatal(err)
	}
	staff, err := StaticStaff("adviser:adviser-token,dpo:dpo-token,marketing:marketing-token,ops:ops-token")
	if err != nil {
		t.Fatal(err)
	}
	d.h = New(d.flow, Options{Staff: staff, Now: d.clock})
	return d, body, sum
}

// RFC 9110, 14.2: a part; what the file has not; an old copy's part, which comes whole.
func TestATransferGoesOnWhereItBrokeOff(t *testing.T) {
	d, body, sum := published(t)
	for _, c := range []struct {
		name   string
		header map[string]string
		status int
		want   string
		ranged string
	}{
		{"whole", nil, 200, body, ""},
		{"the rest", map[string]string{"Range": "bytes=100-"}, 206, body[100:], fmt.Sprintf("bytes 100-%d/%d", len(body)-1, len(body))},
		{"the middle", map[string]string{"Range": "bytes=4-13"}, 206, body[4:14], fmt.Sprintf("bytes 4-13/%d", len(body))},
		{"the rest of the same", map[string]string{"Range": "bytes=100-", "If-Range": `"` + sum + `"`}, 206, body[100:], fmt.Sprintf("bytes 100-%d/%d", len(body)-1, len(body))},
		{"the rest of another", map[string]string{"Range": "bytes=100-", "If-Range": `"another"`}, 200, body, ""},
		{"behind the end", map[string]string{"Range": "bytes=999999-"}, 416, "", fmt.Sprintf("bytes */%d", len(body))},
		{"known already", map[string]string{"If-None-Match": `"` + sum + `"`}, 304, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := d.do(call{method: "GET", path: "/v1/exports/2026-11-21/rows.csv", as: "marketing", header: c.header})
			if g.status != c.status || c.status < 300 && string(g.raw) != c.want || g.header.Get("Content-Range") != c.ranged {
				t.Errorf("got %d, %d bytes, %q", g.status, len(g.raw), g.header.Get("Content-Range"))
			}
			if c.status < 400 && g.header.Get("ETag") != `"`+sum+`"` || g.header.Get("Cache-Control") != "no-store" {
				t.Errorf("headers %v", g.header)
			}
			if c.status == 416 && g.code() != "range_invalid" {
				t.Errorf("the error is not in the envelope: %s", g.raw)
			}
		})
	}
}

func TestAHeadSaysHowMuchAndLetsNothingLeave(t *testing.T) {
	d, body, sum := published(t)
	g := d.do(call{method: "HEAD", path: "/v1/exports/2026-11-21/rows.csv", as: "marketing"})
	if g.status != 200 || len(g.raw) != 0 || g.header.Get("Content-Length") != fmt.Sprint(len(body)) || g.header.Get("ETag") != `"`+sum+`"` ||
		g.header.Get("Content-Type") != "text/csv; charset=utf-8" || g.header.Get("Content-Disposition") != `attachment; filename="rows.csv"` || g.header.Get("Accept-Ranges") != "bytes" {
		t.Errorf("got %d %v", g.status, g.header)
	}
	if found, _, err := d.host.SearchDecisions(t.Context(), flow.DecisionQuery{Action: "export"}); err != nil || len(found) != 0 {
		t.Errorf("%d decision records of nothing that left, %v", len(found), err)
	}
	for _, as := range []string{"adviser", "dpo", "ops"} {
		for _, method := range []string{"GET", "HEAD"} {
			if g := d.do(call{method: method, path: "/v1/exports/2026-11-21/rows.csv", as: as}); g.status != 403 {
				t.Errorf("%s as %s: %d", method, as, g.status)
			}
		}
	}
}
