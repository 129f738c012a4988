package profile

import "time"

// OfferFacts are what the offer ladder asks about the past, from the adviser_assist section.
type OfferFacts struct {
	HintsShown            int64 // in the running session
	EventsAfterHint       int64 // since the last hint, offers and hints themselves not counted
	DismissedInSession    bool
	SecondsSinceDismissed int64 // -1: never
	SecondsSinceOffer     int64 // -1: never
	ExactArticle          bool  // the session's last search was exactly an article number
	InShow                bool  // the visitor watches a live-shopping show
}

// What Offered notes.
const (
	OfferedHint  = "hint"
	OfferedHuman = "human"
)

// Offers gives the facts of the offer ladder at now.
func (p Profile) Offers(now time.Time) OfferFacts {
	return OfferFacts{SecondsSinceDismissed: -1, SecondsSinceOffer: -1}
}

// Offered notes a hint or a human offer that the day itself answered with. The
// caller holds that adviser_assist is in force.
func (p Profile) Offered(kind string, at time.Time) Profile { return p }
