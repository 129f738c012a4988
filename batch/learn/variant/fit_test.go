package variant

import (
	"fmt"
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/handschlag/handschlag/batch/learn"
)

// grid is a slot of 3 × 2 variants, as the oracle's example.
func grid(headlines, images int) Slot {
	s := Slot{Name: "home_hero"}
	for h := range headlines {
		for i := range images {
			s.Variants = append(s.Variants, Variant{ID: fmt.Sprintf("h%d-i%d", h, i), Factors: map[string]string{"headline": fmt.Sprint(h), "image": fmt.Sprint(i)}})
		}
	}
	return s
}

// cellsOf gives each variant of each segment n units with normal rewards of a mean that
// depends on factors and segment.
func cellsOf(slot Slot, segments []string, n int, seed uint64) []Cell {
	r, out := learn.NewRandom(seed), []Cell{}
	for s, segment := range segments {
		for i, v := range slot.Variants {
			c := Cell{Segment: segment, Variant: v.ID}
			for range n + 7*i {
				c.Add(1/float64(len(slot.Variants)), 1+.1*float64(i%2)+.07*float64(s)*float64(i/2)+r.Normal(), nil)
			}
			out = append(out, c)
		}
	}
	return out
}

// slow is the same model written out over all observed means at once: their covariance,
// the marginal likelihood times prior, and the posterior of each segment's means.
type slow struct {
	f       *fit
	y       []float64
	s, i    []int // segment and variant of each observation
	v       *mat.SymDense
	inverse *mat.SymDense
}

func newSlow(t *testing.T, f *fit) slow {
	t.Helper()
	o := slow{f: f}
	for s := range f.groups {
		for i, d := range f.d[s] {
			if d > 0 {
				o.y, o.s, o.i = append(o.y, f.y[s][i]), append(o.s, s), append(o.i, i)
			}
		}
	}
	o.v = mat.NewSymDense(len(o.y), nil)
	for a := range o.y {
		for b := range a + 1 {
			x := o.prior(o.s[a], o.i[a], o.s[b], o.i[b])
			if a == b {
				x += f.d[o.s[a]][o.i[a]]
			}
			o.v.SetSym(a, b, x)
		}
	}
	var err error
	if o.inverse, err = invert(o.v); err != nil {
		t.Fatal(err)
	}
	return o
}

// prior is the covariance of two true means.
func (o slow) prior(s, i, u, j int) float64 {
	x := o.f.wide
	for k := range o.f.common {
		x += o.f.tau[k] * o.f.common[k].At(i, j)
	}
	for k := range o.f.own {
		if s == u {
			x += o.f.gamma[k] * o.f.own[k].At(i, j)
		}
	}
	return x
}

func (o slow) posterior(s, i, u, j int) (mean, cov float64) {
	n := len(o.y)
	a, b, y := mat.NewVecDense(n, nil), mat.NewVecDense(n, nil), mat.NewVecDense(n, o.y)
	for k := range n {
		a.SetVec(k, o.prior(s, i, o.s[k], o.i[k]))
		b.SetVec(k, o.prior(u, j, o.s[k], o.i[k]))
	}
	return o.f.centre + mat.Inner(a, o.inverse, y), o.prior(s, i, u, j) - mat.Inner(a, o.inverse, b)
}

func (o slow) objective() float64 {
	var c mat.Cholesky
	c.Factorize(o.v)
	y := mat.NewVecDense(len(o.y), o.y)
	out := -c.LogDet()/2 - mat.Inner(y, o.inverse, y)/2
	for _, list := range [][]float64{o.f.tau, o.f.gamma} {
		for _, x := range list {
			out += math.Log(x)/2 - math.Sqrt(x)/o.f.scale
		}
	}
	return out
}

func TestThePosteriorIsThatOfTheWholeModelWrittenOut(t *testing.T) {
	slot := grid(3, 2)
	cells := cellsOf(slot, []string{"", "a", "b"}, 30, 1)
	cells = append(cells[:9], cells[10:]...) // a variant that segment a never saw
	f := newFit(slot, groups(slot, cells, 25))
	if err := f.run(); err != nil {
		t.Fatal(err)
	}
	p, o := f.posterior(slot, Options{}.filled()), newSlow(t, f)
	for s, g := range p.groups {
		for i := range g.mean {
			for j := range i + 1 {
				mean, cov := o.posterior(s, i, s, j)
				if math.Abs(g.mean[i]-mean) > 1e-8 || math.Abs(g.cov.At(i, j)-cov) > 1e-8 {
					t.Fatalf("segment %d, variants %d and %d: mean %.10f, covariance %.10f, written out %.10f, %.10f", s, i, j, g.mean[i], g.cov.At(i, j), mean, cov)
				}
			}
		}
	}
}

func TestTheSpreadsAreTheMostLikelyOnes(t *testing.T) {
	slot := grid(4, 3)
	f := newFit(slot, groups(slot, cellsOf(slot, []string{"", "a", "b"}, 200, 2), 25))
	before := newSlow(t, f).objective()
	if err := f.run(); err != nil {
		t.Fatal(err)
	}
	top := newSlow(t, f).objective()
	if top < before {
		t.Fatalf("the objective fell from %.6f to %.6f", before, top)
	}
	for _, list := range [][]float64{f.tau, f.gamma} {
		for k, x := range list {
			for _, by := range []float64{.8, 1.25} {
				list[k] = x * by
				if near := newSlow(t, f).objective(); near > top {
					t.Errorf("variance %d times %.2f is more likely: %.6f > %.6f", k, by, near, top)
				}
				list[k] = x
			}
		}
	}
}

// Over 200 slots whose effects come from the model, 95 % intervals hold the truth in 95 %
// of the cases: within four standard errors of clustered counting, .92 to .98.
func TestIntervalsHoldTheTruth(t *testing.T) {
	slot, held, all := grid(5, 4), 0, 0
	for seed := range uint64(200) {
		r := learn.NewRandom(seed, 77)
		head, image := make([]float64, 5), make([]float64, 4)
		for i := range head {
			head[i] = .1 * r.Normal()
		}
		for i := range image {
			image[i] = .05 * r.Normal()
		}
		truth, cells := make([]float64, len(slot.Variants)), make([]Cell, len(slot.Variants))
		for i, v := range slot.Variants {
			truth[i] = 1 + head[i/4] + image[i%4] + .03*r.Normal()
			cells[i] = Cell{Variant: v.ID}
			for range 60 {
				cells[i].Add(.05, truth[i]+r.Normal(), nil)
			}
		}
		p, err := Estimate(slot, cells, Options{})
		if err != nil {
			t.Fatal(err)
		}
		for i, m := range p.Means("") {
			all++
			if m.Low <= truth[i] && truth[i] <= m.High {
				held++
			}
		}
	}
	if share := float64(held) / float64(all); share < .92 || share > .98 {
		t.Errorf("%.3f of the intervals hold the truth, want about .95", share)
	}
}

func TestSmallCellsArePooledUpward(t *testing.T) {
	slot := grid(2, 1)
	cell := func(segment, id string, n int) Cell {
		c := Cell{Segment: segment, Variant: id}
		for i := range n {
			c.Add(.5, float64(i%2), nil)
		}
		return c
	}
	gs := groups(slot, []Cell{cell("a", "h0-i0", 24), cell("a", "h1-i0", 25), cell("", "h0-i0", 1), cell("b", "h1-i0", 24)}, 25)
	if len(gs) != 2 || gs[0].segment != "" || gs[1].segment != "a" {
		t.Fatalf("got %d segments", len(gs))
	}
	if gs[0].persons[0] != 25 || gs[0].persons[1] != 0 || gs[1].persons[0] != 0 || gs[1].persons[1] != 25 {
		t.Errorf("everybody %v, a %v: want 25 and none (24 are too few for everybody too), none and 25", gs[0].persons, gs[1].persons)
	}
}

func TestAGoodDayIsNotTakenForAGoodVariant(t *testing.T) {
	slot := grid(2, 1) // equal variants; the second was shown more on the good day
	var cells []Cell
	for day, c := range []struct{ n0, n1, rate int }{{9000, 1000, 20}, {1000, 9000, 10}} {
		for i, n := range []int{c.n0, c.n1} {
			x := Cell{Variant: slot.Variants[i].ID, Period: fmt.Sprint(day)}
			for k := range n {
				reward := 0.0
				if k%c.rate == 0 {
					reward = 1
				}
				x.Add(float64(n)/10000, reward, nil)
			}
			cells = append(cells, x)
		}
	}
	p, err := Estimate(slot, cells, Options{})
	if err != nil {
		t.Fatal(err)
	}
	m := p.Means("")
	if d := math.Abs(m[0].Value - m[1].Value); d > .0001 {
		t.Errorf("equal variants differ by %.4f: %+v", d, m)
	}
}

// Those who log in buy ten times as often, and they alone may see the third variant. All
// three are equal.
func TestAVariantForThoseWhoBuyMoreAnywayIsNotTakenForABetterOne(t *testing.T) {
	slot := grid(3, 1)
	ids := []string{"h0-i0", "h1-i0", "h2-i0"}
	var cells []Cell
	for _, c := range []struct{ eligible, n, every int }{{2, 20_000, 100}, {3, 3000, 10}} {
		for i := range c.eligible {
			x := Cell{Variant: ids[i], Eligible: ids[:c.eligible], Period: "1"}
			for k := range c.n / c.eligible {
				reward := 0.0
				if k%c.every == 0 {
					reward = 1
				}
				x.Add(1/float64(c.eligible), reward, nil)
			}
			cells = append(cells, x)
		}
	}
	p, err := Estimate(slot, cells, Options{})
	if err != nil {
		t.Fatal(err)
	}
	m := p.Means("")
	if d := math.Abs(m[2].Value - m[0].Value); d > .0005 {
		t.Errorf("equal variants differ by %.4f: %+v", d, m)
	}
}

// The effects of strata are those of least squares written out.
func TestLevellingIsLeastSquares(t *testing.T) {
	slot := grid(3, 2)
	var cells []Cell
	for day := range 5 {
		for _, c := range cellsOf(slot, []string{"", "a"}, 30+40*day, uint64(day)) {
			c.Period = fmt.Sprint(day)
			cells = append(cells, c)
		}
	}
	f := newFit(slot, groups(slot, cells, 1))
	l := f.layout()
	got, n := l.solve(), len(l.size)
	left, right := mat.NewSymDense(n, nil), mat.NewVecDense(n, nil)
	for a := range n {
		left.SetSym(a, a, l.size[a]+1)
	}
	for _, c := range l.cells {
		for _, p := range c.parts {
			right.SetVec(p.stratum, right.AtVec(p.stratum)+p.sum-p.n*c.sum/c.n)
			for _, q := range c.parts {
				if p.stratum <= q.stratum {
					left.SetSym(p.stratum, q.stratum, left.At(p.stratum, q.stratum)-p.n*q.n/c.n)
				}
			}
		}
	}
	inverse, err := invert(left)
	if err != nil {
		t.Fatal(err)
	}
	for a, want := range times(inverse, right).RawVector().Data {
		if math.Abs(got[a]-want) > 1e-9 {
			t.Errorf("stratum %d: %.12f, written out %.12f", a, got[a], want)
		}
	}
}
