package flow

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/handschlag/handschlag/decide"
)

// QueueAnswer lists the waiting hand-overs: higher priority first, then first come.
type QueueAnswer struct {
	Contacts []Waiter `json:"contacts"`
}

// Waiter is a waiting hand-over as the queue shows it: no person, no question.
type Waiter struct {
	ContactID string    `json:"contact_id"`
	Channel   string    `json:"channel"`
	Priority  int       `json:"priority"`
	Page      PageRef   `json:"page"`
	OpenedAt  time.Time `json:"opened_at"`
	WaitingS  int64     `json:"waiting_seconds"`
}

// AcceptAnswer says that a contact is the adviser's now.
type AcceptAnswer struct {
	ContactID  string    `json:"contact_id"`
	Channel    string    `json:"channel"`
	Adviser    string    `json:"adviser"`
	AcceptedAt time.Time `json:"accepted_at"`
	JoinURL    string    `json:"join_url"`

	Disclosure Disclosure `json:"disclosure"` // to be said first: a human answers now (ESC-05)
}

// AdviserCall is an adviser's own word on availability.
type AdviserCall struct {
	Available bool     `json:"available"`
	Channels  []string `json:"channels,omitempty"`
	Capacity  int      `json:"capacity,omitempty"`
}

// OutcomeCall says how a contact ended.
type OutcomeCall struct {
	Outcome string `json:"outcome"` // helped | not_needed | sold | follow_up
}

// OutcomeAnswer says that a contact is closed.
type OutcomeAnswer struct {
	ContactID  string    `json:"contact_id"`
	Outcome    string    `json:"outcome"`
	ClosedAt   time.Time `json:"closed_at"`
	DecisionID string    `json:"decision_id"` // the record that the night joins to the offer
}

// Outcomes lists how a contact may end.
var Outcomes = []string{"helped", "not_needed", "sold", "follow_up"}

// Queue lists who waits.
func (f *Flow) Queue(ctx context.Context, c Caller) (QueueAnswer, error) {
	if _, err := c.staff(RoleAdviser); err != nil {
		return QueueAnswer{}, err
	}
	now := f.now()
	waiting, err := f.host.Waiting(ctx)
	if err != nil {
		return QueueAnswer{}, unavailable("reading the queue", err)
	}
	a := QueueAnswer{Contacts: make([]Waiter, 0, len(waiting))}
	for _, w := range waiting {
		a.Contacts = append(a.Contacts, Waiter{
			ContactID: w.ID, Channel: w.Channel, Priority: w.Priority, Page: w.Page, OpenedAt: w.OpenedAt,
			WaitingS: max(0, int64(now.Sub(w.OpenedAt)/time.Second)),
		})
	}
	return a, nil
}

// Accept takes one waiting contact. Accepting one's own again changes nothing;
// somebody else's, or a closed one, is a 409.
func (f *Flow) Accept(ctx context.Context, contactID string, c Caller) (AcceptAnswer, error) {
	who, err := c.staff(RoleAdviser)
	if err != nil {
		return AcceptAnswer{}, err
	}
	now := f.now()
	got, err := f.host.ChangeContact(ctx, contactID, func(k Contact) (Contact, error) {
		switch {
		case k.ClosedAt != nil:
			return k, conflict("contact_closed", "contact: it was closed")
		case k.AcceptedAt != nil && k.Adviser != who.Name:
			return k, conflict("contact_taken", "contact: another adviser has it")
		case k.AcceptedAt == nil:
			k.Adviser, k.AcceptedAt, k.Speaker = who.Name, &now, SpeakerHuman
		}
		return k, nil
	})
	if err != nil {
		return AcceptAnswer{}, changed(err)
	}
	return AcceptAnswer{
		ContactID: got.ID, Channel: got.Channel, Adviser: got.Adviser, AcceptedAt: *got.AcceptedAt, JoinURL: got.JoinURL,
		Disclosure: f.spoken(SpeakerHuman),
	}, nil
}

// changed reads the error of a change to a contact.
func changed(err error) error {
	var fault *Fault
	if errors.As(err, &fault) {
		return fault
	}
	return found("contact", "contact_unknown", err)
}

// PutAdviser keeps an adviser's own word on availability.
func (f *Flow) PutAdviser(ctx context.Context, call AdviserCall, c Caller) (Adviser, error) {
	who, err := c.staff(RoleAdviser)
	if err != nil {
		return Adviser{}, err
	}
	for i, ch := range call.Channels {
		if !slices.Contains(f.cfg.Offers.Channels, ch) {
			return Adviser{}, invalid(fmt.Sprintf("channels[%d]", i), "want one of %v", f.cfg.Offers.Channels)
		}
	}
	if call.Capacity < 0 || call.Capacity > 100 {
		return Adviser{}, invalid("capacity", "want 0 to 100")
	}
	a := Adviser{Name: who.Name, Available: call.Available, Channels: filled(call.Channels), Capacity: call.Capacity, Since: f.now()}
	if err := f.host.PutAdviser(ctx, a); err != nil {
		return Adviser{}, unavailable("keeping availability", err)
	}
	all, err := f.host.AllAdvisers(ctx)
	if err != nil {
		return Adviser{}, unavailable("reading advisers", err)
	}
	if i := slices.IndexFunc(all, func(x Adviser) bool { return x.Name == who.Name }); i >= 0 {
		a.Busy = all[i].Busy
	}
	return a, nil
}

// Outcome closes one's own contact. The card is gone with it; saying the same
// outcome again is answered alike.
func (f *Flow) Outcome(ctx context.Context, contactID string, call OutcomeCall, c Caller) (OutcomeAnswer, error) {
	who, err := c.staff(RoleAdviser)
	if err != nil {
		return OutcomeAnswer{}, err
	}
	if !slices.Contains(Outcomes, call.Outcome) {
		return OutcomeAnswer{}, invalid("outcome", "want one of %v", Outcomes)
	}
	now, first := f.now(), false
	k, err := f.host.ChangeContact(ctx, contactID, func(k Contact) (Contact, error) {
		first = k.ClosedAt == nil
		switch {
		case k.Adviser != who.Name || k.AcceptedAt == nil:
			return k, forbidden("contact_not_yours", "contact: accept it first")
		case !first && k.Outcome != call.Outcome:
			return k, conflict("contact_closed", "contact: it was closed with another outcome")
		case first:
			k.Outcome, k.ClosedAt = call.Outcome, &now
			k.Question, k.Callback = "", nil // the visitor's own words were for this conversation
		}
		return k, nil
	})
	if err != nil {
		return OutcomeAnswer{}, changed(err)
	}
	return f.closed(ctx, k, who, first)
}

// closed records how a contact ended, under an id that follows from the
// contact's, so that a repeated call after a fault writes it once.
func (f *Flow) closed(ctx context.Context, k Contact, who Staff, first bool) (OutcomeAnswer, error) {
	r, err := f.staffRecord(*k.ClosedAt, decide.ActionHandover, who.actor(),
		map[string]any{"contact_id": k.ID, "decision_id": k.Decision, "channel": k.Channel},
		map[string]any{"outcome": k.Outcome, "seconds": int64(k.ClosedAt.Sub(k.OpenedAt) / time.Second)})
	if err != nil {
		return OutcomeAnswer{}, unavailable("writing a decision record", err)
	}
	r.Subject, r.ID = k.Subject, f.keys.derived("outcome", k.ID, *k.ClosedAt)
	if err := f.decidedOnce(ctx, &r); err != nil {
		return OutcomeAnswer{}, err
	}
	if first {
		if err := f.count(ctx, *k.ClosedAt, "contact/outcome/"+k.Outcome); err != nil {
			return OutcomeAnswer{}, err
		}
		if err := f.reviewed(ctx, k); err != nil {
			return OutcomeAnswer{}, err
		}
	}
	return OutcomeAnswer{ContactID: k.ID, Outcome: k.Outcome, ClosedAt: *k.ClosedAt, DecisionID: r.ID}, nil
}
