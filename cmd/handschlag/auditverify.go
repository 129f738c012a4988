package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/handschlag/handschlag/host/local"
)

type auditVerifyCmd struct {
	place
	JSON bool `help:"Print the report as JSON."`
}

// Run verifies the chain of decisions against itself and against what the ledger
// sealed of it.
func (c auditVerifyCmd) Run(ctx context.Context, s streams) error {
	return c.within(ctx, s, func(r *reached) error {
		var out local.ChainReport
		if err := r.call(ctx, "GET", "/admin/chain", nil, &out); err != nil {
			return err
		}
		if !c.JSON {
			return s.chain(out)
		}
		if err := printJSON(s, out); err != nil {
			return err
		}
		return brokenChain(out)
	})
}

// chain prints what a walk along the decision log found.
func (s streams) chain(r local.ChainReport) error {
	for _, c := range r.Chains {
		s.printf("decisions: %d records of writer %.8s, %d to %d, %d erased, sealed up to %d in the ledger\n", c.Count, c.Writer, c.First, c.N, c.Erased, r.Sealed)
	}
	if len(r.Chains) == 0 {
		s.printf("decisions: none\n")
	}
	for _, b := range r.Breaks {
		s.printf("  %s\n", b.Error())
	}
	return brokenChain(r)
}

func brokenChain(r local.ChainReport) error {
	if r.Broken == 0 {
		return nil
	}
	err := fmt.Errorf("the decision log does not hold in %d places", r.Broken)
	if len(r.Breaks) > 0 {
		err = fmt.Errorf("%w, the first: %w", err, r.Breaks[0])
	}
	return errors.Join(err)
}
