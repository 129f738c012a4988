// Package segment is the nightly job: what is said about all subjects at once.
//
// It reads a snapshot that a host wrote, decides the distinct cases of its
// events again with the same rules as the day, keeps mergeable daily state and
// sums it, reads consent once more, learns, builds features, value tiers and
// segments, writes files, runs checks that must return no rows over what was
// written, and swaps one dated folder of exports into place. Whatever goes wrong before the swap leaves yesterday's folder. The
// same snapshot gives the same bytes.
//
// It is the only importer of DuckDB. One file of sql/ makes one table named like
// the file; one file of check/ is one query that must return no rows. Judgement
// is package policy's, storage of the day the host's.
package segment
