package ledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"

	"golang.org/x/mod/sumdb/tlog"
)

// Create starts an empty log in a store that has none, and finishes what a crash
// left in one that has. Call it when a host opens.
func Create(ctx context.Context, store Store, signer Signer) (Checkpoint, error) {
	if err := claim(ctx, store, signer); err != nil {
		return Checkpoint{}, err
	}
	h, err := readHead(ctx, store, signer.Public)
	if errors.Is(err, ErrNone) {
		if h, err = birth(ctx, store, signer); errors.Is(err, ErrMoved) {
			h, err = readHead(ctx, store, signer.Public)
		}
	}
	if err != nil {
		return Checkpoint{}, err
	}
	if err := publish(ctx, store, signer.Public, h); err != nil {
		return Checkpoint{}, err
	}
	return h.Checkpoint, prune(ctx, store, h)
}

// claim writes the public key beside the log, or checks that it is ours.
func claim(ctx context.Context, store Store, signer Signer) error {
	key, err := store.Read(ctx, verifierName)
	if errors.Is(err, fs.ErrNotExist) {
		err = store.Write(ctx, verifierName, []byte(signer.Public+"\n"))
	} else if err == nil && string(key) != signer.Public+"\n" {
		err = errors.New("the ledger belongs to another key")
	}
	if err != nil {
		return fmt.Errorf("writing the ledger's public key: %w", err)
	}
	return nil
}

// birth decides on the empty tree. A ledger that lost its head is not reborn:
// that would be a fork.
func birth(ctx context.Context, store Store, signer Signer) (head, error) {
	if _, err := store.Read(ctx, checkpointName); !errors.Is(err, fs.ErrNotExist) {
		return head{}, errors.Join(errors.New("creating ledger: there is a checkpoint but no head"), err)
	}
	root, err := tlog.TreeHash(0, nil)
	if err != nil {
		return head{}, fmt.Errorf("creating ledger: %w", err)
	}
	c, err := sign(signer, 0, root)
	if err != nil {
		return head{}, err
	}
	h := head{Checkpoint: c}
	if err := store.Swap(ctx, headName, nil, h.blob()); err != nil {
		return head{}, fmt.Errorf("creating ledger: %w", err)
	}
	return h, nil
}

// Append adds leaves in order and returns the index of the first, and the
// published checkpoint that covers them. The log grows with the batch or not at
// all. With no leaves it only finishes what a crash left.
//
// After ErrDecided the leaves are in, at the index returned. After another error
// they may be in or not. A caller that tries again calls Append without leaves
// first, which finishes what was decided, and then looks for its own in Leaves,
// from the last index it knows.
func Append(ctx context.Context, store Store, signer Signer, leaves []Leaf) (int64, Checkpoint, error) {
	for {
		h, err := readHead(ctx, store, signer.Public)
		if err != nil {
			return 0, Checkpoint{}, err
		}
		c, err := extend(ctx, store, signer, h, leaves)
		if err == nil || errors.Is(err, ErrDecided) {
			return h.Size, c, err
		}
		// Another writer may have decided, and removed edge tiles that we were reading.
		if now, again := readHead(ctx, store, signer.Public); again != nil || now.Size == h.Size {
			return 0, Checkpoint{}, err
		}
	}
}

// extend makes one attempt to add a batch to the tree of h.
func extend(ctx context.Context, store Store, signer Signer, h head, leaves []Leaf) (Checkpoint, error) {
	if err := publish(ctx, store, signer.Public, h); err != nil || len(leaves) == 0 {
		return h.Checkpoint, err
	}
	g, err := grow(newReader(h.Size, reading(ctx, store)), h.Root, leaves)
	if err != nil {
		return Checkpoint{}, err
	}
	c, err := sign(signer, g.size, g.root)
	if err != nil {
		return Checkpoint{}, err
	}
	next := head{c, leaves}
	if err := decide(ctx, store, h, next); err != nil {
		return Checkpoint{}, err
	}
	if err := publish(ctx, store, signer.Public, next); err != nil {
		return c, fmt.Errorf("%w: %w", ErrDecided, err)
	}
	if err := prune(ctx, store, next); err != nil {
		return c, fmt.Errorf("%w: %w", ErrDecided, err)
	}
	return c, nil
}

// decide swaps the head. A swap that failed but was done, or was repeated on the
// way, leaves our own bytes there: that is a success.
func decide(ctx context.Context, store Store, h, next head) error {
	err := store.Swap(ctx, headName, h.blob(), next.blob())
	if err == nil {
		return nil
	}
	if now, e := store.Read(ctx, headName); e == nil && bytes.Equal(now, next.blob()) {
		return nil
	}
	return fmt.Errorf("deciding on ledger head: %w", err)
}

// publish copies a decided head to where readers look. If that fails because
// another writer, who found it unfinished, has done it, it is done.
func publish(ctx context.Context, store Store, public string, h head) error {
	was, err := Published(ctx, store)
	if err != nil && !errors.Is(err, ErrNone) {
		return err
	}
	if was.Note != nil && was.Size >= h.Size {
		return follows(ctx, store, public, h, was)
	}
	if err = copyOut(ctx, store, h, was); err == nil {
		return nil
	}
	if now, again := Published(ctx, store); again == nil && now.Size >= h.Size {
		return follows(ctx, store, public, h, now)
	}
	return fmt.Errorf("publishing ledger head: %w", err)
}

// follows is nil if a checkpoint that is published already is that of the head, or of
// one that another writer decided on since. A head that was put back to an older one
// is a *Fault: whatever would be added to it is a fork.
func follows(ctx context.Context, store Store, public string, h head, published Checkpoint) error {
	if published.Size == h.Size && published.Root == h.Root {
		return nil
	}
	now, err := readHead(ctx, store, public)
	if err != nil {
		return err
	}
	if now.Size > published.Size || now.Size == published.Size && now.Root == published.Root {
		return nil
	}
	return &Fault{headName, now.Size, fmt.Sprintf("is a head of %d leaves, but a checkpoint of %d is published: it was put back to an older one", now.Size, published.Size)}
}

// copyOut writes tiles first, checkpoint last. Doing it twice, or by two writers
// at once, does the same.
func copyOut(ctx context.Context, store Store, h head, was Checkpoint) error {
	if err := writeTiles(ctx, store, h, was); err != nil {
		return err
	}
	if err := store.Swap(ctx, checkpointName, was.Note, h.Note); err != nil {
		return fmt.Errorf("replacing checkpoint: %w", err)
	}
	return nil
}

// prune removes the edge tiles of the tree before, which wider ones contain. A
// reader that still wants one finds its bytes at the front of the wider one.
func prune(ctx context.Context, store Store, h head) error {
	keep := map[tlog.Tile]bool{}
	for _, t := range edges(h.Size) {
		keep[t] = true
	}
	for _, t := range edges(h.first()) {
		if keep[t] {
			continue
		}
		if err := store.Remove(ctx, tileName(t)); err != nil {
			return fmt.Errorf("removing old edge tile: %w", err)
		}
	}
	return nil
}
