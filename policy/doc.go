// Package policy owns judgement: what is allowed, and the words a shopper reads
// when it is not. It is the only importer of OPA.
//
// Go computes plain facts and hands them in; Rego judges them. There is no
// clock, network, randomness or print in Rego (capabilities.json forbids them at
// compile time), and no input that its schema does not name (schemas/), so every
// decision replays. Whatever comes from outside is checked so when it is loaded; the
// program's own rules are when it is tested (own.go). Undefined, empty and error
// results are denials. A case of the event or export gate is decided once per
// distinct case, and remembered.
//
// A folder is a Rego package with its tests, and answers one Entry; standing is
// the one that others import. A rule that can refuse or explain bears its id, and
// its words in German and English, as metadata: that is where Reasons reads them.
package policy
