package value

import (
	"math"
	"slices"
)

// fitSlowing gives the parameters of greatest likelihood of grouped trails, from the
// BG/NBD fit of the same buyers.
func fitSlowing(trails []Trail, from BGNBD) (Slowing, []Flag) {
	weight := 0.0
	for _, t := range trails {
		weight += t.Weight
	}
	found := slowingObjective(trails, weight).search([][]float64{
		{from.R, from.Alpha, from.A, from.B, 1, 50}, {from.R, from.Alpha, 1, 1.5, .3, 10},
	})
	if found.params == nil {
		return Slowing{BGNBD: from, S: lowest, Beta: 1}, []Flag{NotConverged}
	}
	p := found.params
	m := Slowing{BGNBD: BGNBD{R: p[0], Alpha: p[1], A: p[2], B: p[3]}, S: p[4], Beta: p[5]}
	flags := m.flags(found.ended)
	if m.S < 2*lowest || m.S/m.Beta < 1e-5 {
		flags = append(flags, NobodyReturns)
	}
	return m, flags
}

// slowingObjective is minus the mean log-likelihood by the logarithms of r, α, a, b,
// s and β; its derivatives are differences.
func slowingObjective(trails []Trail, weight float64) objective {
	at := func(l []float64) float64 {
		m := Slowing{BGNBD: BGNBD{R: math.Exp(l[0]), Alpha: math.Exp(l[1]), A: math.Exp(l[2]), B: math.Exp(l[3])}, S: math.Exp(l[4]), Beta: math.Exp(l[5])}
		return -m.LogLikelihood(trails) / weight
	}
	return func(logs, grad []float64) float64 {
		for i := range grad {
			up, down := slices.Clone(logs), slices.Clone(logs)
			up[i], down[i] = up[i]+1e-5, down[i]-1e-5
			grad[i] = (at(up) - at(down)) / 2e-5
		}
		return at(logs)
	}
}
