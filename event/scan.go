package event

import (
	"math"
	"strconv"
	"strings"
)

// scanner reads one JSON text strictly and in one pass: RFC 8259 with the limits
// of RFC 7493 (no duplicate names, no lone surrogates) and our own (MaxDepth,
// MaxKeys, numbers that fit a float64). The text must be valid UTF-8 already.
//
// It is our own because the ingest path reads every event with it; scan_test.go
// holds it to go-json-experiment/json. Strings without escapes are parts of the
// text, not copies. After the first fault every loop ends.
type scanner struct {
	s      string
	i      int
	depth  int
	frames [MaxDepth + 1]frame
	names  []string // of all open objects, innermost last
	fault  *Malformed
}

// frame is an open object or array.
type frame struct {
	name  string // of the member being read
	base  int    // its first name in names
	n     int    // members or elements so far
	bloom uint64 // of its names
	seen  map[string]struct{}
	array bool
}

// manyKeys is when names are looked up in a map rather than one by one.
const manyKeys = 32

// fail notes the first fault and where it is.
func (p *scanner) fail(code, detail string) {
	if p.fault == nil {
		p.fault = &Malformed{Code: code, Detail: detail, Offset: p.i, Pointer: p.pointer()}
	}
}

// pointer names the value being read, in at most some 200 bytes.
func (p *scanner) pointer() string {
	var b strings.Builder
	for d := 1; d <= p.depth && b.Len() < 200; d++ {
		f := &p.frames[d]
		switch {
		case f.n == 0:
		case f.array:
			b.WriteString("/" + strconv.Itoa(f.n-1))
		default:
			name := strings.ToValidUTF8(f.name[:min(len(f.name), 64)], "")
			b.WriteString("/" + pointerEscapes.Replace(name))
		}
	}
	return b.String()
}

var pointerEscapes = strings.NewReplacer("~", "~0", "/", "~1")

func (p *scanner) space() {
	for p.i < len(p.s) {
		switch p.s[p.i] {
		case ' ', '\n', '\r', '\t':
			p.i++
		default:
			return
		}
	}
}

// peek is the next byte, 0 at the end.
func (p *scanner) peek() byte {
	if p.i < len(p.s) {
		return p.s[p.i]
	}
	return 0
}

// open enters the object or array that starts here.
func (p *scanner) open(array bool) bool {
	if p.depth == MaxDepth {
		p.fail(CodeTooDeep, "nested deeper than 64")
		return false
	}
	p.i++
	p.depth++
	p.frames[p.depth] = frame{base: len(p.names), array: array}
	return true
}

func (p *scanner) close() {
	p.i++
	p.names = p.names[:p.frames[p.depth].base]
	p.depth--
}

// next moves to the value of the open object's next member, whose name is then
// in name(); it is false at the end.
func (p *scanner) next() bool {
	if !p.separate('}') {
		return false
	}
	if p.peek() != '"' {
		p.fail(CodeMalformed, "want a name in quotes")
		return false
	}
	at := p.i
	name := p.str()
	if p.fault != nil {
		return false
	}
	f := &p.frames[p.depth]
	f.name = name
	f.n++
	if !p.fresh(f, name) {
		p.i = at
		p.fail(CodeDuplicateKey, "a name occurs twice in one object")
		return false
	}
	p.space()
	if p.peek() != ':' {
		p.fail(CodeMalformed, "want a colon")
		return false
	}
	p.i++
	p.space()
	return p.fault == nil
}

// element moves to the open array's next element.
func (p *scanner) element() bool {
	if !p.separate(']') {
		return false
	}
	p.frames[p.depth].n++
	return true
}

// separate reads what stands before a member or element; false at the end.
func (p *scanner) separate(end byte) bool {
	if p.fault != nil {
		return false
	}
	p.space()
	c := p.peek()
	if c == end {
		p.close()
		return false
	}
	if p.frames[p.depth].n == 0 {
		return true
	}
	if c != ',' {
		p.fail(CodeMalformed, "want a comma or the end")
		return false
	}
	p.i++
	p.space()
	return true
}

func (p *scanner) name() string { return p.frames[p.depth].name }

// fresh reports whether the object has no member of that name yet. A filter of 64
// bits answers most often; the names themselves are compared only if it cannot.
func (p *scanner) fresh(f *frame, name string) bool {
	if f.n > MaxKeys {
		p.fail(CodeTooManyKeys, "more than 4096 members in one object")
		return false
	}
	h := uint(len(name)) * 11
	if len(name) > 0 {
		h += uint(name[0])*7 + uint(name[len(name)-1])*3 + uint(name[len(name)/2])
	}
	bit := uint64(1) << (h & 63)
	old := f.bloom&bit == 0
	f.bloom |= bit
	if f.seen != nil {
		_, twice := f.seen[name]
		f.seen[name] = struct{}{}
		return !twice
	}
	if !old && contains(p.names[f.base:], name) {
		return false
	}
	p.names = append(p.names, name)
	if len(p.names)-f.base == manyKeys {
		f.seen = make(map[string]struct{}, 4*manyKeys)
		for _, n := range p.names[f.base:] {
			f.seen[n] = struct{}{}
		}
	}
	return true
}

func contains(names []string, name string) bool {
	for _, n := range names {
		if n == name {
			return true
		}
	}
	return false
}

// skip reads over any value, as strictly as if it were wanted.
func (p *scanner) skip() {
	switch c := p.peek(); {
	case c == '"':
		p.str()
	case c == '{':
		if p.open(false) {
			for p.next() {
				p.skip()
			}
		}
	case c == '[':
		if p.open(true) {
			for p.element() {
				p.skip()
			}
		}
	case c == '-' || c >= '0' && c <= '9':
		p.number()
	case c == 't':
		p.literal("true")
	case c == 'f':
		p.literal("false")
	case c == 'n':
		p.literal("null")
	case p.i >= len(p.s):
		p.fail(CodeMalformed, "the text ends too early")
	default:
		p.fail(CodeMalformed, "want a value")
	}
}

func (p *scanner) literal(word string) {
	if !strings.HasPrefix(p.s[p.i:], word) {
		p.fail(CodeMalformed, "want "+word)
		return
	}
	p.i += len(word)
}

// number reads a number and gives its text.
func (p *scanner) number() string {
	at := p.i
	if p.peek() == '-' {
		p.i++
	}
	if p.peek() == '0' {
		p.i++
	} else {
		p.digits()
	}
	if p.peek() == '.' {
		p.i++
		p.digits()
	}
	wide := p.i-at > 300
	if c := p.peek(); c == 'e' || c == 'E' {
		wide = true
		p.i++
		if c = p.peek(); c == '+' || c == '-' {
			p.i++
		}
		p.digits()
	}
	text := p.s[at:p.i]
	if wide && p.fault == nil && !fits(text) {
		p.i = at
		p.fail(CodeNumberRange, "a number is out of range")
	}
	return text
}

func (p *scanner) digits() {
	at := p.i
	for p.i < len(p.s) && p.s[p.i] >= '0' && p.s[p.i] <= '9' {
		p.i++
	}
	if p.i == at {
		p.fail(CodeMalformed, "want a digit")
	}
}

func fits(number string) bool {
	f, err := strconv.ParseFloat(number, 64)
	return err == nil && !math.IsInf(f, 0)
}
