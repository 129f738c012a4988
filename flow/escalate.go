package flow

import (
	"time"

	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/policy"
)

// The speakers.
const (
	SpeakerHuman   = "human"
	SpeakerMachine = "machine"
)

// EscalateCall asks whether to offer help now. Asked means that the visitor
// asks for a human; that needs no consent, no score and no identifier.
type EscalateCall struct {
	AnonymousID string  `json:"anonymousId,omitempty"`
	UserID      string  `json:"userId,omitempty"`
	Page        PageRef `json:"page,omitzero"`
	Asked       bool    `json:"asked,omitempty"`
}

// EscalateAnswer is the offer. Scores stay in the decision record.
type EscalateAnswer struct {
	DecisionID string          `json:"decision_id"`
	Offer      string          `json:"offer"`          // none | hint | human
	Hint       string          `json:"hint,omitempty"` // filter | size_guide | search_help
	Channels   []string        `json:"channels,omitempty"`
	Token      string          `json:"token,omitempty"`
	ExpiresAt  *time.Time      `json:"expires_at,omitempty"`
	Speaker    string          `json:"speaker"` // who speaks now: the machine
	Reasons    []policy.Reason `json:"reasons"`
	Contact    config.Contact  `json:"contact"`
}
