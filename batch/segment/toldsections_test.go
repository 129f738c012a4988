package segment

import (
	"bytes"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/handschlag/handschlag/batch/learn/variant"
	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/consent"
)

// twoArms is a report of what offers bring: known with a gain, or not known.
func twoArms(offered, heldOut int64, gain *Figure, recommend bool) *Report {
	o := &OfferSection{Offered: Arm{Persons: &offered}, HeldOut: Arm{Persons: &heldOut, Conversion: &Figure{.1, .05, .15}, NetCents: at(100.)}}
	if gain != nil {
		o.Known, o.Recommend, o.GainCents = true, recommend, gain
		o.Offered.Conversion, o.Offered.NetCents = &Figure{.2, .1, .3}, at(200.)
		o.Conversion, o.NetCents, o.Target = &Figure{.1, .01, .2}, &Figure{100, 10, 200}, at(int64(300))
		o.Advice = &Words{En: map[bool]string{true: "Offer.", false: "Do not."}[recommend]}
	}
	return &Report{AsOf: monday, Offer: o}
}

// What is recommended never stands beside numbers of another night: both are as last told, or
// both are tonight's.
func TestNoVerdictStandsBesideNumbersOfAnotherNight(t *testing.T) {
	loss, gain := &Figure{-90, -190, -1}, &Figure{90, 1, 190}
	for name, c := range map[string]struct {
		before, tonight *Report
		want            *Report // told of first
	}{
		"a loss turns to a gain with the same persons": {twoArms(400, 400, loss, false), twoArms(405, 405, gain, true), twoArms(400, 400, loss, false)},
		"with others":                   {twoArms(400, 400, loss, false), twoArms(455, 405, gain, true), twoArms(450, 400, gain, true)},
		"it comes to be known":          {twoArms(400, 400, nil, false), twoArms(405, 405, gain, true), twoArms(400, 400, gain, true)},
		"it is known no more":           {twoArms(400, 400, gain, true), twoArms(405, 405, nil, false), twoArms(400, 400, nil, false)},
		"one group's share is withheld": {twoArms(60, 60, gain, true), twoArms(120, 62, nil, false), twoArms(100, 50, nil, false)},
	} {
		one := toldAfter(t, memory{}, c.before)
		two, want := toldAfter(t, one.memory(), c.tonight), toldAfter(t, memory{}, c.want)
		if got, want := mustJSON(t, two.Offer), mustJSON(t, want.Offer); !bytes.Equal(got, want) {
			t.Errorf("%s: told %s, want %s", name, got, want)
		}
		two.K, two.Tenant = 25, "shop"
		if page, err := two.page(); err != nil || two.Offer.Recommend != strings.Contains(string(page), "Recommended:") {
			t.Errorf("%s: the page recommends otherwise, or is none: %v", name, err)
		}
	}
}

// A model is told with its own parameters, a card with its own area.
func TestASectionIsOfOneModel(t *testing.T) {
	valued := func(model string, p ...Parameter) *Report {
		return &Report{AsOf: monday, Value: &ValueSection{Known: true, Model: model, Persons: at(int64(400)), Parameters: p}}
	}
	plain := toldAfter(t, memory{}, valued("BG/NBD, Gamma-Gamma", Parameter{"r", .24}, Parameter{"log_likelihood", -9582}))
	slowing := valued("Slowing, Gamma-Gamma", Parameter{"r", .9}, Parameter{"s", 2})
	want := mustJSON(t, toldAfter(t, memory{}, valued("Slowing, Gamma-Gamma", Parameter{"r", .9}, Parameter{"s", 2})).Value)
	if got := mustJSON(t, toldAfter(t, plain.memory(), slowing).Value); !bytes.Equal(got, want) {
		t.Errorf("told %s, want %s", got, want)
	}
	judged := func(known bool) *Report {
		s := &NeedSection{Known: known, Sessions: at(int64(400)), Needing: at(int64(120)), Verdict: NotKnown}
		if known {
			s.Verdict, s.AUC, s.Error = Calibrated, Figure{.8, .75, .85}, .03
		}
		return &Report{AsOf: monday, Need: s}
	}
	none := toldAfter(t, memory{}, judged(false))
	two := toldAfter(t, none.memory(), judged(true))
	if l := (view{R: *two}).glanceNeed(); two.Need.AUC.Mean < .75 || !strings.HasSuffix(l.Text, "0.800") && !strings.HasSuffix(l.Text, "0,800") {
		t.Errorf("told %s, at a glance %+v", mustJSON(t, two.Need), l)
	}
}

// New shares that come to be in force are told with the values that they were judged by, and
// so is an alarm: neither waits for k persons.
func TestAPromotionIsToldWithItsValues(t *testing.T) {
	slot := func(promoted, alarm bool, next Figure) *Report {
		return &Report{AsOf: monday, Variants: []VariantSection{{
			Slot: "hero", Known: true, Rows: []VariantRow{{Variant: "a", N: at(int64(5_000))}}, Alarm: &RatioAlarm{N: at(int64(900)), P: .5, Alarm: alarm},
			Promotion: &Promotion{Persons: at(int64(5_000)), Promoted: promoted, Now: Figure{.04, .04, .04}, Next: next, Effective: 3_000},
		}}}
	}
	worse, better := Figure{.03, .02, .035}, Figure{.06, .05, .07}
	before := toldAfter(t, memory{}, slot(false, false, worse))
	for _, promoted := range []bool{true, false} {
		two := toldAfter(t, before.memory(), slot(promoted, !promoted, better)).Variants[0]
		if p := two.Promotion; p.Promoted != promoted || two.Alarm.Alarm == promoted || p.Next.Mean < p.Now.Mean {
			t.Errorf("told %s", mustJSON(t, two))
		}
	}
	again := toldAfter(t, before.memory(), slot(false, false, better)).Variants[0]
	if !bytes.Equal(mustJSON(t, again), mustJSON(t, before.Variants[0])) {
		t.Errorf("told %s", mustJSON(t, again))
	}
}

// Where the number of persons is not told, or a true one under k is told again above it, nothing
// is told anew of them, and nothing is known of what rests on them.
func TestNothingIsToldAnewOfFewPersons(t *testing.T) {
	hidden := toldAfter(t, memory{}, twoArms(20, 400, nil, false))
	two := toldAfter(t, hidden.memory(), twoArms(40, 460, &Figure{90, 1, 190}, true)).Offer
	if two.Known || two.Recommend || two.GainCents != nil || two.Reason == nil || *two.Reason != fewKnown || *two.HeldOut.Persons != 450 {
		t.Errorf("40 of whom 20 were not told: %s", mustJSON(t, two))
	}
	nobody := toldAfter(t, memory{}, twoArms(400, 400, &Figure{-90, -190, -1}, false))
	nobody.Offer.Target = at(int64(0))
	some := twoArms(460, 400, &Figure{90, 1, 190}, true)
	some.Offer.Target = at(int64(20))
	if two := toldAfter(t, nobody.memory(), some).Offer; two.Recommend || *two.Target != 0 {
		t.Errorf("recommended for nobody: %s", mustJSON(t, two))
	}
	tiers := func(persons, all int64) *Report {
		return &Report{AsOf: monday, Value: &ValueSection{Known: true, Persons: &all, Tiers: []ValueTier{{Tier: 1, Persons: &persons, MeanCents: at(1_234.)}}}}
	}
	before := toldAfter(t, memory{}, tiers(30, 400))
	if tier := toldAfter(t, before.memory(), tiers(3, 460)).Value.Tiers[0]; tier.MeanCents != nil || *tier.Persons != 25 {
		t.Errorf("of 3 buyers: %s", mustJSON(t, tier))
	}
}

// A group of buyers is called by the middle that it is told with.
func TestAGroupIsNamedByItsOwnMiddle(t *testing.T) {
	group := func(persons int64, name string, orders int64) *Report {
		return &Report{AsOf: monday, Micro: []MicroSegment{{Label: 1, Name: Words{En: name}, Persons: &persons, Orders: orders}}}
	}
	first := toldAfter(t, memory{}, group(60, "seldom", 1))
	if again := toldAfter(t, first.memory(), group(70, "often", 9)).Micro[0]; again.Name.En != "seldom" || again.Orders != 1 {
		t.Errorf("10 more: told %s", mustJSON(t, again))
	}
	if anew := toldAfter(t, first.memory(), group(110, "often", 9)).Micro[0]; anew.Name.En != "often" || anew.Orders <= 1 {
		t.Errorf("50 more: told %s", mustJSON(t, anew))
	}
}

// One of a hold-out of k who withdraws leaves nothing to compare with: the reason would say so.
func TestOneWithdrawalChangesNoReason(t *testing.T) {
	s := newShop(t)
	for n := range 90 {
		who, at := subject(n), monday.Add(time.Duration(n)*time.Second)
		s.learner(who)
		s.orders1(who, int64(n+1), at.Add(time.Hour), 20_000)
		s.offers(who, n, at, n < 25, map[string]int64{})
	}
	first := s.run(s.night(monday.AddDate(0, 0, 15))).Report.Offer
	s.says(subject(0), consent.Withdrawn, monday.AddDate(0, 0, 14).Add(time.Hour), consent.ModelTraining)
	second := s.run(s.night(monday.AddDate(0, 0, 16))).Report.Offer
	if *first.HeldOut.Persons != 25 || first.Reason == nil || !bytes.Equal(mustJSON(t, first), mustJSON(t, second)) {
		t.Errorf("told %s, then %s", mustJSON(t, first), mustJSON(t, second))
	}
}

// The interval of new shares' value is around that value, and not of a gain over other shares.
func TestAValueStandsWithinItsInterval(t *testing.T) {
	n := &night{k: 25, in: Inputs{Config: &config.Config{}}}
	next := n.boardOf(variant.Proposal{
		Board:     []variant.Row{{Slot: "hero", Variant: "a", N: 5_000, Mean: .05, Low: .04, High: .06}},
		Promotion: variant.Promotion{Current: .10, Value: .05, ValueSE: .01, Gain: .02, Low: .01, High: .03},
	}).Promotion.Next
	if e := z95 * .01; next.Mean != .05 || math.Abs(next.Low-.05+e) > 1e-12 || math.Abs(next.High-.05-e) > 1e-12 {
		t.Errorf("the value is %+v, want .05 and %v on both sides", next, e)
	}
}
