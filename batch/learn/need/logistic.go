package need

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/handschlag/handschlag/batch/learn"
)

// Linear is a plain logistic regression with an L2 penalty: what the card is held
// against. Features are brought to mean 0 and spread 1, each name has a column.
type Linear struct {
	specs   []Feature
	mean    []float64
	spread  []float64
	a       []float64
	Penalty float64
	Fit     Report // of rows it had not seen; Bins, MaxBins and Gain are not used
}

// FitLinear fits it, with the penalty that loses least in the same folds as Fit's.
func FitLinear(ctx context.Context, rows []Row, specs []Feature, o Options) (Linear, error) {
	o = o.orDefault()
	if err := errors.Join(o.check(), check(rows, specs)); err != nil {
		return Linear{}, fmt.Errorf("fitting a logistic regression: %w", err)
	}
	if err := enough(rows, o.Fewest); err != nil {
		return Linear{}, err
	}
	rows = inOrder(rows)
	by := planned(rows, o)
	if why := by.thin(rows); why != "" {
		return Linear{}, &Unknown{len(rows), count(rows), why}
	}
	odds, err := by.crossed(ctx, rows, len(o.Penalties), func(train, held []Row) (out [][]float64) {
		for _, p := range o.Penalties {
			if ctx.Err() != nil {
				return nil
			}
			l := linearOf(train, specs, p)
			values := make([]float64, len(held))
			for i, r := range held {
				values[i] = dot(l.a, l.columns(r.X))
			}
			out = append(out, values)
		}
		return out
	})
	if err != nil {
		return Linear{}, err
	}
	losses := make([]float64, len(odds))
	for c := range odds {
		losses[c] = by.worth(rows, odds[c])
	}
	best := least(losses)
	l := linearOf(rows, specs, o.Penalties[best])
	seen, lists := judged(rows, odds[best])
	l.Fit = Report{Rows: len(rows), AUC: by.auc(rows, odds[best]), Precision: learn.AveragePrecision(lists[0], outcomes(seen)), Loss: meanLoss(seen, lists[0]), Penalty: l.Penalty}
	return l, nil
}

// Probability is that of the outcome for a row's features.
func (l Linear) Probability(x []float64) float64 { return sigmoid(dot(l.a, l.columns(x))) }

func linearOf(rows []Row, specs []Feature, penalty float64) Linear {
	l := Linear{specs: specs, Penalty: penalty, mean: make([]float64, len(specs)), spread: make([]float64, len(specs))}
	for j := range specs {
		sum, squares, n := 0.0, 0.0, 0.0
		for _, r := range rows {
			sum, n = sum+r.weight()*r.X[j], n+r.weight()
		}
		l.mean[j] = sum / n
		for _, r := range rows {
			squares += r.weight() * (r.X[j] - l.mean[j]) * (r.X[j] - l.mean[j])
		}
		if l.spread[j] = math.Sqrt(squares / n); l.spread[j] == 0 {
			l.spread[j] = 1
		}
	}
	x := make([][]float64, len(rows))
	for i, r := range rows {
		x[i] = l.columns(r.X)
	}
	l.a = regress(x, rows, penalty)
	return l
}

// columns are 1, the standardised features, and one for each name.
func (l Linear) columns(x []float64) []float64 {
	out := []float64{1}
	for j, f := range l.specs {
		if f.Shape != Named {
			out = append(out, (x[j]-l.mean[j])/l.spread[j])
			continue
		}
		for level := range f.Levels {
			out = append(out, one(x[j] == float64(level)))
		}
	}
	return out
}
