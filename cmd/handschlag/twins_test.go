package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// unfair stands before a fair server and lets what it is told about a visitor
// change the answers of one route.
func unfair(t *testing.T, to, route string, about func(*http.Request) bool, change func(map[string]any)) string {
	t.Helper()
	u, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(u)
	proxy.ModifyResponse = func(res *http.Response) error {
		if res.Request.URL.Path != route || !about(res.Request) {
			return nil
		}
		var x map[string]any
		if err := json.NewDecoder(res.Body).Decode(&x); err != nil {
			return err
		}
		change(x)
		b, err := json.Marshal(x)
		res.Body, res.ContentLength = io.NopCloser(bytes.NewReader(b)), int64(len(b))
		res.Header.Del("Content-Length")
		return err
	}
	return serveHere(t, proxy)
}

func TestTwinsFindAnUnfairServer(t *testing.T) {
	t.Setenv("HANDSCHLAG_SERVER_KEY", "server-key-of-the-twins-test")
	t.Setenv("HANDSCHLAG_WRITE_KEY", "write-key-of-the-twins-test")
	var out, errs bytes.Buffer
	srv, err := start(t.Context(), serveCmd{place: place{Data: t.TempDir()}, Listen: "127.0.0.1:0"}, streams{strings.NewReader(""), &out, &errs})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = srv.Close() })
	mac := func(r *http.Request) bool { return strings.Contains(r.Header.Get("User-Agent"), "Macintosh") }
	dearer := func(x map[string]any) {
		p, _ := x["price"].(map[string]any)
		cents, _ := p["cents"].(float64)
		p["cents"] = cents * 1.05
	}
	for name, c := range map[string]struct {
		url  string
		code int
		want string
	}{
		"a fair server":                {srv.URL, 0, "27 price pairs, 4 offer pairs, 0 differences"},
		"5 % more for an Apple device": {unfair(t, srv.URL, "/v1/price", mac, dearer), 1, "price.cents: 10500 | 10000"},
		"5 % more for who comes again": {unfair(t, srv.URL, "/v1/price", func(r *http.Request) bool {
			c := r.Header.Get("Cookie")
			return c != "" && !strings.Contains(c, "stranger")
		}, dearer), 1, "price.cents: 10500 | 10000"},
		"no human for an old device": {unfair(t, srv.URL, "/v1/escalate", func(r *http.Request) bool { return !mac(r) }, func(x map[string]any) { x["offer"] = "nothing" }), 1, "offer: "},
	} {
		t.Run(name, func(t *testing.T) {
			var out, errs bytes.Buffer
			code := run(context.Background(), []string{"audit", "twins", "--url", c.url}, streams{strings.NewReader(""), &out, &errs})
			if code != c.code || !strings.Contains(out.String(), c.want) {
				t.Errorf("exit %d, want %d with %q:\n%s%s", code, c.code, c.want, &out, &errs)
			}
		})
	}
}

// Whoever starts the twins is told what they write before, and how much after.
func TestTwinsSayWhatTheyWrite(t *testing.T) {
	p, _ := onePrice(t)
	before := len(decisionsOf(t, p))
	for lang, want := range map[string][]string{
		"en": {"twins: Munich, Apple device | Mecklenburg-Vorpommern, old Windows device; asking " + p.Data, "This writes into the shop", " test visitors were withdrawn and erased"},
		"de": {"Zwillinge: München, Apple-Gerät | Mecklenburg-Vorpommern, altes Windows-Gerät; gefragt wird " + p.Data, "Das schreibt in den gefragten Shop", " Testbesuchern widerrufen und gelöscht"},
	} {
		var out bytes.Buffer
		if code := run(t.Context(), []string{"audit", "twins", "--data", p.Data, "--lang", lang}, streams{strings.NewReader(""), &out, &out}); code != 0 {
			t.Fatalf("exit %d: %s", code, &out)
		}
		all := len(decisionsOf(t, p))
		want = append(want, fmt.Sprintf(": %d ", all-before))
		before = all
		for _, w := range want {
			if !strings.Contains(out.String(), w) {
				t.Errorf("want %q in\n%s", w, &out)
			}
		}
		if strings.Index(out.String(), want[1]) > strings.Index(out.String(), "twins-list") {
			t.Errorf("%s: said after it began:\n%s", lang, &out)
		}
	}
}

// A folder whose newest decision is old, opened by the wall clock, is named as such.
func TestTwinsInAnOldFolderSaySo(t *testing.T) {
	setClock(t, "2019-05-01T10:00:00Z")
	p, _ := onePrice(t)
	ask := func() string {
		var out bytes.Buffer
		if code := run(t.Context(), []string{"audit", "twins", "--data", p.Data}, streams{strings.NewReader(""), &out, &out}); code != 0 {
			t.Fatalf("exit %d: %s", code, &out)
		}
		return out.String()
	}
	if said := ask(); strings.Contains(said, "the clock says") {
		t.Error(said)
	}
	t.Setenv("HANDSCHLAG_CLOCK", "")
	if said := ask(); !strings.Contains(said, "\nThe newest decision or event here is of 2019-05-01, the clock says ") {
		t.Error(said)
	}
}

// setClock lets commands live at a time.
func setClock(t *testing.T, at string) {
	t.Helper()
	clock := filepath.Join(t.TempDir(), "clock")
	if err := os.WriteFile(clock, []byte(at+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("HANDSCHLAG_CLOCK", "@"+clock)
}

// decisionsOf are the ids in a folder's decision log.
func decisionsOf(t *testing.T, p place) (ids []string) {
	t.Helper()
	var out bytes.Buffer
	if err := (auditDecisionsCmd{place: p, Limit: 100000}).Run(t.Context(), streams{out: &out, err: io.Discard}); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(out.String()) {
		ids = append(ids, strings.Fields(line)[1])
	}
	return ids
}

// serveHere serves a handler on loopback until the test ends.
func serveHere(t *testing.T, h http.Handler) string {
	t.Helper()
	ln, err := listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: h, ReadHeaderTimeout: drainFor}
	go func() { _ = srv.Serve(ln) }()
	t.Cleanup(func() { _ = srv.Close() })
	return "http://" + ln.Addr().String()
}
