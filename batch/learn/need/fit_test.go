package need

import (
	"math"
	"testing"

	"github.com/handschlag/handschlag/batch/learn"
)

// A card's own points lie beside those of the folds that its curve was learnt from: the
// probability of a value that many rows share is their share all the same.
func TestAProbabilityIsTheShareOfItsRows(t *testing.T) {
	var rows []Row
	yes := [3]int{}
	for i := range 3000 {
		r := learn.NewRandom(6, uint64(i))
		guide := r.IntN(3)
		y := r.Float64() < []float64{.1, .3, .6}[guide]
		if y {
			yes[guide]++
		}
		rows = append(rows, Row{X: []float64{float64(guide)}, Y: y})
	}
	card, err := Fit(t.Context(), rows, []Feature{{Name: "guide", Shape: Rising}}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for guide, want := range []float64{.1, .3, .6} {
		if p := card.Probability(card.Points([]float64{float64(guide)})); math.Abs(p-want) > .04 {
			t.Errorf("value %d: probability %.3f, want about %.1f (%d of some 1000 rows)", guide, p, want, yes[guide])
		}
	}
}
