package eval

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/handschlag/handschlag/batch/learn/uplift"
)

// UpliftFiles are two tables of people who were made an offer by lot, or not: CSV with
// a header, the same columns in any order. One is learned from, the other judges.
type UpliftFiles struct {
	Train, Valid string   // "" both: the campaign of the package "Information"; Valid alone: judge nothing
	Treatment    string   // column: 1 was made the offer, 0 was not
	Outcome      string   // column: a number, such as 1 for an order, or cents
	Propensity   string   // column of the probability of an offer, or that number; "": the share of offers in Train
	Ignore       []string // columns that are not learned from, with * for anything
	Shuffles     int      // of the labels
	Shops        int      // simulated, with an effect that is known
}

// informationRCT is the marketing campaign with a control group of Larsen's package
// "Information". Not learned from, as they may not steer whom an adviser is offered to:
// the id; place (D_REGION_*; requirement R42); age; and what tells of late or failed
// payment, a sign of financial distress (law.md, SPC-07).
var informationRCT = UpliftFiles{
	Train: "information-rct/train.csv", Valid: "information-rct/valid.csv", Treatment: "TREATMENT", Outcome: "PURCHASE",
	Ignore: []string{"UNIQUE_ID", "D_REGION_*", "AGE",
		"N30D_ORWRS_RTNG_MRTG_ACTS", "N_OF_MRTG_ACTS_DLINQ_24M", "N_30D_RATINGS", "N_120D_RATINGS", "N_30D_AND_60D_RATINGS",
		"N_ACTS_WITH_MXD_?_IN_24M", "PRCNT_OF_ACTS_NEVER_DLQNT", "N_ACTS_90D_PLS_LTE_IN_6M", "TOT_NOW_LTE",
		"N_DEROG_PUB_RECS", "N_PUB_REC_ACT_LINE_DEROGS", "M_SNC_MST_RCNT_60_DAY_RTNG"},
}

// ofThePackage keeps how much is to be simulated.
func (in UpliftFiles) ofThePackage() UpliftFiles {
	out := informationRCT
	out.Shuffles, out.Shops = in.Shuffles, in.Shops
	return out
}

// open reads both files. The second is held out.
func (in UpliftFiles) open(o Options, own bool) (train trial, valid Holdout[uplift.Row], err error) {
	if in.Treatment == in.Outcome || in.Propensity == in.Treatment || in.Propensity == in.Outcome {
		return train, valid, fmt.Errorf("the treatment is column %q, the outcome %q, the propensity %q: want different columns", in.Treatment, in.Outcome, in.Propensity)
	}
	for _, pattern := range in.Ignore {
		if _, err := path.Match(pattern, ""); err != nil {
			return train, valid, fmt.Errorf("ignoring %q: it is no pattern; want a column, with * for anything", pattern)
		}
	}
	if train, err = in.load(o, own, in.Train); err != nil {
		return train, valid, err
	}
	other := trial{names: train.names}
	if in.Valid != "" {
		if other, err = in.load(o, own, in.Valid); err != nil {
			return train, valid, err
		}
	}
	if err := in.ignoring(slices.Concat(train.columns, other.columns)); err != nil {
		return train, valid, err
	}
	if only := onlyOne(train.names, other.names); len(only) > 0 {
		return train, valid, fmt.Errorf("%s and %s differ in their columns; leave out with --ignore what only one of them has: %s", in.Train, in.Valid, strings.Join(only, ", "))
	}
	if p, logged := in.chance(train); !logged {
		if in.Propensity != "" && !(p > 0 && p < 1) {
			return train, valid, fmt.Errorf("the propensity of an offer is %s; want a probability between 0 and 1, or a column", in.Propensity)
		}
		train.drawn(p)
		other.drawn(p)
	}
	return train, Hold(in.Valid, other.rows), nil
}

// ignoring wants every pattern to fit a column: what is spelt wrong would be learned from.
func (in UpliftFiles) ignoring(columns []string) error {
	for _, pattern := range in.Ignore {
		if !slices.ContainsFunc(columns, func(c string) bool { ok, _ := path.Match(pattern, c); return ok }) {
			slices.Sort(columns)
			return fmt.Errorf("ignoring %q: no column is called so; there are %s", pattern, strings.Join(slices.Compact(columns), ", "))
		}
	}
	return nil
}

// onlyOne names what only one of two lists has.
func onlyOne(a, b []string) (out []string) {
	for _, names := range [][2][]string{{a, b}, {b, a}} {
		for _, name := range names[0] {
			if !slices.Contains(names[1], name) {
				out = append(out, name)
			}
		}
	}
	return out
}

// load reads one file, by its path or, of the project's data sets, by its name.
func (in UpliftFiles) load(o Options, own bool, name string) (trial, error) {
	f, err := os.Open(name)
	if !own {
		f, err = o.Open(name)
	}
	if err != nil {
		return trial{}, err
	}
	defer func() { _ = f.Close() }()
	return in.read(name, f)
}

// chance is the probability of an offer where rows do not log their own.
func (in UpliftFiles) chance(train trial) (p float64, logged bool) {
	if in.Propensity == "" {
		return train.share(), false
	}
	p, err := strconv.ParseFloat(in.Propensity, 64)
	return p, err != nil
}

// ignored reports whether a column is not learned from.
func (in UpliftFiles) ignored(column string) bool {
	return column == in.Treatment || column == in.Outcome || column == in.Propensity ||
		slices.ContainsFunc(in.Ignore, func(pattern string) bool { ok, _ := path.Match(pattern, column); return ok })
}

// trial is one file, read.
type trial struct {
	names   []string // of the features, in alphabetical order: files may order columns as they like
	columns []string // all
	rows    []uplift.Row
}

// share is that of rows with the offer.
func (t trial) share() float64 {
	n := 0
	for _, r := range t.rows {
		if r.Treated {
			n++
		}
	}
	return float64(n) / math.Max(1, float64(len(t.rows)))
}

// drawn gives every row the probability, where the file did not.
func (t trial) drawn(propensity float64) {
	for i := range t.rows {
		t.rows[i].Propensity = propensity
	}
}

// read reads a file. Errors name the line and the column.
func (in UpliftFiles) read(name string, r io.Reader) (trial, error) {
	c := csv.NewReader(r)
	c.ReuseRecord = true
	head, err := c.Read()
	if err != nil {
		return trial{}, fmt.Errorf("reading %s: %w; want a CSV with a header", name, err)
	}
	h, err := in.header(head)
	if err != nil {
		return trial{}, fmt.Errorf("%s, line 1: %w", name, err)
	}
	t := trial{names: h.names, columns: h.columns}
	for {
		fields, err := c.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return trial{}, fmt.Errorf("reading %s: %w", name, err)
		}
		row, err := h.row(fields)
		if err != nil {
			line, _ := c.FieldPos(0)
			return trial{}, fmt.Errorf("%s, line %d, %w", name, line, err)
		}
		t.rows = append(t.rows, row)
	}
	if len(t.rows) == 0 {
		return trial{}, fmt.Errorf("%s has no row after its header", name)
	}
	return t, nil
}
