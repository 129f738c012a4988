package learn

import (
	"cmp"
	"math"
	"slices"
)

// These measures judge a score against what happened: scores[i] is higher where y[i]
// is expected to be true. Both slices have the same length; order does not matter,
// ties included. Where a measure has no answer (no rows, or only one outcome), it is NaN.

// tie is the rows of one score.
type tie struct {
	score    float64
	yes, all float64
}

// ties groups rows by score, highest first.
func ties(scores []float64, y []bool) []tie {
	order := make([]int, len(scores))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(scores[b], scores[a]) })
	var out []tie
	for _, i := range order {
		if len(out) == 0 || out[len(out)-1].score != scores[i] {
			out = append(out, tie{score: scores[i]})
		}
		last := &out[len(out)-1]
		last.all++
		if y[i] {
			last.yes++
		}
	}
	return out
}

// AUC is the chance that a row with y has a higher score than one without, ties counted
// half: the area under the ROC curve (Hanley, McNeil, Radiology 143, 1982).
func AUC(scores []float64, y []bool) float64 {
	var yes, no, wins float64 // of the rows with higher scores so far
	for _, t := range ties(scores, y) {
		misses := t.all - t.yes
		wins += misses*yes + misses*t.yes/2
		yes, no = yes+t.yes, no+misses
	}
	return wins / (yes * no) // 0/0 is NaN
}

// AveragePrecision is the precision at each score, weighted by the recall it adds:
// Σ (Rₖ − Rₖ₋₁) Pₖ, without interpolation (Manning, Raghavan, Schütze, Introduction to Information Retrieval, 8.4).
func AveragePrecision(scores []float64, y []bool) float64 {
	var yes, all, sum float64
	for _, t := range ties(scores, y) {
		yes, all = yes+t.yes, all+t.all
		sum += t.yes * yes / all
	}
	return sum / yes
}

// Brier is the mean squared difference of probability and outcome (Brier, Monthly
// Weather Review 78, 1950, for one class).
func Brier(p []float64, y []bool) float64 {
	sum := 0.0
	for i, q := range p {
		sum += (q - one(y[i])) * (q - one(y[i]))
	}
	return sum / float64(len(p))
}

// LogLoss is the mean of −ln of the probability that was given to what happened. One
// certainty that was wrong makes it infinite.
func LogLoss(p []float64, y []bool) float64 {
	sum := 0.0
	for i, q := range p {
		if y[i] {
			sum -= math.Log(q)
		} else {
			sum -= math.Log1p(-q)
		}
	}
	return sum / float64(len(p))
}

func one(y bool) float64 {
	if y {
		return 1
	}
	return 0
}
