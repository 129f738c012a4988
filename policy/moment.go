package policy

import (
	"time"

	"github.com/handschlag/handschlag/consent"
)

// The tolerances of BAT-04, where the configuration names none.
const (
	lateAfter  = 7 * 24 * time.Hour
	aheadAfter = 5 * time.Minute
)

// Moment is when an event happened and reached us, and what outranks consent.
type Moment struct {
	Occurred, Received    time.Time
	LateAfter, AheadAfter time.Duration // 0: 7 days and 5 minutes (BAT-04)
	SwitchedOff           bool
	Restricted            bool
	Unlinked              bool
	Unregistered          bool // the purpose may not run (LAW-01)
}

// CaseStateOf folds a standing and the circumstances of an event into a state,
// the same way by day and by night. Precedence: switched off, unregistered,
// ahead, late, restricted, unlinked, then the status; a grant that began after the event
// happened is before_grant.
func CaseStateOf(s consent.Standing, m Moment) CaseState {
	switch { // Moments are compared, not subtracted: a distance ends at 292 years.
	case m.SwitchedOff:
		return StateSwitchedOff
	case m.Unregistered:
		return StateUnregistered
	case m.Occurred.After(m.Received.Add(or(m.AheadAfter, aheadAfter))):
		return StateAhead
	case m.Occurred.Before(m.Received.Add(-or(m.LateAfter, lateAfter))):
		return StateLate
	case m.Restricted:
		return StateRestricted
	case m.Unlinked:
		return StateUnlinked
	case s.Status.Valid() && m.Occurred.Before(s.Since):
		return StateBeforeGrant
	}
	switch s.Status {
	case consent.Given, consent.Renewed, consent.Refused, consent.Withdrawn, consent.Expired, consent.Invalidated, consent.Revoked:
		return CaseState(s.Status)
	}
	return StateUnknown
}

func or(d, otherwise time.Duration) time.Duration {
	if d == 0 {
		return otherwise
	}
	return d
}
