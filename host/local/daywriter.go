package local

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/parquet-go/parquet-go"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/event"
)

// shardRows bounds how many rows are in memory at once, unless one bucket has more:
// a day with more is written in ranges of buckets, each read from the log again.
const shardRows = 600_000

// dedupeDays is how many ingest days before, and after, a message key must not
// be in a day again.
const dedupeDays = 6

// dayWriter writes one day's file: old rows and new ones, sorted, each message
// once, without what was taken back.
type dayWriter struct {
	*compaction
	name         string
	fromMS, toMS int64 // the day's
	old          *rows
	gate         *gate
	bucket       *[consent.Buckets]int32 // how many rows to write, old and new
	most         int32                   // shardRows
	neighbour    []*keys
	words        words
	out          *parquet.GenericWriter[event.Row]
	buf          []event.Row
	seen         map[[16]byte]bool
	best         map[[16]byte]int
	changed      bool
	rows         int64
}

// shard is a range of buckets in memory: the rows' stored forms one after the
// other, and what they are sorted by. It has no pointers to follow.
type shard struct {
	bytes []byte
	items []item
}

type item struct {
	peeked
	from, to uint32
}

func (s *shard) add(p peeked, row []byte) {
	from := uint32(len(s.bytes))
	s.bytes = append(s.bytes, row...)
	s.items = append(s.items, item{p, from, uint32(len(s.bytes))})
}

func (s *shard) row(i *item) []byte { return s.bytes[i.from:i.to] }

// sort is the order of a day's file; rows that agree in it are ordered by all
// they say, so that equal input gives equal bytes. A bucket is how a subject begins.
func (s *shard) sort() {
	slices.SortFunc(s.items, func(a, b item) int {
		if c := bytes.Compare(a.subject[:], b.subject[:]); c != 0 {
			return c
		}
		if c := cmp.Compare(a.occurred, b.occurred); c != 0 {
			return c
		}
		if c := bytes.Compare(a.message[:], b.message[:]); c != 0 {
			return c
		}
		if c := cmp.Compare(a.received, b.received); c != 0 {
			return c
		}
		return bytes.Compare(s.row(&a), s.row(&b))
	})
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
	w.fromMS, w.toMS = at.UnixMilli(), at.AddDate(0, 0, 1).UnixMilli()
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
		to := w.shardEnd(from)
		if err := w.fillShard(from, to); err != nil {
			return err
		}
		from = to
	}
	if err := w.flush(); err != nil {
		return err
	}
	if !w.changed {
		return errUnchanged
	}
	return w.out.Close()
}

// shardEnd is where a range of buckets from a first one ends that holds few enough rows.
func (w *dayWriter) shardEnd(from int32) int32 {
	n := int32(0)
	for to := from; to < consent.Buckets; to++ {
		if n += w.bucket[to]; n > w.most && to > from {
			return to
		}
	}
	return consent.Buckets
}

func (w *dayWriter) fillShard(from, to int32) error {
	var s shard
	if err := w.old.upTo(to, &s); err != nil {
		return err
	}
	before := len(s.items)
	if w.found[w.name] != nil {
		if err := w.fromLog(from, to, &s); err != nil {
			return err
		}
	}
	fresh := len(s.items) > before
	s.sort()
	for i := 0; i < len(s.items); {
		j := i
		for j < len(s.items) && s.items[j].subject == s.items[i].subject {
			j++
		}
		if err := w.fillSubject(&s, s.items[i:j], fresh); err != nil {
			return err
		}
		i = j
	}
	return nil
}

// fromLog adds the day's rows in a range of buckets that no file covers yet.
func (w *dayWriter) fromLog(from, to int32, s *shard) error {
	in, covered := w.found[w.name], w.days[w.name].Covered
	err := w.events.Scan(in.first, func(_ place, n uint64, b []byte) error {
		if n > in.last {
			return errEnough
		}
		if blank(b) {
			return nil
		}
		p, err := peekRow(b)
		if err != nil {
			return err
		}
		bucket := int32(consent.Subject(p.subject).Bucket())
		if n >= covered && bucket >= from && bucket < to && p.received >= w.fromMS && p.received < w.toMS {
			s.add(p, b)
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return err
}

// errEnough ends a scan of the log early.
var errEnough = errors.New("enough")

// fillSubject writes one subject's rows: of each message the one received first,
// none that a neighbouring day has, narrowed to what still may be kept.
func (w *dayWriter) fillSubject(s *shard, all []item, dedupe bool) error {
	clear(w.seen)
	clear(w.best)
	if dedupe {
		for _, k := range w.neighbour {
			if err := k.of(all[0].subject, func(key [16]byte) { w.seen[key] = true }); err != nil {
				return err
			}
		}
		for i := range all {
			if j, again := w.best[all[i].message]; !again || all[i].received < all[j].received {
				w.best[all[i].message] = i
			}
		}
	}
	for i := range all {
		if dedupe && (w.seen[all[i].message] || w.best[all[i].message] != i) {
			continue
		}
		if err := w.fillRow(s.row(&all[i])); err != nil {
			return err
		}
	}
	return nil
}

func (w *dayWriter) fillRow(b []byte) error {
	r, err := readRowWith(w.words, b)
	if err != nil {
		return err
	}
	narrow, err := w.gate.narrow(r, w.through)
	if err != nil {
		return err
	}
	w.changed = w.changed || narrow.Purposes != r.Purposes
	if narrow.Purposes == 0 {
		return nil
	}
	narrow.Bucket = int32(consent.Subject(narrow.Subject).Bucket())
	w.rows++
	if w.buf = append(w.buf, narrow); len(w.buf) < 1024 {
		return nil
	}
	return w.flush()
}

func (w *dayWriter) flush() error {
	_, err := w.out.Write(w.buf)
	clear(w.buf)
	w.buf = w.buf[:0]
	if err != nil {
		return fmt.Errorf("writing rows: %w", err)
	}
	return nil
}

func less(a, b [16]byte) bool { return bytes.Compare(a[:], b[:]) < 0 }
