package seglog

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// cuttable is a file system that remembers what was not yet synced, so that a
// power cut can lose, tear and reorder it, and that can be told to fail.
type cuttable struct {
	vfs.FS
	mu      sync.Mutex
	files   map[string]*content
	dirs    map[string]bool // synced directory entries
	lies    bool            // fsync says yes and does nothing: the planted bug
	failing func(op, name string) error
}

type content struct {
	synced []byte
	writes []write // since the last sync
}

type write struct {
	at int64
	b  []byte
}

func newCuttable() *cuttable {
	return &cuttable{FS: vfs.NewMem(), files: map[string]*content{}, dirs: map[string]bool{}}
}

type cuttableFile struct {
	vfs.File
	fs   *cuttable
	name string
	dir  bool
}

func (c *cuttable) fail(op, name string) error {
	if c.failing == nil {
		return nil
	}
	return c.failing(op, name)
}

func (c *cuttable) Create(name string, w vfs.DiskWriteCategory) (vfs.File, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.fail("create", name); err != nil {
		return nil, err
	}
	f, err := c.FS.Create(name, w)
	c.files[name] = &content{}
	delete(c.dirs, name)
	return &cuttableFile{File: f, fs: c, name: name}, err
}

func (c *cuttable) OpenReadWrite(name string, w vfs.DiskWriteCategory, o ...vfs.OpenOption) (vfs.File, error) {
	f, err := c.FS.OpenReadWrite(name, w, o...)
	return &cuttableFile{File: f, fs: c, name: name}, err
}

func (c *cuttable) OpenDir(name string) (vfs.File, error) {
	f, err := c.FS.OpenDir(name)
	return &cuttableFile{File: f, fs: c, name: name, dir: true}, err
}

func (c *cuttable) Rename(from, to string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.files[to] = c.files[from]
	delete(c.files, from)
	return c.FS.Rename(from, to)
}

func (f *cuttableFile) WriteAt(b []byte, at int64) (int, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.fs.fail("write", f.name); err != nil {
		n, _ := f.File.WriteAt(b[:len(b)/2], at) // a full disk takes a part
		return n, err
	}
	f.fs.files[f.name].writes = append(f.fs.files[f.name].writes, write{at, append([]byte(nil), b...)})
	return f.File.WriteAt(b, at)
}

func (f *cuttableFile) SyncData() error { return f.Sync() }

func (f *cuttableFile) Sync() error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.fs.fail("sync", f.name); err != nil {
		return err
	}
	if f.fs.lies {
		return nil
	}
	if f.dir {
		for name := range f.fs.files {
			if f.fs.PathDir(name) == f.name {
				f.fs.dirs[name] = true
			}
		}
		return nil
	}
	c := f.fs.files[f.name]
	for _, w := range c.writes {
		c.synced = put(c.synced, w.at, w.b)
	}
	c.writes = nil
	return nil
}

func put(to []byte, at int64, b []byte) []byte {
	if grow := int(at) + len(b) - len(to); grow > 0 {
		to = append(to, make([]byte, grow)...)
	}
	copy(to[at:], b)
	return to
}

// cut gives a disk as it may look after the power went: all that was synced, and
// any sectors of what was not.
func (c *cuttable) cut(t *testing.T, r *rand.Rand) *cuttable {
	c.mu.Lock()
	defer c.mu.Unlock()
	const sector = 64 // small, so that small frames tear
	after := newCuttable()
	ok(t, after.FS.MkdirAll("/log", 0o700))
	for name, f := range c.files {
		if !c.dirs[name] && r.IntN(2) == 0 {
			continue // its directory entry never reached the disk
		}
		b := append([]byte(nil), f.synced...)
		for _, w := range f.writes {
			if len(w.b) <= markSize { // fits a sector: whole or not at all
				if r.IntN(2) == 0 {
					b = put(b, w.at, w.b)
				}
				continue
			}
			for i := 0; i < len(w.b); i += sector {
				if part := w.b[i:min(i+sector, len(w.b))]; r.IntN(2) == 0 {
					b = put(b, w.at+int64(i), part)
				}
			}
		}
		out, err := after.FS.Create(name, vfs.WriteCategoryUnspecified)
		ok(t, err)
		_, err = out.Write(bytes.Clone(b)) // a MemFS under -race scribbles on it
		ok(t, err)
		ok(t, out.Close())
		after.files[name], after.dirs[name] = &content{synced: b}, true
	}
	return after
}

// survives runs writers until the power goes, several times over, and says what
// was acknowledged but is gone.
func survives(t *testing.T, seed uint64, lies bool) error {
	r := rand.New(rand.NewPCG(seed, 1))
	disk := newCuttable()
	acked := map[string]bool{}
	for life := range 3 {
		disk.lies = lies
		l, err := Open("/log", Options{FS: disk, SegmentBytes: 700})
		if err != nil {
			return fmt.Errorf("life %d: %w", life, err)
		}
		there := map[string]bool{}
		if err := l.Scan(0, func(_ Place, _ uint64, b []byte) error { there[string(b)] = true; return nil }); err != nil {
			return fmt.Errorf("life %d: %w", life, err)
		}
		for a := range acked {
			if !there[a] {
				return fmt.Errorf("life %d: acknowledged %s is gone", life, a)
			}
		}
		disk = oneLife(t, l, disk, r, life, acked)
	}
	return nil
}

func oneLife(t *testing.T, l *Log, disk *cuttable, r *rand.Rand, life int, acked map[string]bool) *cuttable {
	var mu sync.Mutex
	var wg sync.WaitGroup
	var after *cuttable
	cutAt := r.IntN(24)
	for w := range 4 {
		wg.Go(func() {
			for n := range 8 {
				record := fmt.Sprintf("%d-%d-%d %0*d", life, w, n, 90*n, 0)
				_, err := l.Append(ctx, []byte(record))
				mu.Lock()
				if after == nil && err == nil {
					if acked[record] = true; len(acked) >= cutAt+24*life/2 {
						after = disk.cut(t, r)
					}
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	_ = l.Close() // of the life that ended
	if after == nil {
		after = disk.cut(t, r)
	}
	return after
}

func TestNoAcknowledgedRecordIsLostInAPowerCut(t *testing.T) {
	for seed := range uint64(400) {
		if err := survives(t, seed, false); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
}

// The same test must notice a log that does not sync.
func TestALogWithoutFsyncIsCaught(t *testing.T) {
	for seed := range uint64(10) {
		if survives(t, seed, true) != nil {
			return
		}
	}
	t.Fatal("ten seeds did not notice that nothing was synced")
}

func TestAFailedWriteOrSyncPoisonsTheLog(t *testing.T) {
	for _, op := range []string{"write", "sync", "create"} {
		for _, cause := range []error{syscall.ENOSPC, syscall.EIO} {
			t.Run(op+" "+cause.Error(), func(t *testing.T) {
				disk := newCuttable()
				l := open(t, disk, 100)
				_, err := l.Append(ctx, []byte("good"))
				ok(t, err)
				disk.mu.Lock()
				disk.failing = func(o, _ string) error {
					if o == op {
						return cause
					}
					return nil
				}
				disk.mu.Unlock()
				var first error
				for range 5 {
					if _, err := l.Append(ctx, []byte("never acknowledged, and long enough for a new segment, "+
						"which is what the third way to fail needs")); err != nil {
						first = errors.Join(first, err)
					} else if op != "create" {
						t.Fatal("a write was acknowledged")
					}
				}
				if !errors.Is(first, cause) || l.Err() == nil {
					t.Fatalf("got %v, log says %v", first, l.Err())
				}
				disk.mu.Lock()
				disk.failing = nil // the disk is well again: too late
				disk.mu.Unlock()
				if _, err := l.Append(ctx, []byte("late")); !errors.Is(err, ErrPoisoned) || !errors.Is(err, cause) {
					t.Fatalf("got %v", err)
				}
				_ = l.Close()
				l = open(t, disk, 100)
				if got := all(t, l); got[0] != "good" {
					t.Fatalf("got %q", got)
				}
				_, err = l.Append(ctx, []byte("well"))
				ok(t, err)
				ok(t, l.Close())
			})
		}
	}
}
