package flow

import (
	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/policy"
)

// VariantCall asks which content to show in a slot.
type VariantCall struct {
	AnonymousID string `json:"anonymousId,omitempty"`
	UserID      string `json:"userId,omitempty"`
	Slot        string `json:"slot"`
	Locale      string `json:"locale,omitempty"`
}

// VariantAnswer names one variant.
type VariantAnswer struct {
	DecisionID string          `json:"decision_id"`
	Variant    string          `json:"variant"`
	Locale     string          `json:"locale,omitempty"` // of the content, if another than asked for
	Reasons    []policy.Reason `json:"reasons,omitempty"`
	Speaker    string          `json:"speaker"`
	Contact    config.Contact  `json:"contact"`
}
