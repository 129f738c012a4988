package uplift

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Verdict is what logged offers show. Unless it is Known the answer is "don't know":
// there is no model and nothing is recommended.
//
// Two things can be known, each at half of Options.Level: that offering changes the
// outcome on average (two-sided), and that the ranking tells more from less (one-sided,
// on rows it was not learned from). So where offers do nothing, a share of at most
// Options.Level of the verdicts claims anything. The 95 % interval is for reading; a
// claim asks for more than its excluding 0.
type Verdict struct {
	Known  bool    `json:"known"`
	Reason Reason  `json:"reason"`
	Effect float64 `json:"effect"` // of offering, on average over the rows
	Low    float64 `json:"low"`    // 95 % interval
	High   float64 `json:"high"`
	Error  float64 `json:"error"` // standard error of Effect

	Treated int     `json:"treated"`
	Control int     `json:"control"`
	Left    int     `json:"left"`          // rows without a choice, left out
	Cap     float64 `json:"cap,omitempty"` // outcomes were counted up to it; 0: as they are

	Ranking Ranking `json:"ranking"`
	Target  Target  `json:"target"` // whom to offer; nobody unless Share is above 0
	Model   *Model  `json:"-"`      // nil unless Known

	outcomes [2]int // rows with an outcome other than 0: held out, treated
	ratio    float64
}

// The fewest rows of each side, and of rows with an outcome other than 0 of each side,
// under which nothing is estimated.
const (
	fewestRows     = 50
	fewestOutcomes = 10
)

// count counts sides and outcomes.
func (t *table) count(all int) Verdict {
	v := Verdict{Left: all - len(t.outcome), Cap: t.cap}
	off, variance := t.sum(t.all(), func(i int32) float64 {
		if t.treated[i] {
			return 1 - t.propensity[i]
		}
		return -t.propensity[i]
	})
	if variance > 0 {
		v.ratio = off / math.Sqrt(variance)
	}
	for i, treated := range t.treated {
		side := 0
		if treated {
			side = 1
			v.Treated++
		}
		if t.outcome[i] != 0 {
			v.outcomes[side]++
		}
	}
	v.Control = len(t.treated) - v.Treated
	return v
}

// tooThin names what forbids any estimate, if something does. Four standard errors
// between logged and made offers are a fault of the log, not chance.
func (v Verdict) tooThin() Reason {
	if min(v.Treated, v.Control) < fewestRows || min(v.outcomes[0], v.outcomes[1]) < fewestOutcomes {
		return TooFew
	}
	if math.Abs(v.ratio) > 4 {
		return RatioOff
	}
	return ""
}

// all are the rows, in order.
func (t *table) all() []int32 {
	out := make([]int32, len(t.treated))
	for i := range out {
		out[i] = int32(i)
	}
	return out
}

// sum adds up values over rows, and gives the sum's variance if their mean is 0;
// clusters are summed first, as their rows vary together.
func (t *table) sum(rows []int32, of func(int32) float64) (total, variance float64) {
	together := map[uint64]float64{}
	var order []uint64
	for _, i := range rows {
		x := of(i)
		total += x
		c := t.cluster[i]
		if c == 0 {
			variance += x * x
			continue
		}
		if _, ok := together[c]; !ok {
			order = append(order, c)
		}
		together[c] += x
	}
	for _, c := range order { // in order: a sum's last bits depend on it
		variance += together[c] * together[c]
	}
	return total, variance
}

// mean is the effect over rows with its standard error.
func (t *table) mean(rows []int32) (effect, deviation float64) {
	n := float64(len(rows))
	total, _ := t.sum(rows, func(i int32) float64 { return t.psi[i] })
	_, variance := t.sum(rows, func(i int32) float64 { return t.psi[i] - total/n })
	return total / n, math.Sqrt(variance) / n
}

// quantile is that of the standard normal.
func quantile(p float64) float64 { return distuv.UnitNormal.Quantile(p) }

// average estimates the effect of offering.
func (v *Verdict) average(t *table) {
	v.Effect, v.Error = t.mean(t.all())
	v.Low, v.High = v.Effect-quantile(.975)*v.Error, v.Effect+quantile(.975)*v.Error
}

// conclude says what is known.
func (v *Verdict) conclude(level float64) {
	seen := v.Error > 0 && math.Abs(v.Effect) > quantile(1-level/4)*v.Error
	switch {
	case v.Ranking.Known:
		v.Known, v.Reason = true, Differs
	case seen:
		v.Known, v.Reason = true, SameForAll
	default:
		v.Reason = NoneSeen
	}
}
