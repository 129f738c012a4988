package need

import "math"

// calibrate gives the card the curve that loses least on rows that it had not seen, and
// answers with the probabilities of rows by such curves (NaN where none judged them) and with how
// many of the last blocks made the curve (0: all rows).
func (c *Card) calibrate(rows []Row, s []float64, by plan) (p []float64, recent int) {
	var losses []float64
	var tried []bending
	for _, b := range by.bendings() {
		p := b.crossed(rows, s, by)
		some, lists := judged(rows, p)
		tried, losses = append(tried, b), append(losses, meanLoss(some, logits(lists[0])))
	}
	best := tried[least(losses)]
	c.Curve = best.bend(rows, s, by, by.n)
	return best.crossed(rows, s, by), best.recent
}

// bending is how a curve is made: by a method, of the last blocks.
type bending struct {
	method string
	recent int // blocks; 0: all
}

// bendings are tried. Forwards, base rates move, and what the last blocks say may be nearer
// to the next than what all do; these hold fewer rows, so a curve may also keep the card's slope.
func (p plan) bendings() (out []bending) {
	if !p.forward {
		for _, m := range methods {
			out = append(out, bending{m, 0})
		}
		return out
	}
	for _, recent := range []int{0, 1, 2, 3} {
		for _, m := range append([]string{shift}, methods...) {
			out = append(out, bending{m, recent})
		}
	}
	return out
}

// crossed gives each row's probability by a curve that had not seen it.
func (b bending) crossed(rows []Row, s []float64, by plan) []float64 {
	p := make([]float64, len(rows))
	for i := range p {
		p[i] = math.NaN()
	}
	first := 0
	if by.forward {
		first = 2 // the first fold has no odds, and those of the second bend the curve of the third
	}
	for k := first; k < by.n; k++ {
		curve := b.bend(rows, s, by, k)
		for i := range rows {
			if by.fold[i] == k {
				p[i] = curve.at(s[i])
			}
		}
	}
	return p
}

// bend makes the curve that judges a fold; of no fold (plan.n): the curve of all rows.
func (b bending) bend(rows []Row, s []float64, by plan, k int) Curve {
	var some []Row
	var odds []float64
	for i, r := range rows {
		f := by.fold[i]
		if f == k || math.IsNaN(s[i]) || by.forward && (f > k || b.recent > 0 && f < k-b.recent) {
			continue
		}
		some, odds = append(some, r), append(odds, s[i])
	}
	return bend(b.method, some, odds)
}
