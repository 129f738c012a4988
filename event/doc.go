// Package event owns what a shop event is: the Raw message as it arrives, the
// closed lists of kinds and fields, and the minimised Event that may be stored.
//
// ParseBatch reads Segment's and RudderStack's bodies strictly, with a scanner of
// our own (scan.go). Raw can be read and judged but not printed or stored; Coarse
// makes of it what may be kept at most, and only policy.Admit turns that into an
// Event. What the browser asserts about a product is dropped; product facts come
// from the shop's imported catalogue (Product).
//
// It is pure: no I/O, no clock, no randomness. Consent is package consent's,
// judgement is package policy's.
package event
