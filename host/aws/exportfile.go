package aws

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/handschlag/handschlag/flow"
)

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
