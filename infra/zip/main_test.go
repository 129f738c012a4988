package main

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

func TestTheSameFilesGiveTheSameZip(t *testing.T) {
	dir := t.TempDir()
	bin := filepath.Join(dir, "built")
	if err := os.WriteFile(bin, []byte("#!/bin/sh\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var packed [2][]byte
	for i := range packed {
		out := filepath.Join(dir, "out.zip")
		if err := pack(out, []string{"bootstrap=" + bin}); err != nil {
			t.Fatal(err)
		}
		packed[i], _ = os.ReadFile(out)
	}
	if !bytes.Equal(packed[0], packed[1]) {
		t.Error("two zips of one file differ")
	}
	z, err := zip.NewReader(bytes.NewReader(packed[0]), int64(len(packed[0])))
	if err != nil || len(z.File) != 1 || z.File[0].Name != "bootstrap" || z.File[0].Mode().Perm() != 0o755 {
		t.Errorf("want one executable bootstrap, got %+v, %v", z, err)
	}
}

func TestAMissingFileIsAnError(t *testing.T) {
	if err := pack(filepath.Join(t.TempDir(), "out.zip"), []string{"bootstrap=nowhere"}); err == nil {
		t.Error("it was packed")
	}
}
