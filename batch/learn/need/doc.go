// Package need owns the additive scorecard that a night fits: how likely an outcome
// is (somebody needs help, somebody buys), as points that a human can read and change.
//
// Each feature is cut into bins that hold enough rows; each bin earns points; where
// the shop says that more means more (Rising) or less (Falling), no bin breaks that. The
// points are the log odds of a logistic model with an L2 penalty on the steps between
// neighbouring bins, rounded; a curve turns their sum into a probability. Bins, penalty
// and curve are chosen by cross-validation on the rows given, and the same rows in
// another order give the same card.
//
// Where blocks of rows are times (Options.Forward), each is judged by a fit on those
// before it, and the curve may follow the last ones: months move, and a night must do with those it has.
//
// Too few outcomes, or a card that says no more than the base rate does, is an Unknown
// and no card.
//
// It leaves to others what a row, a feature and an outcome are, the rows that a card is
// judged by, and the measures of that (package learn).
package need
