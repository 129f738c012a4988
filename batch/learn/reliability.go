package learn

import (
	"cmp"
	"math"
	"slices"
)

// Reliability is rows of similar probability: what was predicted for them, and what
// was observed. From and To are the lowest and the highest probability among them;
// Low and High are Wilson's 95 % interval of the observed share (JASA 22, 1927).
type Reliability struct {
	N         int     `json:"n"`
	Yes       int     `json:"yes"`
	From      float64 `json:"from"`
	To        float64 `json:"to"`
	Predicted float64 `json:"predicted"` // mean probability
	Observed  float64 `json:"observed"`  // share with y
	Low       float64 `json:"low"`
	High      float64 `json:"high"`
}

// EqualWidth puts rows into k bins of the same width from 0 to 1 and leaves out empty
// ones (Naeini, Cooper, Hauskrecht, AAAI 2015; Guo et al., ICML 2017, with k = 10 or 15).
func EqualWidth(p []float64, y []bool, k int) []Reliability {
	return reliability(p, y, func(_, _ int, q float64) int { return min(int(q*float64(k)), k-1) })
}

// EqualMass puts rows into at most k bins with about the same number of rows. Rows of
// one probability stay together (Nixon et al., CVPR workshops 2019).
func EqualMass(p []float64, y []bool, k int) []Reliability {
	return reliability(p, y, func(before, n int, _ float64) int { return before * k / n })
}

// reliability sorts rows by probability and asks for the bin of each different one:
// before is how many of the n rows have a lower one.
func reliability(p []float64, y []bool, bin func(before, n int, q float64) int) (out []Reliability) {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(p[a], p[b]) })
	current, before := -1, 0
	for at, i := range order {
		if at == 0 || p[i] != p[order[at-1]] {
			before = at
		}
		if b := bin(before, len(p), p[i]); b != current || len(out) == 0 {
			current, out = b, append(out, Reliability{From: p[i]})
		}
		r := &out[len(out)-1]
		r.N, r.To, r.Predicted = r.N+1, p[i], r.Predicted+p[i]
		if y[i] {
			r.Yes++
		}
	}
	for i := range out {
		out[i].finish()
	}
	return out
}

func (r *Reliability) finish() {
	n := float64(r.N)
	r.Predicted /= n
	r.Observed = float64(r.Yes) / n
	r.Low, r.High = Wilson(r.Yes, r.N, z95)
}

// z95 is the 97.5 % point of the standard normal.
const z95 = 1.959963984540054

// Wilson is the score interval of a share of k in n at z standard errors (Wilson, JASA 22, 1927).
func Wilson(k, n int, z float64) (low, high float64) {
	if n == 0 {
		return 0, 1
	}
	share, m := float64(k)/float64(n), float64(n)
	middle := (share + z*z/(2*m)) / (1 + z*z/m)
	half := z / (1 + z*z/m) * math.Sqrt(share*(1-share)/m+z*z/(4*m*m))
	if low = middle - half; k == 0 {
		low = 0
	}
	if high = middle + half; k == n {
		high = 1
	}
	return low, high
}

// CalibrationError is the mean distance of predicted and observed, weighted by rows:
// the expected calibration error (Naeini et al., 2015; Guo et al., 2017, equation 3).
func CalibrationError(bins []Reliability) float64 {
	sum, n := 0.0, 0
	for _, b := range bins {
		sum, n = sum+float64(b.N)*math.Abs(b.Predicted-b.Observed), n+b.N
	}
	return sum / float64(n)
}
