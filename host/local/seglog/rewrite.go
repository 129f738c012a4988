package seglog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// Rewrite lets change overwrite records in place, in every finished segment: a
// record keeps its length, number and place. change says whether it wrote. A
// segment is replaced whole or not at all; call Roll first to reach all records
// until now. Whoever reads meanwhile reads the old bytes or the new ones. Writers
// wait only for segments in which something changes; change sees those twice.
func (l *Log) Rewrite(change func(record []byte) (bool, error)) (segments int, err error) {
	all := l.Segments()
	for _, s := range all[:len(all)-1] {
		done, err := l.wouldChange(s, change)
		if err != nil {
			return segments, fmt.Errorf("rewriting %s: %w", segmentName(s.Number), err)
		}
		if !done {
			continue
		}
		err = l.run(func() (err error) {
			done, err = l.rewriteSegment(s, change)
			return err
		})
		if err != nil {
			return segments, fmt.Errorf("rewriting %s: %w", segmentName(s.Number), err)
		}
		if done {
			segments++
		}
	}
	return segments, nil
}

// wouldChange asks beforehand, so that the committer need not.
func (l *Log) wouldChange(s Segment, change func([]byte) (bool, error)) (would bool, err error) {
	err = l.scanSegment(s, 0, func(_ Place, _ uint64, record []byte) error {
		did, err := change(record)
		would = would || did
		return err
	})
	if errors.Is(err, fs.ErrNotExist) { // dropped meanwhile: the committer knows
		return true, nil
	}
	return would, err
}

// rewriteSegment is the committer's: nobody drops the segment meanwhile.
func (l *Log) rewriteSegment(s Segment, change func([]byte) (bool, error)) (bool, error) {
	l.mu.Lock()
	there := slices.ContainsFunc(l.segments, func(o Segment) bool { return o.Number == s.Number })
	l.mu.Unlock()
	if !there {
		return false, nil
	}
	name := l.path(segmentName(s.Number))
	b, err := l.readAll(name)
	if err != nil {
		return false, err
	}
	changed := false
	for at := int64(headerSize); at < int64(s.End); {
		length, ok := frameLength(b[at:])
		if !ok || at+length > int64(len(b)) || !validFrame(b[at:at+length], s.Number, uint64(at)) {
			return false, &Damage{name, at, "the frame does not match its checksum"}
		}
		frame := b[at : at+length]
		wrote := false
		err := records(frame, func(_ uint64, _ uint32, record []byte) error {
			did, err := change(record)
			wrote = wrote || did
			return err
		})
		if err != nil {
			return false, err
		}
		if wrote {
			binary.LittleEndian.PutUint32(frame[4:], frameCRC(frame, s.Number, uint64(at)))
			changed = true
		}
		at += length
	}
	if !changed {
		return false, nil
	}
	return true, l.replace(name, b)
}

func (l *Log) readAll(name string) ([]byte, error) {
	f, err := l.opts.FS.Open(name)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(f)
	return b, errors.Join(err, f.Close())
}

// replace puts a new file in a segment's place.
func (l *Log) replace(name string, b []byte) error {
	tmp := name + rewriteSuffix
	f, err := l.opts.FS.Create(tmp, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(err, l.opts.FS.Remove(tmp))
	}
	if err := l.opts.FS.Rename(tmp, name); err != nil {
		return err
	}
	return syncDir(l.opts.FS, l.dir)
}

// rewriteSuffix ends the name of a segment that was being replaced when a crash
// came; Open removes it.
const rewriteSuffix = ".new"
