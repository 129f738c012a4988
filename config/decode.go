package config

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// reader lays a YAML document over a Config. It goes on after a mistake, so that
// all of them are found at once, and remembers the line of every path.
type reader struct {
	problems Errors
	told     map[string]bool // paths with a problem
	lines    map[string]int
	tokens   map[string]*token.Token // of texts, by path
	anchors  map[string]ast.Node
	aliases  int
}

// maxBytes is far above any real file; maxAliases above any sensible use of them.
const (
	maxBytes   = 1 << 20
	maxAliases = 10_000
)

// read lays the file over c. What the file does not name stays as it was; a
// list or a map that it names replaces the whole one.
func (r *reader) read(yaml []byte, c *Config) {
	if len(yaml) > maxBytes {
		r.bad("", 0, "the file has %d bytes; more than %d cannot be right", len(yaml), maxBytes)
		return
	}
	file, err := parser.ParseBytes(yaml, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		r.syntax(err)
		return
	}
	for i, doc := range file.Docs {
		switch {
		case doc.Body == nil:
		case i > 0:
			r.bad("", line(doc.Body), "a second document begins here; remove the line ---")
		default:
			r.value(doc.Body, reflect.ValueOf(c).Elem(), "")
		}
	}
}

func (r *reader) bad(path string, line int, format string, args ...any) {
	r.problems = append(r.problems, Problem{Line: line, Path: path, Text: fmt.Sprintf(format, args...)})
	r.told[path] = true
}

// judged says that a path, or what it is part of, has a problem already.
func (r *reader) judged(path string) bool {
	for path != "" {
		if r.told[path] {
			return true
		}
		path = parent(path)
	}
	return r.told[""]
}

// parent of offers.hours[2].from is offers.hours[2].
func parent(path string) string { return path[:max(0, strings.LastIndexAny(path, ".["))] }

// syntax reports what is not YAML at all; nothing after it can be read.
func (r *reader) syntax(err error) {
	at, text := 0, err.Error()
	if e, ok := err.(interface {
		GetToken() *token.Token
		GetMessage() string
	}); ok {
		text = e.GetMessage()
		if t := e.GetToken(); t != nil {
			at = t.Position.Line
		}
	}
	r.bad("", at, "this is not YAML: %s; mend this first, the rest of the file was not read", text)
}

func line(n ast.Node) int {
	if t := n.GetToken(); t != nil && t.Position != nil {
		return t.Position.Line
	}
	return 0
}

var durationType = reflect.TypeFor[time.Duration]()

// value reads a node into v.
func (r *reader) value(n ast.Node, v reflect.Value, path string) {
	if n = r.resolve(n, path); n == nil {
		return
	}
	if _, seen := r.lines[path]; !seen {
		r.lines[path] = line(n)
	}
	_, empty := n.(*ast.NullNode)
	switch {
	case v.Type() == durationType:
		r.duration(n, v, path)
	case empty && (v.Kind() == reflect.Slice || v.Kind() == reflect.Map):
		v.SetZero()
	case empty:
		r.bad(path, line(n), "has no value; give it one, or remove the line to keep the default")
	case v.Kind() == reflect.Struct:
		r.object(n, v, path)
	case v.Kind() == reflect.Map:
		r.table(n, v, path)
	case v.Kind() == reflect.Slice:
		r.list(n, v, path)
	default:
		r.scalar(n, v, path)
	}
}

// resolve follows anchors, aliases and tags to the node that they stand for.
func (r *reader) resolve(n ast.Node, path string) ast.Node {
	for {
		switch t := n.(type) {
		case *ast.AnchorNode:
			r.anchors[t.Name.GetToken().Value] = t.Value
			n = t.Value
		case *ast.AliasNode:
			name := t.Value.GetToken().Value
			target, ok := r.anchors[name]
			if r.aliases++; !ok || r.aliases > maxAliases { // one that holds itself would not end
				r.bad(path, line(t), "*%s stands for nothing; mark a value above with &%s", name, name)
				return nil
			}
			n = target
		case *ast.TagNode:
			r.bad(path, line(t), "tags such as %s are not read; remove it", t.Start.Value)
			return nil
		default:
			return n
		}
	}
}

// pairs gives the members of a mapping, each key once.
func (r *reader) pairs(n ast.Node, path string) []*ast.MappingValueNode {
	var values []*ast.MappingValueNode
	switch t := n.(type) {
	case *ast.MappingNode:
		values = t.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{t}
	default:
		r.bad(path, line(n), "want keys with values (key: value), got %s", what(n))
		return nil
	}
	seen := make(map[string]int, len(values))
	return slices.DeleteFunc(slices.Clone(values), func(m *ast.MappingValueNode) bool {
		key := m.Key.GetToken().Value
		if m.Key.IsMergeKey() {
			r.bad(path, line(m.Key), "<< is not read; write the keys out")
			return true
		}
		first, again := seen[key]
		if again {
			r.bad(under(path, key), line(m.Key), "comes twice, first in line %d; remove one", first)
		}
		seen[key] = line(m.Key)
		return again
	})
}

func (r *reader) object(n ast.Node, v reflect.Value, path string) {
	fields := fieldsOf(v.Type())
	for _, m := range r.pairs(n, path) {
		key := m.Key.GetToken().Value
		i := slices.IndexFunc(fields, func(f field) bool { return f.key == key })
		if i < 0 {
			r.bad(under(path, key), line(m.Key), "is not a known key; %s", instead(key, keysOf(fields)))
			continue
		}
		r.lines[under(path, key)] = line(m.Key)
		r.value(m.Value, v.Field(fields[i].index), under(path, key))
	}
}

func (r *reader) table(n ast.Node, v reflect.Value, path string) {
	v.Set(reflect.MakeMap(v.Type()))
	for _, m := range r.pairs(n, path) {
		key := m.Key.GetToken().Value
		r.lines[under(path, key)] = line(m.Key)
		element := reflect.New(v.Type().Elem()).Elem()
		r.value(m.Value, element, under(path, key))
		v.SetMapIndex(reflect.ValueOf(key).Convert(v.Type().Key()), element)
	}
}

func (r *reader) list(n ast.Node, v reflect.Value, path string) {
	t, ok := n.(*ast.SequenceNode)
	if !ok {
		r.bad(path, line(n), "want a list ([a, b], or lines that begin with -), got %s", what(n))
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(t.Values), len(t.Values)))
	for i, x := range t.Values {
		r.value(x, v.Index(i), path+"["+strconv.Itoa(i)+"]")
	}
}

func (r *reader) scalar(n ast.Node, v reflect.Value, path string) {
	switch v.Kind() {
	case reflect.String:
		if s, ok := text(n); ok {
			v.SetString(s)
			r.tokens[path] = n.GetToken()
			return
		}
		r.bad(path, line(n), "want text, got %s; put it in quotes", what(n))
	case reflect.Bool:
		if b, ok := n.(*ast.BoolNode); ok {
			v.SetBool(b.Value)
			return
		}
		r.bad(path, line(n), "want true or false, got %s", what(n))
	case reflect.Float64:
		if x, err := strconv.ParseFloat(strings.ReplaceAll(n.GetToken().Value, "_", ""), 64); err == nil && isNumber(n) {
			v.SetFloat(x)
			return
		}
		r.bad(path, line(n), "want a number, got %s", what(n))
	default:
		if x, ok := whole(n); ok && !v.OverflowInt(x) {
			v.SetInt(x)
			return
		}
		r.bad(path, line(n), "want a whole number, got %s", what(n))
	}
}

func (r *reader) duration(n ast.Node, v reflect.Value, path string) {
	s, ok := text(n)
	d, err := time.ParseDuration(s)
	if !ok || err != nil {
		r.bad(path, line(n), "want a time span such as 90s, 10m or 168h, got %s", what(n))
		return
	}
	v.SetInt(int64(d))
}

func text(n ast.Node) (string, bool) {
	switch t := n.(type) {
	case *ast.StringNode:
		return t.Value, true
	case *ast.LiteralNode:
		return t.Value.Value, true
	}
	return "", false
}

func isNumber(n ast.Node) bool {
	return n.Type() == ast.IntegerType || n.Type() == ast.FloatType
}

func whole(n ast.Node) (int64, bool) {
	t, ok := n.(*ast.IntegerNode)
	if !ok {
		return 0, false
	}
	switch x := t.Value.(type) {
	case int64:
		return x, true
	case uint64:
		return int64(x), x <= 1<<63-1
	}
	return 0, false
}

// what names a node as the reader of the file sees it.
func what(n ast.Node) string {
	switch t := n.(type) {
	case *ast.StringNode:
		return strconv.Quote(t.Value)
	case *ast.LiteralNode:
		return "text"
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return "the number " + n.GetToken().Value
	case *ast.BoolNode:
		return strconv.FormatBool(t.Value)
	case *ast.NullNode:
		return "nothing"
	case *ast.SequenceNode:
		return "a list"
	case *ast.MappingNode, *ast.MappingValueNode:
		return "keys with values"
	}
	return strconv.Quote(n.GetToken().Value)
}

// field is a key of a struct.
type field struct {
	key   string
	index int
}

// fieldsOf lists the keys of a struct: its yaml tags or, for types of other
// rooms that have none, their json tags.
func fieldsOf(t reflect.Type) []field {
	var out []field
	for i := range t.NumField() {
		f := t.Field(i)
		tag := f.Tag.Get("yaml")
		if tag == "" {
			tag = f.Tag.Get("json")
		}
		if key, _, _ := strings.Cut(tag, ","); key != "" && key != "-" {
			out = append(out, field{key, i})
		}
	}
	return out
}

func keysOf(fields []field) []string {
	out := make([]string, len(fields))
	for i, f := range fields {
		out[i] = f.key
	}
	return out
}

func under(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// instead proposes the nearest of the words, or lists them.
func instead(word string, words []string) string {
	if best := Nearest(word, words); best != "" {
		return "did you mean " + best + "?"
	}
	return "known are " + strings.Join(words, ", ")
}

// Nearest is the word that a mistyped one may have meant: at most two letters off;
// "" if there is none.
func Nearest(word string, words []string) (best string) {
	least := 3
	for _, w := range words {
		if d := distance(word, w); d < least {
			best, least = w, d
		}
	}
	return best
}

// distance is how many letters must be put in, taken out or changed.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
