package seglog

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// commit is the one goroutine that writes.
func (l *Log) commit() {
	defer close(l.done)
	for {
		b, jobs, more := l.take()
		if b != nil {
			l.finish(b, l.writeBatch(b))
		}
		for _, j := range jobs {
			j.done <- j.do()
		}
		if !more {
			return
		}
	}
}

// take waits for work; more is false when the log is closing and nothing is left.
func (l *Log) take() (b *batch, jobs []job, more bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.pending == nil && len(l.jobs) == 0 && !l.closing {
		l.wake.Wait()
	}
	b, jobs = l.pending, l.jobs
	l.pending, l.jobs = nil, nil
	l.room.Broadcast()
	return b, jobs, !l.closing || b != nil
}

// finish releases a batch's waiters.
func (l *Log) finish(b *batch, err error) {
	l.mu.Lock()
	b.err = err
	if err == nil {
		l.end = l.at.offset
		l.spare = b.buf[:0]
	}
	b.buf = nil
	l.mu.Unlock()
	close(b.done)
}

// writeBatch makes one batch durable. A first failure poisons the log.
func (l *Log) writeBatch(b *batch) error {
	if l.err != nil { // only this goroutine sets it
		return fmt.Errorf("%w: %w", ErrPoisoned, l.err)
	}
	if l.at.offset >= uint64(l.opts.SegmentBytes) {
		if err := l.roll(); err != nil {
			return err
		}
	}
	b.segment, b.offset = l.at.segment, l.at.offset
	sealBatch(b.buf, b.segment, b.offset, b.first, b.count)
	if _, err := l.file.WriteAt(b.buf, int64(b.offset)); err != nil {
		return l.poison(fmt.Errorf("writing %s: %w", segmentName(b.segment), err))
	}
	if err := l.file.SyncData(); err != nil {
		return l.poison(fmt.Errorf("syncing %s: %w", segmentName(b.segment), err))
	}
	l.at.offset += uint64(len(b.buf))
	l.written = b.first + uint64(b.count)
	return l.writeMark(false)
}

func (l *Log) poison(err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.err = err
	l.room.Broadcast()
	return err
}

// writeMark moves the watermark. Without sync it survives the process, which is
// what tells a torn tail from a damaged one after a kill.
func (l *Log) writeMark(sync bool) error {
	if _, err := l.mark.WriteAt(l.at.encode(), 0); err != nil {
		return l.poison(fmt.Errorf("writing %s: %w", markName, err))
	}
	if !sync {
		return nil
	}
	if err := l.mark.Sync(); err != nil {
		return l.poison(fmt.Errorf("syncing %s: %w", markName, err))
	}
	return nil
}

// roll begins a new segment, unless the current one is empty.
func (l *Log) roll() error {
	if l.err != nil {
		return fmt.Errorf("%w: %w", ErrPoisoned, l.err)
	}
	if l.at.offset == headerSize {
		return nil
	}
	return l.begin(header{segment: l.at.segment + 1, first: l.written, prevEnd: l.at.offset})
}

// drop moves the floor before it removes: a segment that is missing above the
// floor is damage.
func (l *Log) drop(number uint64) error {
	if l.err != nil {
		return fmt.Errorf("%w: %w", ErrPoisoned, l.err)
	}
	if number <= l.at.floor {
		return nil
	}
	if number > l.at.segment {
		return fmt.Errorf("dropping segments before %d: the last one is %d", number, l.at.segment)
	}
	floor := l.at.floor
	l.at.floor = number
	if err := l.writeMark(true); err != nil {
		return err
	}
	l.mu.Lock()
	for l.segments[0].Number < number {
		l.segments = l.segments[1:]
	}
	l.mu.Unlock()
	for n := floor; n < number; n++ {
		if err := l.opts.FS.Remove(l.path(segmentName(n))); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("removing segment: %w", err)
		}
	}
	return syncDir(l.opts.FS, l.dir)
}

// begin makes a segment's file and the watermark durable before any record in
// it is acknowledged.
func (l *Log) begin(h header) error {
	name := l.path(segmentName(h.segment))
	f, err := l.opts.FS.Create(name, vfs.WriteCategoryUnspecified)
	if err != nil {
		return l.poison(fmt.Errorf("making segment: %w", err))
	}
	_, err = f.WriteAt(h.encode(), 0)
	if err = errors.Join(err, f.Sync(), syncDir(l.opts.FS, l.dir)); err != nil {
		return l.poison(errors.Join(fmt.Errorf("making segment %s: %w", name, err), f.Close()))
	}
	if l.file != nil {
		if err := l.file.Close(); err != nil {
			return l.poison(fmt.Errorf("closing segment: %w", err))
		}
	}
	l.mu.Lock()
	l.file, l.at.segment, l.at.offset = f, h.segment, headerSize
	if n := len(l.segments); n > 0 {
		l.segments[n-1].End = h.prevEnd
	}
	l.segments, l.end = append(l.segments, Segment{Number: h.segment, First: h.first, End: headerSize}), headerSize
	l.mu.Unlock()
	return l.writeMark(true)
}
