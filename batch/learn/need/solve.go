package need

import "math"

// solve fits the coefficients by penalised maximum likelihood: Newton's steps, each a
// quadratic programme with signs (quadratic). A step that does not help is halved. beta is
// where it begins; nil: at the base rate.
//
// The penalty on a feature is half of p × (bins − 1) × the sum of its squared
// steps, so that a rise over all of its bins costs the same in few as in many.
func (d *design) solve(p penalty, beta []float64) []float64 {
	if d.patterns == nil {
		d.patterns = d.collapse()
	}
	if beta == nil {
		beta = make([]float64, d.size+1)
		beta[0] = d.base()
	}
	ridge, sign := d.bounds(p)
	loss := d.loss(beta, ridge)
	for range 50 {
		next := newton(d, beta, ridge, sign)
		better := math.Inf(1)
		for range 30 {
			if better = d.loss(next, ridge); better <= loss {
				break
			}
			for k := range next {
				next[k] = (next[k] + beta[k]) / 2
			}
		}
		if better > loss {
			return beta
		}
		gain := loss - better
		beta, loss = next, better
		if gain < 1e-7*(1+math.Abs(loss)) {
			break
		}
	}
	return beta
}

// newton minimises ½ (b−β)ᵀG(b−β) − cᵀ(b−β) + ½ Σ ridge b² over b of the right signs. The loss of β
// was found just before.
func newton(d *design, beta, ridge []float64, sign []side) []float64 {
	g, c := d.gram()
	linear := make([]float64, len(c))
	for k, row := range g {
		linear[k] = c[k] + dot(row, beta)
	}
	for k := range g {
		g[k][k] += ridge[k]
	}
	return quadratic(g, linear, sign)
}

// bounds gives each coefficient its ridge and its sign.
func (d *design) bounds(p penalty) (ridge []float64, sign []side) {
	ridge, sign = make([]float64, d.size+1), make([]side, d.size+1)
	for j, a := range d.axes {
		g := a.grid()
		for b := range a.bins() {
			k := 1 + d.first[j] + b
			ridge[k] = p.of(a)
			switch {
			case g.first(b):
				sign[k] = zero
			case a.Shape == Rising:
				sign[k] = up
			case a.Shape == Falling:
				sign[k] = down
			}
		}
	}
	return ridge, sign
}

// penalty is the ridge on the steps of features, and on those of pairs.
type penalty struct{ single, pair float64 }

func (p penalty) of(a axis) float64 {
	g, out := a.grid(), p.single
	if a.pair != nil {
		out = p.pair
	}
	for side, n := range [2]int{g.lines, g.columns} {
		if g.stepped[side] {
			out *= float64(n - 1)
		}
	}
	return out
}

// loss is the penalised negative log-likelihood.
func (d *design) loss(beta, ridge []float64) float64 {
	sum := d.weigh(beta)
	for k, b := range beta {
		sum += ridge[k] * b * b / 2
	}
	return sum
}

// base is the log odds of the outcome among all rows.
func (d *design) base() float64 {
	yes, all := 0.0, 0.0
	for i, w := range d.w {
		yes, all = yes+w*one(d.y[i]), all+w
	}
	return math.Log(yes / (all - yes))
}

// surprise is −ln of the probability that log odds give to an outcome.
func surprise(x float64, y bool) float64 {
	if y {
		x = -x
	}
	return max(x, 0) + math.Log1p(math.Exp(-math.Abs(x)))
}

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

func one(y bool) float64 {
	if y {
		return 1
	}
	return 0
}
