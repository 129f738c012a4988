package segment

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"
)

// openTable opens a CSV or Parquet file. want is told the header and names the columns
// to read, the number's first.
func openTable(path string, want func(header []string) ([]string, error)) (*crmReader, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	open := csvTable
	if strings.EqualFold(filepath.Ext(path), ".parquet") {
		open = parquetTable
	}
	r := &crmReader{close: f.Close}
	if r.each, err = open(f, want); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", filepath.Base(path), err), f.Close())
	}
	read := r.each
	r.each = func(row func(int, string, []string) error) error {
		if err := read(row); err != nil {
			return fmt.Errorf("reading the CRM file: %s: %w", filepath.Base(path), err)
		}
		return nil
	}
	return r, nil
}

type table = func(func(line int, number string, addresses []string) error) error

// csvTable reads RFC 4180, in UTF-8, with or without a byte order mark. Each call of
// what it returns reads from the first row.
func csvTable(f *os.File, want func([]string) ([]string, error)) (table, error) {
	start := func() (*csv.Reader, []int, error) {
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return nil, nil, err
		}
		in := bufio.NewReaderSize(f, 1<<20)
		if mark, err := in.Peek(3); err == nil && string(mark) == "\ufeff" {
			_, _ = in.Discard(3)
		}
		r := csv.NewReader(in)
		header, err := r.Read()
		if errors.Is(err, io.EOF) {
			err = errors.New("it is empty: want a header")
		}
		if err != nil {
			return nil, nil, err
		}
		names, err := want(header)
		if err != nil {
			return nil, nil, fmt.Errorf("line 1: %w", err)
		}
		places := make([]int, len(names))
		for i, name := range names {
			places[i] = slices.Index(header, name)
		}
		return r, places, nil
	}
	if _, _, err := start(); err != nil {
		return nil, err
	}
	return func(row func(int, string, []string) error) error {
		r, places, err := start()
		if err != nil {
			return err
		}
		return csvRowsOf(r, places, row)
	}, nil
}

func csvRowsOf(r *csv.Reader, places []int, row func(int, string, []string) error) error {
	for {
		fields, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err // names the line and the column
		}
		line, _ := r.FieldPos(0)
		values := make([]string, len(places))
		for i, at := range places {
			if values[i] = fields[at]; !utf8.ValidString(values[i]) {
				_, column := r.FieldPos(at)
				return fmt.Errorf("line %d, column %d: want UTF-8", line, column)
			}
		}
		if err := row(line, values[0], values[1:]); err != nil {
			return err
		}
	}
}

// parquetTable reads columns of text; customer numbers may be whole numbers.
func parquetTable(f *os.File, want func([]string) ([]string, error)) (table, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	in, err := parquet.OpenFile(f, info.Size())
	if err != nil {
		return nil, fmt.Errorf("it is no Parquet file: %w", err)
	}
	var header []string
	for _, path := range in.Schema().Columns() {
		header = append(header, strings.Join(path, "."))
	}
	names, err := want(header)
	if err != nil {
		return nil, err
	}
	places := map[int]int{} // leaf column to place among the names
	for i, name := range names {
		places[slices.Index(header, name)] = i
	}
	return func(row func(int, string, []string) error) error {
		line := 0
		for _, group := range in.RowGroups() {
			if err := parquetRows(group, names, places, &line, row); err != nil {
				return err
			}
		}
		return nil
	}, nil
}

func parquetRows(group parquet.RowGroup, names []string, places map[int]int, line *int, row func(int, string, []string) error) (err error) {
	rows := group.Rows()
	defer func() { err = errors.Join(err, rows.Close()) }()
	buf := make([]parquet.Row, 256)
	for {
		n, err := rows.ReadRows(buf)
		for _, r := range buf[:n] {
			*line++
			values := make([]string, len(names))
			for _, v := range r {
				i, asked := places[v.Column()]
				if !asked {
					continue
				}
				if values[i], err = textOf(v); err != nil {
					return fmt.Errorf("row %d, column %s: %w", *line, names[i], err)
				}
			}
			if err := row(*line, values[0], values[1:]); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("after row %d: %w", *line, err)
		}
	}
}

func textOf(v parquet.Value) (string, error) {
	switch {
	case v.IsNull():
		return "", nil
	case v.RepetitionLevel() > 0:
		return "", errors.New("want one value, not a list")
	case v.Kind() == parquet.Int32 || v.Kind() == parquet.Int64:
		return strconv.FormatInt(v.Int64(), 10), nil
	case v.Kind() != parquet.ByteArray:
		return "", fmt.Errorf("want text, or whole numbers, got %s", v.Kind())
	}
	s := strings.Clone(string(v.ByteArray()))
	if !utf8.ValidString(s) {
		return "", errors.New("want UTF-8")
	}
	return s, nil
}
