package consent

import (
	"crypto/hmac"
	"crypto/sha256"
	"hash"
	"sync"
)

// Finder computes what identifiers are found by: HMAC-SHA256(key, tenant ‖ scope ‖
// id). The raw identifier goes no further. It may be used by many at once.
type Finder struct {
	tenant string
	macs   sync.Pool
}

// NewFinder makes one for a tenant, under the key of its identity map.
func NewFinder(key []byte, tenant string) *Finder {
	f := &Finder{tenant: tenant}
	f.macs.New = func() any { return &mac{hmac.New(sha256.New, key), make([]byte, 0, 640)} }
	return f
}

// mac is a keyed hash with room for what it hashes, used again for each identifier.
type mac struct {
	hash.Hash
	text []byte
}

// Key is what an identifier is found by.
func (f *Finder) Key(id ID) (out [32]byte) {
	m := f.macs.Get().(*mac)
	m.text = m.text[:0]
	for _, part := range [...]string{f.tenant, string(id.Scope), id.Reveal()} {
		m.text = append(append(m.text, part...), 0) // no part holds a zero
	}
	m.Reset()
	_, _ = m.Write(m.text) // a hash takes everything
	copy(out[:], m.Sum(m.text[:0]))
	clear(m.text[:cap(m.text)]) // nothing of the identifier stays here
	f.macs.Put(m)
	return out
}
