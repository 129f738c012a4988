package flow_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/profile"
)

// hero is a slot with a default, four more, one of a sold-out product and one
// for those who are logged in.
func hero(c *config.Config) {
	blocks := config.Default().Slots["home_hero"].Variants[0].Blocks
	c.Slots = map[string]config.Slot{"hero": {Variants: []config.Variant{
		{ID: "plain", Default: true, Locales: []string{"de", "en"}, Blocks: blocks},
		{ID: "a", Locales: []string{"de"}, Blocks: blocks}, {ID: "b", Locales: []string{"de"}, Blocks: blocks},
		{ID: "c", Locales: []string{"en"}, Blocks: blocks},
		{ID: "sold-out", Locales: []string{"de"}, Product: "OUT", Blocks: blocks},
		{ID: "gone", Locales: []string{"de"}, Product: "never-imported", Blocks: blocks},
		{ID: "in-stock", Locales: []string{"de"}, Product: "B12", Blocks: blocks},
		{ID: "members", Locales: []string{"de"}, NeedsLogin: true, Blocks: blocks},
		{ID: "nagging", Locales: []string{"de"}, Flags: []string{"urgency"}, Blocks: blocks},
	}}}
}

func (s *shop) variant(device, locale string) flow.VariantAnswer {
	s.t.Helper()
	a, err := s.Variant(ctx, flow.VariantCall{AnonymousID: device, Slot: "hero", Locale: locale}, browser)
	ok(s.t, err)
	return a
}

func TestWithConsentAVisitorKeepsTheVariant(t *testing.T) {
	s := newShop(t, hero)
	s.grant(ada, consent.PersonalisationContent, consent.Experimentation)
	first := s.variant(ada, "de")
	for range 20 {
		s.wait(time.Hour)
		want(t, s.variant(ada, "de").Variant, first.Variant)
	}
	want(t, s.counts("variant/hero/")["variant/hero/"+first.Variant], 21)
}

func TestWithoutConsentEveryCallIsDrawnAnew(t *testing.T) {
	s := newShop(t, hero)
	seen := map[string]int{}
	for range 200 {
		seen[s.variant(ada, "de").Variant]++
	}
	want(t, len(seen), 4) // plain a b in-stock
	for v, n := range seen {
		if n < 20 {
			t.Errorf("%s was drawn %d times of 200", v, n)
		}
	}
	for _, r := range s.decisions(decide.ActionVariant) {
		if !r.Subject.IsZero() || max(r.PPM-250_000, 250_000-r.PPM) > 10 || r.Seed == "" {
			t.Fatalf("record %s: subject %v, propensity %d, seed %q", r.ID, r.Subject, r.PPM, r.Seed)
		}
	}
}

func TestWhoSaidNoSeesTheDefaultAtOnce(t *testing.T) {
	for _, p := range []consent.Purpose{consent.PersonalisationContent, consent.Experimentation} {
		s := newShop(t, hero)
		s.grant(ada, consent.PersonalisationContent, consent.Experimentation)
		s.withdraw(ada, p)
		for range 20 {
			want(t, s.variant(ada, "de").Variant, "plain")
		}
	}
}

func TestWhatCannotBeShownIsNeverDrawn(t *testing.T) {
	s := newShop(t, hero)
	for i := range 300 {
		s.grant(fmt.Sprintf("device-%012d", i), consent.Experimentation)
		v := s.variant(fmt.Sprintf("device-%012d", i), "de").Variant
		if slices.Contains([]string{"sold-out", "gone", "members", "nagging", "c"}, v) {
			t.Fatalf("%s was drawn", v)
		}
	}
	mine, err := consent.NewID(consent.Account, adaAcc)
	ok(t, err)
	seen := map[string]bool{}
	for range 200 {
		a, err := s.Variant(ctx, flow.VariantCall{Slot: "hero", Locale: "de"}, flow.Caller{Account: mine})
		ok(t, err)
		seen[a.Variant] = true
	}
	want(t, seen["members"], true)
}

func TestAMissingLocaleFallsBackAndSaysSo(t *testing.T) {
	s := newShop(t, hero)
	a := s.variant(ada, "fr-CH")
	want(t, a.Locale, "de")
	r := s.decisions(decide.ActionVariant)[0]
	var out map[string]any
	ok(t, json.Unmarshal(r.Result, &out))
	want(t, out["locale_asked"], any("fr-CH"))
	want(t, out["locale_used"], any("de"))
	want(t, s.variant(ada, "de-AT").Locale, "")
}

func TestTheVariantsSwitchShowsTheDefault(t *testing.T) {
	s := newShop(t, hero)
	s.grant(ada, consent.PersonalisationContent, consent.Experimentation)
	_, err := s.PutSwitch(ctx, flow.SwitchVariants, flow.SwitchCall{Reason: "drill"}, ops)
	ok(t, err)
	for range 10 {
		a := s.variant(ada, "de")
		want(t, a.Variant, "plain")
		want(t, strings.Contains(rulesOf(a.Reasons), "SWITCH"), true)
	}
}

// segmented configures the segment that loyal publishes.
func segmented(special string) func(*config.Config) {
	return func(c *config.Config) {
		c.Segments = []config.Segment{{Name: "other"}, {Name: "loyal", Special: special}}
	}
}

// loyal publishes a night in which a device is in a segment with weights of its own.
func (s *shop) loyal(device string) {
	s.t.Helper()
	ok(s.t, s.host.Publish(ctx, flow.Publication{AsOf: s.now, Run: "r", Weights: decide.Weights{Version: "w", Slots: map[string]map[string]map[string]int64{
		"hero": {"": {"plain": 1_000_000}, "loyal": {"b": 1_000_000}, "gone": {"b": 1_000_000}},
	}}}, profile.MembersOf(map[consent.Subject]profile.Membership{
		s.subject(consent.Device, device): {Segments: []string{"gone", "other", "loyal"}, Purpose: consent.Analytics, AsOf: s.now, Until: s.now.Add(24 * time.Hour)},
	})))
}

// SPC-01: a segment that gives something away chooses nothing without an explicit
// yes, and the record of that leads to nobody.
func TestASensitiveSegmentTakesNoPartWithoutAnExplicitYes(t *testing.T) {
	s := newShop(t, hero, segmented("health"))
	receipt := s.grant(ada, consent.PersonalisationContent, consent.Experimentation, consent.Analytics)
	s.loyal(ada)
	a := s.variant(ada, "de")
	want(t, a.Variant, "plain")
	want(t, strings.Contains(rulesOf(a.Reasons), "SPC-01"), true)
	r := s.decisions(decide.ActionVariant)[0]
	want(t, r.Subject, consent.Subject{})
	want(t, strings.Contains(string(r.Input)+string(r.Result), receipt.RecordID), false)
	want(t, strings.Contains(string(r.Result), "loyal"), false)

	s.grant(ada, consent.SpecialCategory("health"))
	s.loyal(ada)
	a = s.variant(ada, "de")
	want(t, a.Variant, "b")
	want(t, strings.Contains(rulesOf(a.Reasons), "SPC-01"), false)
}

func TestASegmentThatIsNoMoreConfiguredTakesNoPart(t *testing.T) {
	s := newShop(t, hero)
	s.grant(ada, consent.PersonalisationContent, consent.Experimentation, consent.Analytics)
	s.loyal(ada)
	want(t, s.variant(ada, "de").Variant, "plain")
}

func TestTheNightsWeightsCountBySegment(t *testing.T) {
	s := newShop(t, hero, segmented(""))
	s.grant(ada, consent.PersonalisationContent, consent.Experimentation, consent.Analytics)
	s.loyal(ada)
	want(t, s.variant(ada, "de").Variant, "b")
	want(t, s.variant(bob, "de").Variant, "plain")
	r := s.decisions(decide.ActionVariant)[0]
	if _, err := s.host.Document(ctx, r.Digests.Weights); err != nil {
		t.Errorf("the weights of the decision are not kept: %v", err)
	}
	s.withdraw(ada, consent.PersonalisationContent) // T11: the segment exists, its use ends at once
	want(t, s.variant(ada, "de").Variant, "plain")
	s.grant(ada, consent.PersonalisationContent)
	s.wait(25 * time.Hour) // the segment expired (BAT-08)
	want(t, s.variant(ada, "de").Variant, "plain")
}

func TestAVariantCallNamesTheFieldThatIsWrong(t *testing.T) {
	s := newShop(t, hero)
	for field, call := range map[string]flow.VariantCall{
		"slot":        {AnonymousID: ada, Slot: "nowhere"},
		"locale":      {AnonymousID: ada, Slot: "hero", Locale: "de\x00"},
		"anonymousId": {AnonymousID: "short", Slot: "hero"},
	} {
		_, err := s.Variant(ctx, call, browser)
		faulted(t, err, 422, field)
	}
	want(t, len(s.decisions(decide.ActionVariant)), 0)
}
