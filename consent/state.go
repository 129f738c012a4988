package consent

import (
	"maps"
	"time"
)

// Standing is where a purpose stands after the last record that spoke of it.
type Standing struct {
	Status   Status    `json:"status"`
	Since    time.Time `json:"since"`  // start of the current uninterrupted status
	Until    time.Time `json:"until"`  // a grant's end, exclusive; zero for a no
	RecordID string    `json:"record"` // the record to prove it with (CON-08)
	Explicit bool      `json:"explicit"`
}

// State is what a subject's records say together: a fold, latest wins. The zero
// State refuses everything.
type State struct {
	Subject    Subject              `json:"subject"`
	Version    uint64               `json:"version"` // of the last record; 0 = no record
	Standings  map[Purpose]Standing `json:"standings,omitempty"`
	Restricted bool                 `json:"restricted,omitempty"` // Art. 18 (RGT-07)
	AgeBand    string               `json:"age_band,omitempty"`   // "" (unknown) | u16 | 16_17 | adult
	Objections []string             `json:"objections,omitempty"` // Art. 21 scopes, kept apart from consent
}

// Apply folds one more record in. Records must come in version order.
//
// A yes on top of a yes keeps Since (the grant is uninterrupted) and moves Until;
// a yes after anything else starts a new grant, so what happened before it is
// not covered (BAT-01, BAT-02).
func (s State) Apply(r Record) State {
	s.Subject, s.Version = r.Subject, r.Version
	next := maps.Clone(s.Standings)
	if next == nil {
		next = make(map[Purpose]Standing, len(r.Purposes))
	}
	for _, c := range r.Purposes {
		next[c.Purpose] = next[c.Purpose].then(c, r)
	}
	s.Standings = next
	return s
}

func (was Standing) then(c Choice, r Record) Standing {
	now := r.Event.Time
	is := Standing{Status: c.Status, Since: now, RecordID: r.RecordID, Explicit: c.Explicit}
	if !c.Status.Valid() {
		if was.Status == c.Status {
			is.Since = was.Since
		}
		if c.Status == Refused && was.at(now).Status.Valid() {
			is.Status = Withdrawn
		} else if c.Status == Refused && was.Status == Withdrawn {
			is.Status, is.Since = Withdrawn, was.Since
		}
		return is
	}
	is.Until = r.Validity.Until
	if was.at(now).Status.Valid() {
		is.Since, is.Status = was.Since, Renewed
	}
	return is
}

// at applies expiry: a grant holds up to, not including, Until.
func (was Standing) at(t time.Time) Standing {
	if was.Status == "" {
		was.Status = Unknown
	}
	if was.Status.Valid() && !t.Before(was.Until) {
		was.Status = Expired
	}
	return was
}

// At is where a purpose stands at a moment not before the last record.
func (s State) At(p Purpose, now time.Time) Standing { return s.Standings[p].at(now) }

// Fold reads a subject's records in version order.
func Fold(records []Record) State {
	var s State
	for _, r := range records {
		s = s.Apply(r)
	}
	return s
}

// AsOf is the state at any moment t: the fold of the records up to and including t.
// Expiry is applied by At.
func AsOf(records []Record, t time.Time) State {
	var s State
	for _, r := range records {
		if r.Event.Time.After(t) {
			break
		}
		s = s.Apply(r)
	}
	return s
}
