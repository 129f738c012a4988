package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/host/snapshot"
)

// ScanDecisions calls do for every record made in [from, to), in the order of the
// chain; a zero time does not narrow. The bytes are the record's JSON as it lies in
// the log, valid only during the call; of one about an erased subject, what is left.
func (h *Host) ScanDecisions(ctx context.Context, from, to time.Time, do func(record []byte) error) error {
	err := h.decisions.Scan(0, func(p place, _ uint64, b []byte) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		var r struct{ Time time.Time }
		if !from.IsZero() || !to.IsZero() {
			if err := json.Unmarshal(b, &r); err != nil {
				return fmt.Errorf("decision log segment %d, frame at %d: %w", p.Segment, p.Offset, err)
			}
		}
		if r.Time.Before(from) && !from.IsZero() || !to.IsZero() && !r.Time.Before(to) {
			return nil
		}
		left, err := h.shown(b)
		if err != nil {
			return fmt.Errorf("decision log segment %d, frame at %d: %w", p.Segment, p.Offset, err)
		}
		return do(left)
	})
	if err != nil {
		return fmt.Errorf("reading decisions: %w", err)
	}
	return nil
}

// FindDocument gives a kept document by the beginning of its digest, which must
// name one alone.
func (h *Host) FindDocument(_ context.Context, prefix string) (digest string, body []byte, err error) {
	if prefix == "" {
		return "", nil, fmt.Errorf("document: %w", flow.ErrNotFound)
	}
	err = under(h.db, key(tabDocument, []byte(prefix)), func(k, v []byte) error {
		if digest != "" {
			return fmt.Errorf("%q begins more than one digest", prefix)
		}
		digest, body = string(k[1:]), append([]byte(nil), v...)
		return nil
	})
	if err == nil && digest == "" {
		err = fmt.Errorf("document: %w", flow.ErrNotFound)
	}
	return digest, body, err
}

// CaseUse is how stored events were admitted: for a purpose, by a case, keeping
// fields, under a policy's short digest.
type CaseUse struct {
	Purpose consent.Purpose
	Case    event.CaseID
	Keep    event.FieldSet
	Policy  string
}

// usedRow is what CaseUses reads of a row.
type usedRow struct {
	ReceivedMS int64   `parquet:"received_ms,delta"`
	Purposes   int64   `parquet:"purposes"`
	Cases      []int64 `parquet:"cases,list"`
	Keeps      []int64 `parquet:"keeps,list"`
	Policy     string  `parquet:"policy,dict"`
}

// CaseUses counts how the events received in [from, to) were admitted.
func (h *Host) CaseUses(ctx context.Context, from, to time.Time) (map[CaseUse]int64, error) {
	h.compacting.Lock()
	defer h.compacting.Unlock()
	uses := map[CaseUse]int64{}
	covered := map[string]uint64{}
	days, err := h.days()
	if err != nil {
		return nil, err
	}
	for _, d := range days {
		covered[d.Day] = d.Covered
		if d.Day < from.UTC().Format(time.DateOnly) || d.Day > to.UTC().Format(time.DateOnly) {
			continue
		}
		if err := h.compactedRows(ctx, d.Day, func(r *usedRow) { countUses(uses, r, from.UnixMilli(), to.UnixMilli()) }); err != nil {
			return nil, fmt.Errorf("reading the events of %s: %w", d.Day, err)
		}
	}
	return uses, h.scanEvents(0, func(n uint64, r event.Row) error {
		if n >= covered[snapshot.DayOf(r.ReceivedMS)] {
			countUses(uses, &usedRow{r.ReceivedMS, r.Purposes, r.Cases, r.Keeps, r.Policy}, from.UnixMilli(), to.UnixMilli())
		}
		return ctx.Err()
	})
}

// NewestEvent is when the last event was received that is still stored; zero if none is.
func (h *Host) NewestEvent(ctx context.Context) (time.Time, error) {
	h.compacting.Lock()
	defer h.compacting.Unlock()
	days, err := h.days()
	if err != nil {
		return time.Time{}, err
	}
	newest, covered := int64(0), map[string]uint64{}
	last := ""
	for _, d := range days {
		covered[d.Day] = d.Covered
		last = max(last, d.Day)
	}
	if last != "" {
		err = h.compactedRows(ctx, last, func(r *usedRow) { newest = max(newest, r.ReceivedMS) })
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("reading the events of %s: %w", last, err)
	}
	err = h.scanEvents(0, func(n uint64, r event.Row) error {
		if n >= covered[snapshot.DayOf(r.ReceivedMS)] {
			newest = max(newest, r.ReceivedMS)
		}
		return ctx.Err()
	})
	if err != nil || newest == 0 {
		return time.Time{}, err
	}
	return time.UnixMilli(newest).UTC(), nil
}

func countUses(uses map[CaseUse]int64, r *usedRow, from, to int64) {
	if r.ReceivedMS < from || r.ReceivedMS >= to {
		return
	}
	for i, p := range consent.Set(r.Purposes).List() {
		if i < len(r.Cases) && i < len(r.Keeps) {
			uses[CaseUse{p, event.CaseID(r.Cases[i]), event.FieldSet(r.Keeps[i]), r.Policy}]++
		}
	}
}

// compactedRows reads only the columns that tell how a day's rows were admitted.
func (h *Host) compactedRows(ctx context.Context, name string, do func(*usedRow)) error {
	d, err := h.openDay(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { _ = d.Close() }() // only read
	return snapshot.EachColumn(d, func(r *usedRow) error { do(r); return ctx.Err() })
}
