package api

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
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
