package local

import (
	"bytes"
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/flow"
)

// Object puts an objection on the list, or takes it off.
func (h *Host) Object(_ context.Context, s consent.Subject, scope string, on bool, at time.Time) error {
	return h.list(s, consent.Entry{List: consent.ObjectionList, Scope: scope, On: on, At: at}, nil)
}

// Restrict restricts a subject's processing, or lifts that. Rows that rested
// meanwhile are looked through at the next compaction (RGT-07: stored, and
// nothing else).
func (h *Host) Restrict(_ context.Context, s consent.Subject, on bool, at time.Time) error {
	return h.list(s, consent.Entry{List: consent.RestrictionList, On: on, At: at}, func(b *pebble.Batch, version uint64) error {
		if on {
			return nil
		}
		return b.Set(key(tabWithdrawn, s[:]), u64(version), nil)
	})
}

// Suppress closes a channel to whoever has the subject's identifier, or opens it.
func (h *Host) Suppress(_ context.Context, s consent.Subject, channel string, on bool, at time.Time) error {
	id, err := h.idKeyOf(s)
	if err != nil {
		return fmt.Errorf("suppressing: %w", err)
	}
	e := consent.Entry{List: consent.SuppressionList, Scope: channel, On: on, At: at}
	return h.list(s, e, func(b *pebble.Batch, _ uint64) error { return h.suppress(b, h.keys.suppressed(id), e) })
}

// suppress writes the suppression list, and into the journal what a backup may lack:
// the keyed hash and the channel, which no erasure takes out.
func (h *Host) suppress(b *pebble.Batch, name []byte, e consent.Entry) error {
	return errors.Join(suppressInto(b, name, e), h.outbox(b, jot{Op: "suppression", ID: hex.EncodeToString(name), Entry: &e}))
}

func suppressInto(b *pebble.Batch, name []byte, e consent.Entry) error {
	place := key(tabSuppressed, name, []byte(e.Scope))
	if !e.On {
		return b.Delete(place, nil)
	}
	return b.Set(place, u64(uint64(e.At.UnixMilli())), nil)
}

// suppressAgain does an entry of the suppression list again after a restore.
func (h *Host) suppressAgain(j jot) error {
	name, err := hex.DecodeString(j.ID)
	if err != nil || j.Entry == nil {
		return errors.New("unreadable suppression")
	}
	was, err := get(h.db, key(tabSuppressed, name, []byte(j.Entry.Scope)))
	if err != nil || !j.Entry.On && len(was) == 8 && int64(binary.BigEndian.Uint64(was)) > j.Entry.At.UnixMilli() {
		return err // what was closed later stays closed: a crash, or a backup, may bring an earlier word behind a later one
	}
	return h.save(func(b *pebble.Batch) error { return suppressInto(b, name, *j.Entry) })
}

// list adds an entry, unless the state says the same already. Entry, state and
// what else belongs to them are one synced batch.
func (h *Host) list(s consent.Subject, e consent.Entry, also func(*pebble.Batch, uint64) error) error {
	if s.IsZero() {
		return errors.New("listing: nobody")
	}
	defer h.people.lock(s)()
	if h.buried(s) {
		return fmt.Errorf("writing the %s list: %w", e.List, flow.ErrMoved)
	}
	before, err := h.lockedState(s)
	if err != nil || before.Listed(e.List, e.Scope) == e.On {
		return err
	}
	e.At, e.Version = e.At.UTC(), before.Version+1
	next := stored{before.Note(e), before.Scope}
	err = h.save(func(b *pebble.Batch) error {
		err := errors.Join(listInto(b, next, e), h.outbox(b, jot{Op: "list", Subject: s, Scope: next.Scope, Entry: &e}))
		if err != nil || also == nil {
			return err
		}
		return also(b, e.Version)
	})
	if err != nil {
		return fmt.Errorf("writing the %s list: %w", e.List, err)
	}
	h.people.of(s).keepState(s, next)
	h.wakeSequencer()
	return nil
}

// listInto writes an entry and the state after it.
func listInto(b *pebble.Batch, next stored, e consent.Entry) error {
	entry, err := json.Marshal(e)
	if err != nil {
		return err
	}
	state, err := json.Marshal(next)
	if err != nil {
		return err
	}
	return errors.Join(
		b.Set(key(tabList, streamOf(e.List), next.Subject[:], u64(e.Version)), entry, nil),
		b.Set(key(tabState, next.Subject[:]), state, nil))
}

// streamOf keeps each list under a prefix of its own.
func streamOf(l consent.List) []byte { return []byte(l[:1]) }

// Listed gives a subject's entries in version order.
func (h *Host) Listed(_ context.Context, s consent.Subject) ([]consent.Entry, error) {
	return listedIn(h.db, s)
}

func listedIn(r pebble.Reader, s consent.Subject) (out []consent.Entry, err error) {
	for _, l := range []consent.List{consent.ObjectionList, consent.RestrictionList, consent.SuppressionList} {
		err = under(r, key(tabList, streamOf(l), s[:]), func(_, v []byte) error {
			var e consent.Entry
			if err := json.Unmarshal(v, &e); err != nil {
				return fmt.Errorf("state store holds an unreadable list entry: %w", err)
			}
			out = append(out, e)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	slices.SortFunc(out, func(a, b consent.Entry) int { return cmp.Compare(a.Version, b.Version) })
	return out, nil
}

// suppressed is the name of an identifier in the suppression list: a keyed hash,
// of which nothing leads back to the identifier or to a subject.
func (k *secrets) suppressed(id [32]byte) []byte {
	m := hmac.New(sha256.New, k.subjects)
	_, _ = m.Write(append([]byte("suppression\x00"), id[:]...)) // a hash takes everything
	return m.Sum(nil)
}

// idKeyOf finds the key of a subject's identifier. Nothing but rights requests ask
// from this side, so the map is read through.
func (h *Host) idKeyOf(s consent.Subject) (id [32]byte, err error) {
	found := false
	err = each(h.db, []byte{tabID}, after([]byte{tabID}), func(k, v []byte) (bool, error) {
		if found = bytes.Equal(v, s[:]); found {
			copy(id[:], k[1:])
		}
		return !found, nil
	})
	if err == nil && !found {
		err = fmt.Errorf("subject %s has no identifier: %w", s, flow.ErrNotFound)
	}
	return id, err
}

// bornInto writes a new pseudonym, which begins with what its identifier was
// suppressed for (EXP-03).
func (h *Host) bornInto(b *pebble.Batch, k [32]byte, s consent.Subject, scope consent.Scope) error {
	born := stored{consent.State{Subject: s}, scope}
	prefix := key(tabSuppressed, h.keys.suppressed(k))
	err := under(h.db, prefix, func(place, v []byte) error {
		if len(v) != 8 {
			return errors.New("state store holds an unreadable suppression")
		}
		e := consent.Entry{List: consent.SuppressionList, Scope: string(place[len(prefix):]), On: true,
			At: time.UnixMilli(int64(binary.BigEndian.Uint64(v))).UTC(), Version: born.Version + 1}
		born.State = born.Note(e)
		return listInto(b, born, e)
	})
	return errors.Join(err, b.Set(key(tabID, k[:]), s[:], nil))
}

// hushInto is an erasure's last word on direct marketing: what the subject objected
// to goes onto the suppression list under its identifier.
func (h *Host) hushInto(b *pebble.Batch, id [32]byte, st consent.State, at time.Time) error {
	for _, c := range st.Outliving() {
		e := consent.Entry{List: consent.SuppressionList, Scope: c, On: true, At: at}
		if err := h.suppress(b, h.keys.suppressed(id), e); err != nil {
			return err
		}
	}
	return nil
}

// retainLists lets go of objections and restrictions that a later entry replaced so
// many years ago, counted to the end of the year. What stands stays as long as its
// subject, and the suppression list for ever (law.md 2.6, L10).
func (h *Host) retainLists(asOf time.Time) error {
	if h.opts.Retain.ListYears <= 0 {
		return nil
	}
	all := map[consent.Subject][]consent.Entry{}
	err := under(h.db, []byte{tabList}, func(k, v []byte) error {
		var e consent.Entry
		if err := json.Unmarshal(v, &e); err != nil || len(k) != 26 {
			return errors.Join(errors.New("state store holds an unreadable list entry"), err)
		}
		s := consent.Subject(k[2:18])
		all[s] = append(all[s], e)
		return nil
	})
	if err != nil {
		return err
	}
	err = h.save(func(b *pebble.Batch) (err error) {
		for s, entries := range all {
			for _, e := range consent.Outdated(entries, h.opts.Retain.ListYears, asOf) {
				err = errors.Join(err, b.Delete(key(tabList, streamOf(e.List), s[:], u64(e.Version)), nil))
			}
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("removing old list entries: %w", err)
	}
	return nil
}
