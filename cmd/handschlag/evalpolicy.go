package main

import (
	"context"

	"github.com/alecthomas/kong"

	"github.com/handschlag/handschlag/batch/eval"
)

type evalPolicyCmd struct {
	judged
	Log         string   `arg:"" optional:"" help:"A log of choices: CSV with a header, one line per item shown, with the columns named below. Without a log: open-bandit-men in both directions, held against its known values."`
	Target      string   `placeholder:"FILE" help:"The policy to value: CSV with a header and the columns of item, position (if the log has one) and probability; at each position the probabilities sum to 1."`
	TargetLog   string   `placeholder:"FILE" help:"Or another log of the same shape: the policy is how often each item stood at each position there."`
	Item        string   `default:"item_id" help:"Column of what was shown."`
	Position    string   `default:"position" help:"Column of the position in a list; a log without it has one position."`
	Reward      string   `default:"click" help:"Column of what came of it: a number."`
	Propensity  string   `default:"propensity_score" help:"Column of the probability with which the item was shown at its position, above 0."`
	Context     []string `placeholder:"COLUMN" help:"Columns that the reward model tells apart, beside the position."`
	Probability string   `default:"probability" help:"Column of the probabilities in --target."`
}

// Run values a policy by the log of another.
func (c evalPolicyCmd) Run(ctx context.Context, k *kong.Context, s streams) error {
	if err := ownFile(k, c.Log); err != nil {
		return err
	}
	rows, err := eval.Policy(ctx, c.options(s), eval.PolicyFiles{
		Log: c.Log, Target: c.Target, TargetLog: c.TargetLog, Probability: c.Probability,
		Columns: eval.Columns(c.Item, c.Position, c.Reward, c.Propensity, c.Context),
	})
	if err != nil {
		return err
	}
	return c.tell(s, rows)
}

func policyOfOpenBandit(ctx context.Context, o eval.Options) ([]eval.Row, error) {
	return eval.Policy(ctx, o, eval.PolicyFiles{})
}
