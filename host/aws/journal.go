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

// jot queues an entry of the journal that brings no leaf.
func (t *transaction) jot(j jot) {
	drawn := make([]byte, 9)
	_, _ = rand.Read(drawn) // never fails
	i := entry{shard: fmt.Sprintf("q#%d", drawn[8]%leafShards), place: fmt.Sprintf("%013d#%x", t.h.now().UnixMilli(), drawn[:8])}.key()
	i["kind"], i["j"] = str(leafOfNothing), bin(t.line(j))
	t.put(tableLeaf, i, "", nil, nil)
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

// journaled is the number of the journal's last batch, and the version of the object
// that says so.
func (h *Host) journaled(ctx context.Context) (n int64, is swap, err error) {
	body, etag, err := h.readObject(ctx, bucketLedger, journalHead)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, swap{}, nil
	}
	if err != nil {
		return 0, swap{}, err
	}
	var head struct{ N int64 }
	if err := json.Unmarshal(body, &head); err != nil || head.N < 1 {
		return 0, swap{}, errSplit{fmt.Sprintf("object %s of bucket %s is unreadable", journalHead, *h.bucket(bucketLedger))}
	}
	return head.N, swap{etag}, nil
}

// journal writes lines as the journal's next batch, and returns once it is durable
// and counted. Tables are marked before: one whose mark is behind what is counted
// lacks something. If another process counted its own batch first it is errBehind.
func (h *Host) journal(ctx context.Context, lines [][]byte) error {
	n, is, err := h.journaled(ctx)
	if err != nil {
		return err
	}
	if err := h.mark(ctx, n, n+1); err != nil {
		return err
	}
	body := append(bytes.Join(lines, []byte("\n")), '\n')
	if err := h.writeObject(ctx, bucketNight, batchKey(h.now().Format(time.DateOnly), n+1, n+1), body, nil); err != nil {
		return err
	}
	err = h.writeObject(ctx, bucketLedger, journalHead, fmt.Appendf(nil, `{"n":%d}`, n+1), &is)
	if errors.Is(err, ledger.ErrMoved) {
		return errBehind
	}
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

// dropped removes from a batch what was erased before it had its place, and is an
// errSplit if the book lacks something else that waits: it is an old copy.
func (h *Host) dropped(ctx context.Context, queue []entry) (rest, gone []entry, err error) {
	keys, of := make([]item, len(queue)), make([]string, len(queue))
	jots := make([]jot, len(queue))
	for n, e := range queue {
		switch {
		case e.kind == leafOfRecord:
			keys[n] = recordIDKey(e.id)
		case e.kind == leafOfNothing:
			if jots[n], err = h.unline(e.line); err != nil {
				return nil, nil, fmt.Errorf("the queue holds an unreadable line: %w", err)
			}
			if jots[n].Kind == jotOfEntry {
				keys[n] = entryKey(jots[n].Subject, jots[n].Entry.Version)
			}
		}
		of[n] = strOf(keys[n], "s") + "\x00" + strOf(keys[n], "r")
	}
	there, asked, seen := map[string]bool{}, []item(nil), map[string]bool{}
	for n, k := range keys {
		if k != nil && !seen[of[n]] {
			asked, seen[of[n]] = append(asked, k), true
		}
	}
	if err := h.getAll(ctx, tableBook, asked, func(i item) { there[strOf(i, "s")+"\x00"+strOf(i, "r")] = true }); err != nil {
		return nil, nil, err
	}
	for n, e := range queue {
		if keys[n] == nil || there[of[n]] {
			rest = append(rest, e)
			continue
		}
		if e.kind == leafOfRecord {
			if jots[n], err = h.unline(e.line); err != nil {
				return nil, nil, fmt.Errorf("the queue holds an unreadable line: %w", err)
			}
		}
		dead, err := h.erasedAmong(ctx, []consent.Subject{jots[n].Subject})
		if err != nil {
			return nil, nil, err
		}
		if !dead[jots[n].Subject] {
			return nil, nil, errSplit{fmt.Sprintf("table %s lacks what waits for the ledger: it was put back from a backup; next: handschlag ledger restore --host aws",
				*h.table(tableBook))}
		}
		gone = append(gone, e)
	}
	return rest, gone, nil
}

// hushedItem is a suppression as it lies in the identity map.
func hushedItem(key string, at map[string]int64) item {
	channels := item{}
	for channel, ms := range at {
		channels[channel] = num(ms)
	}
	return item{"k": str(key), "m": &types.AttributeValueMemberM{Value: channels}, "v": str(randomName())}
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
