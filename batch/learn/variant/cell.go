package variant

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Slot is a place for content and what can stand there.
type Slot struct {
	Name     string
	Variants []Variant
}

// Variant is one content and the factors that it is made of, such as headline: season.
type Variant struct {
	ID      string
	Factors map[string]string
}

// Cell adds up logged draws of one variant. A unit is a subject's first draw in the slot in
// the window of the logs, with what followed it: a visitor who keeps a variant counts once,
// so units are independent. Cells of disjoint subjects add up (Merge).
type Cell struct {
	Segment  string   // the first configured segment that the subject was in at the draw, "" for none
	Variant  string   // drawn
	Eligible []string // what could have been drawn, in order; empty: every variant of the slot
	Period   string   // day of the draw; may be empty
	Fold     int      // random part of the subjects, for judging on others than those learned from
	Persons  int64    // distinct subjects
	N        int64    // units
	W, WW    float64  // Σ 1/p, Σ 1/p², p the logged propensity
	Reward   Sums
	Guards   map[string]Sums // guardrail metrics, by name
}

// Sums add up a figure y over units.
type Sums struct {
	Sum, Squares        float64 // Σ y, Σ y²
	WSum, WWSum, WWSqrs float64 // Σ y/p, Σ y/p², Σ y²/p²
}

// Add counts one unit: its propensity (above 0 to 1), its reward and its guardrail metrics.
func (c *Cell) Add(p, reward float64, guards map[string]float64) {
	c.Persons, c.N = c.Persons+1, c.N+1
	c.W, c.WW = c.W+1/p, c.WW+1/(p*p)
	c.Reward.add(p, reward)
	for name, y := range guards {
		if c.Guards == nil {
			c.Guards = map[string]Sums{}
		}
		s := c.Guards[name]
		s.add(p, y)
		c.Guards[name] = s
	}
}

func (s *Sums) add(p, y float64) {
	s.Sum, s.Squares = s.Sum+y, s.Squares+y*y
	s.WSum, s.WWSum, s.WWSqrs = s.WSum+y/p, s.WWSum+y/(p*p), s.WWSqrs+y*y/(p*p)
}

func (s Sums) plus(o Sums) Sums {
	return Sums{s.Sum + o.Sum, s.Squares + o.Squares, s.WSum + o.WSum, s.WWSum + o.WWSum, s.WWSqrs + o.WWSqrs}
}

// key says which cells are one.
func (c Cell) key() string {
	return strings.Join([]string{c.Segment, c.Variant, strings.Join(c.Eligible, ","), c.Period, fmt.Sprint(c.Fold)}, "\x00")
}

// stratum says whose units may be compared without more ado: drawn on one day, of the same
// eligible variants.
func (c Cell) stratum() string { return c.Period + "\x00" + strings.Join(c.Eligible, ",") }

func (c Cell) plus(o Cell) Cell {
	c.Persons, c.N, c.W, c.WW = c.Persons+o.Persons, c.N+o.N, c.W+o.W, c.WW+o.WW
	c.Reward = c.Reward.plus(o.Reward)
	guards := map[string]Sums{}
	for name, s := range c.Guards {
		guards[name] = s
	}
	for name, s := range o.Guards {
		guards[name] = guards[name].plus(s)
	}
	c.Guards = guards
	return c
}

// Merge adds up cells of the same segment, variant, eligible variants, period and fold, in
// an order that does not depend on theirs except in the last bits of the sums.
func Merge(cells ...[]Cell) []Cell {
	return mergeBy(slices.Concat(cells...), Cell.key)
}

func mergeBy(cells []Cell, key func(Cell) string) []Cell {
	at, out := map[string]int{}, []Cell{}
	for _, c := range cells {
		k := key(c)
		if i, ok := at[k]; ok {
			out[i] = out[i].plus(c)
			continue
		}
		at[k] = len(out)
		out = append(out, c.plus(Cell{}))
	}
	slices.SortFunc(out, func(a, b Cell) int { return cmp.Compare(key(a), key(b)) })
	return out
}

// check names the first cell that cannot be true.
func check(slot Slot, cells []Cell) error {
	known := map[string]bool{}
	for _, v := range slot.Variants {
		if known[v.ID] {
			return fmt.Errorf("slot %q: variant %q is named twice", slot.Name, v.ID)
		}
		known[v.ID] = true
	}
	if len(known) == 0 {
		return fmt.Errorf("slot %q has no variants", slot.Name)
	}
	for _, c := range cells {
		bad := ""
		switch {
		case !known[c.Variant]:
			bad = "is not a variant of the slot (leave draws of retired variants out)"
		case c.N < 0 || c.Persons < 0 || c.Persons > c.N:
			bad = fmt.Sprintf("has %d persons in %d units", c.Persons, c.N)
		case c.W < float64(c.N)*(1-1e-9) || c.WW < c.W*(1-1e-9):
			bad = "has inverse propensities below 1"
		case !finite(c.Reward) || math.IsInf(c.WW, 0):
			bad = "has a sum that is not a number"
		}
		for _, s := range c.Guards {
			if bad == "" && !finite(s) {
				bad = "has a guardrail sum that is not a number"
			}
		}
		if bad != "" {
			return fmt.Errorf("slot %q, segment %q, variant %q: the cell %s", slot.Name, c.Segment, c.Variant, bad)
		}
	}
	return nil
}

func finite(s Sums) bool {
	sum := s.Sum + s.Squares + s.WSum + s.WWSum + s.WWSqrs
	return !math.IsNaN(sum) && !math.IsInf(sum, 0)
}
