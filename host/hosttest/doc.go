// Package hosttest owns the suite that every host passes (Run, RunReopened) and
// an in-memory host that can be told to fail (Memory).
//
// The suite is written from the words in flow/ports.go alone: what it checks is
// what a path may rely on. Storage that only one host has (files, tables) is
// that host's to test.
package hosttest
