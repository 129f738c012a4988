package uplift

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/handschlag/handschlag/batch/learn"
)

// slowQ is the definition, word by word: V at every k that ends a group of equal
// scores, straight lines between, the mean of V(k) − V(N)·k/N, per treated row.
func slowQ(score []float64, treated []bool, outcome []float64) float64 {
	n := len(score)
	v := func(lowest float64) (value float64, k int) {
		var yt, yc, nt, nc float64
		for i := range score {
			switch {
			case score[i] < lowest:
				continue
			case treated[i]:
				nt, yt = nt+1, yt+outcome[i]
			default:
				nc, yc = nc+1, yc+outcome[i]
			}
			k++
		}
		if nc == 0 {
			return 0, k
		}
		return yt - yc*nt/nc, k
	}
	at := func(k int) float64 { // the groups just within and just beyond k
		below, above, from, to := 0.0, math.NaN(), 0, n+1
		for _, s := range score {
			value, count := v(s)
			if count <= k && count > from {
				below, from = value, count
			}
			if count >= k && count < to {
				above, to = value, count
			}
		}
		if to == from {
			return above
		}
		return below + (above-below)*float64(k-from)/float64(to-from)
	}
	sum, nt := 0.0, 0.0
	for k := 1; k <= n; k++ {
		sum += at(k) - at(n)*float64(k)/float64(n)
	}
	for _, t := range treated {
		if t {
			nt++
		}
	}
	return sum / float64(n) / nt
}

func TestQIsItsDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 30).Draw(t, "rows")
		score, treated, outcome := make([]float64, n), make([]bool, n), make([]float64, n)
		for i := range n {
			score[i] = float64(rapid.IntRange(0, 8).Draw(t, "score"))
			treated[i] = rapid.Bool().Draw(t, "treated")
			outcome[i] = float64(rapid.IntRange(-2, 5).Draw(t, "outcome"))
		}
		treated[0], treated[1] = true, false
		if got, want := NewOrder(score, treated, outcome).Q(), slowQ(score, treated, outcome); math.Abs(got-want) > 1e-9 {
			t.Fatalf("q %g, want %g", got, want)
		}
	})
}

func TestQByHand(t *testing.T) {
	// V = 0 (nobody held out yet), 1, 2, 1; the straight line .25, .5, .75, 1.
	q := NewOrder([]float64{4, 3, 2, 1}, []bool{true, false, true, false}, []float64{1, 0, 1, 1}).Q()
	if want := (0 - .25 + 1 - .5 + 2 - .75 + 1 - 1) / 4.0 / 2; math.Abs(q-want) > 1e-12 {
		t.Errorf("q %g, want %g", q, want)
	}
	if q := NewOrder([]float64{1, 1, 1, 1}, []bool{true, false, true, false}, []float64{1, 0, 1, 1}).Q(); math.Abs(q) > 1e-12 {
		t.Errorf("a ranking without order has q %g", q)
	}
	if q := NewOrder([]float64{1, 2}, []bool{true, true}, []float64{1, 0}).Q(); q != 0 {
		t.Errorf("without held-out rows q is %g", q)
	}
}

// The bootstrap's spread of a known ranking is that of fresh samples.
func TestTheIntervalIsAsWideAsChance(t *testing.T) {
	draw := func(seed uint64) Order {
		r := learn.NewRandom(seed)
		var score, outcome []float64
		var treated []bool
		for range 800 {
			x, w := r.Float64(), r.Float64() < .5
			y := .3
			if w {
				y += .4 * (x - .5)
			}
			score, treated, outcome = append(score, x), append(treated, w), append(outcome, bit(r.Float64() < y))
		}
		return NewOrder(score, treated, outcome)
	}
	sum, squares, covered := 0.0, 0.0, 0
	const n, truth = 200, .4 / 12
	for s := range uint64(n) {
		o := draw(s + 1)
		q := o.Q()
		sum, squares = sum+q, squares+q*q
		if low, high := o.Interval(200, .95, s); low <= truth && truth <= high {
			covered++
		}
	}
	if mean := sum / n; math.Abs(mean-truth) > 5*math.Sqrt(squares/n-mean*mean)/math.Sqrt(n) {
		t.Errorf("mean q %.4f, want %.4f", mean, truth)
	}
	if covered < 177 { // 190 are expected; fewer than 177 in 1 of 10,000 runs
		t.Errorf("%d of %d intervals cover the truth", covered, n)
	}
}

func bit(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
