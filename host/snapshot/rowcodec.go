package snapshot

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/handschlag/handschlag/event"
)

// rowVersion is the first byte of a row in the event log.
const rowVersion = 1

// errRow says that bytes are not a row's stored form.
var errRow = errors.New("stored event row")

// AppendRow writes a row's stored form: version, subject, message key, numbers,
// then those fields that say something, after a mask that names them.
func AppendRow(b []byte, r *event.Row) []byte {
	b = append(b, rowVersion)
	b = append(b, r.Subject[:]...)
	b = append(b, r.MessageKey[:]...)
	for _, n := range [...]int64{r.ReceivedMS, int64(r.Bucket), int64(r.Kind), r.OccurredMS, r.Purposes} {
		b = binary.AppendVarint(b, n)
	}
	b = binary.AppendUvarint(b, uint64(len(r.Cases)))
	for _, c := range r.Cases {
		b = binary.LittleEndian.AppendUint64(b, uint64(c))
	}
	b = binary.AppendUvarint(b, uint64(len(r.Keeps)))
	for _, k := range r.Keeps {
		b = binary.AppendVarint(b, k)
	}
	b = appendText(b, r.Policy)
	w := fieldWriter{}
	walkFields(&w, &r.Fields)
	b = binary.AppendUvarint(b, w.mask)
	w.writing, w.b, w.at = true, b, 0
	walkFields(&w, &r.Fields)
	return w.b
}

// ReadRow reads what AppendRow wrote; anything else is an errRow.
func ReadRow(b []byte) (r event.Row, err error) { return readRowWith(nil, b) }

// words are texts that come again and again, so that many rows share them.
type words map[string]string

// wordsMost bounds how many are remembered.
const wordsMost = 1 << 16

func readRowWith(w words, b []byte) (r event.Row, err error) {
	in := reader{b: b, words: w}
	if in.byte() != rowVersion {
		return event.Row{}, fmt.Errorf("%w: unknown version", errRow)
	}
	copy(r.Subject[:], in.take(16))
	copy(r.MessageKey[:], in.take(16))
	r.ReceivedMS, r.Bucket, r.Kind = in.varint(), int32(in.varint()), int32(in.varint())
	r.OccurredMS, r.Purposes = in.varint(), in.varint()
	if n := in.count(8); n > 0 {
		r.Cases = make([]int64, n)
		for i := range r.Cases {
			r.Cases[i] = int64(binary.LittleEndian.Uint64(in.take(8)))
		}
	}
	if n := in.count(1); n > 0 {
		r.Keeps = make([]int64, n)
		for i := range r.Keeps {
			r.Keeps[i] = in.varint()
		}
	}
	r.Policy = in.text()
	walkFields(&fieldReader{in: &in, mask: in.uvarint()}, &r.Fields)
	if in.bad || len(in.b) > 0 {
		return event.Row{}, fmt.Errorf("%w: %d bytes left", errRow, len(in.b))
	}
	return r, nil
}

// Peeked is what compaction sorts rows by.
type Peeked struct {
	Subject, Message [16]byte
	Received         int64 // milliseconds
	Occurred         int64
}

// PeekRow reads only that.
func PeekRow(b []byte) (p Peeked, err error) {
	in := reader{b: b}
	if in.byte() != rowVersion {
		return p, fmt.Errorf("%w: unknown version", errRow)
	}
	copy(p.Subject[:], in.take(16))
	copy(p.Message[:], in.take(16))
	p.Received = in.varint()
	in.varint() // bucket
	in.varint() // kind
	if p.Occurred = in.varint(); in.bad {
		return p, fmt.Errorf("%w: too short", errRow)
	}
	return p, nil
}

// fields is something that walks over the fields in their stored order.
type fields interface {
	text(*string)
	number(*int64)
	flag(*bool)
	texts(*[]string)
	items(*[]event.Item)
}

// walkFields names every field once. Append only: the place is the mask's bit.
func walkFields(w fields, f *event.Fields) {
	w.text(&f.Product)
	w.text(&f.Category)
	w.text(&f.ProductClass)
	w.number(&f.PriceCents)
	w.number(&f.Quantity)
	w.items(&f.Items)
	w.text(&f.Variant)
	w.number(&f.QueryKey)
	w.texts(&f.QueryWords)
	w.flag(&f.QueryExact)
	w.number(&f.Results)
	w.number(&f.CartCents)
	w.number(&f.OrderKey)
	w.text(&f.Currency)
	w.number(&f.Step)
	w.text(&f.ErrorClass)
	w.text(&f.Decision)
	w.text(&f.Slot)
	w.text(&f.SlotVariant)
	w.text(&f.PageType)
	w.text(&f.ReferrerHost)
	w.text(&f.UAFamily)
	w.text(&f.IPPrefix)
	w.text(&f.Locale)
	w.text(&f.HourBand)
	w.number(&f.DwellMS)
	w.flag(&f.Authenticated)
}

// fieldWriter first collects the mask, then writes what it names.
type fieldWriter struct {
	b       []byte
	mask    uint64
	at      int
	writing bool
}

// says reports whether to write the next field now.
func (w *fieldWriter) says(something bool) bool {
	if something && !w.writing {
		w.mask |= 1 << w.at
	}
	w.at++
	return something && w.writing
}

func (w *fieldWriter) text(s *string) {
	if w.says(*s != "") {
		w.b = appendText(w.b, *s)
	}
}

func (w *fieldWriter) number(n *int64) {
	if w.says(*n != 0) {
		w.b = binary.AppendVarint(w.b, *n)
	}
}

func (w *fieldWriter) flag(is *bool) { w.says(*is) } // the mask says it

func (w *fieldWriter) texts(all *[]string) {
	if w.says(len(*all) > 0) {
		w.b = binary.AppendUvarint(w.b, uint64(len(*all)))
		for _, s := range *all {
			w.b = appendText(w.b, s)
		}
	}
}

func (w *fieldWriter) items(all *[]event.Item) {
	if w.says(len(*all) > 0) {
		w.b = binary.AppendUvarint(w.b, uint64(len(*all)))
		for _, i := range *all {
			w.b = appendText(w.b, i.Product)
			w.b = binary.AppendVarint(w.b, i.Quantity)
			w.b = binary.AppendVarint(w.b, i.PriceCents)
		}
	}
}

type fieldReader struct {
	in   *reader
	mask uint64
}

func (w *fieldReader) next() bool {
	is := w.mask&1 != 0
	w.mask >>= 1
	return is && !w.in.bad
}

func (w *fieldReader) text(s *string) {
	if w.next() {
		*s = w.in.text()
	}
}

func (w *fieldReader) number(n *int64) {
	if w.next() {
		*n = w.in.varint()
	}
}

func (w *fieldReader) flag(is *bool) { *is = w.next() }

func (w *fieldReader) texts(all *[]string) {
	if w.next() {
		*all = make([]string, w.in.count(1))
		for i := range *all {
			(*all)[i] = w.in.text()
		}
	}
}

func (w *fieldReader) items(all *[]event.Item) {
	if w.next() {
		*all = make([]event.Item, w.in.count(3))
		for i := range *all {
			(*all)[i] = event.Item{Product: w.in.text(), Quantity: w.in.varint(), PriceCents: w.in.varint()}
		}
	}
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// reader takes values off the front of b; once something does not fit it is bad
// and gives zeros.
type reader struct {
	b     []byte
	bad   bool
	words words
}

func (r *reader) take(n int) []byte {
	if r.bad || n > len(r.b) {
		r.bad = true
		return make([]byte, min(n, 32))
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

func (r *reader) byte() byte { return r.take(1)[0] }

func (r *reader) varint() int64 {
	n, w := binary.Varint(r.b)
	return n * r.skip(w)
}

func (r *reader) uvarint() uint64 {
	n, w := binary.Uvarint(r.b)
	return n * uint64(r.skip(w))
}

func (r *reader) skip(w int) int64 {
	if r.bad || w <= 0 {
		r.bad = true
		return 0
	}
	r.b = r.b[w:]
	return 1
}

// count reads how many values of at least size bytes follow.
func (r *reader) count(size int) int {
	n := r.uvarint()
	if r.bad || n > uint64(len(r.b)/size) {
		r.bad = true
		return 0
	}
	return int(n)
}

func (r *reader) text() string {
	b := r.take(r.count(1))
	if r.words == nil {
		return string(b)
	}
	if s, known := r.words[string(b)]; known {
		return s
	}
	s := string(b)
	if len(r.words) < wordsMost {
		r.words[s] = s
	}
	return s
}
