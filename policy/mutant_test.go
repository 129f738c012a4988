package policy

import (
	"fmt"
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
)

// A mutant is a module with one change, made by changing a copy of its tree.
type mutant struct {
	row  int
	what string
	rule int  // that was changed
	body bool // the rule was taken out whole
}

// mutator walks a module and counts the places where it could be changed; at the
// wanted one it makes the change.
type mutator struct {
	want, at int
	made     *mutant
	rule     int
	row      int
}

// mutated gives the n-th mutant of a module, or nil if it has no n-th.
func mutated(m *ast.Module, n int) (*ast.Module, *mutant) {
	c := m.Copy()
	w := &mutator{want: n}
	for i := 0; i < len(c.Rules) && w.made == nil; i++ {
		r := c.Rules[i]
		w.rule, w.row = i, r.Location.Row
		if w.here("rule taken out", true) {
			c.Rules = slices.Delete(c.Rules, i, i+1)
			break
		}
		w.walk(r)
	}
	return c, w.made
}

// here says whether this place is the wanted one.
func (w *mutator) here(what string, body ...bool) bool {
	w.at++
	if w.made != nil || w.at-1 != w.want {
		return false
	}
	w.made = &mutant{row: w.row, what: what, rule: w.rule, body: len(body) > 0}
	return true
}

func (w *mutator) walk(r *ast.Rule) {
	for _, t := range append([]*ast.Term{r.Head.Key, r.Head.Value}, r.Head.Args...) {
		if t != nil {
			w.term(t)
		}
	}
	if !r.Default { // the parser gives a default rule the body true
		r.Body = w.exprs(r.Body)
	}
	if r.Else != nil {
		if w.here("else taken out") {
			r.Else = nil
			return
		}
		w.walk(r.Else)
	}
}

// exprs changes the expressions of a body: each is left out, negated, and
// changed inside.
func (w *mutator) exprs(b ast.Body) ast.Body {
	if len(b) == 1 && b[0].Equal(ast.NewExpr(ast.BooleanTerm(true))) {
		return b // what a rule without a body has
	}
	for i, e := range b {
		if e.Location != nil {
			w.row = e.Location.Row
		}
		if w.here("left out: " + e.String()) {
			if len(b) == 1 {
				return ast.NewBody(ast.NewExpr(ast.BooleanTerm(true)))
			}
			return append(b[:i:i], b[i+1:]...)
		}
		if !e.IsAssignment() && !e.IsSome() && w.here("negated: "+e.String()) {
			e.Negated = !e.Negated
			return b
		}
		w.expr(e)
	}
	return b
}

func (w *mutator) expr(e *ast.Expr) {
	switch t := e.Terms.(type) {
	case *ast.Term:
		w.term(t)
	case []*ast.Term:
		w.call(t)
	case *ast.Every:
		w.term(t.Domain)
		t.Body = w.exprs(t.Body)
	case *ast.SomeDecl:
		for _, s := range t.Symbols {
			if c, ok := s.Value.(ast.Call); ok {
				w.term(c[len(c)-1])
			}
		}
	}
}

// other are the operators that are put in place of one.
var other = map[string][]string{
	"equal": {"neq"}, "neq": {"equal"}, "lt": {"lte", "gt"}, "lte": {"lt", "gte"}, "gt": {"gte", "lt"}, "gte": {"gt", "lte"},
	"plus": {"minus"}, "minus": {"plus"}, "mul": {"plus"}, "or": {"and"}, "and": {"or"}, "min": {"max"}, "max": {"min"},
	"startswith": {"endswith"}, "endswith": {"startswith"},
}

func (w *mutator) call(terms []*ast.Term) {
	name := terms[0].Value.String()
	for _, o := range other[name] {
		if w.here(name + " becomes " + o) {
			terms[0] = ast.RefTerm(ast.VarTerm(o))
			return
		}
	}
	for _, t := range terms[1:] {
		w.term(t)
	}
}

// term changes the constants of a term, and what it holds.
func (w *mutator) term(t *ast.Term) {
	switch v := t.Value.(type) {
	case ast.Boolean:
		if w.here(fmt.Sprintf("%v becomes %v", v, !v)) {
			t.Value = !v
		}
	case ast.Number:
		if n, ok := v.Int64(); ok {
			for _, d := range []int64{1, -1} {
				if w.here(fmt.Sprintf("%d becomes %d", n, n+d)) {
					t.Value = ast.Number(fmt.Sprint(n + d))
				}
			}
		}
	case ast.String:
		if w.here(fmt.Sprintf("%s becomes another text", v)) {
			t.Value = ast.String(string(v) + "~")
		}
	case ast.Set:
		for _, x := range v.Slice() {
			if w.here("without " + x.String()) {
				t.Value = v.Diff(ast.NewSet(x))
				return
			}
		}
	case *ast.Array:
		w.array(t, v)
	case ast.Object:
		v.Foreach(func(_, x *ast.Term) { w.term(x) })
	case ast.Call:
		w.call(v)
	case ast.Ref:
		for _, x := range v[1:] {
			if _, isName := x.Value.(ast.String); !isName {
				w.term(x)
			}
		}
	case *ast.SetComprehension:
		v.Body = w.exprs(v.Body)
	case *ast.ArrayComprehension:
		v.Body = w.exprs(v.Body)
	case *ast.ObjectComprehension:
		v.Body = w.exprs(v.Body)
	}
}

func (w *mutator) array(t *ast.Term, v *ast.Array) {
	for i := range v.Len() {
		if w.here("without " + v.Elem(i).String()) {
			rest := []*ast.Term{}
			for j := range v.Len() {
				if j != i {
					rest = append(rest, v.Elem(j))
				}
			}
			t.Value = ast.NewArray(rest...)
			return
		}
	}
}
