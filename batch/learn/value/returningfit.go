package value

import "math"

// percent scales μ for the search, whose bounds are those of all parameters: down to
// one return in 100,000 weeks.
const percent = 100

// fitReturning gives the parameters of greatest likelihood of grouped trails, from
// the BG/NBD fit of the same buyers.
func fitReturning(trails []Trail, from BGNBD) (Returning, []Flag) {
	weight := 0.0
	for _, t := range trails {
		weight += t.Weight
	}
	found := returningObjective(trails, weight).search([][]float64{
		{from.R, from.Alpha, from.A, from.B, percent * .01},
		{from.R, from.Alpha, 1, 1.5, percent * .05},
	})
	if found.params == nil {
		return Returning{BGNBD: from, Back: lowest / percent}, []Flag{NotConverged}
	}
	p := found.params
	m := Returning{BGNBD: BGNBD{R: p[0], Alpha: p[1], A: p[2], B: p[3]}, Back: p[4] / percent}
	flags := m.flags(found.ended)
	if m.Back < 2*lowest/percent {
		flags = append(flags, NobodyReturns)
	}
	return m, flags
}

// returningObjective is minus the mean log-likelihood by the logarithms of r, α, a,
// b and 100 μ.
func returningObjective(trails []Trail, weight float64) objective {
	return func(logs, grad []float64) float64 {
		m := Returning{BGNBD: BGNBD{R: math.Exp(logs[0]), Alpha: math.Exp(logs[1]), A: math.Exp(logs[2]), B: math.Exp(logs[3])}, Back: math.Exp(logs[4]) / percent}
		var sum slope
		byBack, c := 0.0, pauses{}
		for _, t := range trails {
			c = c.of(m, len(t.Days))
			at := m.at(t, c)
			sum.add(at.slope, t.Weight/weight)
			byBack += t.Weight / weight * at.byBack
		}
		if grad != nil {
			grad[0], grad[1], grad[2], grad[3], grad[4] = -sum.byR*m.R, -sum.byAlpha*m.Alpha, -sum.byA*m.A, -sum.byB*m.B, -byBack*m.Back
		}
		return -sum.value
	}
}
