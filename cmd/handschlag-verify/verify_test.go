package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/consent/ledger"
)

// folderStore keeps a ledger in a folder, for one writer.
type folderStore string

func (s folderStore) Read(_ context.Context, name string) ([]byte, error) {
	return os.ReadFile(filepath.Join(string(s), name))
}

func (s folderStore) Write(_ context.Context, name string, body []byte) error {
	path := filepath.Join(string(s), name)
	return errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, body, 0o600))
}

func (s folderStore) Swap(ctx context.Context, name string, old, body []byte) error {
	is, err := s.Read(ctx, name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if !bytes.Equal(is, old) {
		return ledger.ErrMoved
	}
	return s.Write(ctx, name, body)
}

func (s folderStore) Remove(_ context.Context, name string) error {
	if err := os.Remove(filepath.Join(string(s), name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// zeros makes the same key in every run.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

// made is a ledger folder of n consent records, and what was taken away from it on
// the way: the first checkpoint, the proof of one record, the book.
type made struct {
	t                         *testing.T
	dir, key                  string
	older, newer, proof, book string
}

func make5(t *testing.T) made {
	t.Helper()
	private, public, err := ledger.GenerateKey(zeros{}, "shop.example/consent")
	ok(t, err)
	s, err := ledger.NewSigner(private)
	ok(t, err)
	m := made{t: t, dir: filepath.Join(t.TempDir(), "ledger"), key: public}
	store := folderStore(m.dir)
	_, err = ledger.Create(t.Context(), store, s)
	ok(t, err)
	var book []string
	for i := range 5 {
		r := record(i)
		canonical, err := r.Canonical()
		ok(t, err)
		salt := [32]byte{byte(i)}
		_, c, err := ledger.Append(t.Context(), store, s, []ledger.Leaf{ledger.NewLeaf(salt, canonical)})
		ok(t, err)
		line, err := json.Marshal(ledger.Opening{Index: int64(i), Salt: hex.EncodeToString(salt[:]), Content: canonical})
		ok(t, err)
		book = append(book, string(line))
		if i == 1 {
			m.older = m.file("older", string(c.Note))
		}
		m.newer = m.file("newer", string(c.Note))
	}
	m.book = m.file("book", strings.Join(book, "\n")+"\n")
	m.proof = m.file("proof", m.proofOf(3))
	return m
}

func record(i int) consent.Record {
	at := time.Date(2026, 11, 21, 9, 0, i, 0, time.UTC)
	return consent.Record{Schema: consent.RecordSchema, RecordID: "record-" + string(rune('a'+i)), Version: 1, Subject: consent.Subject{byte(i + 1)},
		Event: consent.Act{Time: at, Method: "save"}, Purposes: []consent.Choice{{Purpose: consent.Analytics, Status: consent.Given}}}
}

func (m made) proofOf(i int) string {
	m.t.Helper()
	hashes, err := ledger.Inclusion(m.t.Context(), folderStore(m.dir), int64(i), 5)
	ok(m.t, err)
	note, err := os.ReadFile(m.newer)
	ok(m.t, err)
	salt := [32]byte{byte(i)}
	canonical, err := record(i).Canonical()
	ok(m.t, err)
	leaf := ledger.NewLeaf(salt, canonical)
	var list []string
	for _, h := range hashes {
		list = append(list, base64.StdEncoding.EncodeToString(h[:]))
	}
	b, err := json.Marshal(map[string]any{"record_id": record(i).RecordID, "status": "covered", "proof": map[string]any{"record": record(i),
		"salt": hex.EncodeToString(salt[:]), "leaf": hex.EncodeToString(leaf[:]), "index": i, "hashes": list, "checkpoint": string(note)}})
	ok(m.t, err)
	return string(b)
}

func (m made) file(name, body string) string {
	m.t.Helper()
	path := filepath.Join(filepath.Dir(m.dir), name)
	ok(m.t, os.WriteFile(path, []byte(body), 0o600))
	return path
}

// changed is a file with something else in it.
func (m made) changed(path, old, new string) string {
	m.t.Helper()
	b, err := os.ReadFile(path)
	ok(m.t, err)
	if !strings.Contains(string(b), old) {
		m.t.Fatalf("%s has no %q", path, old)
	}
	return m.file("changed-"+filepath.Base(path)+hex.EncodeToString([]byte(new)), strings.Replace(string(b), old, new, 1))
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestL03AnybodyVerifiesOffline: exit code 0 for what holds, 1 for what does not,
// 2 for what makes no sense; one line says why.
func TestL03AnybodyVerifiesOffline(t *testing.T) {
	m := make5(t)
	for name, c := range map[string]struct {
		args []string
		code int
		says string
	}{
		"a sound folder":             {[]string{"folder", "-key", m.key, m.dir}, 0, `"size": 5`},
		"by the key beside it":       {[]string{"folder", m.dir}, 0, `"size": 5`},
		"with a witness":             {[]string{"folder", "-witness", m.older, m.dir}, 0, `"witnessed": 1`},
		"with the book":              {[]string{"folder", "-book", m.book, m.dir}, 0, `"open": 5`},
		"options after the name":     {[]string{"folder", m.dir, "-book", m.book}, 0, `"open": 5`},
		"a book with another record": {[]string{"folder", "-book", m.changed(m.book, "record-c", "record-x"), m.dir}, 1, "opening of leaf 2"},
		"growth by the folder":       {[]string{"growth", "-folder", m.dir, m.older, m.newer}, 0, `"newer": 5`},
		"growth backwards":           {[]string{"growth", "-folder", m.dir, m.newer, m.older}, 1, "shrank"},
		"a proof":                    {[]string{"proof", "-key", m.key, m.proof}, 0, "record-d"},
		"a proof of another record":  {[]string{"proof", "-key", m.key, m.changed(m.proof, `"status":"given"`, `"status":"refused"`)}, 1, "not the one"},
		"a proof at another place":   {[]string{"proof", "-key", m.key, m.changed(m.proof, `"index":3`, `"index":2`)}, 1, "does not hold"},
		"a proof under an old state": {[]string{"proof", "-key", m.key, "-checkpoint", m.older, m.proof}, 1, "does not hold"},
		"a proof without a key":      {[]string{"proof", m.proof}, 2, "-key is missing"},
		"a pending proof":            {[]string{"proof", "-key", m.key, m.file("pending", `{"status":"pending"}`)}, 1, "no checkpoint covers"},
		"a folder that is not there": {[]string{"folder", m.dir + "-not"}, 1, "public key"},
		"no such command":            {[]string{"frobnicate"}, 2, "frobnicate"},
		"too many names":             {[]string{"folder", "a", "b"}, 2, "wants 1"},
		"help":                       {[]string{"help"}, 0, "Exit codes"},
	} {
		t.Run(name, func(t *testing.T) {
			var out, complain bytes.Buffer
			if code := run(c.args, strings.NewReader(""), &out, &complain); code != c.code {
				t.Errorf("exit code %d, want %d: %s%s", code, c.code, out.String(), complain.String())
			}
			if said := out.String() + complain.String(); !strings.Contains(said, c.says) {
				t.Errorf("said %q, want %q", said, c.says)
			}
			if c.code != 0 && strings.Count(complain.String(), "\n") != 1 {
				t.Errorf("want one line, got %q", complain.String())
			}
		})
	}
}

func TestL02AFlippedByteInTheFolderExitsWithItsLeaf(t *testing.T) {
	m := make5(t)
	path := filepath.Join(m.dir, "tile", "entries", "000.p", "5")
	b, err := os.ReadFile(path)
	ok(t, err)
	b[3*34+9] ^= 1
	ok(t, os.WriteFile(path, b, 0o600))
	var out, complain bytes.Buffer
	if code := run([]string{"folder", m.dir}, nil, &out, &complain); code != 1 || !strings.Contains(complain.String(), "leaf 3") {
		t.Errorf("exit code %d: %s", code, complain.String())
	}
}

// TestABookWithAHoleIsMissingALeaf: erased and missing are told apart.
func TestABookWithAHoleIsMissingALeaf(t *testing.T) {
	m := make5(t)
	b, err := os.ReadFile(m.book)
	ok(t, err)
	all := strings.SplitAfter(string(b), "\n")
	hole := m.file("hole", strings.Join(append(append([]string{}, all[:2]...), all[3:]...), ""))
	var out, complain bytes.Buffer
	if code := run([]string{"folder", "-book", hole, m.dir}, nil, &out, &complain); code != 1 || !strings.Contains(complain.String(), "the first is 2 (4 open, 0 erased, 0 sealed)") {
		t.Errorf("exit code %d: %s", code, complain.String())
	}
}
