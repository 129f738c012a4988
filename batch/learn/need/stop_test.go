package need

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
)

// ending is a context that ends once it was asked so often, and counts on.
type ending struct {
	context.Context
	left atomic.Int64
}

func (e *ending) Err() error {
	if e.left.Add(-1) < 0 {
		return context.Canceled
	}
	return nil
}

// Whoever stops a fit waits for those under way, one in each fold, and no other is begun.
func TestAStoppedFitBeginsNoOther(t *testing.T) {
	rows, specs := visitors(8, 1500, 1)
	o := Options{Pairs: 3, Bins: []int{6, 12}, Folds: 3}
	for name, fit := range map[string]func(ctx context.Context) error{
		"card":       func(ctx context.Context) error { _, err := Fit(ctx, rows, specs, o); return err },
		"regression": func(ctx context.Context) error { _, err := FitLinear(ctx, rows, specs, o); return err },
	} {
		for _, after := range []int64{0, 1, 5, 20, 27} {
			e := &ending{Context: t.Context()}
			e.left.Store(after)
			if err := fit(e); !errors.Is(err, context.Canceled) {
				t.Fatalf("%s, stopped after %d fits: %v", name, after, err)
			}
			if asked := -e.left.Load(); asked > 2*int64(o.Folds)+1 {
				t.Errorf("%s, stopped after %d fits: it went on to %d others", name, after, asked)
			}
		}
	}
	whole := &ending{Context: t.Context()}
	whole.left.Store(1 << 40)
	if _, err := Fit(whole, rows, specs, o); err != nil || 1<<40-whole.left.Load() < 90 {
		t.Errorf("asked %d times in a whole fit: %v", 1<<40-whole.left.Load(), err)
	}
}
