package aws

import (
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/handschlag/handschlag/consent"
)

// Object puts an objection on the list, or takes it off.
func (h *Host) Object(ctx context.Context, s consent.Subject, scope string, on bool, at time.Time) error {
	return h.list(ctx, s, consent.Entry{List: consent.ObjectionList, Scope: scope, On: on, At: at}, nil)
}

// Restrict restricts a subject's processing, or lifts that.
func (h *Host) Restrict(ctx context.Context, s consent.Subject, on bool, at time.Time) error {
	return h.list(ctx, s, consent.Entry{List: consent.RestrictionList, On: on, At: at}, nil)
}

// Suppress closes a channel to whoever has the subject's identifier, or opens it.
func (h *Host) Suppress(ctx context.Context, s consent.Subject, channel string, on bool, at time.Time) error {
	id, err := h.identifierOf(ctx, s)
	if err != nil {
		return fmt.Errorf("suppressing: %w", err)
	}
	e := consent.Entry{List: consent.SuppressionList, Scope: channel, On: on, At: at}
	return h.list(ctx, s, e, func(t *transaction) error {
		hushed, err := h.suppressions(ctx, id)
		if err == nil {
			hushed.put(t, e)
		}
		return err
	})
}

// list adds an entry, unless the state says the same already. Entry, state and what
// else belongs to them are one transaction.
func (h *Host) list(ctx context.Context, s consent.Subject, e consent.Entry, also func(*transaction) error) error {
	if s.IsZero() {
		return errors.New("listing: nobody")
	}
	if err := h.newest(ctx); err != nil {
		return fmt.Errorf("writing the %s list: %w", e.List, err)
	}
	err := again(ctx, func() error {
		before, err := h.stored(ctx, s)
		if err != nil || before.Listed(e.List, e.Scope) == e.On {
			return err
		}
		e.At, e.Version = e.At.UTC(), before.Version+1
		next := before
		next.State = before.Note(e)
		t := h.transaction()
		t.alive(s)
		t.putEntry(s, e)
		t.grant(before, &next, nil)
		t.putState(before, next)
		if also != nil {
			if err := also(t); err != nil {
				return err
			}
		}
		return t.commit(ctx)
	})
	if err != nil {
		return fmt.Errorf("writing the %s list: %w", e.List, err)
	}
	return nil
}

// putEntry writes an entry beside the state that it belongs to.
func (t *transaction) putEntry(s consent.Subject, e consent.Entry) {
	t.entryItem(s, e)
	t.jot(jot{Kind: jotOfEntry, Subject: s, Entry: &e})
}

func (t *transaction) entryItem(s consent.Subject, e consent.Entry) {
	body, err := json.Marshal(e)
	if err != nil {
		panic(err) // an entry holds nothing that cannot be written
	}
	i := entryKey(s, e.Version)
	i["b"] = bin(body)
	t.put(tableBook, i, "", nil, nil)
}

// Listed gives a subject's entries in version order.
func (h *Host) Listed(ctx context.Context, s consent.Subject) (out []consent.Entry, err error) {
	err = h.under(ctx, s, "ent#", func(i item) error {
		var e consent.Entry
		if err := json.Unmarshal(binOf(i, "b"), &e); err != nil {
			return fmt.Errorf("the book holds an unreadable list entry: %w", err)
		}
		out = append(out, e)
		return nil
	})
	return out, err
}

// RetainLists lets go of entries that a later one replaced so many years ago, counted
// to the end of the year.
func (h *Host) RetainLists(ctx context.Context, asOf time.Time) error {
	if h.opts.Retain.ListYears <= 0 {
		return nil
	}
	var mu sync.Mutex
	all := map[string][]consent.Entry{}
	err := h.scan(ctx, tableBook, "begins_with(r, :ent)", item{":ent": str("ent#")}, func(i item) error {
		var e consent.Entry
		if err := json.Unmarshal(binOf(i, "b"), &e); err != nil {
			return fmt.Errorf("the book holds an unreadable list entry: %w", err)
		}
		mu.Lock()
		defer mu.Unlock()
		all[strOf(i, "s")] = append(all[strOf(i, "s")], e)
		return nil
	})
	var old []item
	for k, entries := range all {
		slices.SortFunc(entries, func(a, b consent.Entry) int { return cmp.Compare(a.Version, b.Version) })
		s, e := parseSubjectKey(k)
		err = errors.Join(err, e)
		for _, e := range consent.Outdated(entries, h.opts.Retain.ListYears, asOf) {
			old = append(old, entryKey(s, e.Version))
		}
	}
	if err == nil {
		err = h.remove(ctx, tableBook, old)
	}
	if err != nil {
		return fmt.Errorf("removing old list entries: %w", err)
	}
	return nil
}

// suppressions are what an identifier is suppressed for: an item under a keyed hash,
// from which nothing leads back to the identifier or to a subject.
type suppressions struct {
	key item
	v   string           // a name for this version of the item, drawn; "": there is none
	at  map[string]int64 // by channel, since when
	t   int64            // when it was written last, in milliseconds; never the same twice
}

func (h *Host) suppressions(ctx context.Context, id [32]byte) (s suppressions, err error) {
	s.key = item{"k": str("h#" + hex.EncodeToString(derive(h.keys.subjects, "suppression", id[:])))}
	i, err := h.get(ctx, tableIdentity, s.key)
	if err != nil {
		return s, err
	}
	s.v, s.t, s.at = strOf(i, "v"), numOf(i, "t"), map[string]int64{}
	if m, is := i["m"].(*types.AttributeValueMemberM); is {
		for channel := range m.Value {
			s.at[channel] = numOf(m.Value, channel)
		}
	}
	return s, nil
}

// entries are the suppressions, as a new pseudonym begins with them.
func (s suppressions) entries() (out []consent.Entry) {
	for _, channel := range slices.Sorted(maps.Keys(s.at)) {
		out = append(out, consent.Entry{List: consent.SuppressionList, Scope: channel, On: true, At: time.UnixMilli(s.at[channel]).UTC()})
	}
	return out
}

func (s suppressions) unchanged() (condition string, values item) {
	if s.v == "" {
		return "attribute_not_exists(k)", nil
	}
	return "v = :v", item{":v": str(s.v)}
}

// check fails a transaction if the suppressions changed since they were read.
func (s suppressions) check(t *transaction) {
	condition, values := s.unchanged()
	t.check(tableIdentity, s.key, condition, values, errAgain)
}

// put writes the suppressions after entries.
func (s suppressions) put(t *transaction, entries ...consent.Entry) {
	for _, e := range entries {
		if delete(s.at, e.Scope); e.On {
			s.at[e.Scope] = e.At.UnixMilli()
		}
	}
	s.t = max(s.t+1, t.h.now().UnixMilli())
	t.jot(jot{Kind: jotOfSuppression, At: s.t, ID: strOf(s.key, "k"), Hushed: maps.Clone(s.at)})
	condition, values := s.unchanged()
	if len(s.at) == 0 {
		t.delete(tableIdentity, s.key, condition, values, errAgain)
		return
	}
	t.put(tableIdentity, hushedItem(strOf(s.key, "k"), s.t, s.at), condition, values, errAgain)
}
