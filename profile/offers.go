package profile

import (
	"maps"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/event"
)

// OfferFacts are what the offer ladder asks about the past, from the
// adviser_assist section. What is "in the session" is over 30 minutes after the
// last event or note.
type OfferFacts struct {
	HintsShown            int64 // in the running session
	EventsAfterHint       int64 // the visitor's acts since the last hint
	DismissedInSession    bool
	SecondsSinceDismissed int64 // -1: never
	SecondsSinceOffer     int64 // -1: never
	ExactArticle          bool  // the session's last search was exactly an article number
	InShow                bool  // the visitor watches a live-shopping show: the last page told is one
}

// What Offered notes.
const (
	OfferedHint  = "hint"
	OfferedHuman = "human"
)

// pageShow is the page type of a live-shopping show (R16).
const pageShow = "show"

// Offer is what the adviser_assist section remembers of hints and offers.
type Offer struct {
	Hints       int64 `json:"h,omitempty"` // in the session
	Unconfirmed int64 `json:"u,omitempty"` // of those, noted by the day and not yet seen as an event
	HintMS      int64 `json:"hm,omitempty"`
	After       int64 `json:"a,omitempty"`
	OfferMS     int64 `json:"om,omitempty"`
	Dismissed   int64 `json:"d,omitempty"` // in the session
	DismissedMS int64 `json:"dm,omitempty"`
	NoteMS      int64 `json:"n,omitempty"` // last Offered
	Show        bool  `json:"s,omitempty"`
}

// Offers gives the facts of the offer ladder at now; without an adviser_assist
// section, nothing was ever offered.
func (p Profile) Offers(now time.Time) OfferFacts {
	s, at := p.Sections[consent.AdviserAssist], now.UnixMilli()
	o := s.Offers
	facts := OfferFacts{SecondsSinceDismissed: since(o.DismissedMS, at), SecondsSinceOffer: since(o.OfferMS, at)}
	if o.running(s.Session, at) {
		facts.HintsShown, facts.EventsAfterHint, facts.DismissedInSession = o.Hints, o.After, o.Dismissed > 0
		facts.InShow = o.Show
	}
	facts.ExactArticle = s.Session.running(at) && s.Session.Exact
	return facts
}

// Offered notes a hint or a human offer that the day itself answered with, so
// that caps and the ladder bind before the browser reports it. The caller holds
// that adviser_assist is in force: the note makes a section if there is none.
// The browser's report of a hint so noted is not counted again.
func (p Profile) Offered(kind string, at time.Time) Profile {
	s, ms := p.Sections[consent.AdviserAssist], at.UnixMilli()
	if !s.Offers.running(s.Session, ms) {
		s.Offers = s.Offers.ended()
	}
	s.Offers.NoteMS = max(s.Offers.NoteMS, ms)
	switch kind {
	case OfferedHint:
		s.Offers.hint(ms)
		s.Offers.Unconfirmed++
	case OfferedHuman:
		s.Offers.OfferMS = max(s.Offers.OfferMS, ms)
	}
	p.Sections = maps.Clone(p.Sections)
	if p.Sections == nil {
		p.Sections = make(map[consent.Purpose]Section, 1)
	}
	p.Sections[consent.AdviserAssist] = s
	return p
}

func (o *Offer) hint(at int64) {
	o.Hints++
	o.After = 0
	o.HintMS = max(o.HintMS, at)
}

// take folds one event in.
func (o *Offer) take(e step) {
	if e.f.PageType != "" {
		o.Show = e.f.PageType == pageShow
	}
	switch e.kind {
	case event.HintShown:
		if o.Unconfirmed > 0 {
			o.Unconfirmed--
		} else {
			o.hint(e.at)
		}
	case event.AdviserOfferShown, event.AdviserOfferAccepted:
		o.OfferMS = max(o.OfferMS, e.at)
	case event.AdviserOfferDismissed:
		o.Dismissed++
		o.DismissedMS = max(o.DismissedMS, e.at)
	case event.Identify, event.Group, event.Alias, event.PromotionViewed, event.ExperimentViewed, event.ConsentPreferenceUpdated:
		// not an act of the visitor
	default:
		if o.Hints > 0 && e.at >= o.HintMS {
			o.After++
		}
	}
}

// begin starts a session: what was counted in the one before is over, unless a
// note shows that the visitor was here less than half an hour ago.
func (o *Offer) begin(at int64) {
	if o.NoteMS == 0 || at-o.NoteMS >= SessionIdle.Milliseconds() {
		*o = o.ended()
	}
}

// ended keeps what outlives a session: when something was last offered or closed.
func (o Offer) ended() Offer {
	return Offer{HintMS: o.HintMS, OfferMS: o.OfferMS, DismissedMS: o.DismissedMS, NoteMS: o.NoteMS}
}

func (o Offer) running(s Session, at int64) bool {
	return s.running(at) || o.NoteMS > 0 && at-o.NoteMS < SessionIdle.Milliseconds()
}

func (o Offer) fresh(old int64) Offer {
	if max(o.HintMS, o.OfferMS, o.DismissedMS, o.NoteMS) <= old {
		return Offer{}
	}
	return o
}

// since is whole seconds from then to now, -1 if there was no then.
func since(then, now int64) int64 {
	if then == 0 {
		return -1
	}
	return max(0, now-then) / 1000
}
