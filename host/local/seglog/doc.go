// Package seglog owns an append-only log of records in segment files, with
// group commit: one goroutine writes what all waiting writers brought as one
// frame, calls fsync once, and then releases them. What a record says is the
// caller's.
//
// A folder holds segments NNN.seg and the file synced:
//
//	segment  header, then frames back to back
//	header   magic, CRC32C, segment number, first record's number, end of the segment before
//	frame    length, CRC32C, type, body; the CRC covers segment number and offset too, so a
//	         frame is valid only where it was written
//	synced   the oldest segment, and a place up to which all was once durable (the watermark).
//	         Written after every fsync, itself synced when a segment begins and at Close
//
// A frame is acknowledged as a whole or not at all. Only the last frame can be
// torn by a crash, and only beyond the watermark; such a tail is cut and
// reported. Anything else that does not fit is a Damage that names file and
// offset; nothing is skipped.
//
// After a failed write or fsync the log is poisoned: nobody knows what the disk
// holds, so every later append fails until the log is opened again, which writes
// and syncs anew what lies beyond the watermark.
package seglog
