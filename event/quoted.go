package event

import (
	"math/bits"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// simple is how many bytes of s, from the start, can stand in a string as they
// are: up to a quote, a backslash or a control character. It looks at eight bytes
// at once; the lowest mark is exact, those above it need not be.
func simple(s string) int {
	j := 0
	for ; j+8 <= len(s); j += 8 {
		w := s[j : j+8]
		v := uint64(w[0]) | uint64(w[1])<<8 | uint64(w[2])<<16 | uint64(w[3])<<24 |
			uint64(w[4])<<32 | uint64(w[5])<<40 | uint64(w[6])<<48 | uint64(w[7])<<56
		quote, slash := v^'"'*ones, v^'\\'*ones
		marks := ((quote-ones)&^quote | (slash-ones)&^slash | (v-0x20*ones)&^v) & highs
		if marks != 0 {
			return j + bits.TrailingZeros64(marks)/8
		}
	}
	for ; j < len(s); j++ {
		if c := s[j]; c == '"' || c == '\\' || c < 0x20 {
			break
		}
	}
	return j
}

// str reads the string that starts here.
func (p *scanner) str() string {
	rest := p.s[p.i+1:]
	n := simple(rest)
	if n < len(rest) && rest[n] == '"' {
		p.i += n + 2
		return rest[:n]
	}
	return p.escaped(p.i + 1 + n)
}

// escaped reads on from j, the first byte that is not simple.
func (p *scanner) escaped(j int) string {
	b := []byte(p.s[p.i+1 : j])
	for p.i = j; p.fault == nil; {
		switch c := p.peek(); {
		case p.i >= len(p.s):
			p.fail(CodeMalformed, "a string does not end")
		case c == '"':
			p.i++
			return string(b)
		case c == '\\':
			b = p.escape(b)
		case c < 0x20:
			p.fail(CodeMalformed, "a control character in a string")
		default:
			b = append(b, c)
			p.i++
		}
	}
	return ""
}

var escapes = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

func (p *scanner) escape(b []byte) []byte {
	p.i++
	c := p.peek()
	if plain := escapes[c]; plain != 0 {
		p.i++
		return append(b, plain)
	}
	if c != 'u' {
		p.fail(CodeMalformed, "an unknown escape")
		return b
	}
	r := p.hex()
	if utf16.IsSurrogate(r) && p.fault == nil {
		low := rune(-1)
		if strings.HasPrefix(p.s[p.i:], `\u`) {
			p.i++
			low = p.hex()
		}
		if r = utf16.DecodeRune(r, low); r == utf8.RuneError {
			p.fail(CodeInvalidUTF8, "half of a surrogate pair")
		}
	}
	return utf8.AppendRune(b, r)
}

// hex reads the four digits after the u that stands here.
func (p *scanner) hex() rune {
	if p.i+5 > len(p.s) {
		p.fail(CodeMalformed, "the text ends too early")
		return 0
	}
	var r rune
	for _, c := range []byte(p.s[p.i+1 : p.i+5]) {
		switch {
		case c >= '0' && c <= '9':
			r = r<<4 | rune(c-'0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			p.fail(CodeMalformed, "want four hex digits")
			return 0
		}
	}
	p.i += 5
	return r
}
