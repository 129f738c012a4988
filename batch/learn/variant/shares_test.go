package variant

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/handschlag/handschlag/batch/learn"
	"github.com/handschlag/handschlag/decide"
)

// Whatever the logs say and whoever may see what: published shares are valid and keep the
// floor, what is not eligible is never drawn, a subject keeps its variant, and the logged
// propensity is the share that the variant has among the eligible.
func TestFromLogsToTheDrawOnlyTheEligibleAreChosenAndNobodyStarves(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		slot := grid(rapid.IntRange(1, 6).Draw(t, "headlines"), rapid.IntRange(1, 6).Draw(t, "images"))
		ids, cells := make([]string, len(slot.Variants)), []Cell{}
		for i, v := range slot.Variants {
			ids[i] = v.ID
			for _, segment := range []string{"", "regulars"} {
				c := Cell{Segment: segment, Variant: v.ID, Fold: i % 2}
				for k := range rapid.IntRange(0, 80).Draw(t, "units") {
					c.Add(1/float64(len(slot.Variants)), float64((k*7+i)%5/4), nil)
				}
				cells = append(cells, c)
			}
		}
		p, err := Propose(slot, cells, nil, Alarm{}, learn.Floor, Options{Draws: 100, Seed: rapid.Uint64().Draw(t, "seed")}, Rule{})
		if err != nil {
			t.Fatal(err)
		}
		for _, shares := range []map[string]map[string]int64{p.Weights, p.Candidate} {
			if err := (decide.Weights{Slots: map[string]map[string]map[string]int64{slot.Name: shares}}).Validate(learn.Floor); err != nil {
				t.Fatal(err)
			}
		}
		eligible := rapid.SliceOfDistinct(rapid.SampledFrom(ids), rapid.ID[string]).Draw(t, "eligible")
		promised := decide.Propensities(p.Candidate[""], eligible)
		who := rapid.StringN(1, 20, -1).Draw(t, "who")
		id, ppm, _ := decide.DrawVariant([]byte("key"), who, slot.Name, p.Candidate[""], eligible)
		again, _, _ := decide.DrawVariant([]byte("key"), who, slot.Name, p.Candidate[""], eligible)
		if len(eligible) == 0 {
			if id != "" {
				t.Fatalf("drew %q where nothing is eligible", id)
			}
			return
		}
		if !slices.Contains(eligible, id) || id != again || ppm != promised[id] {
			t.Fatalf("drew %q then %q with %d ppm of %v", id, again, ppm, promised)
		}
		for _, v := range eligible {
			if promised[v] < learn.Floor {
				t.Fatalf("%q has %d ppm among the eligible, under the floor", v, promised[v])
			}
		}
		if len(promised) != len(eligible) {
			t.Fatalf("%d have a share, %d are eligible", len(promised), len(eligible))
		}
	})
}

func TestSharesAreTheProbabilityOfBeingBest(t *testing.T) {
	slot, cells := grid(2, 1), []Cell{}
	for i, rate := range []float64{.5, .52} {
		c := Cell{Variant: slot.Variants[i].ID, N: 1000, Persons: 1000, W: 2000, WW: 4000}
		c.Reward = Sums{Sum: 1000 * rate, Squares: 1000 * rate}
		cells = append(cells, c)
	}
	p, err := Estimate(slot, cells, Options{Draws: 20_000})
	if err != nil {
		t.Fatal(err)
	}
	w, err := p.Weights(learn.Floor, nil)
	if err != nil {
		t.Fatal(err)
	}
	// The probability that the second is better, by the normal integral rather than by draws.
	_, better := p.against("", 1, map[string]int64{slot.Variants[0].ID: learn.Million})
	got := float64(w[""][slot.Variants[1].ID]) / learn.Million
	if se := math.Sqrt(better * (1 - better) / 20_000); math.Abs(got-better) > 4*se {
		t.Errorf("share %.4f, probability %.4f ± %.4f", got, better, se)
	}
}

func TestTheSameNightGivesTheSameSharesInAnyOrderOfItsParts(t *testing.T) {
	slot := grid(4, 3)
	a, b := cellsOf(slot, []string{"", "a"}, 40, 1), cellsOf(slot, []string{"b", ""}, 40, 2)
	var got []map[string]map[string]int64
	for _, cells := range [][]Cell{Merge(a, b), Merge(b, a)} {
		p, err := Estimate(slot, cells, Options{Seed: 9})
		if err != nil {
			t.Fatal(err)
		}
		w, err := p.Weights(learn.Floor, nil)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, w)
	}
	if fmt.Sprint(got[0]) != fmt.Sprint(got[1]) {
		t.Errorf("shares %v, with parts swapped %v", got[0], got[1])
	}
	if len(got[0]) != 3 {
		t.Errorf("segments %v", slices.Sorted(maps.Keys(got[0])))
	}
}

func TestVetoedVariantsKeepTheFloor(t *testing.T) {
	slot := grid(3, 2)
	p, err := Estimate(slot, cellsOf(slot, []string{""}, 400, 3), Options{})
	if err != nil {
		t.Fatal(err)
	}
	w, err := p.Weights(learn.Floor, map[string]bool{"h2-i1": true})
	if err != nil || w[""]["h2-i1"] != learn.Floor {
		t.Errorf("a vetoed variant has %d ppm (%v)", w[""]["h2-i1"], err)
	}
}

func TestSharesRefuse(t *testing.T) {
	slot := grid(2, 1)
	p, err := Estimate(slot, nil, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Weights(learn.Million/2+1, nil); err == nil {
		t.Error("two floors above one half each were given")
	}
	for name, c := range map[string]Cell{
		"unknown variant": {Variant: "x"}, "more persons than units": {Variant: "h0-i0", N: 1, Persons: 2, W: 2, WW: 4},
		"propensity above 1": {Variant: "h0-i0", N: 2, Persons: 2, W: 1, WW: 1}, "not a number": {Variant: "h0-i0", N: 1, Persons: 1, W: 1, WW: 1, Reward: Sums{Sum: math.NaN()}},
	} {
		if _, err := Estimate(slot, []Cell{c}, Options{}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
