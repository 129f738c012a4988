package aws

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/consent/ledger"
	"github.com/handschlag/handschlag/flow"
)

// indexOf is where a noted record or opening lies in the ledger, -1 if no checkpoint
// covers it yet.
func indexOf(noted item) int64 {
	if noted["i"] == nil {
		return -1
	}
	return numOf(noted, "i")
}

// Proof gives a record's inclusion proof under the current checkpoint.
func (h *Host) Proof(ctx context.Context, id string) (flow.Proof, error) {
	noted, i, err := h.record(ctx, id)
	if err != nil {
		return flow.Proof{}, err
	}
	r, err := readRecord(i)
	if err != nil {
		return flow.Proof{}, err
	}
	at := indexOf(noted)
	if at < 0 {
		return flow.Proof{}, fmt.Errorf("the record waits for a checkpoint: %w", flow.ErrMoved)
	}
	return h.prove(ctx, r, binOf(i, "salt"), binOf(i, "b"), at)
}

// prove tells the way from a leaf to the current checkpoint.
func (h *Host) prove(ctx context.Context, r consent.Record, salt, canonical []byte, at int64) (flow.Proof, error) {
	store := ledgerStore{h: h}
	c, err := ledger.Published(ctx, store)
	if err != nil {
		return flow.Proof{}, fmt.Errorf("reading checkpoint: %w", err)
	}
	hashes, err := ledger.Inclusion(ctx, store, at, c.Size)
	if err != nil {
		return flow.Proof{}, fmt.Errorf("proving inclusion: %w", err)
	}
	leaf := ledger.NewLeaf([32]byte(salt), canonical)
	p := flow.Proof{Record: r, Salt: hex.EncodeToString(salt), Leaf: hex.EncodeToString(leaf[:]), Index: at, Checkpoint: string(c.Note)}
	for _, hash := range hashes {
		p.Hashes = append(p.Hashes, base64.StdEncoding.EncodeToString(hash[:]))
	}
	return p, nil
}
