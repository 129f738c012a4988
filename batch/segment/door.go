package segment

import (
	"context"
	"fmt"
	"math/bits"
	"slices"

	duckdb "github.com/duckdb/duckdb-go/v2"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/policy"
)

// door is the gate of the night's own walk over events: what sql/gate.sql says of
// basis, one event at a time. TestTheDoorIsTheGate holds the two together.
type door struct {
	n        *night
	place    int           // of basis among a set's bits
	known    map[int64]int // number of a case of the day
	cases    []policy.EventCase
	ids      []int64
	states   []policy.CaseState // by their number
	ages     []string
	verdicts map[uint64]passage
	numbers  [1 << 10]caseNumber // looked up last, by the low bits of their ids
	judged   []lastVerdict       // of each case, by its number
	facts    []fact              // by rising subject
	special  map[consent.Subject]explicit
	fresh    []judgement
	blocks   [2]block // what days are read into
}

// explicit says since when explicit consent to special categories is in force.
type explicit struct {
	since []int64 // by category; 0: never
	all   int64   // 0: not
}

// passage is a verdict as the walk needs it.
type passage struct {
	allowed bool
	keep    event.FieldSet
}

// judgement is a row of table verdicts.
type judgement struct {
	nightCase
	passage
}

// entry is what an event's row says to the door.
type entry struct {
	purposes           int64
	cases, keeps       []int64
	occurred, received int64
	tags               int64 // special categories that it reveals now
}

// openDoor reads tonight's facts, and the verdicts that are known already.
func (n *night) openDoor(ctx context.Context) (*door, error) {
	d := &door{n: n, place: basis.Bit(), known: map[int64]int{}, verdicts: map[uint64]passage{}, special: map[consent.Subject]explicit{}}
	for id, c := range n.cases {
		d.known[id] = len(d.cases)
		d.cases, d.ids = append(d.cases, c), append(d.ids, id)
	}
	d.judged = make([]lastVerdict, len(d.cases))
	if err := d.readFacts(ctx); err != nil {
		return nil, fmt.Errorf("reading what the gate asks about subjects: %w", err)
	}
	err := n.db.each(ctx, "select case_id, state, tag, age, allowed, keep from verdicts", func(scan func(...any) error) error {
		var j judgement
		var keep int64
		if err := scan(&j.id, &j.state, &j.tag, &j.age, &j.allowed, &keep); err != nil {
			return err
		}
		if no, held := d.known[j.id]; held {
			key := d.key(no, d.state(policy.CaseState(j.state)), tagNumber(policy.Tag(j.tag)), d.age(j.age))
			d.verdicts[key] = passage{j.allowed, event.FieldSet(keep)}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading verdicts: %w", err)
	}
	return d, nil
}

// stateNow is a standing as the gate names it.
func stateNow(status string) policy.CaseState {
	if status == string(consent.Requested) || status == string(consent.RequestDeferred) {
		return policy.StateUnknown
	}
	return policy.CaseState(status)
}

func (d *door) readExplicit(ctx context.Context) error {
	query := `select subject, list_transform(special_since, lambda x: coalesce(x, 0)), coalesce(special_all_since, 0) from signatures
		where len(list_filter(special_since, lambda x: x is not null)) > 0 or special_all_since is not null`
	return d.n.db.each(ctx, query, func(scan func(...any) error) error {
		var who duckdb.UUID
		var x explicit
		var since duckdb.Composite[[]int64]
		if err := scan(&who, &since, &x.all); err != nil {
			return err
		}
		x.since = since.Get()
		d.special[consent.Subject(who)] = x
		return nil
	})
}

// numberIn gives a value's number in a list that grows.
func numberIn[T comparable](list *[]T, x T) uint8 {
	i := slices.Index(*list, x)
	if i < 0 {
		i, *list = len(*list), append(*list, x)
	}
	return uint8(i)
}

func (d *door) state(s policy.CaseState) uint8 { return numberIn(&d.states, s) }
func (d *door) age(s string) uint8             { return numberIn(&d.ages, s) }
func tagNumber(t policy.Tag) uint8             { return uint8(slices.Index(policy.Tags, t)) }

func (d *door) key(no int, state, tag, age uint8) uint64 {
	return uint64(no)<<24 | uint64(state)<<16 | uint64(tag)<<8 | uint64(age)
}

// of finds a subject's facts from a place on; who is asked for comes in rising order.
// It steps ever further, for it may be one of few of a day among millions.
func (d *door) of(subject consent.Subject, from int) (f fact, next int) {
	step := 1
	for from+step < len(d.facts) && compareSubjects(d.facts[from+step].subject, subject) <= 0 {
		from, step = from+step, 2*step
	}
	within := d.facts[from:min(from+step, len(d.facts))]
	i, found := slices.BinarySearchFunc(within, subject, func(f fact, s consent.Subject) int { return compareSubjects(f.subject, s) })
	if found {
		return within[i], from + i
	}
	return fact{subject: subject, state: d.state(policy.StateUnknown), age: d.age("")}, from + i
}

// stored reports whether an event was stored for basis.
func (d *door) stored(purposes int64) bool { return purposes>>d.place&1 == 1 }

// admit says whether an event of a subject counts tonight, which of its fields, and
// under which tag. c is the case of the day.
func (d *door) admit(ctx context.Context, f *fact, e *entry) (keep event.FieldSet, tag policy.Tag, c *policy.EventCase, ok bool, err error) {
	place := bits.OnesCount64(uint64(e.purposes) & (1<<d.place - 1))
	no, held := d.number(e.cases[place])
	if !held {
		return 0, "", nil, false, fmt.Errorf("deciding cases: an event names case %d, which the snapshot does not hold", uint64(e.cases[place]))
	}
	c = &d.cases[no]
	at := min(e.occurred, e.received)
	tag = d.tag(f, c.Tag, e.tags, at)
	state, age := d.now(f, at), f.age
	if d.ages[age] == "" {
		age = d.age(c.Age)
	}
	key := d.key(no, state, tagNumber(tag), age)
	last := &d.judged[no]
	if !last.held || last.key != key {
		if err := d.passes(ctx, last, key, nightCase{d.ids[no], string(d.states[state]), string(tag), d.ages[age]}); err != nil {
			return 0, "", nil, false, err
		}
	}
	return last.keep & event.FieldSet(e.keeps[place]), tag, c, last.allowed, nil
}

// now is where a subject stands on an event of a moment.
func (d *door) now(f *fact, at int64) uint8 {
	switch {
	case f.restricted:
		return d.state(policy.StateRestricted)
	case f.given && f.since > at:
		return d.state(policy.StateBeforeGrant)
	}
	return f.state
}

// tag is the class of what the event is about, as it is tonight (SPC-01).
func (d *door) tag(f *fact, ingest policy.Tag, tags, at int64) policy.Tag {
	switch {
	case ingest == policy.TagSpecial:
		return policy.TagSpecial
	case tags == 0 && ingest == policy.TagNone:
		return policy.TagNone
	}
	x, agreed := d.special[f.subject]
	if !agreed {
		return policy.TagSpecial
	}
	if tags == 0 {
		if x.all != 0 && x.all <= at {
			return policy.TagExplicit
		}
		return policy.TagSpecial
	}
	for i := range 8 {
		if tags>>i&1 == 1 && (i >= len(x.since) || x.since[i] == 0 || x.since[i] > at) {
			return policy.TagSpecial
		}
	}
	return policy.TagExplicit
}
