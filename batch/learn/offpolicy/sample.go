package offpolicy

import (
	"fmt"
	"math"
)

// Sample is one logged choice, with what the policy in question would do.
type Sample struct {
	Reward     float64
	Propensity float64 // with which the logged choice was made: above 0, to 1
	Target     float64 // with which the policy makes it
	Fitted     float64 // modelled mean reward of the logged choice
	Direct     float64 // modelled mean reward under the policy: Σ_a target(a)·fitted(a)
}

func (s Sample) weight() float64 { return s.Target / s.Propensity }

// check names the first sample that cannot be.
func check(samples []Sample) error {
	if len(samples) < 2 {
		return fmt.Errorf("%d logged choices: want at least 2", len(samples))
	}
	for i, s := range samples {
		switch {
		case !(s.Propensity > 0 && s.Propensity <= 1):
			return fmt.Errorf("logged choice %d has propensity %v: want above 0, to 1", i, s.Propensity)
		case !(s.Target >= 0 && s.Target <= 1):
			return fmt.Errorf("logged choice %d has target probability %v: want 0 to 1", i, s.Target)
		case math.IsNaN(s.Reward+s.Fitted+s.Direct) || math.IsInf(s.Reward+s.Fitted+s.Direct, 0):
			return fmt.Errorf("logged choice %d has reward %v, fitted %v, direct %v: want numbers", i, s.Reward, s.Fitted, s.Direct)
		}
	}
	return nil
}

// ESS is the effective sample size (Σw)²/Σw² (Kish, Survey Sampling, 1965), w = target / propensity.
func ESS(samples []Sample) float64 { return kish(samples, Sample.weight) }

// Rewards is (Σwr)²/Σ(wr)²: how many rewarded choices the value stands on. It is meant for
// rewards that are not negative.
func Rewards(samples []Sample) float64 {
	return kish(samples, func(s Sample) float64 { return s.weight() * s.Reward })
}

func kish(samples []Sample, of func(Sample) float64) float64 {
	var sum, squares float64
	for _, s := range samples {
		x := of(s)
		sum, squares = sum+x, squares+x*x
	}
	if squares == 0 {
		return 0
	}
	return sum * sum / squares
}
