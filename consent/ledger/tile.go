package ledger

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io/fs"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

// A tile holds 2^height hashes; c2sp.org/tlog-tiles fixes the height.
const (
	height = 8
	width  = 1 << height
	// entrySize is a leaf after its 16-bit length.
	entrySize = 2 + len(Leaf{})
)

// tileName is a tile's blob name. Level -1 are the entries.
func tileName(t tlog.Tile) string {
	name := strings.TrimPrefix(t.Path(), fmt.Sprintf("tile/%d/", height))
	return "tile/" + strings.Replace(name, "data/", "entries/", 1)
}

// parseTileName reads what tileName prints.
func parseTileName(name string) (tlog.Tile, error) {
	rest := strings.Replace(strings.TrimPrefix(name, "tile/"), "entries/", "data/", 1)
	t, err := tlog.ParseTilePath(fmt.Sprintf("tile/%d/%s", height, rest))
	if err != nil || tileName(t) != name {
		return tlog.Tile{}, fmt.Errorf("%q is no tile", name)
	}
	return t, nil
}

// tileAt is the widest form of tile n of a level in a tree of size: full, or the
// right edge, or W 0 if the tree does not reach it.
func tileAt(level int, n, size int64) tlog.Tile {
	hashes := size >> (height * max(level, 0))
	return tlog.Tile{H: height, L: level, N: n, W: int(min(max(hashes-n<<height, 0), width))}
}

// edges are the partial tiles of a tree of size: at most one per level.
func edges(size int64) []tlog.Tile {
	var out []tlog.Tile
	for level := 0; size>>(height*level) > 0; level++ {
		t := tileAt(level, size>>(height*level)>>height, size)
		if t.W == 0 {
			continue
		}
		out = append(out, t)
		if level == 0 {
			t.L = -1
			out = append(out, t)
		}
	}
	return out
}

// tileSize is the number of bytes of a tile's blob.
func tileSize(t tlog.Tile) int {
	if t.L < 0 {
		return t.W * entrySize
	}
	return t.W * tlog.HashSize
}

// firstLeaf is the index of the first leaf under a tile's hash number i.
func firstLeaf(t tlog.Tile, i int) int64 {
	return (t.N<<height + int64(i)) << (height * max(t.L, 0))
}

// appendEntry adds a leaf to an entry bundle.
func appendEntry(bundle []byte, leaf Leaf) []byte {
	bundle = binary.BigEndian.AppendUint16(bundle, uint16(len(leaf)))
	return append(bundle, leaf[:]...)
}

// entryAt reads leaf number i of a bundle.
func entryAt(bundle []byte, i int) (Leaf, error) {
	e := bundle[i*entrySize : (i+1)*entrySize]
	if int(binary.BigEndian.Uint16(e)) != len(Leaf{}) {
		return Leaf{}, fmt.Errorf("entry %d is not %d bytes long", i, len(Leaf{}))
	}
	return Leaf(e[2:]), nil
}

// reader reads the tiles of a tree of size from blobs, each once. It is a
// tlog.TileReader: narrower tiles are prefixes of the ones that are there.
type reader struct {
	size int64
	read func(name string) ([]byte, error)
	seen map[string][]byte
}

func newReader(size int64, read func(string) ([]byte, error)) *reader {
	return &reader{size: size, read: read, seen: map[string][]byte{}}
}

// blob gives the widest form of a tile, checked for its length.
func (r *reader) blob(level int, n int64) ([]byte, error) {
	t := tileAt(level, n, r.size)
	if t.W == 0 {
		return nil, fmt.Errorf("reading tile %d of level %d: %w in a log of %d leaves", n, level, fs.ErrInvalid, r.size)
	}
	name := tileName(t)
	if body, ok := r.seen[name]; ok {
		return body, nil
	}
	body, err := r.read(name)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	if len(body) != tileSize(t) {
		return nil, fmt.Errorf("reading %s: want %d bytes, have %d", name, tileSize(t), len(body))
	}
	r.seen[name] = body
	return body, nil
}

// Height is part of tlog.TileReader.
func (r *reader) Height() int { return height }

// ReadTiles is part of tlog.TileReader.
func (r *reader) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	out := make([][]byte, len(tiles))
	for i, t := range tiles {
		body, err := r.blob(t.L, t.N)
		if err != nil {
			return nil, err
		}
		out[i] = bytes.Clone(body[:tileSize(t)])
	}
	return out, nil
}

// SaveTiles is part of tlog.TileReader.
func (r *reader) SaveTiles([]tlog.Tile, [][]byte) {}

// hashes authenticates every hash it reads under a root.
func (r *reader) hashes(root tlog.Hash) tlog.HashReader {
	tree := tlog.TileHashReader(tlog.Tree{N: r.size, Hash: root}, r)
	return tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		if len(indexes) == 0 { // an empty tree has no tiles to ask
			return nil, nil
		}
		return tree.ReadHashes(indexes)
	})
}
