package local

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

// tally gathers counts between two flushes. Nothing acknowledged depends on a
// counter: a crash may lose what the last second counted.
type tally struct {
	sync.Mutex
	n map[hourName]int64
}

type hourName struct {
	hour int64
	name string
}

// Count adds to the hour's counters.
func (h *Host) Count(_ context.Context, at time.Time, names map[string]int64) error {
	hour := at.UTC().Truncate(time.Hour).Unix()
	h.tally.Lock()
	defer h.tally.Unlock()
	if h.tally.n == nil {
		h.tally.n = map[hourName]int64{}
	}
	for name, n := range names {
		h.tally.n[hourName{hour, name}] += n
	}
	return nil
}

// flushCounts adds what was gathered to the store. The lock is held until it is
// there, so that Counts sees everything once.
func (h *Host) flushCounts() error {
	h.tally.Lock()
	defer h.tally.Unlock()
	err := h.commit(pebble.NoSync, func(b *pebble.Batch) error {
		for at, n := range h.tally.n {
			if err := b.Merge(countKey(at.hour, at.name), binary.AppendVarint(nil, n), nil); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("writing counters: %w", err)
	}
	clear(h.tally.n)
	return nil
}

// hourBytes sorts hours before 1970 first.
func hourBytes(hour int64) []byte { return u64(uint64(hour) ^ 1<<63) }

func countKey(hour int64, name string) []byte {
	return key(tabCount, hourBytes(hour), []byte(name))
}

// Counts sums counters whose hour begins in [from, to).
func (h *Host) Counts(_ context.Context, from, to time.Time, prefix string) (map[string]int64, error) {
	if err := h.flushCounts(); err != nil {
		return nil, err
	}
	out := map[string]int64{}
	err := countsIn(h.db, from, to, func(_ time.Time, name string, n int64) error {
		if strings.HasPrefix(name, prefix) {
			out[name] += n
		}
		return nil
	})
	return out, err
}

func countsIn(r pebble.Reader, from, to time.Time, do func(hour time.Time, name string, n int64) error) error {
	upTo := func(t time.Time) []byte { // the first hour that does not begin before t
		hour := t.UTC().Truncate(time.Hour)
		if hour.Before(t) {
			hour = hour.Add(time.Hour)
		}
		return key(tabCount, hourBytes(hour.Unix()))
	}
	return each(r, upTo(from), upTo(to), func(k, v []byte) (bool, error) {
		n, w := binary.Varint(v)
		if len(k) < 9 || w != len(v) {
			return false, errors.New("unreadable counter")
		}
		hour := time.Unix(int64(binary.BigEndian.Uint64(k[1:9])^1<<63), 0).UTC()
		return true, do(hour, string(k[9:]), n)
	})
}
