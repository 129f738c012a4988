package segment

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding"
)

// cells are the texts of one column of a row group as CSV shows them; a text of many rows is
// there once.
type cells struct {
	texts [][]byte
	which []int32 // its text, row by row
}

// cells reads a column of texts or dates, none of which is missing.
func (f *columnFile) cells(g parquet.RowGroup, into *cells, name string) error {
	c, err := f.chunk(g, name)
	if err != nil {
		return err
	}
	into.texts, into.which = into.texts[:0], into.which[:0]
	return c.pages(func(p parquet.Page) error {
		data, dict := p.Data(), p.Dictionary()
		switch {
		case p.NumNulls() > 0:
			return fmt.Errorf("reading column %s: a value is missing", name)
		case dict == nil:
			for i := range p.NumValues() {
				into.which = append(into.which, int32(len(into.texts))+int32(i))
			}
		default:
			into.which = append(into.which, data.Int32()...)
			if len(into.texts) > 0 {
				return nil
			}
			data = dict.Page().Data()
		}
		into.texts = asTexts(into.texts, data)
		return nil
	})
}

// asTexts adds values as CSV shows them; numbers are days since 1970.
func asTexts(into [][]byte, values encoding.Values) [][]byte {
	if values.Kind() == encoding.Int32 {
		for _, day := range values.Int32() {
			into = append(into, time.Unix(int64(day)*86400, 0).UTC().AppendFormat(nil, time.DateOnly))
		}
		return into
	}
	body, ends := values.ByteArray()
	body = bytes.Clone(body) // the page's own is used again
	for i := range max(len(ends), 1) - 1 {
		into = append(into, csvCell(body[ends[i]:ends[i+1]:ends[i+1]]))
	}
	return into
}

// csvCell is a text as RFC 4180 has it, which no spreadsheet takes for a formula.
func csvCell(text []byte) []byte {
	if plainText(text) {
		return text
	}
	cell := safeCell(string(text))
	if strings.ContainsAny(cell, ",\"\r\n") {
		cell = `"` + strings.ReplaceAll(cell, `"`, `""`) + `"`
	}
	return []byte(cell)
}

// plainText reports texts of small letters, digits and underscores, as nearly all are.
func plainText(text []byte) bool {
	for _, b := range text {
		if !plainBytes[b] {
			return false
		}
	}
	return true
}

var plainBytes = func() (plain [256]bool) {
	for _, b := range []byte("abcdefghijklmnopqrstuvwxyz0123456789_") {
		plain[b] = true
	}
	return plain
}()

// asCSV writes the rows of a finished Parquet file once more as CSV, with the same columns in
// the same order, and makes the file durable.
func asCSV(path, to string, columns []string) (err error) {
	in, err := openColumns(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.close()) }()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Sync(), out.Close()) }()
	if _, err := out.WriteString(strings.Join(columns, ",") + "\n"); err != nil {
		return err
	}
	read, lines := make([]cells, len(columns)), []byte(nil)
	for _, g := range in.pf.RowGroups() {
		for i, name := range columns {
			if err := in.cells(g, &read[i], name); err != nil {
				return err
			}
		}
		if lines, err = appendLines(lines[:0], read); err != nil {
			return err
		}
		if _, err := out.Write(lines); err != nil {
			return err
		}
	}
	return nil
}

// appendLines adds the rows of a row group, a line each.
func appendLines(lines []byte, columns []cells) ([]byte, error) {
	for _, c := range columns {
		if len(c.which) != len(columns[0].which) {
			return nil, errors.New("its columns have not the same number of rows")
		}
	}
	for row := range columns[0].which {
		for i, c := range columns {
			if i > 0 {
				lines = append(lines, ',')
			}
			lines = append(lines, c.texts[c.which[row]]...)
		}
		lines = append(lines, '\n')
	}
	return lines, nil
}
