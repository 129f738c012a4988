package uplift

import (
	"context"
	"errors"
	"testing"

	"github.com/handschlag/handschlag/batch/learn"
)

// Whoever stops a check waits for the turn under way, not for a thousand.
func TestAStoppedCheckStops(t *testing.T) {
	random, rows := learn.NewRandom(1), make([]Row, 2000)
	for i := range rows {
		rows[i] = Row{X: []float64{random.Float64()}, Treated: i%2 == 0, Propensity: .5, Outcome: float64(i % 3 / 2)}
	}
	ctx, stop := context.WithCancel(t.Context())
	if claims, err := Placebo(ctx, rows, Options{Names: []string{"x"}}, 2); err != nil || claims < 0 {
		t.Fatal(err)
	}
	stop()
	if _, err := Placebo(ctx, rows, Options{Names: []string{"x"}}, 1<<20); !errors.Is(err, context.Canceled) {
		t.Errorf("Placebo: %v", err)
	}
	if _, _, err := CrossValidate(ctx, rows, Options{Names: []string{"x"}}, 1<<20); !errors.Is(err, context.Canceled) {
		t.Errorf("CrossValidate: %v", err)
	}
}
