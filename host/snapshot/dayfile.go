package snapshot

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/parquet-go/parquet-go"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/event"
)

// Day is one compacted ingest day. The Parquet file itself says its generation
// and how far of a log it covers, so that file and knowledge of it cannot part
// for good.
type Day struct {
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

// DayOf names the ingest day of a time in milliseconds.
func DayOf(ms int64) string { return time.UnixMilli(ms).UTC().Format(time.DateOnly) }

// DayFile is a day's Parquet file, open for reading. A nil one has no rows.
type DayFile struct {
	pf    *parquet.File
	close func() error
}

// File is what a day is read from: a file of any file system.
type File interface {
	io.ReaderAt
	io.Closer
}

// OpenDay reads the footer of a day's file, which it closes when that fails.
func OpenDay(f File, size int64) (*DayFile, error) {
	pf, err := openParquet(f, size)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &DayFile{pf, f.Close}, nil
}

func openParquet(f io.ReaderAt, size int64) (*parquet.File, error) {
	return parquet.OpenFile(f, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
}

// InspectDay reads what a day's file says of itself, and its digest.
func InspectDay(name string, f io.ReaderAt, size int64) (Day, error) {
	sum := sha256.New()
	if _, err := io.Copy(sum, io.NewSectionReader(f, 0, size)); err != nil {
		return Day{}, err
	}
	pf, err := openParquet(f, size)
	if err != nil {
		return Day{}, err
	}
	d := Day{Day: name, Rows: pf.NumRows(), SHA256: hex.EncodeToString(sum.Sum(nil))}
	generation, _ := pf.Lookup(dayGeneration)
	covered, _ := pf.Lookup(dayCovered)
	d.Generation, err = strconv.ParseInt(generation, 10, 64)
	if err == nil {
		d.Covered, err = strconv.ParseUint(covered, 10, 64)
	}
	if err != nil {
		return Day{}, fmt.Errorf("it does not say its generation: %w", err)
	}
	return d, nil
}

// Close lets go of the file.
func (d *DayFile) Close() error {
	if d == nil {
		return nil
	}
	return d.close()
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

// subjects gives the subject of every row, in the order of rows, while do says so.
func (d *DayFile) subjects(do func([16]byte) bool) error {
	if d == nil {
		return nil
	}
	for _, g := range d.pf.RowGroups() {
		values, err := column(g, "subject")
		if err != nil {
			return err
		}
		for i := 0; i+16 <= len(values); i += 16 {
			if !do([16]byte(values[i:])) {
				return nil
			}
		}
	}
	return nil
}

// Count adds how many rows each bucket has.
func (d *DayFile) Count(bucket *[consent.Buckets]int32) error {
	return d.subjects(func(s [16]byte) bool { bucket[consent.Subject(s).Bucket()]++; return true })
}

// HoldsAny reports whether a day has rows of a subject that is asked for. It asks
// once for neighbouring rows of one subject.
func (d *DayFile) HoldsAny(asked func(consent.Subject) bool) (found bool, err error) {
	var last [16]byte
	begun := false
	err = d.subjects(func(s [16]byte) bool {
		if !begun || s != last {
			found = asked(s)
		}
		last, begun = s, true
		return !found
	})
	return found, err
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

func (d *DayFile) rows() *rows {
	if d == nil {
		return &rows{}
	}
	return &rows{reader: parquet.NewGenericReader[event.Row](d.pf), buf: make([]event.Row, 512)}
}

// Each gives every row, in order. A row is only valid during the call.
func (d *DayFile) Each(do func(*event.Row) error) error { return d.rows().each(consent.Buckets, do) }

// upTo adds the rows whose bucket is below limit and that were not yet given.
func (r *rows) upTo(limit int32, into *shard) error {
	return r.each(limit, func(row *event.Row) error {
		r.enc = AppendRow(r.enc[:0], row)
		into.add(Peeked{row.Subject, row.MessageKey, row.ReceivedMS, row.OccurredMS}, r.enc)
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

// EachColumn reads rows of a narrower shape: only T's columns.
func EachColumn[T any](d *DayFile, do func(*T) error) error {
	if d == nil {
		return nil
	}
	reader := parquet.NewGenericReader[T](d.pf)
	defer func() { _ = reader.Close() }() // only read
	buf := make([]T, 512)
	for {
		clear(buf)
		n, err := reader.Read(buf)
		for i := range buf[:n] {
			if e := do(&buf[i]); e != nil {
				return e
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
