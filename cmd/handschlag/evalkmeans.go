package main

import (
	"context"
	"fmt"
	"time"

	"github.com/alecthomas/kong"

	"github.com/handschlag/handschlag/batch/eval"
)

type evalKmeansCmd struct {
	judged
	File string `arg:"" optional:"" help:"A log of purchases, one a line, after a header: CSV with the columns customer_id, date and amount, or columns parted by spaces, of which the first is the customer, the second the date and the last the amount (CDNOW_master.txt). Dates: 19970131 or 1997-01-31. Without a file: CDNOW, held against its known inertias."`
	K    []int  `default:"3,4,5,6" help:"Numbers of groups."`
	End  string `placeholder:"DATE" help:"Last day that the log covers; default: the last in it."`
}

// Run groups the customers of a log by recency, frequency and money.
func (c evalKmeansCmd) Run(ctx context.Context, k *kong.Context, s streams) error {
	if err := ownFile(k, c.File); err != nil {
		return err
	}
	in := eval.KmeansFile{Path: c.File, Ks: c.K}
	if c.End != "" {
		last, err := time.Parse(time.DateOnly, c.End)
		if err != nil {
			return fmt.Errorf("--end: want a date like 1998-06-30, got %q", c.End)
		}
		in.End = last.AddDate(0, 0, 1)
	}
	rows, err := eval.Kmeans(ctx, c.options(s), in)
	if err != nil {
		return err
	}
	return c.tell(s, rows)
}

func kmeansOfCDNOW(ctx context.Context, o eval.Options) ([]eval.Row, error) {
	return eval.Kmeans(ctx, o, eval.KmeansFile{})
}
