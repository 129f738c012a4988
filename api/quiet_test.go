package api

import (
	"encoding/json"
	"strings"
	"testing"
)

// Nothing that a visitor sends gets into the log, whatever becomes of it.
func TestTheLogKnowsNobody(t *testing.T) {
	d := openDoor(t)
	const canary = "canary-0123456789-of-a-visitor"
	head := map[string]string{"User-Agent": canary, "Referer": "https://" + canary, "X-Forwarded-For": canary, "Cookie": canary}
	for _, c := range []call{
		{method: "POST", path: "/v1/consent", as: "write", body: strings.ReplaceAll(text(yes("analytics")), device, canary)},
		{method: "POST", path: "/v1/consent", as: "write", body: `{"anonymousId":"` + canary + `","method":"` + canary + `"}`},
		{method: "POST", path: "/v1/batch", as: "write", body: `{"batch":[{"type":"track","event":"` + canary + `","messageId":"` + canary + `","anonymousId":"` + canary + `","userId":"` + canary + `"}]}`},
		{method: "POST", path: "/v1/batch", as: canary, body: `{"batch":[]}`},
		{method: "POST", path: "/v1/batch", as: "write", body: `{"` + canary + `":1,"` + canary + `":2}`},
		{method: "POST", path: "/v1/escalate", as: "write", body: `{"anonymousId":"` + canary + `","asked":true,"page":{"product_id":"` + canary + `"}}`},
		{method: "POST", path: "/v1/escalate", as: "write", body: `{"identity":"` + canary + `"}`},
		{method: "POST", path: "/v1/price", as: "server", body: `{"` + canary + `":1}`},
		{method: "GET", path: "/" + canary, as: "write"},
		{method: "GET", path: "/v1/cards/" + canary + "?q=" + canary, as: "adviser"},
		{method: canary, path: "/v1/batch"},
	} {
		c.header = head
		d.do(c)
	}
	if strings.Contains(d.log.String(), canary) {
		t.Errorf("the log knows a visitor:\n%s", d.log)
	}
	lines := strings.Split(strings.TrimSpace(d.log.String()), "\n")
	if len(lines) < 11 {
		t.Errorf("want a line per request, got %d", len(lines))
	}
	for _, line := range lines {
		var m map[string]any
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatal(err)
		}
		for k := range m {
			if m["msg"] == "request" && !strings.Contains(" time level msg method route status bytes ms ", " "+k+" ") {
				t.Errorf("the access log has %q: %s", k, line)
			}
		}
	}
	g := d.do(call{method: "GET", path: "/metrics", as: "ops"})
	if !strings.Contains(string(g.raw), `handschlag_http_requests_total{method="POST",route="/v1/batch",status="200"}`) || strings.Contains(string(g.raw), canary) {
		t.Errorf("want counts by route and nobody, got %.500s", g.raw)
	}
}

func text(v any) string {
	b, _ := json.Marshal(v)
	return string(b)
}

func jsonOf(v any) any {
	var out any
	_ = json.Unmarshal([]byte(text(v)), &out)
	return out
}
