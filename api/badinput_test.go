package api

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/handschlag/handschlag/flow"
)

func gz(t *testing.T, r io.Reader) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	if _, err := io.Copy(z, r); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// zeros is endless white space: a body that unpacks to whatever one lets it.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = ' '
	}
	return len(b), nil
}

// The envelope: what cannot be read at all is a 4xx that names the field, if
// there is one.
func TestBadEnvelopes(t *testing.T) {
	d := openDoor(t)
	deep := strings.Repeat("[", 100_000)
	bomb := gz(t, io.LimitReader(zeros{}, 50<<20))
	for _, c := range []struct {
		name, path, as string
		body           any
		header         map[string]string
		status         int
		code, names    string
	}{
		{"malformed batch", "/v1/batch", "write", `{"batch":[`, nil, 400, "malformed", ""},
		{"malformed call", "/v1/consent", "write", `{"method":"save"`, nil, 400, "malformed", ""},
		{"nothing", "/v1/escalate", "write", nil, nil, 400, "body_missing", ""},
		{"nothing as a batch", "/v1/batch", "write", nil, nil, 400, "", ""},
		{"an array for an object", "/v1/escalate", "write", `[]`, nil, 400, "malformed", ""},
		{"a number for an object", "/v1/batch", "write", `7`, nil, 400, "", ""},
		{"something after the end", "/v1/escalate", "write", `{} {}`, nil, 400, "malformed", ""},
		{"something after the batch", "/v1/batch", "write", `{"batch":[]}x`, nil, 400, "malformed", ""},
		{"not UTF-8", "/v1/escalate", "write", "{\"anonymousId\":\"\xff\xfe\"}", nil, 400, "malformed", ""},
		{"not UTF-8 in a batch", "/v1/batch", "write", "{\"batch\":[{\"event\":\"\xff\xfe\"}]}", nil, 400, "", ""},
		{"NaN", "/v1/price", "server", `{"list_cents":NaN}`, nil, 400, "malformed", ""},
		{"duplicate key", "/v1/consent", "write", `{"method":"save","method":"reject"}`, nil, 400, "duplicate_key", "method"},
		{"duplicate key further in", "/v1/consent", "write", `{"purposes":{"analytics":true,"analytics":false}}`, nil, 400, "duplicate_key", "purposes.analytics"},
		{"duplicate key in what is ignored", "/v1/consent", "write", `{"else":{"a":1,"a":2}}`, nil, 400, "duplicate_key", "else.a"},
		{"duplicate key in a batch", "/v1/batch", "write", `{"batch":[],"batch":[]}`, nil, 400, "duplicate_key", "batch"},
		{"duplicate writeKey", "/v1/batch", "", `{"writeKey":"a","writeKey":"` + writeKey + `","batch":[]}`, nil, 400, "duplicate_key", "writeKey"},
		{"wrong type", "/v1/consent", "write", `{"purposes":{"analytics":"yes"}}`, nil, 422, "wrong_type", "purposes.analytics"},
		{"wrong type of a list", "/v1/consent", "write", `{"purposes_shown":"analytics"}`, nil, 422, "wrong_type", "purposes_shown"},
		{"wrong type of an id", "/v1/escalate", "write", `{"anonymousId":7}`, nil, 422, "wrong_type", "anonymousId"},
		{"wrong type of the key", "/v1/escalate", "", `{"writeKey":{}}`, nil, 422, "wrong_type", "writeKey"},
		{"wrong type of the batch", "/v1/batch", "write", `{"batch":{}}`, nil, 422, "wrong_type", "batch"},
		{"cents with a fraction", "/v1/price", "server", `{"product_id":"B12","list_cents":1.5}`, nil, 422, "wrong_type", "list_cents"},
		{"cents beyond all money", "/v1/price", "server", `{"product_id":"B12","list_cents":1e400}`, nil, 422, "wrong_type", "list_cents"},
		{"a time that is none", "/v1/price", "server", `{"announcement":{"since":"yesterday"}}`, nil, 422, "wrong_type", "announcement.since"},
		{"a smuggled price input", "/v1/price", "server", `{"product_id":"B12","device":"iPhone"}`, nil, 422, "unknown_field", "device"},
		{"a smuggled input in many", "/v1/price", "server", `{"quotes":[{"product_id":"B12","postcode":"80331"}]}`, nil, 422, "unknown_field", "quotes.0.postcode"},
		{"no quotes", "/v1/price", "server", `{"quotes":[]}`, nil, 422, "field_invalid", "quotes"},
		{"an unknown notice", "/v1/consent", "write", `{"anonymousId":"` + device + `","purposes":{"analytics":true},"purposes_shown":["analytics"],"method":"save","notice":{"version":"99","language":"de"},"ui":{"version":"banner-1"}}`, nil, 422, "", "notice"},
		{"an unknown ui", "/v1/consent", "write", `{"anonymousId":"` + device + `","purposes":{"analytics":true},"purposes_shown":["analytics"],"method":"save","notice":{"version":"1","language":"de"},"ui":{"version":"banner-99"}}`, nil, 422, "", "ui"},
		{"an id with a NUL", "/v1/consent/state", "write", `{"anonymousId":"v1-device-\u0000-0123456789"}`, nil, 422, "", "anonymousId"},
		{"an id with a bidi override", "/v1/escalate", "write", `{"anonymousId":"v1-device-\u202e-0123456789"}`, nil, 422, "", "anonymousId"},
		{"an id too short", "/v1/variant", "write", `{"anonymousId":"short","slot":"home_hero"}`, nil, 422, "", "anonymousId"},
		{"100,000 deep", "/v1/batch", "write", deep, nil, 400, "too_deep", ""},
		{"100,000 deep in a call", "/v1/price", "server", `{"a":` + deep, nil, 400, "too_deep", ""},
		{"10 MB", "/v1/batch", "write", bytes.Repeat([]byte(" "), 10<<20), nil, 413, "body_too_large", ""},
		{"10 MB single", "/v1/track", "write", bytes.Repeat([]byte(" "), 10<<20), nil, 413, "body_too_large", ""},
		{"over 32 KiB single", "/v1/track", "write", `{"anonymousId":"` + device + `","event":"x","properties":{"a":"` + strings.Repeat("x", 32<<10) + `"}}`, nil, 413, "body_too_large", ""},
		{"2,501 events", "/v1/batch", "write", `{"batch":[` + strings.Repeat(`{},`, 2500) + `{}]}`, nil, 413, "batch_too_many", "2500"},
		{"gzip bomb", "/v1/batch", "write", bomb, map[string]string{"Content-Encoding": "gzip"}, 413, "body_too_large", ""},
		{"gzip bomb as a form", "/v1/batch", "write", bomb, map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, 413, "body_too_large", ""},
		{"gzip cut short", "/v1/batch", "write", bomb[:100], map[string]string{"Content-Encoding": "gzip"}, 400, "body_broken", ""},
		{"gzip that is none", "/v1/batch", "write", `{"batch":[]}`, map[string]string{"Content-Encoding": "gzip"}, 400, "gzip_broken", ""},
		{"brotli", "/v1/batch", "write", `{"batch":[]}`, map[string]string{"Content-Encoding": "br"}, 415, "media_type", ""},
		{"gzip twice", "/v1/batch", "write", `{"batch":[]}`, map[string]string{"Content-Encoding": "gzip, gzip"}, 415, "media_type", ""},
		{"a real form", "/v1/batch", "write", `a=b`, map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, 415, "media_type", ""},
		{"XML", "/v1/batch", "write", `<a/>`, map[string]string{"Content-Type": "application/xml"}, 415, "media_type", ""},
		{"no type at all", "/v1/batch", "write", `{"batch":[]}`, map[string]string{"Content-Type": ""}, 415, "media_type", ""},
		{"Latin-1", "/v1/batch", "write", `{"batch":[]}`, map[string]string{"Content-Type": "application/json; charset=iso-8859-1"}, 415, "media_type", ""},
		{"no write key", "/v1/batch", "", `{"batch":[]}`, nil, 401, "credential_missing", ""},
		{"an empty user name", "/v1/batch", "", `{"batch":[]}`, map[string]string{"Authorization": "Basic Og=="}, 401, "credential_missing", ""},
		{"an unknown scheme", "/v1/batch", "", `{"batch":[]}`, map[string]string{"Authorization": "Digest x"}, 401, "credential_unknown", ""},
		{"an identity that is none", "/v1/batch", "write", `{"identity":"x","batch":[]}`, nil, 401, "identity_invalid", "identity"},
	} {
		g := d.do(call{method: "POST", path: c.path, as: c.as, body: c.body, header: c.header})
		want(t, c.name, g, c.status, c.code)
		if !strings.Contains(g.detail(), c.names) {
			t.Errorf("%s: want %q named, got %q", c.name, c.names, g.detail())
		}
	}
}

// A field that is needed and absent is named; an absent "on" is not an off.
func TestNeededFieldsAreNamed(t *testing.T) {
	d := openDoor(t)
	for _, c := range []struct{ method, path, as, body, names string }{
		{"PUT", "/v1/switches/offers", "dpo", `{"reason":"drill"}`, "on: missing"},
		{"PUT", "/v1/switches/offers", "dpo", `{"on":null,"reason":"drill"}`, "on: missing"},
		{"PUT", "/v1/advisers/me", "adviser", `{"channels":["chat"],"capacity":2}`, "available: missing"},
		{"POST", "/v1/handover", "write", `{"channel":"chat"}`, "token: missing"},
		{"POST", "/v1/variant", "write", `{}`, "slot: missing"},
	} {
		g := d.do(call{method: c.method, path: c.path, as: c.as, body: c.body})
		want(t, c.path, g, 422, "field_invalid")
		if !strings.Contains(g.detail(), c.names) {
			t.Errorf("%s: want %q, got %q", c.path, c.names, g.detail())
		}
	}
}

// A sender that reads no answer before it has sent all still learns why.
func TestATooLargeBodyIsHeardOut(t *testing.T) {
	sent := &counted{r: io.LimitReader(zeros{}, 10<<20)}
	r := httptest.NewRequest("POST", "/v1/batch", sent)
	heardOut(r, http.StatusRequestEntityTooLarge)
	if sent.n != 10<<20 {
		t.Errorf("%d bytes were read", sent.n)
	}
	endless := &counted{r: zeros{}}
	heardOut(httptest.NewRequest("POST", "/v1/batch", endless), http.StatusUnauthorized)
	if endless.n > enough+(64<<10) {
		t.Errorf("%d bytes of an endless body were read", endless.n)
	}
	waits := &counted{r: zeros{}}
	r = httptest.NewRequest("POST", "/v1/batch", waits)
	r.Header.Set("Expect", "100-continue")
	heardOut(r, http.StatusUnauthorized)
	if waits.n != 0 {
		t.Error("a sender who asked first was let speak")
	}
}

// Items: a bad one in a readable batch is told apart, and the rest goes on.
func TestBadItemsLoseNothingElse(t *testing.T) {
	d := openDoor(t)
	if g := d.do(call{method: "POST", path: "/v1/consent", as: "write", body: yes("analytics")}); g.status != 201 {
		t.Fatalf("consent: %d %s", g.status, g.raw)
	}
	stamp := `"context":{"consent":{"categoryPreferences":{"analytics":true}}}`
	good := func(id string) string {
		return fmt.Sprintf(`{"type":"track","event":"Product Viewed","messageId":%q,"anonymousId":%q,"properties":{"product_id":"B12"},%s}`, id, device, stamp)
	}
	for name, c := range map[string]struct{ item, outcome, code, names string }{
		"no event name":        {`{"type":"track","messageId":"x","anonymousId":"` + device + `"}`, "invalid", "event_name_missing", "event"},
		"unknown type":         {`{"type":"teleport","messageId":"x","anonymousId":"` + device + `"}`, "invalid", "type_unknown", "type"},
		"no type":              {`{"messageId":"x","anonymousId":"` + device + `"}`, "invalid", "type_missing", "type"},
		"nobody's":             {`{"type":"page","messageId":"x"}`, "invalid", "", "anonymousId"},
		"an id with a NUL":     {`{"type":"page","messageId":"x","anonymousId":"v1-device-\u0000-0123456789"}`, "invalid", "anonymous_id_invalid", "anonymousId"},
		"an id with bidi":      {`{"type":"page","messageId":"x","anonymousId":"v1-device-\u202e-0123456789"}`, "invalid", "anonymous_id_invalid", "anonymousId"},
		"wrong type of an id":  {`{"type":"page","messageId":"x","anonymousId":7}`, "invalid", "wrong_type", "anonymousId"},
		"unreadable timestamp": {`{"type":"page","messageId":"x","anonymousId":"` + device + `","timestamp":"yesterday"}`, "invalid", "timestamp_unreadable", "timestamp"},
		"over 32 KiB":          {`{"type":"page","messageId":"x","anonymousId":"` + device + `","properties":{"a":"` + strings.Repeat("x", 32<<10) + `"}}`, "invalid", "message_too_large", ""},
		"not an object":        {`7`, "invalid", "", ""},
		"6 minutes ahead":      {`{"type":"page","messageId":"x","anonymousId":"` + device + `","timestamp":"2026-11-21T12:06:00Z",` + stamp + `}`, "refused", "", ""},
		"no consent object":    {`{"type":"page","messageId":"x","anonymousId":"` + device + `"}`, "refused", "", ""},
	} {
		before, after := good("before "+name), good("after "+name)
		g := d.do(call{method: "POST", path: "/v1/batch", as: "write", body: `{"batch":[` + before + `,` + c.item + `,` + after + `]}`})
		results, _ := g.json["results"].([]any)
		if g.status != 200 || len(results) != 3 {
			t.Errorf("%s: want three results, got %d %s", name, g.status, g.raw)
			continue
		}
		for i, outcome := range []string{"admitted", c.outcome, "admitted"} {
			if r := results[i].(map[string]any); r["outcome"] != outcome {
				t.Errorf("%s: item %d: want %s, got %v", name, i, outcome, r)
			}
		}
		bad := results[1].(map[string]any)
		code, _ := bad["code"].(string)
		detail, _ := bad["detail"].(string)
		if c.outcome == "invalid" && (code == "" || c.code != "" && code != c.code || !strings.Contains(detail, c.names)) {
			t.Errorf("%s: want code %q naming %q, got %v", name, c.code, c.names, bad)
		}
		if c.outcome == "refused" && bad["rules"] == nil {
			t.Errorf("%s: want the rules that refused, got %v", name, bad)
		}
	}
}

func TestASingleCallIsABatchOfOne(t *testing.T) {
	d := openDoor(t)
	for _, path := range []string{"/v1/track", "/v1/t", "/v1/page", "/v1/p", "/v1/screen", "/v1/s", "/v1/identify", "/v1/i", "/v1/group", "/v1/g", "/v1/alias", "/v1/a"} {
		g := d.do(call{method: "POST", path: path, as: "write", body: message("track")})
		if g.status != 200 || g.json["success"] != true || len(g.json["results"].([]any)) != 1 {
			t.Errorf("%s: want one result, got %d %s", path, g.status, g.raw)
		}
	}
}

func TestBodiesThatAreRead(t *testing.T) {
	d := openDoor(t)
	body := []byte(`{"batch":[` + `{"type":"page","messageId":"m","anonymousId":"` + device + `"}]}`)
	for name, c := range map[string]struct {
		body   []byte
		header map[string]string
	}{
		"JSON":                         {body, nil},
		"JSON with its charset":        {body, map[string]string{"Content-Type": "application/json; charset=utf-8"}},
		"a beacon":                     {body, map[string]string{"Content-Type": "text/plain;charset=UTF-8"}},
		"gzip":                         {gz(t, bytes.NewReader(body)), map[string]string{"Content-Encoding": "gzip"}},
		"RudderStack's gzip":           {gz(t, bytes.NewReader(body)), map[string]string{"Content-Type": "application/x-www-form-urlencoded", "Content-Encoding": "gzip"}},
		"RudderStack's gzip, not said": {gz(t, bytes.NewReader(body)), map[string]string{"Content-Type": "application/x-www-form-urlencoded"}},
		"a gzip beacon":                {gz(t, bytes.NewReader(body)), map[string]string{"Content-Type": "text/plain", "Content-Encoding": "gzip"}},
	} {
		g := d.do(call{method: "POST", path: "/v1/batch", as: "write", body: c.body, header: c.header})
		if g.status != 200 || len(g.json["results"].([]any)) != 1 {
			t.Errorf("%s: want one result, got %d %s", name, g.status, g.raw)
		}
	}
}

func TestABatchMayFillItsLimit(t *testing.T) {
	d := openDoor(t)
	body := `{"batch":[` + strings.Repeat(`{},`, 2499) + `{}]`
	body += strings.Repeat(" ", limitBatch-len(body)-1) + "}"
	g := d.do(call{method: "POST", path: "/v1/batch", as: "write", body: body})
	if g.status != 200 || g.json["invalid"] != 2500.0 {
		t.Errorf("want 2,500 invalid items, got %d %.200s", g.status, g.raw)
	}
	want(t, "one byte more", d.do(call{method: "POST", path: "/v1/batch", as: "write", body: body + " "}), 413, "body_too_large")
}

func TestUnknownRoutesAndMethods(t *testing.T) {
	d := openDoor(t)
	for _, c := range []struct {
		method, path string
		status       int
		allow        string
	}{
		{"GET", "/", 404, ""},
		{"DELETE", "/v1/rights", 405, "POST"},
		{"POST", "/v1/rights/" + nobody, 405, "GET, HEAD"},
		{"GET", "/v1//batch", 404, ""},
		{"GET", "/v1/../healthz", 404, ""},
		{"GET", "/v1/batch", 405, "POST"},
		{"DELETE", "/v1/products", 405, "PUT"},
		{"POST", "/healthz", 405, "GET, HEAD"},
		{"PATCH", "/v1/cards/" + nobody, 405, "GET, HEAD"},
	} {
		g := d.do(call{method: c.method, path: c.path, as: "write"})
		want(t, c.method+" "+c.path, g, c.status, "")
		if g.header.Get("Allow") != c.allow {
			t.Errorf("%s %s: want Allow %q, got %q", c.method, c.path, c.allow, g.header.Get("Allow"))
		}
		if g.header.Get("Location") != "" {
			t.Errorf("%s %s: a redirect repeats the path", c.method, c.path)
		}
	}
}

func TestEveryAnswerIsSafe(t *testing.T) {
	d := openDoor(t)
	for _, c := range []call{{method: "GET", path: "/healthz"}, {method: "GET", path: "/nowhere"}, {method: "POST", path: "/v1/batch"}, {method: "GET", path: "/metrics", as: "ops"}} {
		g := d.do(c)
		for k, v := range map[string]string{"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"} {
			if g.header.Get(k) != v {
				t.Errorf("%s: want %s: %s, got %q", c.path, k, v, g.header.Get(k))
			}
		}
		if !strings.HasPrefix(g.header.Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%s: no content security policy", c.path)
		}
	}
}

func TestOnlyConfiguredOriginsMayRead(t *testing.T) {
	d := openDoor(t)
	ask := func(origin string) got {
		return d.do(call{method: "OPTIONS", path: "/v1/batch", header: map[string]string{"Origin": origin, "Access-Control-Request-Method": "POST"}})
	}
	if g := ask("https://shop.example"); g.status != 204 || g.header.Get("Access-Control-Allow-Origin") != "https://shop.example" {
		t.Errorf("the shop's origin: got %d %v", g.status, g.header)
	}
	for _, origin := range []string{"https://evil.example", "null", "https://shop.example.evil.example", "http://shop.example"} {
		g := ask(origin)
		want(t, origin, g, 403, "origin_unknown")
		if g.header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s may read answers", origin)
		}
	}
	g := d.do(call{method: "GET", path: "/healthz", header: map[string]string{"Origin": "https://evil.example"}})
	if g.status != 200 || g.header.Get("Access-Control-Allow-Origin") != "" || g.header.Get("Vary") != "Origin" {
		t.Errorf("another origin's request: got %d %v", g.status, g.header)
	}
}

func TestTooManyAtOnce(t *testing.T) {
	d := openDoor(t, func(o *Options) { o.InFlight = -1 })
	g := d.do(call{method: "POST", path: "/v1/batch", as: "write", body: `{"batch":[]}`})
	want(t, "beyond what may run at once", g, 429, "busy")
	if g.header.Get("Retry-After") == "" {
		t.Error("429 without Retry-After")
	}
	d = openDoor(t, func(o *Options) { o.BodyBytes = 1 })
	g = d.do(call{method: "POST", path: "/v1/batch", as: "write", body: `{"batch":[]}` + strings.Repeat(" ", 100<<10)})
	want(t, "beyond the memory for bodies", g, 429, "busy")
	if g := d.do(call{method: "POST", path: "/v1/batch", as: "write", body: `{"batch":[]}`}); g.status != 200 {
		t.Errorf("small bodies need none of it: got %d %s", g.status, g.raw)
	}
}

func TestNothingIsDecidedWhenTheGateIsShut(t *testing.T) {
	d := openDoor(t, func(o *Options) { o.Gate = func() error { return io.ErrUnexpectedEOF } })
	for _, path := range []string{"/v1/batch", "/v1/consent", "/v1/escalate"} {
		g := d.do(call{method: "POST", path: path, as: "write", body: map[string]any{}})
		want(t, path, g, 503, "")
		if g.header.Get("Retry-After") == "" {
			t.Error("503 without Retry-After")
		}
	}
	want(t, "readiness", d.do(call{method: "GET", path: "/readyz"}), 503, "")
	if g := d.do(call{method: "GET", path: "/healthz"}); g.status != 200 {
		t.Errorf("the process lives all the same: got %d", g.status)
	}
}

func TestAPanicTellsNothing(t *testing.T) {
	d := openDoor(t)
	a := d.h.(*api)
	a.mux.Handle("GET /boom", http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("canary-of-a-visitor") }))
	w := httptest.NewRecorder()
	d.h.ServeHTTP(w, httptest.NewRequest("GET", "/boom", nil))
	if w.Code != 500 || !strings.Contains(w.Body.String(), `"contact"`) {
		t.Errorf("want 500 in the envelope, got %d %s", w.Code, w.Body)
	}
	if all := w.Body.String() + d.log.String(); strings.Contains(all, "canary-of-a-visitor") {
		t.Errorf("the panic's value got out: %s", all)
	}
	if !strings.Contains(d.log.String(), "badinput_test.go") && !strings.Contains(d.log.String(), "TestAPanicTellsNothing") {
		t.Errorf("the log does not say where: %s", d.log)
	}
}

func TestFaultsOfFlowKeepTheirStatus(t *testing.T) {
	for status, err := range map[int]error{
		409: &flow.Fault{Status: 409, Code: "taken", Detail: "taken"},
		503: io.ErrUnexpectedEOF,
	} {
		if f := faultOf(fmt.Errorf("wrapped: %w", err)); f.Status != status {
			t.Errorf("want %d, got %d", status, f.Status)
		}
	}
}
