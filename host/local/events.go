package local

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"

	"github.com/cockroachdb/pebble/v2"

	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/host/snapshot"
)

// rowBuffers are for encoding rows; the log copies what it is given.
var rowBuffers = sync.Pool{New: func() any { return new(rowBuffer) }}

type rowBuffer struct {
	b       []byte
	ends    []int
	records [][]byte
}

// AppendEvents returns once every row is synced; the rows of one call share a frame.
func (h *Host) AppendEvents(ctx context.Context, rows []event.Row) error {
	if len(rows) == 0 {
		return nil
	}
	if err := h.full(); err != nil {
		return fmt.Errorf("appending events: %w", err)
	}
	buf := rowBuffers.Get().(*rowBuffer)
	buf.b, buf.ends, buf.records = buf.b[:0], buf.ends[:0], buf.records[:0]
	for i := range rows {
		buf.b = snapshot.AppendRow(buf.b, &rows[i])
		buf.ends = append(buf.ends, len(buf.b))
	}
	from := 0
	for _, end := range buf.ends {
		buf.records, from = append(buf.records, buf.b[from:end]), end
	}
	ticket := h.events.Enqueue(buf.records...)
	rowBuffers.Put(buf)
	if _, err := ticket.Wait(ctx); err != nil {
		return fmt.Errorf("appending events: %w", err)
	}
	return nil
}

// scanEvents calls do for the rows in the log from a number on.
func (h *Host) scanEvents(from uint64, do func(n uint64, r event.Row) error) error {
	return h.events.Scan(from, func(p place, n uint64, b []byte) error {
		if blank(b) {
			return nil
		}
		r, err := snapshot.ReadRow(b)
		if err != nil {
			return fmt.Errorf("event log segment %d, frame at %d: %w", p.Segment, p.Offset, err)
		}
		return do(n, r)
	})
}

// ReadEvents gives every row in the log that was not compacted yet.
func (h *Host) ReadEvents(context.Context) (out []event.Row, err error) {
	err = h.scanEvents(0, func(_ uint64, r event.Row) error { out = append(out, r); return nil })
	return out, err
}

// PutCases remembers those cases that are new.
func (h *Host) PutCases(_ context.Context, cases map[event.CaseID][]byte) error {
	err := h.save(func(b *pebble.Batch) error {
		for id, body := range cases {
			k := key(tabCase, u64(uint64(id)))
			if known, err := get(h.db, k); err != nil {
				return err
			} else if known == nil {
				if err := b.Set(k, body, nil); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("keeping cases: %w", err)
	}
	return nil
}

// ReadCases gives every case.
func (h *Host) ReadCases(context.Context) (map[event.CaseID][]byte, error) {
	out := map[event.CaseID][]byte{}
	err := casesIn(h.db, func(id event.CaseID, body []byte) error { out[id] = append([]byte(nil), body...); return nil })
	return out, err
}

func casesIn(r pebble.Reader, do func(event.CaseID, []byte) error) error {
	return under(r, []byte{tabCase}, func(k, v []byte) error {
		if len(k) != 9 {
			return errors.New("unreadable case id")
		}
		return do(event.CaseID(binary.BigEndian.Uint64(k[1:])), v)
	})
}
