package predicate

import (
	"maps"
	"math"
	"slices"
	"strings"
)

// Outcome is what can be said of a condition before anybody is looked at.
type Outcome string

// The outcomes. Depends is also that of a condition that nothing could be proved of.
const (
	Depends Outcome = ""
	Never   Outcome = "never"  // true of nobody; false of some, as far as is proved
	Always  Outcome = "always" // true of everybody
	Null    Outcome = "null"   // neither true nor false of anybody
)

// Outcome proves what it can from the values that columns may have: which are whole
// numbers, and never null. _28d is held to be at most _90d of the same name.
func (c Condition) Outcome(d Domain) Outcome {
	yes, no := c.root.assume(true, []Domain{d}), c.root.assume(false, []Domain{d})
	switch {
	case len(yes) == 0 && len(no) == 0:
		return Null
	case len(yes) == 0:
		return Never
	case len(no) == 0 && !c.root.mayBeNull(d):
		return Always
	}
	return Depends
}

// most domains are kept apart; beyond, a narrowing is left out, which proves less.
const mostDomains = 256

// assume narrows domains to those parts in which the expression may be truth. It never
// drops a part in which it is.
func (n node) assume(truth bool, in []Domain) (out []Domain) {
	switch {
	case n.class == "CONJUNCTION" && (n.kind == "CONJUNCTION_AND") == truth:
		for _, a := range n.args {
			in = a.assume(truth, in)
		}
		return in
	case n.class == "CONJUNCTION":
		for _, a := range n.args {
			out = append(out, a.assume(truth, in)...)
		}
	case n.kind == "OPERATOR_NOT":
		return n.args[0].assume(!truth, in)
	case n.class == "BETWEEN" || n.kind == "COMPARE_IN" || n.kind == "COMPARE_NOT_IN":
		return n.spelled().assume(truth, in)
	case n.class == "COMPARISON":
		for _, d := range in {
			out = append(out, n.compare(truth, d)...)
		}
	default:
		for _, d := range in {
			if n.may(truth, d) {
				out = append(out, d)
			}
		}
	}
	if len(out) > mostDomains {
		return in
	}
	return out
}

// spelled writes between and in as comparisons.
func (n node) spelled() node {
	compare := func(kind string, b node) node {
		return node{class: "COMPARISON", kind: kind, at: -1, args: []node{n.args[0], b}}
	}
	if n.class == "BETWEEN" && len(n.args) == 3 {
		return node{class: "CONJUNCTION", kind: "CONJUNCTION_AND", at: -1, args: []node{
			compare("COMPARE_GREATERTHANOREQUALTO", n.args[1]), compare("COMPARE_LESSTHANOREQUALTO", n.args[2])}}
	}
	all := node{class: "CONJUNCTION", kind: "CONJUNCTION_OR", at: -1}
	equal := "COMPARE_EQUAL"
	if n.kind == "COMPARE_NOT_IN" {
		all.kind, equal = "CONJUNCTION_AND", "COMPARE_NOTEQUAL"
	}
	for _, b := range n.args[1:] {
		all.args = append(all.args, compare(equal, b))
	}
	return all
}

// opposite is what a comparison says when it is false, and mirrored with its sides
// changed.
var (
	opposite = map[string]string{
		"COMPARE_EQUAL": "COMPARE_NOTEQUAL", "COMPARE_NOTEQUAL": "COMPARE_EQUAL",
		"COMPARE_LESSTHAN": "COMPARE_GREATERTHANOREQUALTO", "COMPARE_GREATERTHANOREQUALTO": "COMPARE_LESSTHAN",
		"COMPARE_GREATERTHAN": "COMPARE_LESSTHANOREQUALTO", "COMPARE_LESSTHANOREQUALTO": "COMPARE_GREATERTHAN",
	}
	mirrored = map[string]string{
		"COMPARE_EQUAL": "COMPARE_EQUAL", "COMPARE_NOTEQUAL": "COMPARE_NOTEQUAL",
		"COMPARE_LESSTHAN": "COMPARE_GREATERTHAN", "COMPARE_GREATERTHAN": "COMPARE_LESSTHAN",
		"COMPARE_LESSTHANOREQUALTO": "COMPARE_GREATERTHANOREQUALTO", "COMPARE_GREATERTHANOREQUALTO": "COMPARE_LESSTHANOREQUALTO",
	}
)

// compare gives the parts of a domain in which a comparison may be truth.
func (n node) compare(truth bool, d Domain) []Domain {
	kind := n.kind
	if !truth {
		kind = opposite[kind]
	}
	if mirrored[kind] == "" || len(n.args) != 2 || n.args[0].bySpelling() || n.args[1].bySpelling() {
		return []Domain{d}
	}
	a, b := n.args[0], n.args[1]
	if a.null() || b.null() {
		return nil // compared with null nothing is true, and nothing false
	}
	if kind == "COMPARE_NOTEQUAL" {
		return append(within(d, "COMPARE_LESSTHAN", a, b), within(d, "COMPARE_GREATERTHAN", a, b)...)
	}
	return within(d, kind, a, b)
}

// bySpelling reports what is compared as text or by a cast, which is not looked into.
func (n node) bySpelling() bool {
	_, text := n.value.(string)
	return text || slices.ContainsFunc(n.args, node.bySpelling) || n.class == "CAST" || n.class == "COMPARISON" || n.class == "CONJUNCTION"
}

func (n node) null() bool { return n.class == "CONSTANT" && n.value == nil }

func within(d Domain, kind string, a, b node) []Domain {
	left, right := a.number(d).meet(reach(kind, b.number(d))), b.number(d).meet(reach(mirrored[kind], a.number(d)))
	if left.empty() || right.empty() {
		return nil
	}
	out := maps.Clone(d)
	for n, to := range map[*node]Interval{&a: left, &b: right} {
		if n.class == "COLUMN_REF" {
			if out[n.name] = whole(n.number(out).meet(to)); out[n.name].empty() {
				return nil
			}
		}
	}
	if !out.windows() {
		return nil
	}
	return []Domain{out}
}

// reach is where a number must lie that compares so with one in an interval.
func reach(kind string, with Interval) Interval {
	switch kind {
	case "COMPARE_EQUAL":
		return with
	case "COMPARE_LESSTHAN":
		return Interval{math.Inf(-1), math.Nextafter(with.Most, math.Inf(-1))}
	case "COMPARE_LESSTHANOREQUALTO":
		return Interval{math.Inf(-1), with.Most}
	case "COMPARE_GREATERTHAN":
		return Interval{math.Nextafter(with.Least, math.Inf(1)), math.Inf(1)}
	}
	return Interval{with.Least, math.Inf(1)}
}

func whole(i Interval) Interval { return Interval{math.Ceil(i.Least), math.Floor(i.Most)} }

// windows says whether the 28 days before as of can lie within the 90.
func (d Domain) windows() bool {
	for name, recent := range d {
		base, ok := strings.CutSuffix(name, "_28d")
		if long, known := d[base+"_90d"]; ok && known && recent.Least > long.Most {
			return false
		}
	}
	return true
}

// may judges what is neither a conjunction nor a comparison.
func (n node) may(truth bool, d Domain) bool {
	switch {
	case n.class == "CONSTANT":
		b, ok := n.value.(bool)
		return n.value != nil && (!ok || b == truth)
	case n.class == "CAST" && n.name == "BOOLEAN" && len(n.args) == 1:
		switch n.args[0].value {
		case "t", "true":
			return truth
		case "f", "false":
			return !truth
		}
	case n.kind == "OPERATOR_IS_NULL" && truth, n.kind == "OPERATOR_IS_NOT_NULL" && !truth:
		return n.args[0].mayBeNull(d)
	}
	return true
}

// mayBeNull is true unless the expression has a value for everybody.
func (n node) mayBeNull(d Domain) bool {
	switch {
	case n.class == "COLUMN_REF" || n.kind == "OPERATOR_IS_NULL" || n.kind == "OPERATOR_IS_NOT_NULL":
		return false
	case n.class == "CONSTANT":
		return n.value == nil
	case n.kind == "OPERATOR_COALESCE":
		return !slices.ContainsFunc(n.args, func(a node) bool { return !a.mayBeNull(d) })
	case n.class == "CAST" && n.name != "BOOLEAN" || n.name == "nullif" || n.kind == "OPERATOR_NULLIF":
		return true
	case n.name == "/" || n.name == "//" || n.name == "%":
		by := n.args[len(n.args)-1].number(d)
		if by.Least <= 0 && by.Most >= 0 {
			return true
		}
	}
	return slices.ContainsFunc(n.args, func(a node) bool { return a.mayBeNull(d) })
}
