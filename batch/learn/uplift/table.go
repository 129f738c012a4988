package uplift

import (
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/handschlag/handschlag/batch/learn"
)

// table is the rows that had a choice, by column.
type table struct {
	Options
	cuts       [][]float64 // by feature
	bins       [][]uint8   // by feature, by row
	treated    []bool
	propensity []float64
	outcome    []float64 // none above the cap
	balance    []float64 // p(1−p)
	expected   []float64 // m(x), cross-fitted
	psi        []float64 // the effect's score (see the package comment)
	cluster    []uint64
	part       [folds][]int32 // rows by fold
	cap        float64        // of outcomes; 0: none
}

// streams of random numbers, one for each thing that is drawn.
const (
	drawFolds = iota
	drawExpected
	drawSequence
	drawCross
	drawModel
	drawPlacebo
)

func newTable(all []Row, o Options) *table {
	rows := make([]Row, 0, len(all))
	for _, r := range all {
		if r.Propensity > 0 && r.Propensity < 1 {
			rows = append(rows, r)
		}
	}
	t := &table{Options: o}
	for _, r := range rows {
		t.treated, t.cluster = append(t.treated, r.Treated), append(t.cluster, r.Cluster)
		t.propensity, t.balance = append(t.propensity, r.Propensity), append(t.balance, r.Propensity*(1-r.Propensity))
	}
	t.cap = tail(rows, o.Tail)
	for _, r := range rows {
		if t.cap > 0 {
			r.Outcome = max(-t.cap, min(t.cap, r.Outcome))
		}
		t.outcome = append(t.outcome, r.Outcome)
	}
	t.split()
	t.cuts, t.bins = make([][]float64, len(o.Names)), make([][]uint8, len(o.Names))
	if len(rows) > 0 {
		each(len(o.Names), func(j int) {
			t.cuts[j] = cuts(rows, j, o.Form.Bins)
			t.bins[j] = binned(rows, j, t.cuts[j])
		})
	}
	return t
}

// tail is the quantile of the absolute outcomes other than 0 that a share of them
// exceeds; 0 where nothing is to be cut.
func tail(rows []Row, share float64) float64 {
	var v []float64
	for _, r := range rows {
		if r.Outcome != 0 {
			v = append(v, math.Abs(r.Outcome))
		}
	}
	if share <= 0 || len(v) == 0 {
		return 0
	}
	slices.Sort(v)
	return v[min(len(v)-1, int(math.Ceil((1-share)*float64(len(v)))))]
}

// split deals the rows to folds; a cluster stays together.
func (t *table) split() {
	for k, i := range learn.NewRandom(t.Seed, drawFolds).Perm(len(t.treated)) {
		f := k % folds
		if c := t.cluster[i]; c != 0 {
			f = learn.NewRandom(t.Seed, drawFolds, c).IntN(folds)
		}
		t.part[f] = append(t.part[f], int32(i))
	}
}

// rows are those of the folds that are wanted.
func (t *table) rows(want func(fold int) bool) []int32 {
	var out []int32
	for f := range folds {
		if want(f) {
			out = append(out, t.part[f]...)
		}
	}
	return out
}

// expect learns m of every row from the other folds. It does not look at who was
// treated, so that it is the same under any shuffle of the labels.
func (t *table) expect() {
	t.expected = make([]float64, len(t.outcome))
	one := slices.Repeat([]float64{1}, len(t.outcome))
	each(folds, func(f int) {
		train := t.rows(func(g int) bool { return g != f })
		if len(train) == 0 {
			return
		}
		m := boost(expected, t.bins, t.outcome, one, train, learn.NewRandom(t.Seed, drawExpected, uint64(f)))
		for _, i := range t.part[f] {
			t.expected[i] = m.at(t.bins, i)
		}
	})
}

// score computes ψ of every row.
func (t *table) score() {
	t.psi = make([]float64, len(t.outcome))
	for i, treated := range t.treated {
		w := -t.propensity[i]
		if treated {
			w++
		}
		t.psi[i] = w / t.balance[i] * (t.outcome[i] - t.expected[i])
	}
}

// effects learns the conditional effect from some rows: what the offered ones and the
// held-out ones have over the expected outcome, each by its own model, and the
// difference. Where offers do nothing there is nothing over the expected outcome to
// learn on either side, however few are held out.
func (t *table) effects(rows []int32, stream ...uint64) ensemble {
	rest, weight, side := make([]float64, len(t.outcome)), make([]float64, len(t.outcome)), [2][]int32{}
	for _, i := range rows {
		rest[i] = t.outcome[i] - t.expected[i]
		if t.treated[i] {
			side[1], weight[i] = append(side[1], i), 1-t.propensity[i]
		} else {
			side[0], weight[i] = append(side[0], i), t.propensity[i]
		}
	}
	if min(len(side[0]), len(side[1])) == 0 {
		return ensemble{}
	}
	var of [2]ensemble
	for s := range of {
		of[s] = boost(t.Form, t.bins, rest, weight, side[s], learn.NewRandom(t.Seed, append(stream, uint64(s))...))
	}
	return of[1].less(of[0])
}

// each does things side by side; what they write must not overlap.
func each(n int, do func(int)) {
	var all sync.WaitGroup
	var next atomic.Int64
	for range min(n, runtime.GOMAXPROCS(0)) {
		all.Go(func() {
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				do(int(i))
			}
		})
	}
	all.Wait()
}
