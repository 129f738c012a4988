package ledger

import (
	"context"
	"errors"
)

// Names of the blobs that are not tiles.
const (
	headName       = "head"
	checkpointName = "checkpoint"
	verifierName   = "verifier"
)

// Errors that a caller acts on.
var (
	// ErrMoved is what Swap returns when the blob is not what the caller read.
	ErrMoved = errors.New("ledger blob moved")
	// ErrNone: the store holds no ledger. Only Create may start one.
	ErrNone = errors.New("no ledger")
	// ErrDecided: the leaves are in, but publishing the checkpoint that covers them,
	// or tidying up after it, failed. The next Append or Create does it.
	ErrDecided = errors.New("leaves decided but not published")
)

// Store keeps named blobs: slash-separated names, a folder of files or a bucket.
// Every write is durable when it returns and is seen whole or not at all; a file
// store puts its temporary files outside the ledger's folder, because Verify
// reports every file that does not belong there.
type Store interface {
	// Read gives a blob. If there is none the error is an fs.ErrNotExist.
	Read(ctx context.Context, name string) ([]byte, error)
	// Write makes or replaces a blob.
	Write(ctx context.Context, name string, body []byte) error
	// Swap replaces a blob if it is still old; nil old means that there must be
	// none. Otherwise it changes nothing and returns ErrMoved. Swaps of one name
	// are atomic among all writers (S3: If-Match; files: a lock).
	Swap(ctx context.Context, name string, old, body []byte) error
	// Remove deletes a blob; one that is not there is no error.
	Remove(ctx context.Context, name string) error
}
