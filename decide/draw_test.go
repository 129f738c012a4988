package decide_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/decide"
	"pgregory.net/rapid"
)

var (
	key = []byte("a key that only this test has")
	day = time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)
)

func subject(n int) (s consent.Subject) {
	copy(s[:], fmt.Sprintf("%016d", n))
	return s
}

// chiSquareBound is the value that a chi-square statistic with df degrees of
// freedom exceeds once in a million draws of a fair source (Wilson and Hilferty).
func chiSquareBound(df float64) float64 {
	const z = 4.7534
	return df * math.Pow(1-2/(9*df)+z*math.Sqrt(2/(9*df)), 3)
}

func chiSquare(counts map[string]int, shares map[string]int64, n int) (x float64) {
	for id, ppm := range shares {
		want := float64(n) * float64(ppm) / decide.Million
		x += (float64(counts[id]) - want) * (float64(counts[id]) - want) / want
	}
	return x
}

func TestVariantsAreDrawnInTheirShares(t *testing.T) {
	weights := map[string]int64{"a": 10_000, "b": 90_000, "c": 400_000, "d": 500_000}
	for name, eligible := range map[string][]string{"all": {"a", "b", "c", "d"}, "some": {"d", "a", "b"}} {
		t.Run(name, func(t *testing.T) {
			const n = 60_000
			counts := map[string]int{}
			for i := range n {
				v, _, _ := decide.DrawVariant(key, subject(i).String(), "home_hero", weights, eligible)
				counts[v]++
			}
			shares := decide.Propensities(weights, eligible)
			if x, bound := chiSquare(counts, shares, n), chiSquareBound(float64(len(shares)-1)); x > bound {
				t.Errorf("chi-square %.1f above %.1f: %v for %v", x, bound, counts, shares)
			}
		})
	}
}

func TestDrawsOfDifferentSlotsAreIndependent(t *testing.T) {
	const n = 40_000
	ids := []string{"a", "b", "c", "d"}
	counts, shares := map[string]int{}, map[string]int64{}
	for i := range n {
		x, _, _ := decide.DrawVariant(key, subject(i).String(), "home_hero", nil, ids)
		y, _, _ := decide.DrawVariant(key, subject(i).String(), "product_help", nil, ids)
		counts[x+y]++
	}
	for _, x := range ids {
		for _, y := range ids {
			shares[x+y] = decide.Million / 16
		}
	}
	if x, bound := chiSquare(counts, shares, n), chiSquareBound(15); x > bound {
		t.Errorf("chi-square of pairs %.1f above %.1f: %v", x, bound, counts)
	}
}

func TestHoldoutHoldsItsShare(t *testing.T) {
	const n = 40_000
	counts := map[string]int{}
	for i := range n {
		held, _, _ := decide.Holdout(key, subject(i+1), day, 0.05)
		counts[fmt.Sprint(held)]++
	}
	shares := map[string]int64{"true": 50_000, "false": 950_000}
	if x, bound := chiSquare(counts, shares, n), chiSquareBound(1); x > bound {
		t.Errorf("chi-square %.1f above %.1f: %v", x, bound, counts)
	}
}

func TestHoldout(t *testing.T) {
	held := func(share float64) (int, int64) {
		n, ppm := 0, int64(0)
		for i := range 200 {
			h, p, _ := decide.Holdout(key, subject(i+1), day, share)
			if h {
				n++
			}
			ppm = p
		}
		return n, ppm
	}
	for name, c := range map[string]struct {
		share float64
		held  int
		ppm   int64
	}{
		"no share holds nobody":        {0, 0, decide.Million},
		"a negative share is none":     {-1, 0, decide.Million},
		"not a number is none":         {math.NaN(), 0, decide.Million},
		"the whole share holds all":    {1, 200, decide.Million},
		"more than the whole is whole": {7, 200, decide.Million},
	} {
		t.Run(name, func(t *testing.T) {
			if n, ppm := held(c.share); n != c.held || ppm != c.ppm {
				t.Errorf("held %d at %d ppm, want %d at %d", n, ppm, c.held, c.ppm)
			}
		})
	}
	if h, ppm, seed := decide.Holdout(key, consent.Subject{}, day, 1); h || ppm != decide.Million || seed != "" {
		t.Error("nobody was held out")
	}
}

func TestHoldoutIsStickyForADayAndTellsTheExactPropensity(t *testing.T) {
	moved := false
	for i := range 300 {
		s := subject(i + 1)
		a, ppm, seed := decide.Holdout(key, s, day, 0.3)
		b, _, _ := decide.Holdout(key, s, day.Add(13*time.Hour), 0.3)
		next, _, _ := decide.Holdout(key, s, day.AddDate(0, 0, 1), 0.3)
		if a != b {
			t.Fatalf("subject %d changed sides within a day", i)
		}
		if want := map[bool]int64{true: 300_000, false: 700_000}[a]; ppm != want {
			t.Fatalf("held %t with propensity %d, want %d", a, ppm, want)
		}
		if strings.Contains(seed, s.String()) || strings.Contains(seed, string(key)) {
			t.Fatalf("seed tells who or the key: %s", seed)
		}
		moved = moved || a != next
	}
	if !moved {
		t.Error("the next day drew the same for everybody")
	}
}

var (
	ids     = []string{"a", "b", "c", "d", "e", "f", "g"}
	someIDs = rapid.SliceOfDistinct(rapid.SampledFrom(ids), rapid.ID[string])
	weights = rapid.MapOfN(rapid.SampledFrom(ids), rapid.Int64Range(0, decide.Million), 0, len(ids))
)

func TestPropensitiesSumToTheWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, eligible := weights.Draw(t, "weights"), someIDs.Draw(t, "eligible")
		sum, total := int64(0), int64(0)
		shares := decide.Propensities(w, eligible)
		for id, ppm := range shares {
			if !slices.Contains(eligible, id) || ppm < 0 {
				t.Fatalf("%s has %d", id, ppm)
			}
			sum += ppm
			total += w[id]
		}
		if len(shares) != len(eligible) || len(eligible) > 0 && sum != decide.Million {
			t.Fatalf("%v sum to %d", shares, sum)
		}
		for id, ppm := range shares {
			if exact := float64(w[id]) / float64(total) * decide.Million; total > 0 && math.Abs(float64(ppm)-exact) >= 1 {
				t.Fatalf("%s has %d, exactly %f", id, ppm, exact)
			}
		}
	})
}

func TestADrawIsEligibleStickyAndTellsItsPropensity(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, eligible := weights.Draw(t, "weights"), someIDs.Draw(t, "eligible")
		who := rapid.StringMatching(`[0-9a-f]{32}`).Draw(t, "who")
		v, ppm, seed := decide.DrawVariant(key, who, "slot", w, eligible)
		if len(eligible) == 0 {
			if v != "" || ppm != 0 {
				t.Fatalf("drew %q from nothing", v)
			}
			return
		}
		if !slices.Contains(eligible, v) || ppm <= 0 || ppm != decide.Propensities(w, eligible)[v] {
			t.Fatalf("drew %q at %d ppm from %v", v, ppm, eligible)
		}
		slices.Reverse(eligible)
		if again, _, _ := decide.DrawVariant(key, who, "slot", w, eligible); again != v {
			t.Fatalf("drew %q, then %q", v, again)
		}
		if strings.Contains(seed, who) {
			t.Fatalf("seed tells who: %s", seed)
		}
	})
}

func TestAnotherKeyDrawsAnew(t *testing.T) {
	same := 0
	for i := range 100 {
		a, _, _ := decide.DrawVariant(key, subject(i).String(), "s", nil, ids)
		b, _, _ := decide.DrawVariant([]byte("another"), subject(i).String(), "s", nil, ids)
		if a == b {
			same++
		}
	}
	if same > 50 {
		t.Errorf("%d of 100 draws did not depend on the key", same)
	}
}

// Parts are led by their length, so no two questions share a draw by accident.
func TestSlotAndWhoCannotRunTogether(t *testing.T) {
	same := 0
	for i := range 100 {
		a, _, _ := decide.DrawVariant(key, fmt.Sprintf("x%03d", i), "ab", nil, ids)
		b, _, _ := decide.DrawVariant(key, fmt.Sprintf("bx%03d", i), "a", nil, ids)
		if a == b {
			same++
		}
	}
	if same > 50 {
		t.Errorf("%d of 100 draws ran together", same)
	}
}
