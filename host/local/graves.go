package local

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"sync"

	"github.com/handschlag/handschlag/consent"
)

// grave is what stays of an erased subject: a keyed hash of its pseudonym, from
// which nothing leads back. It keeps rows that come late, or lie in a backup, out.
type grave [16]byte

// graves are the marks of all erased subjects.
type graves struct {
	mu    sync.RWMutex
	known map[grave]bool
}

func (k *secrets) graveOf(s consent.Subject) (m grave) {
	copy(m[:], k.derive("grave", s[:]))
	return m
}

// derive is a keyed hash for a use of its own.
func (k *secrets) derive(use string, of []byte) []byte {
	m := hmac.New(sha256.New, k.subjects)
	_, _ = m.Write(append(append([]byte(use), 0), of...)) // a hash takes everything
	return m.Sum(nil)
}

// buried reports that a subject was erased.
func (h *Host) buried(s consent.Subject) bool {
	h.graves.mu.RLock()
	defer h.graves.mu.RUnlock()
	return len(h.graves.known) > 0 && h.graves.known[h.keys.graveOf(s)]
}

// any reports whether anybody was erased.
func (g *graves) any() bool {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return len(g.known) > 0
}

func (g *graves) add(m grave) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.known == nil {
		g.known = map[grave]bool{}
	}
	g.known[m] = true
}

// openGraves reads the marks.
func (h *Host) openGraves() error {
	return under(h.db, []byte{tabGrave}, func(k, _ []byte) error {
		if len(k) != 1+len(grave{}) {
			return errors.New("state store holds an unreadable mark of an erasure")
		}
		h.graves.add(grave(k[1:]))
		return nil
	})
}

func (m grave) String() string { return hex.EncodeToString(m[:]) }
