package local

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/host/snapshot"
)

// DayEvents gives the events that were received on a day (UTC, 2026-11-21),
// whether they are compacted or still in the log, for people who look inside.
func (h *Host) DayEvents(ctx context.Context, name string, do func(event.Row) error) error {
	h.compacting.Lock()
	defer h.compacting.Unlock()
	days, err := h.days()
	if err != nil {
		return err
	}
	if first, err := h.firstDay(); err != nil || name < first {
		return err
	}
	covered := uint64(0)
	for _, d := range days {
		if d.Day == name {
			covered = d.Covered
		}
	}
	left := func(r event.Row) error {
		if h.buried(r.Subject) { // its bytes go with the next night
			return nil
		}
		return do(r)
	}
	if err := h.compactedEvents(ctx, name, left); err != nil {
		return fmt.Errorf("reading the events of %s: %w", name, err)
	}
	return h.scanEvents(0, func(n uint64, r event.Row) error {
		if n < covered || snapshot.DayOf(r.ReceivedMS) != name {
			return ctx.Err()
		}
		return left(r)
	})
}

// compactedEvents gives the rows of a day's Parquet file, if it has one.
func (h *Host) compactedEvents(ctx context.Context, name string, do func(event.Row) error) error {
	d, err := h.openDay(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { _ = d.Close() }() // only read
	return d.Each(func(r *event.Row) error { return errors.Join(ctx.Err(), do(*r)) })
}
