package local

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/handschlag/handschlag/consent/ledger"
	"github.com/handschlag/handschlag/flow"
)

// sealedProof is a proof of consent of an erased subject: found only by its record
// id, opened only to defend a claim, gone after until (RGT-05, OPS-06). Sealing
// restricts it; it does not count as erasure (RGT-06).
type sealedProof struct {
	Key   []byte `json:"key"`
	Value []byte `json:"value"` // until, index in the ledger, nonce, sealed salt and record
}

func (k *secrets) sealedKey(record string) []byte {
	return key(tabSealed, k.derive("sealed proof of", []byte(record))[:16])
}

// seal makes a record's sealed proof.
func (k *secrets) seal(record string, until time.Time, index uint64, salt [32]byte, canonical []byte) (p sealedProof, err error) {
	var nonce [12]byte
	if _, err := rand.Read(nonce[:]); err != nil {
		return p, fmt.Errorf("sealing proof: %w", err)
	}
	p.Key = k.sealedKey(record)
	p.Value, err = ledger.Seal(k.derive("sealed proofs", nil), p.Key, until, int64(index), nonce[:], append(salt[:], canonical...))
	return p, err
}

// SealedProof opens the proof of an erased subject's consent, under the current
// checkpoint: for whoever has to defend a claim, and says so elsewhere.
func (h *Host) SealedProof(ctx context.Context, id string) (flow.Proof, error) {
	index, salted, err := h.sealedRecord(id)
	if err != nil {
		return flow.Proof{}, err
	}
	salt, r, err := readRecord(salted)
	if err != nil {
		return flow.Proof{}, err
	}
	leaf := ledger.NewLeaf(salt, salted[len(salt):])
	return h.prove(ctx, flow.Proof{Record: r, Salt: hex.EncodeToString(salt[:]), Leaf: hex.EncodeToString(leaf[:]), Index: index})
}

// expireSealed erases sealed proofs whose time is over; an erasure leaf says so.
func (h *Host) expireSealed(now time.Time) error {
	t := ledger.Tombstone{Schema: ledger.TombstoneSchema, Time: now.UTC(), Leaves: []int64{}, Proofs: "erased"}
	var gone [][]byte
	err := under(h.db, []byte{tabSealed}, func(k, v []byte) error {
		until, index, err := ledger.SealedUntil(v)
		if err == nil && !until.After(now) {
			t.Leaves, gone = append(t.Leaves, index), append(gone, bytes.Clone(k))
		}
		return err
	})
	if err != nil || len(gone) == 0 {
		return err
	}
	slices.Sort(t.Leaves)
	if t.ID, err = random(); err != nil {
		return err
	}
	err = h.save(func(b *pebble.Batch) error {
		_, err := h.lay(b, t.ID, t, nil)
		for _, k := range gone {
			err = errors.Join(err, b.Delete(k, nil))
		}
		return errors.Join(err, b.Set(meta(metaScrub), []byte{1}, nil))
	})
	if err != nil {
		return fmt.Errorf("erasing sealed proofs: %w", err)
	}
	h.wakeSequencer()
	return nil
}

// sealedRecord finds the sealed proof of an erased subject's record.
func (h *Host) sealedRecord(id string) (index int64, salted []byte, err error) {
	place := h.keys.sealedKey(id)
	v, err := get(h.db, place)
	if err != nil {
		return 0, nil, err
	}
	if v == nil {
		return 0, nil, fmt.Errorf("consent record: %w", flow.ErrNotFound)
	}
	return ledger.Unseal(h.keys.derive("sealed proofs", nil), place, v)
}
