// Command bench prints the figures of docs/performance.md: what durable ingest,
// an offer decision and a night cost, each beside the least that the same work
// could cost, measured in turns within one run. Ratios are what counts; absolute
// figures are one machine's.
//
// The server under test is this program again as a child process, so that its CPU
// time is its own. DuckDB is not linked here: the night is measured by the
// benchmark of batch/segment.
package main
