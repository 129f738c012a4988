package local

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"strings"
	"sync"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// stateFS is the file system under the state store. Pebble keeps finished
// write-ahead logs, to use their space again, and its last manifest, whose key
// ranges name keys; both with what was in them. stateFS knows which are in use, so
// that scrubState can empty the others.
type stateFS struct {
	vfs.FS
	dir string

	mu        sync.Mutex
	live      map[string]bool // logs and manifests that are open for writing
	fresh     bool            // no log is taken over: it would keep what was in it behind its new end
	manifests int             // made so far
}

func newStateFS(d *disk) *stateFS {
	return &stateFS{FS: d.FS, dir: d.path("state"), live: map[string]bool{}}
}

// Create notes a log or manifest that is being written.
func (f *stateFS) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	file, err := f.FS.Create(name, c)
	return f.watch(name, file, err)
}

// ReuseForWrite takes a waiting log over, or begins anew in its place.
func (f *stateFS) ReuseForWrite(from, to string, c vfs.DiskWriteCategory) (vfs.File, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fresh {
		if err := f.Remove(from); err != nil {
			return nil, err
		}
		file, err := f.FS.Create(to, c)
		return f.watch(to, file, err)
	}
	file, err := f.FS.ReuseForWrite(from, to, c)
	return f.watch(to, file, err)
}

func (f *stateFS) watch(path string, file vfs.File, err error) (vfs.File, error) {
	name := f.PathBase(path)
	if err != nil || !keepsKeys(name) {
		return file, err
	}
	if !strings.HasSuffix(name, ".log") {
		f.manifests++
	}
	f.live[name] = true
	return &watched{file, f, name}, nil
}

// keepsKeys names the files of Pebble that outlive their use.
func keepsKeys(name string) bool {
	return strings.HasSuffix(name, ".log") || strings.HasPrefix(name, "MANIFEST-")
}

// watched is a file that is being written.
type watched struct {
	vfs.File
	fs   *stateFS
	name string
}

// Close ends that.
func (w *watched) Close() error {
	err := w.File.Close()
	w.fs.mu.Lock()
	defer w.fs.mu.Unlock()
	delete(w.fs.live, w.name)
	return err
}

// made is how many manifests there were until now.
func (f *stateFS) made() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.manifests
}

// keepFresh says whether logs may be taken over.
func (f *stateFS) keepFresh(fresh bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fresh = fresh
}

// empty writes zeros over files that were listed while they may have been in use
// and are not any more.
func (f *stateFS) empty(names []string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, name := range names {
		if !keepsKeys(name) || f.live[name] {
			continue
		}
		if err := f.zero(f.PathJoin(f.dir, name)); err != nil {
			return fmt.Errorf("emptying %s: %w", name, err)
		}
	}
	return nil
}

func (f *stateFS) zero(path string) error {
	info, err := f.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	file, err := f.FS.OpenReadWrite(path, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	zeros := make([]byte, 1<<16)
	for at := int64(0); at < info.Size() && err == nil; at += int64(len(zeros)) {
		_, err = file.WriteAt(zeros[:min(int64(len(zeros)), info.Size()-at)], at)
	}
	if err == nil {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}

// scrubState has Pebble rewrite everything that a deletion still lies above, and
// empties the files that it keeps for later. No snapshot may be open.
func (h *Host) scrubState(ctx context.Context) error {
	h.stateFS.keepFresh(true)
	defer h.stateFS.keepFresh(false)
	names, err := h.stateFS.List(h.stateFS.dir)
	if err != nil {
		return fmt.Errorf("listing state store: %w", err)
	}
	if err := h.db.Flush(); err != nil {
		return fmt.Errorf("flushing state store: %w", err)
	}
	if err := h.db.Compact(ctx, []byte{0}, []byte{math.MaxUint8, math.MaxUint8}, true); err != nil {
		return fmt.Errorf("compacting state store: %w", err)
	}
	if err := h.freshManifest(ctx); err != nil {
		return err
	}
	return h.stateFS.empty(names)
}

// freshManifest has Pebble begin a manifest, which it does once enough files
// changed, and waits until that one is in force.
func (h *Host) freshManifest(ctx context.Context) error {
	was, more := h.stateFS.made(), 2 // the edit after the one that began it finds it in force
	for more > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		if h.stateFS.made() > was {
			more--
		}
		if err := h.save(func(b *pebble.Batch) error { return b.Set(meta(metaScrubbed), []byte{1}, nil) }); err != nil {
			return err
		}
		if err := h.db.Flush(); err != nil {
			return fmt.Errorf("flushing state store: %w", err)
		}
	}
	return nil
}
