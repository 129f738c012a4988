package aws

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/consent/ledger"
)

// The book's journal is in the night bucket: what every leaf of the ledger stands
// for, every list entry, link, identifier and erasure since any backup that may be
// put back. What happens queues its line in the transaction in which it happens; the
// consent function takes the queue into the journal in numbered batches, leaves
// before they enter the ledger. A table that was put back from a backup takes from
// it what it missed before anybody relies on it (L11, docs/decisions/0027).
//
// Lines are sealed under the identity key, and name their subjects by the marks that
// their graves would have, so that a night drops them without reading them.
const journalPrefix = "journal/"

// journalHead, in the ledger's bucket, holds the number of the last batch.
const journalHead = "journal"

// backupDays is how old a backup may be that is put back (law.md 2.6, RGT-06): for
// so long the journal knows what happened since.
const backupDays = 35

// The kinds of jots beside those of leaves.
const (
	jotOfEntry       = "entry"
	jotOfLink        = "link"
	jotOfID          = "id"
	jotOfSuppression = "suppression"
	jotOfErasure     = "erasure"
	jotOfSealed      = "sealed"
)

// jot is one entry of the journal.
type jot struct {
	Kind    string           `json:"kind"`
	At      int64            `json:"at,omitempty"` // milliseconds, of what has no version
	ID      string           `json:"id,omitempty"` // of an opening; an identifier's or a suppression's key; a sealed proof's place; an erasure's mark
	Subject consent.Subject  `json:"subject,omitzero"`
	Account consent.Subject  `json:"account,omitzero"` // of a link
	Salt    []byte           `json:"salt,omitempty"`
	Content json.RawMessage  `json:"content,omitempty"` // of a record or an opening: what its leaf covers
	Entry   *consent.Entry   `json:"entry,omitempty"`
	Hushed  map[string]int64 `json:"hushed,omitempty"` // channel to milliseconds: all that is suppressed
	Sealed  []byte           `json:"sealed,omitempty"`
	Burial  *burial          `json:"burial,omitempty"`
}

// burial is what it takes to do an erasure again.
type burial struct {
	ID    string    `json:"id"`
	At    time.Time `json:"at"`
	Until time.Time `json:"until,omitzero"` // when sealed proofs go; zero: none is sealed
}

// jotted is a line of the journal.
type jotted struct {
	Marks []string `json:"m,omitempty"` // of whom it is about; none: it leads to nobody
	Jot   []byte   `json:"j,omitempty"` // sealed
	Open  *jot     `json:"o,omitempty"` // of an opening, which is about nobody
}

// line makes a line of a jot. A process without the identity key writes none that is
// about somebody: then the transaction fails.
func (t *transaction) line(j jot) []byte {
	line, err := t.h.line(j)
	if err != nil && t.err == nil {
		t.err = err
	}
	return line
}

func (h *Host) line(j jot) ([]byte, error) {
	var l jotted
	if j.Kind == leafOfOpening {
		l.Open = &j
		return json.Marshal(l)
	}
	for _, s := range []consent.Subject{j.Subject, j.Account} {
		if !s.IsZero() {
			l.Marks = append(l.Marks, h.graveOf(s))
		}
	}
	plain, err := json.Marshal(j)
	if err != nil {
		return nil, err
	}
	aead, err := h.journalCipher()
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, aead.NonceSize())
	_, _ = rand.Read(nonce) // never fails
	l.Jot = aead.Seal(nonce, nonce, plain, l.about())
	return json.Marshal(l)
}

// about binds the marks to what is sealed.
func (l jotted) about() []byte { return []byte(strings.Join(l.Marks, ",")) }

// unline opens what line made.
func (h *Host) unline(line []byte) (j jot, err error) {
	var l jotted
	if err := json.Unmarshal(line, &l); err != nil {
		return j, err
	}
	if l.Open != nil {
		return *l.Open, nil
	}
	aead, err := h.journalCipher()
	if err != nil {
		return j, err
	}
	if len(l.Jot) < aead.NonceSize() {
		return j, errors.New("it is cut")
	}
	plain, err := aead.Open(nil, l.Jot[:aead.NonceSize()], l.Jot[aead.NonceSize():], l.about())
	if err != nil {
		return j, err
	}
	return j, json.Unmarshal(plain, &j)
}

func (h *Host) journalCipher() (cipher.AEAD, error) {
	if h.keys.ids == nil {
		return nil, errNoIdentity
	}
	block, err := aes.NewCipher(derive(h.keys.subjects, "the book's journal", nil))
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// count is how far the journal is: n batches are written, and no number up to tried
// is used again, for tables may be marked with it.
type count struct {
	N     int64 `json:"n"`
	Tried int64 `json:"tried"`

	is swap // the version of the object that says so
}

// journaled reads the journal's count.
func (h *Host) journaled(ctx context.Context) (c count, err error) {
	body, etag, err := h.readObject(ctx, bucketLedger, journalHead)
	if errors.Is(err, fs.ErrNotExist) {
		return count{}, nil
	}
	if err != nil {
		return count{}, err
	}
	if err := json.Unmarshal(body, &c); err != nil || c.N < 0 || c.Tried < max(c.N, 1) {
		return count{}, errSplit{fmt.Sprintf("object %s of bucket %s is unreadable", journalHead, *h.bucket(bucketLedger))}
	}
	c.is = swap{etag}
	return c, nil
}

// recount writes the count, if it is still the one that was read.
func (h *Host) recount(ctx context.Context, was count, n, tried int64) (count, error) {
	c := count{N: n, Tried: tried}
	body, err := json.Marshal(c)
	if err != nil {
		return c, err
	}
	etag, err := h.put(ctx, bucketLedger, journalHead, bytes.NewReader(body), &was.is)
	if errors.Is(err, ledger.ErrMoved) {
		err = errBehind
	}
	c.is = swap{etag}
	return c, err
}

// journal writes lines as the journal's next batch, and returns once it is durable
// and counted. Its number is taken first, then tables are marked with it: one whose
// mark is behind what is counted lacks something. If another process comes between
// it is errBehind, and the number stays unused.
func (h *Host) journal(ctx context.Context, lines [][]byte, tables []string) error {
	c, err := h.journaled(ctx)
	if err != nil {
		return err
	}
	from, to := c.N+1, c.Tried+1
	if c, err = h.recount(ctx, c, c.N, to); err != nil {
		return err
	}
	if err := h.mark(ctx, c.N, to, tables); err != nil {
		return err
	}
	body := append(bytes.Join(lines, []byte("\n")), '\n')
	if err := h.writeObject(ctx, bucketNight, batchKey(h.now().Format(time.DateOnly), from, to), body, nil); err != nil {
		return err
	}
	_, err = h.recount(ctx, c, to, to)
	return err
}

// batchKey names an object of the journal: its day, and the batches in it.
func batchKey(day string, from, to int64) string {
	return fmt.Sprintf("%s%s-%012d-%012d-%s", journalPrefix, day, from, to, randomName()[:8])
}

// batches reads what batchKey wrote.
func batches(key string) (day string, from, to int64, err error) {
	name := strings.TrimPrefix(key, journalPrefix)
	if len(name) < len(time.DateOnly)+1 {
		return "", 0, 0, fmt.Errorf("object %s does not belong in the journal", key)
	}
	day = name[:len(time.DateOnly)]
	if _, err := fmt.Sscanf(name[len(day):], "-%d-%d-", &from, &to); err != nil || from < 1 || to < from {
		return "", 0, 0, fmt.Errorf("object %s does not belong in the journal", key)
	}
	return day, from, to, nil
}

// identifier is the key of an identifier.
func (j jot) identifier() (id [32]byte, err error) {
	b, err := hex.DecodeString(j.ID)
	if copy(id[:], b) != len(id) || len(b) != len(id) || err != nil {
		return id, errors.New("the journal holds an identifier without its key")
	}
	return id, nil
}

// hushedItem is a suppression as it lies in the identity map.
func hushedItem(key string, written int64, at map[string]int64) item {
	channels := item{}
	for channel, ms := range at {
		channels[channel] = num(ms)
	}
	return item{"k": str(key), "m": &types.AttributeValueMemberM{Value: channels}, "v": str(randomName()), "t": num(written)}
}

// markOf reads a mark back into its grave's key.
func markOf(mark string) (item, error) {
	if b, err := hex.DecodeString(mark); err != nil || len(b) != 16 {
		return nil, errors.New("a line without its mark")
	}
	return item{"s": str(gravePrefix + mark), "r": str("at")}, nil
}

// recordJot is the line of a record.
func recordJot(s consent.Subject, salt [32]byte, canonical []byte) jot {
	return jot{Kind: leafOfRecord, Subject: s, Salt: salt[:], Content: canonical}
}
