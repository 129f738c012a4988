package offpolicy

import (
	"math"
	"slices"
)

// The estimators.
const (
	IPW      = "IPW"       // mean of w·r (Horvitz and Thompson, 1952)
	SNIPW    = "SNIPW"     // Σwr/Σw (Swaminathan and Joachims, NIPS 2015)
	DM       = "DM"        // mean of the modelled reward
	DR       = "DR"        // DM + mean of w·(r − fitted) (Dudík, Langford, Li, ICML 2011)
	SwitchDR = "Switch-DR" // DR with w·(r − fitted) only where w ≤ τ (Wang, Agarwal, Dudík, ICML 2017)
)

// Value is an estimate of the mean reward under the policy.
type Value struct {
	Name      string
	Value, SE float64
	Low, High float64 // bootstrap-t interval; not a number for DM, whose error is the model's
}

// Options say how to evaluate. The zero value takes the defaults.
type Options struct {
	Level  float64 // of two-sided intervals; 0: .95
	Draws  int     // of the bootstrap; 0: 2,000
	Seed   uint64
	Switch float64 // τ of Switch-DR; 0: chosen by SwitchAt
}

// Report is everything about one policy on one log.
type Report struct {
	N          int
	ESS        float64
	Rewards    float64
	MeanWeight float64 // 1 in expectation: far from it, the log lacks what the policy does, or propensities are not those of the draw
	WeightSE   float64 // its standard error
	Switch     float64 // τ
	Logged     float64 // mean reward of the log
	Values     []Value
	Gain       Value // DR less the mean reward of the log, choice by choice
}

// Evaluate gives the value of the policy by five estimators, with intervals.
func Evaluate(samples []Sample, o Options) (Report, error) {
	if err := check(samples); err != nil {
		return Report{}, err
	}
	if o.Level == 0 {
		o.Level = .95
	}
	if o.Draws == 0 {
		o.Draws = 2000
	}
	r := Report{N: len(samples), ESS: ESS(samples), Rewards: Rewards(samples), Switch: o.Switch}
	if r.Switch == 0 {
		r.Switch = SwitchAt(samples)
	}
	var weights moments
	for _, s := range samples {
		weights.add(s.weight(), 1)
		r.Logged += s.Reward / float64(r.N)
	}
	r.MeanWeight, r.WeightSE = weights.ratio()
	terms := []estimator{
		{IPW, func(s Sample) (float64, float64) { return s.weight() * s.Reward, 1 }},
		{SNIPW, func(s Sample) (float64, float64) { return s.weight() * s.Reward, s.weight() }},
		{DM, func(s Sample) (float64, float64) { return s.Direct, 1 }},
		{DR, func(s Sample) (float64, float64) { return s.robust(math.Inf(1)), 1 }},
		{SwitchDR, func(s Sample) (float64, float64) { return s.robust(r.Switch), 1 }},
		{"gain", func(s Sample) (float64, float64) { return s.robust(math.Inf(1)) - s.Reward, 1 }},
	}
	r.Values = bootstrap(samples, terms, o)
	r.Values[2].SE, r.Values[2].Low, r.Values[2].High = math.NaN(), math.NaN(), math.NaN()
	r.Gain, r.Values = r.Values[len(terms)-1], r.Values[:len(terms)-1]
	return r, nil
}

// robust is the doubly robust term, with the correction where the weight is at most τ.
func (s Sample) robust(tau float64) float64 {
	if w := s.weight(); w <= tau {
		return s.Direct + w*(s.Reward-s.Fitted)
	}
	return s.Direct
}

// SwitchAt chooses τ of Switch-DR: over the 20-quantiles of the weights, the one with the
// least estimated variance plus squared bias. The bias of leaving choices with w > τ to the
// model is bounded by their mean weight times the greatest fitted reward (Wang, Agarwal,
// Dudík, ICML 2017, section 4, with that in the place of R_max: mean rewards of clicks are
// far below 1).
func SwitchAt(samples []Sample) float64 {
	weights, most := make([]float64, len(samples)), 0.0
	for i, s := range samples {
		weights[i] = s.weight()
		most = max(most, math.Abs(s.Fitted))
	}
	slices.Sort(weights)
	best, least := weights[len(weights)-1], math.Inf(1)
	for q := 20; q >= 1; q-- {
		tau := weights[min(len(weights)-1, q*len(weights)/20)]
		var sum, squares, left float64
		for _, s := range samples {
			x := s.robust(tau)
			sum, squares = sum+x, squares+x*x
			if s.weight() > tau {
				left += s.weight()
			}
		}
		n := float64(len(samples))
		mean, bias := sum/n, most*left/n
		if risk := (squares/n-mean*mean)/n + bias*bias; risk < least {
			best, least = tau, risk
		}
	}
	return best
}
