package segment

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

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
// one of 200 who had a need, nor 199 of them.
func TestWhoHadANeedIsToldFromKOn(t *testing.T) {
	for _, c := range []struct {
		persons, needing int
		all, some        bool
	}{{4, 1, false, false}, {200, 1, true, false}, {200, 199, true, false}, {200, 24, true, false}, {200, 25, true, true}, {200, 0, true, true}} {
		s := needOf(t, c.persons, c.needing, nil)
		if (s.Sessions != nil) != c.all || (s.Needing != nil) != c.some || s.Known {
			t.Errorf("%d of %d: told %s", c.needing, c.persons, mustJSON(t, s))
		}
		if strings.Contains(s.Reason.En+s.Reason.De, fmt.Sprint(c.needing)) {
			t.Errorf("%d of %d: the reason is %q", c.needing, c.persons, s.Reason.En)
		}
	}
	card := &need.Card{Fit: need.Report{AUC: .7, Rows: 200, Yes: 24}}
	if s := needOf(t, 200, 24, card); s.Known || s.Reason == nil || s.AUC != (Figure{}) {
		t.Errorf("24 of 200 follow from the interval: %s", mustJSON(t, s))
	}
	card.Fit.Yes = 100
	if s := needOf(t, 200, 100, card); !s.Known || *s.Sessions != 200 || *s.Needing != 100 {
		t.Errorf("100 of 200: %s", mustJSON(t, s))
	}
}

// A bin with its share tells how many in it had a need. Whatever the bins: no number from 1
// to under k is told, nor follows from those that are and from all.
func TestABinDoesNotTellWhoHadANeed(t *testing.T) {
	n := &night{k: 25}
	rapid.Check(t, func(t *rapid.T) {
		var bands []learn.Reliability
		all, needing := rapid.Int64Range(0, 30).Draw(t, "in no bin"), int64(0)
		for range rapid.IntRange(1, 10).Draw(t, "bins") {
			yes, no := rapid.IntRange(0, 60).Draw(t, "yes"), rapid.IntRange(0, 60).Draw(t, "no")
			bands = append(bands, learn.Reliability{N: yes + no, Yes: yes, Observed: float64(yes) / max(1, float64(yes+no))})
			all, needing = all+int64(yes+no), needing+int64(yes)
		}
		if n.withhold([]int64{needing, all - needing})[0] == nil {
			return // no bin is told at all
		}
		yes, no, told := needing, all-needing, 0
		for i, b := range n.binsOf(bands, all, needing) {
			if b.N == nil {
				continue
			}
			with := int64(b.Observed*float64(*b.N) + .5)
			if with > 0 && with < 25 || *b.N > with && *b.N-with < 25 {
				t.Fatalf("%+v: bin %d is told", bands, i)
			}
			yes, no, told = yes-with, no-(*b.N-with), told+1
		}
		if told > 0 && (yes > 0 && yes < 25 || no > 0 && no < 25) {
			t.Fatalf("%+v: of the others %d had a need and %d had none", bands, yes, no)
		}
	})
}

// A variant's estimate rests on persons. Where fewer than k saw one, neither that number nor
// one from which it would follow is told.
func TestHowManySawAVariantIsToldAsOfPersons(t *testing.T) {
	n := &night{k: 25, in: Inputs{Config: &config.Config{}}}
	s := n.boardOf(variant.Proposal{Board: []variant.Row{
		{Slot: "s", Variant: "a", N: 400}, {Slot: "s", Variant: "b", N: 0}, {Slot: "s", Variant: "c", N: 60}, {Slot: "s", Segment: "x", Variant: "a", N: 90},
	}})
	if len(s.Rows) != 3 || s.Rows[0].N == nil || *s.Rows[0].N != 400 || s.Rows[1].N != nil || s.Rows[2].N != nil {
		t.Errorf("told %s", mustJSON(t, s.Rows))
	}
}
