package api

import (
	"strings"
	"testing"
)

// Who proves control of the device id or the account is heard (RGT-01); a device by
// its write key alone is not.
func TestARightsRequestNeedsItsCredential(t *testing.T) {
	d := openDoor(t)
	ask := func(as string, body map[string]any) got {
		body["request"] = "restriction"
		return d.do(call{method: "POST", path: "/v1/rights", as: as, body: body})
	}
	want(t, "a device by its write key", ask("write", map[string]any{"anonymousId": device}), 403, "not_its_right")
	want(t, "an account by the write key", ask("write", map[string]any{"userId": "ada"}), 403, "not_its_right")
	want(t, "nobody", ask("", map[string]any{"anonymousId": device}), 401, "")
	want(t, "another's account", ask("write", map[string]any{"userId": "ada", "identity": d.identity("bob")}), 403, "")
	want(t, "a bad token", ask("write", map[string]any{"userId": "ada", "identity": "x"}), 401, "")
	for name, g := range map[string]got{
		"the write key with the account's token": ask("write", map[string]any{"identity": d.identity("ada")}),
		"the token alone":                        ask("", map[string]any{"userId": "ada", "anonymousId": device, "identity": d.identity("ada")}),
		"the server's key":                       ask("server", map[string]any{"anonymousId": device}),
		"the DPO for who wrote in":               ask("dpo", map[string]any{"userId": "ada"}),
	} {
		if g.status != 201 || g.json["status"] != "done" || g.json["due"] == "" || g.json["on"] != true {
			t.Errorf("%s: want it done, got %d %s", name, g.status, g.raw)
			continue
		}
		again := d.do(call{method: "GET", path: "/v1/rights/" + g.json["request_id"].(string), as: "dpo"})
		if again.status != 200 || string(again.raw) != string(g.raw) {
			t.Errorf("%s: asked again, got %d %s, was %s", name, again.status, again.raw, g.raw)
		}
	}
}

func TestWhatComesLaterIsSaidSo(t *testing.T) {
	d := openDoor(t)
	for _, later := range []string{"access", "rectification", "portability"} {
		g := d.do(call{method: "POST", path: "/v1/rights", as: "server", body: map[string]any{"anonymousId": device, "request": later}})
		want(t, later, g, 422, "request_not_yet")
		if !strings.Contains(g.detail(), "rights work") {
			t.Errorf("%s: %q", later, g.detail())
		}
	}
	want(t, "no request", d.do(call{method: "POST", path: "/v1/rights", as: "server", body: map[string]any{"anonymousId": device}}), 422, "field_invalid")
}

// EXP-03, SIG-04, T16 and T17 as a client sees them.
func TestObjectionSuppressionAndErasureOverHTTP(t *testing.T) {
	d := openDoor(t)
	rights := func(body map[string]any) got {
		body["userId"] = "ada"
		return d.do(call{method: "POST", path: "/v1/rights", as: "server", body: body})
	}
	state := func() map[string]any {
		return d.do(call{method: "POST", path: "/v1/consent/state", as: "server", body: map[string]any{"userId": "ada"}}).json
	}
	if g := rights(map[string]any{"request": "objection", "channel": "email"}); g.status != 201 || g.json["scope"] != "direct_marketing" {
		t.Fatalf("suppressing: %d %s", g.status, g.raw)
	}
	if s := state()["suppressed"].([]any); len(s) != 1 || s[0] != "email" {
		t.Errorf("suppressed: %v", s)
	}
	g := rights(map[string]any{"request": "erasure"})
	if g.status != 201 || len(g.json["erased"].([]any)) != 1 {
		t.Fatalf("erasing: %d %s", g.status, g.raw)
	}
	if s := state(); s["version"] != 0.0 || len(s["suppressed"].([]any)) != 0 {
		t.Errorf("erased, yet %v", s)
	}
	rights(map[string]any{"request": "objection", "scope": "profiling"})
	if s := state(); len(s["suppressed"].([]any)) != 1 || s["objections"].([]any)[0] != "profiling" {
		t.Errorf("back, the suppression must be, too: %v", s)
	}
}
