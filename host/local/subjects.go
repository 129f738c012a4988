package local

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/flow"
)

// idMap remembers looked-up identifiers by their HMAC.
type idMap struct {
	mu     sync.RWMutex
	known  map[[32]byte]consent.Subject
	assign [256]sync.Mutex // by the key's first byte: one new pseudonym at a time
}

const idsKept = 1 << 17

// Find gives an identifier's pseudonym, or zero.
func (h *Host) Find(_ context.Context, id consent.ID) (consent.Subject, error) {
	if id.IsZero() {
		return consent.Subject{}, nil
	}
	k := h.keys.ids.Key(id)
	h.ids.mu.RLock()
	s, ok := h.ids.known[k]
	h.ids.mu.RUnlock()
	if ok {
		return s, nil
	}
	s, err := h.lookUp(k)
	if err != nil || s.IsZero() {
		return s, err
	}
	h.ids.mu.Lock()
	defer h.ids.mu.Unlock()
	if h.buried(s) { // erased since it was looked up
		return consent.Subject{}, nil
	}
	h.ids.keep(k, s)
	return s, nil
}

func (m *idMap) keep(k [32]byte, s consent.Subject) {
	if m.known == nil || len(m.known) >= idsKept {
		m.known = make(map[[32]byte]consent.Subject)
	}
	m.known[k] = s
}

func (h *Host) lookUp(k [32]byte) (s consent.Subject, err error) {
	v, err := get(h.db, key(tabID, k[:]))
	if err != nil || v == nil {
		return s, err
	}
	if copy(s[:], v) != len(v) || len(v) != len(s) {
		return s, errors.New("state store holds an unreadable pseudonym")
	}
	return s, nil
}

// Assign gives an identifier's pseudonym and makes one at first.
func (h *Host) Assign(ctx context.Context, id consent.ID) (consent.Subject, error) {
	if id.IsZero() {
		return consent.Subject{}, errors.New("assigning pseudonym: no identifier")
	}
	if s, err := h.Find(ctx, id); err != nil || !s.IsZero() {
		return s, err
	}
	k := h.keys.ids.Key(id)
	h.ids.assign[k[0]].Lock()
	defer h.ids.assign[k[0]].Unlock()
	s, err := h.lookUp(k)
	if err != nil || !s.IsZero() {
		return s, err
	}
	for s.IsZero() {
		if _, err := rand.Read(s[:]); err != nil {
			return consent.Subject{}, fmt.Errorf("making pseudonym: %w", err)
		}
	}
	if err := h.save(func(b *pebble.Batch) error { return h.bornInto(b, k, s, id.Scope) }); err != nil {
		return consent.Subject{}, fmt.Errorf("assigning pseudonym: %w", err)
	}
	return s, nil
}

// Link notes a device's account, both ways.
func (h *Host) Link(_ context.Context, device, account consent.Subject, at time.Time) error {
	defer h.people.lock(device, account)()
	if h.buried(device) || h.buried(account) {
		return fmt.Errorf("linking device: %w", flow.ErrMoved)
	}
	delete(h.people.of(device).accounts, device)
	was, err := h.accountOf(device)
	if err != nil {
		return err
	}
	v := binary.BigEndian.AppendUint64(append([]byte(nil), account[:]...), uint64(at.UnixMilli()))
	err = h.save(func(b *pebble.Batch) error {
		return errors.Join(
			b.Delete(key(tabDevice, was[:], device[:]), nil),
			b.Set(key(tabLink, device[:]), v, nil),
			b.Set(key(tabDevice, account[:], device[:]), nil, nil))
	})
	if err != nil {
		return fmt.Errorf("linking device: %w", err)
	}
	return nil
}

// AccountOf gives the account that a device was linked to, or zero. Every event
// asks, so what was read is remembered, the absence of a link too.
func (h *Host) AccountOf(_ context.Context, device consent.Subject) (consent.Subject, error) {
	stripe := h.people.of(device)
	stripe.RLock()
	account, known := stripe.accounts[device]
	stripe.RUnlock()
	if known {
		return account, nil
	}
	stripe.Lock()
	defer stripe.Unlock()
	account, err := h.accountOf(device)
	if err == nil {
		stripe.keepAccount(device, account)
	}
	return account, err
}

// accountOf asks the store and needs no lock.
func (h *Host) accountOf(device consent.Subject) (account consent.Subject, err error) {
	return accountIn(h.db, device)
}

func accountIn(r pebble.Reader, device consent.Subject) (account consent.Subject, err error) {
	v, err := get(r, key(tabLink, device[:]))
	if err != nil || v == nil {
		return account, err
	}
	if len(v) != 24 {
		return account, errors.New("state store holds an unreadable link")
	}
	copy(account[:], v)
	return account, nil
}

// devicesOf lists the devices linked to an account.
func (h *Host) devicesOf(account consent.Subject) (out []consent.Subject, err error) {
	prefix := key(tabDevice, account[:])
	err = under(h.db, prefix, func(k, _ []byte) error {
		var s consent.Subject
		copy(s[:], k[len(prefix):])
		out = append(out, s)
		return nil
	})
	return out, err
}
