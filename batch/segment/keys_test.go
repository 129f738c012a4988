package segment

import (
	"maps"
	"os"
	"path/filepath"
	"testing"
)

func TestRecipientsCannotJoinTheirFiles(t *testing.T) {
	dir, who := t.TempDir(), subject(1)
	keys, err := openKeys(dir)
	if err != nil {
		t.Fatal(err)
	}
	again, err := openKeys(dir)
	if err != nil {
		t.Fatal(err)
	}
	if keys.row("a", who[:]) == keys.row("b", who[:]) {
		t.Error("two recipients have the same key for one person")
	}
	if keys.row("a", who[:]) != again.row("a", who[:]) {
		t.Error("one recipient has two keys for one person")
	}
}

func TestTheNightKeyIsPrivateAndKept(t *testing.T) {
	dir := t.TempDir()
	if _, err := openKeys(dir); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(dir, nightKeyFile))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if err := os.WriteFile(filepath.Join(dir, nightKeyFile), []byte("short"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := openKeys(dir); err == nil {
		t.Error("a damaged key was taken, or replaced")
	}
}

// BAT-06: a person's key at a recipient is the same night after night; with a new key
// of the night every row leaves under the old one and comes under the new.
func TestARowKeyStaysUntilTheNightHasANewKey(t *testing.T) {
	s := newShop(t)
	s.everyday(240, 1)
	dirs := make([]string, 3)
	for night := range 3 {
		asOf := monday.AddDate(0, 0, night+1)
		in := s.night(asOf)
		if night == 2 {
			if err := os.Remove(filepath.Join(in.State, "keys", nightKeyFile)); err != nil {
				t.Fatal(err)
			}
		}
		s.run(in)
		dirs[night] = filepath.Join(in.Out, asOf.Format("2006-01-02"))
	}
	first, second, third := full(t, dirs[0], manifestIn(t, dirs[0])), full(t, dirs[1], manifestIn(t, dirs[1])), full(t, dirs[2], manifestIn(t, dirs[2]))
	if !maps.Equal(first, second) || len(first) == 0 {
		t.Errorf("%d keys, and %d the night after", len(first), len(second))
	}
	for row := range third {
		if second[row] {
			t.Fatal("a key outlived the night's")
		}
	}
	held := downstream{t: t}
	for _, dir := range dirs[1:] {
		held.take(dir, manifestIn(t, dir))
	}
	if !maps.Equal(held.rows, third) || len(third) != len(second) {
		t.Errorf("the recipient holds %d rows, want %d", len(held.rows), len(third))
	}
}
