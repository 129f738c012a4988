package local

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/consent/ledger"
	"github.com/handschlag/handschlag/flow"
)

// DATA/log/book is the book's journal: what every leaf of the ledger stands for,
// every entry of the lists, and every erasure, in order. An entry is in it before
// its leaf is in the ledger. A state store that was put back from a backup takes
// from it what it missed before anybody reads (L11).

// jot is one journal entry. One that consists of spaces is what Scrub leaves of a
// subject that was erased.
type jot struct {
	Op      string          `json:"op"` // record | opening | list | suppression | erasure
	At      time.Time       `json:"at"`
	ID      string          `json:"id,omitempty"` // of an opening or an erasure; the name of a suppression
	Subject consent.Subject `json:"subject,omitempty"`
	Scope   consent.Scope   `json:"scope,omitempty"`
	Salt    string          `json:"salt,omitempty"` // hex
	Content json.RawMessage `json:"content,omitempty"`
	Entry   *consent.Entry  `json:"entry,omitempty"`
	Burial  *burial         `json:"burial,omitempty"`
}

// burial is what it takes to do an erasure again.
type burial struct {
	Mark   []byte        `json:"mark"`
	Sealed []sealedProof `json:"sealed,omitempty"`
}

// leaf is what the entry's content became in the ledger.
func (j jot) leaf() (ledger.Leaf, error) {
	return ledger.Opening{Salt: j.Salt, Content: j.Content}.Leaf()
}

// lay queues a leaf that is no consent record, and keeps its opening.
func (h *Host) lay(b *pebble.Batch, id string, content any, buried *burial) (ledger.Leaf, error) {
	body, err := json.Marshal(content)
	if err != nil {
		return ledger.Leaf{}, err
	}
	salt, err := newSalt()
	if err != nil {
		return ledger.Leaf{}, err
	}
	leaf := ledger.NewLeaf(salt, body)
	err = errors.Join(
		b.Set(key(tabOpening, []byte(id)), append(salt[:], body...), nil),
		b.Set(key(tabQueue, u64(h.queued.Add(1))), append(leaf[:], id...), nil))
	if buried != nil {
		j := jot{Op: "erasure", ID: id, Salt: hex.EncodeToString(salt[:]), Content: body, Burial: buried}
		err = errors.Join(err, h.outbox(b, j))
	}
	return leaf, err
}

// outbox queues an entry of the journal that brings no leaf, or more than its content.
func (h *Host) outbox(b *pebble.Batch, j jot) error {
	j.At = h.opts.Clock().UTC()
	body, err := json.Marshal(j)
	if err != nil {
		return err
	}
	return b.Set(key(tabOutbox, u64(h.queued.Add(1))), body, nil)
}

// jotDown puts the outbox, and what a batch of leaves stands for, into the journal
// and returns once both are durable.
func (h *Host) jotDown(ctx context.Context, queue []entry) error {
	var jots [][]byte
	var sent [][]byte
	err := under(h.db, []byte{tabOutbox}, func(k, v []byte) error {
		jots, sent = append(jots, append([]byte(nil), v...)), append(sent, append([]byte(nil), k...))
		return nil
	})
	for _, e := range queue {
		if err == nil {
			jots, err = h.jotOf(e, jots)
		}
	}
	if err != nil || len(jots) == 0 {
		return err
	}
	if _, err := h.journal.Append(ctx, jots...); err != nil {
		return fmt.Errorf("writing the book's journal: %w", err)
	}
	return h.save(func(b *pebble.Batch) error {
		if err := b.Set(meta(metaJournal), u64(h.journal.Next()), nil); err != nil { // the state has all that is in it
			return err
		}
		for _, k := range sent {
			if err := b.Delete(k, nil); err != nil {
				return err
			}
		}
		return nil
	})
}

// jotOf adds the entry of a queued leaf. An erasure's came through the outbox.
func (h *Host) jotOf(e entry, to [][]byte) ([][]byte, error) {
	j := jot{Op: "opening", At: h.opts.Clock().UTC(), ID: e.record}
	v, err := get(h.db, key(tabOpening, []byte(e.record)))
	if err != nil {
		return nil, err
	}
	if v == nil {
		salt, r, err := h.record(e.record)
		if errors.Is(err, flow.ErrNotFound) { // a leaf that nothing opens must not hold up the others
			return to, nil
		}
		if err != nil {
			return nil, err
		}
		j.Op, j.ID, j.Subject, j.Scope, j.Salt = "record", "", r.Subject, r.Scope, hex.EncodeToString(salt[:])
		if j.Content, err = r.Canonical(); err != nil {
			return nil, err
		}
	} else {
		j.Salt, j.Content = hex.EncodeToString(v[:32]), v[32:]
	}
	body, err := json.Marshal(j)
	return append(to, body), err
}

// backupDays is how old a backup may be that is put back (law.md 2.6, RGT-06): for
// so long the journal knows what happened since.
const backupDays = 35

// retainJournal drops segments of the journal in which every entry is older than
// any backup may be. Each night begins a segment.
func (h *Host) retainJournal(asOf time.Time) error {
	if err := h.journal.Roll(); err != nil {
		return fmt.Errorf("shortening the book's journal: %w", err)
	}
	segments, before := h.journal.Segments(), asOf.AddDate(0, 0, -backupDays)
	keep, end := segments[0], segments[len(segments)-1].First
	err := h.journal.Scan(0, func(_ place, n uint64, b []byte) error {
		if n >= end {
			return errEnough
		}
		old, err := jottedBefore(b, before)
		if err == nil && !old {
			err = errEnough
		}
		if err != nil {
			return err
		}
		for _, s := range segments {
			if n+1 == s.First { // all before it is old
				keep = s
			}
		}
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return fmt.Errorf("shortening the book's journal: %w", err)
	}
	if keep.Number == segments[0].Number {
		return nil
	}
	return h.journal.Drop(keep.Number)
}

// jottedBefore reports that an entry is from before a time; one that was emptied
// does not say.
func jottedBefore(b []byte, t time.Time) (bool, error) {
	if blank(b) {
		return true, nil
	}
	var j jot
	err := json.Unmarshal(b, &j)
	return j.At.Before(t), err
}
