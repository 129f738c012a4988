package api

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
)

// Slow senders run into a limit at every stage of a request.
func TestEveryStageHasALimit(t *testing.T) {
	s := Server(http.NotFoundHandler(), slog.Default())
	if s.ReadHeaderTimeout == 0 || s.ReadTimeout == 0 || s.WriteTimeout == 0 || s.IdleTimeout == 0 || s.MaxHeaderBytes == 0 || s.MaxHeaderBytes > 64<<10 {
		t.Errorf("a stage without a limit: %+v", s)
	}
}

// net/http's own words hold addresses of visitors.
func TestTheServersOwnWordsNameNobody(t *testing.T) {
	var log bytes.Buffer
	s := Server(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("canary") }), slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = s.Serve(ln) }()
	if _, err := http.Get("http://" + ln.Addr().String()); err == nil {
		t.Error("want a broken connection")
	}
	if err := s.Shutdown(context.Background()); err != nil {
		t.Fatal(err)
	}
	if said := log.String(); strings.Contains(said, "127.0.0.1") || strings.Contains(said, "canary") || said == "" {
		t.Errorf("got %q", said)
	}
}

// A body that never ends holds no more than what its limit allows.
func TestAnEndlessBodyIsStopped(t *testing.T) {
	d := openDoor(t)
	for _, header := range []map[string]string{nil, {"Content-Encoding": "gzip"}} {
		read := &counted{r: zeros{}}
		body := io.Reader(read)
		if header != nil {
			body = bytes.NewReader(gz(t, io.LimitReader(zeros{}, 100<<20)))
		}
		a := d.h.(*api)
		r, err := http.NewRequest("POST", "/v1/batch", body)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		for k, v := range header {
			r.Header.Set(k, v)
		}
		_, free, err := a.body(discard{http.Header{}}, r, limitBatch)
		free()
		if f := faultOf(err); f.Status != 413 {
			t.Errorf("want 413, got %v", err)
		}
		if read.n > limitBatch+(8<<10) {
			t.Errorf("read %d bytes of an endless body", read.n)
		}
		if a.budget.held.Load() != 0 {
			t.Errorf("%d bytes stay counted", a.budget.held.Load())
		}
	}
}

type counted struct {
	r io.Reader
	n int64
}

func (c *counted) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n += int64(n)
	return n, err
}
