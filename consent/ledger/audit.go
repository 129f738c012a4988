package ledger

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

// feed adds the next leaf, and compares each tile that it completes.
func (a *audit) feed(leaf Leaf, sealed bool) error {
	hash, n := tlog.RecordHash(leaf[:]), a.size
	a.size++
	a.bundle = appendEntry(a.bundle, leaf)
	for level := 0; ; level++ {
		if level == len(a.levels) {
			a.levels = append(a.levels, nil)
		}
		a.levels[level] = append(a.levels[level], hash)
		if len(a.levels[level]) < width {
			return nil
		}
		n >>= height
		if err := a.checkTile(tlog.Tile{H: height, L: level, N: n, W: width}, sealed); err != nil {
			return err
		}
		hash = mth(a.levels[level])
		a.levels[level] = a.levels[level][:0]
		if level == 0 {
			a.bundle = a.bundle[:0]
		}
	}
}

// checkEdges compares the partial tiles of the tree fed so far.
func (a *audit) checkEdges(sealed bool) error {
	for _, t := range edges(a.size) {
		if t.L < 0 {
			continue // with its level-0 tile
		}
		if err := a.checkTile(t, sealed); err != nil {
			return err
		}
	}
	return nil
}

// checkTile compares a tile, and the bundle under it, with what was fed. Sealed
// ones must be there; others may be.
func (a *audit) checkTile(t tlog.Tile, sealed bool) error {
	want := make([]byte, 0, t.W*tlog.HashSize)
	for _, h := range a.levels[t.L][:t.W] {
		want = append(want, h[:]...)
	}
	if sealed {
		have, err := a.tile(t)
		if err != nil {
			return err
		}
		return a.differ(t, want, have)
	}
	if t.L == 0 {
		entries := t
		entries.L = -1
		if err := a.checkAhead(entries, a.bundle); err != nil {
			return err
		}
	}
	return a.checkAhead(t, want)
}

// checkAhead compares a tile that a crash may have left ahead of the checkpoint.
func (a *audit) checkAhead(t tlog.Tile, want []byte) error {
	name := tileName(t)
	have, err := fs.ReadFile(a.fsys, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return fmt.Errorf("reading ledger folder: %w", err)
	}
	a.checked[name] = true
	if !bytes.Equal(have, want) {
		return &Fault{name, firstLeaf(t, 0), "ahead of the checkpoint, and not what head leads to"}
	}
	return nil
}

// differ names what is wrong where a tile is not what its children hash to: the
// child, if the signed root proves the tile's hash; else the tile.
func (a *audit) differ(t tlog.Tile, want, have []byte) error {
	for i := 0; i < len(want); i += tlog.HashSize {
		if bytes.Equal(want[i:i+tlog.HashSize], have[i:i+tlog.HashSize]) {
			continue
		}
		n := t.N<<height + int64(i/tlog.HashSize)
		leaf := firstLeaf(t, i/tlog.HashSize)
		if _, err := a.proven.ReadHashes([]int64{tlog.StoredHashIndex(height*t.L, n)}); err != nil {
			return &Fault{tileName(t), leaf, "a hash is not that of what is under it"}
		}
		child := tileAt(t.L-1, n, a.report.Size)
		if t.L == 0 {
			child = tileAt(-1, t.N, a.report.Size)
		}
		return &Fault{tileName(child), leaf, "does not match its hash, which the signed root proves"}
	}
	return nil
}

// root is the Merkle tree hash of the leaves fed so far.
func (a *audit) root() tlog.Hash {
	root, some := tlog.Hash{}, false
	for _, hashes := range a.levels {
		if some {
			hashes = append(hashes[:len(hashes):len(hashes)], root)
		}
		if len(hashes) > 0 {
			root, some = mth(hashes), true
		}
	}
	if !some {
		root, _ = tlog.TreeHash(0, nil)
	}
	return root
}

// mth is RFC 6962's hash of subtrees of one size, the last of which may be smaller.
func mth(hashes []tlog.Hash) tlog.Hash {
	if len(hashes) == 1 {
		return hashes[0]
	}
	k := 1
	for k<<1 < len(hashes) {
		k <<= 1
	}
	return tlog.NodeHash(mth(hashes[:k]), mth(hashes[k:]))
}

// feedHead checks head against the checkpoint: the same tree, whose last leaves
// are its batch, or the next one, whose leaves follow.
func (a *audit) feedHead(c Checkpoint, h head) error {
	switch {
	case h.Size == c.Size && bytes.Equal(h.Note, c.Note):
		return a.checkBatch(h)
	case h.Size <= c.Size || h.first() != c.Size:
		return &Fault{headName, -1, fmt.Sprintf("leads from %d to %d leaves, but the checkpoint has %d", h.first(), h.Size, c.Size)}
	}
	for _, leaf := range h.batch {
		if err := a.feed(leaf, false); err != nil {
			return err
		}
	}
	if a.root() != h.Root {
		return &Fault{headName, c.Size, "signs another root than its batch leads to"}
	}
	a.report.Unsealed = int64(len(h.batch))
	return a.checkEdges(false)
}

// checkBatch compares the batch of a published head with the leaves it became.
func (a *audit) checkBatch(h head) error {
	leaves, err := leavesFrom(newReader(h.Size, a.sealed.read), h.first())
	if err != nil {
		return err
	}
	for i, leaf := range leaves {
		if leaf != h.batch[i] {
			return &Fault{headName, h.first() + int64(i), "is not the leaf in the log"}
		}
	}
	return nil
}

// walk finds files that nothing asked for.
func (a *audit) walk() error {
	return fs.WalkDir(a.fsys, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil // removed by a writer meanwhile
		case err != nil:
			return fmt.Errorf("reading ledger folder: %w", err)
		case d.IsDir():
			return nil
		case !d.Type().IsRegular():
			return &Fault{name, -1, "not a plain file"}
		case a.checked[name]:
			return nil
		}
		return a.spare(name)
	})
}

// spare accepts the edge tile of a smaller tree, if its bytes are the front of
// what replaced it.
func (a *audit) spare(name string) error {
	t, err := parseTileName(name)
	if err != nil {
		return &Fault{name, -1, "does not belong to the ledger"}
	}
	wide := tileAt(t.L, t.N, a.report.Size)
	if !strings.Contains(name, ".p/") || t.W >= wide.W {
		return &Fault{name, firstLeaf(t, 0), "does not belong to a ledger of this size"}
	}
	have, err := fs.ReadFile(a.fsys, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	want, err2 := fs.ReadFile(a.fsys, tileName(wide))
	if err := errors.Join(err, err2); err != nil {
		return fmt.Errorf("reading ledger folder: %w", err)
	}
	if len(have) != tileSize(t) || !bytes.HasPrefix(want, have) {
		return &Fault{name, firstLeaf(t, 0), "is not the front of the tile that replaced it"}
	}
	a.checked[name] = true
	a.report.Spare++
	return nil
}
