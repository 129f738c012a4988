package uplift

import (
	"math"
	"slices"
)

// Target is whom to offer: the rows whose expected gain is above 0. Its figures are of
// rows that the model was not learned from.
type Target struct {
	Share     float64 `json:"share"`  // of the rows, 0 to 1; 0: nobody
	Effect    float64 `json:"effect"` // of offering, on average over them
	Low       float64 `json:"low"`    // 95 % interval
	High      float64 `json:"high"`
	GainCents float64 `json:"gain_cents"` // of an offer, net of returns and adviser
	GainLow   float64 `json:"gain_low"`   // 95 % interval
	GainHigh  float64 `json:"gain_high"`
}

// learn fits the model. A ranking that cross-validation contradicts is not kept.
func (v *Verdict) learn(t *table) {
	expected := slices.Repeat([]float64{v.Effect}, len(t.psi))
	if v.Ranking.Known {
		t.crossed(expected)
		v.Ranking.Slope = t.calibrate(expected, v.Effect)
		v.Ranking.Known = v.Ranking.Slope > 0
		v.conclude(t.Level)
	}
	switch {
	case v.Ranking.Known:
		v.Model = newModel(t, t.effects(t.all(), drawModel), v.Effect, v.Ranking.Slope)
	case v.Known:
		v.Model = &Model{names: t.Names, base: v.Effect}
	default:
		return
	}
	v.aim(t, expected)
}

// aim says whom to offer: nobody, if even the gain of the best may be nothing.
func (v *Verdict) aim(t *table, expected []float64) {
	var best []int32
	for i, effect := range expected {
		if t.Terms.Gain(effect) > 0 {
			best = append(best, int32(i))
		}
	}
	if g := t.target(best); len(best) > 1 && g.GainLow > 0 {
		v.Target = g
	} else {
		v.Reason = NoGain
	}
}

// crossed gives every row the effect that the other folds expect of it.
func (t *table) crossed(out []float64) {
	each(folds, func(f int) {
		e := t.effects(t.rows(func(g int) bool { return g != f }), drawCross, uint64(f))
		for _, i := range t.part[f] {
			out[i] = e.at(t.bins, i)
		}
	})
}

// steepest bounds the correction of a model that expects too small differences.
const steepest = 2

// calibrate regresses ψ on the expected effect (the best linear predictor of Chernozhukov,
// Demirer, Duflo, Fernández-Val, 2018), corrects the expectations by the slope, which it
// bounds to 0 to steepest, and gives it.
func (t *table) calibrate(expected []float64, average float64) float64 {
	above, below := 0.0, 0.0
	for _, rows := range t.part {
		center := t.center(rows, expected)
		for _, i := range rows {
			d := expected[i] - center
			above, below = above+t.balance[i]*d*(t.psi[i]-average), below+t.balance[i]*d*d
		}
	}
	slope := 0.0
	if below > 0 {
		slope = max(0, min(steepest, above/below))
	}
	for _, rows := range t.part {
		center := t.center(rows, expected)
		for _, i := range rows {
			expected[i] = average + slope*(expected[i]-center)
		}
	}
	return slope
}

// center is the mean of the expectations over rows.
func (t *table) center(rows []int32, expected []float64) float64 {
	sum := 0.0
	for _, i := range rows {
		sum += expected[i]
	}
	return sum / math.Max(1, float64(len(rows)))
}

// target describes some rows.
func (t *table) target(rows []int32) Target {
	if len(rows) == 0 {
		return Target{}
	}
	g := Target{Share: float64(len(rows)) / float64(len(t.psi))}
	effect, deviation := t.mean(rows)
	g.Effect, g.Low, g.High = effect, effect-quantile(.975)*deviation, effect+quantile(.975)*deviation
	g.GainCents, g.GainLow, g.GainHigh = t.Terms.Gain(g.Effect), t.Terms.Gain(g.Low), t.Terms.Gain(g.High)
	return g
}
