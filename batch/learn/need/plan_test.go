package need

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/handschlag/handschlag/batch/learn"
)

// months are rows of blocks 1 to n whose base rate rises from block to block.
func months(n, each int) ([]Row, []Feature) {
	var rows []Row
	for b := range n {
		for i := range each {
			r := learn.NewRandom(31, uint64(b), uint64(i))
			x := float64(r.IntN(6))
			rows = append(rows, Row{X: []float64{x}, Y: r.Float64() < sigmoid(-4+.35*float64(b)+.9*x), Block: uint64(b + 1)})
		}
	}
	return rows, []Feature{{Name: "pages", Shape: Rising}}
}

// Whatever happens later changes nothing of what an earlier block is judged by, and each is
// judged by some fit.
func TestForwardsNoRowIsJudgedByLaterOnes(t *testing.T) {
	rows, _ := months(5, 200)
	p := planned(inOrder(rows), Options{Forward: true}.orDefault())
	if p.n < 3 || p.first() != 1 {
		t.Fatalf("%d folds, the first judged is %d", p.n, p.first())
	}
	in := inOrder(rows)
	for k := p.first(); k < p.n; k++ {
		train, held := p.split(in, k)
		last := slices.MaxFunc(train, func(a, b Row) int { return int(a.Block) - int(b.Block) }).Block
		if len(held) == 0 || last >= slices.MinFunc(held, func(a, b Row) int { return int(a.Block) - int(b.Block) }).Block {
			t.Errorf("fold %d of %d rows is judged by block %d", k, len(held), last)
		}
		if yes := count(train); yes < 50 || len(train)-yes < 50 {
			t.Errorf("fold %d is judged by a fit on %d rows, %d positive", k, len(train), yes)
		}
	}
}

// The next block's outcomes are expected nearer by a curve of the last blocks than by the mean of all.
func TestForwardsTheCurveFollowsTheLastBlocks(t *testing.T) {
	rows, specs := months(8, 400)
	known, next := rows[:7*400], rows[7*400:]
	forward, mixed := fitted(t, known, specs, Options{Forward: true}), fitted(t, known, specs, Options{})
	expected := func(c Card) (sum float64) {
		for _, r := range next {
			sum += c.Probability(c.Points(r.X))
		}
		return sum
	}
	came := float64(count(next))
	if f, m := math.Abs(expected(forward)-came), math.Abs(expected(mixed)-came); f >= m/2 {
		t.Errorf("%.0f came; forwards it is off by %.1f, without by %.1f", came, f, m)
	}
	if forward.Fit.Recent == 0 {
		t.Error("the curve is of all blocks")
	}
}

func TestForwardsTwoBlocksAreTooFew(t *testing.T) {
	rows, specs := months(2, 400)
	if _, err := Fit(t.Context(), rows, specs, Options{Forward: true}); !errors.As(err, new(*Unknown)) {
		t.Errorf("got %v", err)
	}
}

// A curve that only shifts expects as many outcomes as there were.
func TestAShiftKeepsTheSum(t *testing.T) {
	rows, _ := months(3, 200)
	s := make([]float64, len(rows))
	for i, r := range rows {
		s[i] = r.X[0] - 4
	}
	c, sum := bend(shift, rows, s), 0.0
	for _, v := range s {
		sum += c.at(v)
	}
	if math.Abs(sum-float64(count(rows))) > 1e-6 || c.A[1] != 1 {
		t.Errorf("%.6f expected of %d, %+v", sum, count(rows), c)
	}
}

// Whole blocks and groups that do not fill the folds, or leave a fold to be judged by rows of one
// outcome, are an answer and no panic.
func TestFoldsThatNothingCanJudgeAreNoCard(t *testing.T) {
	rows, specs := months(1, 600)
	for name, c := range map[string]struct {
		change func(i int, r *Row)
		why    string
	}{
		"one block":             {func(_ int, r *Row) { r.Block = 7 }, "fewer groups or blocks than 5 folds"},
		"four blocks":           {func(i int, r *Row) { r.Block = uint64(1 + i%4) }, "fewer groups or blocks than 5 folds"},
		"three groups":          {func(i int, r *Row) { r.Block, r.Group = 0, uint64(1+i%3) }, "fewer groups or blocks than 5 folds"},
		"an outcome in a block": {func(i int, r *Row) { r.Block, r.Y = uint64(1+i%5), i%5 == 0 }, "one of 5 folds holds all rows of an outcome"},
	} {
		changed := slices.Clone(rows)
		for i := range changed {
			c.change(i, &changed[i])
		}
		_, card := Fit(t.Context(), changed, specs, Options{})
		_, plain := FitLinear(t.Context(), changed, specs, Options{})
		for _, err := range []error{card, plain} {
			if unknown := (*Unknown)(nil); !errors.As(err, &unknown) || !strings.Contains(unknown.Why, c.why) {
				t.Errorf("%s: %v, want %q", name, err, c.why)
			}
		}
	}
}

func TestImpossibleOptionsAreRefused(t *testing.T) {
	rows, specs := months(1, 600)
	for want, o := range map[string]Options{"-1 pairs: want 0": {Pairs: -1}, "1 folds: want 2": {Folds: 1}, "-3 folds": {Folds: -3}} {
		if _, err := Fit(t.Context(), rows, specs, o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v", o, err)
		}
	}
}
