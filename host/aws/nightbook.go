//go:build !lambda.norpc

package aws

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/host/snapshot"
)

// bookCopy is what a night knows of the book: states, links and graves, as the scan
// found them. It is the snapshot.Book of the gate.
type bookCopy struct {
	h      *Host
	states *spool[consent.Subject]
	links  []snapshot.LinkRow // by device
	graves map[string]bool
	cases  map[event.CaseID][]byte

	mu    sync.Mutex
	known map[consent.Subject]bool // erased, as far as asked
}

// copyBook scans the book into a file of a folder.
func (h *Host) copyBook(ctx context.Context, dir string) (b *bookCopy, err error) {
	b = &bookCopy{h: h, graves: map[string]bool{}, known: map[consent.Subject]bool{}}
	if b.states, err = newSpool[consent.Subject](filepath.Join(dir, "states.spool")); err != nil {
		return nil, err
	}
	values := item{":state": str("state"), ":link": str("link"), ":grave": str(gravePrefix)}
	err = h.scan(ctx, tableBook, "r = :state or r = :link or begins_with(s, :grave)", values, b.take)
	if err == nil {
		err = b.states.sort(func(a, b consent.Subject) int { return bytes.Compare(a[:], b[:]) })
	}
	slices.SortFunc(b.links, func(a, b snapshot.LinkRow) int { return bytes.Compare(a.Device[:], b.Device[:]) })
	if err != nil {
		return nil, errors.Join(err, b.close())
	}
	return b, nil
}

func (b *bookCopy) close() error { return b.states.close() }

func (b *bookCopy) take(i item) error {
	if key := strOf(i, "s"); strings.HasPrefix(key, gravePrefix) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.graves[key] = true
		return nil
	}
	s, err := parseSubjectKey(strOf(i, "s"))
	if err != nil {
		return err
	}
	if strOf(i, "r") == "state" {
		if body := binOf(i, "b"); body != nil { // else only links to it are counted there
			return b.states.add(s, body)
		}
		return nil
	}
	account, err := parseSubjectKey(strOf(i, "a"))
	if err != nil || account.IsZero() {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.links = append(b.links, snapshot.LinkRow{Device: s, Account: account})
	return nil
}

// people gives every state, in the order of subjects.
func (b *bookCopy) people(do func(snapshot.Person) error) error {
	for i := range b.states.all {
		p, err := b.person(i)
		if err == nil {
			err = do(p)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (b *bookCopy) person(i int) (p snapshot.Person, err error) {
	body, err := b.states.read(i)
	if err == nil {
		err = json.Unmarshal(body, &p)
	}
	if err != nil {
		return p, fmt.Errorf("the book holds an unreadable state: %w", err)
	}
	p.Subject = b.states.all[i].key
	return p, nil
}

// state gives a subject's state as it is kept; none is the zero state.
func (b *bookCopy) state(s consent.Subject) (consent.State, error) {
	i, found := slices.BinarySearchFunc(b.states.all, s, func(e spooled[consent.Subject], s consent.Subject) int {
		return bytes.Compare(e.key[:], s[:])
	})
	if !found {
		return consent.State{Subject: s}, nil
	}
	p, err := b.person(i)
	return p.State, err
}

// StateAt gives a state as it counts at a moment.
func (b *bookCopy) StateAt(s consent.Subject, at time.Time) (consent.State, error) {
	st, err := b.state(s)
	return b.h.opts.Invalid.In(st, at), err
}

// AccountOf gives the account of a device.
func (b *bookCopy) AccountOf(device consent.Subject) (consent.Subject, error) {
	i, found := slices.BinarySearchFunc(b.links, device, func(l snapshot.LinkRow, d consent.Subject) int { return bytes.Compare(l.Device[:], d[:]) })
	if !found {
		return consent.Subject{}, nil
	}
	return b.links[i].Account, nil
}

// Erased reports that a subject was erased.
func (b *bookCopy) Erased(s consent.Subject) bool {
	if len(b.graves) == 0 || s.IsZero() {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	is, asked := b.known[s]
	if !asked {
		is = b.graves[gravePrefix+b.h.graveOf(s)]
		if len(b.known) < 1<<20 {
			b.known[s] = is
		}
	}
	return is
}

// CaseBody gives a case as it was remembered.
func (b *bookCopy) CaseBody(id event.CaseID) ([]byte, error) { return b.cases[id], nil }

// write writes standings, subjects and links.
func (b *bookCopy) write(to snapshot.Replace, at time.Time) error {
	standing := func(s consent.State) consent.State { return b.h.opts.Invalid.In(s, at) }
	if err := to.Standings(b.people, standing); err != nil {
		return err
	}
	return to.Links(func(do func(snapshot.LinkRow) error) error {
		for _, l := range b.links {
			if err := do(l); err != nil {
				return err
			}
		}
		return nil
	})
}

// everybody gives, in order, whoever has a state or a link.
func (b *bookCopy) everybody() []consent.Subject {
	out := make([]consent.Subject, 0, len(b.states.all)+len(b.links))
	for _, e := range b.states.all {
		out = append(out, e.key)
	}
	for _, l := range b.links {
		out = append(out, l.Device)
	}
	slices.SortFunc(out, func(a, b consent.Subject) int { return bytes.Compare(a[:], b[:]) })
	return slices.Compact(out)
}

// purposesOf lists a state's purposes in the order of their bits.
func purposesOf(s consent.State) []consent.Purpose {
	out := make([]consent.Purpose, 0, len(s.Standings))
	for p := range s.Standings {
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b consent.Purpose) int { return cmp.Compare(a.Bit(), b.Bit()) })
	return out
}
