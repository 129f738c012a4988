package segment

import (
	"context"
	"slices"

	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/flow"
)

// readRegister asks which purposes may run tonight.
func (n *night) readRegister(ctx context.Context) (err error) {
	if n.in.Rules == nil {
		return nil
	}
	n.papers, err = flow.Registered(ctx, n.in.Rules, n.in.Config, flow.OfferFeatures(n.in.Config), n.in.AsOf)
	return err
}

// runs reports whether the register lets a purpose run (LAW-01). Whoever only
// checks segments has no rules to ask.
func (n *night) runs(p consent.Purpose) bool { return n.in.Rules == nil || n.papers.Runs(p) }

// lawful reports whether a segment's condition keeps to the columns that its
// purpose may look at. One that does not has no members: half a condition would
// mean something else (LAW-05).
func (n *night) lawful(s config.Segment) bool {
	return !slices.ContainsFunc(s.Columns(), func(column string) bool { return !n.papers.Uses(basis, column) })
}
