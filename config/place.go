package config

import (
	"bytes"
	"strings"
	"unicode"

	"github.com/goccy/go-yaml/token"
)

// span is where a text begins in the file, and the file from there on.
type span struct {
	line, column int // 1-based
	rest         string
}

// spanOf finds the text of a token; none gives an empty span.
func spanOf(yaml []byte, t *token.Token) span {
	if t == nil || t.Position == nil {
		return span{}
	}
	lines := bytes.Split(yaml, []byte("\n"))
	if t.Position.Line < 1 || t.Position.Line > len(lines) {
		return span{}
	}
	here := []rune(string(lines[t.Position.Line-1]))
	from := min(max(t.Position.Column-1, 0), len(here))
	rest := string(here[from:])
	for _, below := range lines[t.Position.Line:] {
		rest += "\n" + string(below)
	}
	return span{t.Position.Line, from + 1, rest}
}

// Place finds where the byte at an offset of Where stands in the file, line and
// column from 1; 0, 0 if the file does not name the segment. Folded lines, quotes
// and indentation of YAML do not count: letters do, and they are the same.
func (s Segment) Place(offset int) (line, column int) {
	if s.place.rest == "" {
		return s.Line, 0
	}
	offset = min(max(offset, 0), len(s.Where))
	skip := letters(s.Where[:offset])
	if strings.TrimSpace(s.Where[offset:]) == "" { // the end: after the last letter
		line, column = s.place.after(letters(s.Where) - 1)
		return line, column + 1
	}
	return s.place.after(skip)
}

func letters(s string) (n int) {
	for _, r := range s {
		if !unicode.IsSpace(r) {
			n++
		}
	}
	return n
}

// after walks over so many letters and gives the place of the next one.
func (s span) after(skip int) (line, column int) {
	line, column = s.line, s.column-1
	style, escaped := rune(0), false
	first := true
	for i, r := range s.rest {
		if r == '\n' {
			line, column = line+1, 0
			if style == '|' { // the header of a block is over
				style = 0
			}
			continue
		}
		column++
		if style == '|' || unicode.IsSpace(r) {
			continue
		}
		if first {
			if first = false; strings.ContainsRune("'\"|>", r) {
				if style = r; r == '>' {
					style = '|'
				}
				continue
			}
		}
		if !escaped && (r == '\'' && style == r && strings.HasPrefix(s.rest[i+1:], "'") || r == '\\' && style == '"') {
			escaped = true
			continue
		}
		if blank := escaped && style == '"' && strings.ContainsRune("ntr", r); blank {
			escaped = false
			continue
		}
		if escaped = false; skip <= 0 {
			return line, column
		}
		skip--
	}
	return line, column
}
