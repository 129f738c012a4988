package value

import "math"

// starts of the search, with α as a share of the mean age.
var orderStarts = [][]float64{{.25, .2, .8, 2.5}, {1, 1, 1, 1}, {.5, .5, .1, 5}, {5, 5, .5, 5}, {.1, .05, 2, 2}}

// fitOrders gives the BG/NBD parameters of greatest likelihood of histories that
// are grouped and of which at least one repeats.
func fitOrders(histories []History) (BGNBD, []Flag) {
	age, weight := 0.0, 0.0
	for _, h := range histories {
		age, weight = age+h.Weight*float64(h.Age)/week, weight+h.Weight
	}
	starts := make([][]float64, len(orderStarts))
	for i, s := range orderStarts {
		starts[i] = []float64{s[0], s[1] * age / weight, s[2], s[3]}
	}
	found := orderObjective(histories, weight).search(starts)
	if found.params == nil {
		return noRepeat(histories), []Flag{NotConverged}
	}
	m := BGNBD{R: found.params[0], Alpha: found.params[1], A: found.params[2], B: found.params[3]}
	return m, m.flags(found.ended)
}

// orderObjective is minus the mean log-likelihood by ln r, ln α, ln a, ln b.
func orderObjective(histories []History, weight float64) objective {
	return func(logs, grad []float64) float64 {
		m := BGNBD{R: math.Exp(logs[0]), Alpha: math.Exp(logs[1]), A: math.Exp(logs[2]), B: math.Exp(logs[3])}
		var sum slope
		var c curve
		for i, h := range histories {
			if i == 0 || h.Repeat != histories[i-1].Repeat {
				c = m.curve(h.Repeat)
			}
			sum.add(c.at(h), h.Weight/weight)
		}
		if grad != nil {
			grad[0], grad[1], grad[2], grad[3] = -sum.byR*m.R, -sum.byAlpha*m.Alpha, -sum.byA*m.A, -sum.byB*m.B
		}
		return -sum.value
	}
}

func (s *slope) add(o slope, w float64) {
	s.value += w * o.value
	s.byR += w * o.byR
	s.byAlpha += w * o.byAlpha
	s.byA += w * o.byA
	s.byB += w * o.byB
}

// flags names what is degenerate about an optimum.
func (m BGNBD) flags(ended bool) []Flag {
	var flags []Flag
	if !ended {
		flags = append(flags, NotConverged)
	}
	if m.A/(m.A+m.B) < 2*lowest || m.A < 2*lowest {
		flags = append(flags, NobodyLeaves)
	} else if m.A+m.B > alike || m.B < 2*lowest {
		flags = append(flags, LeavingAlike)
	}
	if m.R > alike || m.R < 2*lowest || m.Alpha < 2*lowest || m.Alpha > highest/2 {
		flags = append(flags, OrderingAlike)
	}
	return flags
}

// noRepeat is the answer where nobody ordered twice: half a repeat order in all the
// weeks that were watched (Jeffreys' prior of a Poisson rate), nobody known to leave.
func noRepeat(histories []History) BGNBD {
	weeks := 0.0
	for _, h := range histories {
		weeks += h.Weight * float64(h.Age) / week
	}
	return BGNBD{R: .5, Alpha: max(weeks, 1), A: 1, B: 1}
}

// alike is from where on a shape means that buyers do not differ: a Gamma of this
// shape spreads by 3 % around its mean.
const alike = 1000
