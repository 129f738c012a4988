package cluster

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// Points are rows of Dim numbers each, one after the other: len(Values) is a
// multiple of Dim.
type Points struct {
	Dim    int
	Values []float64
}

// Len is the number of rows.
func (p Points) Len() int { return len(p.Values) / p.Dim }

// At is row i; it shares memory.
func (p Points) At(i int) []float64 { return p.Values[i*p.Dim : (i+1)*p.Dim] }

// Log gives the natural logarithm of one more than each number, which must be
// above -1: what RFM counts are measured by, since they are spread over decades.
func (p Points) Log() Points {
	out := Points{p.Dim, make([]float64, len(p.Values))}
	for i, v := range p.Values {
		out.Values[i] = math.Log1p(v)
	}
	return out
}

// Scale is the mean and the standard deviation (over n, not n-1) of each dimension.
type Scale struct{ Mean, Spread []float64 }

// Apply gives a row in standard units; a dimension in which all rows agree is 0.
func (s Scale) Apply(row []float64) []float64 {
	out := make([]float64, len(row))
	for j, v := range row {
		if s.Spread[j] > 0 {
			out[j] = (v - s.Mean[j]) / s.Spread[j]
		}
	}
	return out
}

// Undo gives a centre in the units of the rows.
func (s Scale) Undo(centre []float64) []float64 {
	out := make([]float64, len(centre))
	for j, v := range centre {
		out[j] = s.Mean[j] + float64(v*s.Spread[j])
	}
	return out
}

// Distinct is how many rows differ from each other.
func (p Points) Distinct() int {
	rows, _, _ := p.distinct()
	return rows.Len()
}

// check refuses what no group can be found in.
func (p Points) check() error {
	if p.Dim < 1 || len(p.Values)%p.Dim != 0 {
		return fmt.Errorf("clustering: %d numbers are no rows of %d", len(p.Values), p.Dim)
	}
	for i, v := range p.Values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("clustering: row %d, column %d is %g, not a number to measure by", i+1, i%p.Dim+1, v)
		}
	}
	return nil
}

// distinct is the rows in order, each once, with how often it occurs, and for each
// row of p its place among them. Equal rows are one, so no order of p is left.
func (p Points) distinct() (rows Points, weight []float64, at []int32) {
	order := make([]int32, p.Len())
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int { return compare(p.At(int(a)), p.At(int(b))) })
	rows, at = Points{Dim: p.Dim}, make([]int32, p.Len())
	for n, i := range order {
		if n == 0 || compare(p.At(int(order[n-1])), p.At(int(i))) != 0 {
			rows.Values = append(rows.Values, p.At(int(i))...)
			weight = append(weight, 0)
		}
		weight[len(weight)-1]++
		at[i] = int32(len(weight) - 1)
	}
	return rows, weight, at
}

func compare(a, b []float64) int { return slices.CompareFunc(a, b, cmp.Compare[float64]) }

// standardise brings rows to mean 0 and spread 1, each counted as often as it weighs.
func (p Points) standardise(weight []float64) (Points, Scale) {
	s := Scale{make([]float64, p.Dim), make([]float64, p.Dim)}
	var total float64
	for i, w := range weight {
		total += w
		for j, v := range p.At(i) {
			s.Mean[j] += float64(w * v)
		}
	}
	for j := range s.Mean {
		s.Mean[j] /= total
	}
	for i, w := range weight {
		for j, v := range p.At(i) {
			s.Spread[j] += float64(w * float64((v-s.Mean[j])*(v-s.Mean[j])))
		}
	}
	for j := range s.Spread {
		s.Spread[j] = math.Sqrt(s.Spread[j] / total)
	}
	out := Points{p.Dim, make([]float64, len(p.Values))}
	for i := range weight {
		copy(out.At(i), s.Apply(p.At(i)))
	}
	return out, s
}
