package flow_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/policy"
	"github.com/handschlag/handschlag/profile"
)

// A scorecard is signed with the features that it was fitted on: the day uses it for
// those and no others, and says so when it does not.
func TestTheNightsScorecardJudgesOnlyTheFeaturesItWasFittedOn(t *testing.T) {
	fitted := decide.Scorecard{Base: 3, Features: []decide.Feature{{Name: profile.ProductsViewed, Bins: []decide.Bin{{AtLeast: 1, Points: 4}}}}}
	own := fitted.Sign(profile.CatalogueVersion())
	changed := own
	changed.Base = 50
	for name, c := range map[string]struct {
		card decide.Scorecard
		used bool
	}{
		"its own features": {own, true}, "other features": {fitted.Sign("another"), false}, "unsigned": {fitted, false}, "changed since": {changed, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShop(t, needy)
			s.interested(ada)
			s.escalate(ada, "B12")
			want(t, s.scoredBy(), "test")
			ok(t, s.host.Publish(ctx, flow.Publication{AsOf: s.clock(), Run: "r", Scorecard: &c.card}, nil))
			s.escalate(ada, "B12")
			warnings, err := s.Warnings(ctx)
			ok(t, err)
			told := slices.ContainsFunc(warnings, func(w string) bool { return strings.Contains(w, "not by the night's") })
			a, err := s.Stats(ctx, flow.StatsCall{}, ops)
			ok(t, err)
			by := "test"
			if c.used {
				by = own.Version
			}
			want(t, s.scoredBy(), by)
			want(t, a.Scoring.Version, by)
			want(t, told, !c.used)
			want(t, a.Scoring.Refused != "", !c.used)
		})
	}
}

// scoredBy names the scorecard of the last offer, in its record and by its document.
func (s *shop) scoredBy() string {
	s.t.Helper()
	rs := s.decisions(decide.ActionEscalate)
	r := rs[len(rs)-1]
	b, err := s.host.Document(ctx, r.Digests.Scorecard)
	ok(s.t, err)
	if !strings.Contains(string(b), `"version":"`+r.Need.Version+`"`) {
		s.t.Errorf("the record names scorecard %s, its document is %s", r.Need.Version, b)
	}
	return r.Need.Version
}

// A night may publish the same run again with another scorecard.
func TestAScorecardPublishedLaterCounts(t *testing.T) {
	s := newShop(t, needy)
	s.grant(ada, consent.AdviserAssist)
	for base := range int64(2) {
		card := decide.Scorecard{Base: base, Features: []decide.Feature{}}.Sign(profile.CatalogueVersion())
		ok(t, s.host.Publish(ctx, flow.Publication{AsOf: noon, Run: "r", Scorecard: &card}, nil))
		s.escalate(ada, "B12")
		want(t, s.scoredBy(), card.Version)
	}
}

// What an offer gains is learnt by the night, in cents; below what an adviser costs no
// human is offered unasked, and the record says by which scorecard.
func TestAnOfferHasToGainWhatItCosts(t *testing.T) {
	gains := func(cents int64) decide.Scorecard {
		return decide.Scorecard{Base: cents, Features: []decide.Feature{}}.Sign(profile.CatalogueVersion())
	}
	other := gains(1).Sign("another")
	for name, c := range map[string]struct {
		gain  *decide.Scorecard
		in    int64
		offer string
	}{
		"not known": {nil, 0, flow.OfferHuman}, "more than it costs": {new(gains(1000)), 1000, flow.OfferHuman},
		"less": {new(gains(899)), 899, flow.OfferHint}, "a loss": {new(gains(-50)), 1, flow.OfferHint},
		"fitted on other features": {&other, 0, flow.OfferHuman},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShop(t, needy)
			s.staffed(2, "chat")
			s.interested(ada)
			ok(t, s.host.Publish(ctx, flow.Publication{AsOf: s.clock(), Run: "r", Gain: c.gain}, nil))
			want(t, s.escalate(ada, "J7").Offer, flow.OfferHint)
			s.wait(11 * time.Minute)
			want(t, s.outcome(s.view(ada, "S1")), "admitted: adviser_assist")
			got := s.escalate(ada, "J7")
			r := s.decisions(decide.ActionEscalate)[1]
			var in policy.EscalateInput
			ok(t, json.Unmarshal(r.Input, &in))
			want(t, in.GainCents, c.in)
			want(t, got.Offer, c.offer)
			want(t, r.Digests.Gain != "", c.in > 0)
		})
	}
}
