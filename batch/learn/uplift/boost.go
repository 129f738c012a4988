package uplift

import (
	"fmt"

	"github.com/handschlag/handschlag/batch/learn"
)

// Form is the shape of a model: boosted trees over binned features (Friedman, Annals
// of Statistics 2001; drawn rows: Stochastic gradient boosting, 2002).
type Form struct {
	Depth    int     // of a tree; 1 makes the model additive
	Rounds   int     // trees
	Rate     float64 // share of a tree's answer that is taken
	Penalty  float64 // rows' worth of nothing that each node is averaged with
	Leaf     int     // fewest rows of a node
	Rows     float64 // share of the rows that a tree is grown on
	Features float64 // share of the features that a tree may ask about
	Bins     int     // of a feature, up to 64
}

// maxRows bounds the rows of one tree, so that the cost of a model is bounded too;
// other trees see other rows.
const maxRows = 50_000

// Additive is the form of a scorecard: features act each on their own.
func Additive() Form {
	return Form{Depth: 1, Rounds: 100, Rate: .2, Penalty: 250, Leaf: 50, Rows: .8, Features: .6, Bins: 32}
}

// Interacting lets up to four features act together. Both forms were chosen by
// cross-validated Q on train.csv of the package Information alone (CrossValidate).
func Interacting() Form {
	return Form{Depth: 4, Rounds: 100, Rate: .05, Penalty: 100, Leaf: 60, Rows: .9, Features: .6, Bins: 32}
}

// expected is the form of m(x), which only takes away noise.
var expected = Form{Depth: 2, Rounds: 60, Rate: .1, Penalty: 20, Leaf: 40, Rows: .7, Features: .5, Bins: 32}

func (f Form) check() error {
	switch {
	case f.Depth < 1 || f.Depth > 8, f.Rounds < 1, f.Leaf < 1, f.Bins < 2 || f.Bins > maxBins:
		return fmt.Errorf("form %+v: want a depth of 1 to 8, rounds and leaf above 0, 2 to %d bins", f, maxBins)
	case !(f.Rate > 0 && f.Rate <= 1 && f.Rows > 0 && f.Rows <= 1 && f.Features > 0 && f.Features <= 1 && f.Penalty >= 0):
		return fmt.Errorf("form %+v: want rate and shares above 0 up to 1, and no penalty below 0", f)
	}
	return nil
}

// ensemble is a fitted sum of trees.
type ensemble struct {
	base  float64
	rate  float64
	trees []tree
}

// at is the answer for a row of the table that it was learned from.
func (e ensemble) at(bins [][]uint8, row int32) float64 {
	sum := 0.0
	for _, t := range e.trees {
		sum += t.at(bins, row)
	}
	return e.base + e.rate*sum
}

// less is the difference of two ensembles of one rate.
func (e ensemble) less(other ensemble) ensemble {
	e.base -= other.base
	for _, t := range other.trees {
		for i := range t {
			t[i].value = -t[i].value
		}
		e.trees = append(e.trees, t)
	}
	return e
}

// boost regresses target on the bins of some rows, by weighted least squares. Weights
// are scaled to a mean of 1, so that a penalty counts in rows.
func boost(f Form, bins [][]uint8, target, weight []float64, rows []int32, random *learn.Random) ensemble {
	b := booster{Form: f, bins: bins, random: random, order: append([]int32(nil), rows...)}
	b.rest, b.weight, b.seen = make([]float64, len(target)), make([]float64, len(target)), make([]int32, len(target))
	sum, total := 0.0, 0.0
	for _, i := range rows {
		sum, total = sum+weight[i]*target[i], total+weight[i]
	}
	b.base, b.rate = sum/total, f.Rate
	for _, i := range rows {
		b.weight[i] = weight[i] * float64(len(rows)) / total
		b.rest[i] = target[i] - b.base
	}
	for range f.Rounds {
		b.round()
	}
	return b.ensemble
}

type booster struct {
	Form
	ensemble
	bins         [][]uint8
	rest, weight []float64
	seen         []int32 // how many trees rest already lacks, by row
	order        []int32 // the rows, reordered by each draw
	random       *learn.Random
}

// round grows a tree on rows and features drawn for it. What is left to explain is
// brought up to date for the drawn rows only.
func (b *booster) round() {
	n := min(maxRows, max(1, int(b.Rows*float64(len(b.order)))))
	for k := range n {
		j := k + b.random.IntN(len(b.order)-k)
		b.order[k], b.order[j] = b.order[j], b.order[k]
	}
	rows := make([]drawn, n)
	for k, i := range b.order[:n] {
		for ; int(b.seen[i]) < len(b.trees); b.seen[i]++ {
			b.rest[i] -= b.rate * b.trees[b.seen[i]].at(b.bins, i)
		}
		rows[k] = drawn{i, b.rest[i] * b.weight[i], b.weight[i]}
	}
	features := b.random.Perm(len(b.bins))
	features = features[:min(len(features), max(1, int(b.Features*float64(len(features))+.5)))]
	g := grower{form: b.Form, bins: b.bins, features: features}
	g.grow(rows, b.Depth)
	b.trees = append(b.trees, g.tree)
}
