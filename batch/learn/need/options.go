package need

import (
	"cmp"
	"fmt"
	"math"
)

// Options are what a fit may choose from. The zero Options are the defaults.
type Options struct {
	Bins      []int     // most bins of a feature: 6, 12, 24
	Penalties []float64 // of the steps between bins: 0.03 to 300
	MinBin    int       // fewest rows of a bin: 30
	Folds     int       // of the cross-validation: 5
	Double    int       // points that double the odds: 10
	Fewest    int       // fewest rows of either outcome: 50
	Pairs     int       // most pairs of features that earn points together: 0; the day reads none
	Seed      uint64    // of the folds
	Forward   bool      // blocks are times: each is judged by a fit on those before it, and the curve may follow the last
}

func (o Options) orDefault() Options {
	if len(o.Bins) == 0 {
		o.Bins = []int{6, 12, 24}
	}
	if len(o.Penalties) == 0 {
		o.Penalties = []float64{300, 100, 30, 10, 3, 1, .3, .1, .03}
	}
	o.MinBin, o.Folds = cmp.Or(o.MinBin, 30), cmp.Or(o.Folds, 5)
	o.Double, o.Fewest = cmp.Or(o.Double, 10), cmp.Or(o.Fewest, 50)
	return o
}

// check refuses what cannot be fitted with.
func (o Options) check() error {
	switch {
	case o.Pairs < 0:
		return fmt.Errorf("%d pairs: want 0 or more", o.Pairs)
	case o.Folds < 2:
		return fmt.Errorf("%d folds: want 2 or more", o.Folds)
	}
	return nil
}

// unit is how many points one of log odds is.
func (o Options) unit() float64 { return float64(o.Double) / math.Ln2 }

// Unknown says why rows give no card: "don't know", with its reason. It is an error, so
// that nobody takes an empty card for one.
type Unknown struct {
	Rows, Yes int
	Why       string
}

// Error is "don't know" and why.
func (u *Unknown) Error() string { return "don't know: " + u.Why }

// enough refuses rows with too few of either outcome.
func enough(rows []Row, fewest int) error {
	yes := count(rows)
	for _, c := range []struct {
		n    int
		what string
	}{{yes, "positive"}, {len(rows) - yes, "negative"}} {
		if c.n < fewest {
			return &Unknown{len(rows), yes, fmt.Sprintf("%d of %d rows are %s, and fewer than %d teach nothing", c.n, len(rows), c.what, fewest)}
		}
	}
	return nil
}

// count is how many rows are positive.
func count(rows []Row) (yes int) {
	for _, r := range rows {
		if r.Y {
			yes++
		}
	}
	return yes
}
