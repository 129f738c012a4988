package uplift

import (
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/handschlag/handschlag/batch/learn"
)

// shop draws offers with a hold-out. A visitor orders with probability .2 to .3, and an offer
// adds effect(x).
func shop(seed uint64, n int, propensity float64, effect func(x []float64) float64) []Row {
	r := learn.NewRandom(seed)
	rows := make([]Row, n)
	for i := range rows {
		x := []float64{float64(r.IntN(10)), float64(r.IntN(5)), float64(r.IntN(20)), float64(r.IntN(2))}
		w, p := r.Float64() < propensity, .2+.005*x[2]
		if w {
			p += effect(x)
		}
		rows[i] = Row{X: x, Treated: w, Propensity: propensity, Outcome: bit(r.Float64() < p)}
	}
	return rows
}

var named = Options{Names: []string{"searches", "dwell", "pages", "returning"}}

func flat(v float64) func([]float64) float64 { return func([]float64) float64 { return v } }

// searching helps those who search much, and nobody else.
func searching(x []float64) float64 {
	if x[0] >= 6 {
		return .2
	}
	return -.15
}

func fit(t *testing.T, rows []Row, o Options) Verdict {
	t.Helper()
	v, err := Fit(rows, o)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestTheIntervalCoversTheTruth(t *testing.T) {
	for _, c := range []struct {
		name       string
		propensity float64
		effect     float64
	}{{"half held out", .5, .03}, {"a tenth held out", .9, .05}, {"no effect", .5, 0}} {
		covered := 0
		const n = 60
		for s := range uint64(n) {
			if v := fit(t, shop(s+1, 800, c.propensity, flat(c.effect)), named); v.Low <= c.effect && c.effect <= v.High {
				covered++
			}
		}
		if covered < 50 { // 57 are expected; fewer than 50 in 1 of 5,000 runs
			t.Errorf("%s: %d of %d intervals cover the truth", c.name, covered, n)
		}
	}
}

func TestWhereNothingHelpsNothingIsClaimed(t *testing.T) {
	claims := 0
	const n = 100
	for s := range uint64(n) {
		v := fit(t, shop(s+1, 800, .5, flat(0)), named)
		if v.Known {
			claims++
		} else if v.Target.Share > 0 || v.Model != nil {
			t.Fatalf("unknown, yet somebody is recommended: %+v", v)
		}
	}
	if claims > 8 { // at most 2.5 are expected; more than 8 in 1 of 1,000 runs
		t.Errorf("%d of %d verdicts claim an effect", claims, n)
	}
}

func TestADifferenceIsFoundAndExplained(t *testing.T) {
	rows := shop(1, 8000, .7, searching)
	for name, form := range map[string]Form{"additive": Additive(), "interacting": Interacting()} {
		o := named
		o.Form = form
		v := fit(t, rows, o)
		if !v.Known || v.Reason != Differs || v.Target.Low <= 0 || v.Target.Share < .3 || v.Target.Share > .5 {
			t.Fatalf("%s: %+v", name, v)
		}
		for _, c := range []struct{ searches, least, most float64 }{{9, .12, .28}, {1, -.23, -.07}} {
			x := []float64{c.searches, 2, 10, 1}
			if e := v.Model.Effect(x); e < c.least || e > c.most {
				t.Errorf("%s: %g searches: effect %.3f", name, c.searches, e)
			}
			if _, parts := v.Model.Reasons(x); parts[0].Feature != "searches" {
				t.Errorf("%s: the first reason is %+v", name, parts[0])
			}
		}
	}
}

func TestReasonsAddUpToTheEffect(t *testing.T) {
	rows := shop(3, 4000, .5, searching)
	for _, form := range []Form{Additive(), Interacting()} {
		o := named
		o.Form = form
		m := fit(t, rows, o).Model
		for _, r := range rows[:200] {
			sum, parts := m.Reasons(r.X)
			for _, p := range parts {
				sum += p.Effect
			}
			if math.Abs(sum-m.Effect(r.X)) > 1e-9 {
				t.Fatalf("reasons add up to %g, the effect is %g", sum, m.Effect(r.X))
			}
		}
	}
}

func TestTheScorecardIsTheModel(t *testing.T) {
	rows := shop(4, 4000, .5, searching)
	m := fit(t, rows, named).Model
	card, err := m.Scorecard(10_000)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows[:200] {
		features := map[string]int64{}
		for j, name := range named.Names {
			features[name] = int64(r.X[j])
		}
		if got, want := float64(card.Score(features).Total), 10_000*m.Effect(r.X); math.Abs(got-want) > float64(len(named.Names)+1)/2 {
			t.Fatalf("%v: %g points, want %g", r.X, got, want)
		}
	}
	o := named
	o.Form = Interacting()
	if _, err := fit(t, rows, o).Model.Scorecard(1); !errors.Is(err, ErrInteracts) {
		t.Errorf("trees of depth three became a scorecard: %v", err)
	}
}

func TestAnEffectForAllRecommendsByGain(t *testing.T) {
	rows := shop(5, 4000, .5, flat(.15))
	for _, c := range []struct {
		terms  Terms
		share  float64
		reason Reason
	}{
		{Terms{MarginCents: 3000, ReturnsCents: 1000, AdviserCents: 100}, 1, SameForAll},
		{Terms{MarginCents: 3000, ReturnsCents: 1000, AdviserCents: 400}, 0, NoGain}, // .15 × 2,000 − 400 < 0
		{Terms{MarginCents: 3000, ReturnsCents: 2900, AdviserCents: 100}, 0, NoGain},
	} {
		o := named
		o.Terms = c.terms
		if v := fit(t, rows, o); !v.Known || v.Target.Share != c.share || v.Reason != c.reason {
			t.Errorf("%+v: %+v", c.terms, v)
		}
	}
}

func TestTooLittleIsNotKnown(t *testing.T) {
	wrong := shop(6, 4000, .5, searching)
	for i := range wrong {
		wrong[i].Propensity = .6
	}
	for _, c := range []struct {
		name string
		rows []Row
		want Reason
	}{
		{"no rows", nil, TooFew},
		{"few rows", shop(7, 90, .5, searching), TooFew},
		{"hardly anybody held out", shop(7, 900, .97, searching), TooFew},
		{"offers not as logged", wrong, RatioOff},
		{"a few hundred rows", shop(8, 300, .5, searching), NoneSeen},
	} {
		if v := fit(t, c.rows, named); v.Known || v.Reason != c.want || v.Model.Effect(nil) != 0 {
			t.Errorf("%s: %+v", c.name, v)
		}
	}
}

func TestRowsWithoutAChoiceAreLeftOut(t *testing.T) {
	rows := shop(9, 1000, .5, flat(0))
	more := append([]Row(nil), rows...)
	for _, r := range rows[:100] {
		r.Treated, r.Propensity, r.Outcome = true, 1, 1
		more = append(more, r)
	}
	a, b := fit(t, rows, named), fit(t, more, named)
	if b.Left != 100 || a.Effect != b.Effect {
		t.Errorf("left out %d, effect %g and %g", b.Left, a.Effect, b.Effect)
	}
}

// A shop's spend has a heavy tail; one order of 2 million cents must not decide.
func TestOneHugeOrderDecidesNothing(t *testing.T) {
	rows := shop(10, 4000, .5, flat(0))
	for i := range rows {
		rows[i].Outcome *= 5000
	}
	before := fit(t, rows, named)
	for i, r := range rows {
		if r.Treated && r.Outcome > 0 {
			rows[i].Outcome = 2e6
			break
		}
	}
	after := fit(t, rows, named)
	if after.Cap != 5000 || math.Abs(after.Effect-before.Effect) > before.Error/10 {
		t.Errorf("cap %g, effect %g before and %g after", after.Cap, before.Effect, after.Effect)
	}
}

// Ten copies of each row say no more than one.
func TestRowsOfOneSubjectVaryTogether(t *testing.T) {
	rows := shop(11, 1000, .5, flat(.1))
	var copies []Row
	for i, r := range rows {
		for range 10 {
			r.Cluster = uint64(i + 1)
			copies = append(copies, r)
		}
	}
	one, ten := fit(t, rows, named), fit(t, copies, named)
	if ratio := ten.Error / one.Error; ratio < .9 || ratio > 1.1 {
		t.Errorf("the standard error of copies is %.2f of that of the rows", ratio)
	}
}

func TestTheSameRowsGiveTheSameVerdict(t *testing.T) {
	rows := shop(12, 3000, .5, searching)
	a, b := fit(t, rows, named), fit(t, rows, named)
	if !reflect.DeepEqual(a, b) {
		t.Errorf("two verdicts of the same rows: %+v, %+v", a, b)
	}
}

func TestBadRowsAreNamed(t *testing.T) {
	good := Row{X: []float64{1, 2, 3, 0}, Propensity: .5}
	for want, change := range map[string]func(*Row){
		"3 features, but 4 names":       func(r *Row) { r.X = r.X[:3] },
		"feature dwell is not a number": func(r *Row) { r.X = []float64{1, math.NaN(), 3, 0} },
		"propensity 2":                  func(r *Row) { r.Propensity = 2 },
		"could not happen":              func(r *Row) { r.Treated, r.Propensity = true, 0 },
		"outcome is not a number":       func(r *Row) { r.Outcome = math.Inf(1) },
	} {
		bad := good
		change(&bad)
		if _, err := Fit([]Row{good, bad}, named); err == nil || !strings.Contains(err.Error(), "row 2") || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
	if _, err := Fit(nil, Options{Form: Form{Depth: 1}}); err == nil {
		t.Error("a form without rounds was taken")
	}
}

func TestEveryReasonIsSaidInBothLanguages(t *testing.T) {
	for _, r := range []Reason{TooFew, RatioOff, NoneSeen, SameForAll, Differs, NoGain} {
		if s := r.Said(); s.De == "" || s.En == "" {
			t.Errorf("%s: %+v", r, s)
		}
	}
}
