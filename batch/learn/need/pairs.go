package need

import "context"

// coarse is how the sides of pairs are cut.
type coarse struct {
	most   int // bins of one side
	fewest int // rows of such a bin
}

// coarses and pairPenalties, on the steps of pairs, are tried with each other.
var coarses = []coarse{{4, 100}, {6, 60}}

var pairPenalties = []float64{1, 3, 10, 30}

// grow fits the single features, then adds the pair that says most, and fits again, as
// often as chosen or as a pair says anything, or until it is stopped. each is told of every fit.
func (c choice) grow(ctx context.Context, rows []Row, specs []Feature, o Options, each func(d *design, beta []float64)) (*design, []float64) {
	as := axes(rows, specs, c.bins, o.MinBin)
	d := newDesign(rows, as)
	beta := d.solve(c.penalty, nil)
	each(d, beta)
	if c.pairs == 0 {
		return d, beta
	}
	sides := axes(rows, specs, c.coarse.most, max(c.coarse.fewest, o.MinBin))
	for range c.pairs {
		if ctx.Err() != nil {
			break
		}
		a, gain := d.paired(rows, sides, beta, c.penalty.pair)
		if gain <= 0 {
			break
		}
		as = append(as[:len(as):len(as)], a)
		from := append(append([]float64(nil), beta...), make([]float64, a.bins())...)
		d = newDesign(rows, as)
		beta = d.solve(c.penalty, from)
		each(d, beta)
	}
	return d, beta
}

// paired finds which two features say more together than the sum of their points:
// those whose cells hold most of what a fit left over, above what chance leaves there
// (Lou, Caruana, Gehrke, Hooker, KDD 2013, who rank by residuals, too).
func (d *design) paired(rows []Row, coarse []axis, beta []float64, penalty float64) (best axis, gain float64) {
	effects := d.effects(beta)
	w, r := make([]float64, len(rows)), make([]float64, len(rows))
	for i, bins := range d.bins {
		p := sigmoid(logOdds(beta[0], effects, bins))
		w[i], r[i] = d.w[i]*p*(1-p), d.w[i]*(one(d.y[i])-p)
	}
	at := make([][]int, len(coarse))
	for j, a := range coarse {
		at[j] = make([]int, len(rows))
		for i := range rows {
			at[j][i] = a.bin(rows[i].X)
		}
	}
	for j := range coarse {
		for k := j + 1; k < len(coarse); k++ {
			a := axis{Feature: Feature{Name: coarse[j].Name + " × " + coarse[k].Name}, pair: []axis{coarse[j], coarse[k]}}
			if d.has(a.Name) {
				continue
			}
			if g := cellGain(w, r, at[j], at[k], coarse[k].bins(), a.bins(), penalty); g > gain {
				best, gain = a, g
			}
		}
	}
	return best, gain
}

func (d *design) has(name string) bool {
	for _, a := range d.axes {
		if a.Name == name {
			return true
		}
	}
	return false
}

// cellGain is twice the log-likelihood that one step for each cell would win, less what it
// wins by chance.
func cellGain(w, r []float64, j, k []int, wide, cells int, penalty float64) (gain float64) {
	sums := make([][2]float64, cells)
	for i := range w {
		c := &sums[j[i]*wide+k[i]]
		c[0], c[1] = c[0]+w[i], c[1]+r[i]
	}
	for _, c := range sums {
		gain += (c[1]*c[1] - c[0]) / (c[0] + penalty)
	}
	return gain
}
