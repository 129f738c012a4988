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

// grower grows one tree on the rows that were drawn for it.
type grower struct {
	form     Form
	bins     [][]uint8 // by feature, by row
	rest     []float64 // what is left to explain, by row
	weight   []float64 // by row
	features []int     // that this tree may ask about
	tree     tree
}

// grow adds the node of rows and everything below, and says where it is. It reorders rows.
func (g *grower) grow(rows []int32, depth int) int32 {
	sum, weight := 0.0, 0.0
	for _, i := range rows {
		sum, weight = sum+g.weight[i]*g.rest[i], weight+g.weight[i]
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
func (g *grower) best(rows []int32, sum, weight float64) (feature int, bin uint8) {
	feature = -1
	most := sum * sum / (weight + g.form.Penalty)
	for _, f := range g.features {
		var h histogram
		h.fill(rows, g.bins[f], g.rest, g.weight)
		left, below, n := 0.0, 0.0, 0
		for b := range maxBins - 1 {
			left, below, n = left+h[b].sum, below+h[b].weight, n+h[b].rows
			if h[b].rows == 0 || n < g.form.Leaf {
				continue
			}
			if len(rows)-n < g.form.Leaf {
				break
			}
			gain := left*left/(below+g.form.Penalty) + (sum-left)*(sum-left)/(weight-below+g.form.Penalty)
			if gain > most {
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

func (h *histogram) fill(rows []int32, bin []uint8, rest, weight []float64) {
	for _, i := range rows {
		c := &h[bin[i]%maxBins]
		c.sum += weight[i] * rest[i]
		c.weight += weight[i]
		c.rows++
	}
}

// part moves the rows that go left to the front and says how many they are. Both sides
// keep no particular order, but always the same one.
func (g *grower) part(rows []int32, feature int, bin uint8) int {
	of, cut := g.bins[feature], 0
	for k, i := range rows {
		if of[i] <= bin {
			rows[k], rows[cut] = rows[cut], i
			cut++
		}
	}
	return cut
}
