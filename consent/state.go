package consent

import (
	"cmp"
	"maps"
	"time"
)

// Standing is where a purpose stands after the last record that spoke of it.
type Standing struct {
	Status   Status    `json:"status"`
	Since    time.Time `json:"since"`  // start of the current uninterrupted grant or refusal
	Until    time.Time `json:"until"`  // a grant's end, exclusive; zero for a no
	RecordID string    `json:"record"` // the record to prove it with (CON-08)
	Explicit bool      `json:"explicit"`
	Lifts    bool      `json:"lifts,omitempty"`    // a yes against a browser signal that the visitor was told of (SIG-04)
	Grounds  []Ground  `json:"grounds,omitempty"`  // of a grant, oldest first: where it was given and renewed
	Proof    *Proof    `json:"proof,omitempty"`    // of a grant: the last that came with it
	Parental bool      `json:"parental,omitempty"` // of a grant: those who bear parental responsibility agreed
}

// State is what a subject's records say together: a fold, latest wins. The zero
// State refuses everything.
type State struct {
	Subject    Subject              `json:"subject"`
	Version    uint64               `json:"version"` // of the last record or list entry; 0 = none
	Standings  map[Purpose]Standing `json:"standings,omitempty"`
	Restricted bool                 `json:"restricted,omitempty"` // Art. 18 (RGT-07)
	AgeBand    string               `json:"age_band,omitempty"`   // "" (unknown) | u16 | 16_17 | adult
	Objections []string             `json:"objections,omitempty"` // Art. 21 scopes, kept apart from consent (Note)
	Suppressed []string             `json:"suppressed,omitempty"` // channels on the suppression list (EXP-03)
}

// Apply folds one more record in. Records must come in version order.
//
// A yes on top of a yes keeps Since (the grant is uninterrupted) and moves Until;
// a yes after anything else starts a new grant, so what happened before it is
// not covered (BAT-01, BAT-02).
func (s State) Apply(r Record) State {
	s.Subject, s.Version, s.Objections = r.Subject, r.Version, s.lifted(r)
	next := maps.Clone(s.Standings)
	if next == nil {
		next = make(map[Purpose]Standing, len(r.Purposes))
	}
	if r.Signals.DNT { // SIG-03: an objection to tracking on legitimate interest, by automated means
		s.Objections = with(s.Objections, Tracking)
	}
	for _, c := range r.Purposes {
		next[c.Purpose] = next[c.Purpose].then(c, r)
	}
	s.Standings, s.AgeBand = next, cmp.Or(r.AgeBand, s.AgeBand)
	return s
}

// then is the standing after one more choice.
func (was Standing) then(c Choice, r Record) Standing {
	now := r.Event.Time
	before := was.at(now, c.Purpose)
	is := Standing{Status: c.Status, Since: now, RecordID: r.RecordID, Explicit: c.Explicit, Lifts: c.Status.Valid() && r.lifts()}
	switch {
	case c.Status.Valid():
		is.Until = r.Validity.Until
		if r.Validity.From.After(now) {
			is.Since = r.Validity.From
		}
		is.Grounds, is.Proof, is.Parental = grounded(nil, r, is.Since), r.Proof, r.Parental != nil
		// Explicit consent does not reach back to what was merely consented to.
		if before.Status.Valid() && (before.Explicit || !c.Purpose.Special() || !c.Explicit) {
			is.Since, is.Status, is.Grounds = before.Since, Renewed, grounded(before.Grounds, r, now)
			is.Proof, is.Parental = cmp.Or(r.Proof, before.Proof), is.Parental || before.Parental
		}
	case c.Status == Refused && before.Status.Valid(): // a no to what was a yes takes it back
		is.Status = Withdrawn
	case c.Status == Refused && before.Status == Withdrawn:
		is.Status, is.Since = Withdrawn, before.Since
	case c.Status == before.Status:
		is.Since = before.Since
	}
	return is
}

// at applies time: a grant holds from Since up to, not including, Until.
func (was Standing) at(t time.Time, p Purpose) Standing {
	switch {
	case !p.Known(), was.Status == "":
		return Standing{Status: Unknown}
	case !was.Status.Valid():
	case t.Before(was.Since):
		was.Status = Unknown
	case !t.Before(was.Until):
		was.Status = Expired
	}
	return was
}

// At is where a purpose stands at a moment not before the last record.
func (s State) At(p Purpose, now time.Time) Standing { return s.Standings[p].at(now, p) }

// Usable reports that a purpose is given now, and that neither an objection nor a
// restriction nor the suppression list speaks against it (SIG-04).
func (s State) Usable(p Purpose, now time.Time) bool {
	return s.At(p, now).Status.Valid() && !s.Restricted && !s.Objected(p) && !s.SuppressedFor(p)
}

// lifts reports that a record's yeses were chosen one by one, after the visitor was
// told that the browser says no. Only such a yes outranks the browser (SIG-04).
func (r Record) lifts() bool {
	return r.Conflict && (r.Event.Method == "save" || r.Event.Method == "individual_notice")
}

// Broken are the purposes whose grant a record ended, or began anew after it had
// run out: what was kept under the grant before rests on nothing now (BAT-01,
// BAT-03). was and next are the states before and after the record.
func Broken(was, next State, r Record) (out []Purpose) {
	for _, c := range r.Purposes {
		a, b := was.Standings[c.Purpose], next.Standings[c.Purpose]
		if a.Status.Valid() && (!b.Status.Valid() || b.Since.After(a.Since)) {
			out = append(out, c.Purpose)
		}
	}
	return out
}

// TookBack reports whether a record ends or restarts a grant, so that rows kept
// under it must go from what the night keeps (BAT-01, BAT-03).
func TookBack(was, next State, r Record) bool {
	for _, c := range r.Purposes {
		a, b := was.Standings[c.Purpose], next.Standings[c.Purpose]
		if a.Status != "" && (!b.Status.Valid() || b.Since.After(a.Since)) {
			return true
		}
	}
	return false
}

// GrantUntil is when a grant of so many calendar months ends (CON-12, Reg.
// 1182/71): the same day and time of day in loc, or the month's last day if it
// has no such day.
func GrantUntil(from time.Time, months int, loc *time.Location) time.Time {
	from = from.In(loc)
	until := from.AddDate(0, months, 0)
	if until.Day() != from.Day() { // AddDate ran over into the next month
		until = until.AddDate(0, 0, -until.Day())
	}
	return until.UTC()
}

// Fold reads a subject's records in version order.
func Fold(records []Record) State {
	var s State
	for _, r := range records {
		s = s.Apply(r)
	}
	return s
}

// AsOf is the state at any moment t: the fold of the records up to and including t.
// Expiry is applied by At. Record times must not run backwards.
func AsOf(records []Record, t time.Time) State {
	n := 0
	for n < len(records) && !records[n].Event.Time.After(t) {
		n++
	}
	return Fold(records[:n])
}
