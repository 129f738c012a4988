//go:build sam

package sam_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"sync"
	"time"
)

// now lets the demo's days of 2008 happen now: a Lambda has no clock that could be
// set. It moves every time that a request names by as much as the demo's clock is
// behind, and counts what was answered.
type now struct {
	mu       sync.Mutex
	demo     time.Time // the demo's clock
	answered map[string]map[int]int
}

func (n *now) setClock(t time.Time) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.demo = t
	return nil
}

// RoundTrip sends a request as of now.
func (n *now) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		var body any
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			return nil, err
		}
		n.mu.Lock()
		demo := n.demo
		n.mu.Unlock()
		b, err := json.Marshal(moved(body, demo, time.Now().UTC()))
		if err != nil {
			return nil, err
		}
		r = r.Clone(r.Context())
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(b)), int64(len(b))
	}
	res, err := http.DefaultTransport.RoundTrip(r)
	if err == nil {
		n.count(r.Method+" "+r.URL.Path, res.StatusCode)
	}
	return res, err
}

func (n *now) count(call string, status int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.answered == nil {
		n.answered = map[string]map[int]int{}
	}
	if n.answered[call] == nil {
		n.answered[call] = map[int]int{}
	}
	n.answered[call][status]++
}

// moved moves each time in a body. What a visitor did happened now, not minutes
// before the answer in the banner that allows it; what lies ahead stays ahead.
func moved(v any, demo, real time.Time) any {
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			v[k] = moved(x, demo, real)
			if k != "timestamp" {
				continue
			}
			if s, ok := v[k].(string); ok {
				if t, err := time.Parse(time.RFC3339Nano, s); err == nil && t.Before(real) {
					v[k] = real.Format(time.RFC3339Nano)
				}
			}
		}
	case []any:
		for i, x := range v {
			v[i] = moved(x, demo, real)
		}
	case string:
		if t, err := time.Parse(time.RFC3339Nano, v); err == nil {
			return t.Add(real.Sub(demo)).UTC().Format(time.RFC3339Nano)
		}
	}
	return v
}
