package flow

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/handschlag/handschlag/consent"
)

// keyring makes digests, draws and tokens from the tenant's secrets.
type keyring struct {
	draw    []byte
	digests sync.Pool   // of hash.Hash, keyed
	tokens  cipher.AEAD // seals hand-over tokens
}

var errKeys = errors.New("the host's keys must be at least 32 bytes each")

func newKeyring(k Keys) (*keyring, error) {
	if min(len(k.Token), len(k.Draw), len(k.Digest)) < 32 {
		return nil, errKeys
	}
	key := sha256.Sum256(append([]byte("hand-over token/1\x00"), k.Token...))
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, fmt.Errorf("making the token key: %w", err)
	}
	seal, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("making the token key: %w", err)
	}
	r := &keyring{draw: k.Draw, tokens: seal}
	r.digests.New = func() any { return hmac.New(sha256.New, k.Digest) }
	return r, nil
}

// sum is HMAC-SHA256 of a domain and parts. The domain keeps digests of equal
// values apart; its end is marked.
func (r *keyring) sum(domain string, parts ...[]byte) (out [sha256.Size]byte) {
	h := r.digests.Get().(hash.Hash)
	defer r.digests.Put(h)
	h.Reset()
	h.Write([]byte(domain))
	h.Write([]byte{0})
	for _, p := range parts {
		h.Write(p)
	}
	h.Sum(out[:0])
	return out
}

// message is the key that duplicates of a message are known by.
func (r *keyring) message(s consent.Subject, id string) (key [16]byte) {
	sum := r.sum("message", s[:], []byte(id))
	copy(key[:], sum[:])
	return key
}

// value is event.Keyed: a digest to count distinct values with, never negative.
func (r *keyring) value(domain, value string) int64 {
	sum := r.sum("value/"+domain, []byte(value))
	return int64(binary.BigEndian.Uint64(sum[:8]) >> 1)
}

// newID is a UUIDv7 of a moment: unguessable, and sorted by time.
func newID(now time.Time) string {
	var b uuid.UUID
	rand.Read(b[:]) // never fails
	return stamped(b, now)
}

// stamped makes a UUIDv7 of a moment and given random bits.
func stamped(b uuid.UUID, now time.Time) string {
	ms := uint64(now.UnixMilli())
	b[0], b[1], b[2], b[3], b[4], b[5] = byte(ms>>40), byte(ms>>32), byte(ms>>24), byte(ms>>16), byte(ms>>8), byte(ms)
	b[6] = b[6]&0x0f | 0x70
	b[8] = b[8]&0x3f | 0x80
	return b.String()
}
