package local

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
)

// Exports is DATA/exports.
func (h *Host) Exports(context.Context) fs.FS { return rooted(h.disk.path("exports")) }

// rooted is a folder that nothing leads out of: os.DirFS would follow a link.
type rooted string

// Open opens a file in the folder, which need not be there before.
func (dir rooted) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	return os.OpenInRoot(string(dir), filepath.FromSlash(name))
}
