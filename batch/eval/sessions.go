package eval

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
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

// term is a feature made of one column, or of two: A/B (0 where B is 0) or A*B.
type term struct {
	need.Feature
	columns []int
	by      byte // '/' or '*', 0 for one column
}

// term reads COLUMN, COLUMN:SHAPE, A/B:SHAPE or A*B:SHAPE.
func (s sheet) term(text string) (t term, err error) {
	name, shape, shaped := strings.Cut(text, ":")
	t.Name = name
	if shaped {
		if t.Shape, err = need.ShapeOf(shape); err != nil {
			return t, fmt.Errorf("feature %s: %w", text, err)
		}
	}
	parts := []string{name}
	if i := strings.IndexAny(name, "/*"); i > 0 && !slices.Contains(s.head, name) {
		parts, t.by = []string{name[:i], name[i+1:]}, name[i]
	}
	for _, p := range parts {
		c, err := s.column(p)
		if err != nil {
			return t, err
		}
		t.columns = append(t.columns, c)
	}
	return t, nil
}

// value reads a feature. A name that the fit did not see is -1.
func (s sheet) value(t term, line int) (float64, error) {
	if t.Shape == need.Named {
		return float64(slices.Index(t.Levels, s.lines[line][t.columns[0]])), nil
	}
	a, err := s.number(line, t.columns[0])
	if err != nil || t.by == 0 {
		return a, err
	}
	b, err := s.number(line, t.columns[1])
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

// names learns the levels of a feature from lines.
func (s sheet) names(t *term, lines []int) {
	for _, line := range lines {
		if v := s.lines[line][t.columns[0]]; !slices.Contains(t.Levels, v) {
			t.Levels = append(t.Levels, v)
		}
	}
	slices.Sort(t.Levels)
}
