package api

import (
	"strings"
	"testing"
)

func TestFeedsTakeAnObjectOrABareArray(t *testing.T) {
	d := openDoor(t)
	product := `{"product_id":"B12","category":"bags","product_class":"premium","price_cents":45900,"stock":3}`
	interval := `{"product_id":"B12","storefront":"de","channel":"web","currency":"EUR","from":"2026-01-01T00:00:00Z","to":null,"gross_cents":45900,"announced":false}`
	for _, c := range []struct {
		path, body string
		stored     float64
	}{
		{"/v1/products", `{"products":[` + product + `]}`, 1},
		{"/v1/products", ` [` + product + `]`, 1},
		{"/v1/prices", `{"prices":[` + interval + `]}`, 1},
		{"/v1/prices", `[` + strings.ReplaceAll(interval, "B12", "C3") + `]`, 1},
	} {
		if g := d.do(call{method: "PUT", path: c.path, as: "server", body: c.body}); g.status != 200 || g.json["stored"] != c.stored {
			t.Errorf("%s %s: want %v stored, got %d %s", c.path, c.body, c.stored, g.status, g.raw)
		}
	}
	want(t, "a bare array that does not end", d.do(call{method: "PUT", path: "/v1/products", as: "server", body: `[`}), 400, "malformed")
}

func TestQuotesAreAnsweredInOrder(t *testing.T) {
	d := openDoor(t)
	good, denied := quote(), quote()
	denied["inputs"], denied["offer_cents"] = []string{"device"}, 8000
	g := d.do(call{method: "POST", path: "/v1/price", as: "server", body: map[string]any{"quotes": []any{good, denied, good}}})
	quotes, _ := g.json["quotes"].([]any)
	if g.status != 200 || len(quotes) != 3 {
		t.Fatalf("want three answers, got %d %s", g.status, g.raw)
	}
	for i, allowed := range []bool{true, false, true} {
		p := quotes[i].(map[string]any)["price"].(map[string]any)
		if p["allowed"] != allowed || p["cents"] != 10000.0 {
			t.Errorf("quote %d: want allowed %v at the list price, got %v", i, allowed, p)
		}
	}
}
