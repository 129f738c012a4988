package profile

import (
	"bytes"
	"iter"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/handschlag/handschlag/consent"
)

// Members are what a night found out about many subjects. Of memberships there are few
// that differ, so each is held once and a subject takes 20 bytes. The zero value, and nil,
// hold nobody.
type Members struct {
	subjects []consent.Subject
	which    []uint32
	distinct []Membership
	places   map[string]uint32 // of distinct, by all that a membership says
	key      []byte
}

// MembersOf lists memberships in the order of their subjects.
func MembersOf(by map[consent.Subject]Membership) *Members {
	m := &Members{}
	for _, s := range slices.SortedFunc(maps.Keys(by), func(a, b consent.Subject) int { return bytes.Compare(a[:], b[:]) }) {
		m.Add(s, by[s])
	}
	return m
}

// Add notes a subject's membership. Each subject is added once.
func (m *Members) Add(s consent.Subject, is Membership) { m.AddAlike(s, m.number(is)) }

// AddAlike notes that a subject's membership is that of another: number is what Last gave
// after that was added.
func (m *Members) AddAlike(s consent.Subject, number uint32) {
	m.subjects, m.which = append(m.subjects, s), append(m.which, number)
}

// Last is the number of the membership that was added last, for AddAlike.
func (m *Members) Last() uint32 { return m.which[len(m.which)-1] }

func (m *Members) number(is Membership) uint32 {
	m.key = is.appendKey(m.key[:0])
	place, known := m.places[string(m.key)]
	if !known {
		if m.places == nil {
			m.places = map[string]uint32{}
		}
		place = uint32(len(m.distinct))
		m.places[string(m.key)], m.distinct = place, append(m.distinct, is)
	}
	return place
}

// appendKey writes a membership so that no two that differ are written alike.
func (m Membership) appendKey(b []byte) []byte {
	for _, name := range m.Segments {
		b = append(strconv.AppendQuote(b, name), ' ')
	}
	b = append(strconv.AppendInt(b, int64(m.ValueTier), 10), ' ')
	b = strconv.AppendQuote(b, string(m.Purpose))
	b = m.AsOf.AppendFormat(append(b, ' '), time.RFC3339Nano)
	return m.Until.AppendFormat(append(b, ' '), time.RFC3339Nano)
}

// Len is how many subjects there are.
func (m *Members) Len() int {
	if m == nil {
		return 0
	}
	return len(m.subjects)
}

// At gives the subject at a place, from 0, with its membership. What that holds belongs to
// others too and is not to be changed.
func (m *Members) At(place int) (consent.Subject, Membership) {
	return m.subjects[place], m.distinct[m.which[place]]
}

// All gives subjects with their memberships, in the order in which they were added.
func (m *Members) All() iter.Seq2[consent.Subject, Membership] {
	return func(yield func(consent.Subject, Membership) bool) {
		for i := range m.Len() {
			if !yield(m.At(i)) {
				return
			}
		}
	}
}

// Chunks cuts into runs of at most so many subjects, in order, for whoever writes them.
func (m *Members) Chunks(most int) iter.Seq[*Members] {
	return func(yield func(*Members) bool) {
		for i := 0; i < m.Len(); i += most {
			end := min(i+most, m.Len())
			if !yield(&Members{subjects: m.subjects[i:end:end], which: m.which[i:end:end], distinct: m.distinct}) {
				return
			}
		}
	}
}
