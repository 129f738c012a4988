package ledger

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// sealedHead is how a sealed opening begins, readable without the key: until, index.
const sealedHead = 16

// Seal encrypts an opening (its salt, then its content) that is kept only to defend
// claims, until a moment. place is where it will lie: it opens nowhere else. nonce
// is 12 random bytes, new each time.
func Seal(key, place []byte, until time.Time, index int64, nonce, salted []byte) ([]byte, error) {
	aead, err := sealer(key)
	if err != nil {
		return nil, err
	}
	v := binary.BigEndian.AppendUint64(nil, uint64(until.UnixMilli()))
	v = binary.BigEndian.AppendUint64(v, uint64(index))
	v = append(v, nonce...)
	return aead.Seal(v, nonce, salted, append(append([]byte(nil), place...), v[:sealedHead]...)), nil
}

// Unseal opens what Seal made.
func Unseal(key, place, sealed []byte) (index int64, salted []byte, err error) {
	aead, err := sealer(key)
	if err != nil {
		return 0, nil, err
	}
	_, index, err = SealedUntil(sealed)
	head := sealedHead + aead.NonceSize()
	if err != nil || len(sealed) < head {
		return 0, nil, errors.Join(errors.New("unreadable sealed proof"), err)
	}
	salted, err = aead.Open(nil, sealed[sealedHead:head], sealed[head:], append(append([]byte(nil), place...), sealed[:sealedHead]...))
	if err != nil {
		return 0, nil, fmt.Errorf("opening a sealed proof: %w", err)
	}
	return index, salted, nil
}

// SealedUntil reads, without the key, when a sealed opening must go and which leaf
// it opens.
func SealedUntil(sealed []byte) (until time.Time, index int64, err error) {
	if len(sealed) < sealedHead {
		return until, 0, errors.New("unreadable sealed proof")
	}
	return time.UnixMilli(int64(binary.BigEndian.Uint64(sealed))).UTC(), int64(binary.BigEndian.Uint64(sealed[8:])), nil
}

func sealer(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("sealing proof: %w", err)
	}
	return cipher.NewGCM(block)
}
