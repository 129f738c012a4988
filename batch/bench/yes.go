package bench

import (
	"time"

	"github.com/handschlag/handschlag/consent"
)

// yes is what a subject agreed to beside personalisation: a bit for each of asked.
type yes uint8

const (
	toTraining yes = 1 << iota
	toTests
	toAdvice
	yeses // how many there are of them
)

// asked are the purposes that nights learn under, and the share of those who agreed to
// personalisation that agrees to each.
var asked = [...]struct {
	purpose consent.Purpose
	share   float64
}{{consent.ModelTraining, .4}, {consent.Experimentation, .4}, {consent.AdviserAssist, .5}}

// kept are the yeses of a subject on a day: of 25 subjects one takes each of them back,
// when two thirds of the days are over.
func (s *shop) kept(p *person, day int) yes {
	out := p.yes
	if i := p.no % 25; day >= s.regretDay() && i < uint64(len(asked)) {
		out &^= 1 << i
	}
	return out
}

func (s *shop) regretDay() int { return s.Days * 2 / 3 }

// The readings of consent: each snapshot's, and the second of the night over it.
const (
	readAfter  = time.Hour
	againAfter = 2 * time.Hour
	between    = 90 * time.Minute // after midnight some decide anew, between the two
)

// book is what the ledger knows of a subject at the moment that it is read.
type book struct {
	read time.Time
	consent.State
}

// say notes what was decided, unless it comes later than the reading. Who had decided
// about a purpose before has a later version.
func (b *book) say(status consent.Status, since time.Time, purpose consent.Purpose) {
	if since.After(b.read) {
		return
	}
	if _, before := b.Standings[purpose]; before {
		b.Version++
	}
	x := consent.Standing{Status: status, Since: since}
	if status.Valid() {
		x.Until = since.AddDate(1, 0, 0)
	}
	b.Standings[purpose] = x
}

// standing is where a subject stands when the ledger is read.
func (s *shop) standing(p *person) consent.State {
	start := s.first().AddDate(0, 0, -2)
	b := book{s.read, consent.State{Subject: p.subject, Version: 1, AgeBand: p.habit.age(), Standings: map[consent.Purpose]consent.Standing{}}}
	b.say(consent.Given, start, consent.Analytics)
	if p.habit != measured {
		s.sayContent(&b, p, start)
		for i, a := range asked {
			if p.yes>>i&1 == 1 {
				b.say(consent.Given, start, a.purpose)
			}
			if (p.yes&^s.kept(p, s.Days))>>i&1 == 1 {
				b.say(consent.Withdrawn, s.first().AddDate(0, 0, s.regretDay()), a.purpose)
			}
		}
		if p.no%997 == 6 && p.yes&toTraining != 0 {
			b.say(consent.Withdrawn, s.AsOf.Add(between), consent.ModelTraining)
		}
	}
	if p.no%5 < 2 {
		b.say(consent.Given, start, consent.MarketingEmail)
	}
	if p.no%4 == 0 {
		b.say(consent.Given, start, consent.AdsThirdParty)
	}
	return b.State
}

// sayContent says what a subject decided about personalisation.
func (s *shop) sayContent(b *book, p *person, start time.Time) {
	const content = consent.PersonalisationContent
	if p.habit == regranted {
		start = start.AddDate(0, 0, 2+s.Days/2)
	}
	b.say(consent.Given, start, content)
	switch {
	case p.habit == withdrew && p.no%45 == 0: // on the last day
		b.say(consent.Withdrawn, s.AsOf.Add(-3*time.Hour), content)
	case p.habit == withdrew && p.no%45 == 1: // while the night before ran
		b.say(consent.Withdrawn, s.AsOf.AddDate(0, 0, -1).Add(between), content)
	case p.habit == withdrew:
		b.say(consent.Withdrawn, s.AsOf.Add(-27*time.Hour), content)
	case p.habit == agreed && p.no%997 == 5: // while the night runs
		b.say(consent.Withdrawn, s.AsOf.Add(between), content)
	}
}
