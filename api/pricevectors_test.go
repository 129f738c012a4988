package api

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/handschlag/handschlag/config"
)

// The vectors of law.md 4.5, through POST /v1/price. The reduction starts on
// 2026-11-21 00:00 in Berlin; the window reaches back to 2026-10-22 00:00, over the
// end of summer time.
const start = "2026-11-21"

// berlinTime reads a local day, with a time of day if need be.
func berlinTime(t *testing.T, at string) time.Time {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	layout := "2006-01-02 15:04"[:len(at)]
	x, err := time.ParseInLocation(layout, at, zone)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// leg is a price from a moment on; 0 cents is "not on sale".
type leg struct {
	from      string
	cents     int64
	announced bool
}

// history stores a product's prices, each until the next begins.
func (d *door) history(product, channel string, legs ...leg) {
	d.t.Helper()
	var rows []map[string]any
	for i, l := range legs {
		if l.cents == 0 {
			continue
		}
		row := map[string]any{
			"product_id": product, "storefront": "de", "channel": channel, "currency": "EUR", "gross_cents": l.cents, "announced": l.announced,
			"from": berlinTime(d.t, l.from).Format(time.RFC3339), "to": nil,
		}
		if i+1 < len(legs) {
			row["to"] = berlinTime(d.t, legs[i+1].from).Format(time.RFC3339)
		}
		rows = append(rows, row)
	}
	if g := d.do(call{method: "PUT", path: "/v1/prices", as: "server", body: map[string]any{"prices": rows}}); g.status != 200 {
		d.t.Fatalf("storing the history of %s: %d %s", product, g.status, g.raw)
	}
}

// claimOf is a quote that announces a reduction.
func claimOf(t *testing.T, product string, list, offer int64, kind string, pct, reference int64, change ...map[string]any) map[string]any {
	q := map[string]any{
		"product_id": product, "storefront": "de", "channel": "web", "currency": "EUR", "customer": "consumer", "list_cents": list,
		"offer_cents": offer, "vat_bp": 1900, "basis": "static", "inputs": []string{},
	}
	if kind != "none" {
		q["announcement"] = map[string]any{"kind": kind, "pct": pct, "since": berlinTime(t, start).Format(time.RFC3339), "label": "30d_low", "reference_cents": reference}
	}
	for _, c := range change {
		maps.Copy(q, c)
	}
	return q
}

// said is an answer of the price gate.
type said struct {
	price, claim bool
	cents        float64
	low          any
	rules, flags []any
	disclosures  []any
}

func (d *door) judged(q map[string]any) said {
	d.t.Helper()
	g := d.do(call{method: "POST", path: "/v1/price", as: "server", body: q})
	if g.status != 200 {
		d.t.Fatalf("%v: %d %s", q, g.status, g.raw)
	}
	p, c := g.json["price"].(map[string]any), g.json["claim"].(map[string]any)
	return said{p["allowed"] == true, c["allowed"] == true, p["cents"].(float64), c["low30_cents"], g.json["rules"].([]any), g.json["flags"].([]any), g.json["disclosures"].([]any)}
}

func reduction(kind, reference, audience string, marked bool) map[string]any {
	return map[string]any{"reductions": []map[string]any{{"kind": kind, "reference": reference, "audience": audience, "marked": marked}}}
}

func sinceDay(t *testing.T, kind string, pct, reference int64, label, since string) map[string]any {
	return map[string]any{"announcement": map[string]any{"kind": kind, "pct": pct, "since": berlinTime(t, since).Format(time.RFC3339), "label": label, "reference_cents": reference}}
}

func TestPriceVectorsOfTheLaw(t *testing.T) {
	const past = "2026-01-01"
	uvp := func(kind string, pct int64) map[string]any { return sinceDay(t, kind, pct, 12900, "uvp", start) }
	both := map[string]any{"reductions": []map[string]any{
		{"kind": "coupon", "reference": "SAVE20", "audience": "public", "marked": true}, {"kind": "voucher", "reference": "x", "audience": "individual", "marked": true},
	}}
	low160 := []leg{{past, 16000, false}, {"2026-11-01", 10000, false}, {"2026-11-05", 16000, false}}
	steps := []leg{{past, 10000, false}, {"2026-11-10", 9000, true}, {"2026-11-14", 8000, true}, {start, 7000, true}}
	broken := []leg{{past, 10000, false}, {"2026-11-10", 8000, true}, {"2026-11-19", 10000, false}, {start, 7000, true}}
	black := []leg{{past, 10000, false}, {"2026-11-01", 6000, true}, {"2026-11-08", 10000, false}, {start, 9000, true}}
	dearer := []leg{{past, 9000, false}, {"2026-11-01", 10000, false}}
	for _, c := range []struct {
		name  string
		legs  []leg
		quote map[string]any
		claim bool
		low   int64  // 0: not asked
		rule  string // that denies, "" of an allowed claim
		flag  string
	}{
		{"W1 low 100, last 160, now 50: 50 % is true", append(slices.Clone(low160), leg{start, 5000, true}), claimOf(t, "", 16000, 5000, "percent", 50, 10000), true, 10000, "", ""},
		{"W1 now 80: 50 % is not", append(slices.Clone(low160), leg{start, 8000, true}), claimOf(t, "", 16000, 8000, "percent", 50, 16000), false, 10000, "PRI-02", ""},
		{"W1 nor with the true reference", append(slices.Clone(low160), leg{start, 8000, true}), claimOf(t, "", 16000, 8000, "percent", 50, 10000), false, 10000, "PRI-02", ""},
		{"W2 sunglasses at 10", []leg{{past, 2000, false}, {"2026-11-10", 4000, false}, {start, 1000, true}}, claimOf(t, "", 4000, 1000, "percent", 50, 2000), true, 2000, "", ""},
		{"W2 sunglasses at 20", []leg{{past, 2000, false}, {"2026-11-10", 4000, false}, {start, 2000, true}}, claimOf(t, "", 4000, 2000, "percent", 50, 2000), false, 2000, "PRI-02", ""},
		{"W3 bananas by percent", []leg{{past, 129, false}, {"2026-11-14", 169, false}, {start, 129, true}}, claimOf(t, "", 169, 129, "percent", 23, 129), false, 129, "PRI-02", ""},
		{"W3 bananas as a highlight", []leg{{past, 129, false}, {"2026-11-14", 169, false}, {start, 129, true}}, claimOf(t, "", 169, 129, "highlight", 0, 129), false, 129, "PRI-02", ""},
		{"W4 coffee", []leg{{past, 699, false}, {"2026-11-07", 444, true}, {"2026-11-14", 699, false}, {start, 444, true}}, claimOf(t, "", 699, 444, "percent", 36, 699), false, 444, "PRI-02", ""},
		{"W5 12 % against 80", []leg{{past, 10000, false}, {"2026-11-14", 8000, false}, {start, 7000, true}}, claimOf(t, "", 10000, 7000, "percent", 12, 8000), true, 8000, "", ""},
		{"W5 13 % is more than 12.5", []leg{{past, 10000, false}, {"2026-11-14", 8000, false}, {start, 7000, true}}, claimOf(t, "", 10000, 7000, "percent", 13, 8000), false, 8000, "PRI-02", ""},
		{"W5 30 % against 100", []leg{{past, 10000, false}, {"2026-11-14", 8000, false}, {start, 7000, true}}, claimOf(t, "", 10000, 7000, "percent", 30, 10000), false, 8000, "PRI-02", ""},
		{"W6 steps without a gap", steps, claimOf(t, "", 10000, 7000, "percent", 30, 10000, sinceDay(t, "percent", 30, 10000, "30d_low", "2026-11-10")), true, 10000, "", ""},
		{"W7 interrupted, 30 %", broken, claimOf(t, "", 10000, 7000, "percent", 30, 10000, sinceDay(t, "percent", 30, 10000, "30d_low", "2026-11-10")), false, 8000, "PRI-05", ""},
		{"W7 interrupted, 12 %", broken, claimOf(t, "", 10000, 7000, "percent", 12, 8000), true, 8000, "", ""},
		{"W8 a smaller reduction", []leg{{past, 10000, false}, {"2026-11-10", 7000, true}, {start, 8000, true}}, claimOf(t, "", 10000, 8000, "percent", 20, 10000, sinceDay(t, "percent", 20, 10000, "30d_low", "2026-11-10")), false, 7000, "PRI-02", ""},
		{"W9 on sale for 12 days", []leg{{"2026-11-09", 5000, false}, {start, 4000, true}}, claimOf(t, "", 5000, 4000, "percent", 20, 5000), true, 5000, "", ""},
		{"W10 Black Week is no excuse", black, claimOf(t, "", 10000, 9000, "strike", 0, 10000), false, 6000, "PRI-02", ""},
		{"W11 salad, marked", []leg{{past, 400, false}}, claimOf(t, "", 400, 200, "percent", 50, 400, reduction("short_dated", "", "public", true)), true, 0, "", ""},
		{"W11 salad, not marked", []leg{{past, 400, false}}, claimOf(t, "", 400, 200, "percent", 50, 400, reduction("short_dated", "", "public", false)), false, 0, "PRI-06", ""},
		{"W12 a birthday voucher", dearer, claimOf(t, "", 10000, 8000, "percent", 20, 10000, reduction("voucher", "birthday", "individual", true)), true, 0, "", ""},
		{"W12 a public code against the last price", dearer, claimOf(t, "", 10000, 8000, "percent", 20, 10000, reduction("coupon", "SAVE20", "public", true)), false, 9000, "PRI-02", ""},
		{"W12 a public code against the low", dearer, claimOf(t, "", 10000, 8000, "percent", 11, 9000, reduction("coupon", "SAVE20", "public", true)), true, 9000, "", ""},
		{"W12 a public code beside a voucher", dearer, claimOf(t, "", 10000, 8000, "percent", 20, 10000, both), false, 9000, "PRI-02", ""},
		{"W13 business only", black, claimOf(t, "", 10000, 9000, "percent", 20, 10000, map[string]any{"customer": "business"}), true, 0, "", ""},
		{"W13 UWG stays", black, claimOf(t, "", 12900, 9000, "percent", 20, 10000, map[string]any{"customer": "business"}, uvp("percent", 20)), false, 0, "PRI-07", ""},
		{"W14 percent against UVP", []leg{{past, 99, false}}, claimOf(t, "", 129, 99, "percent", 23, 129, uvp("percent", 23)), false, 0, "PRI-07", ""},
		{"W14 UVP in words", []leg{{past, 9900, false}}, claimOf(t, "", 9900, 9900, "none", 0, 0, uvp("none", 0)), true, 0, "", ""},
		{"W15 drill", []leg{{past, 10899, false}, {"2026-11-20", 13900, false}, {start, 11120, true}}, claimOf(t, "", 13900, 11120, "percent", 20, 13900), false, 10899, "PRI-02", "moon_price_review"},
		{"W16 the price that ended as the window began", []leg{{past, 5900, false}, {"2026-10-22", 7900, false}, {start, 6900, true}}, claimOf(t, "", 7900, 6900, "percent", 12, 7900), true, 7900, "", "moon_price_review"},
		{"W16 13 % is more than 12.66", []leg{{past, 5900, false}, {"2026-10-22", 7900, false}, {start, 6900, true}}, claimOf(t, "", 7900, 6900, "percent", 13, 7900), false, 7900, "PRI-02", "moon_price_review"},
		{"W17 one minute in the window", []leg{{past, 5900, false}, {"2026-10-22 00:01", 7900, false}, {start, 6900, true}}, claimOf(t, "", 7900, 6900, "percent", 12, 7900), false, 5900, "PRI-02", "moon_price_review"},
		{"W17 nor as a highlight", []leg{{past, 5900, false}, {"2026-10-22 00:01", 7900, false}, {start, 6900, true}}, claimOf(t, "", 7900, 6900, "highlight", 0, 5900), false, 5900, "PRI-02", "moon_price_review"},
		{"W19 33 % of 33.34", []leg{{past, 2999, false}, {start, 1999, true}}, claimOf(t, "", 2999, 1999, "percent", 33, 2999), true, 2999, "", ""},
		{"W19 34 %", []leg{{past, 2999, false}, {start, 1999, true}}, claimOf(t, "", 2999, 1999, "percent", 34, 2999), false, 2999, "PRI-02", ""},
		{"W20 raised for 31 days", []leg{{past, 10000, false}, {"2026-10-21", 12000, false}, {start, 10000, true}}, claimOf(t, "", 12000, 10000, "percent", 16, 12000), true, 12000, "", "moon_price_review"},
		{"PRI-03 a gap means not on sale", []leg{{past, 7900, false}, {"2026-10-01", 0, false}, {start, 6900, true}}, claimOf(t, "", 7900, 6900, "percent", 12, 7900), false, 0, "PRI-03", ""},
		{"PRI-01 a strike without the low", []leg{{past, 10000, false}, {start, 8000, true}}, claimOf(t, "", 10000, 8000, "strike", 0, 10000, sinceDay(t, "strike", 0, 10000, "other", start)), false, 0, "PRI-01", ""},
		{"PRI-01 lowered in silence", []leg{{past, 10000, false}, {start, 8000, false}}, claimOf(t, "", 10000, 8000, "none", 0, 0), true, 0, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := openDoor(t)
			d.history("W", "web", c.legs...)
			c.quote["product_id"] = "W"
			a := d.judged(c.quote)
			if !a.price || a.claim != c.claim {
				t.Errorf("price %v, claim %v by %v; want the price, and claim %v", a.price, a.claim, a.rules, c.claim)
			}
			if c.low != 0 && a.low != float64(c.low) {
				t.Errorf("low %v, want %d", a.low, c.low)
			}
			if (c.rule == "") != (len(a.rules) == 0) || c.rule != "" && !slices.Contains(a.rules, any(c.rule)) {
				t.Errorf("rules %v, want %q", a.rules, c.rule)
			}
			if c.flag != "" && !slices.Contains(a.flags, any(c.flag)) {
				t.Errorf("flags %v, want %q", a.flags, c.flag)
			}
		})
	}
}

// W18: each channel has its own low.
func TestPriceVectorW18PerChannel(t *testing.T) {
	d := openDoor(t)
	d.history("W18", "web", leg{"2026-01-01", 7900, false}, leg{start, 6900, true})
	d.history("W18", "app", leg{"2026-01-01", 7400, false}, leg{start, 6900, true})
	for _, c := range []struct {
		channel string
		pct     int64
		low     float64
		claim   bool
	}{{"web", 12, 7900, true}, {"app", 6, 7400, true}, {"app", 12, 7400, false}} {
		a := d.judged(claimOf(t, "W18", 7900, 6900, "percent", c.pct, int64(c.low), map[string]any{"channel": c.channel}))
		if a.claim != c.claim || a.low != c.low {
			t.Errorf("%s -%d %%: claim %v, low %v; want %v, %v", c.channel, c.pct, a.claim, a.low, c.claim, c.low)
		}
	}
}

func TestPersonalisedPriceVectorsOfTheLaw(t *testing.T) {
	cfg := config.Default()
	cfg.Prices.Personalised = true
	d := openShopDoor(t, cfg)
	g := d.do(call{method: "POST", path: "/v1/consent", as: "server", body: map[string]any{
		"userId": "acc-x", "purposes": map[string]bool{"personalised_price": true}, "purposes_shown": []string{"personalised_price"},
		"method": "save", "notice": map[string]any{"version": "1", "language": "de"}, "ui": map[string]any{"version": "banner-1"},
	}})
	if g.status != 201 {
		t.Fatalf("consent: %d %s", g.status, g.raw)
	}
	personal := func(offer int64, shown bool, record any, inputs ...string) map[string]any {
		return claimOf(t, "X", 10000, offer, "none", 0, 0, map[string]any{"basis": "personalised", "inputs": inputs, "disclosure_shown": shown, "consent_record_id": record})
	}
	market := func(offer int64, inputs ...string) map[string]any {
		return claimOf(t, "X", 10000, offer, "none", 0, 0, map[string]any{"basis": "dynamic_market", "inputs": inputs})
	}
	vat := func(cents, bp int64) map[string]any {
		return claimOf(t, "X", cents, cents, "none", 0, 0, map[string]any{"vat_bp": bp, "inputs": []string{"delivery_vat"}})
	}
	yes := g.json["record_id"]
	for _, c := range []struct {
		name  string
		quote map[string]any
		cents float64
		rules []string // all that are named
		tells []string // disclosures
	}{
		{"X1 stock and hour are the market", market(9000, "stock", "hour"), 9000, nil, nil},
		{"X2 a segment, without notice", personal(9200, false, yes, "stock", "segment"), 10000, []string{"PRI-08", "PRI-11"}, nil},
		{"X3 disclosed, consented, 92 of 100", personal(9200, true, yes, "membership"), 9200, nil, []string{"personalised_price"}},
		{"X3 without consent", personal(9200, true, nil, "membership"), 10000, []string{"PRI-10"}, nil},
		{"X3 deeper than the cap", personal(8400, true, yes, "membership"), 10000, []string{"PRI-10"}, nil},
		{"X4 104 of 100", personal(10400, true, yes, "membership"), 10000, []string{"PRI-10"}, nil},
		{"X5 the country of the address", market(9000, "ip_country"), 10000, []string{"PRI-09", "PRI-11", "PRI-12"}, nil},
		{"X6 German VAT on 84.03", vat(10000, 1900), 10000, nil, nil},
		{"X6 Austrian VAT on 84.03", vat(10084, 2000), 10084, nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := d.judged(c.quote)
			if a.cents != c.cents || a.price != (len(c.rules) == 0) || fmt.Sprint(a.rules) != fmt.Sprint(c.rules) {
				t.Errorf("%v cents by %v, want %v by %v", a.cents, a.rules, c.cents, c.rules)
			}
			if len(c.tells) > 0 && fmt.Sprint(a.disclosures) != fmt.Sprint(c.tells) {
				t.Errorf("disclosures %v, want %v", a.disclosures, c.tells)
			}
		})
	}
	one, other := d.judged(market(9000, "stock", "hour")), d.judged(market(9000, "stock", "hour"))
	if fmt.Sprint(one) != fmt.Sprint(other) {
		t.Errorf("X7 two sessions in the same second: %v and %v", one, other)
	}
}
