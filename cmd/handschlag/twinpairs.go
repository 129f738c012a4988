package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"net/http"
	"strings"
)

// quote is a static consumer price with some members changed.
func quote(product string, change map[string]any) map[string]any {
	q := map[string]any{
		"product_id": product, "storefront": "de", "channel": "web", "currency": "EUR", "customer": "consumer",
		"list_cents": 10000, "offer_cents": 10000, "vat_bp": 1900, "basis": "static", "inputs": []string{},
	}
	maps.Copy(q, change)
	return q
}

// quoteSet has a quote of every basis that does not rest on the person, and one
// whose price names inputs that no price may have.
var quoteSet = []map[string]any{
	quote("twins-list", nil),
	quote("twins-lower", map[string]any{"offer_cents": 9200}),
	quote("twins-market", map[string]any{"basis": "dynamic_market", "offer_cents": 10900, "inputs": []string{"hour", "stock", "competitor"}}),
	quote("twins-vat", map[string]any{"list_cents": 10084, "offer_cents": 10084, "vat_bp": 2000, "inputs": []string{"delivery_vat"}}),
	quote("twins-card", map[string]any{"offer_cents": 9000, "inputs": []string{"membership"}, "reductions": []map[string]any{{"kind": "loyalty_card", "reference": "family", "audience": "public", "marked": true}}}),
	quote("twins-bundle", map[string]any{"offer_cents": 9500, "inputs": []string{"quantity"}, "reductions": []map[string]any{{"kind": "bundle", "reference": "3-for-2", "audience": "public", "marked": true}}}),
	quote("twins-contract", map[string]any{"customer": "business", "basis": "contract", "offer_cents": 7130, "inputs": []string{"contract"}, "reductions": []map[string]any{{"kind": "contract", "reference": "F-17", "audience": "individual", "marked": true}}}),
	quote("twins-claim", map[string]any{"offer_cents": 8000, "announcement": map[string]any{"kind": "percent", "pct": 20, "since": "2026-11-21T00:00:00+01:00", "label": "30d_low", "reference_cents": 10000}}),
	quote("twins-named", map[string]any{"basis": "dynamic_market", "offer_cents": 10500, "inputs": []string{"stock", "device_os", "ip_region", "visit_count", "consent_status"}}),
}

// prices sends each quote as pairs that differ only in device and place, only in
// history, or only in consent status.
func (t *twins) prices(ctx context.Context, quotes []map[string]any) error {
	returning, stranger := t.visitor(), "twin-stranger"
	yes, err := t.consents(ctx, munich, returning, true, "analytics", "adviser_assist")
	if err != nil {
		return err
	}
	no, err := t.consents(ctx, munich, t.visitor(), false, "analytics", "adviser_assist")
	if err != nil {
		return err
	}
	if err := t.send(ctx, munich, returning, looking); err != nil {
		return err
	}
	for _, q := range quotes {
		for _, p := range []struct {
			differ string
			a, b   twin
			qa, qb map[string]any
		}{
			{"device and place", munich, mecklenburg, q, q},
			{"history", as(munich, returning), as(munich, stranger), q, q},
			{"consent status", munich, munich, withRecord(q, yes), withRecord(q, no)},
		} {
			if err := t.price(ctx, p.differ, p.a, p.b, p.qa, p.qb); err != nil {
				return err
			}
		}
	}
	return nil
}

// as is a twin whose browser says who it is, in the ways that a shop might pass on.
func as(w twin, id string) twin {
	w.headers = maps.Clone(w.headers)
	w.headers["Cookie"], w.headers["X-Anonymous-Id"] = "ajs_anonymous_id="+id, id
	return w
}

// withRecord names a consent record in the quote. A personalised price is the one
// that may rest on it; it is left out.
func withRecord(q map[string]any, record string) map[string]any {
	q = maps.Clone(q)
	if q["basis"] != "personalised" {
		q["consent_record_id"] = record
	}
	return q
}

func (t *twins) price(ctx context.Context, differ string, a, b twin, qa, qb map[string]any) error {
	sa, x, err := t.post(ctx, a, "/v1/price", qa)
	if err != nil {
		return err
	}
	sb, y, err := t.post(ctx, b, "/v1/price", qb)
	if err != nil {
		return err
	}
	if sa == sb && sa != http.StatusOK {
		return fmt.Errorf("quote for %v: %v", qa["product_id"], detail(x))
	}
	t.pricePairs++
	d := differences("", x, y)
	if sa != sb {
		d = append(d, fmt.Sprintf("status: %d | %d", sa, sb))
	}
	return t.report(pair{Kind: "price", What: fmt.Sprintf("%v %v", qa["product_id"], qa["basis"]), Differ: differ, Same: len(d) == 0, Answer: t.priced(x), Difference: d})
}

// priced says an answer in a few words.
func (t *twins) priced(x map[string]any) string {
	p, _ := x["price"].(map[string]any)
	cents, _ := p["cents"].(float64)
	s := fmt.Sprintf("%.2f", cents/100)
	if p["allowed"] != true {
		s += " (" + t.words["denied"] + ")"
	}
	if rules, _ := x["rules"].([]any); len(rules) > 0 {
		s += fmt.Sprintf(" %v", rules)
	}
	return s
}

// deed is one thing that a visitor does.
type deed struct {
	event      string
	properties map[string]any
}

// The visits, from no need to much.
var (
	looking = []deed{{"Product Viewed", map[string]any{"product_id": "twins-1"}}, {"Product Viewed", map[string]any{"product_id": "twins-2"}}}
	unsure  = []deed{
		{"Product Viewed", map[string]any{"product_id": "twins-1"}}, {"Size Guide Opened", map[string]any{"product_id": "twins-1"}},
		{"Product Variant Selected", map[string]any{"product_id": "twins-1", "variant": "38"}}, {"Product Variant Selected", map[string]any{"product_id": "twins-1", "variant": "40"}},
		{"Product Variant Selected", map[string]any{"product_id": "twins-1", "variant": "38"}}, {"Size Guide Opened", map[string]any{"product_id": "twins-1"}},
		{"Product Viewed", map[string]any{"product_id": "twins-1"}}, {"Product Viewed", map[string]any{"product_id": "twins-1"}},
	}
	lost = []deed{
		{"Products Searched", map[string]any{"query": "warm dress", "results": 0}}, {"Products Searched", map[string]any{"query": "winter dress", "results": 0}},
		{"Products Searched", map[string]any{"query": "wool dress", "results": 0}}, {"Products Searched", map[string]any{"query": "dress wool long", "results": 0}},
		{"Checkout Error", map[string]any{"step": 2}}, {"Checkout Error", map[string]any{"step": 2}},
	}
)

// visits are what both twins of an offer pair do: equal need by construction.
var visits = []struct {
	name  string
	asked bool
	steps [][]deed
}{
	{"looking around", false, [][]deed{looking}},
	{"unsure of the size", false, [][]deed{unsure}},
	{"searching in vain, then failing to pay", false, [][]deed{lost, looking}},
	{"asking for a human", true, [][]deed{looking}},
}

// offers sends pairs with equal need that differ only in device and place.
func (t *twins) offers(ctx context.Context) error {
	for _, v := range visits {
		for try := 0; ; try++ {
			a, b := t.visitor(), t.visitor()
			p, held, err := t.offer(ctx, v.name, v.asked, v.steps, a, b)
			if err != nil {
				return err
			}
			if !held || try == 20 {
				t.offerPairs++
				if err := t.report(p); err != nil {
					return err
				}
				break
			}
			t.redrawn++
		}
	}
	return nil
}

// offer plays one visit as both twins and compares every answer on the way. held
// says that the random hold-out took one of them: that says nothing of device or place.
func (t *twins) offer(ctx context.Context, name string, asked bool, steps [][]deed, a, b string) (p pair, held bool, err error) {
	p = pair{Kind: "offer", What: name, Differ: "device and place"}
	var said []string
	for _, w := range []struct {
		who twin
		id  string
	}{{munich, a}, {mecklenburg, b}} {
		if _, err := t.consents(ctx, w.who, w.id, true, "analytics", "adviser_assist"); err != nil {
			return p, false, err
		}
	}
	for i, step := range steps {
		x, err := t.after(ctx, munich, a, asked, step)
		if err != nil {
			return p, false, err
		}
		y, err := t.after(ctx, mecklenburg, b, asked, step)
		if err != nil {
			return p, false, err
		}
		held = held || heldOut(x) || heldOut(y)
		said = append(said, offered(x))
		for _, d := range differences("", x, y) {
			p.Difference = append(p.Difference, fmt.Sprintf("step %d %s", i+1, d))
		}
	}
	p.Same, p.Answer = len(p.Difference) == 0, strings.Join(said, t.words["then"])
	return p, held, nil
}

// after plays a step and asks for an offer.
func (t *twins) after(ctx context.Context, w twin, id string, asked bool, step []deed) (map[string]any, error) {
	if err := t.send(ctx, w, id, step); err != nil {
		return nil, err
	}
	body := map[string]any{"anonymousId": id, "asked": asked}
	if t.product != "" {
		body["page"] = map[string]any{"product_id": t.product}
	}
	status, out, err := t.post(ctx, w, "/v1/escalate", body)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("asking for an offer: status %d: %v", status, detail(out))
	}
	return out, err
}

// send has a visitor do things.
func (t *twins) send(ctx context.Context, w twin, id string, step []deed) error {
	var batch []map[string]any
	for _, d := range step {
		about := maps.Clone(w.context)
		about["consent"] = map[string]any{"categoryPreferences": map[string]any{"Analytics": true, "AdviserAssist": true}}
		properties := maps.Clone(d.properties)
		if t.product != "" && properties["product_id"] == "twins-1" { // one that the catalogue knows
			properties["product_id"] = t.product
		}
		batch = append(batch, map[string]any{"type": "track", "messageId": rand.Text(), "anonymousId": id, "event": d.event, "properties": properties, "context": about})
	}
	status, out, err := t.post(ctx, w, "/v1/batch", map[string]any{"batch": batch})
	if err == nil && (status != http.StatusOK || out["admitted"] != float64(len(step))) {
		err = fmt.Errorf("sending a twin's events: status %d, admitted %v of %d: %v", status, out["admitted"], len(step), out["results"])
	}
	return err
}

func heldOut(x map[string]any) bool {
	reasons, _ := x["reasons"].([]any)
	for _, r := range reasons {
		if m, _ := r.(map[string]any); m["rule"] == "OFFER-HOLDOUT" {
			return true
		}
	}
	return false
}

// offered says an answer in a few words.
func offered(x map[string]any) string {
	s := fmt.Sprint(x["offer"])
	if h, _ := x["hint"].(string); h != "" {
		s += " " + h
	}
	var ids []string
	reasons, _ := x["reasons"].([]any)
	for _, r := range reasons {
		if m, _ := r.(map[string]any); m != nil {
			ids = append(ids, fmt.Sprint(m["rule"]))
		}
	}
	return s + " (" + strings.Join(ids, " ") + ")"
}
