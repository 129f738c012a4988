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
	Record     json.RawMessage `json:"record"`
	Salt       string          `json:"salt"`
	Leaf       string          `json:"leaf"`
	Index      int64           `json:"index"`
	Hashes     []string        `json:"hashes"`     // base64
	Checkpoint string          `json:"checkpoint"` // signed
	Verifier   string          `json:"verifier"`   // the key that a JSON-LD file names

	record   any    // as the file has it
	recordID string // as the API's answer names it
	linked   object // the whole file, if it is JSON-LD
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
	Says     string    `json:"says"`
	Unproven []string  `json:"unproven,omitempty"` // members that the record does not hold
}

const (
	allProven  = "The record is in the log, and all of the file follows from it."
	someProven = "The record is in the log, and all of the file follows from it but the members under unproven: those are only what the shop says."
)

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
	var other []byte
	if checkpoint != "" { // one that the reader got from somebody else
		if other, err = os.ReadFile(checkpoint); err != nil {
			return nil, fmt.Errorf("reading the checkpoint: %w", err)
		}
	}
	if names[0] != "-" {
		f, err := os.Open(names[0])
		if err != nil {
			return nil, fmt.Errorf("reading the proof: %w", err)
		}
		defer func() { _ = f.Close() }() // only read
		in = f
	}
	return checkProofs(public, in, other)
}

// checkProofs checks every proof of a file. One gives its report, several a list.
func checkProofs(public string, in io.Reader, signed []byte) (any, error) {
	var out []proofReport
	for d := json.NewDecoder(in); ; {
		v, err := readJSON(d)
		if errors.Is(err, io.EOF) {
			break
		}
		var r proofReport
		var p proofFile
		if err == nil {
			p, err = proofIn(v)
		}
		if err != nil {
			err = fmt.Errorf("reading the proof: %w", err)
		} else {
			r, err = checkProof(public, p, signed)
		}
		if err != nil && len(out) > 0 {
			err = fmt.Errorf("proof %d of the file: %w", len(out)+1, err)
		}
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	switch len(out) {
	case 0:
		return nil, errors.New("reading the proof: the file is empty")
	case 1:
		return out[0], nil
	}
	return out, nil
}

// The members of a proof, and those in JSON-LD.
var (
	proofMembers  = []string{"record", "salt", "leaf", "index", "hashes", "checkpoint"}
	ledgerMembers = []string{"hs:record", "hs:salt", "hs:leaf", "hs:index", "hs:hashes", "hs:checkpoint", "hs:verifier"}
)

// proofIn finds the proof: in JSON-LD, in the API's answer, or bare.
func proofIn(v any) (proofFile, error) {
	doc, _ := v.(object)
	if doc["status"] == "pending" {
		return proofFile{}, errors.New("no checkpoint covers the record yet: ask for the proof again")
	}
	var id string
	bare, linked := doc, object(nil)
	if l, is := doc["hs:ledger"].(object); is {
		if err := only(l, ledgerMembers...); err != nil {
			return proofFile{}, err
		}
		bare, linked = object{}, doc
		for name, v := range l {
			bare[strings.TrimPrefix(name, "hs:")] = v
		}
	} else if inner, is := doc["proof"].(object); is {
		if err := only(doc, "record_id", "status", "proof"); err != nil {
			return proofFile{}, err
		}
		if doc["status"] != "covered" {
			return proofFile{}, errors.New("its status is not covered")
		}
		bare = inner
		if id, is = doc["record_id"].(string); !is || id == "" {
			return proofFile{}, errors.New("its record_id is missing")
		}
	}
	if linked == nil {
		if err := only(bare, proofMembers...); err != nil {
			return proofFile{}, err
		}
	}
	b, err := json.Marshal(bare)
	if err != nil {
		return proofFile{}, err
	}
	p := proofFile{record: bare["record"], recordID: id, linked: linked}
	return p, json.Unmarshal(b, &p)
}

// checkProof recomputes the leaf from the record's canonical form, then the way to the
// checkpoint's root (the file's own if signed is nil), then all else that the file says.
func checkProof(public string, p proofFile, signed []byte) (proofReport, error) {
	r, leaf, err := p.leaf()
	if err != nil {
		return proofReport{}, err
	}
	hashes, err := hashesOf(p.Hashes)
	if err != nil {
		return proofReport{}, err
	}
	if signed == nil {
		signed = []byte(p.Checkpoint)
	}
	if err := ledger.CheckInclusion(public, signed, leaf, p.Index, hashes); err != nil {
		return proofReport{}, fmt.Errorf("the proof does not hold: %w", err)
	}
	c, err := ledger.OpenCheckpoint(public, signed)
	if err != nil {
		return proofReport{}, err
	}
	out := proofReport{RecordID: r.RecordID, Subject: r.Subject.String(), Time: r.Event.Time.Format("2006-01-02T15:04:05Z07:00"),
		Index: p.Index, Origin: c.Origin, Size: c.Size, Root: c.Root, Says: allProven}
	for _, choice := range r.Purposes {
		out.Purposes = append(out.Purposes, string(choice.Purpose)+"="+string(choice.Status))
	}
	if out.Unproven, err = p.rest(public, r); len(out.Unproven) > 0 {
		out.Says = someProven
	}
	return out, err
}

// leaf is the record and what commits to it. What the file shows as the record must be
// that and no more.
func (p proofFile) leaf() (r consent.Record, leaf ledger.Leaf, err error) {
	if err := json.Unmarshal(p.Record, &r); err != nil {
		return r, leaf, fmt.Errorf("the record is unreadable: %w", err)
	}
	canonical, err := r.Canonical()
	if err != nil {
		return r, leaf, err
	}
	salt, err := hex.DecodeString(p.Salt)
	if err != nil || len(salt) != 32 {
		return r, leaf, errors.New("the salt is not 64 hex digits")
	}
	leaf = ledger.NewLeaf([32]byte(salt), canonical)
	if p.Leaf != hex.EncodeToString(leaf[:]) {
		return r, leaf, errors.New("the record is not the one that the leaf commits to")
	}
	committed, err := plain(json.RawMessage(canonical))
	if where := (differing{}).find("record", p.record, committed); err == nil && where != "" {
		err = fmt.Errorf("the record is not the one that the leaf commits to: %s", where)
	}
	return r, leaf, err
}

// rest checks what the file says around the proof, and gives what nothing proves.
func (p proofFile) rest(public string, r consent.Record) ([]string, error) {
	if p.recordID != "" && p.recordID != r.RecordID {
		return nil, errors.New("the file names another record than it proves")
	}
	if p.linked == nil {
		return nil, nil
	}
	if p.Verifier != public {
		return nil, errors.New("the file names another key than the one it was checked with: hs:verifier")
	}
	return checkLinked(p.linked, r)
}
