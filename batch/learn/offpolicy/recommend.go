package offpolicy

import (
	"fmt"
	"math"
)

// Rule says when a policy may be recommended over the one that logged. The zero value takes
// the defaults.
type Rule struct {
	LeastESS     float64 // effective sample size; 0: 1,000 choices
	LeastRewards float64 // effective number of rewarded choices; 0: 25; below 0: not asked
}

// Recommend says whether the policy is better than the logging one: the log shows what it would
// do, the effective sample is large enough, and the lower end of the interval of the gain is above
// 0. Else the reasons say what lacks; "don't know" where it is the log.
func (r Report) Recommend(rule Rule) (ok bool, reasons []string) {
	if rule.LeastESS == 0 {
		rule.LeastESS = 1000
	}
	if rule.LeastRewards == 0 {
		rule.LeastRewards = 25
	}
	if r.astray() {
		reasons = append(reasons, fmt.Sprintf("don't know: mean weight %.3f ± %.3f, want 1: the log never shows some of what the policy would do, or its propensities are not those of the draw", r.MeanWeight, r.WeightSE))
	}
	if r.ESS < rule.LeastESS {
		reasons = append(reasons, fmt.Sprintf("don't know: effective sample of %.0f, want %.0f", r.ESS, rule.LeastESS))
	}
	if r.Rewards < rule.LeastRewards {
		reasons = append(reasons, fmt.Sprintf("don't know: %.0f effective rewards, want %.0f", r.Rewards, rule.LeastRewards))
	}
	switch {
	case math.IsNaN(r.Gain.Low):
		reasons = append(reasons, "don't know: the gain has no interval")
	case !(r.Gain.Low > 0):
		reasons = append(reasons, fmt.Sprintf("the gain could be %.2g, not above 0", r.Gain.Low))
	}
	return len(reasons) == 0, reasons
}

// astray says that the mean weight is off 1 by more than a tenth, or by more than chance (four
// standard errors) and the rounding of logged propensities (a thousandth) explain.
func (r Report) astray() bool {
	off := math.Abs(r.MeanWeight - 1)
	return off > .1 || off > max(4*r.WeightSE, .001)
}
