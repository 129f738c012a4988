package need

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/handschlag/handschlag/batch/learn"
)

// Fit fits a scorecard. The order of rows does not matter. An *Unknown error says
// that they teach nothing; any other says which row or feature is wrong.
func Fit(rows []Row, specs []Feature, o Options) (Card, error) {
	o = o.orDefault()
	if err := check(rows, specs); err != nil {
		return Card{}, fmt.Errorf("fitting a scorecard: %w", err)
	}
	if err := enough(rows, o.Fewest); err != nil {
		return Card{}, err
	}
	rows = inOrder(rows)
	fold := folds(rows, o.Folds, o.Seed)
	best := choose(rows, specs, fold, o)
	card := best.card(rows, specs, o)
	s := crossed(rows, fold, o.Folds, 1, func(train, held []Row) [][]float64 {
		return [][]float64{best.odds(train, held, specs, o)}
	})[0]
	p := card.calibrate(rows, s, fold, o)
	card.Fit = report(rows, s, p, best)
	if why := card.Fit.gained(rows, p, fold, o); why != "" {
		return Card{}, &Unknown{card.Fit.Rows, card.Fit.Yes, why}
	}
	return card, nil
}

// card fits a card on rows, with no curve yet.
func (b choice) card(rows []Row, specs []Feature, o Options) Card {
	d, beta := b.grow(rows, specs, o, func(*design, []float64) {})
	return d.points(beta, o)
}

// odds fits a card of its own on train and gives its points for held, as log odds.
func (b choice) odds(train, held []Row, specs []Feature, o Options) []float64 {
	card := b.card(train, specs, o)
	out := make([]float64, len(held))
	for i, r := range held {
		out[i] = card.odds(card.Points(r.X))
	}
	return out
}

// calibrate gives the card the curve that loses least in cross-validation, and
// answers with the probabilities of rows by curves that had not seen them.
func (c *Card) calibrate(rows []Row, s []float64, fold []int, o Options) []float64 {
	var losses []float64
	var tried [][]float64
	for _, method := range methods {
		p := make([]float64, len(rows))
		for k := range o.Folds {
			train, held := pick(rows, s, fold, k)
			curve := bend(method, train.rows, train.s)
			for i, at := range held.at {
				p[at] = curve.at(held.s[i])
			}
		}
		tried = append(tried, p)
		losses = append(losses, meanLoss(rows, logits(p)))
	}
	i := least(losses)
	c.Curve = bend(methods[i], rows, s)
	return tried[i]
}

// scored is rows with their log odds and where they stood.
type scored struct {
	rows []Row
	s    []float64
	at   []int
}

func pick(rows []Row, s []float64, fold []int, k int) (train, held scored) {
	for i, r := range rows {
		to := &train
		if fold[i] == k {
			to = &held
		}
		to.rows, to.s, to.at = append(to.rows, r), append(to.s, s[i]), append(to.at, i)
	}
	return train, held
}

func logits(p []float64) []float64 {
	out := make([]float64, len(p))
	for i, q := range p {
		out[i] = math.Log(q) - math.Log1p(-q)
	}
	return out
}

// report tells what cross-validation found: of s, the points, and of p, their probabilities.
func report(rows []Row, s, p []float64, best choice) Report {
	y := make([]bool, len(rows))
	r := Report{Rows: len(rows), MaxBins: best.bins, Penalty: best.penalty.single}
	for i := range rows {
		if y[i] = rows[i].Y; y[i] {
			r.Yes++
		}
	}
	r.AUC, r.Precision = learn.AUC(s, y), learn.AveragePrecision(s, y)
	r.Bands, r.Loss = learn.EqualMass(p, y, 10), meanLoss(rows, logits(p))
	return r
}

// gained finds by how much the card loses less than the base rate of the other folds
// does, with the 97.5 % lower bound of that, by group. "" if it is above 0.
func (r *Report) gained(rows []Row, p []float64, fold []int, o Options) string {
	rates := make([]float64, o.Folds)
	for k := range rates {
		train, _ := split(rows, fold, k)
		yes, all := 0.0, 0.0
		for _, t := range train {
			yes, all = yes+t.weight()*one(t.Y), all+t.weight()
		}
		rates[k] = math.Log(yes / (all - yes))
	}
	odds, sums, total, all := logits(p), map[uint64]float64{}, 0.0, 0.0
	var alone []float64
	for i, t := range rows {
		gain := t.weight() * (surprise(rates[fold[i]], t.Y) - surprise(odds[i], t.Y))
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
