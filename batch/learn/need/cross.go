package need

import (
	"context"
	"math"
	"slices"
	"sync"
)

// each runs f for 0 to n-1, at once.
func each(n int, f func(k int)) {
	var wg sync.WaitGroup
	for k := range n {
		wg.Go(func() { f(k) })
	}
	wg.Wait()
}

// crossed gives, for each candidate, the log odds of each row by a fit on the rows that judge
// it, or NaN. fit answers one list for each candidate, or fewer once it is stopped.
func (p plan) crossed(ctx context.Context, rows []Row, candidates int, fit func(train, held []Row) [][]float64) ([][]float64, error) {
	out := make([][]float64, candidates)
	for c := range out {
		out[c] = make([]float64, len(rows))
		for i := range out[c] {
			out[c][i] = math.NaN()
		}
	}
	found := make([][][]float64, p.n)
	each(p.n-p.first(), func(k int) {
		k += p.first()
		found[k] = fit(p.split(rows, k))
	})
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	for k, lists := range found {
		for c, values := range lists {
			p.scatter(out[c], values, k)
		}
	}
	return out, nil
}

// meanLoss is the weighted mean surprise of outcomes under log odds.
func meanLoss(rows []Row, odds []float64) float64 {
	sum, all := 0.0, 0.0
	for i, r := range rows {
		sum, all = sum+r.weight()*surprise(odds[i], r.Y), all+r.weight()
	}
	return sum / all
}

// least is the candidate with the least loss; of equal ones, the first.
func least(losses []float64) int {
	best := 0
	for i, l := range losses {
		if l < losses[best]-1e-12 || math.IsNaN(losses[best]) {
			best = i
		}
	}
	return best
}

// choice is what a model is fitted with.
type choice struct {
	bins    int
	penalty penalty
	pairs   int
	coarse  coarse
}

// choose tries every number of bins with every penalty, and with the best of them
// every number of pairs.
func choose(ctx context.Context, rows []Row, specs []Feature, by plan, o Options) (choice, error) {
	var losses []float64
	var tried []choice
	odds, err := by.crossed(ctx, rows, len(o.Bins)*len(o.Penalties), func(train, held []Row) [][]float64 {
		return paths(ctx, train, held, specs, o)
	})
	if err != nil {
		return choice{}, err
	}
	for c := range odds {
		most, p := o.Bins[c/len(o.Penalties)], o.Penalties[c%len(o.Penalties)]
		tried, losses = append(tried, choice{bins: most, penalty: penalty{single: p}}), append(losses, by.worth(rows, odds[c]))
	}
	best := tried[least(losses)]
	tried, losses = []choice{best}, []float64{losses[least(losses)]}
	if o.Pairs == 0 {
		return best, nil
	}
	for _, side := range coarses {
		for _, p := range pairPenalties {
			most := choice{best.bins, penalty{best.penalty.single, p}, o.Pairs, side}
			odds, err := by.crossed(ctx, rows, o.Pairs, func(train, held []Row) [][]float64 {
				return most.pairPath(ctx, train, held, specs, o)
			})
			if err != nil {
				return choice{}, err
			}
			for n := range odds {
				tried, losses = append(tried, choice{most.bins, most.penalty, n + 1, side}), append(losses, by.worth(rows, odds[n]))
			}
		}
	}
	return tried[least(losses)], nil
}

// paths fits every number of bins with every penalty on train, and gives the log odds of held. Where
// more bins may be but none are, the fits are those before.
func paths(ctx context.Context, train, held []Row, specs []Feature, o Options) (out [][]float64) {
	var last []axis
	values := sorted(train, specs)
	for _, most := range o.Bins {
		as := cut(values, specs, most, o.MinBin)
		if len(out) > 0 && slices.EqualFunc(as, last, func(a, b axis) bool { return slices.Equal(a.cuts, b.cuts) }) {
			out = append(out, out[len(out)-len(o.Penalties):]...)
			continue
		}
		last, out = as, append(out, path(ctx, train, held, as, o)...)
	}
	return out
}

// path fits every penalty on train, each from the one before, and gives the log odds of held.
func path(ctx context.Context, train, held []Row, as []axis, o Options) [][]float64 {
	d, h := newDesign(train, as), newDesign(held, as)
	out := make([][]float64, len(o.Penalties))
	var beta []float64
	for c, p := range o.Penalties {
		if ctx.Err() != nil {
			return nil
		}
		beta = d.solve(penalty{single: p}, beta)
		out[c] = h.odds(d, beta)
	}
	return out
}

// odds gives the log odds of rows by a fit on others.
func (d *design) odds(fitted *design, beta []float64) []float64 {
	effects, out := fitted.effects(beta), make([]float64, len(d.bins))
	for i, bins := range d.bins {
		out[i] = logOdds(beta[0], effects, bins)
	}
	return out
}

// pairPath adds one pair after the other, and gives the log odds of held after each.
func (c choice) pairPath(ctx context.Context, train, held []Row, specs []Feature, o Options) (out [][]float64) {
	c.grow(ctx, train, specs, o, func(d *design, beta []float64) {
		out = append(out, newDesign(held, d.axes).odds(d, beta))
	})
	for len(out) <= c.pairs { // no further pair says anything
		out = append(out, out[len(out)-1])
	}
	return out[1:]
}
