package flow

import "github.com/handschlag/handschlag/consent"

// The outcomes of an item.
const (
	Admitted  = "admitted"
	Refused   = "refused"
	Invalid   = "invalid"
	Duplicate = "duplicate"
)

// IngestAnswer says what became of each item of a batch, in the batch's order.
type IngestAnswer struct {
	Success   bool     `json:"success"`
	Admitted  int      `json:"admitted"`
	Refused   int      `json:"refused"`
	Invalid   int      `json:"invalid"`
	Duplicate int      `json:"duplicate"`
	Results   []Result `json:"results"`
}

// Result is what became of one item.
type Result struct {
	MessageID string            `json:"messageId"`
	Outcome   string            `json:"outcome"` // admitted | refused | invalid | duplicate
	Purposes  []consent.Purpose `json:"purposes,omitempty"`
	Rules     []string          `json:"rules,omitempty"`
	Code      string            `json:"code,omitempty"`
	Detail    string            `json:"detail,omitempty"`
}
