package need

import (
	"cmp"
	"math"
	"slices"
	"sync"

	"github.com/handschlag/handschlag/batch/learn"
)

// folds deals rows into folds: blocks stay whole, else groups, and the largest are dealt
// first, each into the smallest fold so far. Rows are in the order of inOrder, so their
// content and the seed decide.
func folds(rows []Row, k int, seed uint64) []int {
	at := map[[2]uint64]int{}
	var groups [][]int
	for i, r := range rows {
		key := [2]uint64{0, r.Group}
		if r.Block != 0 {
			key = [2]uint64{r.Block, 0}
		}
		g, known := at[key]
		if !known || key == [2]uint64{} {
			g = len(groups)
			at[key], groups = g, append(groups, nil)
		}
		groups[g] = append(groups[g], i)
	}
	order := learn.NewRandom(seed, 1).Perm(len(groups))
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(len(groups[b]), len(groups[a])) })
	out, size := make([]int, len(rows)), make([]int, k)
	for _, g := range order {
		f := slices.Index(size, slices.Min(size))
		size[f] += len(groups[g])
		for _, i := range groups[g] {
			out[i] = f
		}
	}
	return out
}

// split gives the rows outside and inside a fold.
func split(rows []Row, fold []int, k int) (train, held []Row) {
	for i, r := range rows {
		if fold[i] == k {
			held = append(held, r)
		} else {
			train = append(train, r)
		}
	}
	return train, held
}

// scatter puts the values of a fold's rows where the rows are.
func scatter(into, values []float64, fold []int, k int) {
	for i := range into {
		if fold[i] == k {
			into[i], values = values[0], values[1:]
		}
	}
}

// each runs f for 0 to n-1, at once.
func each(n int, f func(k int)) {
	var wg sync.WaitGroup
	for k := range n {
		wg.Go(func() { f(k) })
	}
	wg.Wait()
}

// crossed gives, for each candidate, the log odds of each row by a fit on the other
// folds. fit answers one list for each candidate.
func crossed(rows []Row, fold []int, folds, candidates int, fit func(train, held []Row) [][]float64) [][]float64 {
	out := make([][]float64, candidates)
	for c := range out {
		out[c] = make([]float64, len(rows))
	}
	found := make([][][]float64, folds)
	each(folds, func(k int) {
		train, held := split(rows, fold, k)
		found[k] = fit(train, held)
	})
	for k, lists := range found {
		for c, values := range lists {
			scatter(out[c], values, fold, k)
		}
	}
	return out
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
}

// choose tries every number of bins with every penalty, and with the best of them
// every number of pairs.
func choose(rows []Row, specs []Feature, fold []int, o Options) choice {
	var losses []float64
	var tried []choice
	for _, most := range o.Bins {
		odds := crossed(rows, fold, o.Folds, len(o.Penalties), func(train, held []Row) [][]float64 {
			return path(train, held, specs, most, o)
		})
		for c, p := range o.Penalties {
			tried, losses = append(tried, choice{bins: most, penalty: penalty{single: p}}), append(losses, meanLoss(rows, odds[c]))
		}
	}
	best := tried[least(losses)]
	tried, losses = []choice{best}, []float64{losses[least(losses)]}
	for _, p := range pairPenalties {
		if o.Pairs == 0 {
			break
		}
		most := choice{best.bins, penalty{best.penalty.single, p}, o.Pairs}
		odds := crossed(rows, fold, o.Folds, o.Pairs, func(train, held []Row) [][]float64 {
			return most.pairPath(train, held, specs, o)
		})
		for n := range odds {
			tried, losses = append(tried, choice{most.bins, most.penalty, n + 1}), append(losses, meanLoss(rows, odds[n]))
		}
	}
	return tried[least(losses)]
}

// path fits every penalty on train, each from the one before, and gives the log odds of held.
func path(train, held []Row, specs []Feature, most int, o Options) [][]float64 {
	d := newDesign(train, axes(train, specs, most, o.MinBin))
	h := newDesign(held, d.axes)
	out := make([][]float64, len(o.Penalties))
	var beta []float64
	for c, p := range o.Penalties {
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
func (c choice) pairPath(train, held []Row, specs []Feature, o Options) (out [][]float64) {
	c.grow(train, specs, o, func(d *design, beta []float64) {
		out = append(out, newDesign(held, d.axes).odds(d, beta))
	})
	for len(out) <= c.pairs { // no further pair says anything
		out = append(out, out[len(out)-1])
	}
	return out[1:]
}
