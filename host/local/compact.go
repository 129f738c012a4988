package local

import (
	"cmp"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/host/snapshot"
)

// compaction is one run of turning closed ingest days of the log into Parquet and
// taking away what was taken back.
type compaction struct {
	*Host
	through time.Time
	state   *pebble.Snapshot
	end     uint64 // rows below this number lie in finished segments
	days    map[string]day
	found   map[string]*intake
	stale   map[consent.Subject]bool // whose profiles may hold what no yes carries any more
	keep    uint64                   // number of the first row of a day that is still open
	first   string                   // rows of days before it are gone, or go
}

// intake counts the rows of a day that no Parquet file covers, by bucket, and
// says between which numbers of the log they lie.
type intake struct {
	first, last uint64
	bucket      [consent.Buckets]int32
}

// compact brings DATA/events up to date with all ingest days before the day of
// through, and gives them.
func (h *Host) compact(ctx context.Context, through time.Time, state *pebble.Snapshot) ([]day, error) {
	if err := h.events.Roll(); err != nil {
		return nil, err
	}
	known, err := h.days()
	if err != nil {
		return nil, err
	}
	c := &compaction{Host: h, through: through.UTC(), state: state, days: map[string]day{}, found: map[string]*intake{}}
	for _, d := range known {
		c.days[d.Day] = d
	}
	if c.first, err = h.firstDay(); err != nil {
		return nil, err
	}
	if err := c.survey(); err != nil {
		return nil, fmt.Errorf("surveying the event log: %w", err)
	}
	affected, marks, err := c.affected()
	if err != nil {
		return nil, err
	}
	if err := c.writeDays(ctx, affected); err != nil {
		return nil, err
	}
	if err := c.forget(); err != nil {
		return nil, fmt.Errorf("forgetting what lapsed: %w", err)
	}
	if err := c.tidy(marks); err != nil {
		return nil, err
	}
	return c.listed(), nil
}

// closed reports whether a day lies before the day of through.
func (c *compaction) closed(name string) bool { return name < c.through.Format(time.DateOnly) }

// survey counts the rows to take in and finds where the open days begin.
func (c *compaction) survey() error {
	segments := c.events.Segments()
	c.end = segments[len(segments)-1].First
	c.keep = c.end
	return c.events.Scan(0, func(p place, n uint64, b []byte) error {
		if n >= c.end || blank(b) {
			return nil
		}
		row, err := snapshot.PeekRow(b)
		if err != nil {
			return fmt.Errorf("segment %d, frame at %d: %w", p.Segment, p.Offset, err)
		}
		name := snapshot.DayOf(row.Received)
		if name < c.first {
			return nil
		}
		if !c.closed(name) {
			c.keep = min(c.keep, n)
		} else if n >= c.days[name].Covered {
			if c.found[name] == nil {
				c.found[name] = &intake{first: n}
			}
			c.found[name].last = n
			c.found[name].bucket[consent.Subject(row.Subject).Bucket()]++
		}
		return nil
	})
}

// affected names the subjects of whom compacted rows may have to go: a record
// took a grant back, or one ran out since the last compaction.
func (c *compaction) affected() (map[[16]byte]bool, map[consent.Subject]uint64, error) {
	out, marks := map[[16]byte]bool{}, map[consent.Subject]uint64{}
	err := under(c.state, []byte{tabWithdrawn}, func(k, v []byte) error {
		if len(k) != 17 || len(v) != 8 {
			return errors.New("unreadable mark of a withdrawal")
		}
		s := consent.Subject(k[1:])
		out[s], marks[s] = true, binary.BigEndian.Uint64(v)
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	last, err := get(c.state, meta(metaCompacted))
	if err != nil {
		return nil, nil, err
	}
	since := int64(0)
	if len(last) == 8 {
		since = int64(binary.BigEndian.Uint64(last))
	}
	c.stale = map[consent.Subject]bool{}
	err = statesIn(c.state, func(st stored) error {
		if c.fell(st.State, c.through) {
			out[st.Subject] = true
		}
		if c.lapsed(since, st.State) {
			c.stale[st.Subject] = true
		}
		for _, g := range st.Standings {
			if ms := g.Until.UnixMilli(); g.Status.Valid() && ms > since && ms <= c.through.UnixMilli() {
				out[st.Subject] = true
			}
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	if err := c.addStale(); err != nil {
		return nil, nil, err
	}
	return out, marks, c.addDevices(out)
}

// addDevices adds the devices of affected accounts: their rows may rest on them.
func (c *compaction) addDevices(affected map[[16]byte]bool) error {
	return under(c.state, []byte{tabLink}, func(k, v []byte) error {
		if len(k) == 17 && len(v) >= 16 && affected[[16]byte(v)] {
			affected[[16]byte(k[1:])] = true
		}
		return nil
	})
}

// addStale adds the devices of accounts on whose word their profiles may rest.
func (c *compaction) addStale() error {
	return under(c.state, []byte{tabLink}, func(k, v []byte) error {
		if len(k) == 17 && len(v) >= 16 && c.stale[consent.Subject(v[:16])] {
			c.stale[consent.Subject(k[1:])] = true
		}
		return nil
	})
}

func statesIn(r pebble.Reader, do func(stored) error) error {
	return under(r, []byte{tabState}, func(k, v []byte) error {
		var st stored
		if err := json.Unmarshal(v, &st); err != nil {
			return fmt.Errorf("unreadable consent state: %w", err)
		}
		return do(st)
	})
}

// writeDays writes new days and those that something must go from, in order.
func (c *compaction) writeDays(ctx context.Context, affected map[[16]byte]bool) error {
	names := map[string]bool{}
	for name := range c.found {
		names[name] = true
	}
	for name := range c.days {
		names[name] = true
	}
	for _, name := range sortedNames(names) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := c.writeDay(name, affected); err != nil {
			return fmt.Errorf("compacting %s: %w", name, err)
		}
	}
	return nil
}

func sortedNames(names map[string]bool) []string {
	out := make([]string, 0, len(names))
	for name := range names {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// writeDay writes one day again if it has to change.
func (c *compaction) writeDay(name string, affected map[[16]byte]bool) (err error) {
	was, known := c.days[name]
	var old *snapshot.DayFile
	if known {
		if old, err = c.openDay(name); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, old.Close()) }()
	}
	if c.found[name] == nil {
		if any, err := old.HoldsAny(func(s consent.Subject) bool { return affected[s] }); err != nil || !any {
			return err
		}
	}
	w, close, err := c.dayWriter(name, old)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, close()) }()
	next := day{Day: name, Generation: was.Generation + 1, Covered: max(was.Covered, c.end)}
	if err := c.disk.folder(c.disk.PathDir(c.dayPath(name))); err != nil {
		return err
	}
	var is snapshot.Written
	err = c.disk.replace(c.dayPath(name), false, func(f io.Writer) error { is, err = w.Write(f, next); return err })
	if errors.Is(err, snapshot.ErrUnchanged) {
		return nil
	}
	if err != nil {
		return err
	}
	next.Rows, next.SHA256 = is.Rows, is.SHA256
	c.days[name] = next
	return c.saveJSON(key(tabDay, []byte(name)), next)
}

// dayWriter makes the writer of a day, which knows how many rows come, and opens
// the days in which a message of this one may be already.
func (c *compaction) dayWriter(name string, old *snapshot.DayFile) (*snapshot.DayWriter, func() error, error) {
	w := &snapshot.DayWriter{Old: old, Gate: c.gateOf(c.state), At: c.through}
	closeAll := func() (err error) {
		for _, f := range w.Near {
			err = errors.Join(err, f.Close())
		}
		return err
	}
	at, err := time.Parse(time.DateOnly, name)
	if err != nil {
		return nil, nil, fmt.Errorf("reading day: %w", err)
	}
	in := c.found[name]
	if in == nil {
		return w, closeAll, nil
	}
	w.Bucket, w.New = in.bucket, c.fromLog(name, at)
	for i := -snapshot.DedupeDays; i <= snapshot.DedupeDays; i++ {
		near := at.AddDate(0, 0, i).Format(time.DateOnly)
		if _, known := c.days[near]; !known || i == 0 {
			continue
		}
		f, err := c.openDay(near)
		if err != nil {
			return nil, nil, errors.Join(err, closeAll())
		}
		w.Near = append(w.Near, f)
	}
	return w, closeAll, nil
}

// errEnough ends a scan of the log early.
var errEnough = errors.New("enough")

// fromLog scans the day's rows that no file covers yet.
func (c *compaction) fromLog(name string, day time.Time) snapshot.Scan {
	in, covered, fromMS, toMS := c.found[name], c.days[name].Covered, day.UnixMilli(), day.AddDate(0, 0, 1).UnixMilli()
	return func(from, to int32, add func(snapshot.Peeked, []byte)) error {
		err := c.events.Scan(in.first, func(_ place, n uint64, b []byte) error {
			if n > in.last {
				return errEnough
			}
			if blank(b) {
				return nil
			}
			p, err := snapshot.PeekRow(b)
			if err != nil {
				return err
			}
			bucket := int32(consent.Subject(p.Subject).Bucket())
			if n >= covered && bucket >= from && bucket < to && p.Received >= fromMS && p.Received < toMS {
				add(p, b)
			}
			return nil
		})
		if errors.Is(err, errEnough) {
			err = nil
		}
		return err
	}
}

// tidy lets go of what the days now cover: segments, marks of withdrawals.
func (c *compaction) tidy(marks map[consent.Subject]uint64) error {
	floor := c.events.Segments()[0]
	for _, s := range c.events.Segments() {
		if s.First <= c.keep {
			floor = s
		}
	}
	if err := c.flush(floor.First); err != nil {
		return err
	}
	if err := c.events.Drop(floor.Number); err != nil {
		return fmt.Errorf("dropping compacted segments: %w", err)
	}
	for s, version := range marks {
		if err := c.unmark(s, version); err != nil {
			return err
		}
	}
	return c.save(func(b *pebble.Batch) error {
		return b.Set(meta(metaCompacted), u64(uint64(c.through.UnixMilli())), nil)
	})
}

// unmark removes a mark unless a later record set it again.
func (c *compaction) unmark(s consent.Subject, version uint64) error {
	defer c.people.lock(s)()
	k := key(tabWithdrawn, s[:])
	v, err := get(c.db, k)
	if err != nil || len(v) != 8 || binary.BigEndian.Uint64(v) != version {
		return err
	}
	return c.commit(pebble.NoSync, func(b *pebble.Batch) error { return b.Delete(k, nil) })
}

// listed gives the closed days in order.
func (c *compaction) listed() []day {
	out := []day{}
	for _, d := range c.days {
		if c.closed(d.Day) {
			out = append(out, d)
		}
	}
	sortDays(out)
	return out
}

func sortDays(ds []day) {
	slices.SortFunc(ds, func(a, b day) int { return cmp.Compare(a.Day, b.Day) })
}
