package segment

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// flip changes one bit of a file.
func flip(t *testing.T, path string, at int) {
	t.Helper()
	body, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	body[at] ^= 1
	if err := os.WriteFile(path, body, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestADamagedStateStopsTheNight flips a bit in every file that a night remembers
// by: none is passed over, and the way out that the error names is one.
func TestADamagedStateStopsTheNight(t *testing.T) {
	s := newShop(t)
	s.everyday(60, 2)
	first := s.night(monday.AddDate(0, 0, 1))
	s.run(first)
	in := s.night(monday.AddDate(0, 0, 2))
	whole := in.State
	for name, body := range tree(t, whole) {
		if name == "LOCK" || filepath.Dir(name) == listsFolder { // the shop works the lists off; no night reads them
			continue
		}
		in.State = copyOf(t, whole)
		flip(t, filepath.Join(in.State, name), len(body)/2)
		_, err := Run(context.Background(), in)
		if err == nil || !strings.Contains(err.Error(), filepath.Base(name)+" ") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s with a flipped bit: %v", name, err)
			continue
		}
		if filepath.Base(name) == nightKeyFile {
			continue
		}
		if err := os.Remove(filepath.Join(in.State, "state.json")); err != nil {
			t.Fatal(err)
		}
		s.run(in)
	}
}

func TestAMissingFileOfTheStateStopsTheNight(t *testing.T) {
	s := newShop(t)
	s.everyday(60, 2)
	first := s.night(monday.AddDate(0, 0, 1))
	s.run(first)
	gone := "daily/day=2026-11-02/000001.parquet"
	if err := os.Remove(filepath.Join(first.State, gone)); err != nil {
		t.Fatal(err)
	}
	if _, err := Run(context.Background(), s.night(monday.AddDate(0, 0, 2))); err == nil || !strings.Contains(err.Error(), gone+" is missing") {
		t.Errorf("without %s: %v", gone, err)
	}
}

// TestEveryByteOfStateJSONCounts flips each in turn.
func TestEveryByteOfStateJSONCounts(t *testing.T) {
	dir := t.TempDir()
	body, err := state{Revision: 3, Code: "c", Files: map[string]string{"verdicts": "v"}, Sums: map[string]string{"v": "s"}}.seal()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "state.json")
	for at := range body {
		changed := bytes.Clone(body)
		changed[at] ^= 1
		if err := os.WriteFile(path, changed, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := readState(dir); err == nil {
			t.Errorf("byte %d was changed: %s", at, changed)
		}
	}
}

// TestAStateWithoutSumsGetsThem: what an earlier version left is taken once.
func TestAStateWithoutSumsGetsThem(t *testing.T) {
	s := newShop(t)
	s.everyday(60, 2)
	first := s.night(monday.AddDate(0, 0, 1))
	s.run(first)
	old, err := readState(first.State)
	if err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(map[string]any{"revision": old.Revision, "code": old.Code, "sensitive": old.Sensitive, "days": old.Days, "files": old.Files})
	if err != nil {
		t.Fatal(err)
	}
	s.write(filepath.Join(first.State, "state.json"), body)
	s.run(s.night(monday.AddDate(0, 0, 2)))
	now, err := readState(first.State)
	if err != nil || len(now.Sums) != len(now.named()) || now.Sum == "" || now.Days[0] != old.Days[0] {
		t.Errorf("after a night: %+v, %v", now, err)
	}
}

func TestEveryByteOfTheNightKeyCounts(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, nightKeyFile)
	key := bytes.Repeat([]byte{7}, 32)
	if err := os.WriteFile(path, key, 0o600); err != nil { // as an earlier version left it
		t.Fatal(err)
	}
	if keys, err := openKeys(dir); err != nil || !bytes.Equal(keys.night, key) {
		t.Fatalf("the old form: %v", err)
	}
	body, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for at := range body {
		flip(t, path, at)
		if _, err := openKeys(dir); err == nil {
			t.Errorf("byte %d was changed", at)
		}
		flip(t, path, at)
	}
	if keys, err := openKeys(dir); err != nil || !bytes.Equal(keys.night, key) {
		t.Errorf("the key was not kept: %v", err)
	}
}
