package aws

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Exports gives the exports that current.json names, as they were when it was first
// looked at. Files are read as they were then, or not at all.
func (h *Host) Exports(ctx context.Context) fs.FS { return &exports{h: h, ctx: ctx} }

// exports is a listing of the bucket, made once.
type exports struct {
	h   *Host
	ctx context.Context

	once  sync.Once
	files map[string]exportEntry
	err   error
}

// verifierKey is the public key of the manifests' signatures.
const verifierKey = "verifier"

// exportEntry is a file's or a folder's place in the listing.
type exportEntry struct {
	name  string // base name
	key   string
	size  int64
	etag  string
	at    time.Time
	isDir bool
}

func (e exportEntry) Name() string               { return e.name }
func (e exportEntry) Size() int64                { return e.size }
func (e exportEntry) ModTime() time.Time         { return e.at }
func (e exportEntry) IsDir() bool                { return e.isDir }
func (e exportEntry) Sys() any                   { return nil }
func (e exportEntry) Type() fs.FileMode          { return e.Mode().Type() }
func (e exportEntry) Info() (fs.FileInfo, error) { return e, nil }
func (e exportEntry) String() string             { return fs.FormatDirEntry(e) }

func (e exportEntry) Mode() fs.FileMode {
	if e.isDir {
		return fs.ModeDir | 0o555
	}
	return 0o444
}

// list reads the pointer and the names of all exports: some tens for each night that
// is kept.
func (x *exports) list() error {
	x.once.Do(func() {
		x.files = map[string]exportEntry{".": {name: ".", isDir: true}}
		runs, err := x.runs()
		if err != nil {
			x.err = err
			return
		}
		pages := s3.NewListObjectsV2Paginator(x.h.s3, &s3.ListObjectsV2Input{Bucket: x.h.bucket(bucketExports)})
		for pages.HasMorePages() {
			page, err := pages.NextPage(x.ctx)
			if err != nil {
				x.err = x.h.fault("s3:ListBucket", "bucket "+*x.h.bucket(bucketExports), err)
				return
			}
			for _, o := range page.Contents {
				x.add(runs, exportEntry{key: *o.Key, size: sdk.ToInt64(o.Size), etag: sdk.ToString(o.ETag), at: sdk.ToTime(o.LastModified).UTC()})
			}
		}
	})
	return x.err
}

// runs reads which run of each date is shown; before the first night there is none.
func (x *exports) runs() (map[string]string, error) {
	var shown struct {
		Nights map[string]string `json:"nights"`
	}
	body, _, err := x.h.readObject(x.ctx, bucketExports, "current.json")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil {
		err = json.Unmarshal(body, &shown)
	}
	if err != nil {
		return nil, fmt.Errorf("reading current.json of bucket %s: %w", *x.h.bucket(bucketExports), err)
	}
	return shown.Nights, nil
}

// add takes an object of a run that is shown: DATE/RUN/FILE is DATE/FILE; and the public
// key of the manifests.
func (x *exports) add(runs map[string]string, e exportEntry) {
	if e.key == verifierKey {
		e.name = verifierKey
		x.files[e.name] = e
		return
	}
	date, _, _ := strings.Cut(e.key, "/")
	file, ours := strings.CutPrefix(e.key, date+"/"+runs[date]+"/")
	if !ours || runs[date] == "" || !fs.ValidPath(file) || file == "." || strings.Contains(file, "/") {
		return
	}
	e.name = file
	x.files[date] = exportEntry{name: date, isDir: true}
	x.files[date+"/"+file] = e
}

// find looks a name up in the listing.
func (x *exports) find(op, name string) (exportEntry, error) {
	bad := func(err error) (exportEntry, error) {
		return exportEntry{}, &fs.PathError{Op: op, Path: name, Err: err}
	}
	if !fs.ValidPath(name) {
		return bad(fs.ErrInvalid)
	}
	if err := x.list(); err != nil {
		return bad(err)
	}
	e, is := x.files[name]
	if !is {
		return bad(fs.ErrNotExist)
	}
	return e, nil
}

// Open opens a file or folder. A file's content is fetched when it is read.
func (x *exports) Open(name string) (fs.File, error) {
	e, err := x.find("open", name)
	if err != nil {
		return nil, err
	}
	if e.isDir {
		all, err := x.ReadDir(name)
		return &folder{exportEntry: e, left: all}, err
	}
	return &exportFile{x: x, exportEntry: e}, nil
}

// Stat says what the listing has of a name.
func (x *exports) Stat(name string) (fs.FileInfo, error) { return x.find("stat", name) }

// ReadDir lists a folder by name.
func (x *exports) ReadDir(name string) ([]fs.DirEntry, error) {
	if e, err := x.find("readdir", name); err != nil {
		return nil, err
	} else if !e.isDir {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: errors.New("not a folder")}
	}
	out := []fs.DirEntry{}
	for at, e := range x.files {
		if at != "." && path.Dir(at) == name {
			out = append(out, e)
		}
	}
	slices.SortFunc(out, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return out, nil
}

// folder is an opened folder.
type folder struct {
	exportEntry
	left []fs.DirEntry
}

func (f *folder) Stat() (fs.FileInfo, error) { return f.exportEntry, nil }
func (f *folder) Close() error               { return nil }

func (f *folder) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: f.name, Err: errors.New("is a folder")}
}

// ReadDir gives the next n entries, all that are left if n <= 0.
func (f *folder) ReadDir(n int) ([]fs.DirEntry, error) {
	if n > 0 && len(f.left) == 0 {
		return nil, io.EOF
	}
	if n <= 0 || n > len(f.left) {
		n = len(f.left)
	}
	some := f.left[:n]
	f.left = f.left[n:]
	return some, nil
}
