package local

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/consent/ledger"
	"github.com/handschlag/handschlag/flow"
)

// erasing is one erasure while it is put together.
type erasing struct {
	*Host
	s      consent.Subject
	at     time.Time
	b      *pebble.Batch
	out    flow.Erasure
	sealed []sealedProof
	until  time.Time // when sealed proofs go; zero: none is sealed
	asked  map[string]flow.Contact
}

// Erase forgets a subject in one synced batch, under the locks of all that knows
// it. RGT-05: what cannot go at once, because it lies in a log or a day's file, is
// unreadable when Erase returns and leaves its bytes with the next night (Scrub).
func (h *Host) Erase(ctx context.Context, s consent.Subject, at time.Time) (flow.Erasure, error) {
	out := flow.Erasure{At: at.UTC()}
	if s.IsZero() || h.buried(s) {
		return out, nil
	}
	h.shop.Lock() // a night publishes before, or without the subject
	defer h.shop.Unlock()
	unlock, devices, err := h.lockWithDevices(s)
	if err != nil {
		return out, fmt.Errorf("erasing subject: %w", err)
	}
	defer unlock()
	// Every record gets its index. A ledger that is not the book's keeps nobody from
	// being erased whose records have theirs.
	if err := h.sequence(ctx); err != nil && h.trusted() == nil {
		return out, fmt.Errorf("erasing subject: %w", err)
	}
	e := &erasing{Host: h, s: s, at: at.UTC(), out: out}
	h.desk.mu.Lock()
	defer h.desk.mu.Unlock()
	if err := e.run(devices, nil); err != nil {
		return flow.Erasure{}, fmt.Errorf("erasing subject: %w", err)
	}
	h.wakeSequencer()
	return e.out, nil
}

// run erases, under the locks. Of an erasure that is done again, after a restored
// backup, the leaf is there already.
func (e *erasing) run(devices []consent.Subject, again *ledger.Tombstone) error {
	err := e.save(func(b *pebble.Batch) error {
		e.b, e.asked = b, map[string]flow.Contact{}
		err := errors.Join(e.takeRecords(again), e.takeIDs(), e.takeLinks(devices), e.takePeople(), e.takeLists(), e.takeMembers(), e.takeContacts(), e.takeDecisions())
		if err != nil {
			return err
		}
		found := len(e.out.Stores) > 0
		if err := e.takeEvents(); err != nil || !found {
			return err
		}
		return e.bury(again)
	})
	if err != nil || len(e.out.Stores) == 0 {
		return err
	}
	e.forget(devices)
	return nil
}

// note adds a store to the certificate, if there was something in it.
func (e *erasing) note(store string, n int64, method string, done bool) {
	if n > 0 {
		e.out.Stores = append(e.out.Stores, flow.ErasedStore{Store: store, Count: n, Method: method, Done: done})
	}
}

// takeRecords takes the consent records out of the book. Their proofs are sealed if
// the tenant keeps any.
func (e *erasing) takeRecords(again *ledger.Tombstone) error {
	var n int64
	file, err := e.History(context.Background(), e.s)
	if err != nil {
		return err
	}
	e.until = consent.SealUntil(e.at, e.opts.Retain.ProofYears, file)
	err = under(e.db, key(tabRecord, e.s[:]), func(k, v []byte) error {
		salt, r, err := readRecord(v)
		if err != nil {
			return err
		}
		n++
		if again == nil { // else leaves and proofs come from the journal
			if err := e.keepProof(r.RecordID, salt, v[len(salt):]); err != nil {
				return err
			}
		}
		return errors.Join(e.b.Delete(slices.Clone(k), nil), e.b.Delete(key(tabRecordID, []byte(r.RecordID)), nil), e.b.Delete(key(tabIndex, []byte(r.RecordID)), nil))
	})
	slices.Sort(e.out.Leaves)
	if !e.until.IsZero() && n > 0 {
		e.out.Stores = append(e.out.Stores, flow.ErasedStore{Store: "consent_records", Count: n, Method: "sealed", Until: &e.until})
	} else {
		e.note("consent_records", n, "deleted", false)
	}
	return err
}

// keepProof notes a record's leaf and seals its proof, if the tenant keeps any.
func (e *erasing) keepProof(record string, salt [32]byte, canonical []byte) error {
	v, err := get(e.db, key(tabIndex, []byte(record)))
	if err == nil && len(v) != 8 {
		err = fmt.Errorf("consent record %s has no place in the ledger yet", record)
	}
	if err != nil {
		return err
	}
	index := binary.BigEndian.Uint64(v)
	e.out.Leaves = append(e.out.Leaves, int64(index))
	if e.until.IsZero() {
		return nil
	}
	p, err := e.keys.seal(record, e.until, index, salt, canonical)
	if err != nil {
		return err
	}
	e.sealed = append(e.sealed, p)
	return e.b.Set(p.Key, p.Value, nil)
}

// takeIDs removes what leads to the subject, after its last word on marketing.
func (e *erasing) takeIDs() error {
	id, err := e.idKeyOf(e.s)
	if errors.Is(err, flow.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	st, err := e.lockedState(e.s)
	if err != nil {
		return err
	}
	e.note("ids", 1, "deleted", false)
	return errors.Join(e.hushInto(e.b, id, st.State, e.at), e.b.Delete(key(tabID, id[:]), nil))
}

// takeLinks removes a device's account, or an account's devices.
func (e *erasing) takeLinks(devices []consent.Subject) error {
	account, err := e.accountOf(e.s)
	if err != nil {
		return err
	}
	n := int64(len(devices))
	if !account.IsZero() {
		n++
		err = errors.Join(e.b.Delete(key(tabLink, e.s[:]), nil), e.b.Delete(key(tabDevice, account[:], e.s[:]), nil))
	}
	for _, d := range devices {
		err = errors.Join(err, e.b.Delete(key(tabLink, d[:]), nil), e.b.Delete(key(tabDevice, e.s[:], d[:]), nil))
	}
	e.note("links", n, "deleted", false)
	return err
}

// takePeople removes state and profile.
func (e *erasing) takePeople() error {
	p, err := e.lockedProfile(e.s)
	if err != nil {
		return err
	}
	if p.Subject == e.s {
		e.note("profiles", 1, "deleted", false)
	}
	return errors.Join(e.b.Delete(key(tabState, e.s[:]), nil), e.b.Delete(key(tabProfile, e.s[:]), nil))
}

// takeLists removes the entries of the lists. What was suppressed stays, under the
// identifier's keyed hash.
func (e *erasing) takeLists() error {
	entries, err := listedIn(e.db, e.s)
	for _, entry := range entries {
		err = errors.Join(err, e.b.Delete(key(tabList, streamOf(entry.List), e.s[:], u64(entry.Version)), nil))
	}
	e.note("lists", int64(len(entries)), "deleted", false)
	return err
}

// takeMembers removes what the night found out.
func (e *erasing) takeMembers() error {
	k := key(tabMember, u64(e.night.Load().Number), e.s[:])
	v, err := get(e.db, k)
	if err != nil || v == nil {
		return err
	}
	e.note("segments", 1, "deleted", false)
	return e.b.Delete(k, nil)
}

// takeContacts takes who asked, and their words, out of hand-overs.
func (e *erasing) takeContacts() error {
	err := under(e.db, []byte{tabContact}, func(_, v []byte) error {
		var c flow.Contact
		if err := json.Unmarshal(v, &c); err != nil {
			return fmt.Errorf("unreadable contact: %w", err)
		}
		if c.Subject != e.s && c.Account != e.s {
			return nil
		}
		c.Subject, c.Account, c.Question, c.Callback = consent.Subject{}, consent.Subject{}, "", nil
		e.asked[c.ID] = c
		v, err := json.Marshal(c)
		return errors.Join(err, e.b.Set(key(tabContact, []byte(c.ID)), v, nil))
	})
	e.note("contacts", int64(len(e.asked)), "redacted", false)
	return err
}

// takeDecisions takes the subject's out of what they are searched by; reading one
// gives what Redacted leaves of it.
func (e *erasing) takeDecisions() error {
	var n int64
	prefix := key(tabBySubject, e.s[:])
	err := under(e.db, prefix, func(_, _ []byte) error { n++; return nil })
	e.note("decisions", n, "redacted", false)
	return errors.Join(err, e.b.DeleteRange(prefix, after(prefix), nil))
}

// takeEvents has the next compaction look through the subject's rows: a subject in the
// graves has none left to keep.
func (e *erasing) takeEvents() error {
	e.out.Stores = append(e.out.Stores, flow.ErasedStore{Store: "events", Method: "deleted"})
	if len(e.out.Stores) == 1 { // nothing else is known: rows alone may be there
		e.out.Stores = nil
		return nil
	}
	return errors.Join(e.b.Set(key(tabWithdrawn, e.s[:]), u64(math.MaxUint64), nil), e.b.Set(meta(metaScrub), []byte{1}, nil))
}

// bury marks the subject and queues the erasure leaf.
func (e *erasing) bury(again *ledger.Tombstone) error {
	m := e.keys.graveOf(e.s)
	if again != nil {
		e.out.ID = again.ID
		return e.b.Set(key(tabGrave, m[:]), []byte(again.ID), nil)
	}
	id, err := random()
	if err != nil {
		return err
	}
	e.out.ID = id
	t := ledger.Tombstone{Schema: ledger.TombstoneSchema, ID: id, Time: e.at, Leaves: e.out.Leaves, Proofs: "erased"}
	if len(e.sealed) > 0 {
		t.Proofs, t.Until = "sealed", &e.until
	}
	leaf, err := e.lay(e.b, id, t, &burial{Mark: m[:], Sealed: e.sealed})
	e.out.Leaf = hex.EncodeToString(leaf[:])
	return errors.Join(err, e.b.Set(key(tabGrave, m[:]), []byte(id), nil))
}

// forget lets go of what lies in memory.
func (e *erasing) forget(devices []consent.Subject) {
	e.graves.add(e.keys.graveOf(e.s))
	stripe := e.people.of(e.s)
	delete(stripe.states, e.s)
	delete(stripe.profiles, e.s)
	delete(stripe.accounts, e.s)
	for _, d := range devices {
		delete(e.people.of(d).accounts, d)
	}
	e.ids.mu.Lock()
	for k, s := range e.ids.known {
		if s == e.s {
			delete(e.ids.known, k)
		}
	}
	e.ids.mu.Unlock()
	for id, c := range e.asked {
		if _, open := e.desk.open[id]; open {
			e.desk.open[id] = c
		}
	}
}
