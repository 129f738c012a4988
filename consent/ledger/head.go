package ledger

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// head is the tree that is decided: its signed checkpoint and the batch that
// made it out of the one before.
//
// As a blob: a line "+" and base64 for each leaf of the batch, then the note. An
// origin cannot contain a '+', so the note begins at the first line without one.
type head struct {
	Checkpoint
	batch []Leaf
}

// first is the index of the batch's first leaf, and the size of the tree before.
func (h head) first() int64 { return h.Size - int64(len(h.batch)) }

func (h head) blob() []byte {
	var b bytes.Buffer
	for _, leaf := range h.batch {
		fmt.Fprintf(&b, "+%s\n", base64.StdEncoding.EncodeToString(leaf[:]))
	}
	b.Write(h.Note)
	return b.Bytes()
}

// parseHead accepts only what blob prints, signed with the key.
func parseHead(public string, blob []byte) (head, error) {
	var h head
	rest := string(blob)
	for strings.HasPrefix(rest, "+") {
		line, after, _ := strings.Cut(rest[1:], "\n")
		leaf, err := base64.StdEncoding.Strict().DecodeString(line)
		if err != nil || len(leaf) != len(Leaf{}) {
			return head{}, fmt.Errorf("reading ledger head: leaf %d of the batch", len(h.batch))
		}
		h.batch, rest = append(h.batch, Leaf(leaf)), after
	}
	c, err := openExact(public, []byte(rest))
	if err != nil {
		return head{}, fmt.Errorf("reading ledger head: %w", err)
	}
	h.Checkpoint = c
	if h.first() < 0 || !bytes.Equal(h.blob(), blob) {
		return head{}, errors.New("reading ledger head: not in its one form")
	}
	return h, nil
}

// readHead reads the store's head; ErrNone if there is no ledger.
func readHead(ctx context.Context, store Store, public string) (head, error) {
	blob, err := store.Read(ctx, headName)
	if errors.Is(err, fs.ErrNotExist) {
		return head{}, ErrNone
	} else if err != nil {
		return head{}, fmt.Errorf("reading ledger head: %w", err)
	}
	return parseHead(public, blob)
}
