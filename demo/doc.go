// Package demo shows Handschlag working on a real clickstream: it replays "e-shop
// clothing 2008" (data/SOURCE.md) through the public HTTP API of a running
// server, and adds a seeded, invented companion day with what the file lacks.
//
// It is a client: it imports none of our packages and knows only the API, so
// what it shows is what any shop gets. Whatever is invented says so.
package demo
