package local

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// disk is the file system under the data folder: the real one, or one in memory
// whose power can be cut.
type disk struct {
	vfs.FS
	dir string
	tmp atomic.Uint64
}

func newDisk(fsys vfs.FS, dir string) *disk {
	if fsys == nil {
		fsys = vfs.Default
	}
	return &disk{FS: fsys, dir: dir}
}

// path names a file in the data folder.
func (d *disk) path(parts ...string) string {
	return d.PathJoin(append([]string{d.dir}, parts...)...)
}

// folder makes a folder that outlives a power cut.
func (d *disk) folder(path string) error {
	if _, err := d.Stat(path); err == nil {
		return nil
	}
	if err := d.MkdirAll(path, 0o700); err != nil {
		return err
	}
	for p := path; p != d.dir && p != d.PathDir(p); p = d.PathDir(p) {
		if err := d.sync(d.PathDir(p)); err != nil {
			return err
		}
	}
	return nil
}

// sync makes a folder's entries durable.
func (d *disk) sync(dir string) error {
	f, err := d.OpenDir(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// read gives a whole file.
func (d *disk) read(path string) ([]byte, error) {
	f, err := d.Open(path)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(f)
	return b, errors.Join(err, f.Close())
}

// replace writes a file that is seen whole or not at all, and is durable when it
// returns. Half-written ones lie in DATA/tmp, which is emptied at open.
func (d *disk) replace(path string, private bool, write func(io.Writer) error) error {
	tmp := d.path("tmp", fmt.Sprintf("%d", d.tmp.Add(1)))
	f, err := d.Create(tmp, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	if private && d.real() {
		err = os.Chmod(tmp, 0o600)
	}
	if err == nil {
		err = write(f)
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, d.Remove(tmp))
	}
	if err := d.Rename(tmp, path); err != nil {
		return err
	}
	return d.sync(d.PathDir(path))
}

func (d *disk) replaceBytes(path string, private bool, body []byte) error {
	return d.replace(path, private, func(w io.Writer) error {
		_, err := w.Write(bytes.Clone(body)) // a file in memory may scribble on what it is given
		return err
	})
}

// real says whether the files are real ones.
func (d *disk) real() bool { return d.FS == vfs.Default }

// has reports whether a file is there.
func (d *disk) has(path string) (bool, error) {
	_, err := d.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// clear empties DATA/tmp of what a crash left.
func (d *disk) clear() error {
	if err := d.RemoveAll(d.path("tmp")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return d.folder(d.path("tmp"))
}
