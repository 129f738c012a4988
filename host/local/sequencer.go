package local

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/handschlag/handschlag/consent/ledger"
	"github.com/handschlag/handschlag/flow"
)

// sequenceWait gathers leaves into one batch; a checkpoint covers a record within
// a second.
const sequenceWait = 250 * time.Millisecond

// sequencer is the one goroutine that grows the ledger while the host is open.
func (h *Host) sequencer(stop <-chan struct{}) {
	for {
		select {
		case <-h.wake:
		case <-stop:
			return
		}
		select {
		case <-time.After(sequenceWait):
		case <-stop:
			return
		}
		if err := h.sequence(context.Background()); err != nil {
			h.opts.Log.Error("growing the ledger failed; trying again", "err", err)
			h.wakeSequencer()
		}
	}
}

func (h *Host) wakeSequencer() {
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

// entry is a leaf that waits to enter the ledger.
type entry struct {
	key    []byte
	leaf   ledger.Leaf
	record string
}

// sequence takes the whole queue into the ledger, batch by batch. The ledger
// decides: what a crash left in it without an index here is found by its leaf, and
// not entered twice.
func (h *Host) sequence(ctx context.Context) error {
	h.seq.Lock()
	defer h.seq.Unlock()
	more, err := true, error(nil)
	for more && err == nil {
		more, err = h.grow(ctx)
	}
	err = h.suspect(err)
	h.seqErr.Store(&err)
	return err
}

// grow takes one batch of the queue and says whether there may be more.
func (h *Host) grow(ctx context.Context) (more bool, err error) {
	queue, err := h.queue(h.opts.batchMost)
	if err != nil {
		return false, err
	}
	if queue, err = h.settle(ctx, queue); err != nil {
		return false, err
	}
	if err := h.jotDown(ctx, queue); err != nil || len(queue) == 0 {
		return false, err
	}
	leaves := make([]ledger.Leaf, len(queue))
	for i, e := range queue {
		leaves[i] = e.leaf
	}
	first, _, err := ledger.Append(ctx, h.ledger, h.keys.signer, leaves)
	if err != nil {
		return false, fmt.Errorf("growing the ledger: %w", err)
	}
	return true, h.indexed(queue, first)
}

// batchMost bounds one batch.
const batchMost = 4096

func (h *Host) queue(most int) (out []entry, err error) {
	err = each(h.db, []byte{tabQueue}, []byte{tabQueue + 1}, func(k, v []byte) (bool, error) {
		if len(v) < 32 {
			return false, errors.New("unreadable queue entry")
		}
		out = append(out, entry{append([]byte(nil), k...), ledger.Leaf(v[:32]), string(v[32:])})
		return len(out) < most, nil
	})
	return out, err
}

// settle indexes those entries that are in the ledger already and gives the rest.
func (h *Host) settle(ctx context.Context, queue []entry) ([]entry, error) {
	from, err := h.integrated()
	if err != nil {
		return nil, err
	}
	_, c, err := ledger.Append(ctx, h.ledger, h.keys.signer, nil) // finishes what was decided
	if err != nil {
		return nil, fmt.Errorf("reading the ledger: %w", err)
	}
	if c.Size < from {
		return nil, errSplit{fmt.Sprintf("the ledger holds %d leaves, but %d were entered: it was cut or replaced", c.Size, from)}
	}
	if c.Size == from {
		return queue, nil
	}
	leaves, err := ledger.Leaves(ctx, h.ledger, from)
	if err != nil {
		return nil, fmt.Errorf("reading the ledger: %w", err)
	}
	if queue, err = h.queue(math.MaxInt); err != nil { // after a restore there may be more than one batch
		return nil, err
	}
	known := make(map[ledger.Leaf]entry, len(queue))
	for _, e := range queue {
		known[e.leaf] = e
	}
	var found []entry
	var gone map[int64]bool
	for i, leaf := range leaves {
		e, ok := known[leaf]
		if !ok {
			if gone == nil {
				if gone, err = h.entombed(); err != nil {
					return nil, err
				}
			}
			if !gone[from+int64(i)] {
				return nil, errSplit{fmt.Sprintf("the ledger holds a leaf at %d that the book does not know", from+int64(i))}
			}
		}
		found = append(found, e)
	}
	if err := h.indexed(found, from); err != nil {
		return nil, err
	}
	return h.queue(h.opts.batchMost)
}

// entombed are the leaves that erasures name.
func (h *Host) entombed() (map[int64]bool, error) {
	out := map[int64]bool{}
	err := under(h.db, []byte{tabOpening}, func(_, v []byte) error {
		var t ledger.Tombstone
		if len(v) > 32 && json.Unmarshal(v[32:], &t) == nil && t.Schema == ledger.TombstoneSchema {
			for _, i := range t.Leaves {
				out[i] = true
			}
		}
		return nil
	})
	return out, err
}

// integrated is how many leaves of the ledger are indexed.
func (h *Host) integrated() (int64, error) {
	v, err := get(h.db, meta(metaIntegrated))
	if err != nil || v == nil {
		return 0, err
	}
	return int64(binary.BigEndian.Uint64(v)), nil
}

// indexed notes where entries lie, now that a durable checkpoint covers them.
func (h *Host) indexed(entries []entry, first int64) error {
	return h.save(func(b *pebble.Batch) error {
		err := errors.Join(b.Set(meta(metaIntegrated), u64(uint64(first)+uint64(len(entries))), nil), b.Set(meta(metaJournal), u64(h.journal.Next()), nil))
		for i, e := range entries {
			if e.key == nil { // its record was erased before a backup was put back
				continue
			}
			err = errors.Join(err, b.Delete(e.key, nil), b.Set(key(tabIndex, []byte(e.record)), u64(uint64(first)+uint64(i)), nil))
		}
		return err
	})
}

// Proof gives a record's inclusion proof under the current checkpoint.
func (h *Host) Proof(ctx context.Context, id string) (flow.Proof, error) {
	salt, r, err := h.record(id)
	if err != nil {
		return flow.Proof{}, err
	}
	v, err := get(h.db, key(tabIndex, []byte(id)))
	if err != nil {
		return flow.Proof{}, err
	}
	if v == nil {
		return flow.Proof{}, fmt.Errorf("the record waits for a checkpoint: %w", flow.ErrMoved)
	}
	canonical, err := r.Canonical()
	if err != nil {
		return flow.Proof{}, err
	}
	leaf := ledger.NewLeaf(salt, canonical)
	return h.prove(ctx, flow.Proof{
		Record: r, Salt: hex.EncodeToString(salt[:]), Leaf: hex.EncodeToString(leaf[:]), Index: int64(binary.BigEndian.Uint64(v)),
	})
}

// prove adds the way from a leaf to the current checkpoint.
func (h *Host) prove(ctx context.Context, p flow.Proof) (flow.Proof, error) {
	_, c, err := ledger.Append(ctx, h.ledger, h.keys.signer, nil) // finishes what was decided
	if err != nil {
		return flow.Proof{}, fmt.Errorf("reading checkpoint: %w", err)
	}
	hashes, err := ledger.Inclusion(ctx, h.ledger, p.Index, c.Size)
	if err != nil {
		return flow.Proof{}, fmt.Errorf("proving inclusion: %w", err)
	}
	for _, hash := range hashes {
		p.Hashes = append(p.Hashes, base64.StdEncoding.EncodeToString(hash[:]))
	}
	p.Checkpoint = string(c.Note)
	return p, nil
}

// queueAt finds the number of the last entry of queue and outbox, at open.
func (h *Host) queueAt() error {
	last := func(k, _ []byte) error {
		h.queued.Store(max(h.queued.Load(), binary.BigEndian.Uint64(k[1:])))
		return nil
	}
	return errors.Join(under(h.db, []byte{tabQueue}, last), under(h.db, []byte{tabOutbox}, last))
}

// openLedger opens the ledger of the folder, or starts it in a new one. One that
// is shorter than what was entered is damaged, and never begun anew.
func (h *Host) openLedger(ctx context.Context) error {
	n, err := h.integrated()
	if err != nil {
		return err
	}
	if begun, err := h.disk.has(h.disk.path("ledger", "head")); err != nil || !begun && n > 0 {
		return errors.Join(fmt.Errorf("damaged file %s at offset 0: the file is missing", h.disk.path("ledger", "head")), err)
	}
	c, err := ledger.Create(ctx, h.ledger, h.keys.signer)
	if err != nil {
		return fmt.Errorf("opening ledger %s: %w", h.disk.path("ledger"), err)
	}
	if c.Size < n {
		return fmt.Errorf("damaged ledger %s: it holds %d leaves, but %d were entered", h.disk.path("ledger"), c.Size, n)
	}
	return nil
}
