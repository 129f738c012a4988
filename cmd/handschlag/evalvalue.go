package main

import (
	"context"
	"fmt"

	"github.com/alecthomas/kong"

	"github.com/handschlag/handschlag/batch/eval"
)

// evalValueCmd judges the forecast of orders and spend.
type evalValueCmd struct {
	judged
	Log         string `arg:"" optional:"" help:"A log of orders: a line per order with the buyer's id, the date and the value. None: CDNOW's sample."`
	Buyer       int    `default:"1" help:"Column of the buyer's id, counted from 1."`
	Date        int    `default:"2" help:"Column of the date: 19970131 or 1997-01-31."`
	Amount      int    `default:"3" help:"Column of the order's value, such as 29.33."`
	Skip        int    `help:"Lines before the first order, such as 1 for a header."`
	Separator   string `help:"The character between columns, such as a comma. None: white space."`
	Calibration string `help:"Last day that the model is fitted on, such as 1997-09-30."`
	Holdout     string `help:"Last day that it forecasts, such as 1998-06-30."`
}

// Help says what the file has to look like.
func (evalValueCmd) Help() string {
	return `Fits BG/NBD, Gamma-Gamma and our Slowing model on the orders up to --calibration, and
compares their forecasts of the days up to --holdout with what came. Buyers whose first order
comes after --calibration are left out; several orders of a buyer on one day are one.

  handschlag eval value
  handschlag eval value orders.csv --separator , --skip 1 --buyer 1 --date 2 --amount 4 \
    --calibration 2025-06-30 --holdout 2025-12-31`
}

// Run prints the table.
func (c evalValueCmd) Run(ctx context.Context, k *kong.Context, s streams) error {
	if err := ownFile(k, c.Log); err != nil {
		return err
	}
	in := eval.ValueFiles{Log: c.Log, Calibration: c.Calibration, Holdout: c.Holdout,
		Shape: eval.OrderLog{Buyer: c.Buyer, Date: c.Date, Amount: c.Amount, Skip: c.Skip, Separator: c.Separator}}
	if c.Log != "" && (c.Calibration == "" || c.Holdout == "") {
		return fmt.Errorf("say where %s is split in time: --calibration DAY --holdout DAY", c.Log)
	}
	if len([]rune(c.Separator)) > 1 {
		return fmt.Errorf("--separator %q is more than one character", c.Separator)
	}
	rows, err := eval.Value(ctx, c.options(s), in)
	if err != nil {
		return interrupted(ctx, err, "the table is not complete")
	}
	return c.tell(s, rows)
}

// valueOfCDNOW is its part of the whole table.
func valueOfCDNOW(ctx context.Context, o eval.Options) ([]eval.Row, error) {
	return eval.Value(ctx, o, eval.ValueFiles{})
}
