package flow

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/consent/signal"
)

// StateCall asks where a device, an account or both together stand.
type StateCall struct {
	AnonymousID string `json:"anonymousId,omitempty"`
	UserID      string `json:"userId,omitempty"`
	// AsOf asks about a moment that has passed: what was decided later does not count.
	AsOf *time.Time `json:"as_of,omitempty"`
}

// StateAnswer is a state and its history, oldest first. An identifier that was
// never seen has version 0 and no purposes.
type StateAnswer struct {
	Version  uint64                              `json:"version"`
	Purposes map[consent.Purpose]PurposeStanding `json:"purposes"`
	History  []HistoryEntry                      `json:"history"`
	Prompt   Prompt                              `json:"prompt"` // what a banner may ask for
	// What stands beside consent, and outranks it (Art. 18 and 21).
	Restricted bool     `json:"restricted"`
	Objections []string `json:"objections"`
	Suppressed []string `json:"suppressed"`
	// ConsentMode is what Google's tags may be told now (SIG-09).
	ConsentMode signal.ConsentMode `json:"consent_mode"`
}

// HistoryEntry is one record as its subject may read it.
type HistoryEntry struct {
	RecordID string                             `json:"record_id"`
	Version  uint64                             `json:"version"`
	Scope    consent.Scope                      `json:"scope"`
	Time     time.Time                          `json:"time"`
	Method   string                             `json:"method"`
	Notice   consent.Notice                     `json:"notice"`
	UI       consent.UI                         `json:"ui"`
	Purposes map[consent.Purpose]consent.Status `json:"purposes"`
	Rules    []string                           `json:"rules,omitempty"`
}

// ProofAnswer holds a record's inclusion proof, or says that no checkpoint
// covers it yet (202).
type ProofAnswer struct {
	Pending  bool   `json:"-"`
	RecordID string `json:"record_id"`
	Status   string `json:"status"` // pending | covered
	Proof    *Proof `json:"proof,omitempty"`
}

// ConsentState says where a visitor stands. An account without its credential is
// a 403; a device alone is told about itself only, not about a linked account.
func (f *Flow) ConsentState(ctx context.Context, call StateCall, c Caller) (StateAnswer, error) {
	now := f.now()
	d, err := device(call.AnonymousID)
	if err != nil {
		return StateAnswer{}, err
	}
	a, err := c.account(call.UserID)
	if err != nil {
		return StateAnswer{}, err
	}
	if d.IsZero() && a.IsZero() {
		return StateAnswer{}, invalid("anonymousId", "missing, and no account is proven")
	}
	if call.AsOf != nil && call.AsOf.After(now) {
		return StateAnswer{}, invalid("as_of", "want a moment that has passed")
	}
	v := &visitor{named: !d.IsZero(), proven: true}
	if v.device, err = f.stateOf(ctx, d); err != nil {
		return StateAnswer{}, err
	}
	if v.account, err = f.stateOf(ctx, a); err != nil {
		return StateAnswer{}, err
	}
	var records []consent.Record
	for _, s := range []*consent.State{&v.device, &v.account} {
		own, err := f.recorded(ctx, s, call.AsOf)
		if err != nil {
			return StateAnswer{}, err
		}
		records = append(records, own...)
	}
	if call.AsOf != nil {
		now = *call.AsOf
	}
	return f.standings(ctx, v, records, now, c.gpc())
}

// recorded reads the records behind a state. Asked about the past, it gives those
// of then, and makes the state that of then.
func (f *Flow) recorded(ctx context.Context, s *consent.State, asOf *time.Time) ([]consent.Record, error) {
	if s.Subject.IsZero() {
		return nil, nil
	}
	rs, err := f.host.History(ctx, s.Subject)
	if err != nil {
		return nil, unavailable("reading consent history", err)
	}
	if asOf != nil {
		entries, err := f.host.Listed(ctx, s.Subject)
		if err != nil {
			return nil, unavailable("reading lists", err)
		}
		who := s.Subject
		*s = f.invalid.In(consent.Retold(rs, entries, *asOf), *asOf)
		s.Subject = who
		rs = slices.DeleteFunc(slices.Clone(rs), func(r consent.Record) bool { return r.Event.Time.After(*asOf) })
	}
	return rs, nil
}

func (f *Flow) stateOf(ctx context.Context, id consent.ID) (consent.State, error) {
	s, err := f.find(ctx, id)
	if err != nil {
		return consent.State{}, err
	}
	return f.state(ctx, s)
}

func (f *Flow) standings(ctx context.Context, v *visitor, records []consent.Record, now time.Time, gpc bool) (StateAnswer, error) {
	out := StateAnswer{Version: max(v.device.Version, v.account.Version), Purposes: map[consent.Purpose]PurposeStanding{}, History: []HistoryEntry{}}
	for _, s := range []consent.State{v.device, v.account} {
		for p := range maps.Keys(s.Standings) {
			out.Purposes[p] = standingShown(v.said(p, now))
		}
	}
	for _, r := range records {
		out.History = append(out.History, entry(r))
	}
	slices.SortStableFunc(out.History, func(a, b HistoryEntry) int { return a.Time.Compare(b.Time) })
	out.Restricted = v.restricted()
	out.Objections = united(v.device.Objections, v.account.Objections)
	out.Suppressed = united(v.device.Suppressed, v.account.Suppressed)
	out.ConsentMode = f.consentMode(func(p consent.Purpose) bool { return v.usable(p, now) }, gpc)
	var err error
	out.Prompt, err = f.prompt(ctx, v, records, now)
	return out, err
}

// usable reports that a purpose is given, and that neither an objection nor a
// restriction nor the suppression list speaks against it.
func (v *visitor) usable(p consent.Purpose, now time.Time) bool {
	return v.said(p, now).Status.Valid() && !v.rests(p)
}

// united is what either list says, in order, each once.
func united(a, b []string) []string {
	out := slices.Concat([]string{}, a, b)
	slices.Sort(out)
	return slices.Compact(out)
}

// said is where a purpose stands for whom the call names: one side alone by its
// own records, as its receipts said; both sides together by CON-14.
func (v *visitor) said(p consent.Purpose, now time.Time) consent.Standing {
	switch {
	case v.account.Subject.IsZero():
		return v.device.At(p, now)
	case !v.named:
		return v.account.At(p, now)
	}
	return v.standing(p, now)
}

func entry(r consent.Record) HistoryEntry {
	e := HistoryEntry{
		RecordID: r.RecordID, Version: r.Version, Scope: r.Scope, Time: r.Event.Time, Method: r.Event.Method, Notice: r.Notice, UI: r.UI,
		Purposes: map[consent.Purpose]consent.Status{}, Rules: r.Rules,
	}
	for _, c := range r.Purposes {
		e.Purposes[c.Purpose] = c.Status
	}
	return e
}

// ConsentProof gives a record's inclusion proof. Whoever holds the record id may
// read it: the id has 74 random bits, is told to the visitor alone, and the proof
// names nobody but the pseudonym (docs/decisions/0006).
func (f *Flow) ConsentProof(ctx context.Context, recordID string, _ Caller) (ProofAnswer, error) {
	p, err := f.host.Proof(ctx, recordID)
	switch {
	case errors.Is(err, ErrMoved):
		return ProofAnswer{Pending: true, RecordID: recordID, Status: "pending"}, nil
	case err != nil:
		return ProofAnswer{}, found("record_id", "record_unknown", err)
	}
	return ProofAnswer{RecordID: recordID, Status: "covered", Proof: &p}, nil
}
