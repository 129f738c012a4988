package need

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/handschlag/handschlag/batch/learn"
)

// plan says by which rows each row is judged: by those of the other folds or, forwards, by those of
// the folds before its own.
type plan struct {
	fold    []int
	n       int
	forward bool
}

// planned gives the plan of rows in the order of inOrder: their content and the seed decide.
func planned(rows []Row, o Options) plan {
	if o.Forward {
		fold, n := following(rows, o.Fewest)
		return plan{fold, n, true}
	}
	return plan{folds(rows, o.Folds, o.Seed), o.Folds, false}
}

// folds deals rows into folds: blocks stay whole, else groups, and the largest are dealt
// first, each into the smallest fold so far.
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

// following makes each block a fold, in their order; the first fold takes as many as hold enough rows
// of either outcome for a fit.
func following(rows []Row, fewest int) (fold []int, n int) {
	yes, all := map[uint64]int{}, map[uint64]int{}
	for _, r := range rows {
		all[r.Block]++
		if r.Y {
			yes[r.Block]++
		}
	}
	of, positive, negative := map[uint64]int{}, 0, 0
	for _, b := range slices.Sorted(maps.Keys(all)) {
		of[b] = n
		positive, negative = positive+yes[b], negative+all[b]-yes[b]
		if n > 0 || positive >= fewest && negative >= fewest {
			n++
		}
	}
	fold = make([]int, len(rows))
	for i, r := range rows {
		fold[i] = of[r.Block]
	}
	return fold, n
}

// thin says why nothing can be judged by a plan; "" if each fold is judged by rows of either outcome.
func (p plan) thin(rows []Row) string {
	if p.forward {
		if p.n < 3 {
			return "fewer than three blocks hold enough rows, and each is judged by those before it"
		}
		return ""
	}
	for k := range p.n {
		train, held := p.split(rows, k)
		switch yes := count(train); {
		case len(train) == 0 || len(held) == 0:
			return fmt.Sprintf("the %d rows are of fewer groups or blocks than %d folds, and these stay whole", len(rows), p.n)
		case yes == 0 || yes == len(train):
			return fmt.Sprintf("one of %d folds holds all rows of an outcome, and the others know of none", p.n)
		}
	}
	return ""
}

// split gives the rows that judge a fold, and its own.
func (p plan) split(rows []Row, k int) (train, held []Row) {
	for i, r := range rows {
		switch {
		case p.fold[i] == k:
			held = append(held, r)
		case !p.forward || p.fold[i] < k:
			train = append(train, r)
		}
	}
	return train, held
}

// first is the first fold that is judged.
func (p plan) first() int {
	if p.forward {
		return 1
	}
	return 0
}

// scatter puts the values of a fold's rows where the rows are.
func (p plan) scatter(into, values []float64, k int) {
	for i := range into {
		if p.fold[i] == k {
			into[i], values = values[0], values[1:]
		}
	}
}

// judged leaves out the rows that nothing judged.
func judged(rows []Row, lists ...[]float64) ([]Row, [][]float64) {
	var out []Row
	some := make([][]float64, len(lists))
	for i, r := range rows {
		if slices.ContainsFunc(lists, func(l []float64) bool { return math.IsNaN(l[i]) }) {
			continue
		}
		out = append(out, r)
		for j, l := range lists {
			some[j] = append(some[j], l[i])
		}
	}
	return out, some
}

// auc is how often the order is right; forwards, the mean of that within each block.
func (p plan) auc(rows []Row, odds []float64) float64 {
	if !p.forward {
		return learn.AUC(odds, outcomes(rows))
	}
	sum, n := 0.0, 0.0
	for k := p.first(); k < p.n; k++ {
		var s []float64
		var y []bool
		for i, r := range rows {
			if p.fold[i] == k {
				s, y = append(s, odds[i]), append(y, r.Y)
			}
		}
		if auc := learn.AUC(s, y); !math.IsNaN(auc) {
			sum, n = sum+auc, n+1
		}
	}
	return sum / n
}

// worth is what choices are made by, less being better: the mean surprise. Forwards it is the order
// alone: base rates move from block to block, and following them is the curve's.
func (p plan) worth(rows []Row, odds []float64) float64 {
	if p.forward {
		return 1 - p.auc(rows, odds)
	}
	return meanLoss(rows, odds)
}

func outcomes(rows []Row) []bool {
	y := make([]bool, len(rows))
	for i, r := range rows {
		y[i] = r.Y
	}
	return y
}
