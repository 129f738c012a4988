package policy

import (
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
)

// A shape is how a struct of facts is read, found once per type: its JSON names
// in sorted order. The same shape writes the value that Rego judges and the
// canonical bytes that the decision record keeps, so the two cannot differ. A
// nil slice or map is an empty one.
type shape []part

type part struct {
	index     int
	name      string
	key       *ast.Term
	omitEmpty bool
}

var shapes sync.Map // reflect.Type → shape

func shapeOf(t reflect.Type) shape {
	if s, ok := shapes.Load(t); ok {
		return s.(shape)
	}
	var s shape
	for i := range t.NumField() {
		name, rest, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		s = append(s, part{index: i, name: name, key: ast.StringTerm(name), omitEmpty: rest == "omitempty"})
	}
	slices.SortFunc(s, func(a, b part) int { return strings.Compare(a.name, b.name) })
	shapes.Store(t, s)
	return s
}

// facts gives a struct's value for Rego and its canonical JSON.
func facts[T any](in *T) (ast.Value, []byte) {
	v := reflect.ValueOf(in).Elem()
	return term(v).Value, appendJSON(make([]byte, 0, 1024), v)
}

// empty is what encoding/json leaves out under omitempty.
func empty(v reflect.Value) bool {
	if k := v.Kind(); k == reflect.Slice || k == reflect.Map {
		return v.Len() == 0
	}
	return v.IsZero()
}

var timeType = reflect.TypeFor[time.Time]()

// term gives the value as a term of Rego.
func term(v reflect.Value) *ast.Term {
	switch v.Kind() {
	case reflect.Bool:
		return ast.InternedTerm(v.Bool())
	case reflect.Int, reflect.Int64:
		return ast.InternedTerm(int(v.Int()))
	case reflect.String:
		return ast.InternedTerm(strings.ToValidUTF8(v.String(), "�"))
	case reflect.Slice:
		items := make([]*ast.Term, v.Len())
		for i := range items {
			items[i] = term(v.Index(i))
		}
		return ast.ArrayTerm(items...)
	case reflect.Map:
		items := make([][2]*ast.Term, 0, v.Len())
		for it := v.MapRange(); it.Next(); {
			items = append(items, [2]*ast.Term{term(it.Key()), term(it.Value())})
		}
		return ast.ObjectTerm(items...)
	}
	if v.Type() == timeType {
		return ast.StringTerm(clock(v))
	}
	s := shapeOf(v.Type())
	items := make([][2]*ast.Term, 0, len(s))
	for _, p := range s {
		if f := v.Field(p.index); !p.omitEmpty || !empty(f) {
			items = append(items, [2]*ast.Term{p.key, term(f)})
		}
	}
	return ast.ObjectTerm(items...)
}

// appendJSON gives the value as canonical JSON: sorted keys, integers only.
func appendJSON(b []byte, v reflect.Value) []byte {
	switch v.Kind() {
	case reflect.Bool:
		return strconv.AppendBool(b, v.Bool())
	case reflect.Int, reflect.Int64:
		return strconv.AppendInt(b, v.Int(), 10)
	case reflect.String:
		return appendString(b, v.String())
	case reflect.Slice:
		b = append(b, '[')
		for i := range v.Len() {
			b = appendJSON(comma(b, i), v.Index(i))
		}
		return append(b, ']')
	case reflect.Map:
		return appendMap(b, v)
	}
	if v.Type() == timeType {
		return appendString(b, clock(v))
	}
	b, n := append(b, '{'), 0
	for _, p := range shapeOf(v.Type()) {
		if f := v.Field(p.index); !p.omitEmpty || !empty(f) {
			b = append(append(append(comma(b, n), '"'), p.name...), `":`...)
			b = appendJSON(b, f)
			n++
		}
	}
	return append(b, '}')
}

func appendMap(b []byte, v reflect.Value) []byte {
	members := make(map[string]reflect.Value, v.Len())
	for it := v.MapRange(); it.Next(); {
		members[it.Key().String()] = it.Value()
	}
	b = append(b, '{')
	for i, k := range slices.Sorted(maps.Keys(members)) {
		b = appendJSON(append(appendString(comma(b, i), k), ':'), members[k])
	}
	return append(b, '}')
}

func comma(b []byte, i int) []byte {
	if i > 0 {
		return append(b, ',')
	}
	return b
}

func clock(v reflect.Value) string {
	return v.Interface().(time.Time).UTC().Format(time.RFC3339Nano)
}

const hexDigits = "0123456789abcdef"

// appendString quotes as RFC 8785 does: only what must be escaped is.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	for _, r := range s { // an invalid byte comes out as U+FFFD, as in term
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r >= ' ':
			b = append(b, string(r)...)
		case strings.ContainsRune("\b\f\n\r\t", r):
			b = append(b, '\\', map[rune]byte{'\b': 'b', '\f': 'f', '\n': 'n', '\r': 'r', '\t': 't'}[r])
		default:
			b = append(b, `\u00`...)
			b = append(b, hexDigits[r>>4], hexDigits[r&15])
		}
	}
	return append(b, '"')
}
