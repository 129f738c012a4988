package local

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"
)

// Whoever can write into the exports folder must not make us read elsewhere.
func TestNothingLeadsOutOfTheExports(t *testing.T) {
	dir := t.TempDir()
	exports := filepath.Join(dir, "exports")
	for _, err := range []error{
		os.MkdirAll(filepath.Join(exports, "2026-11-21"), 0o700),
		os.WriteFile(filepath.Join(exports, "2026-11-21", "manifest.json"), []byte("{}"), 0o600),
		os.WriteFile(filepath.Join(dir, "secret"), []byte("secret"), 0o600),
		os.Symlink("../../secret", filepath.Join(exports, "2026-11-21", "relative")),
		os.Symlink(filepath.Join(dir, "secret"), filepath.Join(exports, "2026-11-21", "absolute")),
		os.Symlink("..", filepath.Join(exports, "2026-11-20")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	root := rooted(exports)
	for _, name := range []string{"2026-11-21/relative", "2026-11-21/absolute", "2026-11-20/secret", "2026-11-20", "../secret", "/secret", "2026-11-21/../../secret"} {
		if f, err := root.Open(name); err == nil {
			t.Errorf("%s was opened: %v", name, f.Close())
		}
	}
	b, err := fs.ReadFile(root, "2026-11-21/manifest.json")
	if err != nil || string(b) != "{}" {
		t.Errorf("got %q, %v", b, err)
	}
}

func TestExportsAreAFileSystem(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.csv"), []byte("key\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := fstest.TestFS(rooted(dir), "a.csv"); err != nil {
		t.Error(err)
	}
	if _, err := fs.ReadDir(rooted(filepath.Join(dir, "none")), "."); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder that is not there: %v", err)
	}
}
