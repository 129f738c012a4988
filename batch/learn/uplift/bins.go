package uplift

import (
	"slices"
	"sort"
)

// maxBins is the most bins of a feature.
const maxBins = 64

// sampled is how many rows the bins are decided by.
const sampled = 100_000

// cuts are the bounds between the bins of a feature: quantiles, each once, that are
// values of the data. A value belongs to the bin above every cut that it reaches.
func cuts(rows []Row, feature, bins int) []float64 {
	step := max(1, len(rows)/sampled)
	var v []float64
	for i := 0; i < len(rows); i += step {
		v = append(v, rows[i].X[feature])
	}
	slices.Sort(v)
	var out []float64
	for b := 1; b < bins; b++ {
		if q := v[len(v)*b/bins]; q > v[0] && (len(out) == 0 || q > out[len(out)-1]) {
			out = append(out, q)
		}
	}
	return out
}

// binOf is the number of cuts that a value reaches.
func binOf(cuts []float64, x float64) uint8 {
	return uint8(sort.Search(len(cuts), func(i int) bool { return cuts[i] > x }))
}

// binned gives the bins of a feature, by row.
func binned(rows []Row, feature int, cuts []float64) []uint8 {
	out := make([]uint8, len(rows))
	for i, r := range rows {
		out[i] = binOf(cuts, r.X[feature])
	}
	return out
}
