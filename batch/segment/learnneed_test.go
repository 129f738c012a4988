package segment

import (
	"testing"
	"time"

	"github.com/handschlag/handschlag/batch/learn"
	"github.com/handschlag/handschlag/profile"
)

// welcomed is a shop in which offers are taken up by chance, more often where the
// features say so; every contact is closed.
func welcomed(t *testing.T, people int, chance func(guide, errors int64) float64) *shop {
	s := newShop(t)
	for n := range people {
		who, r := subject(n), learn.NewRandom(6, uint64(n))
		s.learner(who)
		at := monday.Add(time.Duration(n) * time.Second)
		guide, errors := int64(r.IntN(3)), int64(r.IntN(2))
		id := s.offers(who, n, at, false, map[string]int64{profile.SizeGuideOpens: guide, profile.CheckoutErrors: errors})
		if r.Float64() < chance(guide, errors) {
			s.closes(who, id, []string{"helped", "sold", "follow_up"}[n%3], at.Add(time.Minute))
		} else if r.Float64() < .2 {
			s.closes(who, id, "not_needed", at.Add(time.Minute))
		}
	}
	return s
}

// The points of need are learnt from which offers were welcome: more opened size guides
// earn more, what says nothing earns nothing, and the card is signed for the features.
func TestTheNightLearnsWhoWelcomesHelp(t *testing.T) {
	s := welcomed(t, 3000, func(guide, _ int64) float64 { return []float64{.1, .3, .6}[guide] })
	in := s.night(monday.AddDate(0, 0, 9))
	in.Config.Scorecard, in.Config.Offers.NeedHuman = needing(), 40
	res := s.run(in)
	card := res.Publication.Scorecard
	if card == nil || card.Fits(profile.CatalogueVersion()) != nil {
		t.Fatalf("no card was published: %+v", res.Report.Need)
	}
	points := func(guide, errors int64) int64 {
		return card.Score(map[string]int64{profile.SizeGuideOpens: guide, profile.CheckoutErrors: errors}).Total
	}
	// Odds of .1, .3 and .6 are 1 : 3.9 : 13.5; ten points double the odds.
	if a, b := points(1, 0)-points(0, 0), points(2, 0)-points(0, 0); a < 14 || a > 25 || b < 31 || b > 44 {
		t.Errorf("one and two opened guides earn %d and %d points, want about 19 and 38", a, b)
	}
	if e := points(0, 1) - points(0, 0); e < 0 || e > 4 {
		t.Errorf("a checkout error earns %d points and says nothing", e)
	}
	n := res.Report.Need
	if !n.Known || n.AUC.Mean < .65 || len(n.Bins) == 0 || len(n.Points) == 0 || *n.Sessions != 3000 {
		t.Errorf("the report says %+v", n)
	}
}

// Where the features say nothing, or too few offers were welcome, the configured card stays.
func TestWithoutASignTheConfiguredCardStays(t *testing.T) {
	for name, c := range map[string]struct {
		people int
		chance float64
	}{"features say nothing": {1200, .3}, "too few": {200, .1}} {
		t.Run(name, func(t *testing.T) {
			s := welcomed(t, c.people, func(int64, int64) float64 { return c.chance })
			in := s.night(monday.AddDate(0, 0, 9))
			in.Config.Scorecard, in.Config.Offers.NeedHuman = needing(), 40
			res := s.run(in)
			if res.Publication.Scorecard != nil || res.Report.Need.Known || res.Report.Need.Reason == nil {
				t.Errorf("published %+v, the report says %+v", res.Publication.Scorecard, res.Report.Need)
			}
		})
	}
}
