package aws

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/flow"
)

// subjectKey is the key of a subject's items, and of the partition that holds them:
// the bucket in three hex digits, then the pseudonym.
func subjectKey(s consent.Subject) string { return fmt.Sprintf("%03x#%s", s.Bucket(), s) }

// parseSubjectKey reads what subjectKey prints; nobody, if it is empty.
func parseSubjectKey(k string) (s consent.Subject, err error) {
	if k == "" {
		return s, nil
	}
	_, name, _ := strings.Cut(k, "#")
	if s, err = consent.ParseSubject(name); err != nil || subjectKey(s) != k {
		return s, errors.Join(errors.New("a stored pseudonym is unreadable"), err)
	}
	return s, nil
}

// errNoIdentity says that a role reaches no identifiers.
var errNoIdentity = errors.New("this process was opened without the identity map")

// idKey is an identifier's key in the identity map.
func (h *Host) idKey(id consent.ID) (k [32]byte, err error) {
	if h.keys.ids == nil {
		return k, errNoIdentity
	}
	return h.keys.ids.Key(id), nil
}

// The items of the identity map.
func identityKey(id [32]byte) item              { return item{"k": str("i#" + hex.EncodeToString(id[:]))} }
func identifiedKey(s consent.Subject) item      { return item{"k": str("s#" + subjectKey(s))} }
func linkKey(device consent.Subject) item       { return bookKey(device, "link") }
func deviceKey(account, d consent.Subject) item { return bookKey(account, "dev#"+d.String()) }

// Find gives an identifier's pseudonym, or zero.
func (h *Host) Find(ctx context.Context, id consent.ID) (consent.Subject, error) {
	if id.IsZero() {
		return consent.Subject{}, nil
	}
	k, err := h.idKey(id)
	if err != nil {
		return consent.Subject{}, fmt.Errorf("looking an identifier up: %w", err)
	}
	if err := h.newest(ctx); err != nil {
		return consent.Subject{}, fmt.Errorf("looking an identifier up: %w", err)
	}
	return h.lookUp(ctx, k)
}

func (h *Host) lookUp(ctx context.Context, k [32]byte) (consent.Subject, error) {
	i, err := h.get(ctx, tableIdentity, identityKey(k))
	if err != nil {
		return consent.Subject{}, err
	}
	return parseSubjectKey(strOf(i, "s"))
}

// Assign gives an identifier's pseudonym and makes one at first. Of two who do so at
// once, both get the first one's.
func (h *Host) Assign(ctx context.Context, id consent.ID) (consent.Subject, error) {
	if id.IsZero() {
		return consent.Subject{}, errors.New("assigning pseudonym: no identifier")
	}
	k, err := h.idKey(id)
	if err != nil {
		return consent.Subject{}, fmt.Errorf("assigning pseudonym: %w", err)
	}
	if err := h.newest(ctx); err != nil {
		return consent.Subject{}, fmt.Errorf("assigning pseudonym: %w", err)
	}
	var s consent.Subject
	err = again(ctx, func() (err error) {
		if s, err = h.lookUp(ctx, k); err != nil || !s.IsZero() {
			return err
		}
		s, err = h.born(ctx, k, id.Scope)
		return err
	})
	if err != nil {
		return consent.Subject{}, fmt.Errorf("assigning pseudonym: %w", err)
	}
	return s, nil
}

// born makes a pseudonym. It begins with what its identifier was suppressed for
// (EXP-03); a suppression that comes between is errAgain.
func (h *Host) born(ctx context.Context, k [32]byte, scope consent.Scope) (consent.Subject, error) {
	hushed, err := h.suppressions(ctx, k)
	if err != nil {
		return consent.Subject{}, err
	}
	s := newSubject()
	t := h.transaction()
	there, back := identityKey(k), identifiedKey(s)
	there["s"], back["i"] = str(subjectKey(s)), bin(k[:])
	t.put(tableIdentity, there, "attribute_not_exists(k)", nil, errAgain)
	t.put(tableIdentity, back, "", nil, nil)
	t.jot(jot{Kind: jotOfID, ID: hex.EncodeToString(k[:]), Subject: s})
	hushed.check(t)
	st := stored{State: consent.State{Subject: s}, Scope: scope}
	for _, e := range hushed.entries() {
		e.Version = st.Version + 1
		st.State = st.Note(e)
		t.putEntry(s, e)
	}
	if st.Version > 0 {
		t.putState(stored{}, st)
	}
	return s, t.commit(ctx)
}

func newSubject() (s consent.Subject) {
	for s.IsZero() {
		_, _ = rand.Read(s[:]) // never fails
	}
	return s
}

// identifierOf finds the key of a subject's identifier.
func (h *Host) identifierOf(ctx context.Context, s consent.Subject) (id [32]byte, err error) {
	if h.keys.ids == nil {
		return id, errNoIdentity
	}
	i, err := h.get(ctx, tableIdentity, identifiedKey(s))
	if err != nil {
		return id, err
	}
	b := binOf(i, "i")
	if i == nil {
		return id, fmt.Errorf("subject %s has no identifier: %w", s, flow.ErrNotFound)
	}
	if copy(id[:], b) != len(id) || len(b) != len(id) {
		return id, errors.New("the identity map holds an unreadable key")
	}
	return id, nil
}

// Link notes a device's account, both ways. The account's state counts its links, so
// that a record of the account is built again if a device comes between. A link that
// is there already is not written again.
func (h *Host) Link(ctx context.Context, device, account consent.Subject, at time.Time) error {
	if err := h.newest(ctx); err != nil {
		return fmt.Errorf("linking device: %w", err)
	}
	if err := h.link(ctx, device, account, at); err != nil {
		return fmt.Errorf("linking device: %w", err)
	}
	return nil
}

func (h *Host) link(ctx context.Context, device, account consent.Subject, at time.Time) error {
	return again(ctx, func() error {
		was, err := h.AccountOf(ctx, device)
		if err != nil || was == account {
			return err
		}
		t := h.transaction()
		t.alive(device)
		t.alive(account)
		link := linkKey(device)
		link["a"], link["t"] = str(subjectKey(account)), num(at.UnixMilli())
		if was.IsZero() {
			t.put(tableBook, link, "attribute_not_exists(s)", nil, errAgain)
		} else {
			t.put(tableBook, link, "a = :was", item{":was": str(subjectKey(was))}, errAgain)
			t.delete(tableBook, deviceKey(was, device), "", nil, nil)
		}
		t.put(tableBook, deviceKey(account, device), "", nil, nil)
		t.jot(jot{Kind: jotOfLink, At: at.UnixMilli(), Subject: device, Account: account})
		t.update(tableBook, stateKey(account), "ADD lv :one", "", item{":one": num(1)}, nil)
		return t.commit(ctx)
	})
}

// AccountOf gives the account that a device was linked to, or zero.
func (h *Host) AccountOf(ctx context.Context, device consent.Subject) (consent.Subject, error) {
	i, err := h.get(ctx, tableBook, linkKey(device))
	if err != nil {
		return consent.Subject{}, err
	}
	return parseSubjectKey(strOf(i, "a"))
}

// devicesOf lists the devices linked to an account.
func (h *Host) devicesOf(ctx context.Context, account consent.Subject) (out []consent.Subject, err error) {
	err = h.under(ctx, account, "dev#", func(i item) error {
		d, err := consent.ParseSubject(strings.TrimPrefix(strOf(i, "r"), "dev#"))
		out = append(out, d)
		return err
	})
	return out, err
}
