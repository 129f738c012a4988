// Package gateway owns the way between API Gateway and an http.Handler: the
// payload format 2.0 event becomes a request, the answer becomes a response. It
// knows no route, keeps nothing and logs nothing; the sender's address and
// browser go into the request, where flow coarsens them, and nowhere else.
package gateway

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"
)

// Handler is what lambda.Start takes.
type Handler func(context.Context, events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error)

// Serve lets h answer API Gateway's events, and broken those that no request can
// be made of: it is given an empty request and must not look at it.
func Serve(h, broken http.Handler) Handler {
	return func(ctx context.Context, e events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
		w := &answer{header: http.Header{}}
		if r, err := request(ctx, e); err != nil {
			broken.ServeHTTP(w, new(http.Request).WithContext(ctx))
		} else {
			h.ServeHTTP(w, r)
		}
		return w.response(), nil
	}
}

// request reads an event. Errors name the part, never its content.
func request(ctx context.Context, e events.APIGatewayV2HTTPRequest) (*http.Request, error) {
	body := []byte(e.Body)
	if e.IsBase64Encoded {
		b, err := base64.StdEncoding.DecodeString(e.Body)
		if err != nil {
			return nil, fmt.Errorf("reading gateway event: body is not base64")
		}
		body = b
	}
	url := withoutStage(e.RawPath, e.RequestContext.Stage)
	if e.RawQueryString != "" {
		url += "?" + e.RawQueryString
	}
	r, err := http.NewRequestWithContext(ctx, e.RequestContext.HTTP.Method, url, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("reading gateway event: method or path cannot be one")
	}
	for k, v := range e.Headers {
		r.Header.Set(k, v)
	}
	r.Host, r.RemoteAddr = e.RequestContext.DomainName, e.RequestContext.HTTP.SourceIP
	return r, nil
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

func (a *answer) response() events.APIGatewayV2HTTPResponse {
	out := events.APIGatewayV2HTTPResponse{StatusCode: a.status, Headers: make(map[string]string, len(a.header))}
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
	out.Body, out.IsBase64Encoded = base64.StdEncoding.EncodeToString(a.body.Bytes()), true
	return out
}
