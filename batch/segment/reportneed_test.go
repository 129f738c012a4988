package segment

import (
	"fmt"
	"strings"
	"testing"

	"github.com/handschlag/handschlag/batch/learn"
	"github.com/handschlag/handschlag/batch/learn/need"
	"github.com/handschlag/handschlag/batch/learn/variant"
	"github.com/handschlag/handschlag/config"
)

// needOf is what a night tells of offers to persons, some of whom had a need.
func needOf(t *testing.T, persons, needing int, card *need.Card) *NeedSection {
	t.Helper()
	n := &night{k: 25}
	n.needCard = card
	for i := range persons {
		tr := trial{outcome: "not_needed"}
		if i < needing {
			tr.outcome = "helped"
		}
		n.needTrials = append(n.needTrials, tr)
	}
	if err := n.tellNeed(t.Context()); err != nil {
		t.Fatal(err)
	}
	return n.report.Need
}

// Each person counts with one offer, so the numbers are of persons: four are not told, nor
// one of 200 who had a need.
func TestWhoHadANeedIsToldFromKOn(t *testing.T) {
	for _, c := range []struct {
		persons, needing int
		all, some        bool
	}{{4, 1, false, false}, {200, 1, true, false}, {200, 199, true, true}, {200, 24, true, false}, {200, 25, true, true}, {200, 0, true, true}} {
		s := needOf(t, c.persons, c.needing, nil)
		if strings.Contains(s.Reason.En+s.Reason.De, fmt.Sprint(c.needing)) {
			t.Errorf("%d of %d: the reason is %q", c.needing, c.persons, s.Reason.En)
		}
		s = toldAfter(t, memory{}, &Report{Need: s}).Need
		if (s.Sessions != nil) != c.all || (s.Needing != nil) != c.some || s.Known {
			t.Errorf("%d of %d: told %s", c.needing, c.persons, mustJSON(t, s))
		}
	}
	card := &need.Card{Fit: need.Report{AUC: .7, Rows: 200, Yes: 24}}
	for _, needing := range []int{24, 176} {
		if s := needOf(t, 200, needing, card); s.Known || s.Reason == nil || s.AUC != (Figure{}) {
			t.Errorf("%d of 200 follow from the interval: %s", needing, mustJSON(t, s))
		}
	}
	card.Fit.Yes = 100
	if s := toldAfter(t, memory{}, &Report{Need: needOf(t, 200, 100, card)}).Need; !s.Known || *s.Sessions != 200 || *s.Needing != 100 {
		t.Errorf("100 of 200: %s", mustJSON(t, s))
	}
}

// A bin with its share tells how many in it had a need: where those, or those who had none,
// are fewer than k, it is left out.
func TestABinDoesNotTellWhoHadANeed(t *testing.T) {
	n := &night{k: 25}
	for _, c := range []struct {
		yes, no int
		told    bool
	}{{24, 300, false}, {300, 24, false}, {25, 25, true}, {0, 60, true}, {0, 24, false}} {
		bands := []learn.Reliability{{N: c.yes + c.no, Yes: c.yes, Observed: float64(c.yes) / float64(c.yes+c.no)}}
		if b := n.binsOf(bands)[0]; (b.N != nil) != c.told || !c.told && b != (CalibrationBin{}) {
			t.Errorf("%d and %d: told %+v", c.yes, c.no, b)
		}
	}
}

// A variant's estimate rests on persons: where fewer than k saw one, neither is told.
func TestHowManySawAVariantIsToldAsOfPersons(t *testing.T) {
	n := &night{k: 25, in: Inputs{Config: &config.Config{}}}
	r := Report{Variants: []VariantSection{n.boardOf(variant.Proposal{Board: []variant.Row{
		{Slot: "s", Variant: "a", N: 410}, {Slot: "s", Variant: "b", N: 0}, {Slot: "s", Variant: "c", N: 60}, {Slot: "s", Segment: "x", Variant: "a", N: 90},
	}})}}
	rows := toldAfter(t, memory{}, &r).Variants[0].Rows
	if len(rows) != 3 || *rows[0].N != 400 || rows[1].N != nil || rows[1].Estimate != nil || *rows[2].N != 50 {
		t.Errorf("told %s", mustJSON(t, rows))
	}
}
