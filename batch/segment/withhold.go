package segment

import (
	"cmp"
	"slices"
)

// enough gives a number of persons, or nothing if it is between none and k.
func (n *night) enough(count int64) *int64 {
	if count > 0 && count < int64(n.k) {
		return nil
	}
	return &count
}

// withhold gives the numbers of persons in groups that do not overlap and whose sum
// is told, or may be: none under k, and no sum of the untold under k either, for
// whoever knows the total knows that sum. Where it would be, the smallest told group
// is left out with them.
func (n *night) withhold(counts []int64) []*int64 {
	out, hidden := make([]*int64, len(counts)), int64(0)
	for i, c := range counts {
		if out[i] = n.enough(c); out[i] == nil {
			hidden += c
		}
	}
	for hidden > 0 && hidden < int64(n.k) {
		i := smallest(out)
		if i < 0 {
			break
		}
		hidden += *out[i]
		out[i] = nil
	}
	return out
}

// smallest is the place of the least number above zero, -1 if there is none.
func smallest(counts []*int64) int {
	places := []int{}
	for i, c := range counts {
		if c != nil && *c > 0 {
			places = append(places, i)
		}
	}
	if len(places) == 0 {
		return -1
	}
	return slices.MinFunc(places, func(a, b int) int { return cmp.Or(cmp.Compare(*counts[a], *counts[b]), cmp.Compare(a, b)) })
}

// apart gives numbers of persons of which one group may hold another: of two that
// differ by fewer than k the smaller is left out, for their difference would be a
// group under k (EXP-07). Equal numbers stay. The first is the last to go.
func (n *night) apart(counts ...int64) []*int64 {
	out := make([]*int64, len(counts))
	for i, c := range counts {
		told := n.enough(c)
		for _, before := range out[:i] {
			if told != nil && before != nil && Isolates(*told, *before, int64(n.k)) {
				told = nil
			}
		}
		out[i] = told
	}
	return out
}
