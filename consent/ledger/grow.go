package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/mod/sumdb/tlog"
)

// growth is a tree of old leaves, and the hashes that a batch adds to it.
type growth struct {
	old   tlog.HashReader
	from  int64       // storage index of the first new hash
	fresh []tlog.Hash // in storage order
	size  int64
	root  tlog.Hash
}

// grow computes the tree that a batch makes of the reader's. Every old hash it
// uses is proven under oldRoot first.
func grow(old *reader, oldRoot tlog.Hash, batch []Leaf) (*growth, error) {
	g := &growth{old: old.hashes(oldRoot), from: tlog.StoredHashCount(old.size), size: old.size}
	for _, leaf := range batch {
		hashes, err := tlog.StoredHashes(g.size, leaf[:], g)
		if err != nil {
			return nil, fmt.Errorf("adding leaf %d: %w", g.size, err)
		}
		g.fresh = append(g.fresh, hashes...)
		g.size++
	}
	root, err := tlog.TreeHash(g.size, g)
	if err != nil {
		return nil, fmt.Errorf("hashing the tree of %d leaves: %w", g.size, err)
	}
	g.root = root
	return g, nil
}

// ReadHashes makes growth a tlog.HashReader over old and new hashes.
func (g *growth) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var before []int64
	for _, i := range indexes {
		if i < g.from {
			before = append(before, i)
		}
	}
	old, err := g.old.ReadHashes(before)
	if err != nil {
		return nil, err
	}
	out := make([]tlog.Hash, len(indexes))
	for k, i := range indexes {
		if i < g.from {
			out[k], old = old[0], old[1:]
		} else {
			out[k] = g.fresh[i-g.from]
		}
	}
	return out, nil
}

// writeTiles writes the tiles that a head's batch completes or widens. Since the
// signed root must come out, every old hash that goes into them is right.
func writeTiles(ctx context.Context, store Store, h head, was Checkpoint) error {
	if was.Size != h.first() {
		return fmt.Errorf("its batch begins at %d, but the checkpoint ends at %d", h.first(), was.Size)
	}
	old := newReader(was.Size, reading(ctx, store))
	g, err := grow(old, was.Root, h.batch)
	if err != nil {
		return err
	}
	if g.root != h.Root {
		return errors.New("its batch does not lead to its root")
	}
	for _, t := range tlog.NewTiles(height, old.size, g.size) {
		body, err := tlog.ReadTileData(t, g)
		if err != nil {
			return fmt.Errorf("making %s: %w", tileName(t), err)
		}
		if t.L == 0 {
			if err := writeBundle(ctx, store, old, h.batch, t, body); err != nil {
				return err
			}
		}
		if err := store.Write(ctx, tileName(t), body); err != nil {
			return fmt.Errorf("writing %s: %w", tileName(t), err)
		}
	}
	return nil
}

// writeBundle writes the entries under a level-0 tile: the old ones, each checked
// against its hash, then the batch's.
func writeBundle(ctx context.Context, store Store, old *reader, batch []Leaf, t tlog.Tile, hashes []byte) error {
	bundle, start := []byte{}, t.N<<height
	if start < old.size {
		body, err := old.blob(-1, t.N)
		if err != nil {
			return err
		}
		bundle = slices.Clone(body)
	}
	for i := range len(bundle) / entrySize {
		leaf, err := entryAt(bundle, i)
		if err != nil || tlog.RecordHash(leaf[:]) != tlog.Hash(hashes[i*tlog.HashSize:]) {
			return fmt.Errorf("stored leaf %d does not match its hash", start+int64(i))
		}
	}
	for i := start + int64(len(bundle)/entrySize); i < start+int64(t.W); i++ {
		bundle = appendEntry(bundle, batch[i-old.size])
	}
	t.L = -1
	if err := store.Write(ctx, tileName(t), bundle); err != nil {
		return fmt.Errorf("writing %s: %w", tileName(t), err)
	}
	return nil
}
