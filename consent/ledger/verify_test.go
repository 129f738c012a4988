package ledger

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/mod/sumdb/note"
	"pgregory.net/rapid"
)

// detects fails unless Verify names a fault.
func detects(t testing.TB, s Signer, folder fstest.MapFS, what string) *Fault {
	t.Helper()
	r, err := Verify(folder, s.Public)
	var f *Fault
	if err == nil {
		t.Fatalf("%s: not detected: %+v", what, r)
	}
	if !errors.As(err, &f) || f.File == "" {
		t.Fatalf("%s: no fault: %v", what, err)
	}
	return f
}

// with gives a folder in which one file has other bytes; nil removes it.
func with(folder fstest.MapFS, name string, body []byte) fstest.MapFS {
	out := maps.Clone(folder)
	if out[name] = (&fstest.MapFile{Data: body}); body == nil {
		delete(out, name)
	}
	return out
}

func TestEveryChangedByteIsFound(t *testing.T) {
	s := testSigner(t, "shop.example/consent")
	for _, batches := range [][]int{{0}, {1}, {5, 3}} {
		folder := testLedger(t, s, batches...).folder()
		for name, file := range folder {
			for i := range file.Data {
				for bit := range 8 {
					body := bytes.Clone(file.Data)
					body[i] ^= 1 << bit
					f := detects(t, s, with(folder, name, body), fmt.Sprintf("%s byte %d bit %d", name, i, bit))
					if f.File != name {
						t.Fatalf("%s byte %d: blamed %v", name, i, f)
					}
				}
			}
		}
	}
}

func TestChangesInALargerLogAreFoundAndNamed(t *testing.T) {
	s := testSigner(t, "shop.example/consent")
	folder := testLedger(t, s, 255, 500, 15).folder() // 770: three full tiles, a level above, edges
	names := slices.Sorted(maps.Keys(folder))
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom(names).Draw(t, "file")
		body := bytes.Clone(folder[name].Data)
		i := rapid.IntRange(0, len(body)-1).Draw(t, "byte")
		switch rapid.IntRange(0, 3).Draw(t, "damage") {
		case 0:
			body[i] ^= byte(rapid.IntRange(1, 255).Draw(t, "mask"))
		case 1:
			body = body[:i]
		case 2:
			body = slices.Insert(body, i, byte(rapid.IntRange(0, 255).Draw(t, "extra")))
		case 3:
			body = slices.Delete(body, i, i+1)
		}
		changed := maps.Clone(folder)
		changed[name] = &fstest.MapFile{Data: body}
		_, err := Verify(changed, s.Public)
		var f *Fault
		if !errors.As(err, &f) || f.File != name {
			t.Fatalf("%s: %v", name, err)
		}
		if strings.HasPrefix(name, "tile/entries/") && len(body) == len(folder[name].Data) {
			parsed, err := parseTileName(name)
			if want := parsed.N*width + int64(i/entrySize); err != nil || f.Index != want {
				t.Fatalf("%s byte %d: blamed leaf %d, want %d", name, i, f.Index, want)
			}
		}
	})
}

func TestMissingSwappedAndForeignFilesAreFound(t *testing.T) {
	s := testSigner(t, "shop.example/consent")
	folder := testLedger(t, s, 255, 500, 15).folder()
	names := slices.Sorted(maps.Keys(folder))
	for i, name := range names {
		if f := detects(t, s, with(folder, name, nil), "without "+name); f.File != name {
			t.Errorf("without %s: blamed %v", name, f)
		}
		detects(t, s, with(folder, name, []byte{}), "emptied "+name)
		detects(t, s, with(folder, name, append(bytes.Clone(folder[name].Data), 0)), "longer "+name)
		for _, other := range names[i+1:] {
			swapped := with(folder, name, folder[other].Data)
			detects(t, s, with(swapped, other, folder[name].Data), name+" for "+other)
		}
		detects(t, s, with(folder, name+".tmp", folder[name].Data), "copy of "+name)
	}
	for _, name := range []string{"note.txt", "tile/x", "tile/0/009", "tile/3/000", "tile/entries/009.p/3", "tile/data/000", "tile/0/000.p/256", "tile/0/0000", "tile/63/000.p/1"} {
		detects(t, s, with(folder, name, []byte("x")), "foreign "+name)
	}
	link := with(folder, "tile/0/003.p/1", folder["tile/0/003.p/2"].Data[:32])
	if r, err := Verify(link, s.Public); err != nil || r.Spare != 1 {
		t.Errorf("the front of an edge tile: %+v, %v", r, err)
	}
	link["tile/0/003.p/1"].Mode = fs.ModeNamedPipe
	detects(t, s, link, "a pipe")
}

func TestSwappedRemovedAndRepeatedEntriesAreFound(t *testing.T) {
	s := testSigner(t, "shop.example/consent")
	const name = "tile/entries/000.p/8"
	folder := testLedger(t, s, 5, 3).folder()
	bundle := folder[name].Data
	for i := range 8 {
		at := func(k int) []byte { return bundle[k*entrySize : (k+1)*entrySize] }
		cut := slices.Concat(bundle[:i*entrySize], bundle[(i+1)*entrySize:])
		detects(t, s, with(folder, name, cut), "one entry fewer")
		detects(t, s, with(folder, name, slices.Concat(bundle[:i*entrySize], at(i), bundle[i*entrySize:])), "one entry twice")
		for j := range i {
			b := bytes.Clone(bundle)
			copy(b[i*entrySize:], at(j))
			copy(b[j*entrySize:], at(i))
			if f := detects(t, s, with(folder, name, b), "two entries swapped"); f.Index != int64(j) {
				t.Errorf("swapped %d and %d: blamed %d", j, i, f.Index)
			}
		}
	}
}

// TestRewrittenTilesAreFound: whoever changes a leaf and recomputes every tile
// and root still lacks the key.
func TestRewrittenTilesAreFound(t *testing.T) {
	s, forger := testSigner(t, "shop.example/consent"), testSigner(t, "x")
	forger.Signer = renamed{forger.Signer, s.Name()}
	folder := testLedger(t, s, 300).folder()
	forged := newMemory()
	leaves := testLeaves(0, 300)
	leaves[17][0] ^= 1
	if err := forge(forged, forger, leaves); err != nil {
		t.Fatal(err)
	}
	for name, body := range forged.blobs {
		if strings.HasPrefix(name, "tile/") {
			folder[name] = &fstest.MapFile{Data: body}
		}
	}
	detects(t, s, folder, "all tiles rewritten")
	detects(t, s, with(folder, checkpointName, forged.blobs[checkpointName]), "and signed by another key")
}

// renamed signs under a name that is not its own.
type renamed struct {
	note.Signer
	name string
}

func (r renamed) Name() string { return r.name }

// forge writes a log of leaves without a head.
func forge(m *memory, s Signer, leaves []Leaf) error {
	g, err := grow(newReader(0, nil), [32]byte{}, leaves)
	if err != nil {
		return err
	}
	c, err := sign(s, g.size, g.root)
	if err != nil {
		return err
	}
	return publish(ctx, m, s.Public, head{c, leaves})
}

func TestWitnessesFindRollbacksAndForks(t *testing.T) {
	s := testSigner(t, "shop.example/consent")
	m := testLedger(t, s, 10)
	old := m.copy()
	_, c, err := Append(ctx, m, s, testLeaves(1, 5))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Verify(old.folder(), s.Public, c.Note); err == nil {
		t.Error("a folder put back to an older state was accepted")
	}
	if _, _, err := Append(ctx, old, s, testLeaves(2, 9)); err != nil {
		t.Fatal(err)
	}
	if _, err := Verify(old.folder(), s.Public); err != nil {
		t.Errorf("sound in itself, yet: %v", err)
	}
	if _, err := Verify(old.folder(), s.Public, c.Note); err == nil {
		t.Error("a fork was accepted")
	}
	if _, err := Verify(old.folder(), s.Public, []byte("x")); err == nil {
		t.Error("an unreadable witness was passed over")
	}
}

// TestDamageBeyondTheCheckpointIsFound: what a crash leaves is checked as well.
func TestDamageBeyondTheCheckpointIsFound(t *testing.T) {
	s := testSigner(t, "shop.example/consent")
	before := testLedger(t, s, 250)
	whole := before.copy()
	if _, _, err := Append(ctx, whole, s, testLeaves(9, 20)); err != nil {
		t.Fatal(err)
	}
	for cut := 2; cut <= whole.steps; cut++ {
		m := before.copy()
		m.left, m.kept = cut, true
		if _, _, err := Append(ctx, m, s, testLeaves(9, 20)); err == nil {
			t.Fatal("the power cut went unnoticed")
		}
		folder := m.folder()
		for name, file := range folder {
			for _, i := range []int{0, len(file.Data) / 2, len(file.Data) - 1} {
				b := bytes.Clone(file.Data)
				b[i] ^= 1
				detects(t, s, with(folder, name, b), fmt.Sprintf("cut %d: %s byte %d", cut, name, i))
			}
			detects(t, s, with(folder, name, append(bytes.Clone(file.Data), 0)), "longer "+name)
		}
	}
}

func TestCosignedCheckpointsOpen(t *testing.T) {
	s, witness := testSigner(t, "shop.example/consent"), testSigner(t, "witness.example")
	m := testLedger(t, s, 3)
	c, err := Published(ctx, m)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := note.Sign(&note.Note{Text: c.text()}, s, witness)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := OpenCheckpoint(s.Public, signed); err != nil || got.Size != 3 {
		t.Errorf("%+v, %v", got, err)
	}
	detects(t, s, with(m.folder(), checkpointName, signed), "a signature more in the folder")
}

func FuzzNothingUnsignedOpens(f *testing.F) {
	s := testSigner(f, "shop.example/consent")
	m := testLedger(f, s, 3)
	f.Add(m.blobs[checkpointName])
	f.Add(m.blobs[headName])
	f.Add([]byte("shop.example/consent\n3\nAAAA\n\n— x y\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if c, err := OpenCheckpoint(s.Public, b); err == nil && c.Size != 3 {
			t.Errorf("opened %q", b)
		}
		if h, err := parseHead(s.Public, b); err == nil && !bytes.Equal(h.blob(), b) {
			t.Errorf("head %q has two forms", b)
		}
		if c, err := parseUnverified(b); err == nil && c.Origin == "" {
			t.Errorf("%q has no origin", b)
		}
	})
}
