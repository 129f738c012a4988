package local

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// promised counts the synced batches of the state store, in the store itself and
// in the file DATA/committed. Pebble takes a damaged write-ahead log for one that
// ends early, and opens with less than was acknowledged; then the store has fewer
// batches than the file says.
//
// The file is written after a batch is durable and is not synced: a kill leaves
// it right, a power cut at most too low.
type promised struct {
	file vfs.File
	n    atomic.Uint64
}

const (
	promisedName  = "committed"
	promisedMagic = 0x31435348 // "HSC1"
	promisedSize  = 16
	metaCommits   = "commits"
)

func promisedBytes(n uint64) []byte {
	b := make([]byte, promisedSize)
	binary.LittleEndian.PutUint32(b, promisedMagic)
	binary.LittleEndian.PutUint64(b[8:], n)
	binary.LittleEndian.PutUint32(b[4:], crc32.ChecksumIEEE(b[8:]))
	return b
}

// openPromised compares the store with the file. A folder being founded has none yet.
func (h *Host) openPromised(made bool) error {
	path := h.disk.path(promisedName)
	if _, err := h.disk.Stat(path); errors.Is(err, fs.ErrNotExist) && !made {
		if err := h.disk.replaceBytes(path, false, promisedBytes(0)); err != nil {
			return fmt.Errorf("writing %s: %w", path, err)
		}
	} else if err != nil {
		return fmt.Errorf("damaged file %s at offset 0: %w", path, err)
	}
	f, err := h.disk.OpenReadWrite(path, vfs.WriteCategoryUnspecified)
	if err != nil {
		return fmt.Errorf("opening %s: %w", path, err)
	}
	h.promised.file = f
	b := make([]byte, promisedSize+1)
	n, err := f.ReadAt(b, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("reading %s: %w", path, err)
	}
	want := binary.LittleEndian.Uint64(b[8:])
	if n != promisedSize || string(promisedBytes(want)) != string(b[:promisedSize]) {
		return fmt.Errorf("damaged file %s at offset 0: it is unreadable", path)
	}
	return h.compareCommits(want)
}

func (h *Host) compareCommits(want uint64) error {
	v, err := get(h.db, meta(metaCommits))
	if err != nil {
		return err
	}
	has, _ := binary.Varint(v)
	if uint64(has) < want && !h.opts.Restored {
		return fmt.Errorf("damaged state store %s: %d acknowledged writes are missing (after putting a backup of it back on purpose: handschlag ledger restore)",
			h.disk.path("state"), want-uint64(has))
	}
	h.promised.n.Store(uint64(has))
	return h.promised.note()
}

// one goes into every synced batch.
func (p *promised) one(b *pebble.Batch) error {
	return b.Merge(meta(metaCommits), binary.AppendVarint(nil, 1), nil)
}

// kept notes that one more batch is durable.
func (p *promised) kept() error {
	p.n.Add(1)
	return p.note()
}

func (p *promised) note() error {
	if _, err := p.file.WriteAt(promisedBytes(p.n.Load()), 0); err != nil {
		return fmt.Errorf("writing %s: %w", promisedName, err)
	}
	return nil
}

// close makes the count durable.
func (p *promised) close() error {
	if p.file == nil {
		return nil
	}
	return errors.Join(p.file.Sync(), p.file.Close())
}
