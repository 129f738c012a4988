package value

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// History is what is known of all buyers who share it.
type History struct {
	Repeat int     `json:"repeat"` // days with an order after the first one: x
	Last   int     `json:"last"`   // days from the first order to the last one: t_x; 0 without repeat
	Age    int     `json:"age"`    // days from the first order to as of: T
	Weight float64 `json:"weight"` // how many buyers have it
}

// week is the days of the published time unit.
const week = 7.0

// fault says what is impossible about a history, or "".
func (h History) fault() string {
	switch {
	case h.Repeat < 0 || h.Last < 0 || h.Age < 0:
		return "a count below 0"
	case h.Last > h.Age:
		return "the last order after as of"
	case h.Repeat > h.Last:
		return "more repeat days than days"
	case h.Repeat == 0 && h.Last > 0:
		return "a last order but no repeat"
	case math.IsNaN(h.Weight) || math.IsInf(h.Weight, 0) || h.Weight < 0:
		return "a weight that counts nobody"
	}
	return ""
}

// grouped sorts histories and adds up equal ones, so that neither their order nor
// how they were grouped can change a sum. Weights of 0 are left out.
func grouped(histories []History) ([]History, error) {
	sorted := slices.Clone(histories)
	for i, h := range sorted {
		if fault := h.fault(); fault != "" {
			return nil, fmt.Errorf("history %d (%d repeats, last %d, age %d, weight %g) has %s", i, h.Repeat, h.Last, h.Age, h.Weight, fault)
		}
	}
	slices.SortFunc(sorted, func(a, b History) int {
		return cmp.Or(a.Repeat-b.Repeat, a.Last-b.Last, a.Age-b.Age, cmp.Compare(a.Weight, b.Weight))
	})
	var out []History
	for _, h := range sorted {
		if n := len(out); n > 0 && out[n-1].same(h) {
			out[n-1].Weight += h.Weight
		} else if h.Weight > 0 {
			out = append(out, h)
		}
	}
	return out, nil
}

func (h History) same(o History) bool {
	return h.Repeat == o.Repeat && h.Last == o.Last && h.Age == o.Age
}
