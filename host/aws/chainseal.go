//go:build !lambda.norpc

package aws

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/handschlag/handschlag/consent/ledger"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/host/snapshot"
)

// chainsInLeaf bounds how many heads one leaf lists: an item holds 400 KB.
const chainsInLeaf = 2000

// VerifyDecisions walks the compacted days and recomputes the chain of every writer:
// removed, edited, inserted and moved records are Breaks, and so is one that is not
// what the ledger sealed, or a chain that ends before what was sealed. What was
// decided on days that are still open is walked by a later night.
func (n *Night) VerifyDecisions(ctx context.Context) (snapshot.ChainReport, error) {
	a, err := n.audit(ctx)
	if err != nil {
		return snapshot.ChainReport{}, err
	}
	return a.Report, nil
}

func (n *Night) audit(ctx context.Context) (*snapshot.ChainAudit, error) {
	a, err := n.h.claims(ctx)
	if err != nil {
		return nil, err
	}
	s, err := n.openShelf(ctx, decisionDays)
	if err != nil {
		return nil, err
	}
	w := walk{a: a, at: map[string]uint64{}, ahead: map[string][]decide.Record{}}
	day := ""
	err = n.eachDecision(ctx, s, time.Time{}, time.Time{}, func(r decide.Record, _ []byte) error {
		if is := dayOf(r.Time); is != day {
			w.let(day)
			day = is
		}
		w.follow(r)
		return ctx.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("walking the decisions: %w", err)
	}
	w.let("9999")
	for _, writer := range a.Writers() {
		a.End(writer, 0, "")
	}
	return a, nil
}

// walk puts records that one process made at the same time, or around midnight,
// into the order of their chain.
type walk struct {
	a     *snapshot.ChainAudit
	at    map[string]uint64          // last followed, by writer
	ahead map[string][]decide.Record // that wait for one before
}

func (w *walk) follow(r decide.Record) {
	if last, begun := w.at[r.Writer]; r.N > 1 && (!begun || r.N > last+1) {
		w.ahead[r.Writer] = append(w.ahead[r.Writer], r)
		return
	}
	w.step(r)
	w.drain(r.Writer)
}

func (w *walk) step(r decide.Record) {
	w.a.Follow(r)
	w.at[r.Writer] = r.N
}

// drain follows those that waited for the last one.
func (w *walk) drain(writer string) {
	wait := w.ahead[writer]
	slices.SortStableFunc(wait, func(a, b decide.Record) int { return cmp.Compare(a.N, b.N) })
	for len(wait) > 0 && wait[0].N <= w.at[writer]+1 {
		w.step(wait[0])
		wait = wait[1:]
	}
	if w.ahead[writer] = wait; len(wait) == 0 {
		delete(w.ahead, writer)
	}
}

// let follows whatever waited since before a day: nothing comes any more that belongs
// before it.
func (w *walk) let(day string) {
	for _, writer := range slices.Sorted(maps.Keys(w.ahead)) {
		for wait := w.ahead[writer]; len(wait) > 0 && dayOf(wait[0].Time) < day; wait = w.ahead[writer] {
			slices.SortStableFunc(wait, func(a, b decide.Record) int { return cmp.Compare(a.N, b.N) })
			w.ahead[writer] = wait[1:]
			w.step(wait[0])
			w.drain(writer)
		}
	}
}

// claims reads what the ledger says about decisions: first the openings, then the
// leaves, or the newest had none yet.
func (h *Host) claims(ctx context.Context) (*snapshot.ChainAudit, error) {
	var all []ledger.Opening
	if err := h.laid(ctx, func(o ledger.Opening) error { all = append(all, o); return nil }); err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return snapshot.NewChainAudit(nil, nil)
	}
	leaves, err := ledger.Leaves(ctx, ledgerStore{h: h}, 0)
	if err != nil {
		return nil, fmt.Errorf("reading the ledger: %w", err)
	}
	return snapshot.NewChainAudit(all, leaves)
}

// laid gives what those leaves stand for that are no consent records.
func (h *Host) laid(ctx context.Context, do func(ledger.Opening) error) error {
	return h.query(ctx, &dynamodb.QueryInput{
		TableName: h.table(tableLeaf), KeyConditionExpression: sdk.String("q = :o"), ExpressionAttributeValues: item{":o": str("o")},
	}, func(i item) error { return open(i, i, do) })
}

// SealDecisions walks the chains and puts the heads that the ledger has no seal of
// into its queue, all of a night in one leaf. Nobody seals a chain that is broken.
func (n *Night) SealDecisions(ctx context.Context) (snapshot.ChainReport, error) {
	a, err := n.audit(ctx)
	if err != nil || a.Report.Broken > 0 {
		return reportOf(a), err
	}
	heads := a.Unsealed()
	if err := n.h.layChains(ctx, heads); err != nil {
		return reportOf(a), fmt.Errorf("sealing decisions: %w", err)
	}
	if err := n.h.covered(ctx); err != nil {
		return reportOf(a), fmt.Errorf("sealing decisions: %w", err)
	}
	after, err := n.h.claims(ctx)
	if err == nil {
		a.Report.Sealed, a.Report.Seals = after.Report.Sealed, after.Report.Seals
	}
	return reportOf(a), err
}

func reportOf(a *snapshot.ChainAudit) snapshot.ChainReport {
	if a == nil {
		return snapshot.ChainReport{}
	}
	return a.Report
}

// layChains queues leaves that list heads of chains. The same heads are laid once.
func (h *Host) layChains(ctx context.Context, heads []snapshot.ChainSeal) error {
	for part := range slices.Chunk(heads, chainsInLeaf) {
		named, err := json.Marshal(part)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(named)
		t := h.transaction()
		_, err = t.lay("decisions-"+hex.EncodeToString(sum[:16]), snapshot.ChainSeals{Schema: snapshot.ChainsSchema, Time: h.now(), Chains: part}, errLaid)
		if err == nil {
			err = t.commit(ctx)
		}
		if err != nil && !errors.Is(err, errLaid) {
			return err
		}
	}
	return nil
}

// coverFor is how long a night waits for whoever grows the ledger once a minute.
const coverFor = 3 * time.Minute

// covered returns once the ledger covers what waited for it when it was called. A
// process that may grow the ledger does so itself.
func (h *Host) covered(ctx context.Context) error {
	if h.keys.signer != nil {
		return h.Sequence(ctx)
	}
	waits, err := h.waiting(ctx, nil)
	for end := time.Now().Add(coverFor); err == nil && len(waits) > 0; waits, err = h.waiting(ctx, waits) {
		if time.Now().After(end) {
			return fmt.Errorf("%d leaves wait for the ledger since %s: is the schedule of the consent function on?", len(waits), coverFor)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
		}
	}
	return err
}

// waiting are the places in the queue that are taken; of those in among, if that is
// not nil.
func (h *Host) waiting(ctx context.Context, among map[string]bool) (map[string]bool, error) {
	at, err := h.integrated(ctx)
	if err != nil {
		return nil, err
	}
	queue, err := h.queued(ctx, at, int(^uint(0)>>1))
	out := map[string]bool{}
	for _, e := range queue {
		if name := e.shard + "/" + e.place; among == nil || among[name] {
			out[name] = true
		}
	}
	return out, err
}
