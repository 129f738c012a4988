package value

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// Trail is the days of orders of all buyers who share them. It tells more than a
// History: how long each pause between two orders was.
type Trail struct {
	Days   []int   `json:"days"`   // of the repeat orders, in days since the first one, ascending
	Age    int     `json:"age"`    // days from the first order to as of
	Weight float64 `json:"weight"` // how many buyers have it
}

// History is what BG/NBD knows of a trail.
func (t Trail) History() History {
	h := History{Repeat: len(t.Days), Age: t.Age, Weight: t.Weight}
	if h.Repeat > 0 {
		h.Last = t.Days[h.Repeat-1]
	}
	return h
}

// fault says what is impossible about a trail, or "".
func (t Trail) fault() string {
	before := 0
	for _, d := range t.Days {
		if d <= before {
			return "days that do not ascend from 1"
		}
		before = d
	}
	return t.History().fault()
}

// groupedTrails sorts trails, shortest first, and adds up equal ones.
func groupedTrails(trails []Trail) ([]Trail, error) {
	sorted := slices.Clone(trails)
	for i, t := range sorted {
		if fault := t.fault(); fault != "" {
			return nil, fmt.Errorf("trail %d (%d repeats, age %d, weight %g) has %s", i, len(t.Days), t.Age, t.Weight, fault)
		}
	}
	slices.SortFunc(sorted, func(a, b Trail) int {
		return cmp.Or(len(a.Days)-len(b.Days), slices.Compare(a.Days, b.Days), a.Age-b.Age, cmp.Compare(a.Weight, b.Weight))
	})
	var out []Trail
	for _, t := range sorted {
		if n := len(out); n > 0 && out[n-1].Age == t.Age && slices.Equal(out[n-1].Days, t.Days) {
			out[n-1].Weight += t.Weight
		} else if t.Weight > 0 {
			out = append(out, t)
		}
	}
	return out, nil
}

// gap is the weeks between the k-th repeat order and the one before it; behind the
// last order it is the weeks to as of.
func (t Trail) gap(k int) float64 {
	from, to := 0, t.Age
	if k > 0 {
		from = t.Days[k-1]
	}
	if k < len(t.Days) {
		to = t.Days[k]
	}
	return float64(to-from) / week
}

// grid is the logarithms of the weekly rates that a trail's likelihood is summed
// over, and their distance. It is fine enough for the narrowest posterior, Gamma of
// shape r + x, where the sum has six digits, and ends where both sides are below 1e-4
// of the whole. It changes with r only at powers of two, so that a search does not see it.
func (t Trail) grid(r float64) (low, step float64, n int) {
	x := float64(len(t.Days))
	low = math.Log(3e-4 / (float64(t.Age)/week + 1))
	high := math.Log((x + 20 + 6*math.Sqrt(x)) / max(t.gap(0), 1/week))
	step = min(.4, 1.2/math.Sqrt(x+math.Exp2(math.Ceil(math.Log2(max(r, 1))))))
	return low, step, int((high-low)/step) + 2
}
