package segment

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/handschlag/handschlag/consent"
)

// differing gives the subjects of whom two files, each with a column of subjects named
// key, do not hold the same rows in the same order. Every row of one is held against a row
// of the other or its subject is given, so that whoever is not given has the same rows in
// both, however they lie. Where they lie by subject few others are given.
func differing(one, two, key string, give func(consent.Subject)) (err error) {
	words := map[string]uint64{}
	a, err := openReading(one, key, words)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.close()) }()
	b, err := openReading(two, key, words)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	alike := slices.Equal(a.columns, b.columns) // else a host of another version wrote one
	for err == nil && (a.held > 0 || b.held > 0) {
		if n := a.agrees(b); alike && n > 0 {
			err = errors.Join(a.pass(n), b.pass(n))
			continue
		}
		err = leaveOne(a, b, give)
	}
	return err
}

// leaveOne gives the lesser subject that two readings stand at, and passes its rows.
func leaveOne(a, b *reading, give func(consent.Subject)) error {
	left, right := a.held > 0, b.held > 0
	if left && right {
		order := compareSubjects(a.subject(), b.subject())
		left, right = order <= 0, order >= 0
	}
	var err error
	if left {
		give(a.subject())
		err = a.leave()
	}
	if right {
		give(b.subject())
		err = errors.Join(err, b.leave())
	}
	return err
}

// cell is a value that is compared with nothing but values of the same column. Strings and
// lists are numbered by an alphabet that two readings share.
type cell [2]uint64

// reading reads a file from its first row to its last, all columns side by side.
type reading struct {
	*columnFile
	columns []string // with their types
	strips  []*strip // the first is the subjects'
	held    int      // rows that are there of every column; 0: the file has ended
}

func openReading(path, key string, words map[string]uint64) (*reading, error) {
	f, err := openColumns(path)
	if err != nil {
		return nil, err
	}
	r := &reading{columnFile: f}
	for _, path := range f.pf.Schema().Columns() {
		leaf, _ := f.pf.Schema().Lookup(path...)
		name := strings.Join(path, ".")
		s := &strip{name: name, groups: f.pf.RowGroups(), leaf: leaf, words: words}
		r.columns = append(r.columns, name+" "+leaf.Node.Type().String())
		if r.strips = append(r.strips, s); name == key {
			last := len(r.strips) - 1
			r.strips[0], r.strips[last] = r.strips[last], r.strips[0]
			r.columns[0], r.columns[last] = r.columns[last], r.columns[0]
		}
	}
	if len(r.strips) == 0 || r.strips[0].name != key || r.strips[0].leaf.Node.Type().Length() != 16 {
		return nil, errors.Join(fmt.Errorf("there is no column %s of UUIDs", key), f.close())
	}
	if err := r.more(); err != nil {
		return nil, errors.Join(err, r.close())
	}
	return r, nil
}

func (r *reading) close() (err error) {
	for _, s := range r.strips {
		err = errors.Join(err, s.close())
	}
	return errors.Join(err, r.columnFile.close())
}

// more reads on where a column has no rows left.
func (r *reading) more() error {
	for i, s := range r.strips {
		if err := s.more(); err != nil {
			return fmt.Errorf("reading column %s: %w", s.name, err)
		}
		if i == 0 {
			r.held = len(s.rows)
		}
		if (len(s.rows) == 0) != (r.held == 0) {
			return fmt.Errorf("reading column %s: columns differ in length", s.name)
		}
		r.held = min(r.held, len(s.rows))
	}
	return nil
}

// agrees says how many of the rows that are held are alike in two readings.
func (r *reading) agrees(o *reading) int {
	n := min(r.held, o.held)
	for i := 0; i < len(r.strips) && n > 0; i++ {
		a, b := r.strips[i].rows[:n], o.strips[i].rows[:n]
		for n = 0; n < len(a) && a[n] == b[n]; n++ {
		}
	}
	return n
}

// pass goes n rows on.
func (r *reading) pass(n int) error {
	for _, s := range r.strips {
		s.rows = s.rows[n:]
	}
	return r.more()
}

// leave goes on to the next subject.
func (r *reading) leave() (err error) {
	for who := r.strips[0].rows[0]; err == nil && r.held > 0 && r.strips[0].rows[0] == who; {
		err = r.pass(1)
	}
	return err
}

func (r *reading) subject() (s consent.Subject) {
	at := r.strips[0].rows[0]
	binary.BigEndian.PutUint64(s[:8], at[0])
	binary.BigEndian.PutUint64(s[8:], at[1])
	return s
}
