package local

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/parquet-go/parquet-go"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/event"
)

// Compaction turns closed ingest days of the log into Parquet and takes away what
// was taken back. shardRows bounds how many rows are in memory at once: a day with
// more is written in ranges of buckets.
const shardRows = 400_000

// dedupeDays is how many ingest days before, and after, a message key must not
// be in a day again.
const dedupeDays = 6

// compaction is one run.
type compaction struct {
	*Host
	through time.Time
	state   *pebble.Snapshot
	end     uint64 // rows below this number lie in finished segments
	days    map[string]day
	found   map[string]*intake
	keep    uint64 // number of the first row of a day that is still open
}

// intake counts the rows of a day that no Parquet file covers, by bucket.
type intake struct {
	rows   int
	bucket [consent.Buckets]int32
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
		if n >= c.end {
			return nil
		}
		bucket, ms, err := peekRow(b)
		if err != nil || bucket < 0 || bucket >= consent.Buckets {
			return errors.Join(fmt.Errorf("segment %d, frame at %d: unreadable row", p.Segment, p.Offset), err)
		}
		name := dayOf(ms)
		if !c.closed(name) {
			c.keep = min(c.keep, n)
		} else if n >= c.days[name].Covered {
			if c.found[name] == nil {
				c.found[name] = new(intake)
			}
			c.found[name].rows++
			c.found[name].bucket[bucket]++
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
	err = statesIn(c.state, func(st stored) error {
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
	var old *dayFile
	if known {
		if old, err = c.openDay(name); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, old.close()) }()
	}
	if c.found[name] == nil {
		if any, err := old.holdsAny(affected); err != nil || !any {
			return err
		}
	}
	w := &dayWriter{compaction: c, name: name, old: old.rows(), gate: c.gateOf(c.state), seen: map[[16]byte]bool{}, best: map[[16]byte]int{}}
	next := day{Day: name, Generation: was.Generation + 1, Covered: max(was.Covered, c.end)}
	if err := c.disk.folder(c.disk.PathDir(c.dayPath(name))); err != nil {
		return err
	}
	next.Rows, next.SHA256, err = w.write(next)
	if errors.Is(err, errUnchanged) {
		return nil
	}
	if err != nil {
		return err
	}
	c.days[name] = next
	return c.saveJSON(key(tabDay, []byte(name)), next)
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

// dayWriter writes one day's file: old rows and new ones, sorted, each message
// once, without what was taken back.
type dayWriter struct {
	*compaction
	name      string
	old       *rows
	gate      *gate
	neighbour []*keys
	out       *parquet.GenericWriter[event.Row]
	seen      map[[16]byte]bool
	best      map[[16]byte]int
	changed   bool
	rows      int64
}

// errUnchanged says that a day would be written as it is.
var errUnchanged = errors.New("nothing changed")

func (w *dayWriter) write(next day) (int64, string, error) {
	w.changed = w.found[w.name] != nil
	close, err := w.openNeighbours()
	if err != nil {
		return 0, "", err
	}
	sum := sha256.New()
	err = w.disk.replace(w.dayPath(w.name), false, func(f io.Writer) error { return w.fill(f, sum, next) })
	if err = errors.Join(err, close()); err != nil {
		return 0, "", err
	}
	return w.rows, hex.EncodeToString(sum.Sum(nil)), nil
}

// openNeighbours opens the days in which a message of this day may be already.
func (w *dayWriter) openNeighbours() (func() error, error) {
	var files []*dayFile
	closeAll := func() (err error) {
		for _, f := range files {
			err = errors.Join(err, f.close())
		}
		return err
	}
	at, err := time.Parse(time.DateOnly, w.name)
	if err != nil {
		return nil, fmt.Errorf("reading day: %w", err)
	}
	for i := -dedupeDays; i <= dedupeDays; i++ {
		name := at.AddDate(0, 0, i).Format(time.DateOnly)
		if _, known := w.days[name]; !known || i == 0 || w.found[w.name] == nil {
			continue
		}
		f, err := w.openDay(name)
		if err != nil {
			return nil, errors.Join(err, closeAll())
		}
		files = append(files, f)
		w.neighbour = append(w.neighbour, &keys{groups: f.pf.RowGroups()})
	}
	return closeAll, nil
}

func (w *dayWriter) fill(f io.Writer, sum hash.Hash, next day) error {
	w.out = parquet.NewGenericWriter[event.Row](io.MultiWriter(sum, f), parquet.Compression(&parquet.Zstd),
		parquet.CreatedBy("handschlag", "1", ""), parquet.MaxRowsPerRowGroup(122_880),
		parquet.KeyValueMetadata(dayGeneration, strconv.FormatInt(next.Generation, 10)),
		parquet.KeyValueMetadata(dayCovered, strconv.FormatUint(next.Covered, 10)))
	for from := int32(0); from < consent.Buckets; {
		to := w.shard(from)
		if err := w.fillShard(from, to); err != nil {
			return err
		}
		from = to
	}
	if !w.changed {
		return errUnchanged
	}
	return w.out.Close()
}

// shard is where a range of buckets from a first one ends that holds few enough rows.
func (w *dayWriter) shard(from int32) int32 {
	in := w.found[w.name]
	if in == nil {
		return min(from+consent.Buckets/16, consent.Buckets)
	}
	n := int32(0)
	for to := from; to < consent.Buckets; to++ {
		if n += in.bucket[to]; n > shardRows && to > from {
			return to
		}
	}
	return consent.Buckets
}

func (w *dayWriter) fillShard(from, to int32) error {
	all, err := w.old.upTo(to, nil)
	if err != nil {
		return err
	}
	before := len(all)
	if w.found[w.name] != nil {
		if all, err = w.fromLog(from, to, all); err != nil {
			return err
		}
	}
	fresh := len(all) > before
	slices.SortFunc(all, compareRows)
	for i := 0; i < len(all); {
		j := i
		for j < len(all) && all[j].Subject == all[i].Subject {
			j++
		}
		if err := w.fillSubject(all[i:j], fresh); err != nil {
			return err
		}
		i = j
	}
	return nil
}

// fromLog adds the day's rows in a range of buckets that no file covers yet.
func (w *dayWriter) fromLog(from, to int32, into []event.Row) ([]event.Row, error) {
	covered := w.days[w.name].Covered
	err := w.events.Scan(covered, func(_ place, n uint64, b []byte) error {
		bucket, ms, err := peekRow(b)
		if err != nil || n < covered || n >= w.end || bucket < from || bucket >= to || dayOf(ms) != w.name {
			return err
		}
		r, err := readRow(b)
		into = append(into, r)
		return err
	})
	return into, err
}

// fillSubject writes one subject's rows: of each message the one received first,
// none that a neighbouring day has, narrowed to what still may be kept.
func (w *dayWriter) fillSubject(all []event.Row, dedupe bool) error {
	clear(w.seen)
	clear(w.best)
	if dedupe {
		for _, k := range w.neighbour {
			if err := k.of(all[0].Subject, func(key [16]byte) { w.seen[key] = true }); err != nil {
				return err
			}
		}
		for i, r := range all {
			if j, again := w.best[r.MessageKey]; !again || r.ReceivedMS < all[j].ReceivedMS {
				w.best[r.MessageKey] = i
			}
		}
	}
	kept := all[:0]
	for i, r := range all {
		if dedupe && (w.seen[r.MessageKey] || w.best[r.MessageKey] != i) {
			continue
		}
		narrow, err := w.gate.narrow(r, w.through)
		if err != nil {
			return err
		}
		w.changed = w.changed || narrow.Purposes != r.Purposes
		if narrow.Purposes != 0 {
			kept = append(kept, narrow)
		}
	}
	w.rows += int64(len(kept))
	if _, err := w.out.Write(kept); err != nil {
		return fmt.Errorf("writing rows: %w", err)
	}
	return nil
}

func less(a, b [16]byte) bool { return bytes.Compare(a[:], b[:]) < 0 }

// compareRows is the order of a day's file; rows that agree in it are ordered by
// all they say, so that equal input gives equal bytes.
func compareRows(a, b event.Row) int {
	if c := cmp.Or(cmp.Compare(a.Bucket, b.Bucket), bytes.Compare(a.Subject[:], b.Subject[:]), cmp.Compare(a.OccurredMS, b.OccurredMS),
		bytes.Compare(a.MessageKey[:], b.MessageKey[:]), cmp.Compare(a.ReceivedMS, b.ReceivedMS)); c != 0 {
		return c
	}
	return bytes.Compare(appendRow(nil, &a), appendRow(nil, &b))
}
