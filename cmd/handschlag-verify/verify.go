package main

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/consent/ledger"
)

// many is a flag that may come several times.
type many []string

func (m *many) String() string     { return strings.Join(*m, ",") }
func (m *many) Set(s string) error { *m = append(*m, s); return nil }

// publicKey reads a key: itself, a file, or the one that lies in a ledger folder.
func publicKey(named, dir string) (string, error) {
	path := named
	if path == "" {
		if dir == "" {
			return "", fmt.Errorf("-key is missing: %w", errUsage)
		}
		path = filepath.Join(dir, "verifier")
	} else if _, err := os.Stat(path); err != nil && strings.Contains(path, "+") {
		return path, nil
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("reading the public key: %w", err)
	}
	return strings.TrimSpace(string(b)), nil
}

// folderReport is what was found in a sound folder.
type folderReport struct {
	ledger.Report
	Witnessed int              `json:"witnessed"`
	Book      *ledger.Accounts `json:"book,omitempty"`
}

func folder(args []string, _ io.Reader) (any, error) {
	var key, book string
	var witness many
	names, err := flags("folder", args, 1, func(f *flag.FlagSet) {
		f.StringVar(&key, "key", "", "")
		f.StringVar(&book, "book", "", "")
		f.Var(&witness, "witness", "")
	})
	if err != nil {
		return nil, err
	}
	public, err := publicKey(key, names[0])
	if err != nil {
		return nil, err
	}
	var witnessed [][]byte
	for _, path := range witness {
		b, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("reading a witnessed checkpoint: %w", err)
		}
		witnessed = append(witnessed, b)
	}
	r, err := ledger.Verify(os.DirFS(names[0]), public, witnessed...)
	if err != nil {
		return nil, fmt.Errorf("the ledger does not verify: %w", err)
	}
	report := folderReport{Report: r, Witnessed: len(witnessed)}
	if book != "" {
		report.Book, err = accounts(names[0], public, book)
	}
	return report, err
}

// accounts compares the ledger with the book's openings.
func accounts(dir, public, book string) (*ledger.Accounts, error) {
	f, err := os.Open(book)
	if err != nil {
		return nil, fmt.Errorf("reading the book: %w", err)
	}
	defer func() { _ = f.Close() }() // only read
	a, err := ledger.Account(os.DirFS(dir), public, func(add func(ledger.Opening) error) error { return ledger.ReadOpenings(f, add) })
	if err != nil {
		return nil, fmt.Errorf("the book is not the ledger's: %w", err)
	}
	if a.Missing > 0 {
		return nil, fmt.Errorf("%d of %d leaves are missing from the book, the first is %d (%d open, %d erased, %d sealed)",
			a.Missing, a.Leaves, a.FirstMissing, a.Open, a.Erased, a.Sealed)
	}
	return &a, nil
}

// growthReport says from where to where a log grew.
type growthReport struct {
	Origin string `json:"origin"`
	Older  int64  `json:"older"`
	Newer  int64  `json:"newer"`
}

func growth(args []string, _ io.Reader) (any, error) {
	var key, dir, path string
	names, err := flags("growth", args, 2, func(f *flag.FlagSet) {
		f.StringVar(&key, "key", "", "")
		f.StringVar(&dir, "folder", "", "")
		f.StringVar(&path, "proof", "", "")
	})
	if err != nil {
		return nil, err
	}
	public, err := publicKey(key, dir)
	if err != nil {
		return nil, err
	}
	older, err := os.ReadFile(names[0])
	if err != nil {
		return nil, fmt.Errorf("reading the older checkpoint: %w", err)
	}
	newer, err := os.ReadFile(names[1])
	if err != nil {
		return nil, fmt.Errorf("reading the newer checkpoint: %w", err)
	}
	was, err := ledger.OpenCheckpoint(public, older)
	if err != nil {
		return nil, fmt.Errorf("the older checkpoint does not verify: %w", err)
	}
	is, err := ledger.OpenCheckpoint(public, newer)
	if err != nil {
		return nil, fmt.Errorf("the newer checkpoint does not verify: %w", err)
	}
	hashes, err := growthProof(dir, path, was.Size, is.Size)
	if err != nil {
		return nil, err
	}
	if err := ledger.CheckConsistency(public, older, newer, hashes); err != nil {
		return nil, fmt.Errorf("the log does not grow from one to the other: %w", err)
	}
	return growthReport{is.Origin, was.Size, is.Size}, nil
}

// growthProof reads a proof: a JSON list of base64 hashes, or made from a folder.
func growthProof(dir, path string, older, newer int64) (tlog.TreeProof, error) {
	if path == "" && dir == "" {
		return nil, fmt.Errorf("-folder or -proof is missing: %w", errUsage)
	}
	if path == "" {
		if older > newer { // CheckConsistency says so
			return nil, nil
		}
		hashes, err := ledger.FolderConsistency(os.DirFS(dir), older, newer)
		if err != nil {
			return nil, fmt.Errorf("the folder does not prove it: %w", err)
		}
		return hashes, nil
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the proof: %w", err)
	}
	var list []string
	if err := json.Unmarshal(b, &list); err != nil {
		return nil, fmt.Errorf("reading the proof: %w", err)
	}
	return hashesOf(list)
}

func hashesOf(list []string) (out []tlog.Hash, err error) {
	for i, s := range list {
		b, err := base64.StdEncoding.DecodeString(s)
		if err != nil || len(b) != tlog.HashSize {
			return nil, fmt.Errorf("hash %d of the proof is not 32 bytes in base64", i)
		}
		out = append(out, tlog.Hash(b))
	}
	return out, nil
}

// proofFile is the inclusion proof of one consent record.
type proofFile struct {
	Status     string          `json:"status"`
	Proof      *proofFile      `json:"proof"`     // as the API wraps it
	Ledger     *linkedProof    `json:"hs:ledger"` // as "handschlag consent proof --format json" does
	Record     json.RawMessage `json:"record"`
	Salt       string          `json:"salt"`
	Leaf       string          `json:"leaf"`
	Index      int64           `json:"index"`
	Hashes     []string        `json:"hashes"`
	Checkpoint string          `json:"checkpoint"`
}

// linkedProof is the same in JSON-LD.
type linkedProof struct {
	Record     json.RawMessage `json:"hs:record"`
	Salt       string          `json:"hs:salt"`
	Leaf       string          `json:"hs:leaf"`
	Index      int64           `json:"hs:index"`
	Hashes     []string        `json:"hs:hashes"`
	Checkpoint string          `json:"hs:checkpoint"`
}

// proofReport says what was proven.
type proofReport struct {
	RecordID string    `json:"record_id"`
	Subject  string    `json:"subject"`
	Time     string    `json:"time"`
	Purposes []string  `json:"purposes"`
	Index    int64     `json:"index"`
	Origin   string    `json:"origin"`
	Size     int64     `json:"size"`
	Root     tlog.Hash `json:"root"`
}

func proof(args []string, in io.Reader) (any, error) {
	var key, checkpoint string
	names, err := flags("proof", args, 1, func(f *flag.FlagSet) {
		f.StringVar(&key, "key", "", "")
		f.StringVar(&checkpoint, "checkpoint", "", "")
	})
	if err != nil {
		return nil, err
	}
	public, err := publicKey(key, "")
	if err != nil {
		return nil, err
	}
	p, err := readProof(names[0], in)
	if err != nil {
		return nil, err
	}
	signed := []byte(p.Checkpoint)
	if checkpoint != "" { // one that the reader got from somebody else
		if signed, err = os.ReadFile(checkpoint); err != nil {
			return nil, fmt.Errorf("reading the checkpoint: %w", err)
		}
	}
	return checkProof(public, p, signed)
}

func readProof(name string, in io.Reader) (proofFile, error) {
	var p proofFile
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return p, fmt.Errorf("reading the proof: %w", err)
		}
		defer func() { _ = f.Close() }() // only read
		in = f
	}
	if err := json.NewDecoder(in).Decode(&p); err != nil {
		return p, fmt.Errorf("reading the proof: %w", err)
	}
	if p.Status == "pending" {
		return p, errors.New("no checkpoint covers the record yet: ask for the proof again")
	}
	switch l := p.Ledger; {
	case p.Proof != nil:
		p = *p.Proof
	case l != nil:
		p = proofFile{Record: l.Record, Salt: l.Salt, Leaf: l.Leaf, Index: l.Index, Hashes: l.Hashes, Checkpoint: l.Checkpoint}
	}
	return p, nil
}

// checkProof recomputes the leaf from the record's canonical form, then the way to
// the checkpoint's root.
func checkProof(public string, p proofFile, signed []byte) (proofReport, error) {
	var r consent.Record
	if err := json.Unmarshal(p.Record, &r); err != nil {
		return proofReport{}, fmt.Errorf("the record is unreadable: %w", err)
	}
	canonical, err := r.Canonical()
	if err != nil {
		return proofReport{}, err
	}
	salt, err := hex.DecodeString(p.Salt)
	if err != nil || len(salt) != 32 {
		return proofReport{}, errors.New("the salt is not 64 hex digits")
	}
	leaf := ledger.NewLeaf([32]byte(salt), canonical)
	if p.Leaf != hex.EncodeToString(leaf[:]) {
		return proofReport{}, errors.New("the record is not the one that the leaf commits to")
	}
	hashes, err := hashesOf(p.Hashes)
	if err != nil {
		return proofReport{}, err
	}
	if err := ledger.CheckInclusion(public, signed, leaf, p.Index, hashes); err != nil {
		return proofReport{}, fmt.Errorf("the proof does not hold: %w", err)
	}
	c, err := ledger.OpenCheckpoint(public, signed)
	if err != nil {
		return proofReport{}, err
	}
	out := proofReport{RecordID: r.RecordID, Subject: r.Subject.String(), Time: r.Event.Time.Format("2006-01-02T15:04:05Z07:00"),
		Index: p.Index, Origin: c.Origin, Size: c.Size, Root: c.Root}
	for _, choice := range r.Purposes {
		out.Purposes = append(out.Purposes, string(choice.Purpose)+"="+string(choice.Status))
	}
	return out, nil
}
