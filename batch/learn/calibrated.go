package learn

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// Calibration is what new data say about probabilities that were given before.
type Calibration struct {
	Verdict CalibrationVerdict `json:"verdict"`
	Why     string             `json:"why"`
	Bins    []Reliability      `json:"bins"`
	N       int                `json:"n"`
	Yes     int                `json:"yes"`
	Error   float64            `json:"error"` // expected calibration error over Bins
	Upper   float64            `json:"upper"` // 95 % upper bound of it
	P       float64            `json:"p"`     // chance of such differences if the probabilities were right
}

// CalibrationVerdict is calibrated, not calibrated, or don't know.
type CalibrationVerdict string

// The verdicts.
const (
	Calibrated    CalibrationVerdict = "calibrated"
	NotCalibrated CalibrationVerdict = "not calibrated"
	DontKnow      CalibrationVerdict = "don't know"
)

const (
	judgedBins  = 10
	falseAlarms = .01 // of calibrated scores that are flagged, at most
	fewYes      = 50  // fewer of either outcome say nothing
)

// JudgeCalibration compares probabilities with what happened on rows that no fit saw.
// tolerance is how far the probabilities may be off on average, such as .02.
//
// Not calibrated: differences that come by chance in less than 1 % of samples from
// right probabilities, and that could be beyond the tolerance. Two tests share that
// 1 %: Cox's of intercept and slope (Biometrika 45, 1958; score form, 2 degrees of
// freedom), which finds scores that are too high, too low, too bold or too shy; and
// Hosmer and Lemeshow's over ten bins of equal mass (10 degrees of freedom, as nothing was
// fitted on these rows). Calibrated: the upper bound of the error is within the
// tolerance, and no bin is significantly further off. Else: don't know. Rows count as
// independent.
func JudgeCalibration(p []float64, y []bool, tolerance float64) Calibration {
	c := Calibration{Bins: EqualMass(p, y, judgedBins), N: len(p), Verdict: DontKnow}
	for _, b := range c.Bins {
		c.Yes += b.Yes
	}
	if c.Yes < fewYes || c.N-c.Yes < fewYes {
		c.Why = fmt.Sprintf("%d of %d rows are positive, and fewer than %d of either kind say nothing", c.Yes, c.N, fewYes)
		return c
	}
	c.Error, c.Upper = CalibrationError(c.Bins), upperError(c.Bins)
	c.P = min(1, 2*min(coxP(p, y), binsP(c.Bins)))
	off := farBin(c.Bins, tolerance)
	switch {
	case c.P < falseAlarms && (c.Upper > tolerance || off != nil):
		c.Verdict, c.Why = NotCalibrated, c.worst()
	case c.Upper <= tolerance && off == nil:
		c.Verdict, c.Why = Calibrated, fmt.Sprintf("off by at most %.3f on average (95 %%), within %.3f", c.Upper, tolerance)
	default:
		c.Why = fmt.Sprintf("%d rows cannot tell an error of %.3f from none: it is at most %.3f (95 %%)", c.N, tolerance, c.Upper)
	}
	return c
}

// worst names the bin whose difference weighs most.
func (c Calibration) worst() string {
	b := slices.MaxFunc(c.Bins, func(a, b Reliability) int {
		weigh := func(r Reliability) float64 { return float64(r.N) * math.Abs(r.Predicted-r.Observed) }
		return cmp.Compare(weigh(a), weigh(b))
	})
	return fmt.Sprintf("where %.3f was predicted, %.3f was observed (%d rows, 95 %%: %.3f to %.3f); by chance in less than %.2g of samples",
		b.Predicted, b.Observed, b.N, b.Low, b.High, max(c.P, 1e-9))
}

// coxP is the chance of sums that differ as much, if the probabilities were right:
// the score test of intercept 0 and slope 1 on the log odds.
func coxP(p []float64, y []bool) float64 {
	var u, v, uu, uv, vv float64
	for i, q := range p {
		q = min(max(q, 1e-9), 1-1e-9)
		x, w, r := math.Log(q/(1-q)), q*(1-q), one(y[i])-q
		u, v = u+r, v+r*x
		uu, uv, vv = uu+w, uv+w*x, vv+w*x*x
	}
	det := uu*vv - uv*uv
	if det <= 1e-12*uu*vv { // one probability for all: an intercept alone
		return distuv.ChiSquared{K: 1}.Survival(u * u / uu)
	}
	return distuv.ChiSquared{K: 2}.Survival((u*u*vv - 2*u*v*uv + v*v*uu) / det)
}

// binsP is the same for the shares of the bins.
func binsP(bins []Reliability) float64 {
	sum := 0.0
	for _, b := range bins {
		d := b.Observed - b.Predicted
		sum += d * d / b.variance()
	}
	return distuv.ChiSquared{K: float64(len(bins))}.Survival(sum)
}

// variance is that of the observed share if the prediction is right.
func (r Reliability) variance() float64 {
	q := min(max(r.Predicted, 1e-9), 1-1e-9)
	return q * (1 - q) / float64(r.N)
}

// upperError is a 95 % upper bound of the expected calibration error: the bins' shares
// are drawn again around what was observed. As |x| grows when x is drawn again, the bound
// is on the safe side.
func upperError(bins []Reliability) float64 {
	const draws = 400
	errs := make([]float64, draws)
	for d := range errs {
		r, sum, n := NewRandom(1, uint64(d)), 0.0, 0.0
		for _, b := range bins {
			share := (float64(b.Yes) + 1) / (float64(b.N) + 2) // never 0 or 1: those have no spread
			drawn := b.Observed + r.Normal()*math.Sqrt(share*(1-share)/float64(b.N))
			sum, n = sum+float64(b.N)*math.Abs(drawn-b.Predicted), n+float64(b.N)
		}
		errs[d] = sum / n
	}
	slices.Sort(errs)
	return errs[draws*95/100]
}

// farBin gives a bin that is further off than the tolerance for sure, at 99 % for all bins together.
func farBin(bins []Reliability, tolerance float64) *Reliability {
	z := distuv.UnitNormal.Quantile(1 - falseAlarms/2/float64(len(bins)))
	for i, b := range bins {
		if low, high := Wilson(b.Yes, b.N, z); b.Predicted+tolerance < low || b.Predicted-tolerance > high {
			return &bins[i]
		}
	}
	return nil
}
