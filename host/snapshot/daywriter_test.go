package snapshot

import (
	"bytes"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/event"
)

var (
	noon  = time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)
	night = noon.Add(12 * time.Hour)
)

// people is a book in memory: who is in it gave analytics and adviser_assist at noon.
type people map[consent.Subject]consent.State

func (p people) StateAt(s consent.Subject, _ time.Time) (consent.State, error) { return p[s], nil }
func (p people) AccountOf(consent.Subject) (consent.Subject, error) {
	return consent.Subject{}, nil
}
func (p people) Erased(consent.Subject) bool           { return false }
func (p people) CaseBody(event.CaseID) ([]byte, error) { return nil, nil }

func (p people) says(s consent.Subject, status consent.Status) {
	st := consent.State{Subject: s, Standings: map[consent.Purpose]consent.Standing{}}
	for _, purpose := range []consent.Purpose{consent.Analytics, consent.AdviserAssist} {
		st.Standings[purpose] = consent.Standing{Status: status, Since: noon, Until: noon.AddDate(1, 0, 0)}
	}
	p[s] = st
}

func saw(who consent.Subject, n byte, received time.Time) event.Row {
	return event.Row{
		Bucket: int32(who.Bucket()), Subject: who, MessageKey: [16]byte{n}, Kind: int32(event.ProductViewed),
		OccurredMS: received.UnixMilli(), ReceivedMS: received.UnixMilli(), Policy: "p1",
		Purposes: int64(consent.SetOf(consent.Analytics, consent.AdviserAssist)), Cases: []int64{-1, 2},
		Keeps: []int64{1 << event.FieldProduct, 1 << event.FieldPrice}, Fields: event.Fields{Product: fmt.Sprint("B", n), PriceCents: int64(n)},
	}
}

// of scans rows that lie in memory.
func (w *DayWriter) of(rows ...event.Row) {
	for _, r := range rows {
		w.Bucket[consent.Subject(r.Subject).Bucket()]++
	}
	w.New = func(from, to int32, add func(Peeked, []byte)) error {
		for _, r := range rows {
			if b := int32(consent.Subject(r.Subject).Bucket()); b >= from && b < to {
				add(Peeked{r.Subject, r.MessageKey, r.ReceivedMS, r.OccurredMS}, AppendRow(nil, &r))
			}
		}
		return nil
	}
}

func write(t *testing.T, w *DayWriter) ([]byte, Written) {
	t.Helper()
	var out bytes.Buffer
	is, err := w.Write(&out, Day{Generation: 1})
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), is
}

type inMemory struct{ *bytes.Reader }

func (inMemory) Close() error { return nil }

func open(t *testing.T, body []byte) *DayFile {
	t.Helper()
	d, err := OpenDay(inMemory{bytes.NewReader(body)}, int64(len(body)))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestADayIsWrittenInPartsThatFitInMemory: with few rows at once the same bytes come
// out, and no part holds more rows than it may, old ones counted.
func TestADayIsWrittenInPartsThatFitInMemory(t *testing.T) {
	book := people{}
	var rows []event.Row
	for n := range byte(40) {
		who := consent.Subject{n + 1, n + 1, n + 1}
		book.says(who, consent.Given)
		rows = append(rows, saw(who, n, noon.Add(time.Hour)))
	}
	whole := &DayWriter{Gate: NewGate(book), At: night}
	whole.of(rows...)
	want, _ := write(t, whole)

	for name, fresh := range map[string]int{"all rows are new": 40, "half of them are new": 20} {
		t.Run(name, func(t *testing.T) {
			before := &DayWriter{Gate: NewGate(book), At: night}
			before.of(rows[fresh:]...)
			old, _ := write(t, before)
			w := &DayWriter{Gate: NewGate(book), At: night, Old: open(t, old), most: 10}
			w.of(rows[:fresh]...)
			scan, scans := w.New, 0
			w.New = func(from, to int32, add func(Peeked, []byte)) error { scans++; return scan(from, to, add) }
			got, is := write(t, w)
			if !bytes.Equal(got, want) || is.Rows != 40 || is.Delivered != int64(fresh) {
				t.Errorf("%+v: %d bytes, want %d", is, len(got), len(want))
			}
			if scans < 4 || scans > 5 {
				t.Errorf("%d parts", scans)
			}
		})
	}
}

func TestWhatCameTwiceIsThereOnceAndCountedOnce(t *testing.T) {
	book := people{}
	who := consent.Subject{1, 1, 1}
	book.says(who, consent.Given)
	first, again := saw(who, 1, noon.Add(time.Hour)), saw(who, 1, noon.Add(2*time.Hour))
	w := &DayWriter{Gate: NewGate(book), At: night}
	w.of(again, first, first)
	body, is := write(t, w)
	if is.Rows != 1 || is.Delivered != 2 {
		t.Fatalf("%+v, want one row of two that came", is)
	}
	err := open(t, body).Each(func(r *event.Row) error {
		if r.ReceivedMS != first.ReceivedMS {
			t.Error("of two, the later one stayed")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	near := &DayWriter{Gate: NewGate(book), At: night, Near: []*DayFile{open(t, body)}}
	near.of(first, saw(who, 2, noon.Add(aDay)))
	if _, is := write(t, near); is.Rows != 1 {
		t.Errorf("%d rows: a message of a day nearby came in again", is.Rows)
	}
}

const aDay = 24 * time.Hour

func TestADayWithoutNewsIsNotWritten(t *testing.T) {
	book := people{}
	who := consent.Subject{1, 1, 1}
	book.says(who, consent.Given)
	w := &DayWriter{Gate: NewGate(book), At: night}
	w.of(saw(who, 1, noon.Add(time.Hour)))
	body, _ := write(t, w)
	if _, err := (&DayWriter{Gate: NewGate(book), At: night, Old: open(t, body)}).Write(io.Discard, Day{}); err != ErrUnchanged {
		t.Errorf("a day that stays as it is gave %v", err)
	}
	book.says(who, consent.Withdrawn)
	if _, is := write(t, &DayWriter{Gate: NewGate(book), At: night, Old: open(t, body)}); is.Rows != 0 {
		t.Errorf("%d rows stay of who withdrew", is.Rows)
	}
}
