package local

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/handschlag/handschlag/host/snapshot"
)

// day is what the state store remembers of a compacted ingest day.
type day = snapshot.Day

func (h *Host) dayPath(name string) string {
	return h.disk.path("events", "dt="+name, "events.parquet")
}

// days reads all compacted days, in order, and holds each file against what is
// known of it.
func (h *Host) days() (out []day, err error) {
	err = under(h.db, []byte{tabDay}, func(_, v []byte) error {
		var d day
		if err := json.Unmarshal(v, &d); err != nil {
			return fmt.Errorf("unreadable day: %w", err)
		}
		out = append(out, d)
		return nil
	})
	if err != nil {
		return nil, err
	}
	for i := range out {
		if out[i], err = h.verifyDay(out[i]); err != nil {
			return nil, err
		}
	}
	return h.unknownDays(out)
}

// verifyDay compares a day's file with what is known of it. A newer generation
// was made durable just before a crash and counts.
func (h *Host) verifyDay(known day) (day, error) {
	found, err := h.inspectDay(known.Day)
	if err != nil {
		return day{}, err
	}
	if found == known || found.Generation > known.Generation {
		return found, nil
	}
	return day{}, fmt.Errorf("damaged file %s at offset 0: it has generation %d, %d rows and digest %.12s, want %d, %d and %.12s",
		h.dayPath(known.Day), found.Generation, found.Rows, found.SHA256, known.Generation, known.Rows, known.SHA256)
}

// unknownDays adds days whose first file was durable just before a crash.
func (h *Host) unknownDays(known []day) ([]day, error) {
	names, err := h.disk.List(h.disk.path("events"))
	if err != nil {
		return nil, fmt.Errorf("listing events: %w", err)
	}
	first, err := h.firstDay()
	if err != nil {
		return nil, err
	}
	has := map[string]bool{}
	for _, d := range known {
		has["dt="+d.Day] = true
	}
	for _, name := range names {
		if has[name] || len(name) != len("dt=2008-04-01") || name < "dt="+first {
			continue
		}
		d, err := h.inspectDay(name[len("dt="):])
		if errors.Is(err, fs.ErrNotExist) {
			continue // the folder was made, the file not yet
		}
		if err != nil {
			return nil, err
		}
		known = append(known, d)
	}
	sortDays(known)
	return known, nil
}

// inspectDay reads what a day's file says of itself, and its digest.
func (h *Host) inspectDay(name string) (day, error) {
	path := h.dayPath(name)
	f, size, err := h.openRead(path)
	if err != nil {
		return day{}, err
	}
	defer func() { _ = f.Close() }() // only read
	d, err := snapshot.InspectDay(name, f, size)
	if err != nil {
		return day{}, fmt.Errorf("damaged file %s at offset 0: %w", path, err)
	}
	return d, nil
}

func (h *Host) openRead(path string) (vfs.File, int64, error) {
	f, err := h.disk.Open(path)
	if err != nil {
		return nil, 0, fmt.Errorf("opening %s: %w", path, err)
	}
	info, err := f.Stat()
	if err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	return f, info.Size(), nil
}

func (h *Host) openDay(name string) (*snapshot.DayFile, error) {
	path := h.dayPath(name)
	f, size, err := h.openRead(path)
	if err != nil {
		return nil, err
	}
	d, err := snapshot.OpenDay(f, size)
	if err != nil {
		return nil, fmt.Errorf("damaged file %s at offset 0: %w", path, err)
	}
	return d, nil
}
