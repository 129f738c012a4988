package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
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
