package eval

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/handschlag/handschlag/batch/learn/uplift"
)

// header is where columns are.
type header struct {
	treatment, outcome, propensity int // propensity −1: not in the file
	names                          []string
	at                             []int // of the features
	columns                        []string
}

func (in UpliftFiles) header(head []string) (h header, err error) {
	for _, c := range head {
		h.columns = append(h.columns, strings.TrimPrefix(strings.Clone(c), "\ufeff"))
	}
	find := func(column string) int {
		at := slices.Index(h.columns, column)
		if at < 0 && err == nil {
			err = fmt.Errorf("there is no column %q; there are %s", column, strings.Join(h.columns, ", "))
		}
		return at
	}
	h.treatment, h.outcome, h.propensity = find(in.Treatment), find(in.Outcome), -1
	if _, logged := in.chance(trial{}); logged {
		h.propensity = find(in.Propensity)
	}
	for _, c := range h.columns {
		if !in.ignored(c) {
			h.names = append(h.names, c)
		}
	}
	slices.Sort(h.names)
	for _, c := range h.names {
		h.at = append(h.at, slices.Index(h.columns, c))
	}
	return h, err
}

// row reads one line.
func (h header) row(fields []string) (r uplift.Row, err error) {
	number := func(at int) float64 {
		v, bad := strconv.ParseFloat(strings.TrimSpace(fields[at]), 64)
		if (bad != nil || math.IsNaN(v) || math.IsInf(v, 0)) && err == nil {
			err = fmt.Errorf("column %s: %q is not a number; write what is missing as a number of its own, or leave the column out with --ignore", h.columns[at], fields[at])
		}
		return v
	}
	treated := number(h.treatment)
	if err == nil && treated != 0 && treated != 1 {
		err = fmt.Errorf("column %s: %q; want 1 for who was made the offer, 0 for who was not", h.columns[h.treatment], fields[h.treatment])
	}
	r.Treated, r.Outcome, r.X = treated == 1, number(h.outcome), make([]float64, len(h.at))
	if h.propensity >= 0 {
		if r.Propensity = number(h.propensity); err == nil {
			err = h.drawn(r, fields)
		}
	}
	for j, at := range h.at {
		r.X[j] = number(at)
	}
	return r, err
}

// drawn refuses a propensity with which the row could not have come about.
func (h header) drawn(r uplift.Row, fields []string) error {
	switch p := r.Propensity; {
	case !(p >= 0 && p <= 1):
		return fmt.Errorf("column %s: %q; want the probability of an offer, 0 to 1", h.columns[h.propensity], fields[h.propensity])
	case r.Treated && p == 0 || !r.Treated && p == 1:
		return fmt.Errorf("column %s: %q, and column %s says %q: this could not happen; want the probability of the offer, not of the draw",
			h.columns[h.propensity], fields[h.propensity], h.columns[h.treatment], fields[h.treatment])
	}
	return nil
}
