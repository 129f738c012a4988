package ledger

import (
	"errors"
	"slices"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

func TestHonestGrowthIsNeverAFalseAlarm(t *testing.T) {
	s := testSigner(t, "shop.example/consent")
	rapid.Check(t, func(t *rapid.T) {
		m := newMemory()
		if _, err := Create(ctx, m, s); err != nil {
			t.Fatal(err)
		}
		var all []Leaf
		var seen [][]byte
		for batch := 0; len(all) < 1000; batch++ {
			leaves := testLeaves(batch, rapid.SampledFrom([]int{0, 1, 2, 7, 63, 255, 256, 257, 300}).Draw(t, "batch"))
			first, c, err := Append(ctx, m, s, leaves)
			if err != nil || first != int64(len(all)) {
				t.Fatalf("first %d, %v; want %d", first, err, len(all))
			}
			all, seen = append(all, leaves...), append(seen, c.Note)
			r, err := Verify(m.folder(), s.Public, seen...)
			if err != nil {
				t.Fatalf("after %d leaves: %v", len(all), err)
			}
			if r.Size != int64(len(all)) || r.Root != c.Root || r.Unsealed != 0 || r.Spare != 0 || r.Files != len(m.blobs) {
				t.Fatalf("after %d leaves: %+v of %d files", len(all), r, len(m.blobs))
			}
		}
		if got, err := Leaves(ctx, m, 0); err != nil || !slices.Equal(got, all) {
			t.Fatalf("leaves came back otherwise: %v", err)
		}
		checkProofs(t, m, s, all, seen)
	})
}

// checkProofs proves some leaves and pairs of checkpoints, and that wrong ones fail.
func checkProofs(t *rapid.T, m *memory, s Signer, all []Leaf, seen [][]byte) {
	for range 10 {
		signed := rapid.SampledFrom(seen).Draw(t, "checkpoint")
		c, err := OpenCheckpoint(s.Public, signed)
		if err != nil || c.Size == 0 {
			continue
		}
		i := rapid.Int64Range(0, c.Size-1).Draw(t, "index")
		p, err := Inclusion(ctx, m, i, c.Size)
		if err != nil {
			t.Fatal(err)
		}
		if err := CheckInclusion(s.Public, signed, all[i], i, p); err != nil {
			t.Fatal(err)
		}
		if CheckInclusion(s.Public, signed, Leaf{}, i, p) == nil || CheckInclusion(s.Public, signed, all[i], (i+1)%c.Size, p) == nil && c.Size > 1 {
			t.Fatal("proof of another leaf or place was accepted")
		}
		other := rapid.SampledFrom(seen).Draw(t, "other")
		o, err := OpenCheckpoint(s.Public, other)
		if err != nil {
			t.Fatal(err)
		}
		if o.Size < c.Size {
			o, c, other, signed = c, o, signed, other
		}
		tp, err := Consistency(ctx, m, c.Size, o.Size)
		if err != nil {
			t.Fatal(err)
		}
		if err := CheckConsistency(s.Public, signed, other, tp); err != nil {
			t.Fatal(err)
		}
		if o.Size > c.Size && CheckConsistency(s.Public, other, signed, tp) == nil {
			t.Fatal("a log that shrank was accepted")
		}
	}
}

func TestTwoWritersNeverFork(t *testing.T) {
	s := testSigner(t, "shop.example/consent")
	m := newMemory()
	const writers, batches = 4, 40
	firsts := make([][batches]int64, writers)
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			if _, err := Create(ctx, m, s); err != nil {
				t.Error(err)
			}
			for b := range batches {
				first, _, err := Append(ctx, m, s, testLeaves(w*batches+b, 1+(w+b)%9))
				if err != nil {
					t.Error(err)
				}
				firsts[w][b] = first
			}
		})
	}
	wg.Go(func() { // a reader among them
		for range 50 {
			if c, err := Published(ctx, m); err == nil && c.Size > 0 {
				if _, err := Inclusion(ctx, m, c.Size/2, c.Size); err != nil {
					t.Error(err)
				}
			} else if err != nil && !errors.Is(err, ErrNone) {
				t.Error(err)
			}
		}
	})
	wg.Wait()
	if _, err := Create(ctx, m, s); err != nil {
		t.Fatal(err)
	}
	if _, err := Verify(m.folder(), s.Public); err != nil {
		t.Fatal(err)
	}
	all, err := Leaves(ctx, m, 0)
	if err != nil {
		t.Fatal(err)
	}
	total := 0
	for w := range writers {
		for b, first := range firsts[w] {
			want := testLeaves(w*batches+b, 1+(w+b)%9)
			total += len(want)
			if !slices.Equal(all[first:first+int64(len(want))], want) {
				t.Fatalf("batch %d of writer %d is not at %d", b, w, first)
			}
		}
	}
	if total != len(all) {
		t.Fatalf("%d leaves in the log, %d appended", len(all), total)
	}
}

// TestPowerCut cuts the power at every single write of a batch, once losing that
// write and once keeping it.
func TestPowerCut(t *testing.T) {
	s := testSigner(t, "shop.example/consent")
	for _, sizes := range [][2]int{{0, 1}, {0, 300}, {3, 4}, {250, 6}, {250, 7}, {255, 600}, {256, 1}, {512, 30}} {
		before := testLedger(t, s, sizes[0])
		c, err := Published(ctx, before)
		if err != nil {
			t.Fatal(err)
		}
		whole := before.copy()
		if _, _, err := Append(ctx, whole, s, testLeaves(9, sizes[1])); err != nil {
			t.Fatal(err)
		}
		for cut := 1; cut <= whole.steps; cut++ {
			for _, kept := range []bool{false, true} {
				m := before.copy()
				m.left, m.kept = cut, kept
				_, _, err := Append(ctx, m, s, testLeaves(9, sizes[1]))
				if err == nil {
					t.Fatalf("%v, cut %d: the power cut went unnoticed", sizes, cut)
				}
				m.restore()
				checkCut(t, m, s, c, int64(sizes[0]), sizes[1], cut == 1 && !kept, errors.Is(err, ErrDecided))
			}
		}
	}
}

// checkCut checks that the folder is sound right after the cut and after mending,
// and that the batch is in it once or, if nothing was kept, not at all.
func checkCut(t *testing.T, m *memory, s Signer, old Checkpoint, size int64, n int, lost, decided bool) {
	t.Helper()
	r, err := Verify(m.folder(), s.Public, old.Note)
	if err != nil {
		t.Fatalf("after the cut: %v", err)
	}
	if total := r.Size + r.Unsealed; total != size+int64(n) && !(lost && total == size) {
		t.Fatalf("after the cut: %+v", r)
	}
	if lost && decided {
		t.Fatal("a lost batch was called decided")
	}
	if _, err := Create(ctx, m, s); err != nil {
		t.Fatal(err)
	}
	all, err := Leaves(ctx, m, size)
	if err != nil {
		t.Fatal(err)
	}
	if !lost && !slices.Equal(all, testLeaves(9, n)) || lost && len(all) > 0 {
		t.Fatalf("after mending there are %d of %d leaves", len(all), n)
	}
	r, err = Verify(m.folder(), s.Public, old.Note)
	if err != nil || r.Unsealed != 0 || r.Spare != 0 {
		t.Fatalf("after mending: %+v, %v", r, err)
	}
}

// TestPowerCutAtBirth: an empty ledger that was never finished is finished.
func TestPowerCutAtBirth(t *testing.T) {
	s := testSigner(t, "shop.example/consent")
	for cut := 1; cut <= 3; cut++ {
		for _, kept := range []bool{false, true} {
			m := newMemory()
			m.left, m.kept = cut, kept
			if _, err := Create(ctx, m, s); err == nil {
				t.Fatal("the power cut went unnoticed")
			}
			m.restore()
			if _, err := Create(ctx, m, s); err != nil {
				t.Fatal(err)
			}
			if r, err := Verify(m.folder(), s.Public); err != nil || r.Size != 0 {
				t.Fatalf("%+v, %v", r, err)
			}
		}
	}
}

func TestALostHeadIsNotReborn(t *testing.T) {
	s := testSigner(t, "shop.example/consent")
	m := testLedger(t, s, 5)
	delete(m.blobs, headName)
	if _, err := Create(ctx, m, s); err == nil {
		t.Error("Create started a second log")
	}
	if _, _, err := Append(ctx, m, s, testLeaves(1, 1)); !errors.Is(err, ErrNone) {
		t.Errorf("Append: %v", err)
	}
}

func TestAnotherKeyCannotWrite(t *testing.T) {
	m := testLedger(t, testSigner(t, "shop.example/consent"), 5)
	other := testSigner(t, "other.example/consent")
	if _, err := Create(ctx, m, other); err == nil {
		t.Error("Create took over a foreign log")
	}
	if _, _, err := Append(ctx, m, other, testLeaves(1, 1)); err == nil {
		t.Error("Append wrote to a foreign log")
	}
}

// TestDamageIsNotBuiltUpon: a writer that meets a wrong tile or leaf stops.
func TestDamageIsNotBuiltUpon(t *testing.T) {
	s := testSigner(t, "shop.example/consent")
	for _, name := range []string{"tile/0/000.p/5", "tile/entries/000.p/5"} {
		m := testLedger(t, s, 5)
		m.blobs[name][40] ^= 1
		if _, c, err := Append(ctx, m, s, testLeaves(1, 1)); err == nil {
			t.Errorf("%s: published %d leaves on top of damage", name, c.Size)
		}
	}
}

func TestOrigins(t *testing.T) {
	for _, origin := range []string{"", "a b", "a+b", "a\n", " a", "a\tb"} {
		if _, _, err := GenerateKey(zeros{}, origin); err == nil {
			t.Errorf("origin %q was accepted", origin)
		}
	}
	if _, err := NewSigner("PRIVATE+KEY+x+1+AA"); err == nil {
		t.Error("a broken key was accepted")
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }
