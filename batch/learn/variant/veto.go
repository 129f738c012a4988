package variant

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/handschlag/handschlag/batch/learn"
)

// Veto keeps a variant at the floor because of a guardrail metric.
type Veto struct {
	Metric  string  `json:"metric"`
	Variant string  `json:"variant"`
	Change  float64 `json:"change"`      // of the metric, against the reference's shares
	P       float64 `json:"probability"` // that it is worse
}

// vetoSure is the probability of harm from which a variant is kept at the floor.
const vetoSure = .975

// vetoes asks of each metric which variants make it worse than the reference's shares do.
func vetoes(slot Slot, cells []Cell, reference map[string]map[string]int64, o Options, rule Rule) ([]Veto, error) {
	var out []Veto
	for _, m := range rule.Guards {
		turned := make([]Cell, len(cells))
		for i, c := range cells {
			c.Reward, c.Guards = c.Guards[m.Name], nil
			turned[i] = c
		}
		p, err := Estimate(slot, turned, o)
		if err != nil {
			return nil, fmt.Errorf("guardrail %q: %w", m.Name, err)
		}
		for i, v := range slot.Variants {
			change, better := p.against("", i, reference[""])
			worse := 1 - better
			if !m.Higher {
				worse = better
			}
			if g := p.of(""); worse >= vetoSure && g.persons[i] >= p.options.K {
				out = append(out, Veto{m.Name, v.ID, change, worse})
			}
		}
	}
	return out, nil
}

// against compares a variant with a mix of all: the difference of their means, and the
// probability that it is above 0.
func (p Posterior) against(segment string, i int, mix map[string]int64) (difference, above float64) {
	g := p.of(segment)
	c := make([]float64, len(g.mean))
	for j, v := range p.slot.Variants {
		c[j] = -float64(mix[v.ID]) / learn.Million
	}
	c[i]++
	variance := 0.0
	for a := range c {
		difference += c[a] * g.mean[a]
		for b := range c {
			variance += c[a] * c[b] * g.cov.At(a, b)
		}
	}
	if variance <= 0 {
		return difference, .5
	}
	return difference, distuv.UnitNormal.CDF(difference / math.Sqrt(variance))
}
