package aws

import (
	"cmp"
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

	"github.com/handschlag/handschlag/flow"
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

// add takes an object of a run that is shown: DATE/RUN/FILE is DATE/FILE.
func (x *exports) add(runs map[string]string, e exportEntry) {
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

// exportFile is an opened file. It reads on where a broken transfer ended, from the
// same version of the object or not at all.
type exportFile struct {
	x *exports
	exportEntry
	at    int64
	body  io.ReadCloser
	tries int
}

var (
	_ flow.Linker = (*exportFile)(nil)
	_ io.Seeker   = (*exportFile)(nil)
)

// mostResumed is how often the transfer of one file is taken up again.
const mostResumed = 2

func (f *exportFile) Stat() (fs.FileInfo, error) { return f.exportEntry, nil }

// Read gives exactly as many bytes as the file has, or an error.
func (f *exportFile) Read(b []byte) (int, error) {
	for f.at < f.size {
		if f.body == nil {
			if err := f.fetch(); err != nil {
				return 0, err
			}
		}
		n, err := f.body.Read(b[:min(int64(len(b)), f.size-f.at)])
		f.at += int64(n)
		if err != nil {
			_ = f.Close()
		}
		if n > 0 || err == nil {
			return n, nil
		}
		if f.tries++; f.tries > mostResumed {
			return 0, fmt.Errorf("reading export %s: broken off at byte %d of %d: %w", f.key, f.at, f.size, cmp.Or(unexpected(err), err))
		}
	}
	return 0, io.EOF
}

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return nil
}

// fetch asks for the rest of the file, if it is still the one that was listed.
func (f *exportFile) fetch() error {
	from := fmt.Sprintf("bytes=%d-", f.at)
	in := &s3.GetObjectInput{Bucket: f.x.h.bucket(bucketExports), Key: &f.key, IfMatch: &f.etag}
	if f.at > 0 {
		in.Range = &from
	}
	out, err := f.x.h.s3.GetObject(f.x.ctx, in)
	if err != nil {
		return f.x.h.fault("s3:GetObject", "bucket "+*in.Bucket, err)
	}
	if got := sdk.ToInt64(out.ContentLength); got != f.size-f.at || sdk.ToString(out.ETag) != f.etag {
		_ = out.Body.Close()
		return fmt.Errorf("reading export %s: another file is there now", f.key)
	}
	f.body = out.Body
	return nil
}

// Seek moves to a place in the file.
func (f *exportFile) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += f.at
	case io.SeekEnd:
		offset += f.size
	}
	if offset < 0 || whence < io.SeekStart || whence > io.SeekEnd {
		return 0, &fs.PathError{Op: "seek", Path: f.key, Err: fs.ErrInvalid}
	}
	if offset != f.at {
		_ = f.Close()
		f.at = offset
	}
	return offset, nil
}

// Close ends the transfer.
func (f *exportFile) Close() error {
	if f.body == nil {
		return nil
	}
	body := f.body
	f.body = nil
	return body.Close()
}

// Link gives an address that serves this version of the file.
func (f *exportFile) Link(ctx context.Context, ttl time.Duration) (string, error) {
	as := "attachment; filename=" + f.name
	out, err := s3.NewPresignClient(f.x.h.s3).PresignGetObject(ctx, &s3.GetObjectInput{
		Bucket: f.x.h.bucket(bucketExports), Key: &f.key, ResponseContentDisposition: &as,
	}, s3.WithPresignExpires(ttl))
	if err != nil {
		return "", f.x.h.fault("s3:GetObject", "bucket "+*f.x.h.bucket(bucketExports), err)
	}
	return out.URL, nil
}
