package need

import (
	"math"
	"slices"
	"testing"

	"github.com/handschlag/handschlag/batch/learn"
	"pgregory.net/rapid"
)

// columns writes out the model's columns, one by one.
func (d *design) columns(i int) []float64 {
	x := make([]float64, d.size+1)
	x[0] = 1
	for j, a := range d.axes {
		g, own := a.grid(), int(d.bins[i][j])-d.first[j]
		for b := range a.bins() {
			match := func(stepped bool, at, of int) bool { return stepped && at >= of || !stepped && at == of }
			if match(g.stepped[0], own/g.columns, b/g.columns) && (g.columns == 1 || match(g.stepped[1], own%g.columns, b%g.columns)) {
				x[1+d.first[j]+b] = 1
			}
		}
	}
	return x
}

func pairedDesign(n int) (*design, []Row) {
	rows, specs := visitors(21, n, 1)
	for i := range rows {
		rows[i].Weight = 1 + float64(i%3)/2
	}
	as := axes(rows, specs, 4, 5)
	as = append(as, axis{Feature: Feature{Name: "searches × channel"}, pair: []axis{as[0], as[3]}}, axis{Feature: Feature{Name: "searches × hour"}, pair: []axis{as[0], as[2]}})
	return newDesign(rows, as), rows
}

// Counted in patterns of bins, and multiplied out row by row and column by column.
func TestTheGramIsThatOfTheColumns(t *testing.T) {
	d, rows := pairedDesign(120)
	draw, beta := learn.NewRandom(1), make([]float64, d.size+1)
	_, sign := d.bounds(penalty{1, 1})
	for k := range beta {
		if sign[k] != zero {
			beta[k] = draw.Normal()
		}
	}
	want, residual, loss := make([][]float64, d.size+1), make([]float64, d.size+1), 0.0
	for k := range want {
		want[k] = make([]float64, d.size+1)
	}
	for i, row := range rows {
		x := d.columns(i)
		odds := dot(x, beta)
		p := sigmoid(odds)
		loss += d.w[i] * surprise(odds, row.Y)
		for k := range x {
			for l := range x {
				want[k][l] += d.w[i] * p * (1 - p) * x[k] * x[l]
			}
			residual[k] += d.w[i] * (one(row.Y) - p) * x[k]
		}
	}
	d.patterns = d.collapse()
	if n := len(d.patterns.all); n >= len(rows) {
		t.Fatalf("%d rows make %d patterns", len(rows), n)
	}
	if got := d.weigh(beta); math.Abs(got-loss) > 1e-9 {
		t.Errorf("the loss is %v, want %v", got, loss)
	}
	g, c := d.gram()
	for k := range g {
		for l := range g[k] {
			if math.Abs(g[k][l]-want[k][l]) > 1e-9 {
				t.Fatalf("G[%d][%d] is %v, want %v", k, l, g[k][l], want[k][l])
			}
		}
		if math.Abs(c[k]-residual[k]) > 1e-9 {
			t.Fatalf("c[%d] is %v, want %v", k, c[k], residual[k])
		}
	}
}

// At the optimum no feasible step of any coefficient lowers the loss: a slow oracle that
// tries them.
func TestNoStepImprovesTheSolution(t *testing.T) {
	d, _ := pairedDesign(600)
	p := penalty{.5, 2}
	beta := d.solve(p, nil)
	ridge, sign := d.bounds(p)
	best := d.loss(beta, ridge)
	for k := range beta {
		for _, by := range []float64{-.01, .01} {
			moved := slices.Clone(beta)
			moved[k] += by
			if sign[k] == zero || sign[k] == up && moved[k] < 0 || sign[k] == down && moved[k] > 0 {
				continue
			}
			if loss := d.loss(moved, ridge); loss < best-1e-6 {
				t.Errorf("coefficient %d moved by %v lowers the loss by %v", k, by, best-loss)
			}
		}
		if sign[k] == up && beta[k] < 0 || sign[k] == down && beta[k] > 0 || sign[k] == zero && beta[k] != 0 {
			t.Errorf("coefficient %d is %v", k, beta[k])
		}
	}
}

// Kept by the conditions of Karush, Kuhn and Tucker on programmes drawn at random.
func TestQuadraticProgrammesAreSolved(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 8).Draw(t, "n")
		a := make([][]float64, n+2)
		for i := range a {
			a[i] = rapid.SliceOfN(rapid.Float64Range(-1, 1), n, n).Draw(t, "row")
		}
		g, c, sign := make([][]float64, n), rapid.SliceOfN(rapid.Float64Range(-2, 2), n, n).Draw(t, "c"), make([]side, n)
		for k := range g {
			g[k], sign[k] = make([]float64, n), side(rapid.IntRange(0, 3).Draw(t, "sign"))
			for l := range g[k] {
				for i := range a {
					g[k][l] += a[i][k] * a[i][l]
				}
			}
			g[k][k] += .1
		}
		b := quadratic(g, c, sign)
		for k := range b {
			slope, x := dot(g[k], b)-c[k], b[k]
			if sign[k] == down {
				slope, x = -slope, -x
			}
			bad := false
			switch sign[k] {
			case zero:
				bad = x != 0
			case either:
				bad = math.Abs(slope) > 1e-6
			default:
				bad = x < -1e-7 || slope < -1e-6 || x > 1e-6 && slope > 1e-6
			}
			if bad {
				t.Fatalf("variable %d of side %d is %v with slope %v", k, sign[k], b[k], slope)
			}
		}
	})
}
