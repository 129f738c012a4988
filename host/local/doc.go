// Package local owns the one binary's storage: Pebble for state and indexes,
// fsync'd segment logs for events and decisions, a tile ledger, and Parquet after
// compaction (design.md, 18). It implements flow.Host. What a night computes and
// what a path decides are others'.
//
//	DATA/format      whose folder this is and in which format
//	DATA/LOCK        held while the folder is open: one process at a time
//	DATA/keys/       the tenant's secrets, for the owner alone
//	DATA/state/      Pebble; state.go lists its tables
//	DATA/committed   how many synced batches DATA/state must hold (promised.go)
//	DATA/log/        events and decisions (package seglog)
//	DATA/events/     dt=DAY/events.parquet, one file per closed ingest day
//	DATA/ledger/     tile log of consent records (package consent/ledger)
//	DATA/night/ DATA/exports/   the night's
//	DATA/tmp/        files that are not whole yet; emptied at open
//
// What is durable when a call returns:
//
//   - pseudonyms, links, consent records with state, salt and leaf queue,
//     contacts, advisers, switches, products, prices, publications, cases,
//     documents: a synced Pebble batch, which Pebble groups with others;
//   - events and decisions: a synced frame of their log, grouped likewise. Their
//     profiles and indexes follow: profiles are kept in memory, written behind
//     within a second and caught up from the event log at open; the decision
//     index is written without sync and caught up from the decision log;
//   - a profile change that no event explains, an offer made say, is synced;
//   - counters are not: a crash may lose the last second's.
//
// Publishing a night also lets go of events and decisions that are past their time
// (retain.go).
//
// A record is in the ledger within a second. The ledger decides what is in it; a
// crash between it and our index is healed by comparing leaves.
//
// A folder that does not hold what was acknowledged does not open, or fails where
// it is read: logs by checksum, place and watermark, Parquet by digest and
// generation, Pebble by its checksums and the count of batches. Only a log's torn
// tail, which nobody was told about, is cut, and that is reported. If Pebble
// cannot write its own log any more, or a batch cannot be counted, the process ends;
// it recovers at the next start.
package local
