package segment

import (
	"encoding/binary"
	"errors"

	"github.com/handschlag/handschlag/event"
)

// leave writes an open session, its words spelt out: per act its numbers as varints,
// then product and variant, each with its length.
func leave(acts []act, w vocabulary) string {
	var out []byte
	for _, s := range acts {
		out = append(out, byte(s.kind), flags(s.exact, s.lines), byte(s.hour))
		for _, x := range s.numbers() {
			out = binary.AppendVarint(out, *x)
		}
		for _, x := range []word{s.product, s.variant} {
			spelt := w.spell(x)
			out = append(binary.AppendUvarint(out, uint64(len(spelt))), spelt...)
		}
	}
	return string(out)
}

// numbers are the counts of an act, in the order in which they are written.
func (s *act) numbers() [9]*int64 {
	return [...]*int64{&s.at, &s.query, &s.results, &s.quantity, &s.price, &s.dwell, &s.cart, &s.units, &s.cents}
}

func flags(bits ...bool) (out byte) {
	for i, b := range bits {
		if b {
			out |= 1 << i
		}
	}
	return out
}

// goOn reads what leave wrote.
func goOn(open []byte, w *words, acts []act) ([]act, error) {
	r := packed{open, nil}
	for len(r.rest) > 0 {
		head := r.take(3)
		s := act{kind: event.Kind(head[0]), exact: head[1]&1 > 0, lines: head[1]&2 > 0, hour: int8(head[2])}
		for _, x := range s.numbers() {
			*x = r.int()
		}
		s.product = w.of(string(r.take(int(r.uint()))))
		s.variant = w.of(string(r.take(int(r.uint()))))
		acts = append(acts, s)
	}
	return acts, r.err
}

// packed reads varints and bytes one after the other. After an error it gives zeros.
type packed struct {
	rest []byte
	err  error
}

var errPacked = errors.New("a packed row ends in its midst")

func (p *packed) uint() uint64 {
	if len(p.rest) > 0 && p.rest[0] < 0x80 { // as most are
		x := p.rest[0]
		p.rest = p.rest[1:]
		return uint64(x)
	}
	x, n := binary.Uvarint(p.rest)
	if n <= 0 {
		p.err, p.rest = errPacked, nil
		return 0
	}
	p.rest = p.rest[n:]
	return x
}

func (p *packed) int() int64 {
	x := p.uint()
	return int64(x>>1) ^ -int64(x&1)
}

// take gives n bytes, zeros if there are fewer.
func (p *packed) take(n int) []byte {
	if n < 0 || n > len(p.rest) {
		p.err, p.rest = errPacked, nil
		return make([]byte, min(max(n, 0), 64))
	}
	out := p.rest[:n]
	p.rest = p.rest[n:]
	return out
}
