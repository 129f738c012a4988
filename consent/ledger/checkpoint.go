package ledger

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Checkpoint is a statement about the whole log: so many leaves, this root.
type Checkpoint struct {
	Origin string
	Size   int64
	Root   tlog.Hash
	Note   []byte // the signed note that says so
}

// text is the note's body (c2sp.org/tlog-checkpoint).
func (c Checkpoint) text() string {
	return fmt.Sprintf("%s\n%d\n%s\n", c.Origin, c.Size, c.Root)
}

// sign makes the signed checkpoint of a tree.
func sign(s Signer, size int64, root tlog.Hash) (Checkpoint, error) {
	c := Checkpoint{Origin: s.Name(), Size: size, Root: root}
	signed, err := note.Sign(&note.Note{Text: c.text()}, s)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("signing checkpoint: %w", err)
	}
	c.Note = signed
	return c, nil
}

// OpenCheckpoint checks a signed checkpoint against a public key. Signatures by
// others (witnesses) are ignored, as the format asks.
func OpenCheckpoint(public string, signed []byte) (Checkpoint, error) {
	v, err := note.NewVerifier(public)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("reading public ledger key: %w", err)
	}
	n, err := note.Open(signed, note.VerifierList(v))
	if err != nil {
		return Checkpoint{}, fmt.Errorf("opening checkpoint: %w", err)
	}
	c, err := parseText(n.Text)
	if err != nil {
		return Checkpoint{}, err
	}
	if c.Origin != v.Name() {
		return Checkpoint{}, fmt.Errorf("opening checkpoint: origin %q is not the key's", c.Origin)
	}
	c.Note = signed
	return c, nil
}

// openExact is OpenCheckpoint for a note that must have no byte that its text
// and one signature do not need: base64 leaves room for bits that mean nothing.
func openExact(public string, signed []byte) (Checkpoint, error) {
	c, err := OpenCheckpoint(public, signed)
	if err != nil {
		return Checkpoint{}, err
	}
	head := c.text() + "\n— " + c.Origin + " "
	sig, ok := strings.CutPrefix(string(signed), head)
	sig, end := strings.CutSuffix(sig, "\n")
	if _, err := base64.StdEncoding.Strict().DecodeString(sig); !ok || !end || err != nil || strings.ContainsAny(sig, "\r\n") {
		return Checkpoint{}, errors.New("opening checkpoint: not exactly a text and our signature")
	}
	return c, nil
}

// parseText reads a checkpoint's body and accepts only what text prints.
func parseText(text string) (Checkpoint, error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 4 || lines[0] == "" {
		return Checkpoint{}, errors.New("reading checkpoint: want origin, size and root hash")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 {
		return Checkpoint{}, fmt.Errorf("reading checkpoint: size %q", lines[1])
	}
	root, err := tlog.ParseHash(lines[2])
	if err != nil {
		return Checkpoint{}, fmt.Errorf("reading checkpoint: root: %w", err)
	}
	c := Checkpoint{Origin: lines[0], Size: size, Root: root}
	if c.text() != text {
		return Checkpoint{}, errors.New("reading checkpoint: not in its one form")
	}
	return c, nil
}

// parseUnverified reads a stored checkpoint without its signature.
func parseUnverified(signed []byte) (Checkpoint, error) {
	text, _, ok := strings.Cut(string(signed), "\n\n")
	if !ok {
		return Checkpoint{}, errors.New("reading checkpoint: not a signed note")
	}
	c, err := parseText(text + "\n")
	c.Note = signed
	return c, err
}
