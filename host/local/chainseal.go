package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/handschlag/handschlag/consent/ledger"
	"github.com/handschlag/handschlag/decide"
)

// chainSeal is the content of a ledger leaf that says where the chain of decisions
// stood, or, Dropped, up to where retention let go of it (OPS-01).
type chainSeal struct {
	Schema  string    `json:"schema"` // decision-chain/1
	Writer  string    `json:"writer"`
	N       uint64    `json:"n"`
	Hash    string    `json:"hash"`
	Time    time.Time `json:"time"`
	Dropped bool      `json:"dropped,omitempty"`
}

const chainSchema = "decision-chain/1"

// SealDecisions puts the head of the decision chain into the ledger, once per head,
// and waits until a checkpoint covers it.
func (h *Host) SealDecisions(ctx context.Context) error {
	at := h.chainHead()
	if at.N == 0 {
		return nil
	}
	if err := h.sealChain(chainSeal{N: at.N, Hash: at.Prev}); err != nil {
		return fmt.Errorf("sealing decisions: %w", err)
	}
	return h.sequence(ctx)
}

// sealChain queues a seal that is not there yet.
func (h *Host) sealChain(s chainSeal) error {
	s.Schema, s.Writer, s.Time = chainSchema, h.chain.writer, h.opts.Clock().UTC()
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
		if err := h.sealChain(chainSeal{N: first.N - 1, Hash: first.Prev, Dropped: true}); err != nil {
			return err
		}
	}
	return h.save(func(b *pebble.Batch) error { return b.Set(meta(metaFloor), []byte{1}, nil) })
}

// ChainReport says what VerifyDecisions found.
type ChainReport struct {
	Chains []*decide.Chain `json:"chains"`
	Sealed uint64          `json:"sealed"` // the last record that the ledger has a seal of
	Seals  int             `json:"seals"`
	Breaks []*decide.Break `json:"breaks,omitempty"` // the first ones
	Broken int64           `json:"broken"`
}

// breaksShown bounds how many are named.
const breaksShown = 20

// chainAudit is one walk along the decision log.
type chainAudit struct {
	report  ChainReport
	chains  map[string]*decide.Chain
	erased  map[string]bool
	seals   map[uint64]chainSeal
	dropped chainSeal
}

// VerifyDecisions walks the whole decision log and recomputes its chains: removed,
// edited, inserted and moved records are Breaks, and so is one that is not what the
// ledger sealed, or a log that ends before what was sealed or written last.
func (h *Host) VerifyDecisions(ctx context.Context) (ChainReport, error) {
	a := &chainAudit{chains: map[string]*decide.Chain{}, erased: map[string]bool{}, seals: map[uint64]chainSeal{}}
	if err := a.claims(h); err != nil {
		return ChainReport{}, err
	}
	head := h.chainHead()
	err := h.decisions.Scan(0, func(p place, _ uint64, b []byte) error {
		var r decide.Record
		if err := json.Unmarshal(b, &r); err != nil {
			return fmt.Errorf("decision log segment %d, frame at %d: %w", p.Segment, p.Offset, err)
		}
		if r.Writer == h.chain.writer && r.N > head.N {
			return errEnough // written while we looked
		}
		a.follow(r)
		return ctx.Err()
	})
	if err != nil && !errors.Is(err, errEnough) {
		return ChainReport{}, fmt.Errorf("reading decisions: %w", err)
	}
	a.end(h.chain.writer, head)
	return a.report, nil
}

// claims reads what the ledger says about decisions. Only openings that fit a leaf
// of the ledger count; the leaves are read after them, or the newest had none yet.
func (a *chainAudit) claims(h *Host) error {
	var all []ledger.Opening
	if err := h.openings(context.Background(), false, func(o ledger.Opening) error { all = append(all, o); return nil }); err != nil {
		return err
	}
	leaves, err := ledger.Leaves(context.Background(), h.ledger, 0)
	if err != nil {
		return fmt.Errorf("reading the ledger: %w", err)
	}
	for _, o := range all {
		leaf, err := o.Leaf()
		if err != nil {
			return err
		}
		if o.Index < int64(len(leaves)) && leaves[o.Index] == leaf {
			a.claim(o)
		}
	}
	return nil
}

func (a *chainAudit) claim(o ledger.Opening) {
	var t ledger.Tombstone
	var s chainSeal
	if json.Unmarshal(o.Content, &t) == nil && t.Schema == ledger.TombstoneSchema {
		for _, hash := range t.Decisions {
			a.erased[hash] = true
		}
	}
	if json.Unmarshal(o.Content, &s) == nil && s.Schema == chainSchema {
		a.seal(s)
	}
}

func (a *chainAudit) seal(s chainSeal) {
	if s.Dropped {
		if s.N > a.dropped.N {
			a.dropped = s
		}
		return
	}
	a.seals[s.N] = s
	a.report.Seals++
	a.report.Sealed = max(a.report.Sealed, s.N)
}

func (a *chainAudit) follow(r decide.Record) {
	c := a.chains[r.Writer]
	if c == nil {
		c = &decide.Chain{}
		a.chains[r.Writer], a.report.Chains = c, append(a.report.Chains, c)
	}
	a.note(c.Follow(r, func(hash string) bool { return a.erased[hash] }))
	if s, sealed := a.seals[r.N]; sealed && s.Writer == r.Writer && s.Hash != c.Hash {
		a.note(&decide.Break{Writer: r.Writer, N: r.N, ID: r.ID, Why: "it is not the record that the ledger sealed on " + s.Time.Format(time.RFC3339)})
	}
}

// end compares where the chain begins and ends with what is known of it.
func (a *chainAudit) end(writer string, head head) {
	c := a.chains[writer]
	if c == nil {
		c = &decide.Chain{Writer: writer}
	}
	if last := max(head.N, a.report.Sealed); c.N < last && a.dropped.N < last {
		a.note(&decide.Break{Writer: writer, N: c.N, Why: fmt.Sprintf("the log ends here, but record %d was written", last)})
	} else if c.N == head.N && c.Count > 0 && c.Hash != head.Prev {
		a.note(&decide.Break{Writer: writer, N: c.N, Why: "the last record is not the one that was written"})
	}
	if c.Count > 0 && c.First != a.dropped.N+1 {
		a.note(&decide.Break{Writer: writer, N: c.First, Why: fmt.Sprintf("the log begins here, but retention let go of record %d and before only", a.dropped.N)})
	}
}

func (a *chainAudit) note(b *decide.Break) {
	if b == nil {
		return
	}
	if a.report.Broken++; len(a.report.Breaks) < breaksShown {
		a.report.Breaks = append(a.report.Breaks, b)
	}
}
