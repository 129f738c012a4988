package uplift

// node is a question of a tree, or a leaf where feature is below 0. value is the mean
// of what was learned from in it, drawn to 0; a leaf's is its answer.
type node struct {
	feature     int
	bin         uint8 // goes left: at most this bin
	left, right int32
	value       float64
}

type tree []node

// leaf finds the answer for a binned row.
func (t tree) at(bins [][]uint8, row int32) float64 {
	n := &t[0]
	for n.feature >= 0 {
		if bins[n.feature][row] <= n.bin {
			n = &t[n.left]
		} else {
			n = &t[n.right]
		}
	}
	return n.value
}

// drawn is a row that a tree is grown on.
type drawn struct {
	row    int32
	rest   float64 // what is left to explain, times weight
	weight float64
}

// grower grows one tree.
type grower struct {
	form     Form
	bins     [][]uint8 // by feature, by row
	features []int     // that this tree may ask about
	tree     tree
}

// grow adds the node of rows and everything below, and says where it is. It reorders rows.
func (g *grower) grow(rows []drawn, depth int) int32 {
	sum, weight := 0.0, 0.0
	for _, r := range rows {
		sum, weight = sum+r.rest, weight+r.weight
	}
	at := int32(len(g.tree))
	g.tree = append(g.tree, node{feature: -1, value: sum / (weight + g.form.Penalty)})
	if depth == 0 || len(rows) < 2*g.form.Leaf {
		return at
	}
	feature, bin := g.best(rows, sum, weight)
	if feature < 0 {
		return at
	}
	cut := g.part(rows, feature, bin)
	left := g.grow(rows[:cut], depth-1)
	right := g.grow(rows[cut:], depth-1)
	n := &g.tree[at]
	n.feature, n.bin, n.left, n.right = feature, bin, left, right
	return at
}

// best is the question that explains most, by the penalised squares that it takes away
// (Chen, Guestrin, KDD 2016, eq. 7); −1 if none does.
func (g *grower) best(rows []drawn, sum, weight float64) (feature int, bin uint8) {
	feature = -1
	penalty := g.form.Penalty
	most := sum * sum / (weight + penalty)
	for _, f := range g.features {
		var h histogram
		h.fill(rows, g.bins[f])
		left, below, n := 0.0, 0.0, 0
		for b := range maxBins - 1 {
			left, below, n = left+h[b].sum, below+h[b].weight, n+h[b].rows
			if h[b].rows == 0 || n < g.form.Leaf {
				continue
			}
			if len(rows)-n < g.form.Leaf {
				break
			}
			if gain := left*left/(below+penalty) + (sum-left)*(sum-left)/(weight-below+penalty); gain > most {
				most, feature, bin = gain, f, uint8(b)
			}
		}
	}
	return feature, bin
}

// histogram is what the rows of a node hold, by bin of one feature.
type histogram [maxBins]struct {
	sum, weight float64
	rows        int
}

func (h *histogram) fill(rows []drawn, bin []uint8) {
	for k := range rows {
		r := &rows[k]
		c := &h[bin[r.row]%maxBins]
		c.sum += r.rest
		c.weight += r.weight
		c.rows++
	}
}

// part moves the rows that go left to the front and says how many they are. Both sides
// keep no particular order, but always the same one.
func (g *grower) part(rows []drawn, feature int, bin uint8) int {
	of, cut := g.bins[feature], 0
	for k := range rows {
		if of[rows[k].row] <= bin {
			rows[k], rows[cut] = rows[cut], rows[k]
			cut++
		}
	}
	return cut
}
