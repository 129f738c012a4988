package offpolicy

import "fmt"

// Rule says when a policy may be recommended over the one that logged. The zero value takes
// the defaults.
type Rule struct {
	LeastESS     float64 // effective sample size; 0: 1,000 choices
	LeastRewards float64 // effective number of rewarded choices; 0: 25; below 0: not asked
}

// Recommend says whether the policy is better than the logging one: the effective sample is
// large enough, and the lower end of the interval of the gain is above 0. Else the reasons
// say what lacks; "don't know" where it is the sample.
func (r Report) Recommend(rule Rule) (ok bool, reasons []string) {
	if rule.LeastESS == 0 {
		rule.LeastESS = 1000
	}
	if rule.LeastRewards == 0 {
		rule.LeastRewards = 25
	}
	if r.ESS < rule.LeastESS {
		reasons = append(reasons, fmt.Sprintf("don't know: effective sample of %.0f, want %.0f", r.ESS, rule.LeastESS))
	}
	if r.Rewards < rule.LeastRewards {
		reasons = append(reasons, fmt.Sprintf("don't know: %.0f effective rewards, want %.0f", r.Rewards, rule.LeastRewards))
	}
	if !(r.Gain.Low > 0) {
		reasons = append(reasons, fmt.Sprintf("the gain could be %.2g, not above 0", r.Gain.Low))
	}
	return len(reasons) == 0, reasons
}
