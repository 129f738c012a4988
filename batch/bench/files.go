package bench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/handschlag/handschlag/host/snapshot"
)

// Read gives the snapshot of a shop that Write made.
func Read(dir string) (m snapshot.Manifest, err error) {
	body, err := os.ReadFile(filepath.Join(dir, Snapshot, snapshot.ManifestFile))
	if err == nil {
		err = json.Unmarshal(body, &m)
	}
	if err != nil {
		return m, fmt.Errorf("reading the shop: %w", err)
	}
	return m, nil
}

// SameFiles reports whether two folders hold the same files with the same bytes.
func SameFiles(one, other string) (bool, error) {
	a, err := names(one)
	if err != nil {
		return false, err
	}
	b, err := names(other)
	if err != nil || !slices.Equal(a, b) {
		return false, err
	}
	for _, name := range a {
		x, err := os.ReadFile(filepath.Join(one, name))
		if err != nil {
			return false, err
		}
		y, err := os.ReadFile(filepath.Join(other, name))
		if err != nil || !bytes.Equal(x, y) {
			return false, err
		}
	}
	return true, nil
}

func names(dir string) (out []string, err error) {
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			var within string
			within, err = filepath.Rel(dir, path)
			out = append(out, within)
		}
		return err
	})
	return out, err
}
