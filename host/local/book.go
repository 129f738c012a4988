package local

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/consent/ledger"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/profile"
)

// State gives a subject's state. It waits for a record of the subject that is on
// its way to the disk. The maps in a state are shared: read them only.
func (h *Host) State(_ context.Context, s consent.Subject) (consent.State, error) {
	if err := h.trusted(); err != nil {
		return consent.State{}, err
	}
	st, err := h.state(s)
	return st.State, err
}

func (h *Host) state(s consent.Subject) (stored, error) {
	stripe := h.people.of(s)
	stripe.RLock()
	st, ok := stripe.states[s]
	stripe.RUnlock()
	if ok {
		return st, nil
	}
	stripe.Lock()
	defer stripe.Unlock()
	return h.lockedState(s)
}

// lockedState is for whoever holds the subject's stripe.
func (h *Host) lockedState(s consent.Subject) (stored, error) {
	stripe := h.people.of(s)
	if st, ok := stripe.states[s]; ok {
		return st, nil
	}
	st, err := stateIn(h.db, s)
	if err != nil {
		return stored{}, err
	}
	stripe.keepState(s, st)
	return st, nil
}

func stateIn(r pebble.Reader, s consent.Subject) (stored, error) {
	var st stored
	if err := getJSON(r, key(tabState, s[:]), &st); err != nil && !errors.Is(err, flow.ErrNotFound) {
		return stored{}, fmt.Errorf("reading consent state: %w", err)
	}
	st.Subject = s
	return st, nil
}

// Append adds a record: build runs without any lock, and again if the state
// moved meanwhile. Record, salt, state, leaf queue and the profiles without the
// sections that lost their ground are one synced batch.
func (h *Host) Append(_ context.Context, s consent.Subject, build func(consent.State) (consent.Record, error)) (flow.Receipt, error) {
	if s.IsZero() {
		return flow.Receipt{}, errors.New("appending consent record: nobody")
	}
	for {
		before, err := h.state(s)
		if err != nil {
			return flow.Receipt{}, err
		}
		rec, err := build(before.State)
		if err != nil {
			return flow.Receipt{}, err
		}
		rec.Subject, rec.Version = s, before.Version+1
		receipt, moved, err := h.book(before, rec)
		if err != nil {
			return flow.Receipt{}, fmt.Errorf("appending consent record: %w", err)
		}
		if !moved {
			h.wakeSequencer()
			return receipt, nil
		}
	}
}

// book saves a record that was built on a state, unless the state moved.
func (h *Host) book(before stored, rec consent.Record) (receipt flow.Receipt, moved bool, err error) {
	s := rec.Subject
	canonical, err := rec.Canonical()
	if err != nil {
		return receipt, false, err
	}
	salt, err := newSalt()
	if err != nil {
		return receipt, false, err
	}
	leaf := ledger.NewLeaf(salt, canonical)
	unlock, devices, err := h.lockWithDevices(s)
	if err != nil {
		return receipt, false, err
	}
	defer unlock()
	if h.buried(s) { // whoever comes back gets a new pseudonym
		return receipt, false, flow.ErrMoved
	}
	now, err := h.lockedState(s)
	if err != nil || now.Version != before.Version {
		return receipt, err == nil, err
	}
	next := stored{now.Apply(rec), rec.Scope}
	changed, err := h.withoutGround(now.State, next.State, rec, append(devices, s))
	if err != nil {
		return receipt, false, err
	}
	err = h.save(func(b *pebble.Batch) error { return h.bookInto(b, now, next, rec, salt, leaf, canonical, changed) })
	if err != nil {
		return receipt, false, err
	}
	h.people.of(s).keepState(s, next)
	for who, p := range changed {
		h.people.of(who).keepProfile(who, p, false)
	}
	return flow.Receipt{Record: rec, Leaf: leaf, Index: -1}, false, nil
}

func newSalt() (salt [32]byte, err error) {
	if _, err = rand.Read(salt[:]); err != nil {
		err = fmt.Errorf("making salt: %w", err)
	}
	return salt, err
}

// lockWithDevices locks a subject and, if it is an account, its linked devices:
// their profiles rest on its consent too.
func (h *Host) lockWithDevices(s consent.Subject) (unlock func(), devices []consent.Subject, err error) {
	for {
		if devices, err = h.devicesOf(s); err != nil {
			return nil, nil, err
		}
		unlock = h.people.lock(append(devices, s)...)
		now, err := h.devicesOf(s)
		if err != nil {
			unlock()
			return nil, nil, err
		}
		if slices.Equal(now, devices) { // a link to this account needs its stripe
			return unlock, now, nil
		}
		unlock()
	}
}

// withoutGround gives the profiles that a record takes sections from, without those.
func (h *Host) withoutGround(was, next consent.State, rec consent.Record, subjects []consent.Subject) (map[consent.Subject]profile.Profile, error) {
	out := map[consent.Subject]profile.Profile{}
	broken := h.opts.Invalid.Broken(was, next, rec)
	for _, who := range subjects {
		p, err := h.lockedProfile(who)
		if err != nil {
			return nil, err
		}
		if len(p.Sections) == 0 {
			continue
		}
		ground, err := h.ground(who, next)
		if err != nil {
			return nil, err
		}
		if gone := p.TakenBy(rec, who == rec.Subject, broken, ground); len(gone) > 0 {
			out[who] = p.Without(gone...)
		}
	}
	return out, nil
}

// ground is what a subject's profile rests on. next stands in for the stored state
// of its subject.
func (h *Host) ground(who consent.Subject, next consent.State) (g profile.Ground, err error) {
	read := func(s consent.Subject) (consent.State, error) {
		if s == next.Subject {
			return next, nil
		}
		st, err := stateIn(h.db, s)
		return st.State, err
	}
	g.Invalid = h.opts.Invalid
	if g.Own, err = read(who); err != nil {
		return g, err
	}
	account, err := h.accountOf(who)
	if err == nil && !account.IsZero() {
		g.Account, err = read(account)
	}
	return g, err
}

func (h *Host) bookInto(b *pebble.Batch, was, next stored, rec consent.Record, salt [32]byte, leaf ledger.Leaf, canonical []byte, changed map[consent.Subject]profile.Profile) error {
	s := rec.Subject
	at := key(tabRecordID, []byte(rec.RecordID))
	if v, err := get(h.db, at); err != nil || v != nil || rec.RecordID == "" {
		return errors.Join(fmt.Errorf("record id %q is missing or used", rec.RecordID), err)
	}
	state, err := json.Marshal(next)
	if err != nil {
		return err
	}
	place := append(append([]byte(nil), s[:]...), u64(rec.Version)...)
	err = errors.Join(
		b.Set(key(tabRecord, place), append(salt[:], canonical...), nil),
		b.Set(at, place, nil),
		b.Set(key(tabState, s[:]), state, nil),
		b.Set(key(tabQueue, u64(h.queued.Add(1))), append(leaf[:], rec.RecordID...), nil))
	if consent.TookBack(was.State, next.State, rec) {
		err = errors.Join(err, b.Set(key(tabWithdrawn, s[:]), u64(rec.Version), nil))
	}
	for who, p := range changed {
		v, e := p.MarshalBinary()
		err = errors.Join(err, e, b.Set(key(tabProfile, who[:]), v, nil))
	}
	return err
}

// History gives a subject's records in version order.
func (h *Host) History(_ context.Context, s consent.Subject) (out []consent.Record, err error) {
	err = under(h.db, key(tabRecord, s[:]), func(_, v []byte) error {
		_, r, err := readRecord(v)
		out = append(out, r)
		return err
	})
	return out, err
}

func readRecord(v []byte) (salt [32]byte, r consent.Record, err error) {
	if len(v) < len(salt) {
		return salt, r, errors.New("state store holds an unreadable consent record")
	}
	copy(salt[:], v)
	if err := json.Unmarshal(v[len(salt):], &r); err != nil {
		return salt, r, fmt.Errorf("state store holds an unreadable consent record: %w", err)
	}
	return salt, r, nil
}

// Record finds one record.
func (h *Host) Record(_ context.Context, id string) (consent.Record, error) {
	_, r, err := h.record(id)
	return r, err
}

func (h *Host) record(id string) (salt [32]byte, r consent.Record, err error) {
	place, err := get(h.db, key(tabRecordID, []byte(id)))
	if err != nil {
		return salt, r, err
	}
	if place == nil {
		return salt, r, fmt.Errorf("consent record: %w", flow.ErrNotFound)
	}
	v, err := get(h.db, key(tabRecord, place))
	if err != nil {
		return salt, r, err
	}
	return readRecord(v)
}
