package ledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"

	"golang.org/x/mod/sumdb/tlog"
)

// Adopt puts a store's head forward again that was put back to an older one, or
// lost: to a signed checkpoint of the same log that was published, or about to be.
// Every leaf that the checkpoint covers is read and hashed first, and the log must
// cover what its head and its published checkpoint say; else nothing is changed. A
// head that is at the checkpoint, or was decided after it, stays: false.
func Adopt(ctx context.Context, store Store, signer Signer, note []byte) (bool, error) {
	c, err := openExact(signer.Public, note)
	if err != nil {
		return false, fmt.Errorf("adopting checkpoint: %w", err)
	}
	was, err := Published(ctx, store)
	if err != nil && !errors.Is(err, ErrNone) {
		return false, err
	}
	h, err := readHead(ctx, store, signer.Public)
	if err != nil && !errors.Is(err, ErrNone) {
		return false, err
	}
	if was.Note != nil && was.Size > c.Size {
		return false, fmt.Errorf("adopting checkpoint: it covers %d leaves, but one of %d is published", c.Size, was.Size)
	}
	if h.Note != nil && (h.Size > c.Size || h.Size == c.Size && h.Root == c.Root) {
		return false, nil
	}
	if err := covers(ctx, store, c, was, h.Checkpoint); err != nil {
		return false, err
	}
	var old []byte
	if h.Note != nil {
		old = h.blob()
	}
	if !bytes.Equal(was.Note, c.Note) { // first: a head without it would look finished to the next call
		if err := store.Swap(ctx, checkpointName, was.Note, c.Note); err != nil {
			return false, fmt.Errorf("replacing checkpoint: %w", err)
		}
	}
	if err := store.Swap(ctx, headName, old, head{Checkpoint: c}.blob()); err != nil {
		return false, fmt.Errorf("adopting checkpoint: %w", err)
	}
	return true, nil
}

// covers reads all leaves of a checkpoint and compares the roots on the way to it.
func covers(ctx context.Context, store Store, c Checkpoint, older ...Checkpoint) error {
	leaves, err := leavesFrom(newReader(c.Size, reading(ctx, store)), 0)
	if errors.Is(err, fs.ErrNotExist) {
		return &Fault{headName, -1, fmt.Sprintf("leaves that the checkpoint of %d covers are missing", c.Size)}
	}
	if err != nil {
		return err
	}
	empty, err := tlog.TreeHash(0, nil)
	if err != nil {
		return err
	}
	for _, x := range append(older, c) {
		if x.Note == nil {
			continue
		}
		g, err := grow(newReader(0, reading(ctx, store)), empty, leaves[:x.Size])
		if err != nil {
			return err
		}
		if g.root != x.Root {
			return &Fault{headName, x.Size, "the log's leaves are not what the checkpoint covers"}
		}
	}
	return nil
}
