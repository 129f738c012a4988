package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A second demo says who holds the folder, and clears nothing under a shop that serves.
func TestASecondDemoLeavesTheFirstAlone(t *testing.T) {
	dir := t.TempDir()
	mark := filepath.Join(dir, "demo-shops") // what a folder bears that a demo may clear
	if err := os.WriteFile(mark, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	srv, err := start(t.Context(), serveCmd{place: place{Data: filepath.Join(dir, "ordinary")}, Listen: "127.0.0.1:0"}, streams{nil, io.Discard, io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
	}()
	err = demoCmd{Data: dir, Listen: "127.0.0.1:0", Every: 600, Seed: "s"}.Run(t.Context(), streams{nil, io.Discard, io.Discard})
	if err == nil || !strings.Contains(err.Error(), "stop that one with Ctrl-C") || !strings.Contains(err.Error(), "make run DATA=") {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(mark); err != nil {
		t.Errorf("the first one's folder: %v", err)
	}
}
