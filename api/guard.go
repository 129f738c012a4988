package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"time"
)

// headers that every answer carries: nothing is sniffed, kept, framed or told on.
var safety = map[string][]string{
	"X-Content-Type-Options":       {"nosniff"},
	"Cache-Control":                {"no-store"},
	"Referrer-Policy":              {"no-referrer"},
	"Content-Security-Policy":      {"default-src 'none'; frame-ancestors 'none'"},
	"Cross-Origin-Resource-Policy": {"cross-origin"},
}

// heard counts what an answer was, for the log and the metrics, and keeps back
// what the mux itself says about a request that no route matches.
type heard struct {
	http.ResponseWriter
	req    *http.Request
	status int
	bytes  int64
	routed bool // the mux has taken over
	missed int
}

func (h *heard) WriteHeader(status int) {
	if h.unrouted(status) {
		h.missed = status
		return
	}
	if h.status == 0 {
		h.status = status
	}
	h.ResponseWriter.WriteHeader(status)
}

// unrouted reports whether the mux speaks, not a route. Routes never redirect.
func (h *heard) unrouted(status int) bool {
	return h.routed && (h.req.Pattern == "" || status == http.StatusMovedPermanently || status == http.StatusTemporaryRedirect)
}

func (h *heard) Write(b []byte) (int, error) {
	if h.missed != 0 {
		return len(b), nil
	}
	if h.status == 0 {
		h.status = http.StatusOK
	}
	n, err := h.ResponseWriter.Write(b)
	h.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (h *heard) Unwrap() http.ResponseWriter { return h.ResponseWriter }

// ServeHTTP is the door: safety headers, CORS, the route, and afterwards one log
// line that knows nobody.
func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	h := &heard{ResponseWriter: w, req: r}
	defer func() {
		if p := recover(); p != nil {
			a.caught(h, p)
		}
		a.log(h, time.Since(start))
	}()
	for k, v := range safety {
		h.Header()[k] = v
	}
	if !a.cors(h, r) {
		return
	}
	h.routed = true
	a.mux.ServeHTTP(h, r)
	if h.missed != 0 {
		a.unrouted(h)
	}
}

// unrouted answers in the envelope what no route matches.
func (a *api) unrouted(h *heard) {
	allow, missed := h.Header().Get("Allow"), h.missed
	h.Header().Del("Location")
	h.missed, h.req.Pattern = 0, "-"
	if missed == http.StatusMethodNotAllowed {
		h.Header().Set("Allow", allow)
		a.fail(h, errMethod)
		return
	}
	a.fail(h, errNoRoute)
}

// cors lets the configured origins read answers, and reports whether the request
// goes on to its route.
func (a *api) cors(w http.ResponseWriter, r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true
	}
	h := w.Header()
	h.Add("Vary", "Origin")
	preflight := r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != ""
	if !slices.Contains(a.o.Origins, origin) {
		if preflight {
			a.fail(w, errOrigin)
		}
		return !preflight
	}
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Expose-Headers", "Retry-After")
	if !preflight {
		return true
	}
	h.Set("Access-Control-Allow-Methods", "GET, POST, PUT")
	h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Content-Encoding")
	h.Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
	return false
}

// caught answers for a panic. Its value may hold anything, so only its type and
// the places in the code are told.
func (a *api) caught(w *heard, p any) {
	if p == http.ErrAbortHandler {
		panic(p)
	}
	a.o.Log.Error("panic", "route", w.req.Pattern, "type", fmt.Sprintf("%T", p), "at", places())
	if w.status == 0 {
		w.missed = 0
		a.fail(w, errPanic)
	}
}

func places() []string {
	pc := make([]uintptr, 32)
	frames := runtime.CallersFrames(pc[:runtime.Callers(4, pc)])
	var out []string
	for {
		f, more := frames.Next()
		out = append(out, fmt.Sprintf("%s:%d", f.Function, f.Line))
		if !more {
			return out
		}
	}
}

// log writes the access log: method, route pattern, status, bytes, duration, and
// nothing else. Answers as expected are for whoever debugs.
func (a *api) log(h *heard, took time.Duration) {
	method, pattern := routeOf(h.req)
	a.metrics.heard(method, pattern, h.status, took)
	level := levelOf(h.status)
	if hungUp(h.req) {
		level = slog.LevelDebug
	}
	if !a.o.Log.Enabled(h.req.Context(), level) {
		return
	}
	a.o.Log.Log(h.req.Context(), level, "request", "method", method, "route", pattern,
		"status", h.status, "bytes", h.bytes, "ms", float64(took.Microseconds())/1000)
}

// hungUp says that nobody waits for the answer.
func hungUp(r *http.Request) bool { return errors.Is(r.Context().Err(), context.Canceled) }

// routeOf takes method and path from the pattern, never from the request: what
// was asked for may hold anything.
func routeOf(r *http.Request) (method, pattern string) {
	method, pattern, found := strings.Cut(r.Pattern, " ")
	if !found {
		return "-", "-"
	}
	return method, pattern
}

func levelOf(status int) slog.Level {
	switch {
	case status >= 500:
		return slog.LevelWarn
	case status >= 400:
		return slog.LevelInfo
	}
	return slog.LevelDebug
}
