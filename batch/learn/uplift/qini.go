package uplift

import (
	"cmp"
	"slices"

	"github.com/handschlag/handschlag/batch/learn"
)

// Order is judged rows from the one ranked first to the last.
type Order struct {
	treated []bool
	outcome []float64
	ends    []bool // the next row has another score
}

// NewOrder ranks rows by score, highest first; the three slices are by row.
func NewOrder(score []float64, treated []bool, outcome []float64) Order {
	at := make([]int, len(score))
	for i := range at {
		at[i] = i
	}
	slices.SortStableFunc(at, func(a, b int) int { return cmp.Compare(score[b], score[a]) })
	o := Order{make([]bool, len(at)), make([]float64, len(at)), make([]bool, len(at))}
	for k, i := range at {
		o.treated[k], o.outcome[k] = treated[i], outcome[i]
		o.ends[k] = k+1 == len(at) || score[at[k+1]] != score[i]
	}
	return o
}

// Q is the mean over k = 1 … N of V(k) − V(N)·k/N, divided by the number of treated
// rows: the area between the curve of incremental outcomes and the straight line of
// offering at random, per treated row (Radcliffe, Direct Marketing Analytics Journal
// 2007). V(k) = y_t − y_c·n_t/n_c counts treated and held-out rows, and their outcomes,
// among the first k. Rows of equal score have no order: V runs straight from before the
// first of them to the last. Before the first held-out row nothing can be compared, and
// V is 0. Without treated or without held-out rows Q is 0.
func (o Order) Q() float64 { return o.q(slices.Repeat([]int{1}, len(o.treated))) }

// q is Q with rows counted so many times.
func (o Order) q(times []int) float64 {
	var outcome, n [2]float64 // held out, treated
	area, v, from, k := 0.0, 0.0, 0.0, 0.0
	for i, treated := range o.treated {
		side := 0
		if treated {
			side = 1
		}
		n[side] += float64(times[i])
		outcome[side] += float64(times[i]) * o.outcome[i]
		if k += float64(times[i]); !o.ends[i] || k == from {
			continue
		}
		next := 0.0
		if n[0] > 0 {
			next = outcome[1] - outcome[0]*n[1]/n[0]
		}
		m := k - from // steps of a straight line, the last of which reaches next
		area += m*v + (next-v)*(m+1)/2
		v, from = next, k
	}
	if n[0] == 0 || n[1] == 0 {
		return 0
	}
	return (area - v*(k+1)/2) / k / n[1]
}

// Interval is the percentile bootstrap interval of Q (Efron, Annals of Statistics 1979):
// rows are drawn with replacement, their order stays. level is such as .95.
func (o Order) Interval(replicates int, level float64, seed uint64) (low, high float64) {
	q := make([]float64, replicates)
	each(replicates, func(b int) {
		random, times := learn.NewRandom(seed, uint64(b)), make([]int, len(o.treated))
		for range times {
			times[random.IntN(len(times))]++
		}
		q[b] = o.q(times)
	})
	slices.Sort(q)
	at := func(p float64) float64 { return q[min(replicates-1, int(p*float64(replicates)))] }
	return at((1 - level) / 2), at((1 + level) / 2)
}
