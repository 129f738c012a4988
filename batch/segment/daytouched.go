package segment

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"slices"

	duckdb "github.com/duckdb/duckdb-go/v2"

	"github.com/handschlag/handschlag/consent"
)

// change is a subject about whom the gate may answer otherwise than last night, and
// the first millisecond whose events may count now (math.MaxInt64: none does).
type change struct {
	subject consent.Subject
	from    int64
}

// readChanged gives table changed, by rising subject.
func (n *night) readChanged(ctx context.Context) ([]change, error) {
	out := []change{}
	query := fmt.Sprintf("select subject, coalesce(may_from_ms, %d) from changed where %s order by subject", int64(math.MaxInt64), n.part.hold("subject"))
	err := n.db.each(ctx, query, func(scan func(...any) error) error {
		var who duckdb.UUID
		var c change
		err := scan(&who, &c.from)
		c.subject = consent.Subject(who)
		out = append(out, c)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading whose consent changed: %w", err)
	}
	return out, nil
}

// touched lists whose rows of a day may have to change: those of the subjects that the
// gate may answer otherwise about, if they have a row or an event may count now, and of
// those who came into the day in the midst of another session.
func (n *night) touched(ctx context.Context, w work) (*patched, error) {
	end, err := w.end()
	if err != nil {
		return nil, err
	}
	if n.changed == nil {
		if n.changed, err = n.readChanged(ctx); err != nil {
			return nil, err
		}
	}
	held, err := haveRows(filepath.Join(n.in.State, w.before.File), n.changed)
	if err != nil {
		return nil, err
	}
	walked := map[consent.Subject]bool{}
	for i, c := range n.changed {
		if again := c.from < end; held[i] || again && w.day.Path != "" {
			walked[c.subject] = again
		}
	}
	if w.day.Path != "" && n.prev.precedes(w) && n.prev.old != n.prev.new {
		if err := n.cameOtherwise(walked); err != nil {
			return nil, err
		}
	}
	return inOrder(walked), nil
}

// inOrder lists subjects, and those that are walked.
func inOrder(walked map[consent.Subject]bool) *patched {
	out := &patched{gone: slices.SortedFunc(maps.Keys(walked), compareSubjects)}
	for _, who := range out.gone {
		if walked[who] {
			out.walked = append(out.walked, who)
		}
	}
	return out
}

// haveRows says which of the changed have a row in a day's file.
func haveRows(path string, changed []change) (_ []bool, err error) {
	held := make([]bool, len(changed))
	d, err := openDay(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	i := 0
	for _, g := range d.groups {
		if d.subjects, err = d.columnFile.subjects(g, d.subjects); err != nil {
			return nil, fmt.Errorf("reading daily rows: %w", err)
		}
		for at := 0; at+16 <= len(d.subjects) && i < len(changed); at += 16 {
			for i < len(changed) && bytes.Compare(changed[i].subject[:], d.subjects[at:at+16]) < 0 {
				i++
			}
			if i < len(changed) && bytes.Equal(changed[i].subject[:], d.subjects[at:at+16]) {
				held[i] = true
			}
		}
	}
	return held, nil
}

// cameOtherwise adds whose session of the day before is not as it was, unless what
// changed about them is known already.
func (n *night) cameOtherwise(walked map[consent.Subject]bool) error {
	moved := n.prev.moved
	if n.prev.old == "" { // all of them are new
		err := eachRecord(n.prev.new, func(r dayRecord) error {
			if len(r.Open) > 0 && n.part.holds(r.Subject) {
				moved = append(moved, r.Subject)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	for _, who := range moved {
		_, known := slices.BinarySearchFunc(n.changed, who, func(c change, s consent.Subject) int { return compareSubjects(c.subject, s) })
		if !known {
			walked[who] = true
		}
	}
	return nil
}
