package profile

import (
	"slices"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/event"
)

// Apply takes admitted events in, in the order given: one batch or one by one is
// the same. Each event enters the sections of the purposes that admitted it, with
// the fields kept for that purpose, and no other. An event whose key is in the
// recent window, or of another subject, changes nothing. The profile that Apply
// was called on stays as it was.
func (p Profile) Apply(events []event.Event) Profile {
	if len(events) == 0 {
		return p
	}
	p.Recent = append(make([]Seen, 0, len(p.Recent)+len(events)), p.Recent...)
	open := sections{from: p.Sections}
	for _, e := range events {
		if p.Subject.IsZero() {
			p.Subject = e.Subject
		}
		if e.Subject == p.Subject && !p.Has(e.MessageKey) {
			p.saw(Seen{Key: e.MessageKey, AtMS: e.ReceivedAt.UnixMilli()})
			open.take(e)
		}
	}
	p.Sections = open.close()
	return p
}

// saw remembers a message and lets go of those outside the window.
func (p *Profile) saw(s Seen) {
	p.Recent = append(p.Recent, s)
	gone := max(0, len(p.Recent)-RecentMax)
	for gone < len(p.Recent) && p.Recent[gone].AtMS <= s.AtMS-RecentFor.Milliseconds() {
		gone++
	}
	p.Recent = p.Recent[gone:]
}

// sections copies a section when it is first written to, so that Apply leaves
// its receiver alone and copies nothing twice.
type sections struct {
	from map[consent.Purpose]Section
	open [3]Section // as Purposes
	used [3]bool
}

func (s *sections) take(e event.Event) {
	for _, g := range e.Grants() {
		i := slices.Index(Purposes, g.Purpose)
		if i < 0 {
			continue
		}
		if !s.used[i] {
			s.open[i], s.used[i] = s.from[g.Purpose].clone(), true
		}
		f, _ := e.For(g.Purpose)
		s.open[i].take(step{
			kind: e.Kind, at: e.OccurredAt.UnixMilli(), keep: g.Keep, f: &f, families: familiesOf[i],
		})
	}
}

func (s *sections) close() map[consent.Purpose]Section {
	if s.used == [3]bool{} {
		return s.from
	}
	out := make(map[consent.Purpose]Section, len(Purposes))
	for i, p := range Purposes {
		if s.used[i] {
			out[p] = s.open[i]
		} else if section, has := s.from[p]; has {
			out[p] = section
		}
	}
	return out
}

// step is one event as a section sees it.
type step struct {
	kind     event.Kind
	at       int64 // occurred; within the session never before the event taken before
	keep     event.FieldSet
	f        *event.Fields
	families families
}

func (e step) time() time.Time { return time.UnixMilli(e.at).UTC() }

// take folds one event into the section. An event that arrives after a later one
// counts at the later one's time; one that ended half an hour or more before the
// running session began changes no session feature (the night counts it in).
func (s *Section) take(e step) {
	if e.families.has(forOffers) {
		s.Trail.take(e)
	}
	if s.Session.Events > 0 && e.at <= s.Session.StartMS-SessionIdle.Milliseconds() {
		return
	}
	if s.Session.Events == 0 || e.at-s.Session.LastMS >= SessionIdle.Milliseconds() {
		s.begin(e.at)
	}
	s.Session.StartMS = min(s.Session.StartMS, e.at)
	e.at = max(e.at, s.Session.LastMS)
	pair := s.Session.take(e)
	if e.families.has(forBasket) && e.kind == event.OrderCompleted {
		for i := range s.Past {
			s.Past[i].Left = 0
		}
	}
	if e.families.has(forOffers) {
		s.Offers.take(e)
		s.Trail.compared(pair)
	}
}

// begin starts a session and puts the one before it to the past.
func (s *Section) begin(at int64) {
	s.Past = pastOf(s.Past, s.Session, at)
	s.Session = Session{StartMS: at, LastMS: at, Queries: s.Session.Queries[:0], Products: s.Session.Products[:0]}
	s.Offers.begin(at)
}

// pastOf is the past once a session has ended, as seen at a moment.
func pastOf(past []Past, ended Session, at int64) []Past {
	if ended.Events > 0 {
		past = append(past, Past{
			StartMS: ended.StartMS, EndMS: ended.LastMS, Events: ended.Events, Views: ended.Views,
			Searches: ended.Searches, Left: ended.Units, Orders: ended.Orders,
		})
	}
	past = past[max(0, len(past)-PastMax):]
	for len(past) > 0 && past[0].EndMS <= at-PastFor.Milliseconds() {
		past = past[1:]
	}
	return past
}
