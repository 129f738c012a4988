package seglog

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// segmentFile is a segment open for reading.
type segmentFile struct {
	name   string
	file   vfs.File
	size   int64
	header header
}

// openSegment opens a segment file. It gives nil for the file of a segment that
// was being made when a crash came: no record in it can have been acknowledged.
func (l *Log) openSegment(n uint64) (*segmentFile, error) {
	name := l.path(segmentName(n))
	f, err := l.opts.FS.OpenReadWrite(name, vfs.WriteCategoryUnspecified)
	if err != nil {
		return nil, fmt.Errorf("opening segment: %w", err)
	}
	s := &segmentFile{name: name, file: f}
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening segment: %w", err), f.Close())
	}
	s.size = info.Size()
	b := make([]byte, headerSize)
	if _, err := f.ReadAt(b, 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, errors.Join(fmt.Errorf("reading %s: %w", name, err), f.Close())
	}
	h, ok := decodeHeader(b)
	if ok && h.segment == n && s.size >= headerSize {
		s.header = h
		return s, nil
	}
	unborn := n > l.at.segment || n == l.at.segment && l.at.offset == 0
	if unborn {
		s.header.segment = n
		if _, found, err := s.findFrame(0); err == nil && !found {
			return nil, errors.Join(f.Close(), l.opts.FS.Remove(name))
		}
	}
	return nil, errors.Join(&Damage{name, 0, "the header is unreadable"}, f.Close())
}

// walk reads frames from the header to limit and gives where the valid ones end
// and the number of the record that would follow. A frame that is whole but
// contradicts itself or the one before is damage.
func (s *segmentFile) walk(limit int64, each func(p Place, n uint64, record []byte) error) (int64, uint64, error) {
	limit = min(limit, s.size)
	in := bufio.NewReaderSize(io.NewSectionReader(s.file, headerSize, limit-headerSize), 1<<18)
	at, next, frame := int64(headerSize), s.header.first, make([]byte, 0, 1<<16)
	for at < limit {
		head, err := in.Peek(frameHead)
		if err != nil && !errors.Is(err, io.EOF) {
			return 0, 0, fmt.Errorf("reading %s: %w", s.name, err)
		}
		length, ok := frameLength(head)
		if !ok || at+length > limit {
			break
		}
		if int64(cap(frame)) < length {
			frame = make([]byte, 0, 2*length)
		}
		frame = frame[:length]
		if _, err := io.ReadFull(in, frame); err != nil {
			return 0, 0, fmt.Errorf("reading %s: %w", s.name, err)
		}
		if !validFrame(frame, s.header.segment, uint64(at)) {
			break
		}
		if next, err = s.visit(frame, at, next, each); err != nil {
			return 0, 0, err
		}
		at += length
	}
	return at, next, nil
}

// visit passes a frame's records on.
func (s *segmentFile) visit(frame []byte, at int64, next uint64, each func(Place, uint64, []byte) error) (uint64, error) {
	first, count := numbers(frame)
	if first != next {
		return 0, &Damage{s.name, at, fmt.Sprintf("the frame begins with record %d, want %d", first, next)}
	}
	var own error
	err := records(frame, func(n uint64, index uint32, record []byte) error {
		if each != nil {
			own = each(Place{s.header.segment, uint64(at), index}, n, record)
		}
		return own
	})
	if own != nil {
		return 0, own
	}
	if err != nil {
		return 0, &Damage{s.name, at, err.Error()}
	}
	return first + count, nil
}

// findFrame looks for a whole frame that begins at or after from. A torn tail
// has none: only the last frame can be torn.
func (s *segmentFile) findFrame(from int64) (int64, bool, error) {
	if from >= s.size {
		return 0, false, nil
	}
	b := make([]byte, s.size-from)
	if _, err := s.file.ReadAt(b, from); err != nil && !errors.Is(err, io.EOF) {
		return 0, false, fmt.Errorf("reading %s: %w", s.name, err)
	}
	n := s.header.segment
	for i := range b {
		length, ok := frameLength(b[i:])
		if ok && length <= int64(len(b)-i) && validFrame(b[i:int64(i)+length], n, uint64(from)+uint64(i)) {
			return from + int64(i), true, nil
		}
	}
	return 0, false, nil
}

// Scan calls each for every record that was durable when it began, from the
// first segment whose end is not before record number from. The record is only
// valid during the call.
func (l *Log) Scan(from uint64, each func(p Place, n uint64, record []byte) error) error {
	segments := l.Segments()
	for i, seg := range segments {
		if i+1 < len(segments) && segments[i+1].First <= from {
			continue
		}
		if err := l.scanSegment(seg, from, each); err != nil {
			return err
		}
	}
	return nil
}

func (l *Log) scanSegment(seg Segment, from uint64, each func(Place, uint64, []byte) error) error {
	name := l.path(segmentName(seg.Number))
	f, err := l.opts.FS.Open(name)
	if err != nil {
		return fmt.Errorf("opening segment: %w", err)
	}
	defer func() { _ = f.Close() }() // only read
	s := &segmentFile{name: name, file: f, size: int64(seg.End), header: header{segment: seg.Number, first: seg.First}}
	end, _, err := s.walk(int64(seg.End), func(p Place, n uint64, record []byte) error {
		if n < from {
			return nil
		}
		return each(p, n, record)
	})
	if err == nil && end != int64(seg.End) {
		return &Damage{name, end, "the frame does not match its checksum"}
	}
	return err
}

// At reads one durable record.
func (l *Log) At(p Place) ([]byte, error) {
	name := l.path(segmentName(p.Segment))
	f, err := l.opts.FS.Open(name)
	if err != nil {
		return nil, fmt.Errorf("opening segment: %w", err)
	}
	defer func() { _ = f.Close() }() // only read
	head := make([]byte, frameHead)
	if _, err := f.ReadAt(head, int64(p.Offset)); err != nil {
		return nil, &Damage{name, int64(p.Offset), "the frame cannot be read: " + err.Error()}
	}
	length, ok := frameLength(head)
	if !ok {
		return nil, &Damage{name, int64(p.Offset), "no frame can be that long"}
	}
	frame := make([]byte, length)
	if _, err := f.ReadAt(frame, int64(p.Offset)); err != nil && !errors.Is(err, io.EOF) {
		return nil, &Damage{name, int64(p.Offset), "the frame cannot be read: " + err.Error()}
	}
	if !validFrame(frame, p.Segment, p.Offset) {
		return nil, &Damage{name, int64(p.Offset), "the frame does not match its checksum"}
	}
	var out []byte
	err = records(frame, func(_ uint64, index uint32, record []byte) error {
		if index == p.Index {
			out = record
		}
		return nil
	})
	if err != nil || out == nil {
		return nil, &Damage{name, int64(p.Offset), fmt.Sprintf("no record %d in the frame", p.Index)}
	}
	return out, nil
}
