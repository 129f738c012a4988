package need

import (
	"testing"

	"github.com/handschlag/handschlag/batch/learn"
)

// offered draws what is known of visits as the generated shop of batch/bench does: most features
// absent, the others a little above a bound of the default card.
func offered(n int) ([]Row, []Feature) {
	bounds := [][]float64{{2, 4}, {1, 3}, {2, 3, 5}, {90_000, 180_000, 300_000}, {1, 2}, {2, 4}, {1, 3}, {300, 900}, {1, 2}, {180}, {1}, {1}, {1}}
	specs := make([]Feature, len(bounds))
	for j := range specs {
		specs[j] = Feature{Name: string(rune('a' + j)), Shape: Rising}
	}
	r, rows := learn.NewRandom(7), make([]Row, n)
	for i := range rows {
		x, some := make([]float64, len(bounds)), 0
		for some < 4 {
			for j, b := range bounds[:11] {
				if x[j] == 0 && r.Float64() < .2 {
					x[j], some = b[r.IntN(len(b))]+float64(r.IntN(2)), some+1
				}
			}
		}
		guides := min(2, x[4])
		rows[i] = Row{X: x, Y: r.Float64() < (.2+.1*guides)*(.4+.15*guides+.1*min(1, x[8]))}
	}
	return rows, specs
}

// The nightly fit at 50 million events: 33,355 offers.
func BenchmarkFit(b *testing.B) {
	rows, specs := offered(33_355)
	for b.Loop() {
		if _, err := Fit(b.Context(), rows, specs, Options{Seed: 1}); err != nil {
			b.Fatal(err)
		}
	}
}
