package aws

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/consent/ledger"
	"github.com/handschlag/handschlag/flow"
)

// The items of the book. A subject's lie together, its records and entries in the
// order of their versions; a record is found by id through an item of its own.
func bookKey(s consent.Subject, r string) item   { return item{"s": str(subjectKey(s)), "r": str(r)} }
func stateKey(s consent.Subject) item            { return bookKey(s, "state") }
func recordKey(s consent.Subject, v uint64) item { return bookKey(s, fmt.Sprintf("rec#%020d", v)) }
func entryKey(s consent.Subject, v uint64) item  { return bookKey(s, fmt.Sprintf("ent#%020d", v)) }
func recordIDKey(id string) item                 { return item{"s": str("rec#" + id), "r": str("at")} }

// stored is a state as it lies in the book.
type stored struct {
	consent.State
	Scope consent.Scope `json:"scope,omitempty"` // of the last record

	links  uint64 // how many links to it were ever made
	handle string // of what a price may know of it (grants.go)
}

// State gives a subject's state, by a consistent read.
func (h *Host) State(ctx context.Context, s consent.Subject) (consent.State, error) {
	if err := h.trusted(ctx); err != nil {
		return consent.State{}, err
	}
	st, err := h.stored(ctx, s)
	return st.State, err
}

func (h *Host) stored(ctx context.Context, s consent.Subject) (stored, error) {
	i, err := h.get(ctx, tableBook, stateKey(s))
	if err != nil {
		return stored{}, fmt.Errorf("reading consent state: %w", err)
	}
	return readState(s, i)
}

func readState(s consent.Subject, i item) (st stored, err error) {
	if b := binOf(i, "b"); b != nil {
		if err := json.Unmarshal(b, &st); err != nil {
			return st, fmt.Errorf("the book holds an unreadable state: %w", err)
		}
	}
	st.Subject, st.links, st.handle = s, uint64(numOf(i, "lv")), strOf(i, "h")
	return st, nil
}

// putState writes the state after another, which must still be there: as many
// records and entries, and as many links.
func (t *transaction) putState(was, next stored) {
	body, err := json.Marshal(next)
	if err != nil {
		panic(err) // a state holds nothing that cannot be written
	}
	values := item{":b": bin(body), ":v": num(next.Version)}
	change, condition := "SET b = :b, v = :v", unmoved(was.State, values)
	if was.links == 0 {
		condition += " and attribute_not_exists(lv)"
	} else {
		values[":lv"] = num(was.links)
		condition += " and lv = :lv"
	}
	if next.handle != "" {
		values[":h"], change = str(next.handle), change+", h = :h"
	}
	t.update(tableBook, stateKey(next.Subject), change, condition, values, errAgain)
}

// unmoved is the condition that a state's version is what was read.
func unmoved(was consent.State, values item) string {
	if was.Version == 0 {
		return "attribute_not_exists(v)"
	}
	values[":was"] = num(was.Version)
	return "v = :was"
}

// alive fails the whole for an erased subject: whoever comes back gets a new pseudonym.
func (t *transaction) alive(s consent.Subject) {
	t.check(tableBook, t.h.graveKey(s), "attribute_not_exists(s)", nil, flow.ErrMoved)
}

// Append adds a record, in one transaction: record and salt, its id, the state if it
// is still the one that the record was built on, the leaf for the ledger, what a
// price may know, and the profiles without the sections that lost their ground.
func (h *Host) Append(ctx context.Context, s consent.Subject, build func(consent.State) (consent.Record, error)) (flow.Receipt, error) {
	if s.IsZero() {
		return flow.Receipt{}, errors.New("appending consent record: nobody")
	}
	if err := h.newest(ctx); err != nil {
		return flow.Receipt{}, fmt.Errorf("appending consent record: %w", err)
	}
	var b booking
	err := again(ctx, func() error {
		before, err := h.stored(ctx, s)
		if err != nil {
			return err
		}
		rec, err := build(before.State)
		if err != nil {
			return err
		}
		rec.Subject, rec.Version = s, before.Version+1
		if b, err = newBooking(before, rec); err != nil {
			return err
		}
		return h.book(ctx, &b)
	})
	if err == nil {
		err = h.ungroundMore(ctx, b)
	}
	if err != nil {
		return flow.Receipt{}, fmt.Errorf("appending consent record: %w", err)
	}
	return flow.Receipt{Record: b.rec, Leaf: b.leaf, Index: -1}, nil
}

// booking is a record on its way into the book.
type booking struct {
	was, next stored
	rec       consent.Record
	canonical []byte
	salt      [32]byte
	leaf      ledger.Leaf
	at        int64             // the leaf's place in the ledger; -1: it has none yet
	waits     bool              // the leaf is in the queue already
	more      []consent.Subject // devices that the transaction has no room for
}

func newBooking(before stored, rec consent.Record) (b booking, err error) {
	b = booking{was: before, rec: rec, next: before, at: -1}
	b.next.State, b.next.Scope = before.Apply(rec), rec.Scope
	b.salt = newSalt()
	if b.canonical, err = rec.Canonical(); err != nil {
		return b, err
	}
	if rec.RecordID == "" {
		return b, errors.New("the record has no id")
	}
	b.leaf = ledger.NewLeaf(b.salt, b.canonical)
	return b, nil
}

func newSalt() (salt [32]byte) {
	_, _ = rand.Read(salt[:]) // never fails
	return salt
}

// errRecordID says that a record's id is used.
var errRecordID = errors.New("the record's id is used")

func (h *Host) book(ctx context.Context, b *booking) error {
	s := b.rec.Subject
	t := h.transaction()
	record, id := recordKey(s, b.rec.Version), recordIDKey(b.rec.RecordID)
	record["salt"], record["b"] = bin(b.salt[:]), bin(b.canonical)
	id["p"], id["n"], id["leaf"] = str(subjectKey(s)), num(b.rec.Version), bin(b.leaf[:])
	if b.at >= 0 {
		id["i"] = num(b.at)
	}
	t.put(tableBook, id, "attribute_not_exists(s)", nil, errRecordID)
	t.put(tableBook, record, "attribute_not_exists(s)", nil, errAgain)
	t.alive(s)
	t.grant(b.was, &b.next, &b.rec)
	t.putState(b.was, b.next)
	if b.at < 0 && !b.waits {
		t.queue(b.leaf, leafOfRecord, b.rec.RecordID, recordJot(s, b.salt, b.canonical))
	}
	if err := h.unground(ctx, t, b); err != nil {
		return err
	}
	err := t.commit(ctx)
	forgetAhead(ctx)
	if errors.Is(err, errRecordID) || errors.Is(err, errAgain) {
		return h.booked(ctx, *b, err)
	}
	return err
}

// booked says whether a transaction that was refused had been done by an earlier
// try of the same call, whose answer was lost.
func (h *Host) booked(ctx context.Context, b booking, why error) error {
	i, err := h.get(ctx, tableBook, recordIDKey(b.rec.RecordID))
	switch {
	case err != nil:
		return err
	case string(binOf(i, "leaf")) == string(b.leaf[:]):
		return nil
	case i != nil:
		return fmt.Errorf("%w: %q", errRecordID, b.rec.RecordID)
	}
	return why
}

// History gives a subject's records in version order.
func (h *Host) History(ctx context.Context, s consent.Subject) (out []consent.Record, err error) {
	err = h.under(ctx, s, "rec#", func(i item) error {
		r, err := readRecord(i)
		out = append(out, r)
		return err
	})
	return out, err
}

// under calls do for a subject's items whose name begins with prefix, in order; ""
// is all.
func (h *Host) under(ctx context.Context, s consent.Subject, prefix string, do func(item) error) error {
	condition, values := "s = :s", item{":s": str(subjectKey(s))}
	if prefix != "" {
		condition, values[":p"] = condition+" and begins_with(r, :p)", str(prefix)
	}
	return h.query(ctx, &dynamodb.QueryInput{
		TableName: h.table(tableBook), KeyConditionExpression: &condition, ExpressionAttributeValues: values,
	}, do)
}

func readRecord(i item) (r consent.Record, err error) {
	if err := json.Unmarshal(binOf(i, "b"), &r); err != nil || len(binOf(i, "salt")) != 32 {
		return r, errors.Join(errors.New("the book holds an unreadable consent record"), err)
	}
	return r, nil
}

// Record finds one record.
func (h *Host) Record(ctx context.Context, id string) (consent.Record, error) {
	_, i, err := h.record(ctx, id)
	if err != nil {
		return consent.Record{}, err
	}
	return readRecord(i)
}

// record finds a record by id: where it is noted, and the item itself.
func (h *Host) record(ctx context.Context, id string) (noted, i item, err error) {
	if noted, err = h.get(ctx, tableBook, recordIDKey(id)); err != nil {
		return nil, nil, err
	}
	if noted != nil {
		s, err := parseSubjectKey(strOf(noted, "p"))
		if err != nil {
			return nil, nil, err
		}
		if i, err = h.get(ctx, tableBook, recordKey(s, uint64(numOf(noted, "n")))); err != nil {
			return nil, nil, err
		}
	}
	if i == nil {
		return nil, nil, fmt.Errorf("consent record: %w", flow.ErrNotFound)
	}
	return noted, i, nil
}
