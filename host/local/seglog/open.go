package seglog

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// Open opens or makes the log in a folder, whose parent must exist. It reads
// every frame once: a damaged file is a *Damage, a torn tail is cut and reported.
func Open(dir string, opts Options) (*Log, error) {
	l := newLog(dir, opts)
	if err := l.opts.FS.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making log folder: %w", err)
	}
	if err := syncDir(l.opts.FS, l.opts.FS.PathDir(dir)); err != nil {
		return nil, fmt.Errorf("making log folder: %w", err)
	}
	numbers, err := l.list()
	if err != nil {
		return nil, err
	}
	if err := l.openMark(numbers); err != nil {
		return nil, err
	}
	if err := l.recover(numbers); err != nil {
		return nil, errors.Join(err, l.mark.Close())
	}
	go l.commit()
	return l, nil
}

func newLog(dir string, opts Options) *Log {
	if opts.FS == nil {
		opts.FS = vfs.Default
	}
	if opts.SegmentBytes == 0 {
		opts.SegmentBytes = 64 << 20
	}
	if opts.PendingBytes == 0 {
		opts.PendingBytes = 4 << 20
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	l := &Log{dir: dir, opts: opts, next: 1, written: 1, done: make(chan struct{})}
	l.wake, l.room = sync.NewCond(&l.mu), sync.NewCond(&l.mu)
	return l
}

func segmentName(n uint64) string      { return fmt.Sprintf("%016d.seg", n) }
func (l *Log) path(name string) string { return l.opts.FS.PathJoin(l.dir, name) }

// list gives the numbers of the segment files, in order.
func (l *Log) list() ([]uint64, error) {
	names, err := l.opts.FS.List(l.dir)
	if err != nil {
		return nil, fmt.Errorf("listing log: %w", err)
	}
	var out []uint64
	for _, name := range names {
		if strings.HasSuffix(name, ".seg"+rewriteSuffix) { // a Rewrite that did not finish
			if err := l.opts.FS.Remove(l.path(name)); err != nil {
				return nil, fmt.Errorf("removing a half-written segment: %w", err)
			}
			continue
		}
		base, is := strings.CutSuffix(name, ".seg")
		if n, err := strconv.ParseUint(base, 10, 64); is && err == nil && name == segmentName(n) {
			out = append(out, n)
		} else if name != markName && name != markName+".tmp" {
			return nil, &Damage{File: l.path(name), Text: "the file does not belong in a log"}
		}
	}
	slices.Sort(out)
	return out, nil
}

// openMark reads the watermark, or starts one for a new log.
func (l *Log) openMark(numbers []uint64) error {
	f, m, found, err := openMark(l.opts.FS, l.path(markName))
	if err != nil {
		return err
	}
	if !found {
		if len(numbers) > 0 {
			return &Damage{File: l.path(markName), Text: "the watermark is missing, segments are there"}
		}
		m = mark{floor: 1, segment: 1, offset: 0}
		if f, err = newMark(l.opts.FS, l.dir, l.path(markName), m); err != nil {
			return fmt.Errorf("making log: %w", err)
		}
	}
	l.mark, l.at = f, m
	return nil
}

// recover checks all segments and makes the log ready to be written.
func (l *Log) recover(numbers []uint64) error {
	for len(numbers) > 0 && numbers[0] < l.at.floor { // a Drop that did not finish
		if err := l.opts.FS.Remove(l.path(segmentName(numbers[0]))); err != nil {
			return fmt.Errorf("removing segment: %w", err)
		}
		numbers = numbers[1:]
	}
	for n := l.at.floor; n <= l.at.segment; n++ {
		begun := n < l.at.segment || l.at.offset > 0
		if begun && !slices.Contains(numbers, n) {
			return &Damage{File: l.path(segmentName(n)), Text: "the file is missing"}
		}
	}
	return l.checkAll(numbers)
}

// checkAll reads segments in order. Each one's header says where the one before
// ends, so only the last can have a torn tail.
func (l *Log) checkAll(numbers []uint64) error {
	var last *segmentFile
	for i, n := range numbers {
		s, err := l.openSegment(n)
		if err != nil {
			return err
		}
		if s == nil { // a segment that was being made
			if i != len(numbers)-1 {
				return &Damage{File: l.path(segmentName(n)), Text: "the header is unreadable"}
			}
			break
		}
		if last != nil {
			if err := l.seal(last, s); err != nil {
				return errors.Join(err, s.file.Close())
			}
		} else if n != l.at.floor {
			return errors.Join(&Damage{File: l.path(segmentName(l.at.floor)), Text: "the file is missing"}, s.file.Close())
		}
		last = s
	}
	if last == nil {
		return l.begin(header{segment: l.at.floor, first: 1})
	}
	return l.resume(last)
}

// seal checks a segment that has a successor: every frame up to where the
// successor says that it ends.
func (l *Log) seal(s, next *segmentFile) error {
	defer func() { _ = s.file.Close() }() // only read
	if next.header.segment != s.header.segment+1 {
		return &Damage{File: l.path(segmentName(s.header.segment + 1)), Text: "the file is missing"}
	}
	end, following, err := s.walk(int64(next.header.prevEnd), nil)
	if err != nil {
		return err
	}
	if end != int64(next.header.prevEnd) {
		return &Damage{s.name, end, "the frame does not match its checksum"}
	}
	if following != next.header.first {
		return &Damage{next.name, 16, fmt.Sprintf("begins with record %d, want %d", next.header.first, following)}
	}
	l.segments = append(l.segments, Segment{s.header.segment, s.header.first, next.header.prevEnd})
	return nil
}

// resume checks the last segment, cuts its tail if that is torn, and goes on in it.
func (l *Log) resume(s *segmentFile) error {
	end, following, err := s.walk(s.size, nil)
	if err != nil {
		return errors.Join(err, s.file.Close())
	}
	synced := int64(0) // all before is surely acknowledged
	if l.at.segment == s.header.segment {
		synced = int64(l.at.offset)
	} else if l.at.segment > s.header.segment {
		synced = s.size + 1
	}
	if end < synced {
		return errors.Join(&Damage{s.name, end, "acknowledged records are unreadable or missing"}, s.file.Close())
	}
	l.segments = append(l.segments, Segment{Number: s.header.segment, First: s.header.first, End: uint64(end)})
	l.file, l.next, l.written, l.end = s.file, following, following, uint64(end)
	if end == s.size {
		return l.rewrite(s, max(synced, 0), end)
	}
	if at, found, err := s.findFrame(end + 1); err != nil || found {
		return errors.Join(&Damage{s.name, end, fmt.Sprintf("unreadable, but a whole frame follows at offset %d", at)}, err, s.file.Close())
	}
	l.opts.Log.Warn("cut a torn tail that was never acknowledged", "file", s.name, "offset", end, "bytes", s.size-end)
	if err := l.rewrite(s, synced, end); err != nil {
		return err
	}
	return l.begin(header{segment: s.header.segment + 1, first: following, prevEnd: uint64(end)})
}

// rewrite writes again what lies beyond the watermark and syncs it. After a
// failed fsync the pages in memory may look fine while the disk never got them.
func (l *Log) rewrite(s *segmentFile, from, end int64) error {
	from = max(from, 0)
	b := make([]byte, end-from)
	if _, err := s.file.ReadAt(b, from); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("reading %s: %w", s.name, err)
	}
	if len(b) > 0 {
		if _, err := s.file.WriteAt(b, from); err != nil {
			return fmt.Errorf("writing %s again: %w", s.name, err)
		}
	}
	if err := errors.Join(s.file.Sync(), syncDir(l.opts.FS, l.dir)); err != nil {
		return fmt.Errorf("syncing %s: %w", s.name, err)
	}
	l.at.segment, l.at.offset = s.header.segment, uint64(end)
	return l.writeMark(true)
}
