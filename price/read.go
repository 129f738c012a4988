package price

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// BadLine is what is wrong with one line of an import.
type BadLine struct {
	Line int
	Text string
}

// BadLines are all that is wrong with an import, in the order of the lines.
type BadLines []BadLine

func (b BadLines) Error() string {
	var s strings.Builder
	for i, l := range b {
		if i == 100 {
			fmt.Fprintf(&s, "\nand %d more lines", len(b)-i)
			break
		}
		if i > 0 {
			s.WriteByte('\n')
		}
		fmt.Fprintf(&s, "line %d: %s", l.Line, l.Text)
	}
	return s.String()
}

// Columns is the header of a price file.
var Columns = []string{"product_id", "storefront", "channel", "currency", "from", "to", "gross_cents", "announced"}

// ReadHistory reads a price file: CSV with the header of Columns, times in RFC
// 3339, half-open intervals, an empty "to" for one that is still in force. The
// result is in the order of Merge. If any line is bad the error is BadLines with
// every bad line (an overlap names both), and no interval counts.
func ReadHistory(r io.Reader) ([]Interval, error) {
	f := file{in: csv.NewReader(r)}
	f.in.FieldsPerRecord = -1
	if err := f.read(); err != nil {
		return nil, fmt.Errorf("reading prices: %w", err)
	}
	f.order()
	if len(f.bad) > 0 {
		slices.SortStableFunc(f.bad, func(a, b BadLine) int { return a.Line - b.Line })
		return nil, f.bad
	}
	out := make([]Interval, len(f.rows))
	for i, r := range f.rows {
		out[i] = r.Interval
	}
	return out, nil
}

type file struct {
	in   *csv.Reader
	rows []row
	bad  BadLines
}

type row struct {
	Interval
	line int
}

func (f *file) wrong(line int, err error) {
	f.bad = append(f.bad, BadLine{line, strings.ReplaceAll(err.Error(), "\n", "; ")})
}

func (f *file) read() error {
	head, err := f.in.Read()
	if err != nil {
		return fmt.Errorf("reading the header: %w", err)
	}
	head[0] = strings.TrimPrefix(head[0], "\ufeff")
	if !slices.Equal(head, Columns) {
		f.wrong(1, fmt.Errorf("the header wants %s", strings.Join(Columns, ",")))
		return nil
	}
	for {
		cells, err := f.in.Read()
		var syntax *csv.ParseError
		switch {
		case err == io.EOF:
			return nil
		case errors.As(err, &syntax):
			f.wrong(syntax.StartLine, syntax.Err)
			continue
		case err != nil:
			return err
		}
		line, _ := f.in.FieldPos(0)
		if len(cells) != len(Columns) {
			f.wrong(line, fmt.Errorf("want %d columns, got %d", len(Columns), len(cells)))
			continue
		}
		i, err := interval(cells)
		if err == nil {
			err = i.Check()
		}
		if err != nil {
			f.wrong(line, err)
			continue
		}
		f.rows = append(f.rows, row{i, line})
	}
}

func interval(c []string) (Interval, error) {
	i := Interval{Product: c[0], Storefront: c[1], Channel: c[2], Currency: c[3], Announced: c[7] == "true"}
	var wrong []error
	var err error
	if i.From, err = time.Parse(time.RFC3339, c[4]); err != nil {
		wrong = append(wrong, errors.New("from wants an RFC 3339 time"))
	}
	if c[5] != "" {
		if i.To, err = time.Parse(time.RFC3339, c[5]); err != nil {
			wrong = append(wrong, errors.New("to wants an RFC 3339 time, or nothing"))
		}
		i.To = i.To.UTC()
	}
	i.From = i.From.UTC()
	if i.GrossCents, err = strconv.ParseInt(c[6], 10, 64); err != nil {
		wrong = append(wrong, errors.New("gross_cents wants a whole number"))
	}
	if c[7] != "true" && c[7] != "false" {
		wrong = append(wrong, errors.New("announced wants true or false"))
	}
	return i, errors.Join(wrong...)
}

// order sorts the rows and finds those that overlap an earlier one.
func (f *file) order() {
	slices.SortStableFunc(f.rows, func(a, b row) int { return inOrder(a.Interval, b.Interval) })
	var furthest row // of its series: the one that ends last
	for n, r := range f.rows {
		if n > 0 && overlap(furthest.Interval, r.Interval) {
			f.wrong(max(r.line, furthest.line), fmt.Errorf("overlaps line %d", min(r.line, furthest.line)))
		}
		if n == 0 || key(furthest.Interval) != key(r.Interval) || !furthest.To.IsZero() && r.open(furthest.To) {
			furthest = r
		}
	}
}
