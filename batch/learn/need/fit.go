package need

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/handschlag/handschlag/batch/learn"
)

// Fit fits a scorecard. The order of rows does not matter. An *Unknown error says
// that they teach nothing; any other says which row or feature is wrong, or that ctx
// ended: it is asked between fits.
func Fit(ctx context.Context, rows []Row, specs []Feature, o Options) (Card, error) {
	o = o.orDefault()
	if err := errors.Join(o.check(), check(rows, specs)); err != nil {
		return Card{}, fmt.Errorf("fitting a scorecard: %w", err)
	}
	if err := enough(rows, o.Fewest); err != nil {
		return Card{}, err
	}
	rows = inOrder(rows)
	by := planned(rows, o)
	if why := by.thin(rows); why != "" {
		return Card{}, &Unknown{len(rows), count(rows), why}
	}
	best, err := choose(ctx, rows, specs, by, o)
	if err != nil {
		return Card{}, err
	}
	card := best.card(ctx, rows, specs, o)
	odds, err := by.crossed(ctx, rows, 1, func(train, held []Row) [][]float64 {
		return [][]float64{best.odds(ctx, train, held, specs, o)}
	})
	if err != nil {
		return Card{}, err
	}
	s := odds[0]
	p, recent := card.calibrate(rows, s, by)
	card.Fit = report(rows, s, p, best, by)
	card.Fit.Recent = recent
	if why := card.Fit.gained(rows, p, by); why != "" {
		return Card{}, &Unknown{card.Fit.Rows, card.Fit.Yes, why}
	}
	return card, nil
}

// card fits a card on rows, with no curve yet.
func (b choice) card(ctx context.Context, rows []Row, specs []Feature, o Options) Card {
	d, beta := b.grow(ctx, rows, specs, o, func(*design, []float64) {})
	return d.points(beta, o)
}

// odds fits a card of its own on train and gives its points for held, as log odds.
func (b choice) odds(ctx context.Context, train, held []Row, specs []Feature, o Options) []float64 {
	card := b.card(ctx, train, specs, o)
	out := make([]float64, len(held))
	for i, r := range held {
		out[i] = card.odds(card.Points(r.X))
	}
	return out
}

func logits(p []float64) []float64 {
	out := make([]float64, len(p))
	for i, q := range p {
		out[i] = math.Log(q) - math.Log1p(-q)
	}
	return out
}

// report tells what cross-validation found: of s, the points, and of p, their probabilities.
func report(rows []Row, s, p []float64, best choice, by plan) Report {
	r := Report{Rows: len(rows), Yes: count(rows), MaxBins: best.bins, Penalty: best.penalty.single, AUC: by.auc(rows, s)}
	some, lists := judged(rows, s)
	r.Precision = learn.AveragePrecision(lists[0], outcomes(some))
	some, lists = judged(rows, p)
	r.Bands, r.Loss = learn.EqualMass(lists[0], outcomes(some), 10), meanLoss(some, logits(lists[0]))
	return r
}

// gained finds by how much the card loses less than the base rate of the rows that judge
// does, with the 97.5 % lower bound of that, by group. "" if it is above 0.
func (r *Report) gained(rows []Row, p []float64, by plan) string {
	rates := make([]float64, by.n)
	for k := by.first(); k < by.n; k++ {
		train, _ := by.split(rows, k)
		yes, all := 0.0, 0.0
		for _, t := range train {
			yes, all = yes+t.weight()*one(t.Y), all+t.weight()
		}
		rates[k] = math.Log(yes / (all - yes))
	}
	odds, sums, total, all := logits(p), map[uint64]float64{}, 0.0, 0.0
	var alone []float64
	for i, t := range rows {
		if math.IsNaN(p[i]) {
			continue
		}
		gain := t.weight() * (surprise(rates[by.fold[i]], t.Y) - surprise(odds[i], t.Y))
		total, all = total+gain, all+t.weight()
		if t.Group == 0 {
			alone = append(alone, gain)
		} else {
			sums[t.Group] += gain
		}
	}
	r.Gain = total / all
	r.GainLow = r.Gain - 1.96*spread(alone, sums)/all
	if r.GainLow > 0 {
		return ""
	}
	return fmt.Sprintf("%d rows with %d positive do not show that the features say more than the base rate (gain in log loss %.4f, lower bound %.4f)", r.Rows, r.Yes, r.Gain, r.GainLow)
}

// spread is the standard error of the sum of gains, each group one draw.
func spread(alone []float64, groups map[uint64]float64) float64 {
	n := float64(len(alone) + len(groups))
	values := append(make([]float64, 0, int(n)), alone...)
	for _, g := range slices.Sorted(maps.Keys(groups)) {
		values = append(values, groups[g])
	}
	mean := 0.0
	for _, v := range values {
		mean += v / n
	}
	sum := 0.0
	for _, v := range values {
		sum += (v - mean) * (v - mean)
	}
	return math.Sqrt(sum * n / (n - 1))
}
