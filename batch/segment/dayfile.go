package segment

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	duckdb "github.com/duckdb/duckdb-go/v2"
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
	out  *parquet.GenericWriter[dayRow]
	rows []dayRow
	n    int64
}

func createDay(path string) (*dayFile, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("making folder: %w", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("writing daily rows: %w", err)
	}
	d := &dayFile{file: f, buf: bufio.NewWriterSize(f, 1<<18), rows: make([]dayRow, 0, 512)}
	d.out = parquet.NewGenericWriter[dayRow](d.buf, parquet.Compression(&codec.Codec{Level: zstd.SpeedFastest}),
		parquet.CreatedBy("handschlag", "1", ""), parquet.MaxRowsPerRowGroup(122_880))
	return d, nil
}

// add takes a row, and keeps nothing of its lists.
func (d *dayFile) add(r *dayRow) error {
	d.n++
	d.rows = append(d.rows, *r)
	last := &d.rows[len(d.rows)-1]
	last.Orders, last.Returns = append([]dayOrder(nil), r.Orders...), append([]dayReturn(nil), r.Returns...)
	if len(d.rows) < cap(d.rows) {
		return nil
	}
	return d.flush()
}

func (d *dayFile) flush() error {
	_, err := d.out.Write(d.rows)
	d.rows = d.rows[:0]
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

// eachRow gives the rows of a day's file, in order. A row is valid during the call.
func eachRow(path string, do func(*dayRow) error) (err error) {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("reading daily rows: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	r := parquet.NewGenericReader[dayRow](f)
	defer func() { err = errors.Join(err, r.Close()) }()
	for buf := make([]dayRow, 512); ; {
		clear(buf)
		n, err := r.Read(buf)
		for i := range buf[:n] {
			if err := do(&buf[i]); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading daily rows: %w", err)
		}
	}
}

// opensOf gives the sessions that a day's rows leave open, by rising subject.
func (n *night) opensOf(ctx context.Context, path string, w *words) (out []carried, err error) {
	query := fmt.Sprintf("select subject, open from read_parquet(%s) where open <> '' and %s order by subject", quote(path), n.part.hold("subject"))
	err = n.db.each(ctx, query, func(scan func(...any) error) error {
		var who duckdb.UUID
		var open string
		if err := scan(&who, &open); err != nil {
			return err
		}
		c := carried{subject: consent.Subject(who)}
		c.acts, err = goOn(open, w, nil)
		out = append(out, c)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading open sessions: %w", err)
	}
	return out, nil
}
