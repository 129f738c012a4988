package uplift

import (
	"errors"
	"fmt"
	"math"
)

// Row is one moment in which an offer could have been made, and what came of it.
type Row struct {
	X          []float64 // features, in the order of Options.Names
	Treated    bool      // the offer was made; false: held out
	Propensity float64   // probability of being treated as logged, 0 to 1
	Outcome    float64   // net cents (see Net), or 1 for an order and 0 for none
	Cluster    uint64    // rows of equal number vary together, such as those of a subject; 0: alone
}

// Options say how to learn and what counts as evidence.
type Options struct {
	Names []string // of the features, for reasons and scorecards
	Form  Form     // zero: Additive
	Terms Terms    // what an effect is worth; zero: outcomes are net cents already
	// Level bounds the share of false claims where offers do nothing; zero: .025, so
	// that a few hundred shuffles can show that it stays under .05.
	Level float64
	// Tail is the share of outcomes other than 0 that are counted as the cap, the
	// quantile of their absolute values; zero: .005, below zero: none.
	Tail float64
	Seed uint64
}

func (o Options) filled() Options {
	if o.Form == (Form{}) {
		o.Form = Additive()
	}
	if o.Level == 0 {
		o.Level = .025
	}
	if o.Tail == 0 {
		o.Tail = .005
	}
	return o
}

// folds is how many parts the rows are split into, to learn on some and judge on others.
const folds = 5

// Fit says what offering changes, for whom, and whether the data can tell at all. Rows
// that had no choice (propensity 0 or 1) are left out and counted. The same rows in the
// same order give the same verdict; a few hundred rows give "don't know".
func Fit(rows []Row, o Options) (Verdict, error) {
	o = o.filled()
	if err := check(rows, o); err != nil {
		return Verdict{}, err
	}
	t := newTable(rows, o)
	t.expect()
	v := t.verdict(len(rows))
	if v.Known {
		v.learn(t)
	}
	return v, nil
}

// verdict says what is known, without saying for whom.
func (t *table) verdict(rows int) Verdict {
	v := t.count(rows)
	if v.Reason = v.tooThin(); v.Reason != "" {
		return v
	}
	t.score()
	v.average(t)
	v.Ranking = t.ranking()
	v.conclude(t.Level)
	return v
}

// check finds what no estimate may swallow.
func check(rows []Row, o Options) error {
	if err := o.Form.check(); err != nil {
		return err
	}
	if o.Level < 0 || o.Level >= .5 || o.Tail >= 1 {
		return fmt.Errorf("level %g, tail %g: a level is above 0 and below .5, a tail below 1", o.Level, o.Tail)
	}
	for i, r := range rows {
		if err := r.check(o.Names); err != nil {
			return fmt.Errorf("row %d: %w", i+1, err)
		}
		if len(r.X) != len(rows[0].X) {
			return fmt.Errorf("row %d has %d features, row 1 has %d", i+1, len(r.X), len(rows[0].X))
		}
	}
	return nil
}

func (r Row) check(names []string) error {
	if len(r.X) != len(names) {
		return fmt.Errorf("%d features, but %d names", len(r.X), len(names))
	}
	for j, x := range r.X {
		if math.IsNaN(x) {
			return fmt.Errorf("feature %s is not a number; give missing values a number of their own", names[j])
		}
	}
	if !(r.Propensity >= 0 && r.Propensity <= 1) {
		return fmt.Errorf("propensity %g is not between 0 and 1", r.Propensity)
	}
	if r.Treated && r.Propensity == 0 || !r.Treated && r.Propensity == 1 {
		return errors.New("the logged propensity says that this could not happen: log the probability of the offer, not of the draw")
	}
	if math.IsNaN(r.Outcome) || math.IsInf(r.Outcome, 0) {
		return errors.New("the outcome is not a number")
	}
	return nil
}
