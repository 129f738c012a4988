package local

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/parquet-go/parquet-go"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/event"
)

// day is one compacted ingest day. The Parquet file itself says its generation
// and how far of the log it covers, so that file and knowledge of it cannot part
// for good; the state store remembers the rest.
type day struct {
	Day        string `json:"day"`
	Rows       int64  `json:"rows"`
	SHA256     string `json:"sha256"`
	Generation int64  `json:"generation"` // rises whenever the day is written again
	Covered    uint64 `json:"covered"`    // rows of this day below this number of the log are in, or were dropped
}

const (
	dayGeneration = "handschlag.generation"
	dayCovered    = "handschlag.covered"
)

func dayOf(ms int64) string { return time.UnixMilli(ms).UTC().Format(time.DateOnly) }

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
	sum := sha256.New()
	if _, err := io.Copy(sum, io.NewSectionReader(f, 0, size)); err != nil {
		return day{}, fmt.Errorf("reading %s: %w", path, err)
	}
	pf, err := parquet.OpenFile(f, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return day{}, fmt.Errorf("damaged file %s at offset 0: %w", path, err)
	}
	d := day{Day: name, Rows: pf.NumRows(), SHA256: hex.EncodeToString(sum.Sum(nil))}
	generation, _ := pf.Lookup(dayGeneration)
	covered, _ := pf.Lookup(dayCovered)
	d.Generation, err = strconv.ParseInt(generation, 10, 64)
	if err == nil {
		d.Covered, err = strconv.ParseUint(covered, 10, 64)
	}
	if err != nil {
		return day{}, fmt.Errorf("damaged file %s at offset 0: it does not say its generation: %w", path, err)
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

// dayFile is a day's Parquet file, open for reading. A nil one has no rows.
type dayFile struct {
	file vfs.File
	pf   *parquet.File
}

func (h *Host) openDay(name string) (*dayFile, error) {
	path := h.dayPath(name)
	f, size, err := h.openRead(path)
	if err != nil {
		return nil, err
	}
	pf, err := parquet.OpenFile(f, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("damaged file %s at offset 0: %w", path, err), f.Close())
	}
	return &dayFile{f, pf}, nil
}

func (d *dayFile) close() error {
	if d == nil {
		return nil
	}
	return d.file.Close()
}

// column reads a whole column of 16-byte values of one row group.
func column(g parquet.RowGroup, name string) ([]byte, error) {
	leaf, found := g.Schema().Lookup(name)
	if !found {
		return nil, fmt.Errorf("no column %s", name)
	}
	pages := g.ColumnChunks()[leaf.ColumnIndex].Pages()
	out := make([]byte, 0, 16*g.NumRows())
	for {
		p, err := pages.ReadPage()
		if errors.Is(err, io.EOF) {
			return out, pages.Close()
		}
		if err != nil {
			return nil, errors.Join(fmt.Errorf("reading column %s: %w", name, err), pages.Close())
		}
		data := p.Data()
		values, size := data.FixedLenByteArray()
		if size != 16 {
			return nil, errors.Join(fmt.Errorf("column %s is not one of UUIDs", name), pages.Close())
		}
		out = append(out, values...)
		parquet.Release(p)
	}
}

// count adds how many rows each bucket has.
func (d *dayFile) count(bucket *[consent.Buckets]int32) error {
	if d == nil {
		return nil
	}
	for _, g := range d.pf.RowGroups() {
		values, err := column(g, "subject")
		if err != nil {
			return err
		}
		for i := 0; i+16 <= len(values); i += 16 {
			bucket[consent.Subject(values[i:]).Bucket()]++
		}
	}
	return nil
}

// holdsAny reports whether a day has rows of one of the subjects.
func (d *dayFile) holdsAny(subjects map[[16]byte]bool) (bool, error) {
	for _, g := range d.pf.RowGroups() {
		values, err := column(g, "subject")
		if err != nil {
			return false, err
		}
		var last [16]byte
		for i := 0; i+16 <= len(values); i += 16 {
			s := [16]byte(values[i:])
			if (i == 0 || s != last) && subjects[s] {
				return true, nil
			}
			last = s
		}
	}
	return false, nil
}

// keys goes through a day's message keys by rising subject.
type keys struct {
	groups            []parquet.RowGroup
	subjects, message []byte
}

// of gives the message keys of a subject; subjects must be asked for in rising order.
func (k *keys) of(subject [16]byte, each func(key [16]byte)) error {
	for {
		for len(k.subjects) >= 16 {
			s := [16]byte(k.subjects)
			if less(subject, s) {
				return nil
			}
			if s == subject {
				each([16]byte(k.message))
			}
			k.subjects, k.message = k.subjects[16:], k.message[16:]
		}
		if len(k.groups) == 0 {
			return nil
		}
		var err error
		if k.subjects, err = column(k.groups[0], "subject"); err != nil {
			return err
		}
		if k.message, err = column(k.groups[0], "message_key"); err != nil {
			return err
		}
		if len(k.subjects) != len(k.message) {
			return errors.New("columns subject and message_key differ in length")
		}
		k.groups = k.groups[1:]
	}
}

// rows goes through a day's rows in order of bucket.
type rows struct {
	reader *parquet.GenericReader[event.Row]
	buf    []event.Row
	left   []event.Row
	enc    []byte
}

func (d *dayFile) rows() *rows {
	if d == nil {
		return &rows{}
	}
	return &rows{reader: parquet.NewGenericReader[event.Row](d.pf), buf: make([]event.Row, 512)}
}

// upTo adds the rows whose bucket is below limit and that were not yet given.
func (r *rows) upTo(limit int32, into *shard) error {
	return r.each(limit, func(row *event.Row) error {
		r.enc = appendRow(r.enc[:0], row)
		into.add(peeked{row.Subject, row.MessageKey, row.ReceivedMS, row.OccurredMS}, r.enc)
		return nil
	})
}

// each calls do for the rows whose bucket is below limit and that were not yet given.
func (r *rows) each(limit int32, do func(*event.Row) error) error {
	for {
		for i := range r.left {
			if r.left[i].Bucket >= limit {
				r.left = r.left[i:]
				return nil
			}
			if err := do(&r.left[i]); err != nil {
				return err
			}
		}
		r.left = nil
		if r.reader == nil {
			return nil
		}
		clear(r.buf)
		n, err := r.reader.Read(r.buf)
		if r.left = r.buf[:n]; errors.Is(err, io.EOF) {
			err = r.reader.Close()
			r.reader = nil
		}
		if err != nil {
			return fmt.Errorf("reading rows: %w", err)
		}
	}
}
