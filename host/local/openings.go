package local

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/consent/ledger"
)

// Openings gives what every leaf of the ledger stands for that the book still
// knows: consent records, erasures, seals. Leaves that wait for a checkpoint are
// left out, and so are sealed proofs.
func (h *Host) Openings(ctx context.Context, each func(ledger.Opening) error) error {
	return h.openings(ctx, true, each)
}

func (h *Host) openings(ctx context.Context, records bool, each func(ledger.Opening) error) error {
	if err := h.sequence(ctx); err != nil {
		return err
	}
	state := h.db.NewSnapshot()
	give := func(id string, v []byte) error {
		place, err := get(state, key(tabIndex, []byte(id)))
		if err != nil || place == nil || len(v) < 32 {
			return err
		}
		return each(ledger.Opening{Index: int64(binary.BigEndian.Uint64(place)), Salt: hex.EncodeToString(v[:32]), Content: bytes.Clone(v[32:])})
	}
	err := under(state, []byte{tabOpening}, func(k, v []byte) error { return give(string(k[1:]), v) })
	if err == nil && records {
		err = under(state, []byte{tabRecord}, func(_, v []byte) error {
			_, r, err := readRecord(v)
			if err != nil {
				return err
			}
			return give(r.RecordID, v)
		})
	}
	return errors.Join(err, state.Close())
}

// Sequence lets the ledger cover every record that was acknowledged before.
func (h *Host) Sequence(ctx context.Context) error { return h.sequence(ctx) }

// Verifier is the ledger's public key.
func (h *Host) Verifier() string { return h.keys.signer.Public }

// ScanRecords gives every subject's records, in the order of subjects and versions,
// as of one moment: all, or of one subject.
func (h *Host) ScanRecords(ctx context.Context, s consent.Subject, each func(consent.Record) error) error {
	prefix := []byte{tabRecord}
	if !s.IsZero() {
		prefix = key(tabRecord, s[:])
	}
	state := h.db.NewSnapshot()
	err := under(state, prefix, func(_, v []byte) error {
		_, r, err := readRecord(v)
		if err == nil {
			err = errors.Join(ctx.Err(), each(r))
		}
		return err
	})
	return errors.Join(err, state.Close())
}
