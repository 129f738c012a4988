package demo

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"time"
)

const (
	batchMax = 100
	chunk    = 2 * time.Hour // consents of a chunk are sent before its clicks
	workers  = 8
)

// Progress hears how far a long step is.
type Progress func(done, total int)

// Replay sends the real clicks through the API: consents as calls, clicks as
// batches, each at its own date (the server's clock moves along). It stops at the
// first answer that is not what the API promises.
func (w *World) Replay(ctx context.Context, s *Shop, tell Progress) error {
	if len(w.Days) == 0 {
		return fmt.Errorf("replaying: the sample holds no visit")
	}
	if err := s.SetClock(w.Days[0].Add(-time.Hour)); err != nil {
		return err
	}
	rows := make([]object, len(w.Products))
	for i, p := range w.Products {
		rows[i] = p.catalogueRow()
	}
	if err := s.want(ctx, 200, "PUT", "/v1/products", "server", object{"products": rows}, nil); err != nil {
		return err
	}
	done := 0
	for _, d := range w.Days {
		if err := w.replayDay(ctx, s, d, func(n int) { done += n; tell(done, w.Clicks) }); err != nil {
			return fmt.Errorf("replaying %s: %w", d.Format(time.DateOnly), err)
		}
	}
	return nil
}

func (w *World) replayDay(ctx context.Context, s *Shop, d time.Time, sent func(int)) error {
	type click struct {
		who Visitor
		View
	}
	var clicks []click
	for _, v := range w.Visits[d] {
		for _, x := range v.Views {
			clicks = append(clicks, click{w.Visitors[v.Visitor], x})
		}
	}
	sort.SliceStable(clicks, func(i, j int) bool { return clicks[i].At.Before(clicks[j].At) })
	for from := d; len(clicks) > 0; from = from.Add(chunk) {
		until := from.Add(chunk)
		if err := s.SetClock(from); err != nil {
			return err
		}
		if from.Equal(d.Add(ordersAt)) {
			if err := w.orders(ctx, s, d); err != nil {
				return err
			}
		}
		if err := w.consents(ctx, s, d, from, until); err != nil {
			return err
		}
		n := sort.Search(len(clicks), func(i int) bool { return !clicks[i].At.Before(until) })
		for n > 0 {
			k := min(n, batchMax)
			batch := make([]object, k)
			for i, c := range clicks[:k] {
				batch[i] = c.who.viewed(c.View)
			}
			if err := s.SetClock(clicks[k-1].At.Add(time.Second)); err != nil {
				return err
			}
			if err := s.want(ctx, 200, "POST", "/v1/batch", "write", object{"batch": batch}, nil); err != nil {
				return err
			}
			clicks, n = clicks[k:], n-k
			sent(k)
		}
	}
	return nil
}

// ordersAt is when the shop's server sends the orders of the day before: in an hour without
// clicks, so that the counters tell them apart.
const ordersAt = 4 * time.Hour

// orders sends what visitors ordered on the day before.
func (w *World) orders(ctx context.Context, s *Shop, d time.Time) error {
	for batch := range slices.Chunk(w.ordered(d), batchMax) {
		if err := s.want(ctx, 200, "POST", "/v1/batch", "server", object{"batch": batch}, nil); err != nil {
			return err
		}
	}
	return nil
}

// ordered invents the orders of the day before: nothing of them is in the file.
func (w *World) ordered(d time.Time) (out []object) {
	for n, v := range w.Visits[d.AddDate(0, 0, -1)] {
		who, r := w.Visitors[v.Visitor], w.dice("order", v.Views[0].Session)
		if (who.Answer == Accepts || who.Answer == AcceptsIt) && r.Float64() < who.Buys {
			out = append(out, who.ordered(v, fmt.Sprintf("order-%s-%d", v.Start.Format("20060102"), n)))
		}
	}
	return out
}

// consents sends the banner answers of first visits that start in [from, until).
func (w *World) consents(ctx context.Context, s *Shop, d, from, until time.Time) error {
	var calls []object
	for _, v := range w.Visits[d] {
		if !v.First || v.Start.Before(from) || !v.Start.Before(until) {
			continue
		}
		if c := w.Visitors[v.Visitor].consentCall(); c != nil {
			calls = append(calls, c)
		}
	}
	return each(ctx, calls, func(ctx context.Context, c object) error {
		return s.want(ctx, 201, "POST", "/v1/consent", "write", c, nil)
	})
}

// each runs do over the items with a few workers and gives the first error.
func each[T any](ctx context.Context, items []T, do func(context.Context, T) error) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	queue := make(chan T)
	finished := make(chan struct{})
	n := min(workers, len(items))
	for range n {
		go func() {
			defer func() { finished <- struct{}{} }()
			for it := range queue {
				if err := do(ctx, it); err != nil {
					stop(err)
					return
				}
			}
		}()
	}
feed:
	for _, it := range items {
		select {
		case queue <- it:
		case <-ctx.Done():
			break feed
		}
	}
	close(queue)
	for range n {
		<-finished
	}
	return context.Cause(ctx)
}
