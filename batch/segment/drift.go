package segment

import (
	"context"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"time"

	"github.com/handschlag/handschlag/consent"
)

// Each night rebuilds a sixteenth of the subjects, on every thirteenth day of the
// state, from the events: all of it within 208 nights. A day's file is read by row
// groups, and a smaller share of the subjects would read as many.
const (
	driftShare = 16
	driftDays  = 13
)

// drift rebuilds tonight's sample of rows that earlier nights built, and stops the
// night if the state holds anything else: then a rule, a product or a consent changed
// and the state did not notice, or somebody changed the state. A part looks at those of
// the sample that are its own, so a night of parts need not look again.
func (n *night) drift(ctx context.Context, todo []work) error {
	night := int(n.in.AsOf.Unix() / int64((24 * time.Hour).Seconds()))
	size := consent.Buckets / driftShare
	from := night % driftShare * size
	sample := n.part.meet(Buckets{from, from + size - 1})
	if n.parts != nil || sample.From > sample.To {
		return nil
	}
	defer func(was *Buckets) { n.part = was }(n.part)
	n.part = &sample
	for i, w := range todo {
		end, err := w.end()
		if err != nil {
			return err
		}
		if (int(epochDay(end-1))+night/driftShare)%driftDays != 0 || w.day.Path == "" || w.before == nil || n.is.Days[i] != *w.before {
			continue
		}
		n.prev = dayBefore{}
		if i == 0 && n.eventsBefore(w) == nil {
			continue // sessions may have come into it from a day that is gone
		}
		if i > 0 {
			n.prev = n.became(todo[i-1], n.is.Days[i-1])
		}
		if err := n.rebuilt(ctx, w); err != nil {
			return err
		}
	}
	return nil
}

// rebuilt walks a day for the sample and holds the state's rows against what comes out.
func (n *night) rebuilt(ctx context.Context, w work) error {
	if n.door == nil {
		var err error
		if n.door, err = n.openDoor(ctx); err != nil {
			return err
		}
	}
	walk, err := n.newWalk(w, nil)
	if err != nil {
		return err
	}
	if walk.carried, err = n.carry(ctx, w, walk); err != nil {
		return err
	}
	rows := map[consent.Subject]dayRow{}
	walk.row = func(r *dayRow) error {
		row := *r
		row.Orders, row.Returns = slices.Clone(r.Orders), slices.Clone(r.Returns)
		rows[r.Subject] = row
		return nil
	}
	if err := walk.walk(ctx, w.day.Path); err != nil {
		return err
	}
	strange := 0
	err = eachRow(filepath.Join(n.in.State, w.before.File), func(r *dayRow) error {
		if !n.part.holds(r.Subject) {
			return nil
		}
		if built, known := rows[r.Subject]; !known || !sameRow(*r, built) {
			strange++
		}
		delete(rows, r.Subject)
		return nil
	})
	if err == nil && strange+len(rows) > 0 {
		return damaged(w.before.File, fmt.Sprintf("drifted: of buckets %s, %d rows are not what the events say and %d are missing", n.part, strange, len(rows)))
	}
	return err
}

// sameRow compares rows; a list that is empty is one that is missing.
func sameRow(a, b dayRow) bool {
	if !slices.Equal(a.Orders, b.Orders) || !slices.Equal(a.Returns, b.Returns) {
		return false
	}
	a.Orders, a.Returns, b.Orders, b.Returns = nil, nil, nil, nil
	return reflect.DeepEqual(a, b)
}
