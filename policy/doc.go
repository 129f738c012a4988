// Package policy owns judgement: what is allowed, and the words a shopper reads
// when it is not. It is the only importer of OPA.
//
// Go computes plain facts and hands them in; Rego judges them. There is no
// clock, network, randomness or print in Rego (capabilities.json forbids them at
// compile time), so every decision replays. Undefined, empty and error results
// are denials. A case of the event or export gate is decided once per distinct
// case and digest, and remembered.
package policy
