package variant

import (
	"maps"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// level takes out of each observed mean what its days had above or below the others: the
// shares change every night, so a variant that was shown more on good days would look
// better than it is. The effects of the days are those of least squares with one free mean
// for every variant of every segment (two-way layout, Scheffé 1959, ch. 4.4), each day
// drawn to 0 by the weight of one unit. What a variant that was nearly alone on its days
// cannot tell is taken from its precision.
func (f *fit) level() error {
	days := map[string]float64{}
	for _, g := range f.groups {
		for day, x := range g.periods {
			days[day] += total(x.n)
		}
	}
	order := slices.Sorted(maps.Keys(days))
	if len(order) < 2 {
		return nil
	}
	left, right := mat.NewSymDense(len(order), nil), mat.NewVecDense(len(order), nil)
	for a, day := range order {
		left.SetSym(a, a, days[day]+1)
	}
	f.eachCell(order, func(s, i int, n, sum []float64) {
		g := f.groups[s]
		for a := range order {
			if n[a] == 0 {
				continue
			}
			right.SetVec(a, right.AtVec(a)+sum[a]-n[a]*g.sum[i]/g.n[i])
			for b := range a + 1 {
				left.SetSym(a, b, left.At(a, b)-n[a]*n[b]/g.n[i])
			}
		}
	})
	inverse, err := invert(left)
	if err != nil {
		return err
	}
	effect, all := times(inverse, right), 0.0
	for _, day := range order {
		all += days[day]
	}
	f.eachCell(order, func(s, i int, n, _ []float64) {
		cell, contrast := f.groups[s].n[i], 0.0
		for a, day := range order {
			f.y[s][i] -= effect.AtVec(a) * n[a] / cell
			contrast += n[a] * (1 - n[a]/days[day])
		}
		least := cell / all // of the contrast: a variant that was all alone
		f.d[s][i] /= max(least, contrast) / max(least, cell*(1-cell/all))
	})
	return nil
}

// eachCell calls do with the units and sums by day of each cell that was seen.
func (f *fit) eachCell(order []string, do func(s, i int, n, sum []float64)) {
	n, sum := make([]float64, len(order)), make([]float64, len(order))
	for s, g := range f.groups {
		for i := range g.n {
			if g.n[i] == 0 {
				continue
			}
			for a, day := range order {
				n[a], sum[a] = 0, 0
				if x := g.periods[day]; x != nil {
					n[a], sum[a] = x.n[i], x.sum[i]
				}
			}
			do(s, i, n, sum)
		}
	}
}

func total(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum
}
