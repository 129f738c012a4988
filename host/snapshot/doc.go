// Package snapshot owns the folder that a night reads: what its files are called,
// what a row of each holds, and how a closed ingest day becomes Parquet. Both hosts
// write their nights through it, so that one batch/segment reads either.
//
// It knows no store: whoever calls gives it states, rows and prices, and says
// what is written where. Equal input gives equal bytes.
package snapshot
