package profile_test

import (
	"crypto/sha256"
	"fmt"
	"testing"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/profile"
)

var (
	ada  = consent.Subject{0xad, 0xa}
	noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	all  = consent.SetOf(profile.Purposes...)
)

// happen makes an admitted event, as a host reads it back: seconds after noon,
// kept in full for the purposes.
func happen(at int, kind event.Kind, f event.Fields, purposes consent.Set) event.Event {
	when := noon.Add(time.Duration(at) * time.Second)
	sum := sha256.Sum256(fmt.Append(nil, at, kind, f))
	r := event.Row{
		Subject: ada, Kind: int32(kind), OccurredMS: when.UnixMilli(), ReceivedMS: when.UnixMilli(),
		Purposes: int64(purposes), Fields: f,
	}
	copy(r.MessageKey[:], sum[:])
	for range purposes.List() {
		r.Cases = append(r.Cases, 1)
		r.Keeps = append(r.Keeps, int64(event.AllFields))
	}
	return r.Event()
}

// story tells a session in short words.
type story struct{ events []event.Event }

func (s *story) add(at int, k event.Kind, f event.Fields) *story {
	s.events = append(s.events, happen(at, k, f, all))
	return s
}

func (s *story) view(at int, product string) *story {
	return s.add(at, event.ProductViewed, event.Fields{Product: product})
}

func (s *story) choose(at int, product, variant string) *story {
	return s.add(at, event.VariantSelected, event.Fields{Product: product, Variant: variant})
}

func (s *story) search(at int, key int64) *story {
	return s.add(at, event.ProductsSearched, event.Fields{QueryKey: key, Results: 12})
}

func (s *story) put(at int, product string, n, cents int64) *story {
	return s.add(at, event.ProductAdded, event.Fields{Product: product, Quantity: n, PriceCents: cents})
}

func (s *story) take(at int, product string, n, cents int64) *story {
	return s.add(at, event.ProductRemoved, event.Fields{Product: product, Quantity: n, PriceCents: cents})
}

func (s *story) plain(at int, k event.Kind) *story { return s.add(at, k, event.Fields{}) }

func (s *story) profile() profile.Profile { return profile.Profile{}.Apply(s.events) }

func (s *story) features(now int) map[string]int64 {
	return s.profile().Features(consent.AdviserAssist, noon.Add(time.Duration(now)*time.Second))
}

func tell() *story { return &story{} }

// The golden sessions: what a visitor does, and what it looks like.
func TestGoldenSessions(t *testing.T) {
	for name, c := range map[string]struct {
		story *story
		now   int
		want  map[string]int64
	}{
		"R4: an idle checkout shows in basket and checkout": {
			tell().view(0, "A").put(10, "A", 1, 4900).plain(20, event.CheckoutStarted).plain(25, event.CheckoutFailed), 625,
			map[string]int64{"checkout_open": 1, "checkout_errors": 1, "checkout_idle_seconds": 600, "basket_idle_seconds": 615, "cart_units": 1, "cart_value_cents": 4900, "cart_adds": 1, "orders": 0},
		},
		"R4: a completed order resets abandonment": {
			tell().view(0, "A").put(10, "A", 2, 4900).plain(20, event.CheckoutStarted).plain(25, event.CheckoutFailed).
				add(60, event.OrderCompleted, event.Fields{OrderKey: 7}), 700,
			map[string]int64{"checkout_open": 0, "checkout_errors": 0, "checkout_idle_seconds": 0, "basket_idle_seconds": 0, "cart_units": 0, "cart_value_cents": 0, "cart_adds": 0, "cart_removes": 0, "orders": 1},
		},
		"R4: what follows an order counts anew": {
			tell().put(0, "A", 1, 4900).add(5, event.OrderCompleted, event.Fields{OrderKey: 7}).put(10, "B", 3, 100), 40,
			map[string]int64{"cart_adds": 1, "cart_units": 3, "cart_value_cents": 300, "basket_idle_seconds": 30, "orders": 1},
		},
		"the same order told by browser and server is one": {
			tell().add(0, event.OrderCompleted, event.Fields{OrderKey: 7}).add(2, event.OrderCompleted, event.Fields{OrderKey: 7}), 3,
			map[string]int64{"orders": 1},
		},
		"R5: looking long at a product": {
			tell().view(0, "A").view(20, "B").view(260, "C").view(270, "B"), 300,
			map[string]int64{"product_dwell_ms_max": 270_000, "product_views_max": 2, "products_viewed": 3, "product_views": 4},
		},
		"R5: a look that goes on counts up to ten minutes": {
			tell().view(0, "A"), 1500,
			map[string]int64{"product_dwell_ms_max": 600_000},
		},
		"R5: the page's own measure of a look wins over the gap": {
			tell().add(0, event.ProductViewed, event.Fields{Product: "A", DwellMS: 5000}).view(300, "B"), 301,
			map[string]int64{"product_dwell_ms_max": 5000},
		},
		"R5: coming back to a product again and again": {
			tell().view(0, "A").plain(10, event.Page).view(20, "A").view(30, "B").view(40, "A"), 41,
			map[string]int64{"product_views_max": 3, "compare_loops": 1},
		},
		"R6: unsure about the size": {
			tell().view(0, "A").choose(5, "A", "38").choose(10, "A", "40").plain(12, event.SizeGuideOpened).choose(20, "A", "38").choose(25, "A", "38"), 26,
			map[string]int64{"variant_flips_max": 2, "size_guide_opens": 1, "products_viewed": 1},
		},
		"R6: variants of different products are no flip": {
			tell().choose(0, "A", "38").choose(5, "B", "40").choose(10, "A", "38"), 11,
			map[string]int64{"variant_flips_max": 0},
		},
		"R6: going back and forth between two": {
			tell().view(0, "A").view(5, "B").view(10, "A").view(15, "A").view(20, "B").view(25, "C"), 26,
			map[string]int64{"compare_loops": 2},
		},
		"R6: comparing by the shop's own page": {
			tell().add(0, event.ProductsCompared, event.Fields{Items: []event.Item{{Product: "A"}, {Product: "B"}}}), 1,
			map[string]int64{"compare_loops": 1},
		},
		"R35: searching again in other words": {
			tell().search(0, 1).search(10, 2).search(20, 3).search(30, 2), 31,
			map[string]int64{"searches": 4, "searches_distinct": 3, "search_reformulations": 3, "search_click_pct": 0},
		},
		"R35: a search that leads somewhere is no reformulation": {
			tell().search(0, 1).view(5, "A").view(7, "B").search(10, 2).search(20, 2), 31,
			map[string]int64{"searches": 3, "search_reformulations": 0, "search_click_pct": 33},
		},
		"R35: nothing found": {
			tell().add(0, event.ProductsSearched, event.Fields{QueryKey: 1}).add(5, event.ProductsSearched, event.Fields{QueryKey: 2, Results: -1}), 6,
			map[string]int64{"searches_zero_results": 1, "searches": 2},
		},
		"R36: an article number says what is wanted": {
			tell().search(0, 1).add(9, event.ProductsSearched, event.Fields{QueryKey: 2, QueryExact: true, Results: 1}), 10,
			map[string]int64{"search_exact_article": 1},
		},
		"R36: only the last search counts": {
			tell().add(0, event.ProductsSearched, event.Fields{QueryKey: 2, QueryExact: true, Results: 1}).search(9, 1), 10,
			map[string]int64{"search_exact_article": 0},
		},
		"R33: time of day and pace": {
			tell().plain(0, event.Page).add(30, event.Page, event.Fields{HourBand: "evening"}).plain(60, event.Page).plain(120, event.Page), 121,
			map[string]int64{"hour_band": 3, "pace_per_minute_x100": 200, "session_seconds": 120},
		},
		"R33: a session shorter than a minute is not hectic": {
			tell().plain(0, event.Page).plain(1, event.Screen), 2,
			map[string]int64{"pace_per_minute_x100": 200, "hour_band": -1},
		},
		"a cart report replaces what was added up": {
			tell().put(0, "A", 1, 100).add(60, event.CartViewed, event.Fields{Items: []event.Item{{Product: "A", Quantity: 2, PriceCents: 100}, {Product: "B", PriceCents: 50}}}).take(70, "B", 1, 50), 80,
			map[string]int64{"cart_units": 2, "cart_value_cents": 200, "basket_idle_seconds": 10, "cart_removes": 1},
		},
		"taking out what was put in yesterday leaves nothing, not less": {
			tell().take(0, "A", 1, 100).put(5, "B", 1, 70), 6,
			map[string]int64{"cart_units": 1, "cart_value_cents": 70},
		},
		"half an hour of silence ends the session": {
			tell().view(0, "A").put(10, "A", 1, 100).search(20, 4), 20 + 1800,
			map[string]int64{"product_views": 0, "cart_units": 0, "searches": 0, "past_sessions": 1, "past_baskets_left": 1, "session_seconds": 0, "hour_band": -1},
		},
		"a second less does not": {
			tell().view(0, "A").put(10, "A", 1, 100).search(20, 4), 19 + 1800,
			map[string]int64{"product_views": 1, "cart_units": 1, "searches": 1, "past_sessions": 0},
		},
		"an order forgives the baskets left before": {
			tell().put(0, "A", 1, 100).put(4000, "A", 1, 100).add(4010, event.OrderCompleted, event.Fields{OrderKey: 1}).view(9000, "B"), 9001,
			map[string]int64{"past_sessions": 2, "past_baskets_left": 0, "past_orders": 1},
		},
		"five sessions are remembered": {
			tell().view(0, "A").view(2000, "A").view(4000, "A").view(6000, "A").view(8000, "A").view(10000, "A").view(12000, "A"), 12001,
			map[string]int64{"past_sessions": 5, "product_views": 1},
		},
		"sessions are remembered for 90 days": {
			tell().view(0, "A").view(86400, "A"), 90*86400 + 1,
			map[string]int64{"past_sessions": 1},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := c.story.features(c.now)
			for feature, want := range c.want {
				if v, ok := got[feature]; !ok || v != want {
					t.Errorf("%s is %d, want %d", feature, v, want)
				}
			}
		})
	}
}

func TestWithoutASectionThereAreNoFeatures(t *testing.T) {
	p := profile.Profile{}.Apply([]event.Event{happen(0, event.ProductViewed, event.Fields{Product: "A"}, consent.SetOf(consent.Analytics))})
	if p.Features(consent.Analytics, noon) == nil {
		t.Error("the purpose that admitted the event has no features")
	}
	for _, x := range consent.Purposes {
		if f := p.Features(x, noon); x != consent.Analytics && f != nil {
			t.Errorf("%s has features: %v", x, f)
		}
	}
}

func TestAnEventThatComesAfterALaterOne(t *testing.T) {
	t.Run("counts at the later one's time", func(t *testing.T) {
		got := tell().view(100, "A").view(160, "B").view(130, "C").view(170, "A").features(175)
		if got["product_views"] != 4 || got["product_dwell_ms_max"] != 65_000 || got["session_seconds"] != 70 {
			t.Errorf("got %v", got)
		}
	})
	t.Run("changes no session feature if it is of an earlier session", func(t *testing.T) {
		s := tell().view(100_000, "A").view(100_000-1800, "B").view(0, "C")
		if got := s.features(100_001); got["product_views"] != 1 || got["past_sessions"] != 0 {
			t.Errorf("got %v", got)
		}
		if n := len(s.profile().Trail().Viewed); n != 3 {
			t.Errorf("the trail has %d products", n)
		}
	})
}

func TestBoundsForgetWhatWasTouchedLongestAgo(t *testing.T) {
	s := tell()
	for i := range 20 {
		s.view(i, fmt.Sprint("P", i)).search(100+i, int64(i))
	}
	s.view(200, "P0").view(201, "new").view(202, "P1").search(210, 19).search(211, 0)
	got := s.features(212)
	// P0 is still among 20 and becomes the latest; "new" pushes P1 out, so P1 begins anew.
	if got["product_views_max"] != 2 || got["products_viewed"] != 22 {
		t.Errorf("views %d of %d products", got["product_views_max"], got["products_viewed"])
	}
	// Query 19 is among the latest ten; query 0 is not, and counts as new.
	if got["searches_distinct"] != 21 {
		t.Errorf("%d different searches", got["searches_distinct"])
	}
	if section := s.profile().Sections[consent.AdviserAssist]; len(section.Session.Products) != 20 || len(section.Session.Queries) != 10 {
		t.Errorf("%d products, %d queries", len(section.Session.Products), len(section.Session.Queries))
	}
}

func TestOnlyAFieldThatIsKeptCanSayThatNothingWasFound(t *testing.T) {
	e := happen(0, event.ProductsSearched, event.Fields{QueryKey: 1}, all).Row()
	for i := range e.Keeps {
		e.Keeps[i] = int64(event.FieldSet(0).With(event.FieldQueryKey))
	}
	p := profile.Profile{}.Apply([]event.Event{e.Event()})
	if got := p.Features(consent.AdviserAssist, noon)["searches_zero_results"]; got != 0 {
		t.Errorf("got %d", got)
	}
}

func TestRecent(t *testing.T) {
	view := func(at int) event.Event { return happen(at, event.ProductViewed, event.Fields{Product: "A"}, all) }
	t.Run("a message is taken in once", func(t *testing.T) {
		p := profile.Profile{}.Apply([]event.Event{view(0), view(0)}).Apply([]event.Event{view(0)})
		if got := p.Features(consent.Analytics, noon)["product_views"]; got != 1 || !p.Has(view(0).MessageKey) {
			t.Errorf("%d views", got)
		}
	})
	t.Run("a key is kept for 24 hours", func(t *testing.T) {
		day := int(profile.RecentFor / time.Second)
		p := profile.Profile{}.Apply([]event.Event{view(0), view(1), view(day)})
		if p.Has(view(0).MessageKey) || !p.Has(view(1).MessageKey) {
			t.Errorf("%d keys", len(p.Recent))
		}
		if n := len(p.Fresh(noon.Add(profile.RecentFor + time.Hour)).Recent); n != 1 {
			t.Errorf("%d keys are fresh", n)
		}
	})
	t.Run("at most 1,000 keys are kept", func(t *testing.T) {
		s := tell()
		for i := range profile.RecentMax + 5 {
			s.plain(i, event.Page)
		}
		if p := s.profile(); len(p.Recent) != profile.RecentMax || p.Has(s.events[4].MessageKey) || !p.Has(s.events[5].MessageKey) {
			t.Errorf("%d keys", len(p.Recent))
		}
	})
	t.Run("another subject's event changes nothing", func(t *testing.T) {
		e := view(5)
		e.Subject = consent.Subject{9}
		if p := tell().view(0, "A").profile(); len(p.Apply([]event.Event{e}).Recent) != 1 {
			t.Error("it was taken in")
		}
	})
}
