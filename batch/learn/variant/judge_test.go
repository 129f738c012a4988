package variant

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/handschlag/handschlag/batch/learn"
	"github.com/handschlag/handschlag/decide"
)

// shop draws n units of a slot under shares: variant v is rewarded with rate[v], and
// returned with back[v]. Units go to the folds by turns.
func shop(slot Slot, n int, shares map[string]int64, rate, back []float64, seed uint64) []Cell {
	r, at, cells := learn.NewRandom(seed), map[string]int{}, make([]Cell, Folds*len(slot.Variants))
	ids := make([]string, len(slot.Variants))
	for i, v := range slot.Variants {
		at[v.ID], ids[i] = i, v.ID
		for f := range Folds {
			cells[Folds*i+f] = Cell{Variant: v.ID, Fold: f}
		}
	}
	promised := decide.Propensities(shares, ids)
	for k := range n {
		u, id := int64(r.IntN(decide.Million)), ""
		for _, id = range ids {
			if u -= promised[id]; u < 0 {
				break
			}
		}
		reward, returned := 0.0, 0.0
		if r.Float64() < rate[at[id]] {
			reward = 1
		}
		if r.Float64() < back[at[id]] {
			returned = 1
		}
		cells[Folds*at[id]+k%Folds].Add(float64(promised[id])/decide.Million, reward, map[string]float64{"returns": returned})
	}
	return cells
}

// The sums give the estimate and its error exactly as unit by unit: the slow oracle keeps
// every unit.
func TestSumsGiveTheSameAsUnits(t *testing.T) {
	slot, r := grid(2, 2), learn.NewRandom(4)
	current := map[string]map[string]int64{"": {"h0-i0": 700_000, "h0-i1": 100_000, "h1-i0": 100_000, "h1-i1": 100_000}}
	candidate := map[string]map[string]int64{"": {"h0-i0": 100_000, "h0-i1": 600_000, "h1-i0": 200_000, "h1-i1": 100_000}}
	q := map[string]float64{"h0-i0": .3, "h0-i1": .4, "h1-i0": .2, "h1-i1": .1}
	var z []float64
	cells := []Cell{}
	for _, eligible := range [][]string{nil, {"h0-i1", "h1-i0", "h0-i0"}} {
		own := eligible
		if own == nil {
			own = []string{"h0-i0", "h0-i1", "h1-i0", "h1-i1"}
		}
		a, b := decide.Propensities(candidate[""], own), decide.Propensities(current[""], own)
		for _, id := range own {
			c := Cell{Variant: id, Eligible: eligible}
			for range 50 {
				p, y := .1+.9*r.Float64(), float64(r.IntN(3))
				c.Add(p, y, nil)
				x := float64(a[id]-b[id]) / decide.Million / p * (y - q[id])
				for _, v := range own {
					x += float64(a[v]-b[v]) / decide.Million * q[v]
				}
				z = append(z, x)
			}
			cells = append(cells, c)
		}
	}
	var got tally
	got.add(slot, cells, candidate, current, func(_, v string) float64 { return q[v] }, func(c Cell) Sums { return c.Reward })
	mean, squares := 0.0, 0.0
	for _, x := range z {
		mean += x / float64(len(z))
	}
	for _, x := range z {
		squares += (x - mean) * (x - mean)
	}
	se := math.Sqrt(squares / float64(len(z)) / float64(len(z)-1))
	if math.Abs(got.mean()-mean) > 1e-9 || math.Abs(got.se()-se) > 1e-9 {
		t.Errorf("sums: %.9f ± %.9f, units: %.9f ± %.9f", got.mean(), got.se(), mean, se)
	}
}

// steady gives every variant the same figure, but one.
func steady(n int, all float64, but int, other float64) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = all
	}
	out[but] = other
	return out
}

func TestBetterSharesArePromoted(t *testing.T) {
	slot := grid(3, 2)
	cells := shop(slot, 30_000, nil, steady(6, .03, 4, .06), steady(6, .05, 0, .05), 1)
	p, err := Propose(slot, cells, nil, Alarm{}, learn.Floor, Options{}, Rule{Guards: []Metric{{Name: "returns"}}})
	if err != nil {
		t.Fatal(err)
	}
	if !p.Promotion.Promote || p.Weights[""]["h2-i0"] < 800_000 || p.Promotion.Low <= 0 {
		t.Errorf("%+v, shares %v", p.Promotion, p.Weights[""])
	}
	for _, r := range p.Board {
		if (r.Verdict == "better") != (r.Variant == "h2-i0") {
			t.Errorf("%+v", r)
		}
	}
}

// R58: better sales with worse returns do not win.
func TestAVariantThatSellsMoreAndIsReturnedMoreIsNotPromoted(t *testing.T) {
	slot := grid(3, 2)
	cells := shop(slot, 30_000, nil, steady(6, .03, 4, .06), steady(6, .05, 4, .10), 2)
	p, err := Propose(slot, cells, nil, Alarm{}, learn.Floor, Options{}, Rule{Guards: []Metric{{Name: "returns"}}})
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Vetoes) != 1 || p.Vetoes[0].Metric != "returns" || p.Vetoes[0].Variant != "h2-i0" || p.Candidate[""]["h2-i0"] != learn.Floor {
		t.Errorf("vetoes %+v, candidate %v", p.Vetoes, p.Candidate[""])
	}
	one := map[string]map[string]int64{"": {"h2-i0": learn.Million}} // shares made by hand
	j := Judge(slot, cells, complete1(t, slot), one, p.Posterior, Rule{Guards: []Metric{{Name: "returns"}}})
	if j.Promote || !strings.Contains(fmt.Sprint(j.Reasons), "veto: returns gets worse") {
		t.Errorf("%+v", j)
	}
}

// The value of new shares has an interval of its own, which holds the truth as often as it says.
func TestTheIntervalOfAValueHoldsTheTruth(t *testing.T) {
	slot, one := grid(3, 2), map[string]map[string]int64{"": {"h2-i0": learn.Million}}
	rates, none := steady(6, .1, 4, .2), steady(6, 0, 0, 0)
	model, err := Estimate(slot, shop(slot, 6_000, nil, rates, none, 1_000), Options{})
	if err != nil {
		t.Fatal(err)
	}
	const shops = 400
	held := 0
	for seed := range uint64(shops) {
		j := Judge(slot, shop(slot, 3_000, nil, rates, none, seed), complete1(t, slot), one, model, Rule{})
		if math.Abs(j.Value-.2) <= 1.959964*j.ValueSE {
			held++
		}
	}
	if share := float64(held) / shops; math.Abs(share-.95) > 3*math.Sqrt(.95*.05/shops) {
		t.Errorf("intervals of 95 %% hold the truth in %.3f of shops", share)
	}
}

func complete1(t *testing.T, slot Slot) map[string]map[string]int64 {
	t.Helper()
	w, err := complete(slot, nil, learn.Floor)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestNothingIsPromotedOnLittleOrOnNoise(t *testing.T) {
	slot := grid(4, 3)
	few, err := Propose(slot, shop(slot, 300, nil, steady(12, .3, 0, .3), steady(12, 0, 0, 0), 3), nil, Alarm{}, learn.Floor, Options{Draws: 500}, Rule{})
	if err != nil || few.Promotion.Promote || !strings.Contains(few.Promotion.Reasons[0], "don't know: the effective sample") {
		t.Errorf("300 units: %+v (%v)", few.Promotion, err)
	}
	var wrong atomic.Int64
	var wait sync.WaitGroup
	const workers = 4
	for w := range uint64(workers) {
		wait.Go(func() {
			for seed := w; seed < 2000; seed += workers { // equal variants
				p, err := Propose(slot, shop(slot, 8000, nil, steady(12, .1, 0, .1), steady(12, 0, 0, 0), seed), nil, Alarm{}, learn.Floor, Options{Draws: 200, Seed: seed}, Rule{})
				if err != nil {
					t.Error(err)
				}
				if p.Promotion.Promote {
					wrong.Add(1)
				}
			}
		})
	}
	if wait.Wait(); wrong.Load() > 129 {
		t.Errorf("%d of 2,000 promotions of noise, want at most 129: 5 %% and three standard errors", wrong.Load())
	}
}

func TestAnAlarmOrASingleFoldStopsPromotion(t *testing.T) {
	slot := grid(3, 2)
	cells := shop(slot, 30_000, nil, steady(6, .03, 4, .06), steady(6, 0, 0, 0), 1)
	alarmed, err := Propose(slot, cells, nil, Alarm{Fired: true, Worst: "h0-i0"}, learn.Floor, Options{}, Rule{})
	if err != nil || alarmed.Promotion.Promote || alarmed.Weights[""]["h2-i0"] > 200_000 {
		t.Errorf("with an alarm: %+v (%v)", alarmed.Promotion, err)
	}
	for i := range cells {
		cells[i].Fold = 0
	}
	single, err := Propose(slot, cells, nil, Alarm{}, learn.Floor, Options{}, Rule{})
	if err != nil || single.Promotion.Promote || !strings.Contains(fmt.Sprint(single.Promotion.Reasons), "fewer than two folds") {
		t.Errorf("with one fold: %+v (%v)", single.Promotion, err)
	}
}

func TestNewAndRetiredVariantsLeaveValidShares(t *testing.T) {
	slot := grid(3, 1)
	w, err := complete(slot, map[string]map[string]int64{"": {"h0-i0": 600_000, "gone": 200_000, "h1-i0": 200_000}}, learn.Floor)
	if err != nil {
		t.Fatal(err)
	}
	if err := (decide.Weights{Slots: map[string]map[string]map[string]int64{"s": w}}).Validate(learn.Floor); err != nil || w[""]["h2-i0"] != learn.Floor || w[""]["h0-i0"] < 3*w[""]["h1-i0"]-2*learn.Floor {
		t.Errorf("%v (%v)", w, err)
	}
}

// Shares learned from the folds before know nothing of the fold that judges, whatever is in it.
// What a fold says, later ones learn.
func TestSharesAreJudgedOnFoldsThatCameLater(t *testing.T) {
	slot := grid(3, 2)
	rule := Rule{Reference: complete1(t, slot), Guards: []Metric{{Name: "returns"}}}
	cells := shop(slot, 30_000, nil, steady(6, .03, 4, .06), steady(6, .05, 0, .05), 1)
	before, err := sequence(slot, cells, learn.Floor, Options{}, rule)
	if err != nil || len(before) != Folds-1 {
		t.Fatalf("%d trials (%v)", len(before), err)
	}
	for i, c := range cells { // in fold 2 everybody sends the best variant back
		if c.Fold == 2 && c.Variant == "h2-i0" {
			n := float64(c.N)
			cells[i].Guards = map[string]Sums{"returns": {Sum: n, Squares: n, WSum: c.W, WWSum: c.WW, WWSqrs: c.WW}}
		}
	}
	after, err := sequence(slot, cells, learn.Floor, Options{}, rule)
	if err != nil {
		t.Fatal(err)
	}
	for k, trial := range after { // is judged on fold k+1
		same := trial.candidate[""]["h2-i0"] == before[k].candidate[""]["h2-i0"]
		if fold := trial.cells[0].Fold; fold != k+1 || same != (fold <= 2) {
			t.Errorf("judged on fold %d: %d ppm, before %d", fold, trial.candidate[""]["h2-i0"], before[k].candidate[""]["h2-i0"])
		}
	}
}

// A fold of one unit has no spread: it judges nothing, and every bound stays a number.
func TestAFoldOfOneUnitJudgesNothing(t *testing.T) {
	slot := grid(3, 1)
	var single Cell
	single.Variant, single.Fold = "h0-i0", 1
	single.Add(1./3, 1, nil)
	cells := slices.DeleteFunc(shop(slot, 4000, nil, steady(3, .1, 0, .1), steady(3, 0, 0, 0), 1), func(c Cell) bool { return c.Fold != 0 })
	p, err := Propose(slot, append(cells, single), nil, Alarm{}, learn.Floor, Options{}, Rule{})
	if err != nil || p.Promotion.Promote || math.IsInf(p.Promotion.Low, 0) || !strings.Contains(fmt.Sprint(p.Promotion.Reasons), "fewer than two folds") {
		t.Errorf("%+v (%v)", p.Promotion, err)
	}
}
