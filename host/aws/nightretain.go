//go:build !lambda.norpc

package aws

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/host/snapshot"
)

// retain lets go of the days that are older than a published night needs. The night
// has seen them by then.
func (n *Night) retain(ctx context.Context, asOf time.Time) error {
	if err := n.retainBook(ctx, asOf.UTC()); err != nil {
		return err
	}
	if first := firstDay(asOf, n.h.opts.Retain.EventDays); first != "" {
		events, err := n.openShelf(ctx, eventDays)
		if err == nil {
			err = events.before(ctx, first)
		}
		if err != nil {
			return fmt.Errorf("removing old events: %w", err)
		}
	}
	first := firstDay(asOf, n.h.opts.Retain.DecisionDays)
	if first == "" {
		return nil
	}
	kept, err := n.openShelf(ctx, decisionDays)
	if err == nil {
		err = n.dropDecisions(ctx, kept, first)
	}
	if err != nil {
		return fmt.Errorf("removing old decisions: %w", err)
	}
	return nil
}

// retainBook lets go of sealed proofs whose time is over and, early in each month, of
// list entries that nobody needs: what they are counted by is the year.
func (n *Night) retainBook(ctx context.Context, asOf time.Time) error {
	err := n.h.ExpireSealed(ctx, asOf)
	if asOf.Day() <= 3 {
		err = errors.Join(err, n.h.RetainLists(ctx, asOf))
	}
	return err
}

// dropDecisions lets go of days of decisions, after the ledger's queue has up to
// which record of each writer that was.
func (n *Night) dropDecisions(ctx context.Context, s *shelf, first string) error {
	last := map[string]snapshot.ChainSeal{}
	before, err := time.Parse(time.DateOnly, first)
	if err != nil {
		return err
	}
	err = n.eachDecision(ctx, s, time.Time{}, before, func(r decide.Record, _ []byte) error {
		if hash := r.Hash(); r.N > last[r.Writer].N {
			last[r.Writer] = snapshot.ChainSeal{Writer: r.Writer, N: r.N, Hash: fmt.Sprintf("%x", hash), Dropped: true}
		}
		return nil
	})
	if err != nil {
		return err
	}
	heads := make([]snapshot.ChainSeal, 0, len(last))
	for _, writer := range slices.Sorted(maps.Keys(last)) {
		heads = append(heads, last[writer])
	}
	if err := n.h.layChains(ctx, heads); err != nil {
		return err
	}
	return s.before(ctx, first)
}
