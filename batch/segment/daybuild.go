package segment

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"github.com/handschlag/handschlag/consent"
)

// walkCode is what decides, in Go, what a daily row holds.
//
//go:embed daybuild.go daytouched.go door.go doorcase.go doorfacts.go daywalk.go dayevent.go dayrow.go dayrecord.go openvisit.go visit.go words.go eventfile.go columnfile.go
var walkCode embed.FS

var walkFiles = []string{"daybuild.go", "daytouched.go", "door.go", "doorcase.go", "doorfacts.go", "daywalk.go", "dayevent.go", "dayrow.go", "dayrecord.go", "openvisit.go", "visit.go", "words.go", "eventfile.go", "columnfile.go"}

// dayBefore is what became of the day that was looked at last.
type dayBefore struct {
	day      string
	old, new string            // its file before tonight, and now; "" for none
	moved    []consent.Subject // whose session that it leaves open is not as it was, if it was patched
}

// oneDay gives the file of a day's rows, an old one if nothing changed.
func (n *night) oneDay(ctx context.Context, w work) (stateDay, error) {
	if w.before == nil {
		return n.buildDay(ctx, w, nil)
	}
	only, err := n.touched(ctx, w)
	if err != nil {
		return stateDay{}, err
	}
	if len(only.gone) == 0 {
		return *w.before, nil
	}
	return n.buildDay(ctx, w, only)
}

// patched are the subjects whose old rows of a day go, in order, and those among them
// of whom an event may count: the others, who only took something back, are not read.
type patched struct{ gone, walked []consent.Subject }

func (p dayBefore) precedes(w work) bool {
	day, err := time.Parse(time.DateOnly, w.day.Day)
	return err == nil && p.day == day.AddDate(0, 0, -1).Format(time.DateOnly)
}

// buildDay writes a day's rows to a new file: of all subjects, or, as a patch, of
// some beside the old rows of the others.
func (n *night) buildDay(ctx context.Context, w work, only *patched) (stateDay, error) {
	if w.day.Path != "" {
		if err := n.untouched([]string{w.day.Path}); err != nil {
			return stateDay{}, err
		}
	}
	if n.door == nil {
		var err error
		if n.door, err = n.openDoor(ctx); err != nil {
			return stateDay{}, err
		}
	}
	return n.writeDay(w, func(out *dayFile) error {
		var walked []consent.Subject
		if only != nil {
			walked = only.walked
		}
		walk, err := n.newWalk(w, walked)
		if err != nil {
			return err
		}
		if only == nil || len(walked) > 0 {
			if walk.carried, err = n.carry(ctx, w, walk); err != nil {
				return err
			}
		}
		if only == nil {
			walk.row = out.add
			err = walk.walk(ctx, w.day.Path)
		} else {
			err = n.patch(ctx, w, walk, only, out)
		}
		n.events = walk.events
		return errors.Join(err, n.door.tell())
	})
}

// patch walks some subjects and writes their rows among the others' old ones.
func (n *night) patch(ctx context.Context, w work, walk *dayWalk, only *patched, out *dayFile) error {
	var fresh []dayRow
	walk.row = func(r *dayRow) error {
		row := *r
		row.Orders, row.Returns = slices.Clone(r.Orders), slices.Clone(r.Returns)
		fresh = append(fresh, row)
		return nil
	}
	if len(only.walked) > 0 {
		if err := walk.walk(ctx, w.day.Path); err != nil {
			return err
		}
	}
	was := map[consent.Subject]string{}
	for _, r := range fresh {
		crossOff(was, r.Subject, r.Open)
	}
	gone := only.gone // both are in order
	err := eachRecord(filepath.Join(n.in.State, w.before.File), func(r dayRecord) error {
		for len(fresh) > 0 && compareSubjects(fresh[0].Subject, r.Subject) < 0 {
			if err := out.add(&fresh[0]); err != nil {
				return err
			}
			fresh = fresh[1:]
		}
		for len(gone) > 0 && compareSubjects(gone[0], r.Subject) < 0 {
			gone = gone[1:]
		}
		if len(gone) > 0 && gone[0] == r.Subject {
			crossOff(was, r.Subject, string(r.Open))
			return nil
		}
		if !n.part.holds(r.Subject) {
			return nil
		}
		return out.copy(r)
	})
	for i := range fresh {
		err = errors.Join(err, out.add(&fresh[i]))
	}
	n.moved = slices.Collect(maps.Keys(was))
	return err
}

// crossOff notes the session that somebody leaves open in one of two files; where the other
// has noted the same, it crosses it off: what differs stays.
func crossOff(list map[consent.Subject]string, who consent.Subject, open string) {
	switch other, there := list[who]; {
	case there && other == open:
		delete(list, who)
	case open != "":
		list[who] = open
	}
}

// newWalk prepares a walk over a day, by tonight's products.
func (n *night) newWalk(w work, only []consent.Subject) (*dayWalk, error) {
	end, err := w.end()
	if err != nil {
		return nil, err
	}
	return &dayWalk{
		door: n.door, words: newWords(n.tags.products, n.tags.categories), day: epochDay(end - 1), end: end, only: only, part: n.part,
	}, nil
}

// carry gives the sessions that go into a day from the one before: from its rows or,
// if those are no longer kept, from its events, which then are the first that count.
func (n *night) carry(ctx context.Context, w work, walk *dayWalk) (out []carried, err error) {
	if w.day.Path == "" {
		return nil, nil
	}
	if n.prev.precedes(w) {
		out, err = n.opensOf(n.prev.new, walk.words)
	} else if before := n.eventsBefore(w); before != nil {
		out, err = n.opensFrom(ctx, work{day: *before}, walk)
	}
	return slices.DeleteFunc(out, func(c carried) bool { return !walk.walks(c.subject) }), err
}

// eventsBefore is the snapshot's day before another, nil if it has none.
func (n *night) eventsBefore(w work) *eventDay {
	for i, d := range n.snap.Days {
		if (dayBefore{day: d.Day}).precedes(w) && d.Path != "" {
			return &n.snap.Days[i]
		}
	}
	return nil
}

// opensFrom walks a day only for the sessions that it leaves open.
func (n *night) opensFrom(ctx context.Context, w work, next *dayWalk) (out []carried, err error) {
	if err := n.untouched([]string{w.day.Path}); err != nil {
		return nil, err
	}
	walk, err := n.newWalk(w, next.only)
	if err != nil {
		return nil, err
	}
	walk.row = func(r *dayRow) error {
		if r.Open == "" {
			return nil
		}
		acts, err := goOn([]byte(r.Open), next.words, nil)
		out = append(out, carried{r.Subject, acts})
		return err
	}
	return out, walk.walk(ctx, w.day.Path)
}

// writeDay fills a day's new file.
func (n *night) writeDay(w work, fill func(*dayFile) error) (stateDay, error) {
	file := filepath.Join("daily", "day="+w.day.Day, fmt.Sprintf("%06d.parquet", n.is.Revision))
	out, err := createDay(filepath.Join(n.rows, file))
	if err != nil {
		return stateDay{}, err
	}
	if err := errors.Join(fill(out), out.close()); err != nil {
		return stateDay{}, err
	}
	if n.in.Made != nil {
		n.in.Made("daily", out.n)
	}
	return stateDay{Day: w.day.Day, Generation: w.day.Generation, File: file}, nil
}

// tagsNow are the special categories that products and categories reveal tonight.
type tagsNow struct{ products, categories map[string]int64 }

// readTags reads them from tables product_tags and category_tags.
func (n *night) readTags(ctx context.Context) error {
	n.tags = tagsNow{map[string]int64{}, map[string]int64{}}
	for query, into := range map[string]map[string]int64{
		"select product_id, tags from product_tags": n.tags.products, "select category, tags from category_tags": n.tags.categories,
	} {
		err := n.db.each(ctx, query, func(scan func(...any) error) error {
			var name string
			var tags int64
			err := scan(&name, &tags)
			into[name] = tags
			return err
		})
		if err != nil {
			return fmt.Errorf("reading what is sensitive: %w", err)
		}
	}
	return nil
}
