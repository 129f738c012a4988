// Package gateway owns the way between API Gateway and an http.Handler: the
// payload format 2.0 event becomes a request, the answer becomes a response. It
// knows no route, keeps nothing and logs nothing.
//
// Of the sender nothing goes on but what a route reads: the address and the
// cookies are not even decoded, the browser is coarsened to family and version,
// and every header outside of a closed list ends here.
package gateway

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/handschlag/handschlag/event"
)

// call is as much of a payload 2.0 event as we look at.
type call struct {
	RawPath        string            `json:"rawPath"`
	RawQueryString string            `json:"rawQueryString"`
	Headers        map[string]string `json:"headers"`
	Body           string            `json:"body"`
	IsBase64       bool              `json:"isBase64Encoded"`
	Context        struct {
		Domain string `json:"domainName"`
		Stage  string `json:"stage"`
		HTTP   struct {
			Method string `json:"method"`
		} `json:"http"`
	} `json:"requestContext"`
}

// response is what API Gateway wants back.
type response struct {
	StatusCode int               `json:"statusCode"`
	Headers    map[string]string `json:"headers"`
	Body       string            `json:"body"`
	IsBase64   bool              `json:"isBase64Encoded,omitempty"`
}

// Handler answers payloads; it is what lambda.Start takes.
type Handler struct {
	HTTP http.Handler
	// Broken answers events that no request can be made of. It is given an empty
	// request and must not look at it.
	Broken http.Handler
	// Other takes payloads that are no call of the API; nil refuses them.
	Other func(ctx context.Context, payload []byte) error
}

// ErrPayload refuses a payload that nobody here answers. It says nothing of it.
var ErrPayload = errors.New("the payload is no call of the API (format 2.0), and nothing else that this function answers")

// Invoke answers one payload. An error is about the payload as a whole, and names
// nothing in it.
func (h Handler) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	var c call
	if err := json.Unmarshal(payload, &c); err != nil || c.Context.HTTP.Method == "" {
		if h.Other == nil {
			return nil, ErrPayload
		}
		return []byte("null"), h.Other(ctx, payload)
	}
	w := &answer{header: http.Header{}}
	if r, err := c.request(ctx); err != nil {
		h.Broken.ServeHTTP(w, new(http.Request).WithContext(ctx))
	} else {
		h.HTTP.ServeHTTP(w, r)
	}
	return json.Marshal(w.response())
}

// heard are the headers that some route reads.
var heard = []string{
	"Access-Control-Request-Method", "Authorization", "Content-Encoding", "Content-Type", "Dnt", "Origin", "Sec-Gpc", "User-Agent",
}

// request makes the call's request. Errors name the part, never its content.
func (c *call) request(ctx context.Context) (*http.Request, error) {
	body := []byte(c.Body)
	if c.IsBase64 {
		b, err := base64.StdEncoding.DecodeString(c.Body)
		if err != nil {
			return nil, errors.New("reading gateway event: body is not base64")
		}
		body = b
	}
	url := withoutStage(c.RawPath, c.Context.Stage)
	if c.RawQueryString != "" {
		url += "?" + c.RawQueryString
	}
	r, err := http.NewRequestWithContext(ctx, c.Context.HTTP.Method, url, bytes.NewReader(body))
	if err != nil {
		return nil, errors.New("reading gateway event: method or path cannot be one")
	}
	for k, v := range c.Headers {
		if name := http.CanonicalHeaderKey(k); slices.Contains(heard, name) {
			r.Header[name] = values(name, v)
		}
	}
	r.Host = c.Context.Domain
	return r, nil
}

// values undoes what the gateway does to a header that came twice: it joins them.
func values(name, v string) []string {
	switch name {
	case "User-Agent":
		return []string{event.UAFamily(v)}
	case "Dnt", "Sec-Gpc":
		return strings.Split(strings.ReplaceAll(v, " ", ""), ",")
	}
	return []string{v}
}

// withoutStage drops the stage from the path; the default stage is not in it.
func withoutStage(path, stage string) string {
	if rest, ok := strings.CutPrefix(path, "/"+stage+"/"); ok && stage != "" && stage != "$default" {
		return "/" + rest
	}
	if path == "" {
		return "/"
	}
	return path
}

// answer collects what a handler writes.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

func (a *answer) Write(b []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(b)
}

func (a *answer) response() response {
	out := response{StatusCode: a.status, Headers: make(map[string]string, len(a.header))}
	if out.StatusCode == 0 {
		out.StatusCode = http.StatusOK
	}
	for k, v := range a.header {
		out.Headers[k] = strings.Join(v, ", ")
	}
	if utf8.Valid(a.body.Bytes()) {
		out.Body = a.body.String()
		return out
	}
	out.Body, out.IsBase64 = base64.StdEncoding.EncodeToString(a.body.Bytes()), true
	return out
}
