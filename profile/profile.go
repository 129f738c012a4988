package profile

import (
	"time"

	"github.com/handschlag/handschlag/consent"
)

// Purposes are those that may have a section.
var Purposes = []consent.Purpose{consent.Analytics, consent.PersonalisationContent, consent.AdviserAssist}

// Profile is one subject's item. The zero Profile knows nothing.
type Profile struct {
	Subject  consent.Subject             `json:"subject"`
	Recent   []Seen                      `json:"recent,omitempty"` // at most 1,000, of the last 24 hours, oldest first
	Sections map[consent.Purpose]Section `json:"sections,omitempty"`
}

// Seen is a message that was already taken in.
type Seen struct {
	Key  [16]byte `json:"k"`
	AtMS int64    `json:"t"` // received, Unix milliseconds
}

// Limits of the duplicate window (design.md, 8).
const (
	RecentFor = 24 * time.Hour
	RecentMax = 1000
)

// Has reports whether a message was taken in within the window.
func (p Profile) Has(key [16]byte) bool {
	for i := len(p.Recent) - 1; i >= 0; i-- {
		if p.Recent[i].Key == key {
			return true
		}
	}
	return false
}

// Membership is what the night published about a subject: valid until it expires
// (BAT-08), used only in the name of its purpose.
type Membership struct {
	Segments  []string        `json:"segments"`
	ValueTier int             `json:"value_tier"` // 0 (unknown) to 5
	Purpose   consent.Purpose `json:"purpose"`    // the consent it rests on
	AsOf      time.Time       `json:"as_of"`
	Until     time.Time       `json:"until"`
}
