package local

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/consent/ledger"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/host/snapshot"
)

// scrub takes the bytes of erased subjects out of the logs and of the state store's
// files. It is part of every night that comes after an erasure; what it did not
// finish the next one does again. Callers hold h.compacting.
func (h *Host) scrub(ctx context.Context) error {
	due, err := h.beginScrub()
	if err != nil || !due {
		return err
	}
	err = errors.Join(h.scrubDecisions(ctx), h.scrubLog(h.events, rowSubject), h.scrubLog(h.journal, jotSubject), h.scrubSealed())
	readers := h.db.Metrics().Snapshots.Count // what they see stays in the files
	if err == nil {
		err = h.scrubState(ctx)
	}
	if err != nil {
		return fmt.Errorf("removing what was erased: %w", err)
	}
	if readers > 0 {
		h.opts.Log.Warn("an audit read the state store as it was; the next night removes what was erased from it", "readers", readers)
		return nil
	}
	return h.save(func(b *pebble.Batch) error { return b.Delete(meta(metaScrubbing), nil) })
}

// beginScrub says whether something waits to be removed, and notes that it is under
// way: a crash does not end it. What is erased from here on marks anew.
func (h *Host) beginScrub() (due bool, err error) {
	err = h.save(func(b *pebble.Batch) error {
		for _, name := range []string{metaScrub, metaScrubbing} {
			v, err := get(h.db, meta(name))
			if err != nil {
				return err
			}
			due = due || v != nil
		}
		if !due {
			return nil
		}
		return errors.Join(b.Delete(meta(metaScrub), nil), b.Set(meta(metaScrubbing), []byte{1}, nil))
	})
	return due, err
}

// rewriter is a log whose finished segments can be rewritten.
type rewriter interface {
	Roll() error
	Rewrite(change func([]byte) (bool, error)) (int, error)
}

// scrubLog makes blanks of the records of erased subjects.
func (h *Host) scrubLog(l rewriter, of func([]byte) (consent.Subject, error)) error {
	if err := l.Roll(); err != nil {
		return err
	}
	_, err := l.Rewrite(func(b []byte) (bool, error) {
		if blank(b) {
			return false, nil
		}
		s, err := of(b)
		if err != nil || s.IsZero() || !h.buried(s) {
			return false, err
		}
		copy(b, bytes.Repeat([]byte{' '}, len(b)))
		return true, nil
	})
	return err
}

func rowSubject(b []byte) (consent.Subject, error) {
	p, err := snapshot.PeekRow(b)
	return p.Subject, err
}

func jotSubject(b []byte) (consent.Subject, error) {
	var j jot
	err := json.Unmarshal(b, &j)
	return j.Subject, err
}

// scrubSealed takes sealed proofs whose time is over out of the journal's erasures.
func (h *Host) scrubSealed() error {
	_, err := h.journal.Rewrite(func(b []byte) (bool, error) {
		if blank(b) {
			return false, nil
		}
		var j jot
		if err := json.Unmarshal(b, &j); err != nil || j.Burial == nil || len(j.Burial.Sealed) == 0 {
			return false, err
		}
		for _, p := range j.Burial.Sealed {
			if kept, err := get(h.db, p.Key); err != nil || kept != nil {
				return false, err
			}
		}
		j.Burial.Sealed = nil
		body, err := json.Marshal(j)
		if err != nil || len(body) > len(b) {
			return false, errors.Join(errors.New("an erasure without its proofs does not fit"), err)
		}
		copy(b, append(body, bytes.Repeat([]byte{' '}, len(b)-len(body))...))
		return true, nil
	})
	return err
}

// scrubDecisions leaves of the decisions about erased subjects what Redacted keeps,
// at the same length: places and chain stay. Their hashes go into the ledger
// first, so that an audit can tell an erasure from a forgery (OPS-01).
func (h *Host) scrubDecisions(ctx context.Context) error {
	if err := h.decisions.Roll(); err != nil {
		return err
	}
	t := ledger.Tombstone{Schema: ledger.TombstoneSchema, Time: h.opts.Clock().UTC(), Leaves: []int64{}, Proofs: "erased"}
	who := map[consent.Subject]bool{}
	err := h.decisions.Scan(0, func(_ place, _ uint64, b []byte) error {
		r, about, err := h.aboutErased(b)
		if about {
			hash := r.Hash()
			t.Decisions = append(t.Decisions, hex.EncodeToString(hash[:]))
			who[r.Subject] = true
		}
		return err
	})
	if err != nil || len(t.Decisions) == 0 {
		return err
	}
	if t.ID, err = random(); err != nil {
		return err
	}
	err = h.save(func(b *pebble.Batch) error {
		_, err := h.lay(b, t.ID, t, nil)
		for s := range who { // one that was on its way, or in the log when a crash came, was indexed after the erasure
			prefix := key(tabBySubject, s[:])
			err = errors.Join(err, b.DeleteRange(prefix, after(prefix), nil))
		}
		return err
	})
	if err != nil {
		return err
	}
	if err := h.sequence(ctx); err != nil {
		return err
	}
	_, err = h.decisions.Rewrite(func(b []byte) (bool, error) {
		r, about, err := h.aboutErased(b)
		if err != nil || !about {
			return false, err
		}
		return true, redactInto(b, r)
	})
	return err
}

// aboutErased reads a stored decision and says whether it is about an erased subject.
func (h *Host) aboutErased(b []byte) (r decide.Record, about bool, err error) {
	if err := json.Unmarshal(b, &r); err != nil {
		return r, false, fmt.Errorf("reading decision: %w", err)
	}
	return r, !r.Subject.IsZero() && h.buried(r.Subject), nil
}

// redactInto writes what is left of a record over it, spaces behind. Rules give way
// if they do not fit.
func redactInto(b []byte, r decide.Record) error {
	left := flow.Redacted(r)
	body, err := json.Marshal(left)
	if err == nil && len(body) > len(b) {
		left.Rules = nil
		body, err = json.Marshal(left)
	}
	if err != nil {
		return err
	}
	if len(body) > len(b) {
		return fmt.Errorf("redacting decision %s: %d bytes do not fit into %d", r.ID, len(body), len(b))
	}
	copy(b, append(body, bytes.Repeat([]byte{' '}, len(b)-len(body))...))
	return nil
}
