package variant

import (
	"math"
	"testing"

	"github.com/handschlag/handschlag/batch/learn"
	"github.com/handschlag/handschlag/decide"
)

// looks draws n variants per look with the shop's own draw, and counts alarms. eligible
// changes from draw to draw; spoil may change what was drawn.
func looks(t *testing.T, count, n int, spoil func(k int, id string) string) (alarms int) {
	t.Helper()
	all := []string{"a", "b", "c", "d", "e", "f", "g", "h"}
	weights := map[string]int64{"a": 400_000, "b": 300_000, "c": 150_000, "d": 100_000, "e": 30_000, "f": 10_000, "g": 5_000, "h": 5_000}
	for look := range count {
		r := learn.NewRandom(uint64(look), 5)
		observed, expected := map[string]int64{}, map[string]float64{}
		for k := range n {
			eligible := all
			if r.IntN(3) == 0 {
				eligible = all[1:7] // a is out of stock, h needs a log-in
			}
			for v, ppm := range decide.Propensities(weights, eligible) {
				expected[v] += float64(ppm) / decide.Million
			}
			id, _, _ := decide.DrawVariant([]byte{byte(look), byte(look >> 8)}, string([]byte{byte(k), byte(k >> 8), 1}), "slot", weights, eligible)
			observed[spoil(k, id)]++
		}
		if SampleRatio(observed, expected).Fired {
			alarms++
		}
	}
	return alarms
}

// 1,000 healthy looks at alpha .001: at most 5 alarms, which more than 999 in 1,000 such
// tests keep (Poisson of mean 1).
func TestAHealthySlotHardlyAlarms(t *testing.T) {
	if n := looks(t, 1000, 200, func(_ int, id string) string { return id }); n > 5 {
		t.Errorf("%d false alarms in 1,000 looks", n)
	}
}

// A redirect that loses one in five draws of b to the default.
func TestAPlantedBugAlarms(t *testing.T) {
	n := looks(t, 40, 2000, func(k int, id string) string {
		if id == "b" && k%5 == 0 {
			return "a"
		}
		return id
	})
	if n < 36 {
		t.Errorf("%d of 40 looks saw the bug", n)
	}
}

func TestADrawOfWhatWasNeverExpectedAlarms(t *testing.T) {
	if a := SampleRatio(map[string]int64{"a": 100, "x": 1}, map[string]float64{"a": 101}); !a.Fired || a.Worst != "x" {
		t.Errorf("%+v", a)
	}
}

// A die thrown 60 times, 5 8 9 8 10 20, has
// chi-square 13.4 with 5 degrees of freedom, p = .01991 (tables: 13.388 at .02).
func TestTheTestIsPearsons(t *testing.T) {
	expected := map[string]float64{}
	for _, v := range []string{"1", "2", "3", "4", "5", "6"} {
		expected[v] = 10
	}
	a := SampleRatio(map[string]int64{"1": 5, "2": 8, "3": 9, "4": 8, "5": 10, "6": 20}, expected)
	if math.Abs(a.ChiSquare-13.4) > 1e-9 || a.Degrees != 5 || math.Abs(a.P-.0199) > .0001 || a.Fired {
		t.Errorf("%+v", a)
	}
}
