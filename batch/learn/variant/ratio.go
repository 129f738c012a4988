package variant

import (
	"maps"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/stat/distuv"
)

// Alarm compares how often variants were drawn with how often they should have been.
type Alarm struct {
	N         int64   `json:"n"`          // draws compared
	ChiSquare float64 `json:"chi_square"` // Pearson's; at most the largest float
	Degrees   int     `json:"degrees_of_freedom"`
	P         float64 `json:"p"`
	Fired     bool    `json:"fired"`           // P < RatioAlpha
	Worst     string  `json:"worst,omitempty"` // the variant that contributes most
}

const (
	// RatioAlpha is how often a healthy slot alarms in one look; each night should look at
	// the draws since the last one only, so that looks are independent: in a year of
	// healthy nights an alarm comes once with probability 1 - .999^365 = .31.
	RatioAlpha = .001
	ratioLeast = 5 // expected count under which variants are pooled (Cochran, 1954)
)

// SampleRatio is Pearson's test of drawn counts against the sums of their logged
// propensities: for each draw, every eligible variant adds its own. Variants expected fewer
// than 5 times are pooled. A draw of what was never expected is an alarm by itself. Draws
// with unlike propensities spread less than a multinomial, so the test then alarms too
// rarely, never too often.
func SampleRatio(observed map[string]int64, expected map[string]float64) Alarm {
	var a Alarm
	var pooledO, pooledE, worst float64
	cells := 0
	add := func(name string, o, e float64) {
		x := (o - e) * (o - e) / e
		a.ChiSquare, cells = a.ChiSquare+x, cells+1
		if x > worst {
			worst, a.Worst = x, name
		}
	}
	names := map[string]bool{}
	for v := range expected {
		names[v] = true
	}
	for v := range observed {
		names[v] = true
	}
	var pooled []string
	for _, v := range slices.Sorted(maps.Keys(names)) {
		o, e := float64(observed[v]), expected[v]
		a.N += observed[v]
		switch {
		case o > 0 && !(e > 0):
			return Alarm{N: a.N, ChiSquare: math.MaxFloat64, Degrees: 1, Fired: true, Worst: v}
		case e >= ratioLeast:
			add(v, o, e)
		default:
			pooledO, pooledE, pooled = pooledO+o, pooledE+e, append(pooled, v)
		}
	}
	if pooledE > 0 {
		add(strings.Join(pooled, ", "), pooledO, pooledE)
	}
	a.P, a.Degrees = 1, max(0, cells-1)
	if a.Degrees > 0 {
		a.P = distuv.ChiSquared{K: float64(a.Degrees)}.Survival(a.ChiSquare)
	}
	a.Fired = a.P < RatioAlpha
	return a
}

// Expected sums, over the draws of cells, the propensities that weights promise to every
// eligible variant. The weights must be those in force at the draws.
func Expected(slot Slot, cells []Cell, weights map[string]map[string]int64) map[string]float64 {
	out := map[string]float64{}
	for _, c := range cells {
		for v, share := range shares(slot, weights, c) {
			out[v] += float64(c.N) * share
		}
	}
	return out
}

// Observed counts draws by variant.
func Observed(cells []Cell) map[string]int64 {
	out := map[string]int64{}
	for _, c := range cells {
		out[c.Variant] += c.N
	}
	return out
}
