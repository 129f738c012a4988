package fairness

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// cell counts rows and those with the outcome.
type cell struct{ n, with int64 }

// Outcome is a condition on one numeric column, such as speed_down<25.
type Outcome struct {
	Column string
	Op     string // < <= > >= =
	Than   float64
}

// ParseOutcome reads "column<number" with one of < <= > >= =.
func ParseOutcome(s string) (Outcome, error) {
	for _, op := range []string{"<=", ">=", "<", ">", "="} {
		if column, than, ok := strings.Cut(s, op); ok {
			n, err := strconv.ParseFloat(strings.TrimSpace(than), 64)
			if err != nil || strings.TrimSpace(column) == "" {
				break
			}
			return Outcome{strings.TrimSpace(column), op, n}, nil
		}
	}
	return Outcome{}, fmt.Errorf("outcome %q: want a column, one of < <= > >= =, and a number, such as speed_down<25", s)
}

func (o Outcome) String() string { return fmt.Sprintf("%s %s %g", o.Column, o.Op, o.Than) }

func (o Outcome) holds(v float64) bool {
	switch o.Op {
	case "<":
		return v < o.Than
	case "<=":
		return v <= o.Than
	case ">":
		return v > o.Than
	case ">=":
		return v >= o.Than
	}
	return v == o.Than
}

// Pair names the groups to compare in a column; a side may be several values.
type Pair struct {
	Column string
	Worse  []string
	Better []string
}

// ParsePair reads "column: value / value"; several values of a side are joined with "|".
func ParsePair(s string) (Pair, error) {
	column, sides, ok := strings.Cut(s, ":")
	a, b, two := strings.Cut(sides, "/")
	p := Pair{strings.TrimSpace(column), values(a), values(b)}
	if !ok || !two || p.Column == "" || len(p.Worse) == 0 || len(p.Better) == 0 {
		return Pair{}, fmt.Errorf("comparison %q: want column:group/group, such as income_level:Low/Upper Income; several values of a side with |", s)
	}
	for _, v := range p.Worse {
		if slices.Contains(p.Better, v) {
			return Pair{}, fmt.Errorf("comparison %q: %q stands on both sides", s, v)
		}
	}
	return p, nil
}

func values(s string) []string {
	var out []string
	for _, v := range strings.Split(s, "|") {
		if v = strings.TrimSpace(v); v != "" {
			out = append(out, v)
		}
	}
	return out
}

// Question is what to ask of a table of offers.
type Question struct {
	Outcome Outcome
	Pairs   []Pair
	Cluster string // column whose equal values belong together; "": rows are independent
	Price   string // column with the price, to say whether all paid the same; "": not asked
}

// Answer is what a table of offers shows.
type Answer struct {
	Rows        int64              `json:"rows"`
	Outcome     string             `json:"outcome"`
	Prices      map[string]int64   `json:"prices,omitempty"` // rows by price as written
	Comparisons []Comparison       `json:"comparisons"`
	Shares      map[string][]Share `json:"shares"` // column → every value of it, sorted
}

// Unfair reports whether any comparison found a disparity.
func (a Answer) Unfair() bool {
	return slices.ContainsFunc(a.Comparisons, func(c Comparison) bool { return c.Verdict == Disparity })
}

// tally is what one pass over the rows leaves.
type tally struct {
	q        Question
	at       map[string]int // column → place
	byValue  map[string]map[string]*cell
	clusters []map[string]*[2]cell // by pair
	prices   map[string]int64
	rows     int64
}

// Audit reads a CSV of offers with a header, row by row. Rows with an empty group
// take no part in that group's comparison. Errors name the line.
func Audit(r io.Reader, q Question) (Answer, error) {
	in := csv.NewReader(r)
	in.ReuseRecord = true
	header, err := in.Read()
	if errors.Is(err, io.EOF) {
		return Answer{}, errors.New("the file is empty: want a CSV with a header")
	}
	if err != nil {
		return Answer{}, fmt.Errorf("reading the header: %w", err)
	}
	t, err := newTally(header, q)
	if err != nil {
		return Answer{}, err
	}
	for {
		row, err := in.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return Answer{}, fmt.Errorf("reading the file: %w", err)
		}
		if err := t.add(row); err != nil {
			line, _ := in.FieldPos(0)
			return Answer{}, fmt.Errorf("line %d: %w", line, err)
		}
	}
	return t.answer()
}

func newTally(header []string, q Question) (*tally, error) {
	t := &tally{q: q, at: map[string]int{}, byValue: map[string]map[string]*cell{}, prices: map[string]int64{}}
	for i, h := range header {
		t.at[strings.TrimPrefix(h, "\ufeff")] = i
	}
	need := []string{q.Outcome.Column}
	for _, p := range q.Pairs {
		need = append(need, p.Column)
		t.byValue[p.Column] = map[string]*cell{}
		t.clusters = append(t.clusters, map[string]*[2]cell{})
	}
	for _, optional := range []string{q.Cluster, q.Price} {
		if optional != "" {
			need = append(need, optional)
		}
	}
	for _, c := range need {
		if _, ok := t.at[c]; !ok {
			return nil, fmt.Errorf("there is no column %q; there are %s", c, strings.Join(slices.Sorted(maps.Keys(t.at)), ", "))
		}
	}
	return t, nil
}

func (t *tally) add(row []string) error {
	v, err := strconv.ParseFloat(row[t.at[t.q.Outcome.Column]], 64)
	if err != nil {
		return fmt.Errorf("%s is %q, not a number", t.q.Outcome.Column, row[t.at[t.q.Outcome.Column]])
	}
	with := t.q.Outcome.holds(v)
	t.rows++
	if t.q.Price != "" {
		t.prices[strings.Clone(row[t.at[t.q.Price]])]++
	}
	for column, byValue := range t.byValue {
		if g := row[t.at[column]]; g != "" {
			c := byValue[g]
			if c == nil {
				c = &cell{}
				byValue[strings.Clone(g)] = c
			}
			c.add(with)
		}
	}
	for i, p := range t.q.Pairs {
		t.cluster(i, p, row, with)
	}
	return nil
}

func (c *cell) add(with bool) {
	c.n++
	if with {
		c.with++
	}
}

func (t *tally) cluster(i int, p Pair, row []string, with bool) {
	if t.q.Cluster == "" {
		return
	}
	side, g := -1, row[t.at[p.Column]]
	if slices.Contains(p.Worse, g) {
		side = 0
	} else if slices.Contains(p.Better, g) {
		side = 1
	}
	if side < 0 {
		return
	}
	key := row[t.at[t.q.Cluster]]
	c := t.clusters[i][key]
	if c == nil {
		c = &[2]cell{}
		t.clusters[i][strings.Clone(key)] = c
	}
	c[side].add(with)
}

func (t *tally) answer() (Answer, error) {
	a := Answer{Rows: t.rows, Outcome: t.q.Outcome.String(), Shares: map[string][]Share{}, Comparisons: []Comparison{}}
	if t.q.Price != "" {
		a.Prices = t.prices
	}
	for column, byValue := range t.byValue {
		for _, g := range slices.Sorted(maps.Keys(byValue)) {
			a.Shares[column] = append(a.Shares[column], share(g, *byValue[g]))
		}
	}
	for i, p := range t.q.Pairs {
		worse, err := t.side(p, p.Worse)
		if err != nil {
			return Answer{}, err
		}
		better, err := t.side(p, p.Better)
		if err != nil {
			return Answer{}, err
		}
		var per map[string]*[2]cell
		if t.q.Cluster != "" {
			per = t.clusters[i]
		}
		c := compare(worse, better, per)
		c.Column = p.Column
		a.Comparisons = append(a.Comparisons, c)
	}
	return a, nil
}

// side adds up the values of one side. A value that no row bears is an error: a
// mistyped group would otherwise look like a fair one.
func (t *tally) side(p Pair, of []string) (Share, error) {
	var sum cell
	for _, v := range of {
		c := t.byValue[p.Column][v]
		if c == nil {
			return Share{}, fmt.Errorf("no row has %s %q; there are %s", p.Column, v, strings.Join(slices.Sorted(maps.Keys(t.byValue[p.Column])), ", "))
		}
		sum.n, sum.with = sum.n+c.n, sum.with+c.with
	}
	return share(strings.Join(of, "|"), sum), nil
}
