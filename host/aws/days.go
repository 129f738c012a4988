//go:build !lambda.norpc

package aws

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/handschlag/handschlag/host/snapshot"
)

// What is compacted: for each ingest day one object of a generation, and day.json
// beside it, which alone says which generation counts.
const (
	eventDays    = "days/"      // events, Parquet
	decisionDays = "decisions/" // decision records, gzipped lines
	dayIndex     = "day.json"
)

var dayEnding = map[string]string{eventDays: ".parquet", decisionDays: ".ndjson.gz"}

// keptDay is day.json.
type keptDay struct {
	snapshot.Day
	Delivered int64    `json:"delivered,omitempty"` // events that came, before what was taken back and came twice in other days went
	Missing   int64    `json:"missing,omitempty"`   // events that somebody went on without
	Took      []string `json:"took,omitempty"`      // the raw objects whose part of the day is in it

	etag string
}

func (d keptDay) took(key string) bool {
	_, is := slices.BinarySearch(d.Took, key)
	return is
}

// shelf is what is compacted of one kind, with a copy of it in the night's folder.
type shelf struct {
	n      *Night
	prefix string
	days   map[string]keptDay
}

func (n *Night) openShelf(ctx context.Context, prefix string) (*shelf, error) {
	s := &shelf{n: n, prefix: prefix, days: map[string]keptDay{}}
	all, err := n.h.objects(ctx, bucketEvents, prefix)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(o object) bool { return !strings.HasSuffix(o.key, "/"+dayIndex) })
	found := make([]keptDay, len(all))
	err = each(ctx, len(all), atOnce, func(ctx context.Context, i int) error {
		body, etag, err := n.h.readObject(ctx, bucketEvents, all[i].key)
		if err == nil {
			err = json.Unmarshal(body, &found[i])
		}
		if err != nil {
			return fmt.Errorf("reading %s of bucket %s: %w", all[i].key, *n.h.bucket(bucketEvents), err)
		}
		found[i].etag = etag
		return nil
	})
	for _, d := range found {
		s.days[d.Day.Day] = d
	}
	return s, err
}

// names lists the days, in order.
func (s *shelf) names() []string {
	out := make([]string, 0, len(s.days))
	for name := range s.days {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

func (s *shelf) key(d snapshot.Day) string {
	return fmt.Sprintf("%s%s/g%d%s", s.prefix, d.Day, d.Generation, dayEnding[s.prefix])
}

func (s *shelf) path(d snapshot.Day) string {
	return filepath.Join(s.n.dir, filepath.FromSlash(s.key(d)))
}

// file gives the path of a day's copy, which it fetches if it is not here whole.
func (s *shelf) file(ctx context.Context, name string) (string, error) {
	d := s.days[name]
	path := s.path(d.Day)
	if sum, err := digestOf(path); err == nil && sum == d.SHA256 {
		return path, nil
	}
	found, err := s.n.h.objects(ctx, bucketEvents, s.key(d.Day))
	if err == nil && len(found) != 1 {
		err = fmt.Errorf("object %s of bucket %s is missing, which day %s is kept in", s.key(d.Day), *s.n.h.bucket(bucketEvents), name)
	}
	if err != nil {
		return "", err
	}
	sum, err := s.n.h.download(ctx, bucketEvents, found[0], path)
	if err == nil && sum != d.SHA256 {
		err = fmt.Errorf("damaged object %s of bucket %s: its SHA-256 is %.12s, want %.12s", found[0].key, *s.n.h.bucket(bucketEvents), sum, d.SHA256)
	}
	return path, err
}

// open opens a day of events.
func (s *shelf) open(ctx context.Context, name string) (*snapshot.DayFile, error) {
	path, err := s.file(ctx, name)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	d, err := snapshot.OpenDay(f, info.Size())
	if err != nil {
		return nil, fmt.Errorf("damaged object %s: %w", s.key(s.days[name].Day), err)
	}
	return d, nil
}

// write makes the next generation of a day in the folder.
func (s *shelf) write(d snapshot.Day, fill func(io.Writer) error) error {
	path := s.path(d)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(fill(f), f.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}

// keep makes a generation that lies in the folder the one that counts: it goes up,
// is read back, and only then day.json names it. The one before goes last.
func (s *shelf) keep(ctx context.Context, next keptDay) error {
	was := s.days[next.Day.Day]
	path, key := s.path(next.Day), s.key(next.Day)
	o, err := s.n.h.upload(ctx, bucketEvents, key, path, nil)
	if err != nil {
		return err
	}
	sum, err := s.n.h.download(ctx, bucketEvents, o, path+".back")
	if err == nil && sum != next.SHA256 {
		err = fmt.Errorf("object %s of bucket %s is not what was put", key, *s.n.h.bucket(bucketEvents))
	}
	if err = errors.Join(err, removeIfThere(path+".back")); err != nil {
		return err
	}
	slices.Sort(next.Took)
	next.Took = slices.Compact(next.Took)
	if next.etag, err = s.n.h.putJSON(ctx, bucketEvents, s.prefix+next.Day.Day+"/"+dayIndex, next, &swap{was.etag}); err != nil {
		return movedBy(err, "day "+next.Day.Day)
	}
	s.days[next.Day.Day] = next
	if was.etag == "" || was.Generation == next.Generation {
		return nil
	}
	return errors.Join(s.n.h.drop(ctx, bucketEvents, []string{s.key(was.Day)}), removeIfThere(s.path(was.Day)))
}

// sweep removes generations that no day.json names: of nights that were killed.
func (s *shelf) sweep(ctx context.Context) error {
	all, err := s.n.h.objects(ctx, bucketEvents, s.prefix)
	if err != nil {
		return err
	}
	named := map[string]bool{}
	for name, d := range s.days {
		named[s.prefix+name+"/"+dayIndex], named[s.key(d.Day)] = true, true
	}
	var stale []string
	for _, o := range all {
		if !named[o.key] {
			stale = append(stale, o.key)
		}
	}
	return errors.Join(s.n.h.drop(ctx, bucketEvents, stale), s.sweepCopies(named))
}

func (s *shelf) sweepCopies(named map[string]bool) error {
	here, err := filesOf(filepath.Join(s.n.dir, s.prefix))
	for path := range here {
		if !named[s.prefix+path] {
			err = errors.Join(err, os.Remove(filepath.Join(s.n.dir, s.prefix, path)))
		}
	}
	return err
}

// before lets go of the days before one: day.json first, so that what is left of a
// crash is swept.
func (s *shelf) before(ctx context.Context, first string) error {
	var gone []string
	for _, name := range s.names() {
		if name < first {
			gone = append(gone, s.prefix+name+"/"+dayIndex)
			delete(s.days, name)
		}
	}
	if err := s.n.h.drop(ctx, bucketEvents, gone); err != nil {
		return err
	}
	return s.sweep(ctx)
}

func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// dayOf names the day of a time.
func dayOf(t time.Time) string { return t.UTC().Format(time.DateOnly) }
