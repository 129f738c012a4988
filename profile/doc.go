// Package profile owns what is remembered about a subject between requests: a
// section of session features ("digital body language") per purpose, the recent
// message keys, and what the night published (segments, value tier).
//
// Withdrawing a purpose deletes its section. Features are integers, listed in one
// catalogue (Catalogue) that documents them, names the purposes that may use each,
// and gives the definition that batch/segment repeats in SQL.
//
// It is pure: no I/O, no clock, no randomness.
package profile
