package seglog

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"io/fs"

	"github.com/cockroachdb/pebble/v2/vfs"
)

const (
	markName  = "synced"
	markMagic = 0x314d5348 // "HSM1"
	markSize  = 32
)

// mark is the content of the file synced. It fits one disk sector, so it is
// written whole or not at all.
type mark struct {
	floor   uint64 // the oldest segment that must be there
	segment uint64 // up to segment and offset all was durable once
	offset  uint64
}

func (m mark) encode() []byte {
	b := make([]byte, markSize)
	binary.LittleEndian.PutUint32(b, markMagic)
	binary.LittleEndian.PutUint64(b[8:], m.floor)
	binary.LittleEndian.PutUint64(b[16:], m.segment)
	binary.LittleEndian.PutUint64(b[24:], m.offset)
	binary.LittleEndian.PutUint32(b[4:], crc32.Checksum(b[8:], castagnoli))
	return b
}

// openMark reads the file; found is false if there is none.
func openMark(fsys vfs.FS, name string) (f vfs.File, m mark, found bool, err error) {
	if _, err := fsys.Stat(name); errors.Is(err, fs.ErrNotExist) {
		return nil, mark{}, false, nil
	} else if err != nil {
		return nil, mark{}, false, err
	}
	f, err = fsys.OpenReadWrite(name, vfs.WriteCategoryUnspecified)
	if err != nil {
		return nil, mark{}, false, err
	}
	b := make([]byte, markSize+1)
	n, err := f.ReadAt(b, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, mark{}, false, errors.Join(err, f.Close())
	}
	if n != markSize || binary.LittleEndian.Uint32(b) != markMagic ||
		binary.LittleEndian.Uint32(b[4:]) != crc32.Checksum(b[8:markSize], castagnoli) {
		return nil, mark{}, false, errors.Join(&Damage{File: name, Text: "the watermark is unreadable"}, f.Close())
	}
	m = mark{binary.LittleEndian.Uint64(b[8:]), binary.LittleEndian.Uint64(b[16:]), binary.LittleEndian.Uint64(b[24:])}
	return f, m, true, nil
}

// newMark makes the file, whole, before the first segment.
func newMark(fsys vfs.FS, dir, name string, m mark) (vfs.File, error) {
	tmp := name + ".tmp"
	f, err := fsys.Create(tmp, vfs.WriteCategoryUnspecified)
	if err != nil {
		return nil, err
	}
	_, err = f.WriteAt(m.encode(), 0)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return nil, err
	}
	if err := fsys.Rename(tmp, name); err != nil {
		return nil, err
	}
	if err := syncDir(fsys, dir); err != nil {
		return nil, err
	}
	return fsys.OpenReadWrite(name, vfs.WriteCategoryUnspecified)
}

func syncDir(fsys vfs.FS, dir string) error {
	d, err := fsys.OpenDir(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
