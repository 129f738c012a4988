package value

import (
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/handschlag/handschlag/batch/learn"
)

// published is the optimum on CDNOW's sample (note 025).
var published = GammaGamma{P: 6.25, Q: 3.74, Gamma: 15.44}

// The density of a mean of x gammas given ν, averaged over ν.
func TestSpendLikelihoodIsAnAverageOverBuyers(t *testing.T) {
	nu := distuv.Gamma{Alpha: published.Q, Beta: published.Gamma}
	for _, s := range []Spend{{1, 1177, 1}, {2, 2235, 1}, {9, 4000, 1}} {
		x := float64(s.Orders)
		want := integrate(20_000, func(u float64) float64 {
			return distuv.Gamma{Alpha: published.P * x, Beta: nu.Quantile(u) * x}.Prob(s.Cents / 100)
		})
		if got := math.Exp(published.LogLikelihood([]Spend{s})); math.Abs(got/want-1) > .001 {
			t.Errorf("%+v: %g, the average is %g", s, got, want)
		}
	}
}

// Note 025: E(M) of the population is pγ/(q−1), and a mean over many orders is kept.
func TestAMeanMovesFromEverybodysToTheBuyersOwn(t *testing.T) {
	all, one, many := published.Mean(Spend{}), published.Mean(Spend{Orders: 1, Cents: 9000}), published.Mean(Spend{Orders: 1000, Cents: 9000})
	if want := 100 * 6.25 * 15.44 / 2.74; math.Abs(all-want) > 1e-9 {
		t.Errorf("everybody's is %g, want %g", all, want)
	}
	if !(all < one && one < many && math.Abs(many-9000) < 10) {
		t.Errorf("%g, %g, %g", all, one, many)
	}
}

func TestAShopsOwnSpendComesBack(t *testing.T) {
	r := learn.NewRandom(4)
	var ss []Spend
	for range 20_000 {
		nu := distuv.Gamma{Alpha: published.Q, Beta: published.Gamma}.Quantile(r.Float64())
		x := 1 + r.IntN(5)
		z := distuv.Gamma{Alpha: published.P * float64(x), Beta: nu * float64(x)}.Quantile(r.Float64())
		ss = append(ss, Spend{Orders: x, Cents: 100 * z, Weight: 1})
	}
	m, flags, err := fitSpend(ss)
	if err != nil || len(flags) > 0 || m.LogLikelihood(ss) < published.LogLikelihood(ss) {
		t.Fatal(m, flags, err)
	}
	for name, ratio := range map[string]float64{"p": m.P / published.P, "q": m.Q / published.Q, "γ": m.Gamma / published.Gamma} {
		if math.Abs(ratio-1) > .1 {
			t.Errorf("%s is %.2f times the truth: %+v", name, ratio, m)
		}
	}
}

func TestDegenerateSpendIsFiniteAndFlagged(t *testing.T) {
	for _, c := range []struct {
		name string
		ss   []Spend
		want Flag
	}{
		{"none", nil, NoSpend},
		{"worth nothing", []Spend{{3, 0, 10}}, NoSpend},
		{"one", []Spend{{3, 2000, 1}}, SpendAlike},
		{"all the same", []Spend{{1, 2000, 1e6}}, SpendAlike},
		{"a cent and a fortune", []Spend{{1, 1, 1000}, {1, 1e12, 1}}, SpendAlike},
	} {
		m, err := Fit([]History{{1, 20, 50, 200}, {0, 0, 50, 300}}, c.ss)
		if err != nil || !slices.Contains(m.Flags, c.want) {
			t.Errorf("%s: %q, want %q; %+v %v", c.name, m.Flags, c.want, m.Spend, err)
		}
		finite(t, m)
	}
}
