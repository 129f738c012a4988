package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"github.com/handschlag/handschlag/consent/ledger"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/host/snapshot"
)

// SealDecisions puts the head of the decision chain into the ledger, once per head,
// and waits until a checkpoint covers it.
func (h *Host) SealDecisions(ctx context.Context) error {
	at := h.chainHead()
	if at.N == 0 {
		return nil
	}
	if err := h.sealChain(snapshot.ChainSeal{N: at.N, Hash: at.Prev}); err != nil {
		return fmt.Errorf("sealing decisions: %w", err)
	}
	return h.sequence(ctx)
}

// sealChain queues a seal that is not there yet.
func (h *Host) sealChain(s snapshot.ChainSeal) error {
	s.Schema, s.Writer, s.Time = snapshot.ChainSchema, h.chain.writer, h.opts.Clock().UTC()
	id := fmt.Sprintf("decisions-%s-%020d-%t", s.Writer, s.N, s.Dropped)
	known, err := get(h.db, key(tabOpening, []byte(id)))
	if err != nil || known != nil {
		return err
	}
	return h.save(func(b *pebble.Batch) error { _, err := h.lay(b, id, s, nil); return err })
}

// noteFloor seals, once per folder, where a chain begins that was cut before cuts
// were sealed.
func (h *Host) noteFloor() error {
	if known, err := get(h.db, meta(metaFloor)); err != nil || known != nil {
		return err
	}
	var first decide.Record
	err := h.decisions.Scan(0, func(_ place, _ uint64, b []byte) error {
		return errors.Join(errEnough, json.Unmarshal(b, &first))
	})
	if err != nil && !errors.Is(err, errEnough) {
		return err
	}
	if first.N > 1 {
		if err := h.sealChain(snapshot.ChainSeal{N: first.N - 1, Hash: first.Prev, Dropped: true}); err != nil {
			return err
		}
	}
	return h.save(func(b *pebble.Batch) error { return b.Set(meta(metaFloor), []byte{1}, nil) })
}

// VerifyDecisions walks the whole decision log and recomputes its chains: removed,
// edited, inserted and moved records are Breaks, and so is one that is not what the
// ledger sealed, or a log that ends before what was sealed or written last.
func (h *Host) VerifyDecisions(ctx context.Context) (snapshot.ChainReport, error) {
	a, err := h.claims()
	if err != nil {
		return snapshot.ChainReport{}, err
	}
	head := h.chainHead()
	err = h.decisions.Scan(0, func(p place, _ uint64, b []byte) error {
		var r decide.Record
		if err := json.Unmarshal(b, &r); err != nil {
			return fmt.Errorf("decision log segment %d, frame at %d: %w", p.Segment, p.Offset, err)
		}
		if r.Writer == h.chain.writer && r.N > head.N {
			return errEnough // written while we looked
		}
		a.Follow(r)
		return ctx.Err()
	})
	if err != nil && !errors.Is(err, errEnough) {
		return snapshot.ChainReport{}, fmt.Errorf("reading decisions: %w", err)
	}
	a.End(h.chain.writer, head.N, head.Prev)
	return a.Report, nil
}

// claims reads what the ledger says about decisions: the leaves after the
// openings, or the newest had none yet.
func (h *Host) claims() (*snapshot.ChainAudit, error) {
	var all []ledger.Opening
	if err := h.openings(context.Background(), false, func(o ledger.Opening) error { all = append(all, o); return nil }); err != nil {
		return nil, err
	}
	leaves, err := ledger.Leaves(context.Background(), h.ledger, 0)
	if err != nil {
		return nil, fmt.Errorf("reading the ledger: %w", err)
	}
	return snapshot.NewChainAudit(all, leaves)
}
