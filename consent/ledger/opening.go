package ledger

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"golang.org/x/mod/sumdb/tlog"
)

// Opening says what a leaf stands for: it is NewLeaf of the salt and the content.
// Whoever holds a leaf's opening can show what was recorded; nobody else can.
type Opening struct {
	Index   int64           `json:"index"`
	Salt    string          `json:"salt"`    // hex, 32 bytes
	Content json.RawMessage `json:"content"` // canonical bytes: a consent record, a Tombstone, or what a host sealed
}

// Leaf is the leaf that the opening opens.
func (o Opening) Leaf() (Leaf, error) {
	salt, err := hex.DecodeString(o.Salt)
	if err != nil || len(salt) != 32 {
		return Leaf{}, fmt.Errorf("opening leaf %d: the salt is not 64 hex digits", o.Index)
	}
	return NewLeaf([32]byte(salt), o.Content), nil
}

// TombstoneSchema names the content of an erasure leaf.
const TombstoneSchema = "erasure/1"

// Tombstone is the content of an erasure leaf: which leaves lost their opening, and
// which decision records their content. It names no subject.
type Tombstone struct {
	Schema    string     `json:"schema"`
	ID        string     `json:"erasure_id"`
	Time      time.Time  `json:"time"`
	Leaves    []int64    `json:"leaves"`
	Proofs    string     `json:"proofs"`          // erased | sealed: kept apart until, only to defend claims
	Until     *time.Time `json:"until,omitempty"` // of sealed proofs
	Decisions []string   `json:"decisions,omitempty"`
}

// readTombstone reads a content that says it is one.
func readTombstone(content []byte) (t Tombstone, is bool) {
	err := json.Unmarshal(content, &t)
	return t, err == nil && t.Schema == TombstoneSchema
}

// Accounts says of every leaf of a log what became of its opening.
type Accounts struct {
	Leaves  int64 `json:"leaves"`
	Open    int64 `json:"open"`    // the opening is there and fits
	Erased  int64 `json:"erased"`  // an erasure leaf names it
	Sealed  int64 `json:"sealed"`  // an erasure leaf names it; the proof is kept apart
	Missing int64 `json:"missing"` // nobody accounts for it
	// FirstMissing is the first missing leaf, -1 if there is none.
	FirstMissing int64 `json:"first_missing"`
}

// The fates of a leaf.
const (
	unseen byte = iota
	open
	erased
	sealed
)

// Account compares the openings of a log with its leaves. A missing leaf is for the
// caller to judge; an opening that does not fit its leaf, or comes twice, is an error. Those
// of leaves beyond the checkpoint are left out. Openings come in any order.
func Account(fsys fs.FS, public string, each func(func(Opening) error) error) (Accounts, error) {
	leaves, err := folderLeaves(fsys, public)
	if err != nil {
		return Accounts{}, err
	}
	fates := make([]byte, len(leaves))
	var gone []Tombstone
	err = each(func(o Opening) error {
		if o.Index >= int64(len(leaves)) { // the log grew meanwhile
			return nil
		}
		if o.Index < 0 {
			return fmt.Errorf("opening of leaf %d: there is no such leaf", o.Index)
		}
		leaf, err := o.Leaf()
		if err != nil {
			return err
		}
		if leaf != leaves[o.Index] || fates[o.Index] != unseen {
			return fmt.Errorf("opening of leaf %d: it is not what the ledger committed to, or comes twice", o.Index)
		}
		fates[o.Index] = open
		if t, is := readTombstone(o.Content); is {
			gone = append(gone, t)
		}
		return nil
	})
	if err != nil {
		return Accounts{}, err
	}
	return sum(fates, gone), nil
}

// sum lets tombstones speak for leaves without an opening.
func sum(fates []byte, gone []Tombstone) Accounts {
	for _, t := range gone {
		fate := erased
		if t.Proofs == "sealed" {
			fate = sealed
		}
		for _, i := range t.Leaves {
			if i >= 0 && i < int64(len(fates)) && fates[i] != open && fates[i] != erased {
				fates[i] = fate
			}
		}
	}
	a := Accounts{Leaves: int64(len(fates)), FirstMissing: -1}
	for i, fate := range fates {
		switch fate {
		case open:
			a.Open++
		case erased:
			a.Erased++
		case sealed:
			a.Sealed++
		default:
			if a.Missing++; a.FirstMissing < 0 {
				a.FirstMissing = int64(i)
			}
		}
	}
	return a
}

// folderLeaves reads all leaves under the checkpoint of a folder that Verify found sound.
func folderLeaves(fsys fs.FS, public string) ([]Leaf, error) {
	signed, err := fs.ReadFile(fsys, checkpointName)
	if err != nil {
		return nil, fmt.Errorf("reading checkpoint: %w", err)
	}
	c, err := openExact(public, signed)
	if err != nil {
		return nil, err
	}
	r := folderReader(fsys, c.Size)
	leaves := make([]Leaf, 0, c.Size)
	for i := int64(0); i < c.Size; i++ {
		bundle, err := r.blob(-1, i>>height)
		if err != nil {
			return nil, err
		}
		leaf, err := entryAt(bundle, int(i%width))
		if err != nil {
			return nil, err
		}
		if leaves = append(leaves, leaf); i%width == width-1 {
			clear(r.seen) // one bundle at a time
		}
	}
	return leaves, nil
}

func folderReader(fsys fs.FS, size int64) *reader {
	return newReader(size, func(name string) ([]byte, error) { return fs.ReadFile(fsys, name) })
}

// FolderConsistency is Consistency for a folder that lies somewhere: the proof that
// its tree of size before is how its tree of size after begins.
func FolderConsistency(fsys fs.FS, before, after int64) (tlog.TreeProof, error) {
	signed, err := fs.ReadFile(fsys, checkpointName)
	if err != nil {
		return nil, fmt.Errorf("reading checkpoint: %w", err)
	}
	c, err := parseUnverified(signed)
	if err != nil {
		return nil, err
	}
	if before < 0 || before > after || after > c.Size {
		return nil, fmt.Errorf("proving %d leaves to begin %d: the log has %d", before, after, c.Size)
	}
	if before == 0 {
		return nil, nil
	}
	return tlog.ProveTree(after, before, folderReader(fsys, c.Size).hashes(c.Root))
}

// ReadOpenings reads one opening per line, as "handschlag ledger book" writes them.
func ReadOpenings(from io.Reader, each func(Opening) error) error {
	dec := json.NewDecoder(from)
	for n := 1; ; n++ {
		var o Opening
		switch err := dec.Decode(&o); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("reading opening %d: %w", n, err)
		}
		if err := each(o); err != nil {
			return err
		}
	}
}
