package snapshot

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"time"

	"github.com/handschlag/handschlag/consent"
)

// DedupeDays is how many ingest days before, and after, a message key must not
// be in a day again.
const DedupeDays = 6

// ErrUnchanged says that a day would be written as it is.
var ErrUnchanged = errors.New("nothing changed")

// Scan gives the stored forms of a day's new rows whose bucket lies in [from, to).
// The bytes are copied; it is called again for every range.
type Scan func(from, to int32, add func(Peeked, []byte)) error

// DayWriter writes one day's file: old rows and new ones, sorted, each message
// once, without what was taken back.
type DayWriter struct {
	Old    *DayFile               // the day as it is; nil if it is new
	New    Scan                   // nil: nothing joins, though something may have to go
	Bucket [consent.Buckets]int32 // how many new rows there are, by bucket
	Near   []*DayFile             // the other days in which a message of this one may be already
	Gate   *Gate
	At     time.Time // of the gate

	most      int32 // shardRows
	old       *rows
	near      []*keys
	words     words
	out       *RowWriter
	seen      map[[16]byte]bool
	best      map[[16]byte]int
	changed   bool
	rows      int64
	delivered int64
}

// Written is what a DayWriter made.
type Written struct {
	Rows      int64
	SHA256    string
	Delivered int64 // new rows that came, those that came as they are twice counted once
}

// Write writes the day, which says of itself what next says. ErrUnchanged means
// that nothing joined and nothing had to go.
func (w *DayWriter) Write(to io.Writer, next Day) (Written, error) {
	if err := w.begin(); err != nil {
		return Written{}, err
	}
	sum := sha256.New()
	w.out = NewRowWriter(io.MultiWriter(sum, to), next)
	for from := int32(0); from < consent.Buckets; {
		end := w.shardEnd(from)
		if err := w.fillShard(from, end); err != nil {
			return Written{}, err
		}
		from = end
	}
	if !w.changed {
		return Written{}, ErrUnchanged
	}
	if err := w.out.Close(); err != nil {
		return Written{}, err
	}
	return Written{w.rows, hex.EncodeToString(sum.Sum(nil)), w.delivered}, nil
}

// begin counts how many rows come, and reads the neighbours.
func (w *DayWriter) begin() error {
	w.changed = w.New != nil
	w.old, w.words, w.seen, w.best = w.Old.rows(), words{}, map[[16]byte]bool{}, map[[16]byte]int{}
	if w.most == 0 {
		w.most = shardRows
	}
	for _, f := range w.Near {
		if w.New != nil {
			w.near = append(w.near, &keys{groups: f.pf.RowGroups()})
		}
	}
	return w.Old.Count(&w.Bucket)
}

// shardEnd is where a range of buckets from a first one ends that holds few enough rows.
func (w *DayWriter) shardEnd(from int32) int32 {
	n := int32(0)
	for to := from; to < consent.Buckets; to++ {
		if n += w.Bucket[to]; n > w.most && to > from {
			return to
		}
	}
	return consent.Buckets
}

func (w *DayWriter) fillShard(from, to int32) error {
	var s shard
	if w.New != nil {
		if err := w.New(from, to, s.add); err != nil {
			return err
		}
		w.countDelivered(&s)
	}
	fresh := len(s.items) > 0
	if err := w.old.upTo(to, &s); err != nil {
		return err
	}
	s.sort()
	for i := 0; i < len(s.items); {
		j := i
		for j < len(s.items) && s.items[j].Subject == s.items[i].Subject {
			j++
		}
		if err := w.fillSubject(&s, s.items[i:j], fresh); err != nil {
			return err
		}
		i = j
	}
	return nil
}

// countDelivered counts the new rows of a shard, of equal ones one.
func (w *DayWriter) countDelivered(s *shard) {
	s.sort()
	for i := range s.items {
		if i == 0 || !bytes.Equal(s.row(&s.items[i]), s.row(&s.items[i-1])) {
			w.delivered++
		}
	}
}

// fillSubject writes one subject's rows: of each message the one received first,
// none that a neighbouring day has, narrowed to what still may be kept.
func (w *DayWriter) fillSubject(s *shard, all []item, dedupe bool) error {
	clear(w.seen)
	clear(w.best)
	if dedupe {
		for _, k := range w.near {
			if err := k.of(all[0].Subject, func(key [16]byte) { w.seen[key] = true }); err != nil {
				return err
			}
		}
		for i := range all {
			if j, again := w.best[all[i].Message]; !again || all[i].Received < all[j].Received {
				w.best[all[i].Message] = i
			}
		}
	}
	for i := range all {
		if dedupe && (w.seen[all[i].Message] || w.best[all[i].Message] != i) {
			continue
		}
		if err := w.fillRow(s.row(&all[i])); err != nil {
			return err
		}
	}
	return nil
}

func (w *DayWriter) fillRow(b []byte) error {
	r, err := readRowWith(w.words, b)
	if err != nil {
		return err
	}
	narrow, err := w.Gate.Narrow(r, w.At)
	if err != nil {
		return err
	}
	w.changed = w.changed || narrow.Purposes != r.Purposes
	if narrow.Purposes == 0 {
		return nil
	}
	narrow.Bucket = int32(consent.Subject(narrow.Subject).Bucket())
	w.rows++
	return w.out.Add(narrow)
}
