package segment

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/handschlag/handschlag/consent"
)

// datedFile is a day's file, and how many days before as of it lies.
type datedFile struct {
	path string
	age  int
}

// dayCursor stands at a row of one day's file.
type dayCursor struct {
	*dayReader
	age  int
	now  dayRecord
	lead uint64 // how its subject begins
}

// span is a range of subjects by their first byte: from, and below to.
type span struct{ from, to int }

// merge reads all days of a span of subjects side by side, as each lies by subject, and
// gives every row of one subject after the other, with its tally.
type merge struct {
	cursors []*dayCursor // a heap: the smallest subject first
	row     dayRow
	tally   tally
	to      int
}

func openMerge(files []datedFile, s span) (*merge, error) {
	m := &merge{to: s.to}
	for _, f := range files {
		d, err := openDay(f.path)
		if err != nil {
			return nil, errors.Join(err, m.close())
		}
		c := &dayCursor{dayReader: d, age: f.age}
		m.cursors = append(m.cursors, c)
		d.lean = true
		d.skipTo(byte(s.from))
		if err := m.step(c, s.from); err != nil {
			return nil, errors.Join(err, m.close())
		}
	}
	m.drop()
	for i := len(m.cursors)/2 - 1; i >= 0; i-- {
		m.sink(i)
	}
	return m, nil
}

// step moves a cursor on to the next row of the span; one that has none is closed.
func (m *merge) step(c *dayCursor, from int) error {
	for {
		more, err := c.next(&c.now)
		if err != nil {
			return err
		}
		if !more || int(c.now.Subject[0]) >= m.to {
			err := c.close()
			c.dayReader = nil
			return err
		}
		if int(c.now.Subject[0]) >= from {
			c.lead = binary.BigEndian.Uint64(c.now.Subject[:])
			return nil
		}
	}
}

// drop forgets the cursors that were closed.
func (m *merge) drop() {
	open := m.cursors[:0]
	for _, c := range m.cursors {
		if c.dayReader != nil {
			open = append(open, c)
		}
	}
	m.cursors = open
}

func (m *merge) close() (err error) {
	for _, c := range m.cursors {
		if c.dayReader != nil {
			err = errors.Join(err, c.close())
		}
	}
	return err
}

func (c *dayCursor) before(d *dayCursor) bool {
	if c.lead != d.lead {
		return c.lead < d.lead
	}
	return cmp.Or(compareSubjects(c.now.Subject, d.now.Subject), cmp.Compare(c.age, d.age)) < 0
}

// sink puts the i-th cursor in its place of the heap.
func (m *merge) sink(i int) {
	for {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(m.cursors); child++ {
			if m.cursors[child].before(m.cursors[least]) {
				least = child
			}
		}
		if least == i {
			return
		}
		m.cursors[i], m.cursors[least] = m.cursors[least], m.cursors[i]
		i = least
	}
}

// each gives every row; it is valid during the call.
func (m *merge) each(ctx context.Context, do func(r *dayRow, c *tally, age int) error) error {
	for rows := 0; len(m.cursors) > 0; rows++ {
		if rows%(1<<16) == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		c := m.cursors[0]
		m.row.Day, m.row.Subject, m.row.FirstMS = c.now.Day, c.now.Subject, c.now.FirstMS
		if err := m.row.unpack(c.now.Row, &m.tally); err != nil {
			return fmt.Errorf("reading daily rows: %w", err)
		}
		if err := do(&m.row, &m.tally, c.age); err != nil {
			return err
		}
		if err := m.step(c, 0); err != nil {
			return err
		}
		if c.dayReader == nil {
			last := len(m.cursors) - 1
			m.cursors[0] = m.cursors[last]
			m.cursors = m.cursors[:last]
		}
		m.sink(0)
	}
	return nil
}

// personSums adds rows up, and gives each person's when the subject's are over. Persons
// of several subjects are kept for the end.
type personSums struct {
	person map[consent.Subject]consent.Subject // of subjects that are one of several
	joint  map[consent.Subject]*sums
	done   func(consent.Subject, *sums) error
	who    consent.Subject
	into   *sums // the subject's, its own or its person's; nil before the first
	own    sums
}

func (p *personSums) add(r *dayRow, c *tally, age int) error {
	if p.into == nil || p.who != r.Subject {
		if err := p.end(); err != nil {
			return err
		}
		p.begin(r.Subject)
	}
	p.into.add(r, c, age)
	return nil
}

func (p *personSums) begin(who consent.Subject) {
	p.who, p.into = who, &p.own
	if person, shared := p.person[who]; shared {
		if p.joint[person] == nil {
			p.joint[person] = new(sums)
		}
		p.into = p.joint[person]
	}
}

// end gives the subject's sums that was read last.
func (p *personSums) end() error {
	if p.into != &p.own {
		return nil
	}
	p.into = nil
	err := p.done(p.who, &p.own)
	p.own.reset()
	return err
}
