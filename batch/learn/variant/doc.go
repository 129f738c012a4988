// Package variant owns what a night learns about the contents of a slot: how good each
// variant is for whom, which shares to give, whether these are better than the shares in
// force, and whether the draw was the one that was promised.
//
// Everything is computed from Cells: counts and sums of logged draws, which add up over
// parts of the subjects. A cell of fewer than k persons is not used alone (VAR-06). Which
// variants a visitor may see at all is decided before any draw, not here.
package variant
