// Package consent owns who a visitor is to us (a pseudonym), what they said yes
// and no to, and what follows from it at a given moment.
//
// It is pure: no I/O, no clock, no randomness. Hosts store what it defines;
// package policy judges it. Silence is a no everywhere: the zero value of every
// type about consent refuses.
package consent
