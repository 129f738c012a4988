package eval

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/handschlag/handschlag/batch/learn/need"
)

// sheet is a CSV file with a header, as text.
type sheet struct {
	name  string
	head  []string
	lines [][]string
}

func readSheet(name string, r io.Reader) (sheet, error) {
	c := csv.NewReader(r)
	head, err := c.Read()
	if errors.Is(err, io.EOF) {
		return sheet{}, fmt.Errorf("%s, line 1: there is no header", name)
	}
	if err != nil {
		return sheet{}, fmt.Errorf("reading %s: %w", name, err)
	}
	lines, err := c.ReadAll()
	if err != nil {
		return sheet{}, fmt.Errorf("reading %s: %w", name, err)
	}
	head[0] = strings.TrimPrefix(head[0], "\ufeff")
	return sheet{name, head, lines}, nil
}

// column finds a column by its name.
func (s sheet) column(name string) (int, error) {
	if i := slices.Index(s.head, name); i >= 0 {
		return i, nil
	}
	return 0, fmt.Errorf("%s, line 1: there is no column %q; there are %s", s.name, name, strings.Join(s.head, ", "))
}

// have wants each of these values in some row of a column.
func (s sheet) have(column int, values ...string) error {
	seen := map[string]bool{}
	for _, cells := range s.lines {
		seen[strings.TrimSpace(cells[column])] = true
	}
	for _, v := range values {
		if !seen[v] {
			return fmt.Errorf("%s, column %d (%s): no row has %q; there are %s", s.name, column+1, s.head[column], v, listed(slices.Sorted(maps.Keys(seen))))
		}
	}
	return nil
}

// number reads a cell; TRUE is 1, FALSE 0.
func (s sheet) number(line, column int) (float64, error) {
	text := s.lines[line][column]
	switch strings.ToLower(text) {
	case "true":
		return 1, nil
	case "false":
		return 0, nil
	}
	x, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
		return 0, fmt.Errorf("%s, line %d, column %d (%s): %q is no number; if these are names, write the feature as %s:named", s.name, line+2, column+1, s.head[column], text, s.head[column])
	}
	return x, nil
}

// term is a feature made of one column, of a sum or difference of columns, or of two of these: A/B (0
// where B is 0) or A*B.
type term struct {
	need.Feature
	sides   [][]addend // one, or two
	by      byte       // '/' or '*', 0 for one side
	columns []int      // all that are read
}

// addend is a column that is added, or taken away.
type addend struct {
	column int
	sign   float64
}

// term reads SIDE, SIDE/SIDE or SIDE*SIDE, each with :SHAPE; a side is COLUMN, A+B or A-B. A column
// whose own name holds such a sign is read whole.
func (s sheet) term(text string) (t term, err error) {
	name, shape, shaped := strings.Cut(text, ":")
	t.Name = name
	if shaped {
		if t.Shape, err = need.ShapeOf(shape); err != nil {
			return t, fmt.Errorf("feature %s: %w", text, err)
		}
	}
	sides := []string{name}
	if i := strings.IndexAny(name, "/*"); i > 0 && !slices.Contains(s.head, name) {
		sides, t.by = []string{name[:i], name[i+1:]}, name[i]
	}
	for _, side := range sides {
		of, err := s.side(side)
		if err != nil {
			return t, err
		}
		t.sides = append(t.sides, of)
		for _, a := range of {
			t.columns = append(t.columns, a.column)
		}
	}
	if t.Shape == need.Named && len(t.columns) > 1 {
		return t, fmt.Errorf("feature %s: names are of one column", text)
	}
	return t, nil
}

// side reads COLUMN, or columns with + and - between.
func (s sheet) side(text string) (out []addend, err error) {
	sign := 1.0
	for rest := text; ; {
		name, i := rest, -1
		if !slices.Contains(s.head, rest) {
			i = strings.IndexAny(rest, "+-")
		}
		if i > 0 {
			name = rest[:i]
		}
		c, err := s.column(name)
		if err != nil {
			return nil, err
		}
		out = append(out, addend{c, sign})
		if i <= 0 {
			return out, nil
		}
		if sign = 1; rest[i] == '-' {
			sign = -1
		}
		rest = rest[i+1:]
	}
}

// value reads a feature. A name that the fit did not see is -1.
func (s sheet) value(t term, line int) (float64, error) {
	if t.Shape == need.Named {
		return float64(slices.Index(t.Levels, s.lines[line][t.columns[0]])), nil
	}
	a, err := s.sum(t.sides[0], line)
	if err != nil || t.by == 0 {
		return a, err
	}
	b, err := s.sum(t.sides[1], line)
	switch {
	case err != nil:
		return 0, err
	case t.by == '*':
		return a * b, nil
	case b == 0:
		return 0, nil
	}
	return a / b, nil
}

func (s sheet) sum(side []addend, line int) (sum float64, err error) {
	for _, a := range side {
		x, err := s.number(line, a.column)
		if err != nil {
			return 0, err
		}
		sum += a.sign * x
	}
	return sum, nil
}

// names learns the levels of a feature from lines.
func (s sheet) names(t *term, lines []int) {
	for _, line := range lines {
		if v := s.lines[line][t.columns[0]]; !slices.Contains(t.Levels, v) {
			t.Levels = append(t.Levels, v)
		}
	}
	slices.Sort(t.Levels)
}
