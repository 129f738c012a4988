package variant

import (
	"maps"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
)

// level takes out of each observed mean what its strata had above or below the others. The
// shares change every night, so a variant that was shown more on good days would look
// better than it is; and so would one that only those who log in may see, who buy more
// anyway. A stratum is a day and a set of eligible variants. Effects are those of least
// squares with one free mean for every variant of every segment (two-way layout, Scheffé,
// The Analysis of Variance, 1959, ch. 4.4), each stratum drawn to 0 by the weight of one
// unit. What a variant that was nearly alone in its strata cannot tell is taken from its
// precision.
func (f *fit) level() {
	l := f.layout()
	if len(l.size) < 2 {
		return
	}
	effect := l.solve()
	for _, cell := range l.cells {
		contrast := 0.0
		for _, e := range cell.parts {
			f.y[cell.group][cell.variant] -= effect[e.stratum] * e.n / cell.n
			contrast += e.n * (1 - e.n/l.size[e.stratum])
		}
		least := cell.n / l.all // of the contrast: a variant that was all alone
		f.d[cell.group][cell.variant] /= max(least, contrast) / max(least, cell.n*(1-cell.n/l.all))
	}
}

// layout is the observed cells (a variant in a segment), each with its parts by stratum.
type layout struct {
	size  []float64 // units, by stratum
	all   float64
	cells []laid
}

type laid struct {
	group, variant int
	n, sum         float64
	parts          []part
}

type part struct {
	stratum int
	n, sum  float64
}

func (f *fit) layout() layout {
	at := map[string]int{}
	for _, g := range f.groups {
		for name := range g.strata {
			at[name] = 0
		}
	}
	for i, name := range slices.Sorted(maps.Keys(at)) {
		at[name] = i
	}
	l := layout{size: make([]float64, len(at))}
	for s, g := range f.groups {
		for i, n := range g.n {
			if n > 0 {
				l.cells, l.all = append(l.cells, laid{group: s, variant: i, n: n, sum: g.sum[i]}), l.all+n
			}
		}
		for _, name := range slices.Sorted(maps.Keys(g.strata)) {
			l.spread(s, at[name], g.strata[name])
		}
	}
	return l
}

// spread adds a stratum of the segment whose cells came last.
func (l *layout) spread(group, stratum int, x *share) {
	for c := len(l.cells) - 1; c >= 0 && l.cells[c].group == group; c-- {
		if n := x.n[l.cells[c].variant]; n > 0 {
			l.cells[c].parts = append(l.cells[c].parts, part{stratum, n, x.sum[l.cells[c].variant]})
			l.size[stratum] += n
		}
	}
}

// times is the normal equations' left side: units of the stratum and one, less what the
// free means of its cells take.
func (l layout) times(x []float64) []float64 {
	out := make([]float64, len(x))
	for t, n := range l.size {
		out[t] = (n + 1) * x[t]
	}
	for _, c := range l.cells {
		mean := 0.0
		for _, p := range c.parts {
			mean += p.n * x[p.stratum] / c.n
		}
		for _, p := range c.parts {
			out[p.stratum] -= p.n * mean
		}
	}
	return out
}

// solve gives the effects by conjugate gradients (Hestenes and Stiefel, 1952), scaled by the
// diagonal: the work grows with the cells and not with the square of the strata.
func (l layout) solve() []float64 {
	n := len(l.size)
	x, r, z := make([]float64, n), make([]float64, n), make([]float64, n)
	for _, c := range l.cells {
		for _, p := range c.parts {
			r[p.stratum] += p.sum - p.n*c.sum/c.n
		}
	}
	scale := func() float64 {
		for t := range z {
			z[t] = r[t] / (l.size[t] + 1)
		}
		return floats.Dot(r, z)
	}
	rho := scale()
	p, end := slices.Clone(z), rho*1e-20
	for range 20 * n {
		if rho <= end || math.IsNaN(rho) {
			break
		}
		q := l.times(p)
		alpha := rho / floats.Dot(p, q)
		floats.AddScaled(x, alpha, p)
		floats.AddScaled(r, -alpha, q)
		before := rho
		rho = scale()
		floats.AddScaledTo(p, z, rho/before, p)
	}
	return x
}
