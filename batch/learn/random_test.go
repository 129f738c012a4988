package learn

import (
	"math"
	"slices"
	"testing"
)

func TestASeedDecidesTheStream(t *testing.T) {
	a, b := NewRandom(7, 1), NewRandom(7, 1)
	for range 100 {
		if a.Uint64() != b.Uint64() {
			t.Fatal("the same seed gave two streams")
		}
	}
	if NewRandom(7, 1).Uint64() == NewRandom(7, 2).Uint64() || NewRandom(7).Uint64() == NewRandom(8).Uint64() {
		t.Error("two seeds gave one stream")
	}
}

// Means and spreads of 200,000 draws within five standard errors.
func TestDrawsHaveTheirMoments(t *testing.T) {
	const n = 200_000
	for _, c := range []struct {
		name     string
		draw     func(*Random) float64
		mean, sd float64
	}{
		{"uniform", (*Random).Float64, .5, math.Sqrt(1.0 / 12)},
		{"normal", (*Random).Normal, 0, 1},
		{"of six", func(r *Random) float64 { return float64(r.IntN(6)) }, 2.5, math.Sqrt(35.0 / 12)},
	} {
		r, sum, squares := NewRandom(1), 0.0, 0.0
		for range n {
			x := c.draw(r)
			sum, squares = sum+x, squares+x*x
		}
		mean := sum / n
		sd := math.Sqrt(squares/n - mean*mean)
		if math.Abs(mean-c.mean) > 5*c.sd/math.Sqrt(n) || math.Abs(sd-c.sd) > 5*c.sd/math.Sqrt(n) {
			t.Errorf("%s: mean %.4f, sd %.4f, want %.4f, %.4f", c.name, mean, sd, c.mean, c.sd)
		}
	}
}

func TestPermHoldsEverythingOnce(t *testing.T) {
	p := NewRandom(3).Perm(100)
	slices.Sort(p)
	for i, x := range p {
		if i != x {
			t.Fatalf("%d is not in the order", i)
		}
	}
}
