package event

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// The readers below read one value into a known field. null counts as absent; a
// value of another type is noted under the field's name and read over.

func (p *parser) wrong(field, want string) {
	if p.wrongs == nil {
		p.wrongs = &Invalid{CodeWrongType, field + " wants " + want}
	}
}

func (p *parser) text(field string, to *string) {
	switch p.peek() {
	case '"':
		*to = p.str()
	case 'n':
		p.literal("null")
	default:
		p.wrong(field, "a string")
		p.skip()
	}
}

// object enters an object; false if there is none to read.
func (p *parser) object(field string) bool {
	switch p.peek() {
	case '{':
		return p.open(false)
	case 'n':
		p.literal("null")
	default:
		p.wrong(field, "an object")
		p.skip()
	}
	return false
}

// list enters an array; false if there is none to read.
func (p *parser) list(field string) bool {
	switch p.peek() {
	case '[':
		return p.open(true)
	case 'n':
		p.literal("null")
	default:
		p.wrong(field, "an array")
		p.skip()
	}
	return false
}

// number is a number that may not have been sent.
type number struct {
	n    int64
	sent bool
}

// amount reads a decimal number, or a string that holds one, times 10^places.
func (p *parser) amount(field string, places int, to *number) {
	var text string
	switch c := p.peek(); {
	case c == '"':
		text = p.str()
	case c == '-' || c >= '0' && c <= '9':
		text = p.number()
	case c == 'n':
		p.literal("null")
		return
	default:
		p.wrong(field, "a number")
		p.skip()
		return
	}
	n, ok := decimal(text, places)
	if !ok {
		p.wrong(field, "a number")
		return
	}
	*to = number{n, true}
}

// moment reads the forms of time that Segment's libraries send: RFC 3339, and ISO
// 8601 with an offset without a colon. A time without an offset is unreadable:
// nobody can say when it was.
func (p *parser) moment(field string, to *instant) {
	if c := p.peek(); c != '"' {
		p.text(field, new(string))
		return
	}
	text := p.str()
	t, err := time.Parse(time.RFC3339, text)
	if err != nil && len(text) < 40 {
		t, err = time.Parse("2006-01-02T15:04:05Z0700", text)
	}
	if err != nil {
		p.wrongs = first(p.wrongs, &Invalid{CodeTimestamp, field + " wants an RFC 3339 time with an offset"})
		return
	}
	if *to = instant(t.UnixMilli()); *to == 0 {
		*to = -1 // 0 is no time; a millisecond before 1970 is as late
	}
}

// flag reads an objection: true, 1 and "1" raise it.
func (p *parser) flag(to *bool) {
	at := p.i
	p.skip()
	switch p.s[at:p.i] {
	case "true", "1", `"1"`:
		*to = true
	}
}

// most is the largest amount kept: beyond it no shop sells, and sums stay far
// from overflow.
const most = 1e12

// decimal reads "18.99" with two places as 1899, rounding half up. ok is false
// for what is no number; what is beyond most becomes most.
func decimal(text string, places int) (n int64, ok bool) {
	digits := strings.TrimPrefix(text, "-")
	if digits == "" || strings.ContainsAny(digits, "eE") {
		return scientific(text, places)
	}
	point := false
	for i := 0; i < len(digits); i++ {
		c := digits[i]
		switch {
		case c == '.' && !point && i > 0 && i+1 < len(digits):
			point = true
		case c < '0' || c > '9':
			return 0, false
		case !point:
			n = min(n*10+int64(c-'0'), most)
		case places > 0:
			n = min(n*10+int64(c-'0'), most)
			places--
		case places == 0:
			if c >= '5' {
				n++
			}
			places = -1 // later digits do not count
		}
	}
	for ; places > 0; places-- {
		n = min(n*10, most)
	}
	if len(digits) != len(text) {
		n = -n
	}
	return n, true
}

func scientific(text string, places int) (int64, bool) {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) || strings.ContainsAny(text, "xXpP_nN") {
		return 0, false
	}
	f = math.Round(f * math.Pow10(places))
	return int64(max(-most, min(f, most))), true
}
