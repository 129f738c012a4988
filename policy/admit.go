package policy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/event"
)

// Circumstances are the facts about one raw event that are not in it.
type Circumstances struct {
	Subject    consent.Subject
	MessageKey [16]byte
	Received   time.Time
	Occurred   time.Time // skew-corrected

	Standing    func(consent.Purpose) consent.Standing // folded over device and account (CON-14), at Received; nil: nothing was decided
	Unlinked    bool
	Restricted  bool
	Objected    func(consent.Purpose) bool // an objection stops the purpose (RGT-07); nil: none does
	Age         string                     // "" is unknown
	SwitchedOff bool
	Trusted     bool                       // came with the server key
	Runs        func(consent.Purpose) bool // the purpose is registered and may run (LAW-01); nil: all may

	RequireStamp bool
	Stamp        map[consent.Purpose]bool // a signal.Stamp
	StampPresent bool
	GPC, DNT     bool

	LateAfter, AheadAfter time.Duration
	Coarse                event.Coarse
	SpecialConsent        func(tag string) bool // explicit consent for the tag's category is in force; nil: for none
}

// Admission says what became of a raw event.
type Admission struct {
	Allowed  bool
	Purposes []consent.Purpose // that admitted it, in the order of consent.Purposes
	Rules    []string          // that refused it, sorted; empty if allowed
}

var errNobody = errors.New("an admitted event has no subject")

// Admit judges a raw event for every purpose of the gate and makes of it the
// minimised event, the union of what the purposes keep. The raw event ends here.
//
// A refusal names the rules of the purposes that the event speaks of and the
// visitor ever decided on; if there is none, of those that either holds for; else
// of all.
func (r *Rules) Admit(ctx context.Context, raw event.Raw, c Circumstances) (event.Event, Admission, error) {
	kind := raw.Kind()
	var grants []event.Grant
	var verdicts perPurpose[Verdict]
	var decided, spoken perPurpose[bool]
	for i, p := range gatePurposes {
		if p == consent.EssentialService && !(c.Trusted && kind.Order()) {
			continue
		}
		ec := c.CaseFor(kind, p)
		v, err := r.Event(ctx, ec)
		if err != nil {
			return event.Event{}, Admission{}, fmt.Errorf("admitting event: %w", err)
		}
		if v.Allowed {
			grants = append(grants, event.Grant{Purpose: p, Case: v.ID, Keep: v.Keep})
		}
		verdicts[i], decided[i] = v, ec.State != StateUnknown
		spoken[i] = ec.Stamp != StampSilent
	}
	if len(grants) == 0 {
		return event.Event{}, Admission{Rules: whyNot(&verdicts, &spoken, &decided)}, nil
	}
	if c.Subject.IsZero() {
		return event.Event{}, Admission{}, fmt.Errorf("admitting event: %w", errNobody)
	}
	a := Admission{Allowed: true, Purposes: make([]consent.Purpose, len(grants))}
	for i, g := range grants {
		a.Purposes[i] = g.Purpose
	}
	return r.minimised(kind, c, grants), a, nil
}

func (r *Rules) minimised(kind event.Kind, c Circumstances, grants []event.Grant) event.Event {
	at := c.Occurred
	if at.After(c.Received) {
		at = c.Received
	}
	e := event.Event{
		Subject: c.Subject, MessageKey: c.MessageKey, Kind: kind, OccurredAt: at, ReceivedAt: c.Received, Policy: r.digests.Policy[:12],
	}
	return event.New(e, grants, c.Coarse.Fields)
}

// perPurpose holds something for each purpose of the gate, in its order.
type perPurpose[T any] [len(gatePurposes)]T

// whyNot unites the rules of the purposes that the refusal is about.
func whyNot(verdicts *perPurpose[Verdict], spoken, decided *perPurpose[bool]) []string {
	var both, either perPurpose[bool]
	for i := range verdicts {
		both[i], either[i] = spoken[i] && decided[i], spoken[i] || decided[i]
	}
	about := both
	if about == (perPurpose[bool]{}) {
		about = either
	}
	all := about == perPurpose[bool]{}
	out := []string{}
	for i := range verdicts {
		if !all && !about[i] {
			continue
		}
		for _, id := range verdicts[i].Rules {
			if at, found := slices.BinarySearch(out, id); !found {
				out = slices.Insert(out, at, id)
			}
		}
	}
	return out
}

// CaseFor is the case of one purpose under these circumstances.
func (c *Circumstances) CaseFor(kind event.Kind, p consent.Purpose) EventCase {
	var standing consent.Standing
	if c.Standing != nil && p != consent.EssentialService {
		standing = c.Standing(p)
	}
	return EventCase{
		Kind: kind, Purpose: p, Stamp: c.stamp(kind, p), Tag: c.tag(), Age: c.age(standing),
		GPC: c.GPC && !standing.Lifts, DNT: c.DNT && !standing.Lifts, // SIG-04: a yes given in knowledge of the signal
		State: CaseStateOf(standing, Moment{
			Occurred: c.Occurred, Received: c.Received, LateAfter: c.LateAfter, AheadAfter: c.AheadAfter,
			SwitchedOff: c.SwitchedOff, Restricted: c.Restricted || c.Objected != nil && c.Objected(p), Unlinked: c.Unlinked,
			Unregistered: c.Runs != nil && !c.Runs(p),
		}),
	}
}

// age is the band that a purpose is judged by. Whose parents agreed to the purpose
// counts as a minor who may consent, and as no more than that (SPC-05, SPC-06).
func (c *Circumstances) age(s consent.Standing) string {
	if c.Age == "u16" && s.Status.Valid() && s.Parental {
		return "16_17"
	}
	return orUnknown(c.Age)
}

// stamp is what the event says about the purpose. The shop's own order events
// need none for essential_service; a no of the event counts in any case.
func (c *Circumstances) stamp(kind event.Kind, p consent.Purpose) Stamp {
	if p == consent.EssentialService {
		if c.Trusted && kind.Order() {
			return StampTrusted
		}
		return StampMissing
	}
	yes, said := c.Stamp[p]
	switch {
	case said && yes:
		return StampYes
	case said:
		return StampNo
	case !c.RequireStamp:
		return StampTrusted
	case c.StampPresent:
		return StampSilent
	}
	return StampMissing
}

// tag is the class of what the event is about.
func (c *Circumstances) tag() Tag {
	if len(c.Coarse.Tags) == 0 {
		return TagNone
	}
	for _, t := range c.Coarse.Tags {
		if c.SpecialConsent == nil || !c.SpecialConsent(t) {
			return TagSpecial
		}
	}
	return TagExplicit
}
