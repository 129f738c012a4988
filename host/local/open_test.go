package local

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/parquet-go/parquet-go"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/profile"
)

// readOnly is a disk that takes nothing.
type readOnly struct{ vfs.FS }

func (readOnly) Create(string, vfs.DiskWriteCategory) (vfs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: "x", Err: syscall.EROFS}
}

// filledDir is a closed data folder with something of everything.
func filledDir(t *testing.T) string {
	dir := t.TempDir()
	h := openAt(t, dir, options())
	ada := consent.Subject{1}
	ok(t, h.AppendEvents(ctx, []event.Row{saw(ada, 1, noon)}))
	_, err := h.Append(ctx, ada, func(consent.State) (consent.Record, error) {
		return consent.Record{RecordID: "r", Event: consent.Act{Time: noon}}, nil
	})
	ok(t, err)
	ok(t, h.AppendDecision(ctx, &decide.Record{ID: "d", Time: noon, Input: []byte("{}"), Result: []byte("{}")}))
	ok(t, h.Close())
	return dir
}

func TestAFolderThatCannotBeOpenedSaysWhy(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(t *testing.T, dir string, o *Options)
		want string
	}{
		{"read-only", func(_ *testing.T, _ string, o *Options) { o.fs = readOnly{vfs.NewMem()} }, "not writable"},
		{"another tenant's", func(_ *testing.T, _ string, o *Options) { o.Tenant = "other" }, `belongs to tenant "test", not to "other"`},
		{"in use", func(t *testing.T, dir string, _ *Options) {
			h := openAt(t, dir, options())
			t.Cleanup(func() { ok(t, h.Close()) })
		}, "admin.sock"},
		{"a newer format", func(t *testing.T, dir string, _ *Options) { write(t, dir, "format", `{"format":2,"tenant":"test"}`) }, "format 2"},
		{"a broken format", func(t *testing.T, dir string, _ *Options) { write(t, dir, "format", `{`) }, "format"},
		{"a lost key", func(t *testing.T, dir string, _ *Options) { ok(t, os.Remove(filepath.Join(dir, "keys", "subjects"))) }, "subjects"},
		{"a broken key", func(t *testing.T, dir string, _ *Options) { write(t, dir, "keys/token", "xyz") }, "keys/token"},
		{"a broken ledger key", func(t *testing.T, dir string, _ *Options) { write(t, dir, "keys/ledger", "xyz") }, "keys/ledger"},
		{"a lost ledger", func(t *testing.T, dir string, _ *Options) { ok(t, os.RemoveAll(filepath.Join(dir, "ledger"))) }, "ledger"},
		{"a lost event log", func(t *testing.T, dir string, _ *Options) {
			ok(t, os.Remove(filepath.Join(dir, "log", "events", "0000000000000001.seg")))
		}, "0000000000000001.seg"},
		{"a damaged event log", func(t *testing.T, dir string, _ *Options) { flip(t, dir, "log/events/0000000000000001.seg", 60) }, "offset 32"},
		{"a damaged decision log", func(t *testing.T, dir string, _ *Options) { flip(t, dir, "log/decisions/0000000000000001.seg", 60) }, "log/decisions"},
		{"a lost count of promises", func(t *testing.T, dir string, _ *Options) { ok(t, os.Remove(filepath.Join(dir, "committed"))) }, "committed"},
		{"a broken count of promises", func(t *testing.T, dir string, _ *Options) { flip(t, dir, "committed", 9) }, "committed"},
		{"a damaged state store", func(t *testing.T, dir string, _ *Options) {
			names, err := filepath.Glob(filepath.Join(dir, "state", "MANIFEST-*"))
			ok(t, err)
			for _, n := range names {
				ok(t, os.Truncate(n, 10))
			}
		}, "state"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir, o := filledDir(t), options()
			c.do(t, dir, &o)
			h, err := Open(ctx, dir, o)
			if err == nil {
				ok(t, h.Close())
				t.Fatal("it opened")
			}
			if !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Fatalf("got %q", err)
			}
		})
	}
	t.Run("a file in the way", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "data")
		ok(t, os.WriteFile(path, nil, 0o600))
		if _, err := Open(ctx, path, options()); err == nil || strings.Contains(err.Error(), "\n") {
			t.Fatalf("got %v", err)
		}
	})
}

// TestADamagedStateStoreIsNeverShorterInSilence flips bits all over the state
// store of a folder that was closed, and of one that was killed: either opening or
// reading says so, or every acknowledged record is there.
func TestADamagedStateStoreIsNeverShorterInSilence(t *testing.T) {
	for _, closed := range []bool{true, false} {
		dir := t.TempDir()
		h := openAt(t, dir, options())
		for n := range byte(8) {
			_, err := h.Append(ctx, consent.Subject{n + 1}, func(consent.State) (consent.Record, error) {
				return consent.Record{RecordID: string('a' + rune(n))}, nil
			})
			ok(t, err)
		}
		if closed {
			ok(t, h.Close())
		}
		names, err := filepath.Glob(filepath.Join(dir, "state", "*"))
		ok(t, err)
		reported := 0
		for _, name := range names {
			b, err := os.ReadFile(name)
			ok(t, err)
			for i := 0; i < len(b); i += 1 + len(b)/12 {
				copied := filepath.Join(t.TempDir(), "data")
				ok(t, os.CopyFS(copied, os.DirFS(dir)))
				flip(t, copied, filepath.Join("state", filepath.Base(name)), i)
				silent, said := opened(copied)
				if silent {
					t.Fatalf("closed %v, %s flipped at %d: records are missing and nothing says so", closed, name, i)
				}
				if said {
					reported++
				}
			}
		}
		if reported == 0 {
			t.Fatal("no flip was noticed")
		}
		if !closed {
			ok(t, h.Close())
		}
	}
}

// opened opens a folder: records are missing in silence, or an error says why it
// cannot be opened, or neither.
func opened(dir string) (silent, said bool) {
	o := options()
	fatal := false
	o.fatal = func(string) { fatal = true }
	h, err := Open(ctx, dir, o)
	if err != nil {
		return false, true
	}
	defer func() { _ = h.Close() }() // it may be damaged
	for n := range byte(8) {
		if _, err := h.Record(ctx, string('a'+rune(n))); errors.Is(err, flow.ErrNotFound) {
			return !fatal, false
		}
	}
	return false, false
}

func write(t *testing.T, dir, name, body string) {
	ok(t, os.WriteFile(filepath.Join(dir, name), []byte(body), 0o600))
}

func flip(t *testing.T, dir, name string, at int) {
	b, err := os.ReadFile(filepath.Join(dir, name))
	ok(t, err)
	b[at] ^= 1
	ok(t, os.WriteFile(filepath.Join(dir, name), b, 0o600))
}

func TestKeysAreForTheOwnerAlone(t *testing.T) {
	dir := filledDir(t)
	info, err := os.Stat(filepath.Join(dir, "keys"))
	ok(t, err)
	if info.Mode().Perm() != 0o700 {
		t.Fatalf("keys has mode %v", info.Mode())
	}
	files, err := os.ReadDir(filepath.Join(dir, "keys"))
	ok(t, err)
	for _, f := range files {
		info, err := f.Info()
		ok(t, err)
		if info.Mode().Perm() != 0o600 {
			t.Fatalf("%s has mode %v", f.Name(), info.Mode())
		}
	}
	if len(files) != 5 {
		t.Fatalf("%d keys", len(files))
	}
}

// TestNoRawIdentifierIsStored sends canaries through every call that takes an
// identifier and looks for them in every byte of the folder, unpacked.
func TestNoRawIdentifierIsStored(t *testing.T) {
	s := newShop(t)
	for _, c := range []struct {
		scope consent.Scope
		value string
	}{
		{consent.Device, "CANARY-device-3f9a"}, {consent.Account, "CANARY-account@shop.example"},
	} {
		id, err := consent.NewID(c.scope, c.value)
		ok(t, err)
		_, err = s.Find(ctx, id)
		ok(t, err)
		who, err := s.Assign(ctx, id)
		ok(t, err)
		s.says(who, noon, consent.Given, consent.Analytics, consent.AdviserAssist)
		s.takes(saw(who, 1, noon.Add(time.Hour)))
		ok(t, s.UpdateProfile(ctx, who, nil, func(p profile.Profile) profile.Profile {
			return p.Apply([]event.Event{saw(who, 1, noon.Add(time.Hour)).Event()})
		}))
		ok(t, s.AppendDecision(ctx, &decide.Record{ID: who.String(), Time: noon, Subject: who, Input: []byte("{}"), Result: []byte("{}")}))
	}
	snapshot := filepath.Join(s.dir, "night", "snapshot")
	ok(t, s.Snapshot(ctx, noon.Add(aDay), snapshot))
	ok(t, s.db.Flush())
	var all bytes.Buffer
	ok(t, each(s.db, nil, []byte{0xff}, func(k, v []byte) (bool, error) { all.Write(k); all.Write(v); return true, nil }))
	s.reopen()
	ok(t, filepath.WalkDir(s.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		all.Write(b)
		if filepath.Ext(path) == ".parquet" {
			unpack(t, path, &all)
		}
		return err
	}))
	for _, secret := range []string{"CANARY", "device-3f9a", "shop.example"} {
		for form, needle := range forms(secret) {
			if i := bytes.Index(all.Bytes(), needle); i >= 0 {
				t.Fatalf("%s of %q is there: %q", form, secret, all.Bytes()[max(0, i-30):i+40])
			}
		}
	}
	for _, whole := range []string{"CANARY-device-3f9a", "CANARY-account@shop.example"} {
		sum := sha256.Sum256([]byte(whole))
		if bytes.Contains(all.Bytes(), sum[:]) || bytes.Contains(all.Bytes(), []byte(hex.EncodeToString(sum[:]))) {
			t.Fatal("an unkeyed digest of an identifier is there")
		}
	}
	if !bytes.Contains(all.Bytes(), []byte("record-1")) || !bytes.Contains(all.Bytes(), []byte("analytics")) {
		t.Fatal("the scan does not see what is there")
	}
}

func forms(s string) map[string][]byte {
	var wide []byte
	for i := range len(s) {
		wide = append(wide, s[i], 0)
	}
	b64 := base64.StdEncoding.EncodeToString([]byte(s))
	return map[string][]byte{"text": []byte(s), "hex": []byte(hex.EncodeToString([]byte(s))), "base64": []byte(b64[:len(b64)/4*4-4]), "UTF-16": wide}
}

// unpack adds what a Parquet file says, decompressed.
func unpack(t *testing.T, path string, to *bytes.Buffer) {
	f, err := os.Open(path)
	ok(t, err)
	defer func() { ok(t, f.Close()) }()
	r := parquet.NewReader(f)
	for {
		row := map[string]any{}
		if r.Read(&row) != nil {
			return
		}
		b, err := json.Marshal(row)
		ok(t, err)
		to.Write(b)
	}
}
