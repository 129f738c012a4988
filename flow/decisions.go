package flow

import (
	"time"

	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/policy"
)

// DecisionAnswer is a decision record with its reasons in words.
type DecisionAnswer struct {
	Record  decide.Record   `json:"record"`
	Reasons []policy.Reason `json:"reasons"`
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
