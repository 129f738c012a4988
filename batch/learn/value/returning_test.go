package value

import (
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mathext"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/handschlag/handschlag/batch/learn"
)

// back is near the optimum on CDNOW's calibration weeks.
var back = Returning{BGNBD: BGNBD{R: .21, Alpha: 3.1, A: .94, B: 1.4}, Back: .018}

var trails = []Trail{
	{nil, 70, 1}, {[]int{3}, 60, 1}, {[]int{59, 60}, 61, 2}, {[]int{2, 5, 100}, 120, 1},
	{[]int{1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144}, 300, .5},
}

func TestWithoutReturnsItIsBGNBD(t *testing.T) {
	for _, of := range []BGNBD{cdnow, {R: 900, Alpha: 4000, A: 2, B: 5}, {R: 6, Alpha: 12, A: .1, B: .2}} {
		m := Returning{BGNBD: of, Back: 1e-9}
		model := Model{Orders: of, Returning: &m, Buyers: 1}
		for _, trail := range trails {
			h := trail.History()
			if got, want := m.LogLikelihood([]Trail{trail}), of.LogLikelihood([]History{h}); math.Abs(got-want) > 1e-3 {
				t.Errorf("%v: log-likelihood %.6f, BG/NBD %.6f of %+v", trail.Days, got, want, of)
			}
			got, want := model.Outlook(273).Expect(trail, Spend{}), model.Expect(h, Spend{}, 273)
			if math.Abs(got.Orders/want.Orders-1) > 1e-3 || math.Abs(got.Alive-want.Alive) > 1e-3 {
				t.Errorf("%v: %+v, BG/NBD %+v of %+v", trail.Days, got, want, of)
			}
		}
	}
}

// The integral as printed, by quantiles of λ and p.
func TestReturningIsAnAverageOverBuyers(t *testing.T) {
	m := Returning{BGNBD: BGNBD{R: 1.3, Alpha: 4, A: 1.8, B: 2.6}, Back: .05}
	for _, trail := range trails[:4] {
		want := 0.0
		for i := range 400 {
			rate := distuv.Gamma{Alpha: m.R, Beta: m.Alpha}.Quantile((float64(i) + .5) / 400)
			slow := rate * m.Back / (rate + m.Back)
			for k := range 100 {
				p := mathext.InvRegIncBeta(m.A, m.B, (float64(k)+.5)/100)
				l := 1.0
				for g := range trail.Days {
					w := trail.gap(g)
					if g == 0 {
						l *= rate * math.Exp(-rate*w)
					} else {
						l *= (1-p)*rate*math.Exp(-rate*w) + p*slow*math.Exp(-slow*w)
					}
				}
				s := trail.gap(len(trail.Days))
				if len(trail.Days) == 0 {
					l = math.Exp(-rate * s)
				} else {
					l *= (1-p)*math.Exp(-rate*s) + p*math.Exp(-slow*s)
				}
				want += l / 400 / 100
			}
		}
		got := m.LogLikelihood([]Trail{trail})
		if math.Abs(got/trail.Weight-math.Log(want)) > .02 {
			t.Errorf("%v: %.4f, the average is %.4f", trail.Days, got/trail.Weight, math.Log(want))
		}
	}
}

func TestReturningSlopesAreDerivatives(t *testing.T) {
	f := returningObjective(trails, 5.5)
	logs := []float64{-1.4, 1.1, -.1, .4, .6}
	grad := make([]float64, len(logs))
	f(logs, grad)
	for i := range logs {
		up, down := slices.Clone(logs), slices.Clone(logs)
		up[i], down[i] = up[i]+1e-5, down[i]-1e-5
		if want := (f(up, nil) - f(down, nil)) / 2e-5; math.Abs(grad[i]-want) > 1e-6*(1+math.Abs(want)) {
			t.Errorf("parameter %d: slope %g, derivative %g", i, grad[i], want)
		}
	}
}

// pausing draws buyers who pause and return, and what they order in the weeks after.
func pausing(seed uint64, m Returning, buyers, days, horizon int) ([]Trail, []float64) {
	r := learn.NewRandom(seed)
	out, after := make([]Trail, buyers), make([]float64, buyers)
	for i := range out {
		rate := distuv.Gamma{Alpha: m.R, Beta: m.Alpha}.Quantile(r.Float64())
		p := mathext.InvRegIncBeta(m.A, m.B, r.Float64())
		t := Trail{Age: days - r.IntN(days/2), Weight: 1}
		for at, now, first := 0.0, rate, true; ; first = false {
			if !first && r.Float64() < p {
				now = rate * m.Back / (rate + m.Back)
			}
			at -= 7 * math.Log(1-r.Float64()) / max(now, 1e-9)
			d := int(math.Ceil(at))
			if d > t.Age+horizon {
				break
			}
			now = rate
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
	truth := Returning{BGNBD: BGNBD{R: .6, Alpha: 9, A: 1, B: 1.5}, Back: .03}
	trails, after := pausing(3, truth, 6000, 270, 270)
	outlook := Model{Returning: &truth, Buyers: 6000}.Outlook(270)
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

func TestReturnsAreFound(t *testing.T) {
	truth := Returning{BGNBD: BGNBD{R: 1.2, Alpha: 5, A: 1, B: 2}, Back: .04}
	trails, _ := pausing(5, truth, 1500, 500, 0)
	m, err := FitTrails(trails, nil)
	if err != nil || m.Returning == nil || !slices.Equal(m.Flags, []Flag{NoSpend}) {
		t.Fatal(m.Flags, err)
	}
	got := *m.Returning
	if ll, of := got.LogLikelihood(trails), truth.LogLikelihood(trails); ll < of || ll < m.LogLikelihood+10 {
		t.Errorf("log-likelihood %.1f, of the truth %.1f, of BG/NBD %.1f", ll, of, m.LogLikelihood)
	}
	if ratio := got.Back / truth.Back; ratio < .7 || ratio > 1.4 {
		t.Errorf("μ is %.2f times the truth: %+v", ratio, got)
	}
}

func TestTrailOrderAndGroupingChangeNothing(t *testing.T) {
	some, _ := pausing(6, back, 300, 270, 0)
	want, _ := FitTrails(some, nil)
	twice := slices.Clone(some)
	slices.Reverse(twice)
	groups, _ := groupedTrails(some)
	for name, other := range map[string][]Trail{"reversed": twice, "grouped": groups} {
		if got, err := FitTrails(other, nil); err != nil || *got.Returning != *want.Returning {
			t.Errorf("%s: %+v, want %+v, %v", name, got.Returning, want.Returning, err)
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
					t.Errorf("%s: %+v in %g days of %d repeats, %+v", name, e, days, len(trail.Days), m.Returning)
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
