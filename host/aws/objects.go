package aws

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/handschlag/handschlag/consent/ledger"
)

// object is an object as a listing shows it.
type object struct {
	key, etag string
	size      int64
}

// atOnce is how many objects are moved side by side.
const atOnce = 12

// objects lists a bucket below a prefix, in the order of keys.
func (h *Host) objects(ctx context.Context, bucket, prefix string) (out []object, err error) {
	in := &s3.ListObjectsV2Input{Bucket: h.bucket(bucket), Prefix: &prefix}
	for pages := s3.NewListObjectsV2Paginator(h.s3, in); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, h.fault("s3:ListBucket", "bucket "+*in.Bucket, err)
		}
		for _, o := range page.Contents {
			out = append(out, object{sdk.ToString(o.Key), sdk.ToString(o.ETag), sdk.ToInt64(o.Size)})
		}
	}
	return out, nil
}

// download writes an object to a file, whole or not at all, and gives its SHA-256:
// as long as the listing said, with the ETag that it had then. An object that came
// short or was changed is an error that names it.
func (h *Host) download(ctx context.Context, bucket string, o object, path string) (sum string, err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", err
	}
	for n := 0; ; n++ {
		sum, err = h.downloadOnce(ctx, bucket, o, path)
		var short errShort
		if !errors.As(err, &short) || n+1 == bodyTries || ctx.Err() != nil {
			return sum, err
		}
		if err := pause(ctx, n+4); err != nil {
			return "", err
		}
	}
}

// bodyTries is how often an object is asked for whose body breaks off.
const bodyTries = 3

// errChanged says that an object is not, or is no more, what a listing showed.
var errChanged = errors.New("was changed while it was read")

// errShort is an object that did not come whole.
type errShort struct{ why string }

func (e errShort) Error() string { return e.why }

func (h *Host) downloadOnce(ctx context.Context, bucket string, o object, path string) (sum string, err error) {
	name := "object " + o.key + " of bucket " + *h.bucket(bucket)
	in := &s3.GetObjectInput{Bucket: h.bucket(bucket), Key: &o.key, ChecksumMode: types.ChecksumModeEnabled}
	if o.etag != "" {
		in.IfMatch = &o.etag
	}
	out, err := h.s3.GetObject(ctx, in)
	if code := codeOf(err); code == "PreconditionFailed" || code == "NoSuchKey" || statusOf(err) == http.StatusPreconditionFailed {
		return "", fmt.Errorf("%s %w", name, errChanged)
	}
	if err != nil {
		return "", h.fault("s3:GetObject", name, err)
	}
	defer func() { err = errors.Join(err, out.Body.Close()) }()
	if o.etag != "" && sdk.ToString(out.ETag) != o.etag {
		return "", fmt.Errorf("%s %w", name, errChanged)
	}
	whole, wire := sha256.New(), md5.New()
	n, err := copyToFile(path, io.TeeReader(out.Body, io.MultiWriter(whole, wire)))
	if err == nil && n != o.size {
		err = errShort{fmt.Sprintf("%s came short: %d of %d bytes", name, n, o.size)}
	} else if err != nil {
		err = errShort{fmt.Sprintf("%s came short: %d of %d bytes, %s", name, n, o.size, oneLine(err))}
	} else if !intact(out, wire, o) {
		err = errShort{name + " is damaged: its ETag is not its MD5"}
	}
	if err != nil {
		return "", errors.Join(err, os.Remove(path))
	}
	return hex.EncodeToString(whole.Sum(nil)), nil
}

// intact compares with an ETag that is an MD5: those of objects that were put whole
// and are not encrypted by KMS.
func intact(out *s3.GetObjectOutput, wire hash.Hash, o object) bool {
	etag := strings.Trim(o.etag, `"`)
	if len(etag) != 32 || out.ServerSideEncryption == types.ServerSideEncryptionAwsKms || out.ServerSideEncryption == types.ServerSideEncryptionAwsKmsDsse {
		return true
	}
	return etag == hex.EncodeToString(wire.Sum(nil))
}

// copyToFile writes a file beside its place and moves it there.
func copyToFile(path string, from io.Reader) (n int64, err error) {
	f, err := os.OpenFile(path+".part", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, err
	}
	n, err = io.Copy(f, from)
	if err = errors.Join(err, f.Close()); err != nil {
		return n, errors.Join(err, os.Remove(path+".part"))
	}
	return n, os.Rename(path+".part", path)
}

func statusOf(err error) int {
	var res *smithyhttp.ResponseError
	if errors.As(err, &res) && res.Response != nil {
		return res.HTTPStatusCode()
	}
	return 0
}

// upload puts a file, under conditions as writeObject does, and gives what a listing
// will show of it.
func (h *Host) upload(ctx context.Context, bucket, key, path string, is *swap) (object, error) {
	f, err := os.Open(path)
	if err != nil {
		return object{}, err
	}
	defer func() { _ = f.Close() }() // only read
	info, err := f.Stat()
	if err != nil {
		return object{}, err
	}
	etag, err := h.put(ctx, bucket, key, f, is)
	return object{key, etag, info.Size()}, err
}

// put is writeObject that gives the ETag.
func (h *Host) put(ctx context.Context, bucket, key string, body io.ReadSeeker, is *swap) (etag string, err error) {
	in := &s3.PutObjectInput{Bucket: h.bucket(bucket), Key: &key, Body: body}
	if is != nil && is.etag != "" {
		in.IfMatch = &is.etag
	} else if is != nil {
		in.IfNoneMatch = sdk.String("*")
	}
	out, err := h.s3.PutObject(ctx, in)
	if code := codeOf(err); code == "PreconditionFailed" || code == "ConditionalRequestConflict" || is != nil && is.etag != "" && code == "NoSuchKey" {
		return "", ledger.ErrMoved
	}
	if err != nil {
		return "", h.fault("s3:PutObject", "object "+key+" of bucket "+*in.Bucket, err)
	}
	return sdk.ToString(out.ETag), nil
}

// swap says what a write replaces: the version with an ETag, or nothing at all.
type swap struct{ etag string }

// writeObject writes an object; if what it replaces is not there any more, it writes
// nothing and gives ledger.ErrMoved.
func (h *Host) writeObject(ctx context.Context, bucket, key string, body []byte, is *swap) error {
	_, err := h.put(ctx, bucket, key, bytes.NewReader(body), is)
	return err
}

// readObject reads an object and its ETag; fs.ErrNotExist if there is none.
func (h *Host) readObject(ctx context.Context, bucket, key string) ([]byte, string, error) {
	out, err := h.s3.GetObject(ctx, &s3.GetObjectInput{Bucket: h.bucket(bucket), Key: &key})
	if code := codeOf(err); code == "NoSuchKey" || code == "NotFound" {
		return nil, "", fmt.Errorf("object %s: %w", key, fs.ErrNotExist)
	}
	if err != nil {
		return nil, "", h.fault("s3:GetObject", "bucket "+*h.bucket(bucket), err)
	}
	body, err := io.ReadAll(out.Body)
	if err = errors.Join(err, out.Body.Close()); err != nil {
		return nil, "", fmt.Errorf("reading object %s: %w", key, err)
	}
	if out.ContentLength != nil && int64(len(body)) != *out.ContentLength {
		return nil, "", fmt.Errorf("reading object %s: %d of %d bytes", key, len(body), *out.ContentLength)
	}
	return body, sdk.ToString(out.ETag), nil
}

// codeOf is a service's word for what went wrong, "" for no error of a service.
func codeOf(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

// drop deletes objects, those that are not there too.
func (h *Host) drop(ctx context.Context, bucket string, keys []string) error {
	return each(ctx, len(keys), atOnce, func(ctx context.Context, i int) error {
		_, err := h.s3.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: h.bucket(bucket), Key: &keys[i]})
		return h.fault("s3:DeleteObject", "object "+keys[i]+" of bucket "+*h.bucket(bucket), err)
	})
}
