package segment

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func told(counts []*int64) (out []int64) {
	for _, c := range counts {
		if c == nil {
			out = append(out, -1)
		} else {
			out = append(out, *c)
		}
	}
	return out
}

func TestAGroupUnderKHidesAnotherWithIt(t *testing.T) {
	n := &night{k: 25}
	for _, c := range []struct{ in, want []int64 }{
		{[]int64{0, 25, 100}, []int64{0, 25, 100}},
		{[]int64{3, 40, 30, 50}, []int64{-1, 40, -1, 50}}, // 3 would follow from the total
		{[]int64{20, 24, 50}, []int64{-1, -1, 50}},        // 44 together tell of nobody
		{[]int64{7}, []int64{-1}},
	} {
		if got := told(n.withhold(c.in)); !slices.Equal(got, c.want) {
			t.Errorf("%v: told %v, want %v", c.in, got, c.want)
		}
	}
}

// Whatever the groups: nothing from 1 to under k is told, and nobody who knows the
// total learns that the rest is such a number.
func TestNothingUnderKFollows(t *testing.T) {
	n := &night{k: 25}
	rapid.Check(t, func(t *rapid.T) {
		counts := rapid.SliceOfN(rapid.Int64Range(0, 60), 1, 12).Draw(t, "groups")
		total, shown := int64(0), int64(0)
		for i, c := range n.withhold(counts) {
			total += counts[i]
			if c == nil {
				continue
			}
			if shown += *c; *c != counts[i] || *c > 0 && *c < 25 {
				t.Fatalf("%v: group %d is told as %d", counts, i, *c)
			}
		}
		if rest := total - shown; rest > 0 && rest < 25 && shown > 0 {
			t.Fatalf("%v: the untold are %d", counts, rest)
		}
		for i, a := range n.apart(counts...) {
			for _, b := range n.apart(counts...)[:i] {
				if a != nil && b != nil && Isolates(*a, *b, 25) {
					t.Fatalf("%v: %d and %d are told", counts, *a, *b)
				}
			}
		}
	})
}

func TestWhatIsNoNumberStopsTheReport(t *testing.T) {
	r := Report{Need: &NeedSection{AUC: Figure{Mean: .12345678, Low: math.Copysign(0, -1)}}}
	if err := r.rounded(); err != nil || r.Need.AUC.Mean != .123457 || math.Signbit(r.Need.AUC.Low) {
		t.Errorf("got %v, %+v", err, r.Need.AUC)
	}
	r.Need.Bins = []CalibrationBin{{Observed: math.NaN()}}
	if err := r.rounded(); err == nil || err.Error() != "report.Need.Bins[0].Observed is NaN, no number" {
		t.Errorf("got %v", err)
	}
}
