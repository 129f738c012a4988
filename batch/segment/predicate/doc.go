// Package predicate owns what a segment's condition is: one yes or no over columns,
// read from DuckDB's own parse of it, so that both mean the same. It says which
// columns are named and where, what has no place in a condition, and whether one can
// be true of anybody, or is true of everybody. It runs nothing.
package predicate
