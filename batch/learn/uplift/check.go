package uplift

import (
	"context"
	"slices"

	"github.com/handschlag/handschlag/batch/learn"
)

// Placebo counts how often a verdict would claim something if nothing were there: the
// labels of who was treated are shuffled among rows of equal propensity, which leaves
// outcomes and features as they are and no effect to find. It stops between two shuffles.
func Placebo(ctx context.Context, rows []Row, o Options, times int) (claims int, err error) {
	o = o.filled()
	if err := check(rows, o); err != nil {
		return 0, err
	}
	t := newTable(rows, o)
	t.expect()
	claimed := make([]bool, times)
	each(times, func(s int) {
		if ctx.Err() != nil {
			return
		}
		shuffled := *t
		shuffled.treated = t.shuffle(learn.NewRandom(o.Seed, drawPlacebo, uint64(s)))
		claimed[s] = shuffled.verdict(len(rows)).Known
	})
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	for _, c := range claimed {
		if c {
			claims++
		}
	}
	return claims, nil
}

// shuffle deals the labels anew.
func (t *table) shuffle(random *learn.Random) []bool {
	alike := map[float64][]int{}
	for i, p := range t.propensity {
		alike[p] = append(alike[p], i)
	}
	out := slices.Clone(t.treated)
	for i, p := range t.propensity { // in order of first appearance: the draws repeat
		if alike[p][0] != i {
			continue
		}
		for k, j := range random.Perm(len(alike[p])) {
			out[alike[p][k]] = t.treated[alike[p][j]]
		}
	}
	return out
}

// CrossValidate is the mean Q of a form on folds that it was not learned from, over
// so many splits into folds, and each split's. It is what forms are chosen by; the
// splits share their rows, so that their spread is that of the splits alone. It stops
// between two splits.
func CrossValidate(ctx context.Context, rows []Row, o Options, repeats int) (mean float64, splits []float64, err error) {
	o = o.filled()
	if err := check(rows, o); err != nil {
		return 0, nil, err
	}
	splits = make([]float64, repeats)
	for r := range splits {
		if err := ctx.Err(); err != nil {
			return 0, nil, err
		}
		o.Seed++
		t := newTable(rows, o)
		t.expect()
		t.score()
		out := make([]float64, len(t.psi))
		t.crossed(out)
		for _, part := range t.part {
			splits[r] += t.order(part, out).Q() / folds
		}
		mean += splits[r] / float64(repeats)
	}
	return mean, splits, nil
}

// order ranks some rows by a score.
func (t *table) order(rows []int32, score []float64) Order {
	s, treated, outcome := make([]float64, len(rows)), make([]bool, len(rows)), make([]float64, len(rows))
	for k, i := range rows {
		s[k], treated[k], outcome[k] = score[i], t.treated[i], t.outcome[i]
	}
	return NewOrder(s, treated, outcome)
}
