package need

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestBinsHoldEnoughRowsAndNoValueIsSplit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Float64Range(-5, 50), 1, 300).Draw(t, "values")
		for i := range values { // ties
			if rapid.Bool().Draw(t, "tie") {
				values[i] = float64(int(values[i]) / 7)
			}
		}
		slices.Sort(values)
		most, fewest := rapid.IntRange(1, 20).Draw(t, "most"), rapid.IntRange(1, 40).Draw(t, "fewest")
		a := axis{cuts: cuts(values, most, fewest)}
		n := make([]int, a.bins())
		for _, v := range values {
			n[a.bin([]float64{v})]++
		}
		if !slices.IsSorted(a.cuts) || len(n) > 1 && slices.Min(n) < fewest {
			t.Fatalf("cuts %v hold %v rows", a.cuts, n)
		}
	})
}

func TestACutIsTheShortestNumberBetween(t *testing.T) {
	for _, c := range []struct{ low, high, want float64 }{
		{97, 103, 100}, {0, 1, 1}, {3, 4, 4}, {.0213, .0229, .022}, {-1, 0, 0}, {12.25, 12.26, 12.26}, {1200, 1999.5, 1900}, {-7, -6, -6},
	} {
		if got := between(c.low, c.high); got != c.want {
			t.Errorf("between %v and %v: %v, want %v", c.low, c.high, got, c.want)
		}
	}
}

func TestManyRowsOfOneValueAreABinOfTheirOwn(t *testing.T) {
	values := append(make([]float64, 80), 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20)
	if got := cuts(values, 5, 10); !slices.Equal(got, []float64{1}) {
		t.Errorf("cuts %v", got)
	}
}
