package eval

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// splitRule says which rows train.
type splitRule struct {
	text   string
	modulo int // row i trains if i mod modulo < below
	below  int
	column string // or if the column has one of the values
	values []string
}

var moduloRule = regexp.MustCompile(`^row mod (\d+) < (\d+)$`)

// parseSplit reads "row mod 10 < 7" (rows counted from 0) or "Month in Feb, Mar". Spaces around
// values do not matter, here and in the file.
func parseSplit(text string) (splitRule, error) {
	if m := moduloRule.FindStringSubmatch(text); m != nil {
		a, errA := strconv.Atoi(m[1])
		b, errB := strconv.Atoi(m[2])
		if errA == nil && errB == nil && 0 < b && b < a {
			return splitRule{text: text, modulo: a, below: b}, nil
		}
	}
	if column, list, ok := strings.Cut(text, " in "); ok {
		r := splitRule{text: text, column: strings.TrimSpace(column)}
		for value := range strings.SplitSeq(list, ",") {
			if value = strings.TrimSpace(value); !slices.Contains(r.values, value) {
				r.values = append(r.values, value)
			}
		}
		if r.column != "" && !slices.Contains(r.values, "") {
			return r, nil
		}
	}
	return splitRule{}, fmt.Errorf(`the split %q is not understood; want "row mod 10 < 7" or "Month in Feb,Mar,May"`, text)
}

// lines gives the lines that train and those that are held out.
func (r splitRule) lines(s sheet) (train, held []int, err error) {
	column := -1
	if r.column != "" {
		if column, err = s.column(r.column); err != nil {
			return nil, nil, err
		}
		if err := s.have(column, r.values...); err != nil {
			return nil, nil, fmt.Errorf("the split %q: %w", r.text, err)
		}
	}
	for i, cells := range s.lines {
		if column >= 0 && slices.Contains(r.values, strings.TrimSpace(cells[column])) || column < 0 && i%r.modulo < r.below {
			train = append(train, i)
		} else {
			held = append(held, i)
		}
	}
	if len(train) == 0 || len(held) == 0 {
		return nil, nil, fmt.Errorf("%s: the split %q puts %d rows into training and %d into the hold-out", s.name, r.text, len(train), len(held))
	}
	return train, held, nil
}

// block numbers the values of the split's column, so that cross-validation leaves out
// whole ones as the split does; 0 (by chance) where rows are split by number, or there is one value.
func (r splitRule) block(s sheet, line int) uint64 {
	if len(r.values) < 2 {
		return 0
	}
	return uint64(slices.Index(r.values, strings.TrimSpace(s.lines[line][slices.Index(s.head, r.column)])) + 1)
}
