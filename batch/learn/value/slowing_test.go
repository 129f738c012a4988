package value

import (
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mathext"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/handschlag/handschlag/batch/learn"
)

// slowly is near the optimum on CDNOW's calibration weeks.
var slowly = Slowing{BGNBD: BGNBD{R: .2, Alpha: 2.7, A: 1, B: 1}, S: .43, Beta: 13}

var trails = []Trail{
	{nil, 70, 1}, {[]int{3}, 60, 1}, {[]int{59, 60}, 61, 2}, {[]int{2, 5, 100}, 120, 1},
	{[]int{1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144}, 300, .5},
}

func TestWithoutASlowRateItIsBGNBD(t *testing.T) {
	for _, of := range []BGNBD{cdnow, {R: 900, Alpha: 4000, A: 2, B: 5}, {R: 1, Alpha: 12, A: .1, B: .2}} {
		m := Slowing{BGNBD: of, S: 1e-9, Beta: 1}
		model := Model{Orders: of, Slowing: &m, Buyers: 1}
		for _, trail := range trails {
			h := trail.History()
			if got, want := m.LogLikelihood([]Trail{trail}), of.LogLikelihood([]History{h}); math.Abs(got-want) > 1e-6 {
				t.Errorf("%v: log-likelihood %.6f, BG/NBD %.6f of %+v", trail.Days, got, want, of)
			}
			got, want := model.Outlook(273).Expect(trail, Spend{}), model.Expect(h, Spend{}, 273)
			if math.Abs(got.Orders/want.Orders-1) > 1e-3 || math.Abs(got.Alive-want.Alive) > 1e-6 {
				t.Errorf("%v: %+v, BG/NBD %+v of %+v", trail.Days, got, want, of)
			}
		}
	}
}

// The likelihood of buyers whose rates and p are known, averaged over quantiles.
func TestSlowingIsAnAverageOverBuyers(t *testing.T) {
	m := Slowing{BGNBD: BGNBD{R: 1.3, Alpha: 4, A: 1.8, B: 2.6}, S: 1.5, Beta: 20}
	quantiles := func(n int, of func(float64) float64) (out []float64) {
		for i := range n {
			out = append(out, of((float64(i)+.5)/float64(n)))
		}
		return out
	}
	rates := quantiles(300, distuv.Gamma{Alpha: m.R, Beta: m.Alpha}.Quantile)
	others := quantiles(60, distuv.Gamma{Alpha: m.S, Beta: m.Beta}.Quantile)
	ps := quantiles(60, func(u float64) float64 { return mathext.InvRegIncBeta(m.A, m.B, u) })
	for _, trail := range trails[:4] {
		want, n := 0.0, float64(len(rates)*len(others)*len(ps))
		for _, rate := range rates {
			for _, other := range others {
				for _, p := range ps {
					want += knownBuyer(trail, rate, other, p) / n
				}
			}
		}
		got := m.LogLikelihood([]Trail{trail})
		if math.Abs(got/trail.Weight-math.Log(want)) > .02 {
			t.Errorf("%v: %.4f, the average is %.4f", trail.Days, got/trail.Weight, math.Log(want))
		}
	}
}

// knownBuyer is the likelihood of a trail as a walk along its gaps: own and slow are
// the chances of what was seen so far, at either rate.
func knownBuyer(trail Trail, rate, other, p float64) float64 {
	own, slow, before := 1.0, 0.0, 0
	for _, day := range trail.Days {
		weeks := float64(day-before) / 7
		own *= rate * math.Exp(-rate*weeks)
		slow *= other * math.Exp(-other*weeks)
		own, slow, before = own*(1-p), slow+own*p, day
	}
	weeks := float64(trail.Age-before) / 7
	return own*math.Exp(-rate*weeks) + slow*math.Exp(-other*weeks)
}

// slowing draws buyers who slow down, and what they order in the days after.
func slowing(seed uint64, m Slowing, buyers, days, horizon int) ([]Trail, []float64) {
	r := learn.NewRandom(seed)
	out, after := make([]Trail, buyers), make([]float64, buyers)
	for i := range out {
		rate := distuv.Gamma{Alpha: m.R, Beta: m.Alpha}.Quantile(r.Float64())
		other := distuv.Gamma{Alpha: m.S, Beta: m.Beta}.Quantile(r.Float64())
		p := mathext.InvRegIncBeta(m.A, m.B, r.Float64())
		t := Trail{Age: days - r.IntN(days/2), Weight: 1}
		for at := 0.0; ; {
			at -= 7 * math.Log(1-r.Float64()) / max(rate, 1e-9)
			d := int(math.Ceil(at))
			if d > t.Age+horizon {
				break
			}
			if r.Float64() < p {
				rate, p = other, 0
			}
			if last := t.History().Last; d > t.Age {
				after[i]++
			} else if d > last {
				t.Days = append(t.Days, d)
			}
		}
		out[i] = t
	}
	return out, after
}

// The totals forecast for buyers with none, one and more repeats come about, within
// four standard errors of the sum.
func TestForecastsComeAbout(t *testing.T) {
	truth := Slowing{BGNBD: BGNBD{R: .6, Alpha: 9, A: 1, B: 1.5}, S: 2, Beta: 60}
	trails, after := slowing(3, truth, 6000, 270, 270)
	outlook := Model{Slowing: &truth, Buyers: 6000}.Outlook(270)
	var expected, came, squares [3]float64
	for i, trail := range trails {
		k := min(len(trail.Days), 2)
		e := outlook.Expect(trail, Spend{}).Orders
		expected[k], came[k], squares[k] = expected[k]+e, came[k]+after[i], squares[k]+(after[i]-e)*(after[i]-e)
	}
	for k := range came {
		if math.Abs(expected[k]-came[k]) > 4*math.Sqrt(squares[k]) {
			t.Errorf("%d repeats: %.0f forecast, %.0f came, s.e. %.0f", k, expected[k], came[k], math.Sqrt(squares[k]))
		}
	}
}

func TestSlowRatesAreFound(t *testing.T) {
	truth := Slowing{BGNBD: BGNBD{R: 1.2, Alpha: 9, A: 1, B: 2}, S: 2, Beta: 50}
	trails, _ := slowing(5, truth, 1500, 500, 0)
	m, err := FitTrails(trails, nil)
	if err != nil || m.Slowing == nil || !slices.Equal(m.Flags, []Flag{NoSpend}) {
		t.Fatal(m.Flags, err)
	}
	got := *m.Slowing
	if ll, of := got.LogLikelihood(trails), truth.LogLikelihood(trails); ll < of || ll < m.LogLikelihood+10 {
		t.Errorf("log-likelihood %.1f, of the truth %.1f, of BG/NBD %.1f", ll, of, m.LogLikelihood)
	}
	if ratio := got.S / got.Beta / (truth.S / truth.Beta); ratio < .8 || ratio > 1.25 {
		t.Errorf("the mean slow rate is %.2f times the truth: %+v", ratio, got)
	}
}

// Many orders in a month, then none for years.
func TestWhereNobodyReturnsItIsSaid(t *testing.T) {
	var some []Trail
	for i := range 60 {
		trail := Trail{Age: 3000, Weight: 10}
		for d := 1 + i%3; d < 5+i/2; d += 1 + i%4 {
			trail.Days = append(trail.Days, d)
		}
		some = append(some, trail)
	}
	m, err := FitTrails(some, nil)
	if err != nil || !slices.Contains(m.Flags, NobodyReturns) {
		t.Errorf("flags %q, %v, %+v", m.Flags, err, m.Slowing)
	}
}

func TestTrailOrderAndGroupingChangeNothing(t *testing.T) {
	some, _ := slowing(6, slowly, 300, 270, 0)
	want, _ := FitTrails(some, nil)
	twice := slices.Clone(some)
	slices.Reverse(twice)
	groups, _ := groupedTrails(some)
	for name, other := range map[string][]Trail{"reversed": twice, "grouped": groups} {
		if got, err := FitTrails(other, nil); err != nil || *got.Slowing != *want.Slowing {
			t.Errorf("%s: %+v, want %+v, %v", name, got.Slowing, want.Slowing, err)
		}
	}
}

func TestDegenerateTrailsAreFinite(t *testing.T) {
	daily := Trail{Age: 60, Weight: 1}
	for d := 1; d <= 60; d++ {
		daily.Days = append(daily.Days, d)
	}
	for name, some := range map[string][]Trail{
		"empty": nil, "no repeat": {{nil, 90, 500}}, "one": {{[]int{3, 9}, 60, 1}},
		"all the same": {{[]int{30}, 80, 100_000}}, "every day": {daily}, "every day and never": {daily, {nil, 60, 1e6}},
	} {
		m, err := FitTrails(some, []Spend{{1, 1999, 1}})
		if err != nil || len(m.Flags) == 0 {
			t.Errorf("%s: flags %q, %v", name, m.Flags, err)
		}
		finite(t, m)
		for _, trail := range append(slices.Clone(trails), daily) {
			for _, days := range []float64{0, 1, 90, 3650} {
				e := m.Outlook(days).Expect(trail, Spend{})
				if !(e.Orders >= 0 && e.Orders < 1e5 && e.Alive >= 0 && e.Alive <= 1+1e-12 && e.Cents >= 0) {
					t.Errorf("%s: %+v in %g days of %d repeats, %+v", name, e, days, len(trail.Days), m.Slowing)
				}
			}
		}
	}
}

func TestImpossibleTrailsAreNamed(t *testing.T) {
	for _, trail := range []Trail{{[]int{5, 5}, 9, 1}, {[]int{0}, 9, 1}, {[]int{10}, 9, 1}, {nil, -1, 1}, {nil, 1, math.Inf(1)}} {
		if _, err := FitTrails([]Trail{{nil, 1, 1}, trail}, nil); err == nil {
			t.Errorf("%+v: no error", trail)
		}
	}
}

// The k-th moments of Beta(a, b) are Π (a+i)/(a+b+i).
func TestJacobiIntegratesPolynomials(t *testing.T) {
	for _, c := range [][2]float64{{.94, 1.39}, {1, 1}, {.01, 5}, {40, 300}, {.5, .5}} {
		nodes, want := jacobi(c[0], c[1], 8), 1.0
		for k := range 12 {
			got := 0.0
			for _, n := range nodes {
				got += n.weight * math.Pow(n.p, float64(k))
			}
			if math.Abs(got-want) > 1e-9 {
				t.Errorf("moment %d of Beta(%g, %g): %g, want %g", k, c[0], c[1], got, want)
			}
			want *= (c[0] + float64(k)) / (c[0] + c[1] + float64(k))
		}
	}
}
