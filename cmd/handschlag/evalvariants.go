package main

import (
	"context"

	"github.com/handschlag/handschlag/batch/eval"
)

type evalVariantsCmd struct {
	judged
	Seeds  int `default:"200" help:"Simulated shops, each with conversion rates of its own."`
	Days   int `default:"28" help:"Days, with a night between."`
	Orders int `default:"200" help:"Orders a day, with a middling variant."`
}

// Run compares the night's shares with equal ones and with plain Thompson sampling in
// shops whose truth is known.
func (c evalVariantsCmd) Run(ctx context.Context, s streams) error {
	rows, err := eval.Variants(ctx, c.options(s), eval.VariantsShop{Seeds: c.Seeds, Days: c.Days, Orders: c.Orders})
	if err != nil {
		return interrupted(ctx, err, "the table is not complete")
	}
	return c.tell(s, rows)
}

func variantsOfASimulation(ctx context.Context, o eval.Options) ([]eval.Row, error) {
	return eval.Variants(ctx, o, eval.VariantsShop{})
}
