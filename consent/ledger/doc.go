// Package ledger owns the transparency log behind the consent book: an
// append-only Merkle tree of opaque 32-byte leaves, with signed checkpoints and
// proofs that anyone can check offline. It does not know what a leaf means.
//
// The folder is a C2SP tlog-tiles log plus two blobs of our own:
//
//	checkpoint         C2SP signed note: origin, size, root hash
//	tile/<L>/<N>       256 hashes; tile/<L>/<N>.p/<W> the W hashes of the right edge
//	tile/entries/<N>   the leaves, each after its 16-bit length; .p/<W> likewise
//	verifier           the public key, for whoever trusts the folder that much
//	head               the tree that is decided: its checkpoint and its last batch
//
// A batch becomes part of the log at one moment: the compare-and-swap of head,
// which carries the batch. Everything after that is copying: tiles first,
// checkpoint last, edge tiles of the smaller tree removed. The bytes of every
// tile follow from the head, so whoever finds the copying unfinished (a later
// Append, another writer) does it again and gets the same. At rest the folder is
// a function of the log: Verify can ask for each byte of it.
//
// The package is pure: hosts store blobs (Store), pass keys, and keep the clock.
package ledger
