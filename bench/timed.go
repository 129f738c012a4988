package main

import (
	"context"
	"math"
	"sync/atomic"
	"time"

	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/flow"
)

// timed is a host that notes how long callers wait for their events to be durable:
// what the log with its group commit adds to an answer.
type timed struct {
	flow.Host
	waits histogram
}

// AppendEvents asks the host and notes the time.
func (t *timed) AppendEvents(ctx context.Context, rows []event.Row) error {
	start := time.Now()
	err := t.Host.AppendEvents(ctx, rows)
	t.waits.add(time.Since(start))
	return err
}

// histogram counts durations in steps of 2 %.
type histogram [1400]atomic.Int64

var step = math.Log(1.02)

func (h *histogram) add(d time.Duration) {
	i := int(math.Log(float64(max(d, 1))) / step)
	h[min(i, len(h)-1)].Add(1)
}

// drain gives the counts and begins anew.
func (h *histogram) drain() []int64 {
	out := make([]int64, len(h))
	for i := range h {
		out[i] = h[i].Swap(0)
	}
	return out
}

// quantile reads drained counts: the duration that a share of all stays below.
func quantile(counts []int64, share float64) time.Duration {
	var all, seen int64
	for _, n := range counts {
		all += n
	}
	for i, n := range counts {
		if seen += n; float64(seen) >= share*float64(all) && all > 0 {
			return time.Duration(math.Exp(float64(i+1) * step))
		}
	}
	return 0
}
