package cluster

import (
	"math"
	"slices"
	"testing"

	"github.com/handschlag/handschlag/batch/learn"
)

func TestCentresKeepTheirNamesWhenTheyMoveALittle(t *testing.T) {
	r := learn.NewRandom(4)
	for range 50 {
		k := 1 + r.IntN(8)
		was, is, names := make([][]float64, k), make([][]float64, k), r.Perm(k)
		for i, name := range names {
			is[i] = []float64{10 * float64(i), -5 * float64(i), 3}
			was[name] = []float64{is[i][0] + r.Normal()/2, is[i][1] + r.Normal()/2, 3 + r.Normal()/2}
		}
		if got := Match(was, is); !slices.Equal(got, names) {
			t.Fatalf("named %v, were %v", got, names)
		}
	}
}

// TestNoOtherNamingIsNearer tries every permutation.
func TestNoOtherNamingIsNearer(t *testing.T) {
	r := learn.NewRandom(5)
	for range 30 {
		was, is := make([][]float64, 5), make([][]float64, 5)
		for i := range is {
			was[i], is[i] = []float64{r.Normal(), r.Normal()}, []float64{r.Normal(), r.Normal()}
		}
		sum := func(names []int) (s float64) {
			for i, name := range names {
				s += distance(is[i], was[name])
			}
			return s
		}
		least := math.Inf(1)
		var try func(names []int)
		try = func(names []int) {
			if len(names) == 5 {
				least = min(least, sum(names))
				return
			}
			for n := range 5 {
				if !slices.Contains(names, n) {
					try(append(slices.Clone(names), n))
				}
			}
		}
		try(nil)
		if got := sum(Match(was, is)); math.Abs(got-least) > 1e-12 {
			t.Fatalf("%v, but %v is possible", got, least)
		}
	}
}

func TestANewGroupTakesTheNameThatNobodyHas(t *testing.T) {
	was := [][]float64{{0, 0}, nil, {9, 9}}
	if got := Match(was, [][]float64{{9, 9}, {5, -5}, {0, 0}}); !slices.Equal(got, []int{2, 1, 0}) {
		t.Errorf("%v, want 2 1 0", got)
	}
	if got := Match(was, [][]float64{{50, 0}, {9, 9}, {30, 0}, {0, 0}}); got[1] != 2 || got[3] != 0 {
		t.Errorf("those that were there are named %v", got)
	}
	if got := Match(nil, [][]float64{{5}, {4}, {3}}); !slices.IsSorted(got) || len(got) != 3 {
		t.Errorf("nobody was named: %v", got)
	}
}
