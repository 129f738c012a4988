package main

import (
	"context"

	"github.com/alecthomas/kong"

	"github.com/handschlag/handschlag/batch/eval"
	"github.com/handschlag/handschlag/batch/learn/need"
)

type evalIntentCmd struct {
	judged
	File    string   `arg:"" optional:"" help:"CSV with a header, one line per session: a column with the outcome, and columns to learn from that hold numbers, TRUE and FALSE (1 and 0), or names. Without a file: online-shoppers, held against its targets."`
	Label   string   `default:"Revenue" help:"Column of the outcome."`
	Yes     string   `default:"TRUE" help:"Value of the outcome that is predicted; any other is not it."`
	Feature []string `sep:"none" placeholder:"COLUMN:SHAPE" help:"What to learn from: a column, a sum or difference of columns (A+B-C), or A/B or A*B of two of these. Shapes: free (as if none is given), rising (more never earns less), falling, named (values are names). Repeat it."`
	Forbid  []string `placeholder:"COLUMN" help:"Columns that no feature may use, such as a device or a place."`
	Split   string   `default:"row mod 10 < 7" help:"Which rows train: \"row mod 10 < 7\", rows counted from 0, or \"Month in Feb,Mar\". The others are the hold-out."`
	Pairs   int      `default:"0" help:"Most pairs of features that earn points together. The day reads cards without pairs."`
	Forward bool     `help:"The values that --split names are times, in order: everything is chosen by fits up to one of them, judged by the next, and calibrated by the last where that does better."`
	Card    bool     `help:"Print the scorecards: points by bin, and what points stand for."`
}

// Run fits a scorecard on training rows and judges it on the others.
func (c evalIntentCmd) Run(ctx context.Context, k *kong.Context, s streams) error {
	if err := ownFile(k, c.File, "card"); err != nil {
		return err
	}
	in := eval.IntentFile{Path: c.File, Label: c.Label, Yes: c.Yes, Features: c.Feature, Forbid: c.Forbid, Split: c.Split, Pairs: c.Pairs, Forward: c.Forward}
	if c.Card {
		in.Card = func(name string, card need.Card) error { return eval.WriteCard(s.out, name, card) }
	}
	rows, err := eval.Intent(ctx, c.options(s), in)
	if err != nil {
		return interrupted(ctx, err, "the table is not complete")
	}
	return c.tell(s, rows)
}

func intentOfShoppers(ctx context.Context, o eval.Options) ([]eval.Row, error) {
	return eval.Intent(ctx, o, eval.IntentFile{})
}
