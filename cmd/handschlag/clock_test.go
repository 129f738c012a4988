package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestTheClockFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "clock")
	write := func(s string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(s), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := newFileClock(path); err == nil {
		t.Error("a clock without a file: want an error")
	}
	write("2026-03-01T10:00:00+01:00\n")
	c, err := newFileClock(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct{ name, line, want string }{
		{"as written, in UTC", "2026-03-01T10:00:00+01:00\n", "2026-03-01T09:00:00Z"},
		{"moved", "2026-03-01T10:30:00Z", "2026-03-01T10:30:00Z"},
		{"never backwards", "2026-03-01T10:00:00Z", "2026-03-01T10:30:00Z"},
		{"by a fraction", "2026-03-01T10:30:00.5Z", "2026-03-01T10:30:00.5Z"},
	} {
		write(step.line)
		if got := c.Now().Format(time.RFC3339Nano); got != step.want || c.Check() != nil {
			t.Errorf("%s: want %s, got %s %v", step.name, step.want, got, c.Check())
		}
	}
	for _, bad := range []string{"", "noon", "2026-03-01", "2026-03-01T10:00:00Z\n2026-03-02T10:00:00Z"} {
		write(bad)
		if c.Check() == nil {
			t.Errorf("%q: want an error", bad)
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if c.Check() == nil {
		t.Error("a lost file: want an error")
	}
	write("2026-03-02T00:00:00Z")
	if c.Check() != nil || c.Now().Format(time.DateOnly) != "2026-03-02" {
		t.Errorf("mended: want the time, got %v %v", c.Now(), c.Check())
	}
}

func TestLoopback(t *testing.T) {
	for address, want := range map[string]bool{
		"127.0.0.1:8080": true, "localhost:0": true, "[::1]:80": true, "127.9.9.9:1": true,
		"0.0.0.0:80": false, ":8080": false, "[::]:80": false, "192.0.2.1:80": false, "shop.example:80": false, "localhost.evil.example:1": false, "x": false,
	} {
		if onLoopback(address) != want {
			t.Errorf("%s: want %v", address, want)
		}
	}
}

func TestKeysAreKeptForTheOwnerAlone(t *testing.T) {
	t.Setenv("HANDSCHLAG_WRITE_KEY", "")
	t.Setenv("HANDSCHLAG_SERVER_KEY", "")
	dir := t.TempDir()
	first, err := loadKeys(dir)
	if err != nil || !first.Made || len(first.Write) < 26 || first.Write == first.Server {
		t.Fatalf("want two keys made, got %d and %d characters, %v", len(first.Write), len(first.Server), err)
	}
	again, err := loadKeys(dir)
	if err != nil || again.Made || again.Write != first.Write || again.Server != first.Server {
		t.Errorf("want the same keys again, got %v %v", again == first, err)
	}
	info, err := os.Stat(filepath.Join(dir, "keys", "server.key"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("want a file for the owner alone, got %v %v", info.Mode(), err)
	}
	if err := os.WriteFile(filepath.Join(dir, "keys", "server.key"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := loadKeys(dir); err == nil {
		t.Error("an empty key file: want an error")
	}
	t.Setenv("HANDSCHLAG_SERVER_KEY", "from-the-environment")
	if k, err := loadKeys(dir); err != nil || k.Server != "from-the-environment" {
		t.Errorf("the environment goes first: got %v", err)
	}
}
