package value

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mathext"
)

// Spend is the mean value of the orders of all buyers who share it.
type Spend struct {
	Orders int     `json:"orders"` // over how many orders the mean is taken: x
	Cents  float64 `json:"cents"`  // mean cents of an order: z̄
	Weight float64 `json:"weight"` // how many buyers have it
}

// GammaGamma is a fitted Gamma-Gamma model of spend: an order's value is
// Gamma(p, ν) with a ν of the buyer's own, spread over buyers as Gamma(q, γ). γ is
// in units of 100 cents, as published; q is above 1, so that means exist.
type GammaGamma struct {
	P     float64 `json:"p"`
	Q     float64 `json:"q"`
	Gamma float64 `json:"gamma"`
}

// LogLikelihood sums over all buyers (note 025, eq. 1a).
func (m GammaGamma) LogLikelihood(spends []Spend) float64 {
	sum := 0.0
	for _, s := range spends {
		sum += s.Weight * m.at(s).value
	}
	return sum
}

type spendSlope struct{ value, byP, byQ, byGamma float64 }

func (m GammaGamma) at(s Spend) spendSlope {
	x, z := float64(s.Orders), s.Cents/100
	px, total := m.P*x, m.Gamma+x*z
	top, _ := math.Lgamma(px + m.Q)
	low, _ := math.Lgamma(px)
	q, _ := math.Lgamma(m.Q)
	psi := mathext.Digamma(px + m.Q)
	return spendSlope{
		value:   top - low - q + m.Q*math.Log(m.Gamma) + (px-1)*math.Log(z) + px*math.Log(x) - (px+m.Q)*math.Log(total),
		byP:     x * (psi - mathext.Digamma(px) + math.Log(z) + math.Log(x) - math.Log(total)),
		byQ:     psi - mathext.Digamma(m.Q) + math.Log(m.Gamma) - math.Log(total),
		byGamma: m.Q/m.Gamma - (px+m.Q)/total,
	}
}

// Mean is the expected cents of a buyer's next order (note 025, eq. 5): their own
// mean and everybody's, the nearer to their own the more orders it is taken over.
func (m GammaGamma) Mean(s Spend) float64 {
	if s.Orders <= 0 || !(s.Cents > 0) {
		return 100 * m.P * m.Gamma / (m.Q - 1)
	}
	x := float64(s.Orders)
	return 100 * m.P * (m.Gamma + x*s.Cents/100) / (m.P*x + m.Q - 1)
}

// fitSpend gives the Gamma-Gamma parameters of greatest likelihood. Buyers without
// orders or whose orders were worth nothing tell nothing and are left out.
func fitSpend(spends []Spend) (GammaGamma, []Flag, error) {
	sorted, weight, mean, err := sortedSpends(spends)
	if err != nil || len(sorted) == 0 {
		return GammaGamma{}, []Flag{NoSpend}, err
	}
	starts := [][]float64{{6, 3, mean * 3 / 6}, {1, 1, mean}, {20, 10, mean / 2}}
	found := spendObjective(sorted, weight).search(starts)
	if found.params == nil {
		return GammaGamma{P: 1, Q: 2, Gamma: mean}, []Flag{NotConverged}, nil
	}
	m := GammaGamma{P: found.params[0], Q: 1 + found.params[1], Gamma: found.params[2]}
	var flags []Flag
	if !found.ended {
		flags = append(flags, NotConverged)
	}
	if m.P > alike || m.Q > alike || m.P < 2*lowest || m.Q-1 < 2*lowest || m.Gamma < 2*lowest {
		flags = append(flags, SpendAlike)
	}
	return m, flags, nil
}

// sortedSpends gives the spends that tell something in an order of their own, how
// many buyers they are, and their mean in units of 100 cents.
func sortedSpends(spends []Spend) (sorted []Spend, weight, mean float64, err error) {
	for i, s := range spends {
		if s.Orders < 0 || !(s.Cents >= 0) || math.IsInf(s.Cents, 0) || !(s.Weight >= 0) || math.IsInf(s.Weight, 0) {
			return nil, 0, 0, fmt.Errorf("spend %d (%d orders, %g cents, weight %g) has a number below 0 or none at all", i, s.Orders, s.Cents, s.Weight)
		}
		if s.Orders > 0 && s.Cents > 0 && s.Weight > 0 {
			sorted = append(sorted, s)
		}
	}
	slices.SortFunc(sorted, func(a, b Spend) int {
		return cmp.Or(a.Orders-b.Orders, cmp.Compare(a.Cents, b.Cents), cmp.Compare(a.Weight, b.Weight))
	})
	for _, s := range sorted {
		weight, mean = weight+s.Weight, mean+s.Weight*s.Cents/100
	}
	return sorted, weight, mean / max(weight, 1e-300), nil
}

// spendObjective is minus the mean log-likelihood by ln p, ln (q−1), ln γ.
func spendObjective(spends []Spend, weight float64) objective {
	return func(logs, grad []float64) float64 {
		m := GammaGamma{P: math.Exp(logs[0]), Q: 1 + math.Exp(logs[1]), Gamma: math.Exp(logs[2])}
		var v, byP, byQ, byGamma float64
		for _, s := range spends {
			d, w := m.at(s), s.Weight/weight
			v, byP, byQ, byGamma = v+w*d.value, byP+w*d.byP, byQ+w*d.byQ, byGamma+w*d.byGamma
		}
		if grad != nil {
			grad[0], grad[1], grad[2] = -byP*m.P, -byQ*(m.Q-1), -byGamma*m.Gamma
		}
		return -v
	}
}
