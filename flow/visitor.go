package flow

import (
	"context"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/policy"
	"github.com/handschlag/handschlag/profile"
)

// visitor is whom a call is about: a device, an account or both, as pseudonyms
// with the consent state of each, by a consistent read. The zero visitor is
// somebody unknown, for whom every purpose is a no.
type visitor struct {
	device  consent.State              // zero Subject: none, or never seen
	account consent.State              // zero Subject: none, or never seen
	named   bool                       // the call named a device, seen or not
	proven  bool                       // the account's credential came with the call; else it is only linked to the device
	before  *visitor                   // the same visitor as first read, if the state moved since
	runs    func(consent.Purpose) bool // the register lets the purpose run (LAW-01); nil: not asked

	// The questions that the event gate asks, bound to one moment (bind).
	stands    func(consent.Purpose) consent.Standing
	objects   func(consent.Purpose) bool
	explicits func(tag string) bool
}

// bind makes the gate's questions once for all events of a visitor in a batch.
func (v *visitor) bind(now time.Time) {
	v.stands = func(p consent.Purpose) consent.Standing { return v.standing(p, now) }
	v.objects = v.objected
	v.explicits = func(tag string) bool { return v.explicit(tag, now) }
}

// visitor looks identifiers up, read-only: an unknown one stays unknown.
func (f *Flow) visitor(ctx context.Context, device, account consent.ID) (*visitor, error) {
	d, err := f.find(ctx, device)
	if err != nil {
		return nil, err
	}
	a, err := f.find(ctx, account)
	if err != nil {
		return nil, err
	}
	return f.known(ctx, d, a, !device.IsZero())
}

// of is the pseudonym that the record of a decision made in the name of a purpose
// bears: none unless that purpose's yes is in force. Who refused leaves a reason
// behind, and no trail (R50).
func (v *visitor) of(p consent.Purpose, now time.Time) consent.Subject {
	if !v.fact(p, now).Status.Valid() {
		return consent.Subject{}
	}
	return v.subject()
}

func (f *Flow) find(ctx context.Context, id consent.ID) (consent.Subject, error) {
	if id.IsZero() {
		return consent.Subject{}, nil
	}
	s, err := f.host.Find(ctx, id)
	if err != nil {
		return s, unavailable("looking an identifier up", err)
	}
	return s, nil
}

// known reads the states of pseudonyms. A device whose call brought no account
// brings the account that it was linked to: that can refuse, never allow (CON-14).
func (f *Flow) known(ctx context.Context, device, account consent.Subject, named bool) (*visitor, error) {
	reg, err := f.registered(ctx)
	if err != nil {
		return nil, err
	}
	v := &visitor{named: named, proven: !account.IsZero(), runs: reg.Runs}
	if !v.proven && !device.IsZero() {
		linked, err := f.host.AccountOf(ctx, device)
		if err != nil {
			return nil, unavailable("reading links", err)
		}
		account = linked
	}
	if v.device, err = f.state(ctx, device); err != nil {
		return nil, err
	}
	v.account, err = f.state(ctx, account)
	return v, err
}

func (f *Flow) state(ctx context.Context, s consent.Subject) (consent.State, error) {
	if s.IsZero() {
		return consent.State{}, nil
	}
	st, err := f.host.State(ctx, s)
	if err != nil {
		return consent.State{}, unavailable("reading consent state", err)
	}
	st.Subject = s
	if len(f.invalid) > 0 { // CON-06: at once, whatever the host has noted yet
		st = f.invalid.In(st, f.now())
	}
	return st, nil
}

// subject is the pseudonym that the visitor's events and profile are kept under:
// the device's if it has one, else the proven account's.
func (v *visitor) subject() consent.Subject {
	if !v.device.Subject.IsZero() || !v.proven {
		return v.device.Subject
	}
	return v.account.Subject
}

// standing is where a purpose stands for this visitor (CON-14): both sides of a
// device and its account, where both decided. If the state moved since it was
// first read, only what stood both times stands. A purpose that may not run stands
// for nobody (LAW-01).
func (v *visitor) standing(p consent.Purpose, now time.Time) consent.Standing {
	if v.runs != nil && !v.runs(p) {
		return consent.Standing{Status: policy.Unregistered}
	}
	if v.before != nil {
		if was := v.before.standing(p, now); !was.Status.Valid() {
			return was
		}
	}
	if v.named && v.device.Subject.IsZero() && p.Reach() == consent.OnDevice {
		return consent.Standing{Status: consent.Unknown}
	}
	s := consent.Together(v.device, v.account, p, now)
	if v.proven || !s.Status.Valid() {
		return s
	}
	if d := v.device.At(p, now); !d.Status.Valid() {
		return d
	}
	return s
}

// explicit reports explicit consent in force for a sensitive tag's category (SPC-01).
func (v *visitor) explicit(tag string, now time.Time) bool {
	s := v.standing(consent.SpecialCategory(tag), now)
	return s.Status.Valid() && s.Explicit
}

// fact is a standing as a decision sees it. Only complete records are booked
// (Flow.Consent), so a valid standing that names its record is proven (CON-08).
//
// Only a yes names its record: the record of a no would lead from a decision
// that rests on nothing to the visitor (R50).
func (v *visitor) fact(p consent.Purpose, now time.Time) policy.ConsentFact {
	s := v.standing(p, now)
	if !s.Status.Valid() {
		s.RecordID = ""
	}
	return policy.ConsentFact{Status: s.Status, RecordID: s.RecordID, ProofComplete: s.RecordID != "", Explicit: s.Explicit}
}

// lapsed reports that an explicit yes for a sensitive category ended after t, in
// whatever way. What was computed before it may rest on it, and cannot be told
// apart (SPC-02).
func (v *visitor) lapsed(t, now time.Time) bool {
	return v.anyExplicit(now, func(s consent.Standing) bool {
		switch s.Status {
		case consent.Expired:
			return s.Until.After(t)
		case consent.Given, consent.Renewed, consent.Refused:
			return false
		}
		return s.Since.After(t)
	})
}

// ranOut reports an explicit yes that expired while the profile may still hold
// what it let in. A withdrawal needs no such question: the host drops the sections
// with it.
func (v *visitor) ranOut(now time.Time) bool {
	return v.anyExplicit(now, func(s consent.Standing) bool {
		return s.Status == consent.Expired && now.Before(s.Until.Add(profile.PastFor))
	})
}

// anyExplicit asks about each decision on a sensitive category, on either side.
func (v *visitor) anyExplicit(now time.Time, is func(consent.Standing) bool) bool {
	for _, side := range []consent.State{v.device, v.account} {
		for p := range side.Standings {
			if p.Special() && is(side.At(p, now)) {
				return true
			}
		}
	}
	return false
}

// restricted reports Art. 18 on either side (RGT-07).
func (v *visitor) restricted() bool {
	return v.device.Restricted || v.account.Restricted || v.before != nil && v.before.restricted()
}

// objected reports that an Art. 21 objection or the suppression list stops a purpose,
// on either side: both survive a merge (CON-14) and outrank a grant (SIG-04, EXP-03).
func (v *visitor) objected(p consent.Purpose) bool {
	return stopped(v.device, p) || stopped(v.account, p) || v.before != nil && v.before.objected(p)
}

func stopped(s consent.State, p consent.Purpose) bool { return s.Objected(p) || s.SuppressedFor(p) }

// rests reports that a purpose may not be served now, whatever the consent: the
// processing is restricted, or an objection stops it (RGT-07).
func (v *visitor) rests(p consent.Purpose) bool { return v.restricted() || v.objected(p) }

// age is the younger of the two sides' age bands. In a shop for children an
// unknown age counts as under 16 (SPC-05).
func (v *visitor) age(childShop bool) string {
	young := "unknown"
	for _, band := range []string{"adult", "16_17", "u16"} {
		if v.device.AgeBand == band || v.account.AgeBand == band {
			young = band
		}
	}
	if childShop && young == "unknown" {
		return "u16"
	}
	return young
}

// ageFor is the age that a purpose is judged by. Whose parents agreed to it counts
// as a minor who may consent, and as no more than that (SPC-05, SPC-06).
func (v *visitor) ageFor(p consent.Purpose, now time.Time, childShop bool) string {
	age := v.age(childShop)
	if s := v.standing(p, now); age == "u16" && s.Status.Valid() && s.Parental {
		return "16_17"
	}
	return age
}

// given names the states that a decision about the visitor rests on.
func (v *visitor) given() []StateAt {
	var out []StateAt
	for _, s := range []consent.State{v.device, v.account} {
		if !s.Subject.IsZero() {
			out = append(out, StateAt{Subject: s.Subject, Version: s.Version})
		}
	}
	return out
}

// again reads the states anew after one moved. What did not stand before does
// not begin to stand for what is already on its way.
func (f *Flow) again(ctx context.Context, v *visitor) (*visitor, error) {
	n := &visitor{named: v.named, proven: v.proven, before: v, runs: v.runs}
	var err error
	if n.device, err = f.state(ctx, v.device.Subject); err != nil {
		return nil, err
	}
	n.account, err = f.state(ctx, v.account.Subject)
	return n, err
}
