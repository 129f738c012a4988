package ledger

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func TestOnlyWellFormedCheckpointsOpen(t *testing.T) {
	s := testSigner(t, "shop.example/consent")
	const root = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
	for name, text := range map[string]string{
		"no root":            "shop.example/consent\n0\n",
		"an extension":       "shop.example/consent\n0\n" + root + "\nmore\n",
		"no origin":          "\n0\n" + root + "\n",
		"another origin":     "elsewhere\n0\n" + root + "\n",
		"a size below zero":  "shop.example/consent\n-1\n" + root + "\n",
		"a size with a plus": "shop.example/consent\n+1\n" + root + "\n",
		"a size with zeros":  "shop.example/consent\n01\n" + root + "\n",
		"a size of words":    "shop.example/consent\none\n" + root + "\n",
		"a short root":       "shop.example/consent\n0\n47DE\n",
		"spare bits in root": "shop.example/consent\n0\n" + root[:42] + "V=\n",
	} {
		signed, err := note.Sign(&note.Note{Text: text}, s)
		if err != nil {
			t.Fatal(err)
		}
		if c, err := OpenCheckpoint(s.Public, signed); err == nil {
			t.Errorf("%s: opened %+v", name, c)
		}
		if _, err := parseUnverified(signed); err == nil && name != "another origin" {
			t.Errorf("%s: read without its signature", name)
		}
	}
	if _, err := OpenCheckpoint("no key", nil); err == nil {
		t.Error("opened without a key")
	}
	if _, err := parseUnverified([]byte("no note")); err == nil {
		t.Error("read what is no note")
	}
}

func TestOnlyWellFormedHeadsAreRead(t *testing.T) {
	s := testSigner(t, "shop.example/consent")
	blob := string(testLedger(t, s, 3).blobs[headName])
	line := blob[:strings.Index(blob, "\n")+1]
	for name, b := range map[string]string{
		"more leaves than the tree": line + blob,
		"a leaf too short":          "+AAAA\n" + blob,
		"a leaf cut":                "+" + blob,
		"a carriage return":         strings.Replace(blob, "\n", "\r\n", 1),
		"leaves only":               line,
		"nothing":                   "",
	} {
		if h, err := parseHead(s.Public, []byte(b)); err == nil {
			t.Errorf("%s: %+v", name, h)
		}
	}
	if _, err := parseHead(s.Public, []byte(line+blob[len(line)*3:])); err != nil {
		t.Errorf("fewer leaves are for Verify to judge: %v", err)
	}
}

// TestAHeadWithAnotherBatchIsFound: the note in head does not cover the batch
// before it, so Verify and the next writer compare.
func TestAHeadWithAnotherBatchIsFound(t *testing.T) {
	s := testSigner(t, "shop.example/consent")
	m := testLedger(t, s, 5, 3)
	h, err := readHead(ctx, m, s.Public)
	if err != nil {
		t.Fatal(err)
	}
	other := head{h.Checkpoint, testLeaves(77, 3)}
	if f := detects(t, s, with(m.folder(), headName, other.blob()), "another batch"); f.File != headName || f.Index != 5 {
		t.Errorf("blamed %v", f)
	}
	before := testLedger(t, s, 5)
	before.blobs[headName] = other.blob() // a crash right after deciding
	if f := detects(t, s, before.folder(), "another batch, not yet published"); f.File != headName {
		t.Errorf("blamed %v", f)
	}
	if _, err := Create(ctx, before, s); err == nil {
		t.Error("published a batch that does not lead to its root")
	}
	before.blobs[headName] = head{h.Checkpoint, testLeaves(1, 3)[1:]}.blob()
	if f := detects(t, s, before.folder(), "a batch with a gap before it"); f.File != headName {
		t.Errorf("blamed %v", f)
	}
	if _, err := Create(ctx, before, s); err == nil {
		t.Error("published a batch with a gap before it")
	}
}

func TestProofsOutsideTheLogAreRefused(t *testing.T) {
	s := testSigner(t, "shop.example/consent")
	m := testLedger(t, s, 5)
	for _, c := range [][2]int64{{-1, 5}, {5, 5}, {0, 6}, {0, 0}} {
		if _, err := Inclusion(ctx, m, c[0], c[1]); err == nil {
			t.Errorf("inclusion of %v", c)
		}
	}
	for _, c := range [][2]int64{{-1, 5}, {5, 4}, {0, 6}} {
		if _, err := Consistency(ctx, m, c[0], c[1]); err == nil {
			t.Errorf("consistency of %v", c)
		}
	}
	for _, from := range []int64{-1, 6} {
		if _, err := Leaves(ctx, m, from); err == nil {
			t.Errorf("leaves from %d", from)
		}
	}
	if _, err := Leaves(ctx, newMemory(), 0); !errors.Is(err, ErrNone) {
		t.Errorf("leaves of nothing: %v", err)
	}
	m.blobs["tile/entries/000.p/5"] = m.blobs["tile/entries/000.p/5"][:9]
	if _, err := Leaves(ctx, m, 0); err == nil {
		t.Error("leaves of a cut bundle")
	}
	delete(m.blobs, "tile/0/000.p/5")
	if _, err := Inclusion(ctx, m, 0, 5); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("proof without tiles: %v", err)
	}
}

func TestProofsThatDoNotFitAreRefused(t *testing.T) {
	s := testSigner(t, "shop.example/consent")
	m := testLedger(t, s, 0)
	empty, err := Published(ctx, m)
	if err != nil {
		t.Fatal(err)
	}
	_, five, err := Append(ctx, m, s, testLeaves(0, 5))
	if err != nil {
		t.Fatal(err)
	}
	leaf := testLeaves(0, 5)[0]
	proof, err := Inclusion(ctx, m, 0, 5)
	if err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"an index beyond":             CheckInclusion(s.Public, five.Note, leaf, 5, proof),
		"an index below":              CheckInclusion(s.Public, five.Note, leaf, -1, proof),
		"a longer proof":              CheckInclusion(s.Public, five.Note, leaf, 0, append(proof, proof[0])),
		"no proof":                    CheckInclusion(s.Public, five.Note, leaf, 0, nil),
		"another checkpoint":          CheckInclusion(s.Public, empty.Note, leaf, 0, proof),
		"no checkpoint":               CheckInclusion(s.Public, nil, leaf, 0, proof),
		"no older checkpoint":         CheckConsistency(s.Public, nil, five.Note, nil),
		"no newer checkpoint":         CheckConsistency(s.Public, five.Note, nil, nil),
		"a proof from nothing":        CheckConsistency(s.Public, empty.Note, five.Note, tlog.TreeProof(proof)),
		"a proof of the same is long": CheckConsistency(s.Public, five.Note, five.Note, tlog.TreeProof(proof)),
	} {
		if err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
	if err := CheckConsistency(s.Public, empty.Note, five.Note, nil); err != nil {
		t.Errorf("every log begins empty: %v", err)
	}
}

// flaky fails the next swap of one blob, after doing it or not.
type flaky struct {
	*memory
	name string
	done bool
}

func (f *flaky) Swap(ctx context.Context, name string, old, body []byte) error {
	if name != f.name {
		return f.memory.Swap(ctx, name, old, body)
	}
	f.name = ""
	if f.done {
		if err := f.memory.Swap(ctx, name, old, body); err != nil {
			return err
		}
	}
	return errPower
}

// TestSwapFaults come in pairs: it failed and was not kept; it failed but was.
func TestSwapFaults(t *testing.T) {
	s := testSigner(t, "shop.example/consent")
	for _, c := range []struct {
		name    string
		done    bool
		want    error
		decided int
	}{
		{headName, false, errPower, 5},
		{headName, true, nil, 8},
		{checkpointName, false, ErrDecided, 8},
		{checkpointName, true, nil, 8},
	} {
		f := &flaky{testLedger(t, s, 5), c.name, c.done}
		first, _, err := Append(ctx, f, s, testLeaves(1, 3))
		if !errors.Is(err, c.want) || (err == nil || c.want == ErrDecided) && first != 5 {
			t.Errorf("%s, kept %v: first %d, %v", c.name, c.done, first, err)
		}
		if _, _, err := Append(ctx, f, s, nil); err != nil {
			t.Errorf("%s, kept %v: finishing: %v", c.name, c.done, err)
		}
		all, err := Leaves(ctx, f, 0)
		if err != nil || len(all) != c.decided || !slices.Equal(all[:5], testLeaves(0, 5)) {
			t.Errorf("%s, kept %v: %d leaves, want %d; %v", c.name, c.done, len(all), c.decided, err)
		}
		if _, err := Verify(f.folder(), s.Public); err != nil {
			t.Errorf("%s, kept %v: %v", c.name, c.done, err)
		}
	}
}

// moving is a folder that a writer changes whenever its last leaf is read.
type moving struct {
	fs.FS
	change func()
}

func (m moving) Open(name string) (fs.File, error) {
	if strings.HasPrefix(name, "tile/entries/") {
		m.change()
	}
	return m.FS.Open(name)
}

func TestAFolderInUseIsReadAgain(t *testing.T) {
	s := testSigner(t, "shop.example/consent")
	m := testLedger(t, s, 5)
	live := m.folder()
	grow := func(most int) func() {
		n := 0
		return func() {
			if n++; n > most {
				return
			}
			if _, _, err := Append(ctx, m, s, testLeaves(n, 1)); err != nil {
				t.Error(err)
			}
			clear(live)
			for name, file := range m.folder() {
				live[name] = file
			}
		}
	}
	if r, err := Verify(moving{live, grow(3)}, s.Public); err != nil || r.Size != 8 {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err := Verify(moving{live, grow(1000)}, s.Public); err == nil || !strings.Contains(err.Error(), "verify a copy") {
		t.Errorf("a folder that never rests: %v", err)
	}
}

// unreadable is a folder in which one file cannot be read.
type unreadable struct {
	fstest.MapFS
	name string
}

func (u unreadable) ReadFile(name string) ([]byte, error) {
	if name == u.name {
		return nil, fs.ErrPermission
	}
	return u.MapFS.ReadFile(name)
}

func (u unreadable) Open(name string) (fs.File, error) { return u.MapFS.Open(name) }

// TestWhatCannotBeReadIsNotSound, and is no Fault of the ledger either.
func TestWhatCannotBeReadIsNotSound(t *testing.T) {
	s := testSigner(t, "shop.example/consent")
	m := testLedger(t, s, 250)
	m.left = 7 // before the checkpoint: all tiles are ahead of it
	if _, _, err := Append(ctx, m, s, testLeaves(9, 20)); err == nil {
		t.Fatal("the power cut went unnoticed")
	}
	m.blobs["tile/0/000.p/7"] = m.blobs["tile/0/000.p/250"][:7*tlog.HashSize] // a spare
	r, err := Verify(m.folder(), s.Public)
	if err != nil || r.Unsealed != 20 || r.Spare != 1 {
		t.Fatalf("%+v, %v", r, err)
	}
	for name := range m.blobs {
		_, err := Verify(unreadable{m.folder(), name}, s.Public)
		var f *Fault
		if !errors.Is(err, fs.ErrPermission) || errors.As(err, &f) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFaultsNameFileAndLeaf(t *testing.T) {
	if got := (&Fault{"head", -1, "missing"}).Error(); got != "head: missing" {
		t.Error(got)
	}
	if got := (&Fault{"tile/0/000", 7, "wrong"}).Error(); got != "tile/0/000: leaf 7: wrong" {
		t.Error(got)
	}
}
