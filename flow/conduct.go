package flow

import (
	"context"
	"slices"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/policy"
)

// Recording is what was agreed about recording a contact, and whether it runs.
// The media are the desk's; here stands what it may do, and by when it deletes.
type Recording struct {
	Agreed    map[string]time.Time `json:"agreed,omitempty"` // member of staff → when they said yes
	On        bool                 `json:"on"`
	Kind      string               `json:"kind,omitempty"`
	StartedAt *time.Time           `json:"started_at,omitempty"`
	StoppedAt *time.Time           `json:"stopped_at,omitempty"`
	DeleteBy  *time.Time           `json:"delete_by,omitempty"` // ordered with the stop
	Earlier   []Take               `json:"earlier,omitempty"`   // stopped before this one began
}

// Take is a recording that was stopped. Its deletion stays ordered, whatever is
// recorded after it.
type Take struct {
	Kind      string     `json:"kind"`
	StartedAt *time.Time `json:"started_at"`
	StoppedAt *time.Time `json:"stopped_at"`
	DeleteBy  *time.Time `json:"delete_by"`
}

// RecordingCall says yes to being recorded (agree), or starts or stops it.
// Repeating a stop asks again by when to delete: at once after a withdrawal.
type RecordingCall struct {
	Agree     bool     `json:"agree,omitempty"`
	On        *bool    `json:"on,omitempty"`
	Kind      string   `json:"kind,omitempty"`      // audio | video | transcript | listen
	Present   []string `json:"present,omitempty"`   // other staff who take part or listen, by name
	Analytics []string `json:"analytics,omitempty"` // what would be computed from it: summary, translation
}

// RecordingAnswer is what stands now. A refusal is an answer: go on unrecorded.
type RecordingAnswer struct {
	DecisionID string          `json:"decision_id,omitempty"`
	ContactID  string          `json:"contact_id"`
	Allowed    bool            `json:"allowed"`
	Recording  Recording       `json:"recording"`
	Rules      []string        `json:"rules"`
	Reasons    []policy.Reason `json:"reasons"`
}

// CallCall asks whether to call somebody now.
type CallCall struct {
	Number string `json:"number"`
	Topic  string `json:"topic"`
}

// CallAnswer says whether to call, and on what it rests.
type CallAnswer struct {
	DecisionID string          `json:"decision_id"`
	ContactID  string          `json:"contact_id"`
	Allowed    bool            `json:"allowed"`
	Basis      string          `json:"basis,omitempty"` // request | marketing_phone
	Rules      []string        `json:"rules"`
	Reasons    []policy.Reason `json:"reasons"`
	ProofUntil *time.Time      `json:"keep_proof_until,omitempty"` // of the consent used (ESC-08)
}

// Record lets an adviser agree to a recording, start it on everybody's prior yes,
// and stop it (ESC-06). Agreeing is each person's own call.
func (f *Flow) Record(ctx context.Context, contactID string, call RecordingCall, c Caller) (RecordingAnswer, error) {
	who, err := c.staff(RoleAdviser)
	if err != nil {
		return RecordingAnswer{}, err
	}
	k, err := f.host.Contact(ctx, contactID)
	if err != nil {
		return RecordingAnswer{}, found("contact", "contact_unknown", err)
	}
	now := f.now()
	switch {
	case call.On == nil && !call.Agree:
		return RecordingAnswer{}, invalid("on", "want agree: true, or on: true or false")
	case call.On == nil && k.ClosedAt != nil:
		return RecordingAnswer{}, conflict("contact_closed", "contact: it was closed")
	case call.On == nil:
		return f.agree(ctx, k, who, now)
	case *call.On:
		return f.startRecording(ctx, k, call, who, now)
	}
	return f.stopRecording(ctx, k, who, now)
}

// agree keeps one person's own yes, with its time.
func (f *Flow) agree(ctx context.Context, k Contact, who Staff, now time.Time) (RecordingAnswer, error) {
	k, err := f.recording(ctx, k.ID, func(r *Recording) {
		if _, said := r.Agreed[who.Name]; !said {
			r.Agreed[who.Name] = now
		}
	})
	if err != nil {
		return RecordingAnswer{}, err
	}
	return RecordingAnswer{ContactID: k.ID, Allowed: true, Recording: *k.Recording, Rules: []string{}, Reasons: []policy.Reason{}}, nil
}

func (f *Flow) startRecording(ctx context.Context, k Contact, call RecordingCall, who Staff, now time.Time) (RecordingAnswer, error) {
	v, err := f.party(ctx, k)
	if err != nil {
		return RecordingAnswer{}, err
	}
	in := f.conductInput(k, v, who, "record", now)
	in.Recording = policy.RecordingFact{
		Kind: call.Kind, Analytics: append([]string{}, call.Analytics...), Consent: v.fact(consent.RecordingAV, now),
		Participants: f.present(k, v, call, who, now),
	}
	verdict, r, err := f.conducted(ctx, k, in, who, now)
	if err != nil {
		return RecordingAnswer{}, err
	}
	if verdict.Allowed {
		if k, err = f.recording(ctx, k.ID, func(rec *Recording) {
			rec.Agreed[who.Name] = now
			if rec.DeleteBy != nil {
				rec.Earlier = append(rec.Earlier, Take{rec.Kind, rec.StartedAt, rec.StoppedAt, rec.DeleteBy})
			}
			rec.On, rec.Kind, rec.StartedAt, rec.StoppedAt, rec.DeleteBy = true, call.Kind, &now, nil, nil
		}); err != nil {
			return RecordingAnswer{}, err
		}
	}
	a := RecordingAnswer{
		DecisionID: r.ID, ContactID: k.ID, Allowed: verdict.Allowed, Rules: r.Rules, Reasons: f.words(policy.EntryConduct, r.Rules),
	}
	if k.Recording != nil {
		a.Recording = *k.Recording
	}
	return a, nil
}

// present lists who would be heard or would listen: the visitor, the adviser who
// has the contact, who starts it, and whom the call names. Pressing "record" is
// the starter's own yes; everybody else's must be there before.
func (f *Flow) present(k Contact, v *visitor, call RecordingCall, who Staff, now time.Time) []policy.ParticipantFact {
	yes := v.standing(consent.RecordingAV, now)
	out := []policy.ParticipantFact{{Who: "visitor", Agreed: yes.Status.Valid(), Before: yes.Status.Valid() && yes.Since.Before(now)}}
	names := append([]string{k.Adviser, who.Name}, call.Present...)
	for i, name := range names {
		if slices.Contains(names[:i], name) {
			continue
		}
		p := policy.ParticipantFact{Who: "coach"}
		if name == k.Adviser && name != "" {
			p.Who = "adviser"
		}
		if name == who.Name {
			p.Agreed, p.Before = true, true
		} else if k.Recording != nil {
			at, said := k.Recording.Agreed[name]
			p.Agreed, p.Before = said, said && at.Before(now)
		}
		out = append(out, p)
	}
	return out
}

// stopRecording always stops, and orders the deletion: after the agreed days
// while the visitor's consent stands, at once when it does not.
func (f *Flow) stopRecording(ctx context.Context, k Contact, who Staff, now time.Time) (RecordingAnswer, error) {
	if k.Recording == nil || k.Recording.StartedAt == nil {
		return RecordingAnswer{}, conflict("not_recorded", "contact: nothing was recorded")
	}
	v, err := f.party(ctx, k)
	if err != nil {
		return RecordingAnswer{}, err
	}
	verdict, r, err := f.conducted(ctx, k, f.conductInput(k, v, who, "stop", now), who, now)
	if err != nil {
		return RecordingAnswer{}, err
	}
	k, err = f.recording(ctx, k.ID, func(rec *Recording) {
		if rec.On {
			rec.On, rec.StoppedAt = false, &now
		}
		by := rec.StoppedAt.AddDate(0, 0, f.cfg.Retention.RecordingDays)
		if verdict.Delete != "agreed" {
			by = now
			for i, t := range rec.Earlier {
				if by.Before(*t.DeleteBy) {
					rec.Earlier[i].DeleteBy = &by
				}
			}
		}
		if rec.DeleteBy == nil || by.Before(*rec.DeleteBy) {
			rec.DeleteBy = &by
		}
	})
	if err != nil {
		return RecordingAnswer{}, err
	}
	return RecordingAnswer{
		DecisionID: r.ID, ContactID: k.ID, Allowed: true, Recording: *k.Recording, Rules: r.Rules, Reasons: f.words(policy.EntryConduct, r.Rules),
	}, nil
}

// recording changes what stands about a contact's recording.
func (f *Flow) recording(ctx context.Context, id string, change func(*Recording)) (Contact, error) {
	k, err := f.host.ChangeContact(ctx, id, func(k Contact) (Contact, error) {
		r := Recording{Agreed: map[string]time.Time{}}
		if k.Recording != nil {
			r = *k.Recording
			r.Agreed, r.Earlier = map[string]time.Time{}, slices.Clone(r.Earlier)
			for name, at := range k.Recording.Agreed {
				r.Agreed[name] = at
			}
		}
		change(&r)
		k.Recording = &r
		return k, nil
	})
	if err != nil {
		return Contact{}, changed(err)
	}
	return k, nil
}

// MayCall says whether an adviser may call somebody now (ESC-07): as the visitor
// asked, or under marketing_phone, whose every use goes on file (ESC-08).
func (f *Flow) MayCall(ctx context.Context, contactID string, call CallCall, c Caller) (CallAnswer, error) {
	who, err := c.staff(RoleAdviser)
	if err != nil {
		return CallAnswer{}, err
	}
	if _, ok := dialled(call.Number); !ok {
		return CallAnswer{}, invalid("number", "want a telephone number such as +49 30 123456")
	}
	k, err := f.host.Contact(ctx, contactID)
	if err != nil {
		return CallAnswer{}, found("contact", "contact_unknown", err)
	}
	v, err := f.party(ctx, k)
	if err != nil {
		return CallAnswer{}, err
	}
	now := f.now()
	in := f.conductInput(k, v, who, "call", now)
	in.Call = policy.CallFact{Requested: in.Open && k.Callback != nil, Consent: v.fact(consent.MarketingPhone, now)}
	in.Call.Number, in.Call.Topic, in.Call.Time = k.Callback.covers(call, now)
	verdict, r, err := f.conducted(ctx, k, in, who, now)
	if err != nil {
		return CallAnswer{}, err
	}
	a := CallAnswer{
		DecisionID: r.ID, ContactID: k.ID, Allowed: verdict.Allowed, Basis: verdict.Basis, Rules: r.Rules,
		Reasons: f.words(policy.EntryConduct, r.Rules),
	}
	if verdict.Basis == string(consent.MarketingPhone) {
		if a.ProofUntil, err = f.usePhone(ctx, in.Call.Consent.RecordID, who, now); err != nil {
			return CallAnswer{}, err
		}
	}
	return a, nil
}

// usePhone appends a use to the file of a consent to calls, and says until when
// the file is kept: five years begin anew (ESC-08). No call without it.
func (f *Flow) usePhone(ctx context.Context, recordID string, who Staff, now time.Time) (*time.Time, error) {
	grant, err := f.host.Record(ctx, recordID)
	if err != nil {
		return nil, unavailable("reading the file of a consent to calls", err)
	}
	id := newID(now)
	if _, err := f.host.Append(ctx, grant.Subject, func(before consent.State) (consent.Record, error) {
		return consent.PhoneUse(grant, id, before.Version+1, who.actor(), now), nil
	}); err != nil {
		return nil, unavailable("appending a use of a consent to calls", err)
	}
	history, err := f.host.History(ctx, grant.Subject)
	if err != nil {
		return nil, unavailable("reading the file of a consent to calls", err)
	}
	until := consent.PhoneProofUntil(history)
	return &until, nil
}

// conductInput gathers what every act with a contact depends on.
func (f *Flow) conductInput(k Contact, v *visitor, who Staff, act string, now time.Time) policy.ConductInput {
	return policy.ConductInput{
		Act: act, Role: who.Role, Assigned: k.AcceptedAt != nil && k.Adviser == who.Name, Open: k.ClosedAt == nil,
		Restricted: v.restricted(), Objected: v.objected(consent.MarketingPhone),
		Recording: policy.RecordingFact{Analytics: []string{}, Participants: []policy.ParticipantFact{}, Consent: v.fact(consent.RecordingAV, now)},
		Call:      policy.CallFact{Consent: v.fact(consent.MarketingPhone, now)},
	}
}

// conducted judges an act and makes its record durable.
func (f *Flow) conducted(ctx context.Context, k Contact, in policy.ConductInput, who Staff, now time.Time) (policy.ConductVerdict, decide.Record, error) {
	verdict, res, err := f.rules.Conduct(ctx, in)
	if err != nil {
		return verdict, decide.Record{}, unavailable("judging an act", err)
	}
	r := f.record(now, decide.ActionConduct, k.Subject, verdict.Rules, res)
	r.Actor = who.actor()
	return verdict, r, f.decided(ctx, &r)
}
