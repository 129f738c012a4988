package ledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestL01TheLedgerOnlyGrows: there is no call that changes or removes a leaf, and
// a changed one stops whoever would grow on it: no checkpoint covers it.
func TestL01TheLedgerOnlyGrows(t *testing.T) {
	s := testSigner(t, "shop.example/consent")
	m := testLedger(t, s, 5, 3)
	before, err := Leaves(ctx, m, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := Append(ctx, m, s, before[2:3]); err != nil { // the same leaf again is one more
		t.Fatal(err)
	}
	after, err := Leaves(ctx, m, 0)
	if err != nil || len(after) != 9 || !slices.Equal(after[:8], before) {
		t.Errorf("%d leaves, %v", len(after), err)
	}
	m = testLedger(t, s, 5, 3)
	published := bytes.Clone(m.blobs[checkpointName])
	for name, body := range m.blobs {
		if strings.HasPrefix(name, "tile/entries/") {
			body[entrySize*4+7] ^= 1
		}
	}
	if _, _, err := Append(ctx, m, s, testLeaves(9, 1)); err == nil {
		t.Error("grew on a leaf that was changed")
	}
	if !bytes.Equal(m.blobs[checkpointName], published) {
		t.Error("the checkpoint covers it")
	}
}

// TestL02EveryFlippedByteOfALeafNamesIt, and of any other file, the file.
func TestL02EveryFlippedByteOfALeafNamesIt(t *testing.T) {
	s := testSigner(t, "shop.example/consent")
	m := testLedger(t, s, 5, 3)
	for name, body := range m.blobs {
		for i := range body {
			changed := bytes.Clone(body)
			changed[i] ^= 1
			_, err := Verify(with(m.folder(), name, changed), s.Public)
			var f *Fault
			if !errors.As(err, &f) {
				t.Fatalf("byte %d of %s: %v", i, name, err)
			}
			if strings.HasPrefix(name, "tile/entries/") && (f.File != name || f.Index != int64(i/entrySize)) {
				t.Fatalf("byte %d of %s: blamed %v", i, name, f)
			}
		}
	}
}

// files is a store in a folder that several processes share. Its swap holds a lock
// file; honest false leaves the comparison out, which no store may.
type files struct {
	dir    string
	honest bool
}

func (f files) path(name string) string {
	return filepath.Join(f.dir, "ledger", filepath.FromSlash(name))
}

func (f files) Read(_ context.Context, name string) ([]byte, error) { return os.ReadFile(f.path(name)) }

func (f files) Write(_ context.Context, name string, body []byte) error {
	if err := os.MkdirAll(filepath.Dir(f.path(name)), 0o700); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(f.dir, "tmp")
	if err != nil {
		return err
	}
	_, err = tmp.Write(body)
	return errors.Join(err, tmp.Close(), os.Rename(tmp.Name(), f.path(name)))
}

func (f files) Swap(ctx context.Context, name string, old, body []byte) error {
	if !f.honest {
		return f.Write(ctx, name, body)
	}
	lock := filepath.Join(f.dir, "lock")
	for {
		l, err := os.OpenFile(lock, os.O_CREATE|os.O_EXCL, 0o600)
		if err == nil {
			_ = l.Close()
			break
		}
		time.Sleep(100 * time.Microsecond)
	}
	defer func() { _ = os.Remove(lock) }()
	is, err := f.Read(ctx, name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if !bytes.Equal(is, old) {
		return ErrMoved
	}
	return f.Write(ctx, name, body)
}

func (f files) Remove(_ context.Context, name string) error {
	if err := os.Remove(f.path(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// grower appends rounds batches; the leaves say who wrote them.
func grower(store Store, s Signer, who, rounds int) error {
	for i := range rounds {
		leaf := Leaf{byte(who), byte(i), byte(i >> 8)}
		if _, _, err := Append(context.Background(), store, s, []Leaf{leaf}); err != nil && !errors.Is(err, ErrDecided) {
			return fmt.Errorf("writer %d, round %d: %w", who, i, err)
		}
	}
	return nil
}

// TestL04Writer is a process of the test below, and nothing by itself.
func TestL04Writer(t *testing.T) {
	dir := os.Getenv("LEDGER_DIR")
	if dir == "" {
		return
	}
	key, err := os.ReadFile(filepath.Join(dir, "private"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewSigner(string(key))
	if err != nil {
		t.Fatal(err)
	}
	who, err := strconv.Atoi(os.Getenv("LEDGER_WHO"))
	if err != nil {
		t.Fatal(err)
	}
	if err := grower(files{dir: dir, honest: true}, s, who, 60); err != nil {
		t.Fatal(err)
	}
}

// TestL04TwoProcessesNeverForkTheLedger: each leaf is in, once, in its writer's
// order, and the folder verifies.
func TestL04TwoProcessesNeverForkTheLedger(t *testing.T) {
	dir, s := shared(t)
	var runs []*exec.Cmd
	for who := range 2 {
		c := exec.Command(os.Args[0], "-test.run=^TestL04Writer$")
		c.Env = append(os.Environ(), "LEDGER_DIR="+dir, "LEDGER_WHO="+strconv.Itoa(who+1))
		var out bytes.Buffer
		c.Stdout, c.Stderr = &out, &out
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		runs = append(runs, c)
	}
	for _, c := range runs {
		if err := c.Wait(); err != nil {
			t.Fatalf("%v: %v", err, c.Stdout)
		}
	}
	if err := whole(files{dir: dir, honest: true}, dir, s, 2, 60); err != nil {
		t.Error(err)
	}
}

// TestL04AStoreThatDoesNotCompareIsCaught: the same check fails for it, or it could
// not fail at all.
func TestL04AStoreThatDoesNotCompareIsCaught(t *testing.T) {
	for range 20 {
		dir, s := shared(t)
		store := files{dir: dir}
		var all sync.WaitGroup
		failed := make([]error, 4)
		for who := range failed {
			all.Go(func() { failed[who] = grower(store, s, who+1, 30) })
		}
		all.Wait()
		if errors.Join(errors.Join(failed...), whole(store, dir, s, len(failed), 30)) != nil {
			return
		}
	}
	t.Error("four writers without compare-and-swap lost nothing in 20 tries")
}

func shared(t *testing.T) (string, Signer) {
	t.Helper()
	dir := t.TempDir()
	private, _, err := GenerateKey(zero{}, "shop.example/consent")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "private"), []byte(private), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := NewSigner(private)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Create(ctx, files{dir: dir, honest: true}, s); err != nil {
		t.Fatal(err)
	}
	return dir, s
}

type zero struct{}

func (zero) Read(b []byte) (int, error) { clear(b); return len(b), nil }

// whole checks that writers' leaves are all there, once and in order.
func whole(store Store, dir string, s Signer, writers, rounds int) error {
	if _, _, err := Append(ctx, store, s, nil); err != nil {
		return err
	}
	if _, err := Verify(os.DirFS(filepath.Join(dir, "ledger")), s.Public); err != nil {
		return err
	}
	leaves, err := Leaves(ctx, store, 0)
	if err != nil {
		return err
	}
	next := make([]int, writers+1)
	for _, l := range leaves {
		who, i := int(l[0]), int(l[1])|int(l[2])<<8
		if i != next[who] {
			return fmt.Errorf("writer %d: leaf %d where %d was due", who, i, next[who])
		}
		next[who]++
	}
	if len(leaves) != writers*rounds {
		return fmt.Errorf("%d leaves, want %d", len(leaves), writers*rounds)
	}
	return nil
}
