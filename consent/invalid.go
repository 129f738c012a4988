package consent

import (
	"maps"
	"slices"
	"time"
)

// Ground is what a grant rests on from a moment on: the control it was given on
// and the notice that was shown with it.
type Ground struct {
	UI     string    `json:"ui"`
	Notice string    `json:"notice"`
	From   time.Time `json:"from"`
}

// Invalidations are controls whose consents stopped counting, by version (CON-06).
type Invalidations map[string]time.Time

// In is the state as it stands at a moment, with what rests on an invalidated
// control taken out. A grant that was renewed on a sound control goes on from that
// renewal: what happened before rested on nothing (T15).
func (inv Invalidations) In(s State, now time.Time) State {
	if len(inv) == 0 {
		return s
	}
	cloned := false
	for p, was := range s.Standings {
		is := inv.standing(was, now)
		if is.Status == was.Status && is.Since.Equal(was.Since) {
			continue
		}
		if !cloned {
			s.Standings, cloned = maps.Clone(s.Standings), true
		}
		s.Standings[p] = is
	}
	return s
}

// Broken are the purposes whose grant a record ended, as the function Broken, and
// those whose yes before it rested on an invalidated control.
func (inv Invalidations) Broken(was, next State, r Record) []Purpose {
	out, is := Broken(was, next, r), inv.In(was, r.Event.Time)
	for _, c := range r.Purposes {
		if was.Standings[c.Purpose].Status.Valid() && !is.Standings[c.Purpose].Status.Valid() {
			out = append(out, c.Purpose)
		}
	}
	return out
}

func (inv Invalidations) standing(s Standing, now time.Time) Standing {
	if !s.Status.Valid() {
		return s
	}
	last := len(s.Grounds) - 1
	for last >= 0 && !inv.fell(s.Grounds[last].UI, now) {
		last--
	}
	switch {
	case last < 0:
	case last == len(s.Grounds)-1:
		s.Status, s.Since = Invalidated, inv[s.Grounds[last].UI]
	default:
		s.Since = s.Grounds[last+1].From
	}
	return s
}

func (inv Invalidations) fell(ui string, now time.Time) bool {
	from, named := inv[ui]
	return named && !now.Before(from)
}

// grounded adds the control and notice of one more yes to those of a grant that
// goes on; what did not change is not told twice.
func grounded(before []Ground, r Record, from time.Time) []Ground {
	if n := len(before); n > 0 && before[n-1].UI == r.UI.Version && before[n-1].Notice == r.Notice.Version {
		return before
	}
	return append(slices.Clip(before), Ground{UI: r.UI.Version, Notice: r.Notice.Version, From: from})
}

// Notice is the version of the notice that a grant rests on now, "" if it is none.
func (was Standing) Notice() string {
	if n := len(was.Grounds); n > 0 && was.Status.Valid() {
		return was.Grounds[n-1].Notice
	}
	return ""
}
