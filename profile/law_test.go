package profile_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/profile"
	"pgregory.net/rapid"
)

var products = []string{"", "A", "B", "C", "D"}

// anyEvent draws events of every kind: within a session, across sessions, late,
// and admitted for any of the purposes.
func anyEvent(t *rapid.T) event.Event {
	f := event.Fields{
		Product: rapid.SampledFrom(products).Draw(t, "product"), Variant: rapid.SampledFrom([]string{"", "S", "M"}).Draw(t, "variant"),
		Quantity: rapid.Int64Range(-1, 3).Draw(t, "quantity"), PriceCents: rapid.Int64Range(0, 500).Draw(t, "price"),
		QueryKey: rapid.Int64Range(0, 4).Draw(t, "query"), Results: rapid.Int64Range(-1, 1).Draw(t, "results"),
		QueryExact: rapid.Bool().Draw(t, "exact"), QueryWords: rapid.SliceOfN(rapid.SampledFrom(products), 0, 9).Draw(t, "words"),
		CartCents: rapid.Int64Range(0, 900).Draw(t, "cart"), OrderKey: rapid.Int64Range(0, 3).Draw(t, "order"),
		DwellMS: rapid.SampledFrom([]int64{0, 0, 700, 900_000}).Draw(t, "dwell"),
		Items: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) event.Item {
			return event.Item{Product: rapid.SampledFrom(products).Draw(t, "line"), Quantity: rapid.Int64Range(0, 3).Draw(t, "n"), PriceCents: 10}
		}), 0, 3).Draw(t, "items"),
		HourBand: rapid.SampledFrom([]string{"", "night", "evening"}).Draw(t, "hour"),
		PageType: rapid.SampledFrom([]string{"", "product", "show"}).Draw(t, "page"),
	}
	purposes := consent.SetOf(rapid.SliceOf(rapid.SampledFrom(append(slices.Clone(profile.Purposes), consent.EssentialService))).Draw(t, "purposes")...)
	return happen(rapid.IntRange(0, 8000).Draw(t, "at"), rapid.SampledFrom(event.Kinds).Draw(t, "kind"), f, purposes)
}

var someEvents = rapid.SliceOfN(rapid.Custom(anyEvent), 0, 40)

func stored(t *rapid.T, p profile.Profile) []byte {
	b, err := p.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestOneBatchIsTheSameAsOneByOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events := someEvents.Draw(t, "events")
		var single profile.Profile
		for _, e := range events {
			before := stored(t, single)
			next := single.Apply([]event.Event{e})
			if !bytes.Equal(before, stored(t, single)) {
				t.Fatal("Apply changed the profile that it was called on")
			}
			single = next
		}
		cut := rapid.IntRange(0, len(events)).Draw(t, "cut")
		two := profile.Profile{}.Apply(events[:cut]).Apply(events[cut:])
		one := stored(t, profile.Profile{}.Apply(events))
		if !bytes.Equal(one, stored(t, single)) || !bytes.Equal(one, stored(t, two)) {
			t.Fatal("the ways differ")
		}
	})
}

func TestSharedProfilesDoNotWriteIntoEachOther(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		base := profile.Profile{}.Apply(someEvents.Draw(t, "base"))
		a := base.Apply(someEvents.Draw(t, "a"))
		was := stored(t, a)
		base.Apply(someEvents.Draw(t, "b")).Offered(profile.OfferedHint, noon)
		if !bytes.Equal(was, stored(t, a)) {
			t.Fatal("a sibling changed it")
		}
	})
}

// An event changes the sections of the purposes that admitted it and no other,
// and a section looks as if the other purposes did not exist.
func TestASectionKnowsOnlyWhatItsPurposeAdmitted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events := someEvents.Draw(t, "events")
		p := profile.Profile{}.Apply(events)
		for _, x := range profile.Purposes {
			var only []event.Event
			for _, e := range events {
				if e.Purposes().Has(x) {
					r := e.Row()
					r.Purposes, r.Cases, r.Keeps = int64(consent.SetOf(x)), r.Cases[:1], r.Keeps[:1]
					only = append(only, r.Event())
				}
			}
			alone := profile.Profile{}.Apply(only)
			if !sameSection(t, p, alone, x) {
				t.Fatalf("the section of %s depends on other purposes", x)
			}
		}
	})
}

func sameSection(t *rapid.T, a, b profile.Profile, x consent.Purpose) bool {
	only := func(p profile.Profile) profile.Profile {
		var out profile.Profile
		if s, ok := p.Sections[x]; ok {
			out.Sections = map[consent.Purpose]profile.Section{x: s}
		}
		return out
	}
	return bytes.Equal(stored(t, only(a)), stored(t, only(b)))
}

func TestWithoutLeavesNoTrace(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events := someEvents.Draw(t, "events")
		p := profile.Profile{}.Apply(events)
		gone := rapid.SampledFrom(profile.Purposes).Draw(t, "withdrawn")
		had := stored(t, p)
		left := p.Without(gone)
		if !bytes.Equal(had, stored(t, p)) {
			t.Fatal("Without changed the profile that it was called on")
		}
		if _, ok := left.Sections[gone]; ok || left.Features(gone, noon) != nil {
			t.Fatal("the section is still there")
		}
		for _, x := range profile.Purposes {
			if x != gone && !sameSection(t, p, left, x) {
				t.Fatalf("the section of %s changed", x)
			}
		}
		none := p.Without(profile.Purposes...)
		if len(p.Sections) > 0 && len(none.Recent) > 0 {
			t.Fatal("message keys outlived the last section")
		}
		if gone == consent.AdviserAssist && (left.Offers(noon) != profile.OfferFacts{SecondsSinceDismissed: -1, SecondsSinceOffer: -1}) {
			t.Fatal("offers are remembered")
		}
	})
}

var abandonment = []string{
	"cart_adds", "cart_removes", "cart_units", "cart_value_cents", "basket_idle_seconds", "past_baskets_left", "checkout_open",
	"checkout_errors", "checkout_idle_seconds",
}

func TestACompletedOrderResetsAbandonment(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events := append(someEvents.Draw(t, "events"), happen(9000, event.OrderCompleted, event.Fields{OrderKey: 9}, all))
		p := profile.Profile{}.Apply(events)
		for _, x := range profile.Purposes {
			got := p.Features(x, noon.Add(9300*time.Second))
			for _, name := range abandonment {
				if got[name] != 0 {
					t.Fatalf("%s: %s is %d", x, name, got[name])
				}
			}
		}
		if len(p.Trail().Basket) > 0 {
			t.Fatal("the card still shows a basket")
		}
	})
}

func TestFeaturesAreThoseThatTheCatalogueAllows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := profile.Profile{}.Apply(someEvents.Draw(t, "events"))
		now := noon.Add(time.Duration(rapid.IntRange(-100, 20_000).Draw(t, "now")) * time.Second)
		for _, x := range profile.Purposes {
			got := p.Features(x, now)
			for _, f := range profile.Catalogue() {
				v, ok := got[f.Name]
				if want := got != nil && slices.Contains(f.Purposes, x); ok != want {
					t.Fatalf("%s for %s: there %t, want %t", f.Name, x, ok, want)
				}
				if v < 0 && f.Name != profile.HourBand {
					t.Fatalf("%s is %d", f.Name, v)
				}
				delete(got, f.Name)
			}
			if len(got) > 0 {
				t.Fatalf("not in the catalogue: %v", got)
			}
		}
	})
}

func TestWhatIsStoredReadsBackTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := profile.Profile{}.Apply(someEvents.Draw(t, "events")).Offered(profile.OfferedHint, noon.Add(time.Hour))
		b := stored(t, p)
		var read profile.Profile
		if err := read.UnmarshalBinary(b); err != nil || !bytes.Equal(b, stored(t, read)) {
			t.Fatalf("read back: %v", err)
		}
		text, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		var parsed profile.Profile
		if err := json.Unmarshal(text, &parsed); err != nil || !bytes.Equal(b, stored(t, parsed)) {
			t.Fatalf("parsed: %v", err)
		}
	})
}

func FuzzUnmarshalBinary(f *testing.F) {
	empty, _ := profile.Profile{}.MarshalBinary()
	full, _ := tell().view(0, "A").search(1, 2).put(2, "A", 1, 5).plain(3, event.CheckoutStarted).profile().MarshalBinary()
	f.Add(empty)
	f.Add(full)
	f.Add(full[:len(full)-1])
	f.Fuzz(func(t *testing.T, b []byte) {
		var p profile.Profile
		if p.UnmarshalBinary(b) != nil {
			return
		}
		first, err := p.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		var again profile.Profile
		if err := again.UnmarshalBinary(first); err != nil {
			t.Fatal(err)
		}
		if second, _ := again.MarshalBinary(); !bytes.Equal(first, second) {
			t.Fatal("written again, it differs")
		}
		for _, e := range tell().view(0, "A").search(1, 2).put(2, "A", 1, 5).plain(3, event.CheckoutStarted).events {
			p = p.Apply([]event.Event{e})
		}
		p.Features(consent.AdviserAssist, noon)
		p.Fresh(noon).Trail()
	})
}

func TestStoredProfilesOfAnotherVersionAreRefused(t *testing.T) {
	b, _ := tell().view(0, "A").profile().MarshalBinary()
	for name, bad := range map[string][]byte{
		"another version": append([]byte{2}, b[1:]...), "nothing": nil, "a torn end": b[:len(b)-1], "a byte too many": append(slices.Clone(b), 0),
	} {
		var p profile.Profile
		if err := p.UnmarshalBinary(bad); err == nil {
			t.Errorf("%s was read", name)
		}
	}
}
