//go:build !lambda.norpc

package aws

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/host/snapshot"
)

// compaction is one run of turning closed ingest days into Parquet and taking away
// what was taken back.
type compaction struct {
	*Night
	book     *bookCopy
	through  time.Time
	first    string // rows of days before it are gone, or go
	shelf    *shelf
	was, is  marks
	admitted map[string]int64 // by day, what the counters say

	mu     sync.Mutex
	joined map[string]*joining
}

// joining are the rows of a day that no object covers yet, one frame after the other.
type joining struct {
	mu     sync.Mutex
	file   *os.File
	out    *bufio.Writer
	frame  []byte
	bucket [consent.Buckets]int32
	took   map[string]bool
	blanks int64
}

// compactEvents brings the days of events up to date, and says in one line if
// fewer events came than were admitted.
func (n *Night) compactEvents(ctx context.Context, c *compaction) error {
	c.joined = map[string]*joining{}
	defer c.close()
	var err error
	if c.shelf, err = n.openShelf(ctx, eventDays); err != nil {
		return err
	}
	delivered, err := n.survey(ctx, streamEvents, c.take)
	if err != nil {
		return err
	}
	if err := c.accept(); err != nil {
		return err
	}
	if err := c.writeDays(ctx); err != nil {
		return err
	}
	if err := c.enough(); err != nil {
		return err
	}
	return errors.Join(delivered.tidy(ctx, c.compacted, c.look), c.shelf.sweep(ctx))
}

// closed reports whether a day lies before the day of through.
func (c *compaction) closed(day string) bool { return day < dayOf(c.through) }

// compacted reports that nothing of a day is needed any more from what was delivered.
func (c *compaction) compacted(day string) bool { return c.closed(day) }

// look reads a line and says what may stay of it.
func (c *compaction) look(_ *rawObject, line []byte) (string, []byte, error) {
	_, day, left, err := c.row(line)
	return day, left, err
}

func (c *compaction) row(line []byte) (r event.Row, day string, left []byte, err error) {
	if err := json.Unmarshal(line, &r); err != nil {
		return r, "", nil, fmt.Errorf("unreadable event: %w", err)
	}
	if left = line; c.book.Erased(r.Subject) {
		day := r.ReceivedMS - r.ReceivedMS%(24*time.Hour).Milliseconds()
		r = event.Row{ReceivedMS: day}
		left, err = json.Marshal(r)
	}
	return r, snapshot.DayOf(r.ReceivedMS), left, err
}

// blank is what stays of an erased subject's row until its day is compacted: that
// there was one, so that it counts as delivered.
func blank(r *event.Row) bool { return r.Subject == [16]byte{} && r.Purposes == 0 }

// take lets a row join its day, if that is closed and has it not yet.
func (c *compaction) take(o *rawObject, line []byte) (string, []byte, error) {
	r, day, left, err := c.row(line)
	if err != nil || !c.closed(day) || day < c.first || c.shelf.days[day].took(o.key) {
		return day, left, err
	}
	j, err := c.joining(day)
	if err != nil {
		return day, left, err
	}
	return day, left, j.add(o.key, &r)
}

func (c *compaction) joining(day string) (*joining, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if j := c.joined[day]; j != nil {
		return j, nil
	}
	f, err := os.OpenFile(filepath.Join(c.work(), day+".rows"), os.O_CREATE|os.O_TRUNC|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	j := &joining{file: f, out: bufio.NewWriterSize(f, 1<<18), took: map[string]bool{}}
	c.joined[day] = j
	return j, nil
}

func (c *compaction) close() {
	for _, j := range c.joined {
		_ = j.file.Close()
		_ = os.Remove(j.file.Name())
	}
}

func (j *joining) add(from string, r *event.Row) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.took[from] = true
	if blank(r) {
		j.blanks++
		return nil
	}
	j.bucket[consent.Subject(r.Subject).Bucket()]++
	j.frame = snapshot.AppendRow(j.frame[:0], r)
	_, err := j.out.Write(binary.AppendUvarint(nil, uint64(len(j.frame))))
	if err == nil {
		_, err = j.out.Write(j.frame)
	}
	return err
}

// scan gives the rows of a range of buckets.
func (j *joining) scan(from, to int32, add func(snapshot.Peeked, []byte)) error {
	in := bufio.NewReaderSize(io.NewSectionReader(j.file, 0, 1<<62), 1<<18)
	for {
		n, err := binary.ReadUvarint(in)
		if errors.Is(err, io.EOF) {
			return nil
		}
		row := make([]byte, n)
		if err == nil {
			_, err = io.ReadFull(in, row)
		}
		if err != nil {
			return err
		}
		p, err := snapshot.PeekRow(row)
		if err != nil {
			return err
		}
		if b := int32(consent.Subject(p.Subject).Bucket()); b >= from && b < to {
			add(p, row)
		}
	}
}

// writeDays writes new days and those that something must go from, in order.
func (c *compaction) writeDays(ctx context.Context) error {
	names := c.shelf.names()
	for day := range c.joined {
		names = append(names, day)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	for i, day := range names {
		c.o.Progress("compacting days", int64(i), int64(len(names)))
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := c.writeDay(ctx, day); err != nil {
			return fmt.Errorf("compacting %s: %w", day, err)
		}
	}
	c.o.Progress("compacting days", int64(len(names)), int64(len(names)))
	return nil
}

// writeDay writes one day again if it has to change.
func (c *compaction) writeDay(ctx context.Context, day string) (err error) {
	was, known := c.shelf.days[day]
	j := c.joined[day]
	w := &snapshot.DayWriter{Gate: snapshot.NewGate(c.book), At: c.through}
	defer func() {
		for _, f := range append(w.Near, w.Old) {
			err = errors.Join(err, f.Close())
		}
	}()
	if known {
		if w.Old, err = c.shelf.open(ctx, day); err != nil {
			return err
		}
	}
	if j == nil {
		if any, err := w.Old.HoldsAny(func(s consent.Subject) bool { return c.is.changed(c.was, s, c.book.Erased) }); err != nil || !any {
			return err
		}
	} else if err := c.join(ctx, day, j, w); err != nil {
		return err
	}
	next := keptDay{Day: snapshot.Day{Day: day, Generation: was.Generation + 1}, Delivered: was.Delivered, Missing: was.Missing, Took: slices.Clone(was.Took)}
	var is snapshot.Written
	err = c.shelf.write(next.Day, func(f io.Writer) error { is, err = w.Write(f, next.Day); return err })
	if errors.Is(err, snapshot.ErrUnchanged) {
		return nil
	}
	if err != nil {
		return err
	}
	next.Rows, next.SHA256, next.Delivered = is.Rows, is.SHA256, was.Delivered+is.Delivered
	if j != nil {
		next.Took = append(next.Took, slices.Collect(maps.Keys(j.took))...)
		next.Delivered += j.blanks
	}
	if short := c.admitted[day] - next.Delivered; short > next.Missing && short <= c.o.Missing {
		next.Missing = short
	}
	return c.shelf.keep(ctx, next)
}

// join has a writer take new rows in, none that a day nearby has.
func (c *compaction) join(ctx context.Context, day string, j *joining, w *snapshot.DayWriter) error {
	if err := j.out.Flush(); err != nil {
		return err
	}
	w.Bucket, w.New = j.bucket, j.scan
	at, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return fmt.Errorf("reading day: %w", err)
	}
	for i := -snapshot.DedupeDays; i <= snapshot.DedupeDays; i++ {
		near := dayOf(at.AddDate(0, 0, i))
		if _, known := c.shelf.days[near]; !known || i == 0 {
			continue
		}
		f, err := c.shelf.open(ctx, near)
		if err != nil {
			return err
		}
		w.Near = append(w.Near, f)
	}
	return nil
}

// accept has those days written again, or written empty, of which somebody goes on
// without some events: the day says so from then on.
func (c *compaction) accept() error {
	for day, n := range c.admitted {
		d := c.shelf.days[day]
		if j := c.joined[day]; j != nil || !c.closed(day) || day < c.first || n-d.Delivered <= d.Missing || n-d.Delivered > c.o.Missing {
			continue
		}
		if _, err := c.joining(day); err != nil {
			return err
		}
	}
	return nil
}

// enough refuses a night that would build on fewer events than were admitted: they
// are on their way, or lost. The counters know no more than was admitted.
func (c *compaction) enough() error {
	for _, day := range slices.Sorted(maps.Keys(c.admitted)) {
		d := c.shelf.days[day]
		short := c.admitted[day] - d.Delivered - d.Missing
		if !c.closed(day) || day < c.first || short <= 0 {
			continue
		}
		return fmt.Errorf("%d of %d events that were admitted on %s were not delivered to bucket %s yet: run the night again later, or with --missing %d to go on without them",
			short, c.admitted[day], day, *c.h.bucket(bucketEvents), c.admitted[day]-d.Delivered)
	}
	return nil
}
