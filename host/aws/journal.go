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
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/flow"
)

// The book's journal is in the night bucket: what every leaf of the ledger stands
// for, every list entry and every erasure, in order. A batch is in it before its
// leaves are in the ledger. A table that was put back from a backup takes from it
// what it missed before anybody relies on it (L11, docs/decisions/0027). Content is
// sealed under the identity key; a line names its subject by the mark that its grave
// would have, so that a night drops it without reading it.
const journalPrefix = "journal/"

// backupDays is how old a backup may be that is put back (law.md 2.6, RGT-06): for
// so long the journal knows what happened since.
const backupDays = 35

// What waits in the queue for the journal alone, beside the leaves.
const (
	jotOfEntry       = "entry"       // id: "subject/version"
	jotOfSuppression = "suppression" // id: the item's key in the identity map; b: until when of each channel
	jotOfErasure     = "erasure"     // id: the mark; b: the burial
	jotOfSealed      = "sealed"      // id: the place
)

// jot is one entry of the journal.
type jot struct {
	Kind    string           `json:"kind"`
	ID      string           `json:"id,omitempty"` // of an opening; the key of a suppression; the place of a sealed proof; the mark of an erasure
	Subject consent.Subject  `json:"subject,omitzero"`
	Scope   consent.Scope    `json:"scope,omitempty"`
	Salt    []byte           `json:"salt,omitempty"`
	Content json.RawMessage  `json:"content,omitempty"` // of a record or an opening: what its leaf covers
	Entry   *consent.Entry   `json:"entry,omitempty"`
	Hushed  map[string]int64 `json:"hushed,omitempty"` // channel to milliseconds
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
	Mark string `json:"m,omitempty"` // of whom it is about; none: it is about nobody who could be found
	Jot  []byte `json:"j"`           // sealed
}

// jot queues an entry of the journal that brings no leaf.
func (t *transaction) jot(kind, id string, body []byte) {
	drawn := make([]byte, 9)
	_, _ = rand.Read(drawn) // never fails
	i := entry{shard: fmt.Sprintf("q#%d", drawn[8]%leafShards), place: fmt.Sprintf("%013d#%x", t.h.now().UnixMilli(), drawn[:8])}.key()
	i["kind"], i["id"] = str(kind), str(id)
	if len(body) > 0 {
		i["b"] = bin(body)
	}
	t.put(tableLeaf, i, "", nil, nil)
}

// journal writes what queued entries stand for, and returns once it is durable.
func (h *Host) journal(ctx context.Context, queue []entry) error {
	lines := make([][]byte, len(queue))
	err := each(ctx, len(queue), 16, func(ctx context.Context, i int) error {
		j, err := h.jotOf(ctx, queue[i])
		if err == nil && j != nil {
			lines[i], err = h.line(*j)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("reading for the book's journal: %w", err)
	}
	if body := bytes.Join(lines, nil); len(body) > 0 {
		return h.writeObject(ctx, bucketNight, journalKey(h.opts.Clock()), body, nil)
	}
	return nil
}

// journalKey is a new name in the journal. Names sort by their time.
func journalKey(at time.Time) string {
	return journalPrefix + at.UTC().Format("2006-01-02T15-04-05.000000000Z") + "-" + randomName()[:8]
}

// jotOf reads what an entry stands for; nil, if that was erased meanwhile.
func (h *Host) jotOf(ctx context.Context, e entry) (*jot, error) {
	switch e.kind {
	case leafOfRecord:
		noted, i, err := h.record(ctx, e.id)
		if errors.Is(err, flow.ErrNotFound) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		r, err := readRecord(i)
		if err != nil {
			return nil, err
		}
		s, err := parseSubjectKey(strOf(noted, "p"))
		return &jot{Kind: e.kind, Subject: s, Scope: r.Scope, Salt: binOf(i, "salt"), Content: binOf(i, "b")}, err
	case leafOfOpening:
		i, err := h.get(ctx, tableLeaf, openingKey(e.id))
		if i == nil || err != nil {
			return nil, err
		}
		return &jot{Kind: e.kind, ID: e.id, Salt: binOf(i, "salt"), Content: binOf(i, "b")}, nil
	case jotOfEntry:
		return h.entryJot(ctx, e)
	case jotOfSealed:
		i, err := h.get(ctx, tableBook, sealedKey(e.id))
		if i == nil || err != nil {
			return nil, err
		}
		return &jot{Kind: e.kind, ID: e.id, Sealed: binOf(i, "v")}, nil
	case jotOfSuppression:
		j := &jot{Kind: e.kind, ID: e.id}
		return j, json.Unmarshal(e.body, &j.Hushed)
	case jotOfErasure:
		j := &jot{Kind: e.kind, ID: e.id}
		return j, json.Unmarshal(e.body, &j.Burial)
	}
	return nil, fmt.Errorf("the queue holds an entry of unknown kind %q", e.kind)
}

// entryJot reads a list entry.
func (h *Host) entryJot(ctx context.Context, e entry) (*jot, error) {
	s, version, err := parseEntryID(e.id)
	if err != nil {
		return nil, err
	}
	i, err := h.get(ctx, tableBook, entryKey(s, version))
	if i == nil || err != nil {
		return nil, err
	}
	j := &jot{Kind: e.kind, Subject: s}
	return j, json.Unmarshal(binOf(i, "b"), &j.Entry)
}

func entryID(s consent.Subject, version uint64) string { return fmt.Sprintf("%s/%d", s, version) }

func parseEntryID(id string) (s consent.Subject, version uint64, err error) {
	name, rest, _ := strings.Cut(id, "/")
	if s, err = consent.ParseSubject(name); err == nil {
		version, err = strconv.ParseUint(rest, 10, 64)
	}
	if err != nil {
		return s, 0, fmt.Errorf("the queue holds an unreadable entry: %w", err)
	}
	return s, version, nil
}

// line seals a jot into a line.
func (h *Host) line(j jot) ([]byte, error) {
	plain, err := json.Marshal(j)
	if err != nil {
		return nil, err
	}
	var l jotted
	if !j.Subject.IsZero() {
		l.Mark = h.graveOf(j.Subject)
	}
	aead, err := h.journalCipher()
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, aead.NonceSize())
	_, _ = rand.Read(nonce) // never fails
	l.Jot = aead.Seal(nonce, nonce, plain, []byte(l.Mark))
	b, err := json.Marshal(l)
	return append(b, '\n'), err
}

// unline opens what line made.
func (h *Host) unline(line []byte) (l jotted, j jot, err error) {
	if err := json.Unmarshal(line, &l); err != nil {
		return l, j, err
	}
	aead, err := h.journalCipher()
	if err != nil {
		return l, j, err
	}
	if len(l.Jot) < aead.NonceSize() {
		return l, j, errors.New("it is cut")
	}
	plain, err := aead.Open(nil, l.Jot[:aead.NonceSize()], l.Jot[aead.NonceSize():], []byte(l.Mark))
	if err != nil {
		return l, j, err
	}
	return l, j, json.Unmarshal(plain, &j)
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
		return nil, errors.New("an erasure without its mark")
	}
	return item{"s": str(gravePrefix + mark), "r": str("at")}, nil
}
