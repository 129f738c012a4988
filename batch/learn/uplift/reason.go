package uplift

import "github.com/handschlag/handschlag/decide"

// Reason says in a word why a verdict is as it is.
type Reason string

// The reasons.
const (
	TooFew     Reason = "too_few"      // rows or outcomes, on one side
	RatioOff   Reason = "sample_ratio" // offers were made more or less often than logged
	NoneSeen   Reason = "no_effect"    // neither an average effect nor a ranking is seen
	SameForAll Reason = "same_for_all" // an average effect is seen, no ranking
	Differs    Reason = "differs"      // the effect differs, and the ranking finds where
	NoGain     Reason = "no_gain"      // an effect is known, but nobody's gain is surely above 0
)

var words = map[Reason]decide.Said{
	TooFew:     {De: "Wir wissen es nicht: zu wenige Angebote, Vergleichsfälle oder Bestellungen.", En: "We don't know: too few offers, held-out cases or orders."},
	RatioOff:   {De: "Wir wissen es nicht: Angebote wurden häufiger oder seltener gemacht als protokolliert.", En: "We don't know: offers were made more or less often than logged."},
	NoneSeen:   {De: "Wir wissen es nicht: Die Daten zeigen keine Wirkung.", En: "We don't know: the data show no effect."},
	SameForAll: {De: "Angebote wirken, und soweit zu sehen bei allen gleich.", En: "Offers have an effect, the same for everybody as far as can be seen."},
	Differs:    {De: "Angebote helfen den einen mehr als den anderen, und es ist zu sehen, wem.", En: "Offers help some more than others, and the data show whom."},
	NoGain:     {De: "Angebote wirken, aber bei niemandem bleibt nach Kosten und Retouren sicher etwas übrig.", En: "Offers have an effect, but nobody's gain is surely above costs and returns."},
}

// Said is the reason as a sentence.
func (r Reason) Said() decide.Said { return words[r] }
