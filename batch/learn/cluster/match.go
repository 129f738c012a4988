package cluster

import (
	"math"
	"math/bits"
)

// most centres that Match can pair.
const mostMatched = 12

// fresh is what it costs to give a label that nobody had to a centre: as much as two
// spreads in each of three dimensions.
const fresh = 12

// Match names centres as those of last time were named: centre i of is gets label
// out[i], from 0, of the centre of was that it moved from, so that the sum of squared
// distances is least; the first such naming in the order of labels. was may lack
// centres (nil): their labels go to whoever is far from the others. Labels are a
// permutation of 0 to len(is)-1; beyond 12 centres, or without was, the order given.
func Match(was, is [][]float64) []int {
	k := len(is)
	out := make([]int, k)
	for i := range out {
		out[i] = i
	}
	if k == 0 || k > mostMatched {
		return out
	}
	cost := func(i, label int) float64 {
		if label >= len(was) || was[label] == nil {
			return fresh
		}
		return distance(is[i], was[label])
	}
	// least[used] is the lowest cost of naming the first so many centres with the labels
	// in used; took[used] is the label of the last of them.
	least, took := make([]float64, 1<<k), make([]int, 1<<k)
	for used := 1; used < 1<<k; used++ {
		least[used] = math.Inf(1)
		last := bits.OnesCount(uint(used)) - 1
		for label := k - 1; label >= 0; label-- {
			if used&(1<<label) == 0 {
				continue
			}
			if c := least[used&^(1<<label)] + cost(last, label); c < least[used] {
				least[used], took[used] = c, label
			}
		}
	}
	for i, used := k-1, 1<<k-1; i >= 0; i-- {
		out[i] = took[used]
		used &^= 1 << took[used]
	}
	return out
}
