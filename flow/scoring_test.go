package flow_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/flow"
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
