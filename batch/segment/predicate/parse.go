package predicate

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Problem is something wrong in a condition.
type Problem struct {
	At   int // byte of the condition
	Text string
}

// Reference is a column that a condition names.
type Reference struct {
	Column string
	At     int // byte of the condition
}

// Condition is one that was read.
type Condition struct{ root node }

// node is one of DuckDB's expressions.
type node struct {
	class, kind string // COMPARISON, COMPARE_GREATERTHAN
	name        string // of a column or a function
	at          int    // byte of the condition; -1: not told
	args        []node
	value       any // of a constant: bool, float64, string, nil
}

// Query is the statement that DuckDB is asked about: the condition as one column of
// the table features.
func Query(where string) string { return prefix + where + "\n) as hit from features" }

const prefix = "select (\n"

// statement is what json_serialize_sql says.
type statement struct {
	Error      bool   `json:"error"`
	Message    string `json:"error_message"`
	Position   string `json:"position"`
	Statements []struct {
		Node map[string]any `json:"node"`
	} `json:"statements"`
}

// Parse reads what DuckDB's json_serialize_sql says about Query(where). Every problem
// is given, not the first alone. A condition with one is not to be used.
func Parse(where, tree string) (Condition, []Problem) {
	if strings.TrimSpace(where) == "" {
		return Condition{}, []Problem{{0, "it has no predicate; write a condition such as orders_90d >= 3"}}
	}
	var s statement
	d := json.NewDecoder(strings.NewReader(tree))
	d.UseNumber()
	if err := d.Decode(&s); err != nil {
		return Condition{}, []Problem{{0, "it cannot be read: " + err.Error()}}
	}
	if s.Error {
		return Condition{}, []Problem{syntax(where, s)}
	}
	chosen, err := single(s)
	if err != nil {
		return Condition{}, []Problem{{0, err.Error()}}
	}
	root := read(chosen)
	return Condition{root}, root.judge()
}

// syntax is DuckDB's own words; at our closing bracket the condition ended too soon.
func syntax(where string, s statement) Problem {
	at, err := strconv.Atoi(s.Position)
	if at -= len(prefix); err != nil || at < 0 {
		at = 0
	}
	if at >= len(where) {
		return Problem{len(where), "syntax error: it ends too early"}
	}
	return Problem{at, s.Message}
}

// single finds the one expression of the statement that Query made.
func single(s statement) (map[string]any, error) {
	wrong := errors.New("it must be a single expression, such as orders_90d >= 3 and days_since_visit > 28")
	if len(s.Statements) != 1 {
		return nil, wrong
	}
	n := s.Statements[0].Node
	chosen, _ := n["select_list"].([]any)
	from, _ := n["from_table"].(map[string]any)
	if n["type"] != "SELECT_NODE" || len(chosen) != 1 || from["table_name"] != "features" {
		return nil, wrong
	}
	for _, clause := range []string{"where_clause", "having", "qualify", "sample"} {
		if n[clause] != nil {
			return nil, wrong
		}
	}
	for _, clause := range []string{"group_expressions", "group_sets", "modifiers"} {
		if parts, _ := n[clause].([]any); len(parts) > 0 {
			return nil, wrong
		}
	}
	only, ok := chosen[0].(map[string]any)
	if !ok {
		return nil, wrong
	}
	return only, nil
}

// parts are where DuckDB keeps the expressions that one is made of, in order.
var parts = []string{"input", "left", "right", "lower", "upper", "child", "children", "case_checks", "when_expr", "then_expr", "else_expr"}

func read(t map[string]any) node {
	n := node{at: -1}
	n.class, _ = t["class"].(string)
	n.kind, _ = t["type"].(string)
	n.name, _ = t["function_name"].(string)
	if number, ok := t["query_location"].(json.Number); ok {
		if at, err := strconv.Atoi(number.String()); err == nil && at >= len(prefix) {
			n.at = at - len(prefix)
		}
	}
	if names, ok := t["column_names"].([]any); ok {
		n.name, _ = names[len(names)-1].(string)
		n.name = strings.ToLower(n.name)
	}
	if v, ok := t["value"].(map[string]any); ok {
		n.value = constant(v)
	}
	if c, ok := t["cast_type"].(map[string]any); ok {
		n.name, _ = c["id"].(string)
	}
	for _, key := range parts {
		n.args = append(n.args, children(t[key])...)
	}
	return n
}

func children(t any) (out []node) {
	switch t := t.(type) {
	case []any:
		for _, x := range t {
			out = append(out, children(x)...)
		}
	case map[string]any:
		if t["class"] != nil {
			return []node{read(t)}
		}
		for _, key := range parts {
			out = append(out, children(t[key])...)
		}
	}
	return out
}

func constant(v map[string]any) any {
	if null, _ := v["is_null"].(bool); null {
		return nil
	}
	if number, ok := v["value"].(json.Number); ok {
		f, err := number.Float64()
		if err != nil {
			return math.NaN()
		}
		kind, _ := v["type"].(map[string]any)
		info, _ := kind["type_info"].(map[string]any)
		if scale, ok := info["scale"].(json.Number); ok {
			digits, _ := scale.Float64()
			f /= math.Pow(10, digits)
		}
		return f
	}
	return v["value"]
}

// Expressions and functions that a condition may use.
var (
	expressions = []string{"COLUMN_REF", "CONSTANT", "COMPARISON", "CONJUNCTION", "OPERATOR", "BETWEEN", "CASE", "CAST", "FUNCTION"}
	functions   = []string{"+", "-", "*", "/", "//", "%", "abs", "least", "greatest", "coalesce", "nullif", "if", "sign"}
)

// judge lists what has no place in a condition.
func (n node) judge() (wrong []Problem) {
	if !slices.Contains(expressions, n.class) {
		return []Problem{{max(0, n.at), fmt.Sprintf("a %s has no place in a predicate; want columns, numbers, and, or, not, comparisons", strings.ToLower(n.class))}}
	}
	if n.class == "FUNCTION" && !slices.Contains(functions, n.name) {
		return []Problem{{max(0, n.at), fmt.Sprintf("function %s has no place in a predicate; want one of %s", n.name, strings.Join(functions, ", "))}}
	}
	for _, a := range n.args {
		wrong = append(wrong, a.judge()...)
	}
	return wrong
}

// Reads lists every mention of a column, in the order of the text.
func (c Condition) Reads() []Reference {
	var out []Reference
	var walk func(n node)
	walk = func(n node) {
		if n.class == "COLUMN_REF" {
			out = append(out, Reference{n.name, max(0, n.at)})
		}
		for _, a := range n.args {
			walk(a)
		}
	}
	walk(c.root)
	slices.SortStableFunc(out, func(a, b Reference) int { return a.At - b.At })
	return out
}
