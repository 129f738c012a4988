// Package local owns the one binary's storage: Pebble for state and indexes,
// fsync'd segment logs for events and decisions, a tile ledger, and Parquet
// after compaction (design.md, 18). It implements flow.Host.
package local
