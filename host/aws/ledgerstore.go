package aws

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

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
	name := fmt.Sprintf("checkpoints/%020d", c.Size)
	if err = h.writeObject(ctx, bucketProof, name, note, &swap{}); !errors.Is(err, ledger.ErrMoved) {
		return err
	}
	kept, _, err := h.readObject(ctx, bucketProof, name)
	if err == nil && !bytes.Equal(kept, note) { // else an earlier try did it
		err = errSplit{fmt.Sprintf("another checkpoint of %d leaves was published before: the ledger would fork", c.Size)}
	}
	return err
}
