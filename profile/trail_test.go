package profile_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/profile"
)

func TestTrail(t *testing.T) {
	words := func(at int, exact bool, words ...string) event.Event {
		return happen(at, event.ProductsSearched, event.Fields{QueryKey: int64(at), QueryWords: words, QueryExact: exact}, all)
	}
	s := tell().view(0, "A").choose(5, "A", "38").choose(9, "A", "40").view(20, "B").view(30, "A").
		put(40, "A", 2, 4900).put(45, "C", 1, 100).take(50, "C", 1, 100)
	s.events = append(s.events, words(60, false, "hose", "blau"), words(61, false, "hose", "blau"), words(62, false), words(63, true, "b12"))
	got := s.profile().Trail()
	at := func(seconds int) time.Time { return noon.Add(time.Duration(seconds) * time.Second) }
	want := profile.Trail{
		Basket: []event.Item{{Product: "A", Quantity: 2, PriceCents: 4900}}, BasketAt: at(50),
		Searches: []profile.Search{{At: at(61), Words: []string{"hose", "blau"}}, {At: at(63), Words: []string{"b12"}, Exact: true}},
		Viewed:   []profile.Viewed{{At: at(20), Product: "B", Views: 1}, {At: at(30), Product: "A", Views: 2, Variants: []string{"38", "40"}}},
		Compared: [][2]string{{"A", "B"}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestTrailOfOrders(t *testing.T) {
	s := tell().put(0, "A", 1, 4900)
	for i := range 6 {
		s.add(10+i, event.OrderCompleted, event.Fields{OrderKey: int64(i + 1), Items: []event.Item{{Product: "A", Quantity: 2, PriceCents: 50}}})
	}
	s.add(30, event.OrderCompleted, event.Fields{OrderKey: 6}).add(40, event.OrderRefunded, event.Fields{OrderKey: 5}).
		add(41, event.OrderCancelled, event.Fields{OrderKey: 6}).add(42, event.OrderRefunded, event.Fields{})
	trail := s.profile().Trail()
	if len(trail.Orders) != 5 || trail.Orders[0].Key != 2 || len(trail.Basket) != 0 {
		t.Fatalf("got %+v", trail)
	}
	for i, want := range []string{"", "", "", "refunded", "cancelled"} {
		if o := trail.Orders[i]; o.Status != want || o.Cents != 100 || !o.At.Equal(noon.Add(time.Duration(11+i)*time.Second)) {
			t.Errorf("order %d is %+v", i, o)
		}
	}
}

func TestOnlyAdviserAssistKeepsATrailAndOffers(t *testing.T) {
	p := tell().view(0, "A").put(1, "A", 1, 5).add(2, event.ProductsSearched, event.Fields{QueryWords: []string{"hose"}}).
		plain(3, event.HintShown).plain(4, event.AdviserOfferDismissed).add(5, event.OrderCompleted, event.Fields{OrderKey: 1}).profile()
	for x, s := range p.Sections {
		if kept := !reflect.DeepEqual(s.Trail, profile.Trail{}) && s.Offers != (profile.Offer{}); kept != (x == consent.AdviserAssist) {
			t.Errorf("%s keeps %+v and %+v", x, s.Trail, s.Offers)
		}
	}
}

func TestContentNeverLearnsWhatItDoesNotNeed(t *testing.T) {
	p := tell().plain(0, event.CheckoutStarted).plain(1, event.CheckoutFailed).add(2, event.OrderCompleted, event.Fields{OrderKey: 1}).profile()
	s := p.Sections[consent.PersonalisationContent].Session
	if s.Checkout || s.CheckoutMS != 0 || s.Errors != 0 || s.Orders != 0 || s.OrderKey != 0 {
		t.Errorf("got %+v", s)
	}
}

func TestFreshForgetsWhatIsPastItsTime(t *testing.T) {
	day := 24 * time.Hour
	p := tell().view(0, "A").put(1, "A", 1, 5).add(2, event.OrderCompleted, event.Fields{OrderKey: 1}).put(3, "B", 1, 5).
		add(4, event.ProductsSearched, event.Fields{QueryWords: []string{"hose"}}).plain(5, event.AdviserOfferDismissed).profile()
	if f := p.Fresh(noon.Add(89 * day)); len(f.Sections) != 3 || len(f.Trail().Viewed) != 1 || len(f.Trail().Basket) != 1 || f.Offers(noon).SecondsSinceDismissed < 0 {
		t.Errorf("within 90 days: %+v", f.Trail())
	}
	f := p.Fresh(noon.Add(91 * day))
	trail := f.Trail()
	if len(f.Sections) != 1 || len(trail.Orders) != 1 || len(trail.Viewed)+len(trail.Basket)+len(trail.Searches) != 0 || f.Offers(noon.Add(91*day)).SecondsSinceDismissed != -1 {
		t.Errorf("after 90 days: %+v", f)
	}
	if f := p.Fresh(noon.Add(731 * day)); len(f.Sections) != 0 || len(f.Recent) != 0 {
		t.Errorf("after two years: %+v", f)
	}
	if len(p.Trail().Viewed) != 1 || len(p.Sections) != 3 {
		t.Error("Fresh changed the profile that it was called on")
	}
}

func TestOffers(t *testing.T) {
	never := profile.OfferFacts{SecondsSinceDismissed: -1, SecondsSinceOffer: -1}
	hinted := func(at int, p profile.Profile) profile.Profile {
		return p.Offered(profile.OfferedHint, noon.Add(time.Duration(at)*time.Second))
	}
	facts := func(change func(*profile.OfferFacts)) profile.OfferFacts {
		f := never
		change(&f)
		return f
	}
	for name, c := range map[string]struct {
		profile profile.Profile
		now     int
		want    profile.OfferFacts
	}{
		"nothing known, nothing offered": {profile.Profile{}, 0, never},
		"a hint that the browser reports": {
			tell().view(0, "A").plain(5, event.HintShown).view(10, "B").plain(11, event.ExperimentViewed).search(12, 1).profile(), 20,
			facts(func(f *profile.OfferFacts) { f.HintsShown, f.EventsAfterHint = 1, 2 }),
		},
		"a hint that the day notes counts at once": {
			hinted(5, tell().view(0, "A").profile()), 6,
			facts(func(f *profile.OfferFacts) { f.HintsShown = 1 }),
		},
		"the browser's report of it is not a second hint": {
			hinted(5, tell().view(0, "A").profile()).Apply(tell().view(6, "B").plain(7, event.HintShown).view(8, "C").events), 9,
			facts(func(f *profile.OfferFacts) { f.HintsShown, f.EventsAfterHint = 1, 2 }),
		},
		"another hint begins the count anew": {
			hinted(9, hinted(5, tell().view(0, "A").profile()).Apply(tell().view(6, "B").events)), 9,
			facts(func(f *profile.OfferFacts) { f.HintsShown = 2 }),
		},
		"what happened before the hint is not after it": {
			hinted(5, profile.Profile{}).Apply(tell().view(4, "A").view(5, "B").events), 6,
			facts(func(f *profile.OfferFacts) { f.HintsShown, f.EventsAfterHint = 1, 1 }),
		},
		"a human offer noted by the day": {
			tell().view(0, "A").profile().Offered(profile.OfferedHuman, noon.Add(time.Second)), 31,
			facts(func(f *profile.OfferFacts) { f.SecondsSinceOffer = 30 }),
		},
		"a human offer seen by the browser": {
			tell().plain(0, event.AdviserOfferShown).profile(), 40,
			facts(func(f *profile.OfferFacts) { f.SecondsSinceOffer = 40 }),
		},
		"closed in this session": {
			tell().plain(0, event.AdviserOfferShown).plain(2, event.AdviserOfferDismissed).profile(), 12,
			facts(func(f *profile.OfferFacts) {
				f.SecondsSinceOffer, f.SecondsSinceDismissed, f.DismissedInSession = 12, 10, true
			}),
		},
		"closed in an earlier one is still known": {
			tell().plain(0, event.AdviserOfferDismissed).view(7200, "A").profile(), 7200,
			facts(func(f *profile.OfferFacts) { f.SecondsSinceDismissed = 7200 }),
		},
		"hints end with the session": {
			hinted(5, tell().view(0, "A").profile()).Apply(tell().view(4000, "A").events), 4001, never,
		},
		"hints end half an hour after the last sign": {hinted(5, tell().view(0, "A").profile()), 1805, never},
		"an article number": {
			tell().add(0, event.ProductsSearched, event.Fields{QueryExact: true}).profile(), 1,
			facts(func(f *profile.OfferFacts) { f.ExactArticle = true }),
		},
		"in a live show": {
			tell().add(0, event.Page, event.Fields{PageType: "show"}).view(5, "A").profile(), 6,
			facts(func(f *profile.OfferFacts) { f.InShow = true }),
		},
		"left the live show": {
			tell().add(0, event.Page, event.Fields{PageType: "show"}).add(5, event.Page, event.Fields{PageType: "home"}).profile(), 6, never,
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := c.profile.Offers(noon.Add(time.Duration(c.now) * time.Second)); got != c.want {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
		})
	}
}

func BenchmarkApply(b *testing.B) {
	for name, sections := range map[string]consent.Set{"one section": consent.SetOf(consent.Analytics), "three sections": all} {
		b.Run(name, func(b *testing.B) {
			s := tell()
			for i := range 1000 {
				kind := []event.Kind{event.ProductViewed, event.ProductsSearched, event.ProductAdded, event.ProductViewed}[i%4]
				e := happen(i, kind, event.Fields{Product: string(rune('A' + i%17)), QueryKey: int64(i % 13), PriceCents: 5}, sections)
				s.events = append(s.events, e)
			}
			p := profile.Profile{}.Apply(s.events[:60])
			b.ResetTimer()
			n := 0
			for b.Loop() {
				p.Apply(s.events[100+n%900 : 100+n%900+20][:20:20])
				n = (n + 20) % 880
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/20, "ns/event")
		})
	}
}

func BenchmarkStore(b *testing.B) {
	s := tell()
	for i := range 60 {
		s.view(i*10, string(rune('A'+i%17))).search(i*10+1, int64(i))
	}
	p := s.profile()
	for b.Loop() {
		stored, _ := p.MarshalBinary()
		var back profile.Profile
		if err := back.UnmarshalBinary(stored); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(len(stored)), "bytes")
	}
}
