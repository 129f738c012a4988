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
// night, and removed with it.
type windowFile struct {
	file    *os.File
	buf     *bufio.Writer
	out     *parquet.GenericWriter[any]
	place   []int // of windowColumns among the file's columns
	columns [][]parquet.Value
	persons []byte
	values  []int64
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
		group[name] = parquet.Int(64)
	}
	w := &windowFile{file: f, buf: bufio.NewWriterSize(f, 1<<18), persons: make([]byte, 0, 16*rowsTogether)}
	schema := parquet.NewSchema("windows", group)
	w.out = parquet.NewGenericWriter[any](w.buf, schema, parquet.Compression(&parquet.Snappy))
	for _, name := range append([]string{"person"}, windowColumns...) {
		leaf, _ := schema.Lookup(name)
		w.place = append(w.place, leaf.ColumnIndex)
	}
	w.columns = make([][]parquet.Value, len(w.place))
	return w, nil
}

// add writes a person's row, if the person came.
func (w *windowFile) add(person consent.Subject, s *sums) error {
	values, came := s.values(w.values)
	w.values = values
	if !came {
		return nil
	}
	w.persons = append(w.persons, person[:]...)
	w.columns[0] = append(w.columns[0], parquet.FixedLenByteArrayValue(w.persons[len(w.persons)-16:]))
	for i, x := range values {
		w.columns[i+1] = append(w.columns[i+1], parquet.Int64Value(x))
	}
	if w.n++; len(w.columns[0]) < rowsTogether {
		return nil
	}
	if err := w.flush(); err != nil || w.n%rowsOfWindows != 0 {
		return err
	}
	return w.out.Flush()
}

func (w *windowFile) flush() error {
	writers := w.out.ColumnWriters()
	for i, values := range w.columns {
		if _, err := writers[w.place[i]].WriteRowValues(values); err != nil {
			return err
		}
		w.columns[i] = values[:0]
	}
	w.persons = w.persons[:0]
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
