package need

import (
	"math"
	"slices"
)

// patterns are the rows of a design as its likelihood sees them: rows in the same bins are one. Most rows
// lie in a feature's commonest bin, so only the others are written down, and sums over a commonest bin
// are those over all rows less those over the other bins.
type patterns struct {
	common []int      // by feature: its commonest bin, as in onehot
	others [][]uint16 // by pattern: its bins that are not their feature's commonest
	yes    []float64  // by pattern: weight of rows with the outcome
	all    []float64  // by pattern: weight of rows

	at     []float64 // coefficients that were weighed last, and what that found:
	like   float64   // the negative log-likelihood
	weight []float64 // by pattern: the weight of Newton's step
	left   []float64 // by pattern: the residual
}

// collapse finds the patterns of a design, in the order of their first rows.
func (d *design) collapse() *patterns {
	p := &patterns{common: d.commonest()}
	flat := make([]uint16, 0, len(d.bins)*len(d.axes))
	at, key := map[string]int{}, make([]byte, 2*len(d.axes))
	for i, bins := range d.bins {
		for j, k := range bins {
			key[2*j], key[2*j+1] = byte(k), byte(k>>8)
		}
		n, known := at[string(key)]
		if !known {
			n = len(p.all)
			at[string(key)] = n
			begin := len(flat)
			for j, k := range bins {
				if int(k) != p.common[j] {
					flat = append(flat, k)
				}
			}
			p.others, p.yes, p.all = append(p.others, flat[begin:]), append(p.yes, 0), append(p.all, 0)
		}
		p.yes[n], p.all[n] = p.yes[n]+d.w[i]*one(d.y[i]), p.all[n]+d.w[i]
	}
	p.weight, p.left = make([]float64, len(p.all)), make([]float64, len(p.all))
	return p
}

// commonest gives the bin of each feature with the most rows; of equal ones, the first.
func (d *design) commonest() []int {
	rows := make([]int, d.size)
	for _, bins := range d.bins {
		for _, k := range bins {
			rows[k]++
		}
	}
	out := make([]int, len(d.axes))
	for j, a := range d.axes {
		out[j] = d.first[j]
		for k := range a.bins() {
			if k += d.first[j]; rows[k] > rows[out[j]] {
				out[j] = k
			}
		}
	}
	return out
}

// weigh gives the negative log-likelihood of coefficients, and keeps what Newton's step from there needs.
func (d *design) weigh(beta []float64) float64 {
	p := d.patterns
	if slices.Equal(p.at, beta) {
		return p.like
	}
	base, beside := beta[0], d.effects(beta)
	for j, a := range d.axes {
		common := beside[p.common[j]]
		base += common
		for k := range a.bins() {
			beside[d.first[j]+k] -= common
		}
	}
	p.at, p.like = append(p.at[:0], beta...), 0
	for i, bins := range p.others {
		x := logOdds(base, beside, bins)
		e := math.Exp(-math.Abs(x))
		q := 1 / (1 + e)
		if x < 0 {
			q = e / (1 + e)
		}
		yes, all := p.yes[i], p.all[i]
		p.like += yes*max(-x, 0) + (all-yes)*max(x, 0) + all*math.Log1p(e)
		p.weight[i], p.left[i] = all*max(q*(1-q), 1e-6), yes-all*q
	}
	return p.like
}

// gram gives XᵀWX and Xᵀr for the weights and residuals of what was weighed last. Counting pairs of bins
// and adding them up from the last bin on is as good as the columns themselves, and far cheaper.
func (d *design) gram() (g [][]float64, c []float64) {
	m := d.size + 1
	g, c = make([][]float64, m), make([]float64, m)
	flat := make([]float64, m*m)
	for k := range g {
		g[k] = flat[k*m : (k+1)*m]
	}
	for i, bins := range d.patterns.others {
		w, r := d.patterns.weight[i], d.patterns.left[i]
		c[0] += r
		g[0][0] += w
		for a, k := range bins {
			c[1+k] += r
			g[0][1+k] += w
			row := g[1+k]
			for _, l := range bins[a:] {
				row[1+l] += w
			}
		}
	}
	for k := range g {
		for l := range k {
			g[k][l] = g[l][k]
		}
	}
	d.complete(g, c)
	d.suffix(g, c)
	return g, c
}

// complete counts the commonest bins: of all rows, those that are in no other bin of the feature.
func (d *design) complete(g [][]float64, c []float64) {
	for j, a := range d.axes {
		most := 1 + d.patterns.common[j]
		copy(g[most], g[0])
		c[most] = c[0]
		for k := range a.bins() {
			if k += 1 + d.first[j]; k == most {
				continue
			}
			c[most] -= c[k]
			for l, x := range g[k] {
				g[most][l] -= x
			}
		}
		g[most][most] = g[most][0]
		for l, x := range g[most] {
			g[l][most] = x
		}
	}
}
