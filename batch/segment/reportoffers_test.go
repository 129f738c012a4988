package segment

import (
	"strings"
	"testing"

	"github.com/handschlag/handschlag/batch/learn/uplift"
	"github.com/handschlag/handschlag/config"
)

// offersOf is what a night of arms tells of offers: known, half of the offers taken up.
func offersOf(t *testing.T, heldOut, offered arm, takenUp int64) *OfferSection {
	t.Helper()
	n := &night{k: 25, in: Inputs{Config: &config.Config{}}}
	n.arms, n.takenUp = [2]arm{heldOut, offered}, takenUp
	n.in.Config.Offers.CostCents = 400
	n.effect.Known, n.effect.Effect, n.effect.Target.Share, n.effect.Reason = true, 900, .3, uplift.Differs
	if err := n.tellOffers(t.Context()); err != nil {
		t.Fatal(err)
	}
	return n.report.Offer
}

func many(persons, ordered int64) arm {
	return arm{persons: persons, ordered: ordered, netCents: ordered * 5_000, squares: float64(ordered) * 25e6}
}

// 75 of 200 ordered with an offer, and 3 of 200 of the hold-out: whoever knows .375 and that
// the difference is .36 knows the three. Nothing of the difference is told then, nor where
// all but three ordered.
func TestTheDifferenceDoesNotTellAWithheldArm(t *testing.T) {
	for name, small := range map[string]arm{"three ordered": many(200, 3), "all but three ordered": many(200, 197)} {
		for side, o := range map[string]*OfferSection{"held out": offersOf(t, small, many(200, 75), 100), "offered": offersOf(t, many(200, 75), small, 100)} {
			if o.Conversion != nil || o.NetCents != nil || o.GainCents != nil || o.Q != nil || (o.HeldOut.Conversion == nil) == (o.Offered.Conversion == nil) {
				t.Errorf("%s, %s: told %s", side, name, mustJSON(t, o))
			}
			if !o.Known || o.HeldOut.Persons == nil || o.Offered.Persons == nil || o.AdviserCents == nil {
				t.Errorf("%s, %s: withheld more than it has to: %s", side, name, mustJSON(t, o))
			}
			r := richReport()
			r.Offer = o
			for lang, half := range halves(t, pageOf(t, r)) {
				words := map[string]string{"en": "The effect is withheld", "de": "Die Wirkung ist zurückgehalten"}[lang]
				if !strings.Contains(half, words) || strings.Contains(half, lang+"-chart-arms") || strings.Contains(half, lang+"-chart-gain") {
					t.Errorf("%s, %s: the page in %s tells the effect", side, name, lang)
				}
			}
		}
	}
	if o := offersOf(t, many(200, 30), many(200, 75), 100); o.Conversion == nil || o.NetCents == nil || o.GainCents == nil || o.HeldOut.NetCents == nil {
		t.Errorf("two large arms: %s", mustJSON(t, o))
	}
}

// What an offer costs is a contact's cost times the share who took it up: of three, or of
// all but three, it would tell them.
func TestTheCostOfAnOfferDoesNotTellWhoTookItUp(t *testing.T) {
	for took, told := range map[int64]bool{3: false, 197: false, 0: true, 100: true} {
		if o := offersOf(t, many(200, 30), many(200, 75), took); (o.AdviserCents != nil) != told || (o.GainCents != nil) != told || o.NetCents == nil {
			t.Errorf("%d took it up: %s", took, mustJSON(t, o))
		}
	}
}
