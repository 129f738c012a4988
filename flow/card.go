package flow

import (
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/policy"
)

// CardAnswer is what an adviser may see of a contact. Every block is there: one
// that must not be shown says why, and how to ask for it (R22, R23).
type CardAnswer struct {
	DecisionID string               `json:"decision_id"`
	ContactID  string               `json:"contact_id"`
	Channel    string               `json:"channel"`
	OpenedAt   time.Time            `json:"opened_at"`
	Page       PageRef              `json:"page"`
	JoinURL    string               `json:"join_url"`
	Blocks     map[string]CardBlock `json:"blocks"` // orders cart searches products question
}

// CardBlock is one block of a card.
type CardBlock struct {
	Shown   bool            `json:"shown"`
	Data    any             `json:"data,omitempty"`
	Reasons []policy.Reason `json:"reasons,omitempty"` // why it is hidden
	Ask     *CardAsk        `json:"ask,omitempty"`     // how to ask the visitor for it
}

// CardAsk is what the adviser may ask the visitor to allow, in words.
type CardAsk struct {
	Purpose consent.Purpose `json:"purpose"`
	De      string          `json:"de"`
	En      string          `json:"en"`
}
