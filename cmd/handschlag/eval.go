package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/alecthomas/kong"

	"github.com/handschlag/handschlag/batch/eval"
)

// evalCmd judges the night's models. A subcommand without files takes the data sets
// of the project; with files of the same shape it judges those.
type evalCmd struct {
	Value    evalValueCmd    `cmd:"" help:"Orders and spend to come: CDNOW."`
	Intent   evalIntentCmd   `cmd:"" help:"Who will buy, as points that can be read: online-shoppers."`
	Uplift   evalUpliftCmd   `cmd:"" help:"Whom an offer helps, or don't know: the campaign of the package Information, and simulated shops."`
	Policy   evalPolicyCmd   `cmd:"" help:"What a log says of a policy that did not make it: Open Bandit."`
	Variants evalVariantsCmd `cmd:"" help:"Regret of the night's shares where the truth is known: a simulation."`
	Kmeans   evalKmeansCmd   `cmd:"" help:"Groups of customers by recency, frequency and money: CDNOW."`
	Fairness evalFairnessCmd `cmd:"" help:"Shares of groups among real offers: The Markup's table 1."`
	All      evalAllCmd      `cmd:"" help:"Everything, as one table: target, published, ours."`
}

// evaluations are the parts of the whole table, in its order.
var evaluations = []func(context.Context, eval.Options) ([]eval.Row, error){
	valueOfCDNOW,
	intentOfShoppers,
	upliftOfTheCampaign,
	policyOfOpenBandit,
	variantsOfASimulation,
	kmeansOfCDNOW,
	fairnessOfTheMarkup,
}

// judged is what every evaluation can be told.
type judged struct {
	Data      string `env:"EVAL_DATA" default:"../shared/data" help:"Folder of the data sets."`
	TrainOnly bool   `help:"Fit and cross-validate on training rows, and open no hold-out."`
	JSON      bool   `help:"Print the table as JSON."`
	Fail      bool   `help:"Exit with 1 if a target is missed."`
}

// options gives them, and notes each opening of a hold-out in the file that
// HANDSCHLAG_HOLDOUTS names, one line each, so that looks can be counted.
func (j judged) options(s streams) eval.Options {
	return eval.Options{Data: j.Data, TrainOnly: j.TrainOnly, Opened: func(name string) {
		path := os.Getenv("HANDSCHLAG_HOLDOUTS")
		if path == "" {
			return
		}
		f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err == nil {
			_, err = fmt.Fprintln(f, name)
			err = errors.Join(err, f.Close())
		}
		if err != nil {
			_, _ = fmt.Fprintln(s.err, "handschlag: noting that a hold-out was opened:", err)
		}
	}}
}

// tell prints the rows.
func (j judged) tell(s streams, rows []eval.Row) error {
	var err error
	if j.JSON {
		e := json.NewEncoder(s.out)
		e.SetIndent("", "  ")
		err = e.Encode(rows)
	} else {
		err = eval.Write(s.out, rows)
	}
	missed := 0
	for _, r := range rows {
		if r.Verdict == eval.Missed {
			missed++
		}
	}
	switch {
	case err != nil || !j.Fail || missed == 0:
		return err
	case missed == 1:
		return errors.New("1 target is missed")
	}
	return fmt.Errorf("%d targets are missed", missed)
}

// ownFile refuses flags that say something of a file where none is given: the data sets of the project
// have settings of their own. Those of judged, and also the named ones, say something of both.
func ownFile(k *kong.Context, file string, both ...string) error {
	if file != "" {
		return nil
	}
	both = append(both, "data", "train-only", "json", "fail", "help")
	for _, p := range k.Path {
		if p.Flag != nil && !slices.Contains(both, p.Flag.Name) {
			return fmt.Errorf("--%s says something of a file: name it; without one, the project's data set is judged with its own settings", p.Flag.Name)
		}
	}
	return nil
}

type evalAllCmd struct{ judged }

// Run prints one table of everything.
func (c evalAllCmd) Run(ctx context.Context, s streams) error {
	o := c.options(s)
	var rows []eval.Row
	for _, judge := range evaluations {
		more, err := judge(ctx, o)
		if err != nil {
			return interrupted(ctx, err, "the table is not complete")
		}
		rows = append(rows, more...)
	}
	return c.tell(s, rows)
}
