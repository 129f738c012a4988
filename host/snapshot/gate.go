package snapshot

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/event"
)

// Book is what a Gate asks of a store, all as of one moment.
type Book interface {
	// StateAt gives a subject's state as it counts at a moment: without what rests on
	// an invalidated banner. Nobody has the zero state.
	StateAt(s consent.Subject, at time.Time) (consent.State, error)
	// AccountOf gives the account that a device was linked to, or zero.
	AccountOf(device consent.Subject) (consent.Subject, error)
	// Erased reports that a subject was erased: nothing of it is left to keep.
	Erased(s consent.Subject) bool
	// CaseBody gives a case as it was remembered, nil if it was not.
	CaseBody(id event.CaseID) ([]byte, error)
}

// Gate narrows stored rows to what their subject has not taken back. It is not
// the night's judgement, only what may not even lie there any longer (BAT-03).
// One goroutine uses it, best with rows in the order of subjects.
type Gate struct {
	book         Book
	at           time.Time // of the states below
	who          consent.Subject
	gone         bool
	own, account consent.State
	explicit     map[int64]bool // by case: it rests on an explicit yes for a sensitive category
}

// NewGate asks a book.
func NewGate(book Book) *Gate { return &Gate{book: book, explicit: map[int64]bool{}} }

// turn reads what is known about a row's subject.
func (g *Gate) turn(who consent.Subject, at time.Time) error {
	if who == g.who && at.Equal(g.at) {
		return nil
	}
	own, err := g.book.StateAt(who, at)
	if err != nil {
		return err
	}
	account, err := g.book.AccountOf(who)
	if err != nil {
		return err
	}
	linked, err := g.book.StateAt(account, at)
	if err != nil {
		return err
	}
	g.who, g.at, g.gone, g.own, g.account = who, at, g.book.Erased(who), own, linked
	return nil
}

// Narrow drops those grants of a row that its subject, or the account it is
// linked to, took back, let run out before at, or gave again only later; and
// every field that no grant left keeps. A row without purposes has nothing left.
// Restricted subjects' rows stay as they are (RGT-07).
func (g *Gate) Narrow(r event.Row, at time.Time) (event.Row, error) {
	if err := g.turn(r.Subject, at); err != nil {
		return r, err
	}
	if g.gone {
		r.Purposes = 0
		return r, nil
	}
	if g.own.Restricted || g.account.Restricted {
		return r, nil
	}
	var left consent.Set
	var cases, keeps []int64
	var union event.FieldSet
	ended := g.explicitEnded(r.OccurredMS, at)
	for i, p := range consent.Set(r.Purposes).List() {
		if g.lost(p, r.OccurredMS, at) || i >= len(r.Cases) || i >= len(r.Keeps) {
			continue
		}
		if ended && p.Gated() {
			rests, err := g.restsOnExplicit(r.Cases[i])
			if err != nil {
				return r, err
			}
			if rests {
				continue
			}
		}
		left = left.With(p)
		cases, keeps = append(cases, r.Cases[i]), append(keeps, r.Keeps[i])
		union |= event.FieldSet(r.Keeps[i])
	}
	if int64(left) != r.Purposes {
		r.Purposes, r.Cases, r.Keeps, r.Fields = int64(left), cases, keeps, r.Fields.Keep(union)
	}
	return r, nil
}

// lost reports whether a purpose's grant no longer covers an event.
func (g *Gate) lost(p consent.Purpose, occurredMS int64, at time.Time) bool {
	if !p.Gated() {
		return false
	}
	own := g.own.At(p, at)
	if gone(own, occurredMS) {
		return true
	}
	return p.Reach() != consent.OnDevice && own.Status == consent.Unknown && gone(g.account.At(p, at), occurredMS) ||
		p.Reach() != consent.OnDevice && refusedBy(g.account.At(p, at))
}

// explicitEnded reports that some explicit yes for a sensitive category ended, or
// that none in force goes back to the event. Of which category an event was cannot
// be told here, so the end of one counts for all (SPC-02).
func (g *Gate) explicitEnded(occurredMS int64, at time.Time) bool {
	covered := false
	for _, side := range []consent.State{g.own, g.account} {
		for p := range side.Standings {
			if !p.Special() {
				continue
			}
			s := side.At(p, at)
			if refusedBy(s) && s.Status != consent.Refused {
				return true
			}
			covered = covered || s.Status.Valid() && s.Since.UnixMilli() <= occurredMS
		}
	}
	return !covered
}

// restsOnExplicit reports a case that only an explicit yes let in. A case that is
// not there stops the night, not this.
func (g *Gate) restsOnExplicit(id int64) (bool, error) {
	if known, ok := g.explicit[id]; ok {
		return known, nil
	}
	body, err := g.book.CaseBody(event.CaseID(id))
	if err != nil {
		return false, err
	}
	var c struct {
		Tag string `json:"tag"`
	}
	if body != nil {
		if err := json.Unmarshal(body, &c); err != nil {
			return false, fmt.Errorf("reading case %d: %w", uint64(id), err)
		}
	}
	g.explicit[id] = c.Tag == "special_explicit"
	return g.explicit[id], nil
}

func refusedBy(s consent.Standing) bool { return s.Status != consent.Unknown && !s.Status.Valid() }

func gone(s consent.Standing, occurredMS int64) bool {
	return refusedBy(s) || s.Status.Valid() && s.Since.UnixMilli() > occurredMS
}
