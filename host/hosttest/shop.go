package hosttest

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/price"
	"github.com/handschlag/handschlag/profile"
)

func interval(product string, from, to int, cents int64) price.Interval {
	i := price.Interval{
		Product: product, Storefront: "de", Channel: "web", Currency: "EUR", GrossCents: cents, From: noon.AddDate(0, 0, from),
	}
	if to >= 0 {
		i.To = noon.AddDate(0, 0, to)
	}
	return i
}

var shopPromises = []promise{
	{"products are replaced or added by id and listed in order", func(t *testing.T, h flow.Host) {
		v0 := must(h.ProductsVersion(ctx))(t)
		tea, cup := event.Product{ID: "tea", PriceCents: 399}, event.Product{ID: "cup", Tags: []string{"health"}}
		ok(t, h.PutProducts(ctx, []event.Product{tea, cup}))
		v1 := must(h.ProductsVersion(ctx))(t)
		tea.PriceCents = 449
		ok(t, h.PutProducts(ctx, []event.Product{tea}))
		same(t, must(h.AllProducts(ctx))(t), []event.Product{cup, tea})
		same(t, must(h.Product(ctx, "tea"))(t), tea)
		if v2 := must(h.ProductsVersion(ctx))(t); v0 == v1 || v1 == v2 || v0 == v2 {
			t.Fatalf("versions %d %d %d", v0, v1, v2)
		}
		if _, err := h.Product(ctx, "te"); !errors.Is(err, flow.ErrNotFound) {
			t.Fatalf("got %v", err)
		}
	}},
	{"products are put all or none", func(t *testing.T, h flow.Host) {
		if err := h.PutProducts(ctx, []event.Product{{ID: "tea"}, {}}); err == nil {
			t.Fatal("a product without id was taken")
		}
		if n := len(must(h.AllProducts(ctx))(t)); n != 0 {
			t.Fatalf("%d products are there", n)
		}
	}},
	{"prices come back in time order, each history apart", func(t *testing.T, h flow.Host) {
		tea, cup := []price.Interval{interval("tea", 0, 10, 399), interval("tea", 10, -1, 449)}, interval("cup", 0, -1, 900)
		ok(t, h.PutPrices(ctx, []price.Interval{tea[1], cup, tea[0]}))
		same(t, must(h.PriceHistory(ctx, "tea", "de", "web", "EUR"))(t), tea)
		same(t, must(h.PriceHistory(ctx, "cup", "de", "web", "EUR"))(t), []price.Interval{cup})
		if n := len(must(h.PriceHistory(ctx, "tea", "at", "web", "EUR"))(t)); n != 0 {
			t.Fatalf("%d intervals of another storefront", n)
		}
	}},
	{"a new interval closes the open one", func(t *testing.T, h flow.Host) {
		ok(t, h.PutPrices(ctx, []price.Interval{interval("tea", 0, -1, 399)}))
		ok(t, h.PutPrices(ctx, []price.Interval{interval("tea", 5, -1, 449)}))
		same(t, must(h.PriceHistory(ctx, "tea", "de", "web", "EUR"))(t), []price.Interval{interval("tea", 0, 5, 399), interval("tea", 5, -1, 449)})
	}},
	{"any other overlap is an error that names both, and nothing is saved", func(t *testing.T, h flow.Host) {
		was := []price.Interval{interval("tea", 0, 10, 399)}
		ok(t, h.PutPrices(ctx, was))
		err := h.PutPrices(ctx, []price.Interval{interval("cup", 0, -1, 900), interval("tea", 5, 15, 449)})
		if err == nil || !strings.Contains(err.Error(), "2008-04-01") || !strings.Contains(err.Error(), "2008-04-06") {
			t.Fatalf("got %v", err)
		}
		same(t, must(h.PriceHistory(ctx, "tea", "de", "web", "EUR"))(t), was)
		if n := len(must(h.PriceHistory(ctx, "cup", "de", "web", "EUR"))(t)); n != 0 {
			t.Fatal("a part was saved")
		}
	}},
	{"before the first night there is nothing", func(t *testing.T, h flow.Host) {
		same(t, must(h.Published(ctx))(t), flow.Publication{})
		same(t, must(h.Membership(ctx, someone(t, h)))(t), profile.Membership{})
	}},
	{"a night replaces publication and memberships in one step", func(t *testing.T, h flow.Host) {
		ada, bob := someone(t, h), someone(t, h)
		m := profile.Membership{Segments: []string{"tea_lovers"}, ValueTier: 3, Purpose: consent.Analytics, AsOf: noon, Until: noon.AddDate(0, 0, 30)}
		p1 := flow.Publication{AsOf: noon, Run: "r1", Weights: decide.Weights{Version: "w1"}, Manifest: "2008-04-01/manifest.json"}
		ok(t, h.Publish(ctx, p1, profile.MembersOf(map[consent.Subject]profile.Membership{ada: m, bob: m})))
		same(t, must(h.Published(ctx))(t), p1)
		same(t, must(h.Membership(ctx, ada))(t), m)
		p2 := flow.Publication{AsOf: noon.AddDate(0, 0, 1), Run: "r2", Scorecard: &decide.Scorecard{Version: "s2"}}
		ok(t, h.Publish(ctx, p2, profile.MembersOf(map[consent.Subject]profile.Membership{bob: m})))
		same(t, must(h.Published(ctx))(t), p2)
		same(t, must(h.Membership(ctx, ada))(t), profile.Membership{})
		same(t, must(h.Membership(ctx, bob))(t), m)
	}},
	{"a reader never sees parts of two nights", publishAtomic},
}

// publishAtomic publishes nights with one member each; a membership read between
// two equal publications is that publication's.
func publishAtomic(t *testing.T, h flow.Host) {
	s := someone(t, h)
	errs := make([]error, 4)
	together(4, func(i int) {
		for n := range 30 {
			if i == 0 {
				m := profile.Membership{Segments: []string{fmt.Sprint("r", n)}, AsOf: noon, Until: noon.Add(time.Hour)}
				errs[i] = errors.Join(errs[i], h.Publish(ctx, flow.Publication{Run: fmt.Sprint("r", n)}, profile.MembersOf(map[consent.Subject]profile.Membership{s: m})))
				continue
			}
			before, err1 := h.Published(ctx)
			m, err2 := h.Membership(ctx, s)
			after, err3 := h.Published(ctx)
			errs[i] = errors.Join(errs[i], err1, err2, err3)
			if before.Run == after.Run && before.Run != "" && (len(m.Segments) != 1 || m.Segments[0] != before.Run) {
				errs[i] = errors.Join(errs[i], fmt.Errorf("publication %s with membership %v", before.Run, m.Segments))
			}
		}
	})
	ok(t, errors.Join(errs...))
}
