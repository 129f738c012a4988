package profile

import (
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/event"
)

// Apply takes admitted events in, in the order given.
func (p Profile) Apply(events []event.Event) Profile { return p }

// Features gives the purpose's features at now, by catalogue name; nil without a section.
func (p Profile) Features(purpose consent.Purpose, now time.Time) map[string]int64 { return nil }
