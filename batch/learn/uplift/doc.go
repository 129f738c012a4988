// Package uplift owns what an offer changes, and for whom: it learns from logged
// offers with a random hold-out, ranks by expected effect, and says "don't know" where
// the data show nothing.
//
// Every offer was drawn with a known probability, the propensity, so each row has a
// score whose mean is the effect of offering and that no wrong model of the outcome can
// bias: the augmented inverse propensity score (Robins, Rotnitzky, Zhao, JASA 1994)
//
//	ψ = (W − p) / (p(1 − p)) · (Y − m(x))
//
// with treatment W, propensity p, outcome Y and m(x) the outcome expected of such rows,
// learned on other rows (cross-fitted; Chernozhukov et al., Econometrics Journal 2018). m
// only takes away noise; with p known it may be any function of x. ψ judges: the average
// effect, and every ranking.
//
// Who is helped more is learned by two models of Y − m(x), one of the offered and one of
// the held-out rows: their difference is the effect at x (the T-learner of Künzel et al.,
// PNAS 2019, on residuals, so that unequal sides are not taken for an effect). They are
// boosted shallow trees over binned features. Trees of depth one make an additive model,
// readable as a scorecard; deeper ones find features that act together, and still tell
// their reasons.
//
// A claim needs evidence on rows that the ranking was not learned from: see Verdict.
// Outcomes are cents or 0/1. Outcomes far out in the tail are counted as a cap, on both
// sides of the comparison alike (Options.Tail), or one order could carry an estimate.
package uplift
