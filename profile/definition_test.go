package profile_test

import (
	"bytes"
	"cmp"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/profile"
	"pgregory.net/rapid"
)

// byDefinition computes the session features from the definitions in the
// catalogue, looking at all events at once as SQL does: slow and plain.
func byDefinition(events []event.Event, purpose consent.Purpose, now int64) map[string]int64 {
	var rows []row
	for _, e := range events {
		if f, ok := e.For(purpose); ok {
			rows = append(rows, row{e.OccurredAt.UnixMilli(), e.MessageKey, e.Kind, f})
		}
	}
	slices.SortFunc(rows, func(a, b row) int {
		return cmp.Or(cmp.Compare(a.at, b.at), bytes.Compare(a.key[:], b.key[:]))
	})
	sessions := split(rows)
	if n := len(sessions); n > 0 && now-sessions[n-1][len(sessions[n-1])-1].at >= 1_800_000 {
		sessions = append(sessions, nil)
	}
	out := map[string]int64{}
	if len(sessions) == 0 {
		return out
	}
	session := sessions[len(sessions)-1]
	searchesOf(session, out)
	timesOf(session, out)
	productsOf(session, now, out)
	basketOf(session, now, out)
	checkoutOf(session, now, out)
	pastOf(sessions[:len(sessions)-1], rows, now, out)
	return out
}

type row struct {
	at   int64
	key  [16]byte
	kind event.Kind
	f    event.Fields
}

func (r row) is(kinds ...event.Kind) bool { return slices.Contains(kinds, r.kind) }

func split(rows []row) (sessions [][]row) {
	for i, r := range rows {
		if i == 0 || r.at-rows[i-1].at >= 1_800_000 {
			sessions = append(sessions, nil)
		}
		sessions[len(sessions)-1] = append(sessions[len(sessions)-1], r)
	}
	return sessions
}

// count is `count(*) filter (where …)`.
func count(rows []row, where func(i int, r row) bool) (n int64) {
	for i, r := range rows {
		if where(i, r) {
			n++
		}
	}
	return n
}

func kindIs(kinds ...event.Kind) func(int, row) bool {
	return func(_ int, r row) bool { return r.is(kinds...) }
}

// only is `where`.
func only(rows []row, kinds ...event.Kind) (out []row) {
	for _, r := range rows {
		if r.is(kinds...) {
			out = append(out, r)
		}
	}
	return out
}

func searchesOf(s []row, out map[string]int64) {
	searches := only(s, event.ProductsSearched)
	clicked := func(i int) bool {
		for _, r := range s[slices.IndexFunc(s, func(r row) bool { return r.key == searches[i].key })+1:] {
			if r.is(event.ProductsSearched) {
				return false
			}
			if r.is(event.ProductClicked, event.ProductViewed, event.ProductAdded) {
				return true
			}
		}
		return false
	}
	out["searches"] = int64(len(searches))
	out["searches_zero_results"] = count(searches, func(_ int, r row) bool { return r.f.Results == 0 })
	out["searches_distinct"] = count(searches, func(i int, r row) bool { return fresh(searches[:i], r, 10, func(r row) any { return r.f.QueryKey }) })
	out["search_reformulations"] = count(searches, func(i int, r row) bool {
		return i > 0 && !clicked(i-1) && searches[i-1].f.QueryKey != r.f.QueryKey
	})
	out["search_click_pct"], out["search_exact_article"] = 0, 0
	if n := len(searches); n > 0 {
		out["search_click_pct"] = 100 * count(searches, func(i int, _ row) bool { return clicked(i) }) / int64(n)
		if searches[n-1].f.QueryExact {
			out["search_exact_article"] = 1
		}
	}
}

// fresh says that a row's value is not among the n different values before it.
func fresh(before []row, r row, n int, value func(row) any) bool {
	seen := map[any]bool{}
	for i := len(before) - 1; i >= 0 && len(seen) < n; i-- {
		if seen[value(before[i])] = true; value(before[i]) == value(r) {
			return false
		}
	}
	return true
}

func timesOf(s []row, out map[string]int64) {
	out["hour_band"], out["session_seconds"], out["pace_per_minute_x100"] = -1, 0, 0
	if len(s) == 0 {
		return
	}
	for _, r := range s {
		if i := slices.Index([]string{"night", "morning", "afternoon", "evening"}, r.f.HourBand); i >= 0 {
			out["hour_band"] = int64(i)
		}
	}
	lasted := s[len(s)-1].at - s[0].at
	out["session_seconds"] = lasted / 1000
	out["pace_per_minute_x100"] = int64(len(s)) * 6_000_000 / max(60_000, lasted)
}

// run is a product run: touches of one product with fewer than 20 other products
// touched in between.
type run struct {
	views, dwell, flips int64
	variant             string
}

func productsOf(s []row, now int64, out map[string]int64) {
	out["product_views"] = count(s, kindIs(event.ProductViewed))
	out["size_guide_opens"] = count(s, kindIs(event.SizeGuideOpened))
	out["compare_loops"] = count(s, kindIs(event.ProductsCompared)) + loops(s)
	for _, name := range []string{"products_viewed", "product_views_max", "product_dwell_ms_max", "variant_flips_max"} {
		out[name] = 0
	}
	for _, r := range runs(s, now) {
		out["products_viewed"] += min(1, r.views)
		out["product_views_max"] = max(out["product_views_max"], r.views)
		out["product_dwell_ms_max"] = max(out["product_dwell_ms_max"], r.dwell)
		out["variant_flips_max"] = max(out["variant_flips_max"], r.flips)
	}
}

func runs(s []row, now int64) (all []*run) {
	touches, current := []row{}, map[string]*run{}
	for i, r := range s {
		if r.f.Product == "" || !r.is(event.ProductViewed, event.VariantSelected, event.SizeGuideOpened) {
			continue
		}
		if fresh(touches, r, 20, func(r row) any { return r.f.Product }) {
			current[r.f.Product] = &run{}
			all = append(all, current[r.f.Product])
		}
		touches = append(touches, r)
		current[r.f.Product].touch(r, lead(s, i, now)-r.at)
	}
	return all
}

func lead(s []row, i int, now int64) int64 {
	if i+1 < len(s) {
		return s[i+1].at
	}
	return now
}

func (x *run) touch(r row, gap int64) {
	if r.f.DwellMS > 0 {
		gap = r.f.DwellMS
	}
	x.dwell += min(max(0, gap), 600_000)
	if r.is(event.ProductViewed) {
		x.views++
	}
	if v := r.f.Variant; v != "" {
		if x.variant != "" && x.variant != v {
			x.flips++
		}
		x.variant = v
	}
}

func loops(s []row) (n int64) {
	var list []string
	for _, r := range only(s, event.ProductViewed) {
		if p := r.f.Product; p != "" && (len(list) == 0 || list[len(list)-1] != p) {
			list = append(list, p)
		}
	}
	for i := 2; i < len(list); i++ {
		if list[i] == list[i-2] {
			n++
		}
	}
	return n
}

func basketOf(s []row, now int64, out map[string]int64) {
	s = s[lastOrder(s)+1:]
	out["cart_adds"], out["cart_removes"] = count(s, kindIs(event.ProductAdded)), count(s, kindIs(event.ProductRemoved))
	units, cents, changed := int64(0), int64(0), now
	for _, r := range s {
		was, one := units, max(1, r.f.Quantity)
		switch {
		case r.is(event.ProductAdded):
			units, cents, changed = units+one, cents+one*r.f.PriceCents, r.at
		case r.is(event.ProductRemoved):
			units, cents, changed = max(0, units-one), max(0, cents-one*r.f.PriceCents), r.at
		case r.is(event.CartViewed, event.CheckoutStarted) && len(r.f.Items) > 0:
			units, cents = 0, 0
			for _, i := range r.f.Items {
				units, cents = units+max(1, i.Quantity), cents+max(1, i.Quantity)*i.PriceCents
			}
			if r.f.CartCents > 0 {
				cents = r.f.CartCents
			}
			if units != was {
				changed = r.at
			}
		}
	}
	out["cart_units"], out["cart_value_cents"], out["basket_idle_seconds"] = units, 0, 0
	if units > 0 {
		out["cart_value_cents"], out["basket_idle_seconds"] = cents, max(0, now-changed)/1000
	}
}

func lastOrder(s []row) int {
	for i := len(s) - 1; i >= 0; i-- {
		if s[i].is(event.OrderCompleted) {
			return i
		}
	}
	return -1
}

var checkout = []event.Kind{event.CheckoutStarted, event.CheckoutStepViewed, event.CheckoutStepCompleted, event.CheckoutFailed}

func checkoutOf(s []row, now int64, out map[string]int64) {
	out["orders"] = ordersOf(s)
	s = only(s[lastOrder(s)+1:], checkout...)
	out["checkout_open"], out["checkout_idle_seconds"] = 0, 0
	if len(s) > 0 {
		out["checkout_open"], out["checkout_idle_seconds"] = 1, max(0, now-s[len(s)-1].at)/1000
	}
	out["checkout_errors"] = count(s, kindIs(event.CheckoutFailed))
}

func ordersOf(s []row) int64 {
	orders := only(s, event.OrderCompleted)
	return count(orders, func(i int, r row) bool {
		return r.f.OrderKey == 0 || i == 0 || orders[i-1].f.OrderKey != r.f.OrderKey
	})
}

func pastOf(past [][]row, rows []row, now int64, out map[string]int64) {
	past = past[max(0, len(past)-5):]
	out["past_sessions"], out["past_baskets_left"], out["past_orders"] = 0, 0, 0
	for _, s := range past {
		out["past_sessions"]++
		out["past_orders"] += ordersOf(s)
		basket := map[string]int64{}
		basketOf(s, now, basket)
		ended := s[len(s)-1].at
		later := slices.ContainsFunc(rows, func(r row) bool { return r.at > ended && r.is(event.OrderCompleted) })
		if basket["cart_units"] > 0 && !later {
			out["past_baskets_left"]++
		}
	}
}

func inOrder(events []event.Event) []event.Event {
	slices.SortStableFunc(events, func(a, b event.Event) int {
		return cmp.Or(a.OccurredAt.Compare(b.OccurredAt), bytes.Compare(a.MessageKey[:], b.MessageKey[:]))
	})
	return slices.CompactFunc(events, func(a, b event.Event) bool { return a.MessageKey == b.MessageKey })
}

// widely spreads an event over more products and queries than a section keeps.
func widely(t *rapid.T) event.Event {
	f := event.Fields{
		Product: string(rune('A' + rapid.IntRange(0, 24).Draw(t, "product"))), QueryKey: rapid.Int64Range(0, 13).Draw(t, "query"),
		Variant: rapid.SampledFrom([]string{"", "S", "M"}).Draw(t, "variant"),
	}
	kind := rapid.SampledFrom([]event.Kind{event.ProductViewed, event.ProductViewed, event.VariantSelected, event.ProductsSearched}).Draw(t, "kind")
	return happen(rapid.IntRange(0, 900).Draw(t, "at"), kind, f, all)
}

func TestFoldingGivesWhatTheDefinitionsSay(t *testing.T) {
	offers := []string{"hints_shown", "events_after_hint", "offers_dismissed"}
	check := func(events *rapid.Generator[[]event.Event], until int) func(*testing.T) {
		return rapid.MakeCheck(func(t *rapid.T) {
			drawn := inOrder(events.Draw(t, "events"))
			now := noon.Add(time.Duration(rapid.IntRange(until-1000, until+1000).Draw(t, "now")) * time.Second)
			p := profile.Profile{}.Apply(drawn)
			for _, purpose := range profile.Purposes {
				got, want := p.Features(purpose, now), byDefinition(drawn, purpose, now.UnixMilli())
				maps.DeleteFunc(got, func(name string, _ int64) bool { return slices.Contains(offers, name) })
				for name, v := range got {
					if w, ok := want[name]; !ok || v != w {
						t.Fatalf("%s of %s: folded %d, defined %d", name, purpose, v, w)
					}
				}
			}
		})
	}
	t.Run("over sessions of all kinds", check(someEvents, 9000))
	t.Run("beyond the bounds of the lists", check(rapid.SliceOfN(rapid.Custom(widely), 0, 120), 1900))
}
