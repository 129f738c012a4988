package flow

import (
	"context"

	"github.com/handschlag/handschlag/config"
)

// Desk is where a hand-over goes.
type Desk interface {
	// Send hands a contact to the people who answer it and gives the visitor's
	// link. Flow calls it once per contact; after a crash it may call again with
	// the same contact id, and a desk must treat that as the same hand-over.
	Send(ctx context.Context, c Contact) (joinURL string, err error)
}

// HandoverCall is the visitor's click on an offer.
type HandoverCall struct {
	Token    string `json:"token"`
	Channel  string `json:"channel"`
	Question string `json:"question,omitempty"` // the visitor's own words, at most 2,000 characters
}

// HandoverAnswer is where the visitor meets the human (201).
type HandoverAnswer struct {
	ContactID  string         `json:"contact_id"`
	JoinURL    string         `json:"join_url"`
	DecisionID string         `json:"decision_id"`
	Speaker    string         `json:"speaker"` // human
	Contact    config.Contact `json:"contact"`
}
