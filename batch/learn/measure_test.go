package learn

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// The examples of scikit-learn's pages on roc_auc_score, average_precision_score,
// brier_score_loss and log_loss.
func TestMeasuresGiveThePublishedFigures(t *testing.T) {
	scores, y := []float64{.1, .4, .35, .8}, []bool{false, false, true, true}
	near(t, "AUC", AUC(scores, y), .75, 1e-12)
	near(t, "average precision", AveragePrecision(scores, y), .8333333333, 1e-9)
	near(t, "Brier", Brier([]float64{.1, .9, .8, .3}, []bool{false, true, true, false}), .0375, 1e-12)
	near(t, "log loss", LogLoss([]float64{.9, .1, .2, .65}, []bool{true, false, false, true}), .21616, 5e-6)
}

func near(t testing.TB, what string, got, want, by float64) {
	t.Helper()
	if !(math.Abs(got-want) <= by) {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

// drawn gives scores with ties, and outcomes of both kinds.
func drawn(t *rapid.T) ([]float64, []bool) {
	n := rapid.IntRange(2, 40).Draw(t, "rows")
	scores, y := make([]float64, n), make([]bool, n)
	for i := range scores {
		scores[i] = float64(rapid.IntRange(0, 8).Draw(t, "score")) / 8
		y[i] = rapid.Bool().Draw(t, "y")
	}
	y[0], y[1] = true, false
	return scores, y
}

// Every pair is compared.
func TestAUCIsTheShareOfPairsInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		scores, y := drawn(t)
		pairs, wins := 0.0, 0.0
		for i := range y {
			for j := range y {
				if y[i] && !y[j] {
					pairs++
					switch {
					case scores[i] > scores[j]:
						wins++
					case scores[i] == scores[j]:
						wins += .5
					}
				}
			}
		}
		if got := AUC(scores, y); math.Abs(got-wins/pairs) > 1e-12 {
			t.Fatalf("%v, want %v", got, wins/pairs)
		}
	})
}

// Every threshold is counted from scratch.
func TestAveragePrecisionAddsUpThresholds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		scores, y := drawn(t)
		total := 0.0
		for _, yes := range y {
			total += one(yes)
		}
		want, recall := 0.0, 0.0
		for level := 8; level >= 0; level-- {
			above, hits := 0.0, 0.0
			for i, s := range scores {
				if s >= float64(level)/8 {
					above, hits = above+1, hits+one(y[i])
				}
			}
			if above > 0 {
				want += (hits/total - recall) * hits / above
				recall = hits / total
			}
		}
		if got := AveragePrecision(scores, y); math.Abs(got-want) > 1e-12 {
			t.Fatalf("%v, want %v", got, want)
		}
	})
}

func TestOneOutcomeHasNoAnswer(t *testing.T) {
	for name, got := range map[string]float64{
		"AUC": AUC([]float64{1, 2}, []bool{true, true}), "average precision": AveragePrecision([]float64{1}, []bool{false}), "Brier": Brier(nil, nil),
	} {
		if !math.IsNaN(got) {
			t.Errorf("%s is %v", name, got)
		}
	}
}

func TestBinsHoldEveryRowOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, y := drawn(t)
		k := rapid.IntRange(1, 12).Draw(t, "bins")
		for name, bins := range map[string][]Reliability{"width": EqualWidth(p, y, k), "mass": EqualMass(p, y, k)} {
			n, yes, sum := 0, 0, 0.0
			for i, b := range bins {
				n, yes, sum = n+b.N, yes+b.Yes, sum+b.Predicted*float64(b.N)
				if b.From > b.To || i > 0 && b.From <= bins[i-1].To || b.Observed < b.Low || b.Observed > b.High {
					t.Fatalf("%s: %+v", name, bins)
				}
			}
			mean, total := 0.0, 0
			for i, q := range p {
				mean += q
				if y[i] {
					total++
				}
			}
			if n != len(p) || yes != total || math.Abs(sum-mean) > 1e-9 || len(bins) > k {
				t.Fatalf("%s: %d rows, %d yes, sum %v in %d bins", name, n, yes, sum, len(bins))
			}
		}
	})
}

// Guo et al., 2017, equation 3, by hand: |.15 − 0|·2/4 + |.85 − .5|·2/4.
func TestTheCalibrationErrorByHand(t *testing.T) {
	p, y := []float64{.1, .2, .8, .9}, []bool{false, false, true, false}
	near(t, "two bins of width", CalibrationError(EqualWidth(p, y, 2)), .25, 1e-12)
	near(t, "two bins of mass", CalibrationError(EqualMass(p, y, 2)), .25, 1e-12)
}

// Agresti, Coull, The American Statistician 52 (1998): 0 of 10 gives (0, .278).
func TestWilsonsInterval(t *testing.T) {
	low, high := Wilson(0, 10, z95)
	near(t, "low", low, 0, 1e-12)
	near(t, "high", high, .2775, 5e-4)
}
