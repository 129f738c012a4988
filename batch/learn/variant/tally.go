package variant

import (
	"math"
	"strings"

	"github.com/handschlag/handschlag/decide"
)

// tally adds up z = Σ_v δ_v q_v + δ_drawn/p·(y − q_drawn) over units, δ the difference of two
// tables of shares, and the weights of the first.
type tally struct{ n, z, zz, w, ww, wy, wyy float64 }

func (t *tally) add(slot Slot, cells []Cell, a, b map[string]map[string]int64, q func(segment, variant string) float64, sums func(Cell) Sums) {
	memo := map[string]delta{}
	for _, c := range cells {
		key := c.Segment + "\x00" + strings.Join(c.Eligible, ",")
		d, ok := memo[key]
		if !ok {
			d = difference(slot, c, a, b, q)
			memo[key] = d
		}
		x, y, n := d.by[c.Variant], sums(c), float64(c.N)
		m := q(c.Segment, c.Variant)
		rest, square := y.WSum-m*c.W, y.WWSqrs-2*m*y.WWSum+m*m*c.WW
		t.n, t.z = t.n+n, t.z+n*d.direct+x*rest
		t.zz += n*d.direct*d.direct + 2*d.direct*x*rest + x*x*square
		s := d.first[c.Variant]
		t.w, t.ww, t.wy, t.wyy = t.w+s*c.W, t.ww+s*s*c.WW, t.wy+s*y.WSum, t.wyy+s*s*y.WWSqrs
	}
}

// delta is the difference of two tables of shares for those of one segment who may see the
// same variants.
type delta struct {
	first, by map[string]float64
	direct    float64 // Σ_v by_v q_v
}

func difference(slot Slot, c Cell, a, b map[string]map[string]int64, q func(segment, variant string) float64) delta {
	d := delta{first: shares(slot, a, c), by: map[string]float64{}}
	second := map[string]float64{}
	if b != nil {
		second = shares(slot, b, c)
	}
	for _, v := range slot.Variants {
		if x := d.first[v.ID] - second[v.ID]; x != 0 {
			d.by[v.ID] = x
			d.direct += x * q(c.Segment, v.ID)
		}
	}
	return d
}

// shares is the propensity of each variant for those of a cell, exactly as it is drawn.
func shares(slot Slot, weights map[string]map[string]int64, c Cell) map[string]float64 {
	own, ok := weights[c.Segment]
	if !ok {
		own = weights[""]
	}
	eligible := c.Eligible
	if len(eligible) == 0 {
		for _, v := range slot.Variants {
			eligible = append(eligible, v.ID)
		}
	}
	out := map[string]float64{}
	for v, ppm := range decide.Propensities(own, eligible) {
		out[v] = float64(ppm) / decide.Million
	}
	return out
}

func (t tally) mean() float64 { return t.z / max(1, t.n) }

// se is the standard error of the mean.
func (t tally) se() float64 {
	if t.n < 2 {
		return math.Inf(1)
	}
	return math.Sqrt(max(0, t.zz/t.n-t.mean()*t.mean()) / (t.n - 1))
}

// tallies are one for each trial.
type tallies []tally

func (ts tallies) mean() float64 {
	var n, z float64
	for _, t := range ts {
		n, z = n+t.n, z+t.z
	}
	return z / max(1, n)
}

// se is the standard error of the mean over all trials. Given the folds before, each trial's
// error has mean 0, so that their sum is a martingale, whose variances add up.
func (ts tallies) se() float64 {
	var n, sum float64
	for _, t := range ts {
		n += t.n
	}
	if n < 2 {
		return math.Inf(1)
	}
	for _, t := range ts {
		if t.n > 0 {
			sum += math.Pow(t.n/n*t.se(), 2)
		}
	}
	return math.Sqrt(sum)
}

func kish(sum, squares float64) float64 {
	if squares == 0 {
		return 0
	}
	return sum * sum / squares
}
