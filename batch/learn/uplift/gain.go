package uplift

// Terms are what an order is worth and what an offer costs, in cents. Zero terms mean
// that outcomes are net cents already, so that an effect is a gain.
type Terms struct {
	MarginCents  int64 `json:"margin_cents"`  // of an order, before returns
	ReturnsCents int64 `json:"returns_cents"` // expected to be lost to returns, per order
	AdviserCents int64 `json:"adviser_cents"` // per offer made
}

// Gain is what an offer is expected to bring in cents: above 0, make it. effect is the
// change of the outcome by the offer, such as .02 orders.
func Gain(effect float64, marginCents, returnsCents, adviserCents int64) float64 {
	return effect*float64(marginCents-returnsCents) - float64(adviserCents)
}

// Gain is what an offer with that effect is expected to bring in cents.
func (t Terms) Gain(effect float64) float64 {
	if t == (Terms{}) {
		return effect
	}
	return Gain(effect, t.MarginCents, t.ReturnsCents, t.AdviserCents)
}

// Net is the outcome of a row in cents: what orders earned, less what came back later,
// less what the adviser cost. A return that arrives late is counted in the next night.
func Net(marginCents, returnsCents, adviserCents int64) float64 {
	return float64(marginCents - returnsCents - adviserCents)
}
