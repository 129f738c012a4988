package need

import (
	"math"
	"slices"
	"testing"

	"github.com/handschlag/handschlag/batch/learn"
	"pgregory.net/rapid"
)

// Isotonic regression is max over a ≤ i of min over b ≥ i of the mean of rows a to b
// (Barlow et al., 1972, theorem 1.5): computed so, before the half rows are added.
func TestIsotonicPoolsAsTheMinMaxFormula(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 25).Draw(t, "rows")
		rows, s := make([]Row, n), make([]float64, n)
		for i := range rows {
			rows[i], s[i] = Row{Y: rapid.Bool().Draw(t, "y")}, float64(i)
		}
		c := isotonic(rows, s)
		mean := func(a, b int) float64 {
			yes := 0.0
			for _, r := range rows[a : b+1] {
				yes += one(r.Y)
			}
			return yes / float64(b-a+1)
		}
		level := make([]float64, n)
		for i := range rows {
			for a := 0; a <= i; a++ {
				least := math.Inf(1)
				for b := i; b < n; b++ {
					least = math.Min(least, mean(a, b))
				}
				level[i] = math.Max(level[i], least)
			}
		}
		var middles []float64 // of the rows of one level
		for a, b := 0, 0; a < n; a = b {
			for b = a; b < n && level[b]-level[a] < 1e-12; b++ {
			}
			middles = append(middles, float64(a+b-1)/2)
		}
		if !slices.Equal(c.Points, middles) {
			t.Fatalf("pools are at %v, want %v: levels %v", c.Points, middles, level)
		}
	})
}

// What was bent by a known curve is bent back.
func TestCurvesFindABend(t *testing.T) {
	r := learn.NewRandom(5)
	rows, s := make([]Row, 60_000), make([]float64, 60_000)
	truth := func(x float64) float64 { return sigmoid(.5*x - 1) }
	for i := range rows {
		s[i] = 2 * r.Normal()
		rows[i] = Row{Y: r.Float64() < truth(s[i])}
	}
	for _, method := range methods {
		c := bend(method, rows, s)
		for _, x := range []float64{-2, -1, 0, 1, 2} {
			if got := c.at(x); math.Abs(got-truth(x)) > .03 {
				t.Errorf("%s at %v: %.3f, want %.3f", method, x, got, truth(x))
			}
		}
	}
}

// Scores that rank the wrong way round are worth nothing, not less.
func TestACurveNeverTurnsTheOrderRound(t *testing.T) {
	rows, s := make([]Row, 400), make([]float64, 400)
	for i := range rows {
		s[i] = float64(i)/100 - 2
		rows[i] = Row{Y: i < 100}
	}
	for _, method := range methods {
		if c := bend(method, rows, s); c.at(2) < c.at(-2) || math.Abs(c.at(0)-.25) > .01 {
			t.Errorf("%s: %.3f at -2, %.3f at 2", method, c.at(-2), c.at(2))
		}
	}
}

func TestThePlainRegressionFindsItsCoefficients(t *testing.T) {
	r, rows := learn.NewRandom(6), make([]Row, 20_000)
	truth := func(x []float64) float64 { return sigmoid(-1 + .02*x[0] + []float64{0, 1}[int(x[1])]) }
	for i := range rows {
		x := []float64{50 * r.Normal(), float64(r.IntN(2))}
		rows[i] = Row{X: x, Y: r.Float64() < truth(x)}
	}
	l, err := FitLinear(t.Context(), rows, []Feature{{Name: "a"}, {Name: "b", Shape: Named, Levels: []string{"x", "y"}}}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range [][]float64{{-50, 0}, {0, 0}, {50, 1}, {100, 0}} {
		if got := l.Probability(x); math.Abs(got-truth(x)) > .02 {
			t.Errorf("%v: %.3f, want %.3f", x, got, truth(x))
		}
	}
}
