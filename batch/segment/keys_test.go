package segment

import (
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
