package profile

import (
	"slices"
	"time"

	"github.com/handschlag/handschlag/consent"
)

// Ground is what the sections of a profile rest on: its subject's own decisions,
// together with its account's if it is a device that is linked to one (CON-14).
type Ground struct {
	Own     consent.State
	Account consent.State // counts only if its Subject is somebody
	Invalid consent.Invalidations
}

// Valid reports whether a purpose is in force at a moment.
func (g Ground) Valid(p consent.Purpose, at time.Time) bool {
	own := g.Invalid.In(g.Own, at)
	if g.Account.Subject.IsZero() {
		return own.At(p, at).Status.Valid()
	}
	return consent.Together(own, g.Invalid.In(g.Account, at), p, at).Status.Valid()
}

// Unfounded are the sections that no yes carries at a moment.
func (p Profile) Unfounded(g Ground, at time.Time) (gone []consent.Purpose) {
	for purpose := range p.Sections {
		if !g.Valid(purpose, at) {
			gone = append(gone, purpose)
		}
	}
	return gone
}

// TakenBy are the sections that a record takes from a profile: those that no yes
// carries after it and, of its own subject, those whose grant it broke, though it
// began a new one. What an explicit yes let into a section cannot be told apart
// there (SPC-02): when it is taken back, all sections go.
func (p Profile) TakenBy(r consent.Record, own bool, broken []consent.Purpose, g Ground) (gone []consent.Purpose) {
	special := slices.ContainsFunc(broken, consent.Purpose.Special)
	for purpose := range p.Sections {
		if special || own && slices.Contains(broken, purpose) || !g.Valid(purpose, r.Event.Time) {
			gone = append(gone, purpose)
		}
	}
	return gone
}
