package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Shop is a running server as a client sees it.
type Shop struct {
	Name      string
	URL       string // http://127.0.0.1:8080
	WriteKey  string
	ServerKey string
	Staff     map[string]string // role → bearer token
	SetClock  func(time.Time) error
	HTTP      *http.Client
}

// answer is a reply with its status.
type reply struct {
	Status int
	Body   []byte
}

// send makes one request. The credential is the write key, the server key, or a
// staff role. An answer of 500 and above is an error: the demo does not go on as
// if nothing had happened.
func (s *Shop) send(ctx context.Context, method, path, as string, body any) (reply, error) {
	var rd io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return reply{}, fmt.Errorf("%s %s: %w", method, path, err)
		}
		rd = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, s.URL+path, rd)
	if err != nil {
		return reply{}, fmt.Errorf("%s %s: %w", method, path, err)
	}
	req.Header.Set("Content-Type", "application/json")
	switch as {
	case "write":
		req.SetBasicAuth(s.WriteKey, "")
	case "server":
		req.SetBasicAuth(s.ServerKey, "")
	default:
		req.Header.Set("Authorization", "Bearer "+s.Staff[as])
	}
	res, err := s.HTTP.Do(req)
	if err != nil {
		return reply{}, fmt.Errorf("%s %s: %w", method, path, err)
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return reply{}, fmt.Errorf("%s %s: reading the answer: %w", method, path, err)
	}
	if res.StatusCode >= 500 {
		return reply{}, fmt.Errorf("%s %s: %d %s", method, path, res.StatusCode, bytes.TrimSpace(b))
	}
	return reply{res.StatusCode, b}, nil
}

// want sends and insists on a status; the answer is decoded into out unless nil.
func (s *Shop) want(ctx context.Context, status int, method, path, as string, body, out any) error {
	r, err := s.send(ctx, method, path, as, body)
	if err != nil {
		return err
	}
	if r.Status != status {
		return fmt.Errorf("%s %s: want %d, got %d %s", method, path, status, r.Status, bytes.TrimSpace(r.Body))
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(r.Body, out); err != nil {
		return fmt.Errorf("%s %s: reading the answer: %w", method, path, err)
	}
	return nil
}
