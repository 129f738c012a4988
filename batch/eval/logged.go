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
)

// choice is one line of a log: what was shown where, to whom, with what probability, and
// what came of it.
type choice struct {
	item, place string // place: the position, "" if the log has none
	context     string // position and context columns: what the reward model tells apart
	reward      float64
	propensity  float64
}

// columns name what is read from a log.
type columns struct {
	Item, Position, Reward, Propensity string
	Context                            []string
}

// readChoices reads a log: CSV with a header. Without a column for the position all rows
// have one. Errors name file, line and column.
func readChoices(name string, r io.Reader, c columns) ([]choice, error) {
	t, err := openTable(name, r, slices.Concat([]string{c.Item, c.Reward, c.Propensity}, c.Context))
	if err != nil {
		return nil, err
	}
	var out []choice
	err = t.each(func() error {
		x := choice{item: t.text(c.Item), place: t.text(c.Position)}
		context := []string{x.place}
		for _, name := range c.Context {
			context = append(context, t.text(name))
		}
		x.context = strings.Join(context, "|")
		if x.item == "" {
			return t.wrong(c.Item, "want the item shown")
		}
		var err error
		if x.reward, err = t.number(c.Reward); err != nil {
			return err
		}
		if x.propensity, err = t.number(c.Propensity); err != nil {
			return err
		}
		if !(x.propensity > 0 && x.propensity <= 1) {
			return t.wrong(c.Propensity, "want a probability above 0, to 1")
		}
		out = append(out, x)
		return nil
	})
	if err == nil && len(out) < 2 {
		err = fmt.Errorf("%s has %d logged choices, want at least 2", name, len(out))
	}
	return out, err
}

// probabilities are a policy: place → item → probability.
type probabilities map[string]map[string]float64

// frequencies are the shares of items at each place of a log.
func frequencies(log []choice) probabilities {
	count, out := map[string]float64{}, probabilities{}
	for _, c := range log {
		if out[c.place] == nil {
			out[c.place] = map[string]float64{}
		}
		out[c.place][c.item]++
		count[c.place]++
	}
	for place, items := range out {
		for item := range items {
			items[item] /= count[place]
		}
	}
	return out
}

// readProbabilities reads a policy: CSV with a header, the columns of item, position (if
// the log has one) and probability. The probabilities at each position must sum to 1.
func readProbabilities(name string, r io.Reader, c columns, probability string) (probabilities, error) {
	t, err := openTable(name, r, []string{c.Item, probability})
	if err != nil {
		return nil, err
	}
	out := probabilities{}
	err = t.each(func() error {
		place, item := t.text(c.Position), t.text(c.Item)
		p, err := t.number(probability)
		if err != nil {
			return err
		}
		if !(p >= 0 && p <= 1) {
			return t.wrong(probability, "want a probability of 0 to 1")
		}
		if out[place] == nil {
			out[place] = map[string]float64{}
		}
		if _, twice := out[place][item]; twice {
			return t.wrong(c.Item, "this item stands twice at its position")
		}
		out[place][item] = p
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%s has no probability after its header", name)
	}
	for _, place := range slices.Sorted(maps.Keys(out)) {
		sum := 0.0
		for _, p := range out[place] {
			sum += p
		}
		if math.Abs(sum-1) > 1e-6 {
			return nil, fmt.Errorf("%s: the probabilities at position %q sum to %v, want 1", name, place, sum)
		}
	}
	return out, nil
}

// table reads CSV by the names of its columns.
type table struct {
	name string
	in   *csv.Reader
	at   map[string]int
	row  []string
	line int
}

// openTable reads the header, which must have these columns; another that it lacks reads
// as "".
func openTable(name string, r io.Reader, must []string) (*table, error) {
	t := &table{name: name, in: csv.NewReader(r), at: map[string]int{}}
	t.in.ReuseRecord = true
	head, err := t.in.Read()
	if err != nil {
		return nil, fmt.Errorf("reading the header of %s: %w", name, err)
	}
	for i, h := range head {
		t.at[strings.TrimPrefix(h, "\ufeff")] = i
	}
	for _, c := range must {
		if _, ok := t.at[c]; !ok {
			return nil, fmt.Errorf("%s, line 1: no column %q; it has %s", name, c, strings.Join(head[:min(12, len(head))], ", "))
		}
	}
	return t, nil
}

// each calls do for every line.
func (t *table) each(do func() error) error {
	for {
		row, err := t.in.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading %s: %w", t.name, err) // says the line
		}
		t.row = row
		t.line, _ = t.in.FieldPos(0)
		if err := do(); err != nil {
			return err
		}
	}
}

func (t *table) text(column string) string {
	if i, ok := t.at[column]; ok {
		return t.row[i]
	}
	return ""
}

func (t *table) number(column string) (float64, error) {
	v, err := strconv.ParseFloat(t.text(column), 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return 0, t.wrong(column, "want a number")
	}
	return v, nil
}

func (t *table) wrong(column, want string) error {
	return fmt.Errorf("%s, line %d, column %s: %q: %s", t.name, t.line, column, t.text(column), want)
}
