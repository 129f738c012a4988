package offpolicy

import (
	"math"
	"strings"
	"testing"

	"github.com/handschlag/handschlag/batch/learn"
)

// By hand: weights 2, 1, 0, .5; IPW (2·1 + .5·1)/4, SNIPW 2.5/3.5, DR with fitted .5 and
// direct .4: .4 + (2·.5 − 1·.5 + 0 + .5·.5)/4.
func TestEstimatorsByHand(t *testing.T) {
	samples := []Sample{
		{Reward: 1, Propensity: .25, Target: .5, Fitted: .5, Direct: .4},
		{Reward: 0, Propensity: .5, Target: .5, Fitted: .5, Direct: .4},
		{Reward: 1, Propensity: .5, Target: 0, Fitted: .5, Direct: .4},
		{Reward: 1, Propensity: 1, Target: .5, Fitted: .5, Direct: .4},
	}
	r, err := Evaluate(samples, Options{Draws: 50, Switch: 1})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]float64{IPW: .625, SNIPW: 2.5 / 3.5, DM: .4, DR: .5875, SwitchDR: .4 + (-.5+.25)/4}
	for _, v := range r.Values {
		if math.Abs(v.Value-want[v.Name]) > 1e-12 {
			t.Errorf("%s is %v, want %v", v.Name, v.Value, want[v.Name])
		}
	}
	if math.Abs(r.ESS-3.5*3.5/5.25) > 1e-12 || math.Abs(r.Rewards-2.5*2.5/4.25) > 1e-12 || r.Logged != .75 || r.MeanWeight != .875 {
		t.Errorf("%+v", r)
	}
	se := math.Sqrt((1.375*1.375 + .625*.625*2 + .125*.125) / 16) // of IPW: deviations of 2, 0, 0, .5 from .625
	if math.Abs(r.Values[0].SE-se) > 1e-12 {
		t.Errorf("IPW ± %v, want %v", r.Values[0].SE, se)
	}
}

// world draws a log of a concentrated policy over 10 items with rare rewards; the policy in
// question is uniform. fitted is the reward model's error factor.
func world(seed uint64, n int, fitted float64) (samples []Sample, truth float64) {
	r := learn.NewRandom(seed, 1)
	p, rate := make([]float64, 10), make([]float64, 10)
	left := 1.0
	for i := range p {
		p[i], rate[i] = left*.4, .05*math.Exp(.3*r.Normal())
		if i == 9 {
			p[i] = left
		}
		left, truth = left-p[i], truth+rate[i]/10
	}
	for range n {
		u, i := r.Float64(), 0
		for u >= p[i] && i < 9 {
			u, i = u-p[i], i+1
		}
		s := Sample{Propensity: p[i], Target: .1, Fitted: fitted * rate[i], Direct: fitted * truth}
		if r.Float64() < rate[i] {
			s.Reward = 1
		}
		samples = append(samples, s)
	}
	return samples, truth
}

// Of 300 logs with skewed weights, the 95 % intervals of the unbiased estimators hold the
// truth in 95 % (at least 91 %: three standard errors), with a wrong reward model too.
func TestIntervalsHoldTheTruthWhereWeightsAreSkewed(t *testing.T) {
	held := map[string]int{}
	const logs = 300
	for seed := range uint64(logs) {
		samples, truth := world(seed, 1500, .5)
		r, err := Evaluate(samples, Options{Draws: 200, Seed: seed})
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range r.Values {
			if v.Low <= truth && truth <= v.High {
				held[v.Name]++
			}
		}
	}
	for _, name := range []string{IPW, SNIPW, DR} {
		if share := float64(held[name]) / logs; share < .91 {
			t.Errorf("%s: %.3f of the intervals hold the truth, want about .95", name, share)
		}
	}
}

func TestAGoodRewardModelHelpsAndABadOneDoesNotHarm(t *testing.T) {
	var off, good [2]float64
	for seed := range uint64(100) {
		for k, fitted := range []float64{1, 3} {
			samples, truth := world(seed, 1500, fitted)
			r, err := Evaluate(samples, Options{Draws: 2})
			if err != nil {
				t.Fatal(err)
			}
			good[k] += (r.Values[3].Value - truth) / 100
			off[k] += (r.Values[2].Value - truth) / 100
		}
	}
	if math.Abs(off[1]) < .05 || math.Abs(good[1]) > .004 || math.Abs(good[0]) > .004 {
		t.Errorf("mean errors: DM %v, DR %v, with a good and a bad model", off, good)
	}
}

func TestSwitchingLeavesFarWeightsToTheModel(t *testing.T) {
	samples, _ := world(1, 1500, 1)
	r, err := Evaluate(samples, Options{Draws: 10, Switch: 1e-9})
	if err != nil {
		t.Fatal(err)
	}
	if r.Values[4].Value != r.Values[2].Value {
		t.Errorf("with no weight below τ, Switch-DR is %v and DM %v", r.Values[4].Value, r.Values[2].Value)
	}
	tau, most := SwitchAt(samples), 0.0
	for _, s := range samples {
		most = max(most, s.weight())
	}
	if tau <= 0 || tau > most {
		t.Errorf("τ = %v, the greatest weight is %v", tau, most)
	}
}

func TestNothingIsRecommendedOnASmallEffectiveSample(t *testing.T) {
	better := func(n int) []Sample { // the policy always takes what pays .5, the log pays .1 on the whole
		r, out := learn.NewRandom(2), make([]Sample, n)
		for i := range out {
			out[i] = Sample{Propensity: .8, Target: 0, Fitted: 0, Direct: .5}
			if r.Float64() < .2 {
				out[i] = Sample{Propensity: .2, Target: 1, Fitted: .5, Direct: .5, Reward: float64(r.IntN(2))}
			}
		}
		return out
	}
	for _, c := range []struct {
		n    int
		want bool
	}{{600, false}, {20_000, true}} {
		r, err := Evaluate(better(c.n), Options{Draws: 200})
		if err != nil {
			t.Fatal(err)
		}
		ok, reasons := r.Recommend(Rule{})
		if ok != c.want || !ok && !strings.Contains(reasons[0], "don't know") {
			t.Errorf("%d choices: %v, %v", c.n, ok, reasons)
		}
	}
	samples, _ := world(3, 20_000, 1)
	r, err := Evaluate(samples, Options{Draws: 200})
	if err != nil {
		t.Fatal(err)
	}
	if ok, _ := r.Recommend(Rule{}); ok {
		t.Error("a policy that is no better was recommended")
	}
}

// A policy that gives 60 % to what the log never shows: the weights of the rest add up to .4, and what
// it would earn with the 60 % is the reward model's word alone.
func TestNothingIsRecommendedOfWhatTheLogNeverShows(t *testing.T) {
	r, samples := learn.NewRandom(5), make([]Sample, 20_000)
	for i := range samples {
		samples[i] = Sample{Propensity: .5, Fitted: .02, Direct: .5}
		if r.Float64() < .5 {
			samples[i].Target = .4
		}
		if r.Float64() < .02 {
			samples[i].Reward = 1
		}
	}
	report, err := Evaluate(samples, Options{Draws: 200})
	if err != nil {
		t.Fatal(err)
	}
	if ok, reasons := report.Recommend(Rule{}); ok || !strings.Contains(reasons[0], "don't know: mean weight 0.") || report.Gain.Low <= 0 {
		t.Errorf("%v, %v; gain at least %v", ok, reasons, report.Gain.Low)
	}
	want := .4 / math.Sqrt(20_000) // weights are 0 or .8, as often: a standard deviation of .4
	if math.Abs(report.WeightSE-want) > want/50 {
		t.Errorf("the mean weight's standard error is %v, want %v", report.WeightSE, want)
	}
}

func TestAMeanWeightMayBeOff1ByChanceAlone(t *testing.T) {
	for name, c := range map[string]struct {
		mean, se float64
		want     bool
	}{
		"by rounding":                 {1.0004, 0, false},
		"by three standard errors":    {1.06, .02, false},
		"by five":                     {.95, .01, true},
		"by a tenth, whatever chance": {.85, .1, true},
		"by no number":                {.404, .003, true},
	} {
		if got := (Report{MeanWeight: c.mean, WeightSE: c.se}).astray(); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestSamplesThatCannotBeAreRefused(t *testing.T) {
	good := Sample{Propensity: .5, Target: .5}
	for name, s := range map[string]Sample{
		"no propensity": {Target: .5}, "propensity above 1": {Propensity: 1.1}, "target above 1": {Propensity: .5, Target: 2}, "no number": {Propensity: .5, Reward: math.NaN()},
	} {
		if _, err := Evaluate([]Sample{good, s}, Options{}); err == nil || !strings.Contains(err.Error(), "choice 1") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
