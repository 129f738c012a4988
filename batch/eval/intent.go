package eval

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/handschlag/handschlag/batch/learn/need"
)

// IntentFile is a CSV of sessions with an outcome, and what may be learned from it.
type IntentFile struct {
	Path     string   // "": online-shoppers, with the figures it must give
	Label    string   // column of the outcome
	Yes      string   // its value that counts, in any case of letters
	Features []string // COLUMN, sums and differences, A/B or A*B of these, each with :free :rising :falling or :named
	Forbid   []string // columns that no feature may use
	Split    string   // "row mod 10 < 7" or "Month in Feb,Mar"
	Pairs    int      // most pairs of features that earn points together
	Forward  bool     // the values that Split names are times: choose by what comes after, calibrate by the last
	Card     func(name string, c need.Card) error
}

const (
	intentGroup = "intent"
	shoppers    = "online-shoppers/online_shoppers_intention.csv"
)

// intentCase is one question to a file, with the targets of its hold-out; 0: shown only.
type intentCase struct {
	name           string
	in             IntentFile
	auc, precision float64
	calibration    float64 // greatest error
}

// Intent fits the scorecard of package need on training rows, chooses everything there, and judges
// it on the others, beside a plain logistic regression.
func Intent(ctx context.Context, o Options, in IntentFile) ([]Row, error) {
	if in.Pairs < 0 {
		return nil, fmt.Errorf("%d pairs of features: want 0 or more", in.Pairs)
	}
	cases := []intentCase{{"", in, 0, 0, 0}}
	if in.Path == "" {
		cases = shopperCases(in)
	}
	var rows []Row
	for _, c := range cases {
		more, err := c.rows(ctx, o)
		if errors.Is(err, fs.ErrNotExist) && in.Path == "" {
			return []Row{Absent(intentGroup, "online-shoppers")}, nil
		}
		if err != nil {
			return nil, err
		}
		rows = append(rows, more...)
	}
	return rows, nil
}

// sessions are training rows, and how they were chosen.
type sessions struct {
	rows  []need.Row
	specs []need.Feature
	split splitRule
}

// rows answers one question.
func (c intentCase) rows(ctx context.Context, o Options) ([]Row, error) {
	train, held, err := c.in.read(o)
	if err != nil {
		return nil, err
	}
	options := need.Options{Pairs: c.in.Pairs, Folds: 5, Forward: c.in.Forward}
	if c.in.Forward && train.split.column == "" {
		return nil, fmt.Errorf("the split %q names no times to go forward in; want one such as %q", c.in.Split, "Month in Feb,Mar,May")
	}
	if n := len(train.split.values); n > 1 {
		options.Folds = n
	}
	card, err := need.Fit(ctx, train.rows, train.specs, options)
	if unknown := (*need.Unknown)(nil); errors.As(err, &unknown) {
		return []Row{c.unknown(unknown)}, nil
	}
	if err != nil {
		return nil, err
	}
	beside, err := c.beside(ctx, train, options)
	if err != nil {
		return nil, err
	}
	if c.in.Card != nil {
		if err := c.in.Card(c.name, card); err != nil {
			return nil, err
		}
	}
	out := c.crossed(card, beside, options)
	if o.TrainOnly {
		return out, nil
	}
	return append(out, c.judge(card, beside, held.Open(o))...), nil
}

// unknown misses the targets of a case that has some.
func (c intentCase) unknown(u *need.Unknown) Row {
	r := Row{Group: intentGroup, Name: c.label("scorecard"), Ours: "don't know", Verdict: Shown, Note: u.Why}
	if c.auc > 0 || c.precision > 0 || c.calibration > 0 {
		r.Verdict = Missed
	}
	return r
}

func (c intentCase) label(what string) string {
	return strings.TrimPrefix(c.name+": "+what, ": ")
}

// read splits a file into training rows and a hold-out.
func (in IntentFile) read(o Options) (train sessions, held Holdout[need.Row], err error) {
	s, err := in.sheet(o)
	if err != nil {
		return train, held, err
	}
	if err := in.happens(s); err != nil {
		return train, held, err
	}
	if train.split, err = parseSplit(in.Split); err != nil {
		return train, held, err
	}
	trains, others, err := train.split.lines(s)
	if err != nil {
		return train, held, err
	}
	terms, err := in.terms(s, trains)
	if err != nil {
		return train, held, err
	}
	for _, t := range terms {
		train.specs = append(train.specs, t.Feature)
	}
	if train.rows, err = in.rows(s, terms, trains, train.split); err != nil {
		return train, held, err
	}
	rest, err := in.rows(s, terms, others, splitRule{})
	return train, Hold(s.name+", not "+in.Split, rest), err
}

// happens wants the value that is predicted in some row, in any case of letters.
func (in IntentFile) happens(s sheet) error {
	label, err := s.column(in.Label)
	if err != nil || slices.ContainsFunc(s.lines, func(cells []string) bool { return strings.EqualFold(cells[label], in.Yes) }) {
		return err
	}
	return fmt.Errorf("the outcome: %w", s.have(label, in.Yes))
}

func (in IntentFile) sheet(o Options) (sheet, error) {
	var f io.ReadCloser
	var err error
	name := in.Path
	if name == "" {
		name = shoppers
		f, err = o.openShipped(shoppers)
	} else {
		f, err = os.Open(in.Path)
	}
	if err != nil {
		return sheet{}, err
	}
	defer func() { _ = f.Close() }()
	return readSheet(name, f)
}

// terms reads the features; none may use the outcome, nor what is forbidden, which must be columns.
// Names are learned from training rows.
func (in IntentFile) terms(s sheet, trains []int) (out []term, err error) {
	for _, name := range in.Forbid {
		if _, err := s.column(name); err != nil {
			return nil, fmt.Errorf("what is forbidden: %w", err)
		}
	}
	for _, text := range in.Features {
		t, err := s.term(text)
		if err != nil {
			return nil, err
		}
		for _, c := range t.columns {
			if s.head[c] == in.Label {
				return nil, fmt.Errorf("feature %s uses the column %s, which is the outcome", text, in.Label)
			}
			if slices.Contains(in.Forbid, s.head[c]) {
				return nil, fmt.Errorf("feature %s uses the column %s, which is forbidden", text, s.head[c])
			}
		}
		if t.Shape == need.Named {
			s.names(&t, trains)
		}
		out = append(out, t)
	}
	if len(out) == 0 {
		return nil, errors.New("no features: name the columns to learn from, such as --feature pages:rising")
	}
	return out, nil
}

func (in IntentFile) rows(s sheet, terms []term, lines []int, split splitRule) ([]need.Row, error) {
	label, err := s.column(in.Label)
	if err != nil {
		return nil, err
	}
	out := make([]need.Row, len(lines))
	for i, line := range lines {
		r := need.Row{X: make([]float64, len(terms)), Y: strings.EqualFold(s.lines[line][label], in.Yes), Block: split.block(s, line)}
		for j, t := range terms {
			if r.X[j], err = s.value(t, line); err != nil {
				return nil, err
			}
		}
		out[i] = r
	}
	return out, nil
}
