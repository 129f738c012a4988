// Package fairness owns the arithmetic of group comparisons: shares per group,
// their difference with a confidence interval, and a verdict that says "no
// disparity found" where the data show none. It knows no person, no shop and no
// storage; whoever calls it decides what an outcome and a group are.
package fairness
