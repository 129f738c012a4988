package segment

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"math/bits"
	"slices"

	"github.com/handschlag/handschlag/consent"
)

// carried is a session that the day before left open.
type carried struct {
	subject consent.Subject
	acts    []act
}

// dayWalk goes once through a day of events, which lie in order of subject and time
// (host/snapshot), and makes a row of each subject's. Each visit that ends is shown
// to ended, if there is one.
type dayWalk struct {
	door    *door
	words   *words
	day     int32 // since 1970
	end     int64 // first millisecond after it
	carried []carried
	only    []consent.Subject // whom to walk, in order; nil: everybody
	part    *Buckets          // of whom; nil: everybody
	ended   func(consent.Subject, *visit)
	row     func(*dayRow) error

	subject consent.Subject
	begun   bool
	allowed bool // whether the subject is walked at all
	fact    fact
	facts   int // place in the door's list
	acts    []act
	visit   visit
	out     dayRow
	last    vocabulary
	events  int64 // rows of subjects that were walked
}

// walk reads the file; "" is a day whose events are gone.
func (w *dayWalk) walk(ctx context.Context, path string) error {
	w.last = w.words.vocabulary
	if path != "" {
		if err := w.file(ctx, path); err != nil {
			return err
		}
	}
	if err := w.close(); err != nil {
		return err
	}
	return w.carryUpTo(nil)
}

// file walks the file's row groups; the next one is read while one is walked. Words
// belong to the reader meanwhile: a block brings those that it needs.
func (w *dayWalk) file(ctx context.Context, path string) error {
	f, err := openEvents(path, w.words)
	if err != nil {
		return err
	}
	f.buckets = w.part != nil
	blocks, spare, stop := make(chan *block), make(chan *block, 2), make(chan struct{})
	for i := range w.door.blocks {
		spare <- &w.door.blocks[i]
	}
	var failed error
	go func() {
		defer close(blocks)
		failed = w.readBlocks(f, blocks, spare, stop)
	}()
	for b := range blocks {
		if err == nil {
			if err = errors.Join(ctx.Err(), w.block(ctx, b)); err != nil {
				close(stop)
			}
		}
		spare <- b
	}
	return errors.Join(err, failed, f.close())
}

// readBlocks reads the row groups that hold somebody who is walked.
func (w *dayWalk) readBlocks(f *eventFile, to, spare chan *block, stop chan struct{}) error {
	for _, g := range f.pf.RowGroups() {
		b := <-spare
		var err error
		if b.subjects, err = f.subjects(g, b.subjects); err != nil {
			return err
		}
		if !w.concerns(b.subjects) {
			spare <- b
			continue
		}
		if err := f.read(g, b); err != nil {
			return err
		}
		select {
		case to <- b:
		case <-stop:
			return nil
		}
	}
	return nil
}

// concerns reports whether any of the subjects, which are in order, is walked.
func (w *dayWalk) concerns(subjects []byte) bool {
	if len(subjects) == 0 {
		return false
	}
	first, last := consent.Subject(subjects[:16]), consent.Subject(subjects[len(subjects)-16:])
	if w.part != nil && (int(last.Bucket()) < w.part.From || int(first.Bucket()) > w.part.To) {
		return false
	}
	if w.only == nil {
		return true
	}
	i, _ := slices.BinarySearchFunc(w.only, first, compareSubjects)
	return i < len(w.only) && compareSubjects(w.only[i], last) <= 0
}

// compareSubjects orders subjects as their bytes do, eight at a time.
func compareSubjects(a, b consent.Subject) int {
	x, y := binary.BigEndian.Uint64(a[:]), binary.BigEndian.Uint64(b[:])
	if x == y {
		x, y = binary.BigEndian.Uint64(a[8:]), binary.BigEndian.Uint64(b[8:])
	}
	return cmp.Compare(x, y)
}

func (w *dayWalk) walks(s consent.Subject) bool {
	if w.only == nil || !w.part.holds(s) {
		return w.part.holds(s)
	}
	_, found := slices.BinarySearchFunc(w.only, s, compareSubjects)
	return found
}

// block walks a row group.
func (w *dayWalk) block(ctx context.Context, b *block) error {
	w.last = b.words
	cases, items := 0, 0
	for i := range b.rows {
		s := b.subjects[16*i : 16*i+16]
		if !w.begun || !bytes.Equal(s, w.subject[:]) {
			if err := w.next(consent.Subject(s)); err != nil {
				return err
			}
		}
		n := bits.OnesCount64(uint64(b.purposes[i]))
		if cases+n > len(b.cases) || items+int(b.lines[i]) > len(b.itemProduct) {
			return errors.New("reading events: an event has fewer cases than purposes")
		}
		if w.allowed && w.counts(b, i) {
			w.events++
			if w.door.stored(b.purposes[i]) {
				if err := w.event(ctx, b, i, cases, cases+n, items); err != nil {
					return err
				}
			}
		}
		cases, items = cases+n, items+int(b.lines[i])
	}
	if cases != len(b.cases) {
		return errors.New("reading events: an event has more cases than purposes")
	}
	return nil
}

// counts reports whether a row is of the part by its bucket, too: what counts
// orders goes by that, so one that is wrong must be missed when parts are joined.
func (w *dayWalk) counts(b *block, i int) bool {
	return w.part == nil || int(b.buckets[i]) >= w.part.From && int(b.buckets[i]) <= w.part.To
}

// next ends one subject and begins another, who comes later.
func (w *dayWalk) next(s consent.Subject) error {
	if w.begun && compareSubjects(s, w.subject) < 0 {
		return errors.New("reading events: they are not in order of subjects; have the host write the day again")
	}
	if err := w.close(); err != nil {
		return err
	}
	w.begun, w.subject, w.allowed = true, s, w.walks(s)
	if !w.allowed {
		return nil
	}
	if err := w.carryUpTo(&s); err != nil {
		return err
	}
	w.fact, w.facts = w.door.of(s, w.facts)
	w.begin(s)
	return nil
}

// begin starts a subject's row, with the session that it left open the day before.
func (w *dayWalk) begin(s consent.Subject) {
	w.out = dayRow{Day: w.day, Subject: s, Orders: w.out.Orders[:0], Returns: w.out.Returns[:0]}
	w.acts = w.acts[:0]
	if len(w.carried) > 0 && w.carried[0].subject == s {
		w.acts = append(w.acts, w.carried[0].acts...)
		w.carried = w.carried[1:]
	}
}

// carryUpTo ends the open sessions of subjects before one who did nothing today.
func (w *dayWalk) carryUpTo(s *consent.Subject) error {
	for len(w.carried) > 0 && (s == nil || compareSubjects(w.carried[0].subject, *s) < 0) {
		w.begin(w.carried[0].subject)
		if err := w.finish(); err != nil {
			return err
		}
	}
	return nil
}

// close ends the subject that is being walked.
func (w *dayWalk) close() error {
	if !w.begun || !w.allowed {
		return nil
	}
	w.allowed = false
	return w.finish()
}

// finish folds the subject's acts and gives the row, if there is anything to tell.
func (w *dayWalk) finish() error {
	if len(w.acts) == 0 {
		return nil
	}
	if !slices.IsSortedFunc(w.acts, earlier) {
		slices.SortStableFunc(w.acts, earlier) // late ones, beside those carried over
	}
	open := w.out.fold(&w.visit, w.acts, w.end, func(v *visit) {
		if w.ended != nil {
			w.ended(w.out.Subject, v)
		}
	})
	w.out.Open = leave(open, w.last)
	if w.out.Events == 0 { // only the rest of yesterday
		w.out.FirstMS, w.out.LastMS = w.acts[0].at, w.acts[len(w.acts)-1].at
	}
	w.out.close()
	return w.row(&w.out)
}

func earlier(a, b act) int { return int(min(max(a.at-b.at, -1), 1)) }

// epochDay numbers days since 1970.
func epochDay(ms int64) int32 { return int32(ms / (24 * 60 * 60 * 1000)) }
