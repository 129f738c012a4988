package main

import (
	"context"

	"github.com/alecthomas/kong"

	"github.com/handschlag/handschlag/batch/eval"
)

type evalFairnessCmd struct {
	judged
	File    string   `arg:"" optional:"" help:"CSV of real offers with a header, plain or gzip. Without a file: The Markup's three cities, held against the table it published."`
	Outcome string   `placeholder:"speed_down<25" help:"What is worse to get: a numeric column, one of < <= > >= =, and a number."`
	Compare []string `sep:"none" placeholder:"COLUMN:A/B" help:"Groups to compare, several values of a side joined with |; repeat it. Without any: the questions of The Markup's study."`
	Cluster string   `help:"Column whose equal values belong together (a street, a session); none: rows are independent."`
}

// Run holds shares of groups against the published ones.
func (c evalFairnessCmd) Run(ctx context.Context, k *kong.Context, s streams) error {
	if err := ownFile(k, c.File); err != nil {
		return err
	}
	q, err := auditFairnessCmd{Outcome: c.Outcome, Compare: c.Compare, Cluster: c.Cluster}.question()
	if err != nil {
		return err
	}
	rows, err := eval.Fairness(ctx, c.options(s), eval.FairnessFile{Path: c.File, Question: q})
	if err != nil {
		return err
	}
	return c.tell(s, rows)
}

func fairnessOfTheMarkup(ctx context.Context, o eval.Options) ([]eval.Row, error) {
	return eval.Fairness(ctx, o, eval.FairnessFile{})
}
