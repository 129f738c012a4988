package gateway

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
)

const firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"

// echo answers with what reached it.
func echo(w http.ResponseWriter, r *http.Request) {
	b, _ := io.ReadAll(r.Body)
	h := w.Header()
	h.Set("Content-Type", "text/plain")
	h.Set("X-Path", r.URL.Path)
	h.Set("X-Query", r.URL.RawQuery)
	h.Set("X-All", fmt.Sprintf("%v %v %v", r.RemoteAddr, r.Header, r.Cookies()))
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

// event2 is what AWS sends, by AWS's own type.
func event2(change func(*events.APIGatewayV2HTTPRequest)) []byte {
	e := events.APIGatewayV2HTTPRequest{
		Version: "2.0", RawPath: "/v1/batch", RawQueryString: "a=b", Body: "hello", Cookies: []string{"sid=canary-cookie"},
		Headers: map[string]string{"user-agent": firefox, "x-forwarded-for": "203.0.113.7", "cookie": "sid=canary-cookie", "sec-gpc": "0, 1", "dnt": "1, 1", "origin": "https://shop.example"},
	}
	e.RequestContext.HTTP.Method, e.RequestContext.HTTP.SourceIP, e.RequestContext.Stage = "POST", "203.0.113.7", "$default"
	e.RequestContext.HTTP.UserAgent = firefox
	change(&e)
	b, err := json.Marshal(e)
	if err != nil {
		panic(err)
	}
	return b
}

// asked gives the answer in AWS's own type.
func asked(t *testing.T, h Handler, payload []byte) (res events.APIGatewayV2HTTPResponse) {
	t.Helper()
	b, err := h.Invoke(t.Context(), payload)
	if err == nil {
		err = json.Unmarshal(b, &res)
	}
	if err != nil {
		t.Fatal(err)
	}
	return res
}

func TestAnEventBecomesARequest(t *testing.T) {
	h := Handler{HTTP: http.HandlerFunc(echo), Broken: http.HandlerFunc(broken)}
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
		res := asked(t, h, event2(c.change))
		if res.StatusCode != c.status || res.Body != c.answer || res.Headers["X-Path"] != c.path {
			t.Errorf("%s: want %d %s %q, got %d %s %q", name, c.status, c.path, c.answer, res.StatusCode, res.Headers["X-Path"], res.Body)
		}
		if c.status == 201 && (res.Headers["X-Query"] != "a=b" || res.Headers["X-Many"] != "a, b" || !strings.Contains(res.Headers["X-All"], "https://shop.example")) {
			t.Errorf("%s: query or headers got lost: %v", name, res.Headers)
		}
	}
}

func TestOfTheSenderOnlyTheKindOfBrowserGoesOn(t *testing.T) {
	res := asked(t, Handler{HTTP: http.HandlerFunc(echo)}, event2(func(*events.APIGatewayV2HTTPRequest) {}))
	if res.Headers["X-Browser"] != "Firefox/145" {
		t.Errorf("want Firefox/145, got %s", res.Headers["X-Browser"])
	}
	for _, canary := range []string{"203.0.113.7", "canary-cookie", "X11"} {
		if strings.Contains(res.Headers["X-All"], canary) {
			t.Errorf("%s goes on: %s", canary, res.Headers["X-All"])
		}
	}
	if !strings.Contains(res.Headers["X-All"], "Dnt:[1 1]") || !strings.Contains(res.Headers["X-All"], "Sec-Gpc:[0 1]") {
		t.Errorf("a signal that came twice is lost: %s", res.Headers["X-All"])
	}
}

func TestBytesThatAreNoTextTravelAsBase64(t *testing.T) {
	raw := []byte{0xff, 0x00, 0xfe}
	h := Handler{HTTP: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(raw) })}
	res := asked(t, h, event2(func(*events.APIGatewayV2HTTPRequest) {}))
	if !res.IsBase64Encoded || res.Body != base64.StdEncoding.EncodeToString(raw) || res.StatusCode != 200 {
		t.Errorf("got %+v", res)
	}
}

// A payload of another kind reaches the API in no form.
func TestOtherPayloadsAreRefusedUnread(t *testing.T) {
	never := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the API was asked") })
	for _, payload := range []string{
		``, `{`, `[]`, `null`, `"canary"`, `{"canary":1}`, `{"Records":[{"body":"canary"}]}`, `{"handschlag":"sequence"}`,
		`{"httpMethod":"POST","path":"/v1/batch","requestContext":{"identity":{"sourceIp":"canary"}}}`, `{"headers":"canary"}`,
	} {
		_, err := Handler{HTTP: never, Broken: never}.Invoke(t.Context(), []byte(payload))
		if !errors.Is(err, ErrPayload) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: got %v", payload, err)
		}
	}
}
