package local

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/handschlag/handschlag/flow"
)

// sealedProof is a proof of consent of an erased subject: found only by its record
// id, opened only to defend a claim, gone after until (RGT-05, OPS-06). Sealing
// restricts it; it does not count as erasure (RGT-06).
type sealedProof struct {
	Key   []byte `json:"key"`
	Value []byte `json:"value"` // until, index in the ledger, nonce, sealed salt and record
}

const sealedHead = 16

func (k *secrets) sealedKey(record string) []byte {
	return key(tabSealed, k.derive("sealed proof of", []byte(record))[:16])
}

func (k *secrets) sealer() (cipher.AEAD, error) {
	block, err := aes.NewCipher(k.derive("sealed proofs", nil))
	if err != nil {
		return nil, fmt.Errorf("sealing proof: %w", err)
	}
	return cipher.NewGCM(block)
}

// seal makes a record's sealed proof.
func (k *secrets) seal(record string, until time.Time, index uint64, salt [32]byte, canonical []byte) (sealedProof, error) {
	aead, err := k.sealer()
	if err != nil {
		return sealedProof{}, err
	}
	p := sealedProof{Key: k.sealedKey(record), Value: append(u64(uint64(until.UnixMilli())), u64(index)...)}
	nonce := make([]byte, aead.NonceSize())
	if _, err := rand.Read(nonce); err != nil {
		return sealedProof{}, fmt.Errorf("sealing proof: %w", err)
	}
	p.Value = append(p.Value, nonce...)
	p.Value = aead.Seal(p.Value, nonce, append(salt[:], canonical...), append(p.Key, p.Value[:sealedHead]...))
	return p, nil
}

// unseal opens one.
func (k *secrets) unseal(place, v []byte) (index int64, salted []byte, err error) {
	aead, err := k.sealer()
	if err != nil {
		return 0, nil, err
	}
	head := sealedHead + aead.NonceSize()
	if len(v) < head {
		return 0, nil, errors.New("state store holds an unreadable sealed proof")
	}
	salted, err = aead.Open(nil, v[sealedHead:head], v[head:], append(append([]byte(nil), place...), v[:sealedHead]...))
	if err != nil {
		return 0, nil, fmt.Errorf("opening a sealed proof: %w", err)
	}
	return int64(binary.BigEndian.Uint64(v[8:])), salted, nil
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
	return h.keys.unseal(place, v)
}
