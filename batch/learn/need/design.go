package need

// design is rows in bins. The columns of the model are: one for all rows, then for
// each ordered feature one per bin but the first (1 from that bin on), for each named
// one per name; a pair has the products of those of its sides.
type design struct {
	axes     []axis
	first    []int // column before which a feature's bins begin: bin b is first+b in onehot
	size     int   // bins of all features
	bins     [][]uint16
	y        []bool
	w        []float64
	patterns *patterns // of a design that is fitted: solve makes them
}

func newDesign(rows []Row, as []axis) *design {
	d := &design{axes: as, y: make([]bool, len(rows)), w: make([]float64, len(rows)), bins: make([][]uint16, len(rows))}
	for _, a := range as {
		d.first = append(d.first, d.size)
		d.size += a.bins()
	}
	flat := make([]uint16, len(rows)*len(as))
	for i, r := range rows {
		d.y[i], d.w[i], d.bins[i] = r.Y, r.weight(), flat[i*len(as):(i+1)*len(as)]
		for j, a := range as {
			d.bins[i][j] = uint16(d.first[j] + a.bin(r.X))
		}
	}
	return d
}

// effects turns coefficients into the log odds of each bin, in the order of bins.
// Coefficient 0 is that of all rows; that of a bin has its place one later.
func (d *design) effects(beta []float64) []float64 {
	out := append([]float64(nil), beta[1:]...)
	for j, a := range d.axes {
		own := out[d.first[j]:]
		a.grid().steps(true, func(bin, before int) { own[bin] += own[before] })
	}
	return out
}

// logOdds adds up a row's effects.
func logOdds(base float64, effects []float64, bins []uint16) float64 {
	for _, k := range bins {
		base += effects[k]
	}
	return base
}

// suffix turns counts of bins into those of steps: a step's are of all bins from it on.
func (d *design) suffix(g [][]float64, c []float64) {
	for j, a := range d.axes {
		at := 1 + d.first[j]
		a.grid().steps(false, func(bin, before int) {
			from, to := at+bin, at+before
			c[to] += c[from]
			for l := range g {
				g[to][l] += g[from][l]
			}
			for l := range g {
				g[l][to] += g[l][from]
			}
		})
	}
}
