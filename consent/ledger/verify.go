package ledger

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"golang.org/x/mod/sumdb/tlog"
)

// Report says what Verify found in a sound folder.
type Report struct {
	Origin   string    `json:"origin"`
	Size     int64     `json:"size"`     // leaves under the checkpoint
	Root     tlog.Hash `json:"root"`     // their root
	Unsealed int64     `json:"unsealed"` // leaves decided on in head, not yet under the checkpoint
	Spare    int       `json:"spare"`    // edge tiles of smaller trees, not yet removed
	Files    int       `json:"files"`    // files checked
}

// Fault is the first thing wrong with a folder.
type Fault struct {
	File  string
	Index int64 // the first leaf concerned, or -1
	Why   string
}

func (f *Fault) Error() string {
	if f.Index < 0 {
		return fmt.Sprintf("%s: %s", f.File, f.Why)
	}
	return fmt.Sprintf("%s: leaf %d: %s", f.File, f.Index, f.Why)
}

// Verify recomputes a ledger folder, offline, from nothing but its files and the
// public key, and answers for every byte of them: a changed, missing, moved,
// shortened, lengthened or added one is a *Fault that names file and leaf.
//
// A crash between deciding on a batch and publishing it is not a fault. Its
// leaves are counted as Unsealed; the tiles it had written must be, byte for
// byte, those that follow from head. Edge tiles that a crash kept from being
// removed must be the front of what replaced them, and are counted as Spare.
//
// A folder put back to an older sound state, or replaced by another log under
// the same key, is sound in itself. Whoever kept an earlier checkpoint passes it
// as witnessed: the log must begin with all that it covers.
//
// A folder that a writer changes meanwhile is read again, a few times; a busy
// writer's folder is better copied first, for the error is ErrChanging then.
func Verify(fsys fs.FS, public string, witnessed ...[]byte) (Report, error) {
	for try := 0; ; try++ {
		before := fingerprint(fsys)
		a := &audit{fsys: fsys, public: public, checked: map[string]bool{}}
		err := a.run(witnessed)
		switch {
		case err == nil:
			return a.report, nil
		case bytes.Equal(before, fingerprint(fsys)):
			return Report{}, err
		case try == tries:
			return Report{}, fmt.Errorf("%w; verify a copy: %w", ErrChanging, err)
		}
	}
}

// ErrChanging means that a writer was so busy that nothing can be said of the folder.
var ErrChanging = errors.New("the ledger folder keeps changing")

// tries is how often Verify reads a changing folder again.
const tries = 9

// fingerprint changes with every step of a writer that Verify could mistake for damage.
func fingerprint(fsys fs.FS) []byte {
	h, _ := fs.ReadFile(fsys, headName)
	c, _ := fs.ReadFile(fsys, checkpointName)
	return slices.Concat(h, []byte{0}, c)
}

// audit is one walk through a folder. It feeds leaves in order and keeps, per
// level, the tile that is being filled: memory does not grow with the log.
type audit struct {
	fsys    fs.FS
	public  string
	checked map[string]bool
	report  Report

	sealed *reader         // the tiles under the checkpoint
	proven tlog.HashReader // their hashes, proven under the signed root
	size   int64           // leaves fed
	bundle []byte          // entries of the bundle being filled
	levels [][]tlog.Hash   // hashes of each level's tile being filled
}

func (a *audit) run(witnessed [][]byte) error {
	c, h, err := a.claims()
	if err != nil {
		return err
	}
	a.report.Origin, a.report.Size, a.report.Root = c.Origin, c.Size, c.Root
	a.sealed = newReader(c.Size, func(name string) ([]byte, error) { return fs.ReadFile(a.fsys, name) })
	a.proven = newReader(c.Size, a.sealed.read).hashes(c.Root)
	if err := a.feedSealed(c, witnessed); err != nil {
		return err
	}
	if err := a.feedHead(c, h); err != nil {
		return err
	}
	if err := a.walk(); err != nil {
		return err
	}
	a.report.Files = len(a.checked)
	return nil
}

// claims reads what the folder says of itself.
func (a *audit) claims() (c Checkpoint, h head, err error) {
	note, err := a.file(checkpointName)
	if err != nil {
		return c, h, err
	}
	if c, err = openExact(a.public, note); err != nil {
		return c, h, &Fault{checkpointName, -1, err.Error()}
	}
	blob, err := a.file(headName)
	if err != nil {
		return c, h, err
	}
	if h, err = parseHead(a.public, blob); err != nil {
		return c, h, &Fault{headName, -1, err.Error()}
	}
	key, err := a.file(verifierName)
	if err != nil {
		return c, h, err
	}
	if string(key) != a.public+"\n" {
		return c, h, &Fault{verifierName, -1, "not the public key that the log is checked with"}
	}
	return c, h, nil
}

// file reads a file that must be there.
func (a *audit) file(name string) ([]byte, error) {
	a.checked[name] = true
	body, err := fs.ReadFile(a.fsys, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &Fault{name, -1, "missing"}
	} else if err != nil {
		return nil, fmt.Errorf("reading ledger folder: %w", err)
	}
	return body, nil
}

// feedSealed feeds the leaves under the checkpoint, and stops at the sizes that
// witnessed checkpoints speak of to compare roots.
func (a *audit) feedSealed(c Checkpoint, witnessed [][]byte) error {
	stops := []Checkpoint{c}
	for i, signed := range witnessed {
		w, err := OpenCheckpoint(a.public, signed)
		if err != nil {
			return fmt.Errorf("witnessed checkpoint %d: %w", i, err)
		}
		if w.Size > c.Size {
			return &Fault{checkpointName, c.Size, fmt.Sprintf("the log has shrunk: %d leaves were witnessed", w.Size)}
		}
		stops = append(stops, w)
	}
	slices.SortStableFunc(stops, func(x, y Checkpoint) int { return cmp.Compare(x.Size, y.Size) })
	for _, stop := range stops {
		if err := a.feedTo(stop); err != nil {
			return err
		}
	}
	return nil
}

func (a *audit) feedTo(stop Checkpoint) error {
	for a.size < stop.Size {
		leaf, err := a.stored(a.size)
		if err != nil {
			return err
		}
		if err := a.feed(leaf, true); err != nil {
			return err
		}
	}
	if stop.Size == a.report.Size { // edges first: they can name the leaf
		if err := a.checkEdges(true); err != nil {
			return err
		}
	}
	if a.root() == stop.Root {
		return nil
	}
	if stop.Size < a.report.Size {
		return &Fault{checkpointName, -1, fmt.Sprintf("another log: not the root that was witnessed at size %d", stop.Size)}
	}
	return &Fault{checkpointName, -1, "signs another root than the entries have"}
}

// stored reads leaf i from its bundle.
func (a *audit) stored(i int64) (Leaf, error) {
	t := tileAt(-1, i>>height, a.report.Size)
	body, err := a.tile(t)
	if err != nil {
		return Leaf{}, err
	}
	if i%width == 0 {
		clear(a.sealed.seen) // one bundle and its hashes at a time
		a.sealed.seen[tileName(t)] = body
	}
	leaf, err := entryAt(body, int(i%width))
	if err != nil {
		return Leaf{}, &Fault{tileName(t), i, err.Error()}
	}
	return leaf, nil
}

// tile reads a tile that must be there, with its length checked.
func (a *audit) tile(t tlog.Tile) ([]byte, error) {
	name := tileName(t)
	if body, ok := a.sealed.seen[name]; ok {
		return body, nil
	}
	body, err := a.file(name)
	var f *Fault
	if errors.As(err, &f) {
		f.Index = firstLeaf(t, 0)
	}
	if err != nil {
		return nil, err
	}
	if want := tileSize(t); len(body) != want {
		return nil, &Fault{name, firstLeaf(t, min(len(body)*t.W/want, t.W-1)), fmt.Sprintf("want %d bytes, have %d", want, len(body))}
	}
	a.sealed.seen[name] = body
	return body, nil
}
