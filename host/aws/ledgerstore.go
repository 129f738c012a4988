package aws

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"github.com/handschlag/handschlag/consent/ledger"
)

// ledgerStore keeps the ledger's blobs as objects, and its head, which decides, as
// an item. Before a checkpoint is published a copy of it goes where nobody can take
// it away.
type ledgerStore struct {
	h *Host
	// after, if it is set, is the checkpoint that the next head must follow: of two
	// who took the same leaves in, one finds the head moved.
	after []byte
}

var _ ledger.Store = ledgerStore{}

// The blobs that are more than tiles.
const (
	ledgerHead       = "head"
	ledgerCheckpoint = "checkpoint"
	ledgerVerifier   = "verifier"
)

// errBehind says that the ledger grew since it was looked at.
var errBehind = errors.New("the ledger grew meanwhile")

// Read gives a blob.
func (s ledgerStore) Read(ctx context.Context, name string) ([]byte, error) {
	if name != ledgerHead {
		body, _, err := s.h.readObject(ctx, bucketLedger, name)
		return body, err
	}
	i, err := s.h.get(ctx, tableLedger, item{"name": str(ledgerHead)})
	if err == nil && i == nil {
		err = fmt.Errorf("the ledger's head: %w", fs.ErrNotExist)
	}
	return binOf(i, "body"), err
}

// Write makes or replaces a blob.
func (s ledgerStore) Write(ctx context.Context, name string, body []byte) error {
	return s.h.writeObject(ctx, bucketLedger, name, body, nil)
}

// Swap replaces a blob that is still old.
func (s ledgerStore) Swap(ctx context.Context, name string, old, body []byte) error {
	if name == ledgerHead {
		return s.decide(ctx, old, body)
	}
	if name == ledgerCheckpoint {
		if err := s.h.keepCheckpoint(ctx, body); err != nil {
			return err
		}
	}
	is := &swap{}
	if old != nil {
		now, etag, err := s.h.readObject(ctx, bucketLedger, name)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if is.etag = etag; err != nil || !bytes.Equal(now, old) {
			return ledger.ErrMoved
		}
	}
	return s.h.writeObject(ctx, bucketLedger, name, body, is)
}

// decide swaps the head, by the digest of what it was.
func (s ledgerStore) decide(ctx context.Context, old, body []byte) error {
	if s.after != nil && !bytes.HasSuffix(old, s.after) {
		return errBehind
	}
	is := sha256.Sum256(body)
	put := &dynamodb.PutItemInput{
		TableName: s.h.table(tableLedger), Item: item{"name": str(ledgerHead), "body": bin(body), "digest": bin(is[:])},
	}
	condition := "attribute_not_exists(body)"
	if old != nil {
		was := sha256.Sum256(old)
		condition, put.ExpressionAttributeValues = "digest = :was", item{":was": bin(was[:])}
	}
	put.ConditionExpression = &condition
	err := s.h.putOne(ctx, put)
	var moved *types.ConditionalCheckFailedException
	if errors.As(err, &moved) {
		return ledger.ErrMoved
	}
	return s.h.fault("dynamodb:PutItem", "table "+*put.TableName, err)
}

// Remove deletes a blob, if it is there.
func (s ledgerStore) Remove(ctx context.Context, name string) error {
	_, err := s.h.s3.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: s.h.bucket(bucketLedger), Key: &name})
	return s.h.fault("s3:DeleteObject", "bucket "+*s.h.bucket(bucketLedger), err)
}

// keepCheckpoint copies a signed checkpoint into the locked bucket, under its size.
// There is one for each size that was ever decided.
func (h *Host) keepCheckpoint(ctx context.Context, note []byte) error {
	c, err := ledger.OpenCheckpoint(h.keys.signer.Public, note)
	if err != nil {
		return err
	}
	err = h.writeObject(ctx, bucketProof, fmt.Sprintf("checkpoints/%020d", c.Size), note, &swap{})
	if errors.Is(err, ledger.ErrMoved) {
		return nil // an earlier try did it
	}
	return err
}

// swap says what a write replaces: the version with an ETag, or nothing at all.
type swap struct{ etag string }

// writeObject writes an object; if what it replaces is not there any more, it writes
// nothing and gives ledger.ErrMoved.
func (h *Host) writeObject(ctx context.Context, bucket, key string, body []byte, is *swap) error {
	in := &s3.PutObjectInput{Bucket: h.bucket(bucket), Key: &key, Body: bytes.NewReader(body)}
	if any := "*"; is != nil && is.etag != "" {
		in.IfMatch = &is.etag
	} else if is != nil {
		in.IfNoneMatch = &any
	}
	_, err := h.s3.PutObject(ctx, in)
	switch codeOf(err) {
	case "PreconditionFailed", "ConditionalRequestConflict":
		return ledger.ErrMoved
	}
	return h.fault("s3:PutObject", "bucket "+*in.Bucket, err)
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
	etag := ""
	if out.ETag != nil {
		etag = *out.ETag
	}
	return body, etag, nil
}

// codeOf is a service's word for what went wrong, "" for no error of a service.
func codeOf(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

// Verifier is the ledger's public key, as it lies beside the ledger.
func (h *Host) Verifier(ctx context.Context) (string, error) {
	if h.keys.signer != nil {
		return h.keys.signer.Public, nil
	}
	key, err := ledgerStore{h: h}.Read(ctx, ledgerVerifier)
	return strings.TrimSuffix(string(key), "\n"), err
}
