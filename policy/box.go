package policy

import (
	"encoding/binary"
	"math/bits"
	"slices"
	"strings"
)

// boxDims are the circumstances of a box: all of a case but kind, purpose and state.
var boxDims = caseDims[1:]

// Box is a set of circumstances: of each fact one of these values.
type Box [len(caseDims) - 1]uint8

// boxCases is how many circumstances there are.
var boxCases = func() int {
	n := 1
	for _, d := range boxDims {
		n *= len(d.values)
	}
	return n
}()

// has reports whether the circumstances with this number lie in the box.
func (b Box) has(cell int) bool {
	for d := len(boxDims) - 1; d >= 0; d-- {
		size := len(boxDims[d].values)
		if b[d]>>(cell%size)&1 == 0 {
			return false
		}
		cell /= size
	}
	return true
}

// Cases is how many circumstances lie in the box.
func (b Box) Cases() int {
	n := 1
	for _, values := range b {
		n *= bits.OnesCount8(values)
	}
	return n
}

// Facts gives the values of each fact, by its name; a fact of which every value is
// in the box has none.
func (b Box) Facts() map[string][]string {
	out := map[string][]string{}
	for d, values := range b {
		if bits.OnesCount8(values) == len(boxDims[d].values) {
			continue
		}
		for i, v := range boxDims[d].values {
			if values>>i&1 == 1 {
				out[boxDims[d].name] = append(out[boxDims[d].name], strings.Trim(v.String(), `"`))
			}
		}
	}
	return out
}

// BoxFacts names the facts of a box, in order.
func BoxFacts() (names []string) {
	for _, d := range boxDims {
		names = append(names, d.name)
	}
	return names
}

// labelled is a box whose circumstances share a label.
type labelled struct {
	box   Box
	label int
}

// boxes lays the cells into few disjoint boxes by label; a negative label is left
// out. known remembers what was laid before.
func boxes(known map[string][]labelled, cells []uint32, label func(uint32) int) []labelled {
	labels, key := make([]int, len(cells)), make([]byte, 0, 4*len(cells))
	for i, c := range cells {
		labels[i] = label(c)
		key = binary.LittleEndian.AppendUint32(key, uint32(int32(labels[i])))
	}
	if out, ok := known[string(key)]; ok {
		return out
	}
	var best []labelled
	for i, order := range orders {
		laid := lay(labels, order, Box{}, 0)
		if i == 0 || len(laid) < len(best) {
			best = laid
		}
	}
	known[string(key)] = best
	return best
}

// orders are all orders of a box's facts: which one comes out shortest depends on
// the rules.
var orders = func() (out [][]int) {
	var next func(so []int, left []int)
	next = func(so, left []int) {
		if len(left) == 0 {
			out = append(out, slices.Clone(so))
		}
		for i, d := range left {
			next(append(slices.Clone(so), d), slices.Concat(left[:i], left[i+1:]))
		}
	}
	all := make([]int, len(boxDims))
	for i := range all {
		all[i] = i
	}
	next(nil, all)
	return out
}()

// stride is how far apart two neighbours of a fact are.
func stride(d int) int {
	n := 1
	for _, x := range boxDims[d+1:] {
		n *= len(x.values)
	}
	return n
}

// lay splits by the first fact of the order: values whose cells are alike stay
// together, and each such group is split by the rest.
func lay(labels []int, order []int, b Box, at int) (out []labelled) {
	if len(order) == 0 {
		if labels[at] < 0 {
			return nil
		}
		return []labelled{{b, labels[at]}}
	}
	d := order[0]
	for _, values := range together(len(boxDims[d].values), func(i int) string { return cube(nil, labels, order[1:], at+i*stride(d)) }) {
		b[d] = 0
		for _, i := range values {
			b[d] |= 1 << i
		}
		out = append(out, lay(labels, order[1:], b, at+values[0]*stride(d))...)
	}
	return out
}

// cube is the signature of the cells that lie beyond a place.
func cube(sign []byte, labels []int, order []int, at int) string {
	return string(appendCube(sign, labels, order, at))
}

func appendCube(sign []byte, labels []int, order []int, at int) []byte {
	if len(order) == 0 {
		return binary.LittleEndian.AppendUint32(sign, uint32(int32(labels[at])))
	}
	for i := range boxDims[order[0]].values {
		sign = appendCube(sign, labels, order[1:], at+i*stride(order[0]))
	}
	return sign
}
