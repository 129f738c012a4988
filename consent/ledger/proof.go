package ledger

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"golang.org/x/mod/sumdb/tlog"
)

// Published is the current checkpoint, ErrNone if there is none yet. Its
// signature is for whoever receives it to check.
func Published(ctx context.Context, store Store) (Checkpoint, error) {
	signed, err := store.Read(ctx, checkpointName)
	if errors.Is(err, fs.ErrNotExist) {
		return Checkpoint{}, ErrNone
	} else if err != nil {
		return Checkpoint{}, fmt.Errorf("reading checkpoint: %w", err)
	}
	return parseUnverified(signed)
}

// Leaves are the log's leaves from index from up to the current checkpoint.
func Leaves(ctx context.Context, store Store, from int64) ([]Leaf, error) {
	return atRest(ctx, store, func(c Checkpoint, r *reader) ([]Leaf, error) {
		if from < 0 || from > c.Size {
			return nil, fmt.Errorf("reading leaves from %d: the log has %d", from, c.Size)
		}
		return leavesFrom(r, from)
	})
}

func leavesFrom(r *reader, from int64) ([]Leaf, error) {
	out := make([]Leaf, 0, r.size-from)
	for i := from; i < r.size; i++ {
		bundle, err := r.blob(-1, i>>height)
		if err != nil {
			return nil, err
		}
		leaf, err := entryAt(bundle, int(i%width))
		if err != nil {
			return nil, err
		}
		out = append(out, leaf)
	}
	return out, nil
}

// Inclusion proves that the log's leaf number index is in its tree of size, which
// is at most the current checkpoint's.
func Inclusion(ctx context.Context, store Store, index, size int64) (tlog.RecordProof, error) {
	return atRest(ctx, store, func(c Checkpoint, r *reader) (tlog.RecordProof, error) {
		if index < 0 || index >= size || size > c.Size {
			return nil, fmt.Errorf("proving leaf %d of %d: the log has %d", index, size, c.Size)
		}
		return tlog.ProveRecord(size, index, r.hashes(c.Root))
	})
}

// Consistency proves that the log's tree of size before is how its tree of size
// after begins.
func Consistency(ctx context.Context, store Store, before, after int64) (tlog.TreeProof, error) {
	return atRest(ctx, store, func(c Checkpoint, r *reader) (tlog.TreeProof, error) {
		if before < 0 || before > after || after > c.Size {
			return nil, fmt.Errorf("proving %d leaves to begin %d: the log has %d", before, after, c.Size)
		}
		if before == 0 { // the empty tree begins every tree; RFC 6962 has no proof for it
			return nil, nil
		}
		return tlog.ProveTree(after, before, r.hashes(c.Root))
	})
}

// atRest reads under the current checkpoint, and again if a writer removed an
// edge tile meanwhile.
func atRest[T any](ctx context.Context, store Store, read func(Checkpoint, *reader) (T, error)) (T, error) {
	var none T
	for {
		c, err := Published(ctx, store)
		if err != nil {
			return none, err
		}
		out, err := read(c, newReader(c.Size, reading(ctx, store)))
		if err == nil {
			return out, nil
		}
		if now, again := Published(ctx, store); !errors.Is(err, fs.ErrNotExist) || again != nil || now.Size == c.Size {
			return none, err
		}
	}
}

// reading is a store's Read for a reader.
func reading(ctx context.Context, store Store) func(string) ([]byte, error) {
	return func(name string) ([]byte, error) { return store.Read(ctx, name) }
}

// CheckInclusion checks, with nothing but the public key, that a leaf is entry
// number index of the log that a checkpoint speaks of.
func CheckInclusion(public string, signed []byte, leaf Leaf, index int64, proof tlog.RecordProof) error {
	c, err := OpenCheckpoint(public, signed)
	if err != nil {
		return err
	}
	if index < 0 || index >= c.Size {
		return fmt.Errorf("checking leaf %d: the checkpoint covers %d", index, c.Size)
	}
	if err := tlog.CheckRecord(proof, c.Size, c.Root, index, tlog.RecordHash(leaf[:])); err != nil {
		return fmt.Errorf("checking leaf %d: %w", index, err)
	}
	return nil
}

// CheckConsistency checks, with nothing but the public key, that the log of the
// newer checkpoint begins with all that the older one covers.
func CheckConsistency(public string, older, newer []byte, proof tlog.TreeProof) error {
	was, err := OpenCheckpoint(public, older)
	if err != nil {
		return err
	}
	is, err := OpenCheckpoint(public, newer)
	if err != nil {
		return err
	}
	switch {
	case was.Size > is.Size:
		return fmt.Errorf("checking consistency: the log shrank from %d to %d", was.Size, is.Size)
	case was.Size == 0 && len(proof) == 0:
		return nil
	case was.Size == 0:
		return errors.New("checking consistency: a proof where none is needed")
	}
	if err := tlog.CheckTree(proof, is.Size, is.Root, was.Size, was.Root); err != nil {
		return fmt.Errorf("checking consistency of %d with %d: %w", was.Size, is.Size, err)
	}
	return nil
}
