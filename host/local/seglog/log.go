package seglog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// Options of a log. The zero Options write to the real disk.
type Options struct {
	FS           vfs.FS
	SegmentBytes int64 // a segment ends after this many, default 64 MiB
	PendingBytes int   // more waiting bytes than this hold writers back, default 4 MiB
	Log          *slog.Logger
}

// Place is where a record lies.
type Place struct {
	Segment uint64
	Offset  uint64 // of its frame
	Index   uint32 // in the frame
}

// Damage is a file that does not hold what was written.
type Damage struct {
	File   string
	Offset int64
	Text   string
}

func (d *Damage) Error() string {
	return fmt.Sprintf("damaged file %s at offset %d: %s", d.File, d.Offset, d.Text)
}

// ErrPoisoned says that a write or fsync failed earlier: the log takes nothing
// more until it is opened again.
var ErrPoisoned = errors.New("log is poisoned by an earlier write error")

// ErrClosed says that the log was closed.
var ErrClosed = errors.New("log is closed")

// Log is an open log. Its methods may be called at once.
type Log struct {
	dir  string
	opts Options

	mu       sync.Mutex
	wake     *sync.Cond // committer: something pends, or closing
	room     *sync.Cond // writers: the pending batch was taken
	pending  *batch
	spare    []byte
	next     uint64 // number of the next record
	err      error
	closing  bool
	jobs     []job     // for the committer, between two batches
	segments []Segment // oldest first; the last one is being written
	end      uint64    // durable end of the last one

	// The committer's own.
	file    vfs.File
	mark    vfs.File
	at      mark
	written uint64 // number of the first record that is not in a file
	done    chan struct{}
}

type job struct {
	do   func() error
	done chan error
}

// Segment is one file of the log.
type Segment struct {
	Number uint64
	First  uint64 // number of its first record
	End    uint64 // where its frames end
}

type batch struct {
	buf   []byte
	first uint64
	count uint32
	done  chan struct{}

	// Set before done is closed.
	segment, offset uint64
	err             error
}

// Ticket is a promise that records were put in order; Wait tells when they are durable.
type Ticket struct {
	b     *batch
	index uint32
	err   error
}

// Append adds records next to each other and returns the first one's place once
// all are durable. On an error, a cancelled context's too, they may be there or not.
func (l *Log) Append(ctx context.Context, records ...[]byte) (Place, error) {
	return l.Enqueue(records...).Wait(ctx)
}

// Enqueue puts records in order without waiting for the disk. The log keeps no
// reference to them.
func (l *Log) Enqueue(records ...[]byte) Ticket {
	if len(records) == 0 {
		return Ticket{}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.err == nil && !l.closing && l.pending != nil && len(l.pending.buf) > l.opts.PendingBytes {
		l.room.Wait()
	}
	if err := l.refusal(); err != nil {
		return Ticket{err: err}
	}
	if l.pending == nil {
		l.pending = &batch{buf: startBatch(l.spare), first: l.next, done: make(chan struct{})}
		l.spare = nil
	}
	b := l.pending
	t := Ticket{b: b, index: b.count}
	for _, r := range records {
		b.buf = addRecord(b.buf, r)
	}
	b.count += uint32(len(records))
	l.next += uint64(len(records))
	l.wake.Signal()
	return t
}

func (l *Log) refusal() error {
	if l.err != nil {
		return fmt.Errorf("%w: %w", ErrPoisoned, l.err)
	}
	if l.closing {
		return ErrClosed
	}
	return nil
}

// Wait returns once the records are durable.
func (t Ticket) Wait(ctx context.Context) (Place, error) {
	if t.err != nil || t.b == nil {
		return Place{}, t.err
	}
	select {
	case <-t.b.done:
	case <-ctx.Done():
		return Place{}, fmt.Errorf("waiting for the log: %w", ctx.Err())
	}
	if t.b.err != nil {
		return Place{}, fmt.Errorf("writing to the log: %w", t.b.err)
	}
	return Place{t.b.segment, t.b.offset, t.index}, nil
}

// Next is the number that the next record will get; all below it that are
// durable can be scanned.
func (l *Log) Next() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.next
}

// Err says why the log takes nothing more, or nil.
func (l *Log) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.refusal()
}

// Segments lists the files of the log, oldest first.
func (l *Log) Segments() []Segment {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := append([]Segment(nil), l.segments...)
	out[len(out)-1].End = l.end
	return out
}

// Roll begins a new segment, so that all records until now lie in finished ones.
func (l *Log) Roll() error { return l.run(l.roll) }

// Drop removes the segments before number, which must be one of the log's.
func (l *Log) Drop(number uint64) error {
	return l.run(func() error { return l.drop(number) })
}

// run has the committer do something between two batches.
func (l *Log) run(do func() error) error {
	j := job{do, make(chan error, 1)}
	l.mu.Lock()
	if err := l.refusal(); err != nil {
		l.mu.Unlock()
		return err
	}
	l.jobs = append(l.jobs, j)
	l.wake.Signal()
	l.mu.Unlock()
	return <-j.done
}

// Close writes what waits, notes that all is durable, and releases the files.
func (l *Log) Close() error {
	l.mu.Lock()
	if l.closing {
		l.mu.Unlock()
		<-l.done
		return nil
	}
	l.closing = true
	l.wake.Signal()
	l.room.Broadcast()
	l.mu.Unlock()
	<-l.done
	var err error
	if l.err == nil {
		err = l.writeMark(true)
	}
	return errors.Join(err, l.file.Close(), l.mark.Close())
}
