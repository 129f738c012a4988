package value

import (
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mathext"
	"gonum.org/v1/gonum/stat/distuv"
	"pgregory.net/rapid"

	"github.com/handschlag/handschlag/batch/learn"
)

// cdnow is the published optimum on CDNOW's sample (Fader, Hardie, Lee 2005, table 2).
var cdnow = BGNBD{R: .243, Alpha: 4.414, A: .793, B: 2.426}

// integrate is a midpoint rule, the slow oracle of these tests.
func integrate(n int, f func(u float64) float64) float64 {
	sum := 0.0
	for i := range n {
		sum += f((float64(i) + .5) / float64(n))
	}
	return sum / float64(n)
}

// A buyer's likelihood given λ and p (eq. 3), averaged over λ and p by quantiles.
func TestTheLikelihoodIsAnAverageOverBuyers(t *testing.T) {
	m := BGNBD{R: 1.3, Alpha: 4, A: 1.8, B: 2.6}
	rate, leave := distuv.Gamma{Alpha: m.R, Beta: m.Alpha}, distuv.Beta{Alpha: m.A, Beta: m.B}
	rates, leaves := make([]float64, 400), make([]float64, 400)
	for i := range rates {
		u := (float64(i) + .5) / 400
		rates[i], leaves[i] = rate.Quantile(u), mathext.InvRegIncBeta(leave.Alpha, leave.Beta, u)
	}
	for _, h := range []History{{0, 0, 70, 1}, {1, 3, 60, 1}, {2, 60, 61, 1}, {5, 100, 200, 1}} {
		x, last, age := float64(h.Repeat), float64(h.Last)/7, float64(h.Age)/7
		want := 0.0
		for _, l := range rates {
			for _, p := range leaves {
				l1 := math.Pow((1-p)*l, x) * math.Exp(-l*age)
				if x > 0 {
					l1 += p * math.Pow(1-p, x-1) * math.Pow(l, x) * math.Exp(-l*last)
				}
				want += l1 / 400 / 400
			}
		}
		if got := math.Exp(m.LogLikelihood([]History{h})); math.Abs(got/want-1) > .01 {
			t.Errorf("%+v: %g, the average is %g", h, got, want)
		}
	}
}

func TestSlopesAreDerivatives(t *testing.T) {
	groups, _ := grouped([]History{{0, 0, 70, 3}, {1, 3, 60, 1}, {2, 60, 61, 2}, {40, 100, 200, .5}})
	_, _, mean, _ := sortedSpends(nil)
	spends, _, _, _ := sortedSpends([]Spend{{1, 1200, 1}, {3, 4550, 2}, {9, 310, 1}})
	for name, c := range map[string]struct {
		f    objective
		logs []float64
	}{
		"orders":           {orderObjective(groups, 6.5), []float64{-1, 1.2, .3, .9}},
		"orders, far off":  {orderObjective(groups, 6.5).fence(), []float64{-7.5, 9.5, -8, 3}},
		"spend":            {spendObjective(spends, 4+mean), []float64{1, .5, 2}},
		"spend, at a bend": {spendObjective(spends, 4).fence(), []float64{2, -7, 9.4}},
	} {
		grad := make([]float64, len(c.logs))
		c.f(c.logs, grad)
		for i := range c.logs {
			up, down := slices.Clone(c.logs), slices.Clone(c.logs)
			up[i], down[i] = up[i]+1e-5, down[i]-1e-5
			want := (c.f(up, nil) - c.f(down, nil)) / 2e-5
			if math.Abs(grad[i]-want) > 1e-6*(1+math.Abs(want)) {
				t.Errorf("%s, parameter %d: slope %g, derivative %g", name, i, grad[i], want)
			}
		}
	}
}

// eq. 10 as printed, away from a = 1 where it cannot be computed.
func equation10(m BGNBD, h History, days float64) float64 {
	x, last, age, t := float64(h.Repeat), float64(h.Last)/7, float64(h.Age)/7, days/7
	f := mathext.Hypergeo(m.R+x, m.B+x, m.A+m.B+x-1, t/(m.Alpha+age+t))
	above := (m.A + m.B + x - 1) / (m.A - 1) * (1 - math.Pow((m.Alpha+age)/(m.Alpha+age+t), m.R+x)*f)
	below := 1.0
	if h.Repeat > 0 {
		below += m.A / (m.B + x - 1) * math.Pow((m.Alpha+age)/(m.Alpha+last), m.R+x)
	}
	return above / below
}

func TestExpectedOrdersAreEquation10(t *testing.T) {
	for _, m := range []BGNBD{cdnow, {1.4, 8, 2.5, 3}, {.3, 2, .4, .9}} {
		for _, h := range []History{{0, 0, 1, 1}, {0, 0, 272, 1}, {2, 213, 272, 1}, {26, 200, 210, 1}} {
			for _, days := range []float64{7, 90, 273} {
				got, want := m.Orders(h, days), equation10(m, h, days)
				if math.Abs(got-want) > 1e-6*(1+want) {
					t.Errorf("%+v, %+v, %g days: %.9f, eq. 10 gives %.9f", m, h, days, got, want)
				}
			}
		}
	}
}

// The authors' worked example: x = 2, t_x = 30.43, T = 38.86, t = 39 weeks
// (Implementing the BG/NBD Model for Customer Base Analysis in Excel).
func TestThePublishedExample(t *testing.T) {
	if got := cdnow.Orders(History{Repeat: 2, Last: 213, Age: 272}, 273); math.Abs(got-1.226) > .0005 {
		t.Errorf("%.4f orders, published 1.226", got)
	}
}

func TestOrdersRunSmoothlyThroughAEqualsOne(t *testing.T) {
	h := History{Repeat: 3, Last: 100, Age: 150}
	below, at, above := cdnow, cdnow, cdnow
	below.A, at.A, above.A = .999, 1, 1.001
	b, x, a := below.Orders(h, 90), at.Orders(h, 90), above.Orders(h, 90)
	if math.Abs((b+a)/2-x) > 1e-6 || !(b > x && x > a) {
		t.Errorf("%g, %g, %g", b, x, a)
	}
}

// A horizon of ten thousand years takes a bounded time and stays a number.
func TestLongHorizonsEnd(t *testing.T) {
	m := BGNBD{R: 1, Alpha: lowest, A: lowest, B: highest}
	if got := m.Orders(History{Repeat: 200, Last: 400, Age: 400}, 3_650_000); math.IsNaN(got) || math.IsInf(got, 0) || got <= 0 {
		t.Errorf("%g orders", got)
	}
}

// shop draws buyers from a BG/NBD shop, watched for up to so many days.
func shop(seed uint64, m BGNBD, buyers, days int) []History {
	r := learn.NewRandom(seed)
	rate, leave := distuv.Gamma{Alpha: m.R, Beta: m.Alpha}, distuv.Beta{Alpha: m.A, Beta: m.B}
	out := make([]History, buyers)
	for i := range out {
		lambda, p := rate.Quantile(r.Float64())/7, mathext.InvRegIncBeta(leave.Alpha, leave.Beta, r.Float64())
		h := History{Age: days - r.IntN(days/2+1), Weight: 1}
		for at := 0.0; ; {
			at -= math.Log(1-r.Float64()) / max(lambda, 1e-12)
			if at >= float64(h.Age) {
				break
			}
			if d := int(math.Ceil(at)); d > h.Last {
				h.Repeat, h.Last = h.Repeat+1, d
			}
			if r.Float64() < p {
				break
			}
		}
		out[i] = h
	}
	return out
}

// Two days' orders fall together now and then, so the shop is slow enough that few do.
func TestAShopsOwnParametersComeBack(t *testing.T) {
	truth := BGNBD{R: 1.2, Alpha: 14, A: .9, B: 2.8}
	hs := shop(1, truth, 20_000, 540)
	m, err := Fit(hs, nil)
	if err != nil || !slices.Equal(m.Flags, []Flag{NoSpend}) {
		t.Fatal(m.Flags, err)
	}
	if m.LogLikelihood < truth.LogLikelihood(hs) {
		t.Error("the truth is likelier than the fit")
	}
	got := m.Orders
	for name, ratio := range map[string]float64{"r": got.R / truth.R, "α": got.Alpha / truth.Alpha, "a": got.A / truth.A, "b": got.B / truth.B} {
		if math.Abs(ratio-1) > .2 {
			t.Errorf("%s is %.2f times the truth: %+v", name, ratio, got)
		}
	}
}

// A night sees 90 days at most.
func TestShortWindowsFit(t *testing.T) {
	for seed := range uint64(5) {
		m, err := Fit(shop(seed, cdnow, 3000, 90), nil)
		if err != nil || slices.Contains(m.Flags, NotConverged) {
			t.Errorf("seed %d: %+v, %v", seed, m, err)
		}
		if o := m.Orders.Orders(History{Repeat: 1, Last: 20, Age: 40}, 90); o < .1 || o > 5 {
			t.Errorf("seed %d: %g orders in 90 days of %+v", seed, o, m.Orders)
		}
	}
}

func TestRowOrderAndGroupingChangeNothing(t *testing.T) {
	hs := shop(2, cdnow, 2000, 270)
	ss := []Spend{{1, 1200, 1}, {3, 4550, 2}, {9, 310, 1}, {2, 999, 4}}
	want, _ := Fit(hs, ss)
	slices.Reverse(ss)
	shuffled := make([]History, 0, len(hs))
	for _, i := range learn.NewRandom(9).Perm(len(hs)) {
		shuffled = append(shuffled, hs[i])
	}
	groups, _ := grouped(hs)
	for name, other := range map[string][]History{"shuffled": shuffled, "grouped": groups} {
		got, err := Fit(other, ss)
		if err != nil || got.Orders != want.Orders || got.Spend != want.Spend || got.LogLikelihood != want.LogLikelihood {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
}

func TestDegenerateHistoriesAreFiniteAndFlagged(t *testing.T) {
	never := make([]History, 0)
	for days := 7; days <= 140; days += 7 { // orders every week to the last day: nobody leaves
		never = append(never, History{days / 7, days, days, 100})
	}
	for _, c := range []struct {
		name string
		hs   []History
		want Flag
	}{
		{"empty", nil, NoHistories},
		{"weightless", []History{{1, 5, 9, 0}}, NoHistories},
		{"no repeat", []History{{0, 0, 90, 5000}, {0, 0, 10, 10}}, NoRepeat},
		{"no repeat, all today", []History{{0, 0, 0, 5000}}, NoRepeat},
		{"one buyer", []History{{3, 40, 60, 1}}, FewRepeats},
		{"one buyer, ordered today", []History{{3, 60, 60, 1}}, NobodyLeaves},
		{"all the same", []History{{2, 30, 80, 100_000}}, OrderingAlike},
		{"nobody leaves", never, NobodyLeaves},
		{"everybody leaves at once", []History{{1, 1, 300, 1000}, {1, 2, 300, 1000}, {0, 0, 300, 1}}, LeavingAlike},
		{"a heavy one", []History{{0, 0, 90, 1e6}, {90, 90, 90, 1}}, FewRepeats},
	} {
		m, err := Fit(c.hs, nil)
		if err != nil || !slices.Contains(m.Flags, c.want) {
			t.Errorf("%s: flags %q, want %q; %+v %v", c.name, m.Flags, c.want, m.Orders, err)
		}
		finite(t, m)
	}
}

// finite checks every number of a model and of what it expects.
func finite(t interface{ Errorf(string, ...any) }, m Model) {
	all := []float64{m.Orders.R, m.Orders.Alpha, m.Orders.A, m.Orders.B, m.Spend.P, m.Spend.Q, m.Spend.Gamma, m.LogLikelihood}
	for _, h := range []History{{0, 0, 0, 1}, {0, 0, 90, 1}, {1, 1, 90, 1}, {90, 90, 90, 1}, {3, 300, 3000, 1}} {
		for _, days := range []float64{0, 1, 90, 3650} {
			e := m.Expect(h, Spend{Orders: 1, Cents: 1999}, days)
			all = append(all, e.Orders, e.Alive, e.Cents)
			if e.Orders < 0 || e.Orders > days || e.Alive < 0 || e.Alive > 1 || e.Cents < 0 {
				t.Errorf("%+v expects %+v of %+v in %g days", m, e, h, days)
			}
		}
	}
	for _, v := range all {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			t.Errorf("%+v has a number that is none", m)
		}
	}
}

func TestNoHistoriesBreakAFit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		hs := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) History {
			h := History{Age: rapid.IntRange(0, 400).Draw(t, "age"), Weight: rapid.SampledFrom([]float64{.1, 1, 1e6}).Draw(t, "weight")}
			h.Last = rapid.IntRange(0, h.Age).Draw(t, "last")
			if h.Last > 0 {
				h.Repeat = rapid.IntRange(1, h.Last).Draw(t, "repeat")
			}
			return h
		}), 0, 6).Draw(t, "histories")
		m, err := Fit(hs, []Spend{{1, rapid.Float64Range(0, 1e9).Draw(t, "cents"), 1}})
		if err != nil {
			t.Fatal(err)
		}
		finite(t, m)
	})
}

func TestImpossibleHistoriesAreNamed(t *testing.T) {
	for _, h := range []History{{-1, 0, 1, 1}, {1, 5, 4, 1}, {3, 2, 4, 1}, {0, 2, 4, 1}, {1, 2, 4, -1}, {1, 2, 4, math.NaN()}} {
		if _, err := Fit([]History{{0, 0, 1, 1}, h}, nil); err == nil {
			t.Errorf("%+v: no error", h)
		}
	}
	for _, s := range []Spend{{-1, 1, 1}, {1, -1, 1}, {1, math.NaN(), 1}, {1, 1, math.Inf(1)}} {
		if _, err := Fit(nil, []Spend{s}); err == nil {
			t.Errorf("%+v: no error", s)
		}
	}
}
