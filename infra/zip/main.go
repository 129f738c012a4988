// Command zip packs files as Lambda wants them, the same bytes for the same files:
// zip OUT NAME=FILE …
package main

import (
	"archive/zip"
	"errors"
	"fmt"
	"log"
	"os"
	"strings"
	"time"
)

func main() {
	if len(os.Args) < 3 {
		log.Fatal("usage: zip OUT NAME=FILE …")
	}
	if err := pack(os.Args[1], os.Args[2:]); err != nil {
		log.Fatalf("packing %s: %v", os.Args[1], err)
	}
}

// pack writes the named files, executable and without a time of their own.
func pack(out string, files []string) (err error) {
	f, err := os.Create(out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	z := zip.NewWriter(f)
	for _, file := range files {
		name, path, ok := strings.Cut(file, "=")
		if !ok {
			return fmt.Errorf("want NAME=FILE, got %q", file)
		}
		body, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		h := &zip.FileHeader{Name: name, Method: zip.Deflate, Modified: time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)}
		h.SetMode(0o755)
		w, err := z.CreateHeader(h)
		if err != nil {
			return err
		}
		if _, err := w.Write(body); err != nil {
			return err
		}
	}
	return z.Close()
}
