package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/alecthomas/kong"

	"github.com/handschlag/handschlag/batch/eval"
)

type evalUpliftCmd struct {
	judged
	Train      string   `arg:"" optional:"" help:"CSV with a header, a row for each person who was made an offer by lot, or not: a column that says which, one with the outcome, and numbers known before. Without files: the campaign of the package Information, and simulated shops of which the truth is known."`
	Valid      string   `arg:"" optional:"" help:"A second file with the same columns, in any order, to rank by what was learned from the first."`
	Treatment  string   `default:"TREATMENT" help:"Column: 1 was made the offer, 0 was not."`
	Outcome    string   `default:"PURCHASE" help:"Column: 1 for an order and 0 for none, or an amount."`
	Propensity string   `placeholder:"COLUMN|NUMBER" help:"Probability of an offer: a column, or one number for all. Default: the share of offers in TRAIN."`
	ID         string   `placeholder:"COLUMN" help:"Column that names the person; it is not learned from."`
	Ignore     []string `placeholder:"COLUMN" help:"Columns that are not learned from, such as place and age; * stands for anything, as in D_REGION_*."`
	Shuffles   int      `default:"300" help:"Shuffles of who was made the offer, to count false claims."`
	Shops      int      `default:"200" help:"Simulated shops of each kind."`
}

// Run judges whom to make an offer.
func (c evalUpliftCmd) Run(ctx context.Context, k *kong.Context, s streams) error {
	if err := ownFile(k, c.Train, "shuffles", "shops"); err != nil {
		return err
	}
	if c.Train != "" && c.Valid == "" && !c.TrainOnly {
		return errors.New("a second file is missing, to judge by: name it, or use --train-only")
	}
	if c.Shuffles < 1 || c.Shops < 1 {
		return errors.New("--shuffles and --shops: want a number above 0")
	}
	in := eval.UpliftFiles{Train: c.Train, Valid: c.Valid, Treatment: c.Treatment, Outcome: c.Outcome, Propensity: c.Propensity, Ignore: c.Ignore, Shuffles: c.Shuffles, Shops: c.Shops}
	if c.ID != "" {
		in.Ignore = append(in.Ignore, c.ID)
	}
	if sameFile(c.Train, c.Valid) {
		_, _ = fmt.Fprintf(s.err, "handschlag: %s and %s are the same file: the model is judged by the rows that it learned from\n", c.Train, c.Valid)
	}
	rows, err := eval.Uplift(ctx, c.options(s), in)
	if err != nil {
		return interrupted(ctx, err, "the table is not complete")
	}
	return c.tell(s, rows)
}

// sameFile reports whether two paths lead to one file.
func sameFile(a, b string) bool {
	one, err := os.Stat(a)
	other, missing := os.Stat(b)
	return err == nil && missing == nil && os.SameFile(one, other)
}

func upliftOfTheCampaign(ctx context.Context, o eval.Options) ([]eval.Row, error) {
	return eval.Uplift(ctx, o, eval.UpliftFiles{})
}
