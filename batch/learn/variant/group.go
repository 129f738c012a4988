package variant

import (
	"cmp"
	"maps"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// group is one segment's figures, by index of the variant in the slot.
type group struct {
	segment string
	n       []float64 // units
	persons []int64
	sum     []float64
	squares []float64
	strata  map[string]*share // by day and eligible variants
}

// share is what one stratum has in a group: units and sum by variant.
type share struct{ n, sum []float64 }

// groups adds cells up by segment, "" first. Cells of fewer than k persons go to the cell of
// the same variant for everybody; what is too small there too is left out.
func groups(slot Slot, cells []Cell, k int64) []*group {
	at := map[string]int{}
	for i, v := range slot.Variants {
		at[v.ID] = i
	}
	persons := map[[2]string]int64{}
	for _, c := range cells {
		persons[[2]string{c.Segment, c.Variant}] += c.Persons
	}
	home, everybody := map[[2]string]string{}, map[string]int64{}
	for key, n := range persons {
		if home[key] = key[0]; n < k {
			home[key] = ""
		}
		if home[key] == "" {
			everybody[key[1]] += n
		}
	}
	by := map[string]*group{"": newGroup("", len(slot.Variants))}
	for _, c := range cells {
		segment := home[[2]string{c.Segment, c.Variant}]
		if c.N == 0 || segment == "" && everybody[c.Variant] < k {
			continue
		}
		if by[segment] == nil {
			by[segment] = newGroup(segment, len(slot.Variants))
		}
		by[segment].add(at[c.Variant], c)
	}
	return slices.SortedFunc(maps.Values(by), func(a, b *group) int { return cmp.Compare(a.segment, b.segment) })
}

func newGroup(segment string, variants int) *group {
	return &group{
		segment: segment, n: make([]float64, variants), persons: make([]int64, variants),
		sum: make([]float64, variants), squares: make([]float64, variants), strata: map[string]*share{},
	}
}

func (g *group) add(i int, c Cell) {
	g.n[i] += float64(c.N)
	g.persons[i] += c.Persons
	g.sum[i] += c.Reward.Sum
	g.squares[i] += c.Reward.Squares
	p := g.strata[c.stratum()]
	if p == nil {
		p = &share{make([]float64, len(g.n)), make([]float64, len(g.n))}
		g.strata[c.stratum()] = p
	}
	p.n[i] += float64(c.N)
	p.sum[i] += c.Reward.Sum
}

// within is the sum of squares of units around the means of their cells, and its degrees
// of freedom.
func (g *group) within() (squares, degrees float64) {
	for i, n := range g.n {
		if n > 1 {
			squares += max(0, g.squares[i]-g.sum[i]*g.sum[i]/n)
			degrees += n - 1
		}
	}
	return squares, degrees
}

// kernels say which variants share an effect: for each factor, two variants with the same
// level; and at last every variant alone.
func kernels(slot Slot) (names []string, out []*mat.SymDense) {
	n := len(slot.Variants)
	factors := map[string]bool{}
	for _, v := range slot.Variants {
		for f := range v.Factors {
			factors[f] = true
		}
	}
	for _, f := range slices.Sorted(maps.Keys(factors)) {
		names, out = append(names, f), append(out, sameLevel(slot, f))
	}
	alone := mat.NewSymDense(n, nil)
	for i := range n {
		alone.SetSym(i, i, 1)
	}
	return append(names, "variant"), append(out, alone)
}

func sameLevel(slot Slot, factor string) *mat.SymDense {
	k := mat.NewSymDense(len(slot.Variants), nil)
	for i, a := range slot.Variants {
		for j, b := range slot.Variants[:i+1] {
			x, has := a.Factors[factor]
			y, too := b.Factors[factor]
			if has && too && x == y {
				k.SetSym(i, j, 1)
			}
		}
	}
	return k
}
