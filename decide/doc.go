// Package decide owns the decision: the additive need scorecard, the keyed
// draws (hold-out, variant) with their propensities, and the decision record that
// can be replayed. Judgement (the offer ladder, eligibility) is package policy's.
//
// It is pure: no I/O, no clock, no randomness but keyed, replayable draws.
package decide
