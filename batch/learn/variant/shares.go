package variant

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/handschlag/handschlag/batch/learn"
)

// Weights gives each segment with an estimate of its own the shares of the slot's variants
// in parts per million: the probability of being the best (Thompson, Biometrika 25, 1933),
// by joint draws from the posterior, but never less than the floor; what the floor takes is
// taken from those above it, in proportion. Variants in vetoed, which may be nil, get the
// floor. Shares sum to exactly 1,000,000: what decide.Weights holds for one slot. An error
// means that there is no room for the floors.
//
// A visitor who may not see all variants gets the shares of those left, in proportion.
func (p Posterior) Weights(floorPPM int64, vetoed map[string]bool) (map[string]map[string]int64, error) {
	n := int64(len(p.slot.Variants))
	if floorPPM < 0 || n*floorPPM > learn.Million {
		return nil, fmt.Errorf("slot %q: %d variants cannot each have %d ppm", p.slot.Name, n, floorPPM)
	}
	out := map[string]map[string]int64{}
	for _, g := range p.groups {
		shares := above(floorPPM, p.wins(g, vetoed))
		out[g.segment] = map[string]int64{}
		for i, v := range p.slot.Variants {
			out[g.segment][v.ID] = shares[i]
		}
	}
	return out, nil
}

// above shares a million in proportion to counts, nobody under the floor.
func above(floor int64, counts []int64) []int64 {
	raised := make([]bool, len(counts))
	for {
		free, left := slices.Clone(counts), int64(learn.Million)
		for i := range free {
			if raised[i] {
				free[i], left = 0, left-floor
			}
		}
		out, again := apportion(free, left), false
		for i := range out {
			switch {
			case raised[i]:
				out[i] += floor
			case out[i] < floor:
				raised[i], again = true, true
			}
		}
		if !again {
			return out
		}
	}
}

// Best gives the probability of each variant being the best one for a segment.
func (p Posterior) Best(segment string) map[string]float64 {
	wins, out := p.wins(p.of(segment), nil), map[string]float64{}
	for i, v := range p.slot.Variants {
		out[v.ID] = float64(wins[i]) / float64(p.options.Draws)
	}
	return out
}

// wins counts in how many draws each variant was the best; vetoed ones never are, unless
// all of them are vetoed: then none is.
func (p Posterior) wins(g posted, vetoed map[string]bool) []int64 {
	wins := make([]int64, len(g.mean))
	out := make([]bool, len(g.mean))
	for i, v := range p.slot.Variants {
		out[i] = vetoed[v.ID]
	}
	g.draw(p.options, func(x []float64) {
		best := -1
		for i, v := range x {
			if !out[i] && (best < 0 || v > x[best]) {
				best = i
			}
		}
		if best >= 0 {
			wins[best]++
		}
	})
	return wins
}

// apportion shares whole parts in proportion to counts, by largest remainder; earlier ones
// get what is even. Counts of nothing but 0 share alike.
func apportion(counts []int64, parts int64) []int64 {
	sum := int64(0)
	for _, c := range counts {
		sum += c
	}
	if sum == 0 {
		counts, sum = slices.Repeat([]int64{1}, len(counts)), int64(len(counts))
	}
	out, order, left := make([]int64, len(counts)), make([]int, len(counts)), parts
	for i, c := range counts {
		out[i], order[i] = c*parts/sum, i
		left -= out[i]
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(counts[b]*parts%sum, counts[a]*parts%sum) })
	for _, i := range order[:left] {
		out[i]++
	}
	return out
}
