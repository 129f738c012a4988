package segment

import (
	"bufio"
	"errors"
	"fmt"
	"os"

	"github.com/parquet-go/parquet-go"

	"github.com/handschlag/handschlag/consent"
)

// windowFile writes rows of windows: person and windowColumns. It is read again this
// night, and removed with it. Most numbers are small: deltas take no more room than a
// compression that costs ten times as much.
type windowFile struct {
	file    *os.File
	buf     *bufio.Writer
	out     *parquet.GenericWriter[any]
	place   []int   // of windowColumns among the file's columns
	rows    []int64 // that wait, one after the other
	persons []byte
	column  []parquet.Value // on its way into the file
	n       int64
}

// rowsOfWindows is how many rows a row group of windows has, rowsTogether how many are
// handed to it at a time.
const (
	rowsOfWindows = 32 << 10
	rowsTogether  = 1 << 10
)

func createWindows(path string) (*windowFile, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("writing windows: %w", err)
	}
	group := parquet.Group{"person": parquet.UUID()}
	for _, name := range windowColumns {
		group[name] = parquet.Encoded(parquet.Int(64), &parquet.DeltaBinaryPacked)
	}
	w := &windowFile{file: f, buf: bufio.NewWriterSize(f, 1<<18), persons: make([]byte, 0, 16*rowsTogether)}
	schema := parquet.NewSchema("windows", group)
	w.out = parquet.NewGenericWriter[any](w.buf, schema)
	for _, name := range append([]string{"person"}, windowColumns...) {
		leaf, _ := schema.Lookup(name)
		w.place = append(w.place, leaf.ColumnIndex)
	}
	return w, nil
}

// add writes a person's row, if the person came.
func (w *windowFile) add(person consent.Subject, s *sums) error {
	rows, came := s.values(w.rows)
	if w.rows = rows; !came {
		return nil
	}
	w.persons = append(w.persons, person[:]...)
	if w.n++; len(w.persons) < 16*rowsTogether {
		return nil
	}
	if err := w.flush(); err != nil || w.n%rowsOfWindows != 0 {
		return err
	}
	return w.out.Flush()
}

func (w *windowFile) flush() error {
	for i, place := range w.place {
		w.column = w.column[:0]
		if i == 0 {
			for at := 0; at < len(w.persons); at += 16 {
				w.column = append(w.column, parquet.FixedLenByteArrayValue(w.persons[at:at+16]))
			}
		} else {
			for at := i - 1; at < len(w.rows); at += len(windowColumns) {
				w.column = append(w.column, parquet.Int64Value(w.rows[at]))
			}
		}
		if _, err := w.out.ColumnWriters()[place].WriteRowValues(w.column); err != nil {
			return err
		}
	}
	w.persons, w.rows = w.persons[:0], w.rows[:0]
	return nil
}

func (w *windowFile) close() error {
	if err := errors.Join(w.flush(), w.out.Close(), w.buf.Flush(), w.file.Close()); err != nil {
		return fmt.Errorf("writing windows: %w", err)
	}
	return nil
}

// saleFile writes what orders came to.
type saleFile struct {
	file *os.File
	buf  *bufio.Writer
	out  *parquet.GenericWriter[saleRow]
	one  []saleRow
	n    int64
}

func createSales(path string) (*saleFile, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("writing sales: %w", err)
	}
	s := &saleFile{file: f, buf: bufio.NewWriterSize(f, 1<<16), one: make([]saleRow, 0, 512)}
	s.out = parquet.NewGenericWriter[saleRow](s.buf, parquet.Compression(&parquet.Snappy))
	return s, nil
}

func (s *saleFile) add(r saleRow) (err error) {
	s.n++
	if s.one = append(s.one, r); len(s.one) == cap(s.one) {
		_, err = s.out.Write(s.one)
		s.one = s.one[:0]
	}
	return err
}

func (s *saleFile) close() error {
	_, err := s.out.Write(s.one)
	if err = errors.Join(err, s.out.Close(), s.buf.Flush(), s.file.Close()); err != nil {
		return fmt.Errorf("writing sales: %w", err)
	}
	return nil
}
