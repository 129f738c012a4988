package variant

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/handschlag/handschlag/batch/learn"
)

// Options say how to estimate. The zero value takes the defaults.
type Options struct {
	K     int64   // persons under which a cell is not used alone; 0: 25 (VAR-06)
	Draws int     // of the posterior, for shares; 0: 4,000
	Level float64 // of two-sided intervals; 0: .95
	Seed  uint64  // of all draws
}

func (o Options) filled() Options {
	if o.K == 0 {
		o.K = 25
	}
	if o.Draws == 0 {
		o.Draws = 4000
	}
	if o.Level == 0 {
		o.Level = .95
	}
	return o
}

// Posterior is what is believed of the mean reward of each variant of a slot, by segment.
type Posterior struct {
	slot    Slot
	options Options
	groups  []posted // by segment
	at      map[string]int

	tau, gamma []float64 // variances, see fit
	Spreads    []Spread  // how much each factor moves the reward
}

// Spread is the standard deviation of the effects of one factor: "variant" is what a
// variant has beyond its factors.
type Spread struct {
	Name string
	SD   float64
}

// posted is the posterior of one segment: means and covariance of the variants.
type posted struct {
	segment string
	n       []float64
	persons []int64
	mean    []float64
	cov     *mat.SymDense
}

// Mean is the mean reward of a unit under one variant, with an interval.
type Mean struct {
	Segment, Variant string
	N, Persons       int64 // 0 where fewer than k persons saw it
	Value, SD        float64
	Low, High        float64
}

// Estimate estimates the mean reward of every variant of the slot for everybody and for each
// segment with enough persons, by a hierarchical model over factors and segments (see fit).
// Variants that nobody saw are estimated by their factors. Days and sets of eligible
// variants are put on a level first. Errors name the cell that cannot be.
func Estimate(slot Slot, cells []Cell, o Options) (Posterior, error) {
	return estimate(slot, cells, o, nil)
}

// estimate starts its search for the variances where a like one ended.
func estimate(slot Slot, cells []Cell, o Options, like *Posterior) (Posterior, error) {
	o = o.filled()
	if err := check(slot, cells); err != nil {
		return Posterior{}, err
	}
	f := newFit(slot, groups(slot, cells, o.K))
	if like != nil && len(like.tau) == len(f.tau) && len(like.gamma) == len(f.gamma) {
		copy(f.tau, like.tau)
		copy(f.gamma, like.gamma)
	}
	f.level()
	if err := f.run(); err != nil {
		return Posterior{}, err
	}
	return f.posterior(slot, o), nil
}

// posterior gives each group's means and covariances: with B = I − G·W_s,
// mean c + B·θ̂ + G·W_s·y_s and covariance B·M·B' + G − G·W_s·G.
func (f *fit) posterior(slot Slot, o Options) Posterior {
	p := Posterior{slot: slot, options: o, at: map[string]int{}, tau: f.tau, gamma: f.gamma}
	for i, v := range slot.Variants {
		p.at[v.ID] = i
	}
	for i, name := range f.names {
		p.Spreads = append(p.Spreads, Spread{name, math.Sqrt(f.tau[i])})
	}
	n := len(slot.Variants)
	for s, g := range f.groups {
		var gw, b, bm, cov, gwg mat.Dense
		gw.Mul(f.g, f.w[s])
		b.Scale(-1, &gw)
		for i := range n {
			b.Set(i, i, b.At(i, i)+1)
		}
		bm.Mul(&b, f.m)
		cov.Mul(&bm, b.T())
		gwg.Mul(&gw, f.g)
		x := posted{segment: g.segment, n: g.n, persons: g.persons, mean: make([]float64, n), cov: mat.NewSymDense(n, nil)}
		var own, rest mat.VecDense
		own.MulVec(&b, f.theta)
		rest.MulVec(&gw, mat.NewVecDense(n, f.y[s]))
		for i := range n {
			x.mean[i] = f.centre + own.AtVec(i) + rest.AtVec(i)
			for j := range i + 1 {
				x.cov.SetSym(i, j, cov.At(i, j)+f.g.At(i, j)-gwg.At(i, j))
			}
		}
		p.groups = append(p.groups, x)
	}
	return p
}

// Segments are those with an estimate of their own, "" (everybody else) first.
func (p Posterior) Segments() []string {
	out := make([]string, len(p.groups))
	for i, g := range p.groups {
		out[i] = g.segment
	}
	return out
}

// of gives a segment's posterior, or everybody's.
func (p Posterior) of(segment string) posted {
	i, ok := slices.BinarySearchFunc(p.groups, segment, func(g posted, s string) int { return cmp.Compare(g.segment, s) })
	if !ok {
		i = 0
	}
	return p.groups[i]
}

// Value is the mean reward of a variant of the slot for a segment.
func (p Posterior) Value(segment, variant string) float64 { return p.of(segment).mean[p.at[variant]] }

// Means lists every variant for a segment (for everybody, if it has none of its own),
// in the order of the slot.
func (p Posterior) Means(segment string) []Mean {
	g, z := p.of(segment), normalQuantile(p.options.Level)
	out := make([]Mean, len(g.mean))
	for i, v := range p.slot.Variants {
		sd := math.Sqrt(max(0, g.cov.At(i, i)))
		e := Mean{Segment: g.segment, Variant: v.ID, Value: g.mean[i], SD: sd, Low: g.mean[i] - z*sd, High: g.mean[i] + z*sd}
		if g.persons[i] >= p.options.K {
			e.N, e.Persons = int64(g.n[i]), g.persons[i]
		}
		out[i] = e
	}
	return out
}

// draw calls each with joint draws of the means of a segment's variants; keyed by the seed
// and the segment, so that the same night gives the same shares. each must not keep x.
func (g posted) draw(o Options, each func(x []float64)) {
	l := lower(g.cov)
	r := learn.NewRandom(o.Seed, hash(g.segment))
	n := len(g.mean)
	z, x := make([]float64, n), make([]float64, n)
	for range o.Draws {
		for i := range z {
			z[i] = r.Normal()
		}
		for i := range x {
			x[i] = g.mean[i]
			for j, v := range l[i] {
				x[i] += v * z[j]
			}
		}
		each(x)
	}
}
