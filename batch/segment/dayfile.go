package segment

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go"
	codec "github.com/parquet-go/parquet-go/compress/zstd"

	"github.com/handschlag/handschlag/consent"
)

// dayFile writes the rows of an ingest day, which come by rising subject. Equal rows
// give equal bytes.
type dayFile struct {
	file *os.File
	buf  *bufio.Writer
	out  *parquet.GenericWriter[dayRecord]
	rows []dayRecord
	body []byte // of the rows that wait
	n    int64
}

// rowsAtOnce is how many rows a row group of a day's file has: whoever reads all days
// at once holds one of each.
const rowsAtOnce = 4096

func createDay(path string) (*dayFile, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("making folder: %w", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("writing daily rows: %w", err)
	}
	d := &dayFile{file: f, buf: bufio.NewWriterSize(f, 1<<18), rows: make([]dayRecord, 0, 512)}
	d.out = parquet.NewGenericWriter[dayRecord](d.buf, parquet.Compression(&codec.Codec{Level: zstd.SpeedFastest}),
		parquet.CreatedBy("handschlag", "1", ""), parquet.MaxRowsPerRowGroup(rowsAtOnce), parquet.SkipPageBounds("row"), parquet.SkipPageBounds("open"))
	return d, nil
}

// add takes a row, and keeps nothing of its lists.
func (d *dayFile) add(r *dayRow) error {
	from := len(d.body)
	d.body = r.pack(d.body)
	return d.put(dayRecord{r.Day, r.Subject, r.FirstMS, d.body[from:len(d.body):len(d.body)], []byte(r.Open)})
}

// copy takes a row as it lies in another file.
func (d *dayFile) copy(r dayRecord) error {
	from := len(d.body)
	d.body = append(append(d.body, r.Row...), r.Open...)
	mid, end := from+len(r.Row), len(d.body)
	r.Row, r.Open = d.body[from:mid:mid], d.body[mid:end:end]
	return d.put(r)
}

func (d *dayFile) put(r dayRecord) error {
	d.n++
	if d.rows = append(d.rows, r); len(d.rows) < cap(d.rows) {
		return nil
	}
	return d.flush()
}

func (d *dayFile) flush() error {
	_, err := d.out.Write(d.rows)
	d.rows, d.body = d.rows[:0], d.body[:0]
	return err
}

// close makes the file durable.
func (d *dayFile) close() error {
	err := d.flush()
	err = errors.Join(err, d.out.Close(), d.buf.Flush(), d.file.Sync(), d.file.Close())
	if err != nil {
		return fmt.Errorf("writing daily rows: %w", err)
	}
	return nil
}

// dayReader reads the rows of a day's file, in order, a row group at a time.
type dayReader struct {
	*columnFile
	groups   []parquet.RowGroup // still to be read
	days     []int64
	subjects []byte
	first    []int64
	row      blobs
	open     blobs
	at       int  // in the row group
	lean     bool // neither days nor open sessions are read
}

func openDay(path string) (*dayReader, error) {
	f, err := openColumns(path)
	if err != nil {
		return nil, fmt.Errorf("reading daily rows: %w", err)
	}
	return &dayReader{columnFile: f, groups: f.pf.RowGroups()}, nil
}

// next reads the next row, which is valid until the row group ends; false after the last.
func (d *dayReader) next(r *dayRecord) (more bool, err error) {
	for d.at == len(d.first) {
		if len(d.groups) == 0 {
			return false, nil
		}
		if err := d.load(d.groups[0]); err != nil {
			return false, fmt.Errorf("reading daily rows: %w", err)
		}
		d.groups = d.groups[1:]
	}
	i := d.at
	d.at++
	r.Subject, r.FirstMS, r.Row = consent.Subject(d.subjects[16*i:16*i+16]), d.first[i], d.row.at(i)
	if !d.lean {
		r.Day, r.Open = int32(d.days[i]), d.open.at(i)
	}
	return true, nil
}

// skipTo leaves out row groups whose subjects all begin with less than a byte.
func (d *dayReader) skipTo(first byte) {
	leaf, found := d.pf.Schema().Lookup("subject")
	if !found {
		return
	}
	groups := d.pf.Metadata().RowGroups
	for len(d.groups) > 0 {
		most := groups[len(groups)-len(d.groups)].Columns[leaf.ColumnIndex].MetaData.Statistics.MaxValue
		if len(most) != 16 || most[0] >= first {
			return
		}
		d.groups = d.groups[1:]
	}
}

// load reads a row group.
func (d *dayReader) load(g parquet.RowGroup) (err error) {
	d.at = 0
	if d.subjects, err = d.columnFile.subjects(g, d.subjects); err != nil {
		return err
	}
	if err := errors.Join(d.ints(g, &d.first, "first_ms"), d.blobs(g, &d.row, "row")); err != nil {
		return err
	}
	n := len(d.first)
	if len(d.subjects) != 16*n || d.row.len() != n {
		return errors.New("columns differ in length")
	}
	if d.lean {
		return nil
	}
	if err := errors.Join(d.ints(g, &d.days, "day"), d.blobs(g, &d.open, "open")); err != nil {
		return err
	}
	if len(d.days) != n || d.open.len() != n {
		return errors.New("columns differ in length")
	}
	return nil
}

// eachRecord gives the rows of a day's file, in order, as they lie there. A row is
// valid during the call.
func eachRecord(path string, do func(dayRecord) error) (err error) {
	d, err := openDay(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	var r dayRecord
	for {
		more, err := d.next(&r)
		if err != nil || !more {
			return err
		}
		if err := do(r); err != nil {
			return err
		}
	}
}

// eachRow gives the rows of a day's file, in order. A row is valid during the call.
func eachRow(path string, do func(*dayRow) error) error {
	var row dayRow
	var c tally
	return eachRecord(path, func(r dayRecord) error {
		row.Day, row.Subject, row.FirstMS, row.Open = r.Day, r.Subject, r.FirstMS, string(r.Open)
		if err := row.unpack(r.Row, &c); err != nil {
			return fmt.Errorf("reading daily rows: %w", err)
		}
		row.take(&c)
		return do(&row)
	})
}

// opensOf gives the sessions that a day's rows leave open, by rising subject.
func (n *night) opensOf(path string, w *words) (out []carried, err error) {
	if path == "" {
		return nil, nil
	}
	return out, eachRecord(path, func(r dayRecord) error {
		if len(r.Open) == 0 || !n.part.holds(r.Subject) {
			return nil
		}
		acts, err := goOn(r.Open, w, nil)
		out = append(out, carried{r.Subject, acts})
		return err
	})
}
