package gateway

import (
	"encoding/base64"
	"io"
	"net/http"
	"testing"

	"github.com/aws/aws-lambda-go/events"
)

// echo answers with what reached it.
func echo(w http.ResponseWriter, r *http.Request) {
	b, _ := io.ReadAll(r.Body)
	h := w.Header()
	h.Set("Content-Type", "text/plain")
	h.Set("X-Path", r.URL.Path)
	h.Set("X-Query", r.URL.RawQuery)
	h.Set("X-From", r.RemoteAddr)
	h.Set("X-Browser", r.UserAgent())
	h.Add("X-Many", "a")
	h.Add("X-Many", "b")
	w.WriteHeader(http.StatusCreated)
	_, _ = w.Write(b)
}

func broken(w http.ResponseWriter, _ *http.Request) {
	w.WriteHeader(http.StatusBadRequest)
	_, _ = io.WriteString(w, "call us")
}

func event(change func(*events.APIGatewayV2HTTPRequest)) events.APIGatewayV2HTTPRequest {
	e := events.APIGatewayV2HTTPRequest{Version: "2.0", RawPath: "/v1/batch", RawQueryString: "a=b", Body: "hello", Headers: map[string]string{"user-agent": "Firefox"}}
	e.RequestContext.HTTP.Method, e.RequestContext.HTTP.SourceIP, e.RequestContext.Stage = "POST", "203.0.113.7", "$default"
	change(&e)
	return e
}

func TestAnEventBecomesARequest(t *testing.T) {
	serve := Serve(http.HandlerFunc(echo), http.HandlerFunc(broken))
	for name, c := range map[string]struct {
		change       func(*events.APIGatewayV2HTTPRequest)
		status       int
		path, answer string
	}{
		"as it comes":        {func(*events.APIGatewayV2HTTPRequest) {}, 201, "/v1/batch", "hello"},
		"base64":             {func(e *events.APIGatewayV2HTTPRequest) { e.IsBase64Encoded, e.Body = true, "aGVsbG8=" }, 201, "/v1/batch", "hello"},
		"with a named stage": {func(e *events.APIGatewayV2HTTPRequest) { e.RequestContext.Stage, e.RawPath = "live", "/live/v1/batch" }, 201, "/v1/batch", "hello"},
		"a stage-like path":  {func(e *events.APIGatewayV2HTTPRequest) { e.RequestContext.Stage = "v1" }, 201, "/batch", "hello"},
		"no path":            {func(e *events.APIGatewayV2HTTPRequest) { e.RawPath = "" }, 201, "/", "hello"},
		"base64 that is not": {func(e *events.APIGatewayV2HTTPRequest) { e.IsBase64Encoded = true; e.Body = "%" }, 400, "", "call us"},
		"a broken method":    {func(e *events.APIGatewayV2HTTPRequest) { e.RequestContext.HTTP.Method = "P T" }, 400, "", "call us"},
	} {
		res, err := serve(t.Context(), event(c.change))
		if err != nil || res.StatusCode != c.status || res.Body != c.answer || res.Headers["X-Path"] != c.path {
			t.Errorf("%s: want %d %s %q, got %d %s %q %v", name, c.status, c.path, c.answer, res.StatusCode, res.Headers["X-Path"], res.Body, err)
		}
		if c.status == 201 && (res.Headers["X-From"] != "203.0.113.7" || res.Headers["X-Browser"] != "Firefox" || res.Headers["X-Query"] != "a=b" || res.Headers["X-Many"] != "a, b") {
			t.Errorf("%s: address, browser, query or headers got lost: %v", name, res.Headers)
		}
	}
}

func TestBytesThatAreNoTextTravelAsBase64(t *testing.T) {
	raw := []byte{0xff, 0x00, 0xfe}
	res, err := Serve(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(raw) }), nil)(t.Context(), event(func(*events.APIGatewayV2HTTPRequest) {}))
	if err != nil || !res.IsBase64Encoded || res.Body != base64.StdEncoding.EncodeToString(raw) || res.StatusCode != 200 {
		t.Errorf("got %+v %v", res, err)
	}
}
