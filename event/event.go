package event

import (
	"time"

	"github.com/handschlag/handschlag/consent"
)

// CaseID names a case of the event gate: the digest that package policy gives it.
type CaseID uint64

// Grant says that one purpose keeps some fields of an event, and by which case.
type Grant struct {
	Purpose consent.Purpose `json:"purpose"`
	Case    CaseID          `json:"case"`
	Keep    FieldSet        `json:"keep"`
}

// Event is an admitted, minimised event. What it kept can be read only in the
// name of a purpose, with For; hosts store it through Row.
type Event struct {
	Subject    consent.Subject
	MessageKey [16]byte // keyed digest of messageId and subject
	Kind       Kind
	OccurredAt time.Time // skew-corrected, never after ReceivedAt
	ReceivedAt time.Time
	Policy     string // short digest of the policy that admitted it

	grants []Grant
	fields Fields
}

// New is for package policy alone (rooms_test.go holds that): it drops every
// field that no grant keeps.
func New(e Event, grants []Grant, f Fields) Event {
	var union FieldSet
	for _, g := range grants {
		union |= g.Keep
	}
	e.grants, e.fields = grants, f.Keep(union)
	return e
}

// Purposes is the set that admitted the event.
func (e Event) Purposes() consent.Set {
	var s consent.Set
	for _, g := range e.grants {
		s = s.With(g.Purpose)
	}
	return s
}

// Grants lists the purposes with their cases, in the order of consent.Purposes.
func (e Event) Grants() []Grant { return e.grants }

// For gives what the event holds in the name of a purpose; ok is false if the
// event was not admitted for it.
func (e Event) For(p consent.Purpose) (f Fields, ok bool) {
	for _, g := range e.grants {
		if g.Purpose == p {
			return e.fields.Keep(g.Keep), true
		}
	}
	return Fields{}, false
}

// Row is an Event's stored form, one row in the log and in Parquet. Times are
// Unix milliseconds UTC. Cases and Keeps run parallel to the set bits of Purposes.
// Numbers of few values stand in dictionaries, which read three times faster.
type Row struct {
	Bucket     int32    `json:"b" parquet:"bucket"`
	Subject    [16]byte `json:"s" parquet:"subject,uuid"`
	MessageKey [16]byte `json:"m" parquet:"message_key,uuid,uncompressed"`
	Kind       int32    `json:"k" parquet:"kind,dict"`
	OccurredMS int64    `json:"o" parquet:"occurred_ms,delta,uncompressed"`
	ReceivedMS int64    `json:"r" parquet:"received_ms,delta,uncompressed"`
	Purposes   int64    `json:"p" parquet:"purposes,dict"`
	Cases      []int64  `json:"c" parquet:"cases,list" parquet-element:",dict"`
	Keeps      []int64  `json:"q" parquet:"keeps,list" parquet-element:",dict"`
	Policy     string   `json:"v" parquet:"policy,dict"`
	Fields     Fields   `json:"f" parquet:"f"`
}

// Row gives the stored form.
func (e Event) Row() Row {
	r := Row{
		Bucket: int32(e.Subject.Bucket()), Subject: e.Subject, MessageKey: e.MessageKey, Kind: int32(e.Kind),
		OccurredMS: e.OccurredAt.UnixMilli(), ReceivedMS: e.ReceivedAt.UnixMilli(), Purposes: int64(e.Purposes()),
		Policy: e.Policy, Fields: e.fields,
	}
	for _, g := range e.grants {
		r.Cases = append(r.Cases, int64(g.Case))
		r.Keeps = append(r.Keeps, int64(g.Keep))
	}
	return r
}

// Event reads a stored row back.
func (r Row) Event() Event {
	e := Event{
		Subject: r.Subject, MessageKey: r.MessageKey, Kind: Kind(r.Kind), OccurredAt: time.UnixMilli(r.OccurredMS).UTC(),
		ReceivedAt: time.UnixMilli(r.ReceivedMS).UTC(), Policy: r.Policy, fields: r.Fields,
	}
	for i, p := range consent.Set(r.Purposes).List() {
		if i < len(r.Cases) && i < len(r.Keeps) {
			e.grants = append(e.grants, Grant{Purpose: p, Case: CaseID(r.Cases[i]), Keep: FieldSet(r.Keeps[i])})
		}
	}
	return e
}
