// Package flow owns what happens next: one file per path (ingest, consent,
// escalate, handover, price, variant, staff), over the rules of package policy
// and the ports that hosts fill (ports.go). It knows no HTTP and no storage.
//
// A refusal is a value with rule ids. An error means we could not find out, or
// could not write down what we found; the visitor then gets the plain shop.
package flow
