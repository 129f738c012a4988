package flow

import "time"

// StatsCall chooses a period; the zero call is the last 24 hours.
type StatsCall struct {
	From time.Time `json:"from,omitzero"`
	To   time.Time `json:"to,omitzero"`
}

// StatsAnswer holds live counts. Hours are whole.
type StatsAnswer struct {
	From     time.Time        `json:"from"`
	To       time.Time        `json:"to"`
	Events   map[string]int64 `json:"events"` // admitted, duplicate, refused/RULE, invalid/CODE
	Variants []VariantStats   `json:"variants"`
	Offers   OfferStats       `json:"offers"`
	Ratios   []SampleRatio    `json:"sample_ratios"`
}

// VariantStats counts one variant of a slot.
type VariantStats struct {
	Slot     string           `json:"slot"`
	Variant  string           `json:"variant"`
	Assigned int64            `json:"assigned"`
	Outcomes map[string]int64 `json:"outcomes"` // admitted events that name the variant, by kind
}

// OfferStats counts offers and what came of them.
type OfferStats struct {
	Decided  map[string]int64 `json:"decided"`  // none hint human held_out asked
	Events   map[string]int64 `json:"events"`   // shown dismissed accepted
	Contacts map[string]int64 `json:"contacts"` // opened, by channel
	Outcomes map[string]int64 `json:"outcomes"` // helped not_needed sold follow_up
}

// SampleRatio compares a slot's assignments with what the weights promised.
type SampleRatio struct {
	Slot   string  `json:"slot"`
	N      int64   `json:"n"` // independent assignments compared
	ChiSq  float64 `json:"chi_square"`
	Degree int     `json:"degrees_of_freedom"`
	P      float64 `json:"p"`
	Alarm  bool    `json:"alarm"` // p < 0.001
}
