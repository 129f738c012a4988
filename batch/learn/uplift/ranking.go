package uplift

import (
	"cmp"
	"math"
	"slices"
)

// Ranking says whether ordering rows by expected effect is worth anything, judged on
// rows that it was not learned from.
type Ranking struct {
	Known bool    `json:"known"`
	Z     float64 `json:"z"`               // standard normal where the ranking is worth nothing
	Q     float64 `json:"q"`               // gain over offering at random, per row: the mean over k of what the first k gain, less k/N of what all gain
	Slope float64 `json:"slope,omitempty"` // of the effect by the expected effect; 1 is calibrated
}

// ranking tests the ranking by sequential validation (Wager, Sequential Validation of
// Treatment Heterogeneity, 2024): learn on the first folds, judge on the next, and so on.
// Each judgement is fair given the ones before, so their sum is normal where nothing
// differs. Ordinary cross-validation is not: two folds learn from each other, and its
// judgements vary together.
func (t *table) ranking() Ranking {
	var z, q [folds]float64
	each(folds-1, func(k int) {
		train, test := t.rows(func(g int) bool { return g <= k }), t.part[k+1]
		if len(train) == 0 || len(test) == 0 {
			return
		}
		e := t.effects(train, drawSequence, uint64(k))
		scores := make([]float64, len(test))
		for n, i := range test {
			scores[n] = e.at(t.bins, i)
		}
		z[k], q[k] = t.judge(test, scores)
	})
	r := Ranking{}
	for k := range folds - 1 {
		r.Z += z[k] / math.Sqrt(folds-1)
		r.Q += q[k] / (folds - 1)
	}
	r.Known = r.Z > quantile(1-t.Level/2)
	return r
}

// judge compares a ranking with the effects of the ranked rows: q is the mean over k of
// (sum of ψ over the first k − k/N · sum of all) / N, which is the mean of ψ times
// ½ − rank/N (the rank-weighted average treatment effect with Qini weights; Yadlowsky et
// al., JASA 2025). z is q in standard errors. Rows that rank alike share their mean rank.
func (t *table) judge(rows []int32, scores []float64) (z, q float64) {
	n := float64(len(rows))
	mean, _ := t.mean(rows)
	weight := make(map[int32]float64, len(rows))
	for k, r := range ranks(scores) {
		weight[rows[k]] = .5 - r/n
	}
	total, variance := t.sum(rows, func(i int32) float64 { return weight[i] * (t.psi[i] - mean) })
	if variance == 0 {
		return 0, 0
	}
	return total / math.Sqrt(variance), total / n
}

// ranks are 0.5, 1.5, … from the highest score on; equal scores share the mean.
func ranks(scores []float64) []float64 {
	order := make([]int, len(scores))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(scores[b], scores[a]) })
	out := make([]float64, len(scores))
	for from := 0; from < len(order); {
		to := from + 1
		for to < len(order) && scores[order[to]] == scores[order[from]] {
			to++
		}
		for _, i := range order[from:to] {
			out[i] = float64(from+to) / 2
		}
		from = to
	}
	return out
}
