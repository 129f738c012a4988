package flow

import (
	"context"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/policy"
)

// DecisionAnswer is a decision record with its reasons in words.
type DecisionAnswer struct {
	DecisionID string          `json:"decision_id"`
	Record     decide.Record   `json:"record"`
	Reasons    []policy.Reason `json:"reasons"`
	Text       decide.Said     `json:"text"` // what it came to, in words (ADM-02)
}

// DecisionSearch narrows a search; empty fields do not. Ids travel in the body.
type DecisionSearch struct {
	Action      string    `json:"action,omitempty"`
	Subject     string    `json:"subject,omitempty"` // pseudonym
	AnonymousID string    `json:"anonymousId,omitempty"`
	UserID      string    `json:"userId,omitempty"`
	Rule        string    `json:"rule,omitempty"`
	From        time.Time `json:"from,omitzero"`
	To          time.Time `json:"to,omitzero"`
	Limit       int       `json:"limit,omitempty"`
	Cursor      string    `json:"cursor,omitempty"`
}

// DecisionsAnswer is one page of a search, newest first.
type DecisionsAnswer struct {
	Decisions []DecisionAnswer `json:"decisions"`
	Cursor    string           `json:"cursor,omitempty"` // "" at the end
}

// Decision explains one decision.
func (f *Flow) Decision(ctx context.Context, id string, c Caller) (DecisionAnswer, error) {
	if _, err := c.staff(RoleDPO, RoleOps); err != nil {
		return DecisionAnswer{}, err
	}
	r, err := f.host.Decision(ctx, id)
	if err != nil {
		return DecisionAnswer{}, found("decision_id", "decision_unknown", err)
	}
	return f.explained(r), nil
}

func (f *Flow) explained(r decide.Record) DecisionAnswer {
	said, err := r.Say()
	if err != nil { // no blank: somebody must look at it
		said = decide.Said{De: "Bitte wenden Sie sich an die oder den Datenschutzbeauftragten.", En: "Please ask the data protection officer."}
	}
	return DecisionAnswer{DecisionID: r.ID, Record: r, Reasons: f.words(entryOf[r.Action], r.Rules), Text: said}
}

// words gives rules in words as one question of the policy has them; "" is any.
// The list is never nil.
func (f *Flow) words(entry policy.Entry, rules []string) []policy.Reason {
	var out []policy.Reason
	if entry == "" {
		out = f.rules.Reasons(rules)
	} else {
		out = f.rules.ReasonsIn(entry, rules)
	}
	return append([]policy.Reason{}, out...)
}

// entryOf says which rules a kind of decision was judged by: the same rule id
// may have other words elsewhere.
var entryOf = map[string]policy.Entry{
	decide.ActionEscalate: policy.EntryEscalate, decide.ActionHandover: policy.EntryHandover, decide.ActionVariant: policy.EntryPersonalise,
	decide.ActionPrice: policy.EntryPricing, decide.ActionMove: policy.EntryMoves, decide.ActionCard: policy.EntryCard, decide.ActionExport: policy.EntryExport,
	decide.ActionConduct: policy.EntryConduct,
}

// SearchDecisions finds decisions. An identifier without a pseudonym has none.
func (f *Flow) SearchDecisions(ctx context.Context, q DecisionSearch, c Caller) (DecisionsAnswer, error) {
	if _, err := c.staff(RoleDPO, RoleOps); err != nil {
		return DecisionsAnswer{}, err
	}
	if q.Limit < 0 || q.Limit > 500 {
		return DecisionsAnswer{}, invalid("limit", "want 1 to 500")
	}
	cursor, ok := f.keys.ours(q.Cursor)
	if !ok {
		return DecisionsAnswer{}, invalid("cursor", "want the one of the page before")
	}
	s, named, err := f.searched(ctx, q)
	if err != nil {
		return DecisionsAnswer{}, err
	}
	a := DecisionsAnswer{Decisions: []DecisionAnswer{}}
	if named && s.IsZero() {
		return a, nil
	}
	rs, next, err := f.host.SearchDecisions(ctx, DecisionQuery{
		Action: q.Action, Subject: s, Rule: q.Rule, From: q.From, To: q.To, Limit: q.Limit, Cursor: cursor,
	})
	if err != nil {
		return a, unavailable("searching decisions", err)
	}
	a.Cursor = f.keys.signed(next)
	for _, r := range rs {
		a.Decisions = append(a.Decisions, f.explained(r))
	}
	return a, nil
}

// searched gives the subject that a search names, if it names one.
func (f *Flow) searched(ctx context.Context, q DecisionSearch) (s consent.Subject, named bool, err error) {
	var id consent.ID
	switch {
	case q.Subject != "":
		if s, err = consent.ParseSubject(q.Subject); err != nil {
			return s, true, invalid("subject", "want 32 hex digits")
		}
		return s, true, nil
	case q.AnonymousID != "":
		id, err = device(q.AnonymousID)
	case q.UserID != "":
		if id, err = consent.NewID(consent.Account, q.UserID); err != nil {
			err = invalid("userId", "%v", err)
		}
	default:
		return s, false, nil
	}
	if err != nil {
		return s, true, err
	}
	s, err = f.find(ctx, id)
	return s, true, err
}
