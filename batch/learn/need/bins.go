package need

import (
	"math"
	"slices"
	"sort"
	"strconv"
)

// cuts gives the lower bounds of all bins but the first: at most most bins, each with
// at least fewest rows, of about the same number of rows. Many rows of one value are a
// bin of their own. values is in rising order.
func cuts(values []float64, most, fewest int) (out []float64) {
	share := max(fewest, (len(values)+most-1)/most)
	start := 0 // of the bin that is filled
	for at := 0; at < len(values); {
		end := at + sort.Search(len(values)-at, func(i int) bool { return values[at+i] > values[at] })
		heavy := end-at >= share // closes the bin before it, if that is large enough
		if heavy && at > start && at-start >= fewest {
			out, start = append(out, between(values[at-1], values[at])), at
		}
		if end-start >= share && len(values)-end >= fewest {
			out, start = append(out, between(values[end-1], values[end])), end
		}
		at = end
	}
	return out
}

// between gives the shortest decimal above low and not above high.
func between(low, high float64) float64 {
	for digits := -18; digits < 18; digits++ {
		unit := math.Pow10(-digits)
		x := math.Floor(high/unit) * unit
		if digits > 0 {
			x = math.Floor(high*math.Pow10(digits)) / math.Pow10(digits)
		}
		if x > low && x <= high {
			return exact(x)
		}
	}
	return high
}

// exact takes away what powers of ten left behind.
func exact(x float64) float64 {
	y, err := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 15, 64), 64)
	if err != nil {
		return x
	}
	return y
}

// axis is a feature with its bins, or a pair of them with a bin for each two.
type axis struct {
	Feature
	of     int       // place of the feature in a row
	cuts   []float64 // of ordered shapes: lower bounds of the bins 1, 2 …
	lowest float64   // smallest value seen
	pair   []axis    // of a pair: its two sides
}

func (a axis) bins() int {
	switch {
	case a.pair != nil:
		return a.pair[0].bins() * a.pair[1].bins()
	case a.Shape == Named:
		return len(a.Levels)
	}
	return len(a.cuts) + 1
}

// grid is the bins of an axis as lines and columns; a single feature has one column.
// Along a stepped side, coefficients are steps between neighbouring bins.
type grid struct {
	lines, columns int
	stepped        [2]bool
}

func (a axis) grid() grid {
	if a.pair == nil {
		return grid{a.bins(), 1, [2]bool{a.Shape != Named, false}}
	}
	return grid{a.pair[0].bins(), a.pair[1].bins(), [2]bool{a.pair[0].Shape != Named, a.pair[1].Shape != Named}}
}

// first reports whether a bin is where a stepped side begins: nothing steps there.
func (g grid) first(bin int) bool {
	return g.stepped[0] && bin/g.columns == 0 || g.stepped[1] && bin%g.columns == 0
}

// steps visits bins from the last on, each with the neighbour before it, along each
// stepped side in turn; forwards, from the first on.
func (g grid) steps(forwards bool, visit func(bin, before int)) {
	for side, by := range [2]int{g.columns, 1} {
		if !g.stepped[side] {
			continue
		}
		for n := range g.lines * g.columns {
			bin := n
			if !forwards {
				bin = g.lines*g.columns - 1 - n
			}
			if side == 0 && bin >= g.columns || side == 1 && bin%g.columns > 0 {
				visit(bin, bin-by)
			}
		}
	}
}

// bin gives the bin of a row. A name that no fit saw counts as the first.
func (a axis) bin(x []float64) int {
	if a.pair != nil {
		return a.pair[0].bin(x)*a.pair[1].bins() + a.pair[1].bin(x)
	}
	v := x[a.of]
	if a.Shape == Named {
		if v < 0 || v >= float64(len(a.Levels)) {
			return 0
		}
		return int(v)
	}
	i, begins := slices.BinarySearch(a.cuts, v)
	if begins {
		i++
	}
	return i
}

// axes cuts every feature by the values of rows.
func axes(rows []Row, specs []Feature, most, fewest int) []axis {
	return cut(sorted(rows, specs), specs, most, fewest)
}

// sorted gives the values of every ordered feature in rising order.
func sorted(rows []Row, specs []Feature) [][]float64 {
	out := make([][]float64, len(specs))
	for j, f := range specs {
		if f.Shape == Named {
			continue
		}
		out[j] = make([]float64, len(rows))
		for i, r := range rows {
			out[j][i] = r.X[j]
		}
		slices.Sort(out[j])
	}
	return out
}

// cut makes axes of sorted values.
func cut(values [][]float64, specs []Feature, most, fewest int) []axis {
	out := make([]axis, len(specs))
	for j, f := range specs {
		out[j] = axis{Feature: f, of: j}
		if len(values[j]) == 0 {
			continue
		}
		least := fewest
		if f.MinBin > 0 {
			least = f.MinBin
		}
		out[j].lowest, out[j].cuts = values[j][0], cuts(values[j], most, least)
	}
	return out
}
