// Package event owns what a shop event is: the Raw message as it arrives, the
// closed lists of kinds and fields, and the minimised Event that may be stored.
//
// Raw can be read and judged but not printed or stored. Only policy.Admit turns
// a Raw into an Event. What the browser asserts about a product is dropped;
// product facts come from the shop's imported catalogue (Product).
//
// It is pure: no I/O, no clock, no randomness. Consent is package consent's,
// judgement is package policy's.
package event
