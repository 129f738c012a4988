package policy

import (
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// alone reports an expression about one fact, of which all else is constant.
func (x *telling) alone(m *ast.Module, e *ast.Expr, facts []string) bool {
	if len(e.With) > 0 || x.values[facts[0]] == nil {
		return false
	}
	for _, f := range facts {
		if f != facts[0] {
			return false
		}
	}
	switch terms := e.Terms.(type) {
	case *ast.Term:
		return x.constant(m, terms)
	case []*ast.Term:
		return x.call(m, terms)
	}
	return false // some, every
}

func (x *telling) call(m *ast.Module, terms []*ast.Term) bool {
	operator, ok := terms[0].Value.(ast.Ref)
	if !ok {
		return false
	}
	if operator.Equal(ast.Assign.Ref()) {
		return false
	}
	if ast.BuiltinMap[operator.String()] == nil && !x.steadyRef(m, operator) {
		return false
	}
	for _, t := range terms[1:] {
		if !x.constant(m, t) {
			return false
		}
	}
	return true
}

// constant reports a term that is a constant, a fact, or made of such.
func (x *telling) constant(m *ast.Module, t *ast.Term) bool {
	switch v := t.Value.(type) {
	case ast.Null, ast.Boolean, ast.Number, ast.String:
		return true
	case ast.Var:
		return x.steadyRef(m, ast.Ref{t})
	case ast.Ref:
		if v[0].Equal(ast.InputRootDocument) {
			return len(v) == 2
		}
		for _, part := range v[1:] {
			if !x.constant(m, part) {
				return false
			}
		}
		return x.steadyRef(m, v)
	case ast.Call:
		return x.call(m, v)
	case *ast.Array:
		return !v.Until(func(t *ast.Term) bool { return !x.constant(m, t) })
	case ast.Set:
		return !v.Until(func(t *ast.Term) bool { return !x.constant(m, t) })
	case ast.Object:
		return !v.Until(func(k, t *ast.Term) bool { return !x.constant(m, k) || !x.constant(m, t) })
	}
	return false // comprehensions
}

// steadyRef reports a reference to settings, or to rules that depend on no input.
func (x *telling) steadyRef(m *ast.Module, ref ast.Ref) bool {
	path, ok := x.path(m, ref)
	if !ok {
		return false
	}
	if path == "data.settings" || strings.HasPrefix(path, "data.settings.") {
		return x.onlyData("data.settings")
	}
	if known, seen := x.steady[path]; seen {
		return known
	}
	x.steady[path] = false
	found := false
	for _, other := range x.r.parsed() {
		for _, rule := range other.Rules {
			if other.Package.Path.String()+"."+string(named(rule)) != path {
				continue
			}
			for found = true; rule != nil; rule = rule.Else {
				if !x.steadyRule(other, rule) {
					return false
				}
			}
		}
	}
	x.steady[path] = found
	return found
}

// named is the name of a rule in its package: of a.b it is a.
func named(r *ast.Rule) ast.Var {
	name, _ := r.Head.Ref()[0].Value.(ast.Var) // a head begins with a name
	return name
}

// onlyData reports that no package lies under a path of data.
func (x *telling) onlyData(path string) bool {
	for _, m := range x.r.parsed() {
		if p := m.Package.Path.String(); p == path || strings.HasPrefix(p, path+".") {
			return false
		}
	}
	return true
}

// path is the full name of what a reference points to: data.package.rule.
func (x *telling) path(m *ast.Module, ref ast.Ref) (string, bool) {
	head, ok := ref[0].Value.(ast.Var)
	if !ok {
		return "", false
	}
	if ref[0].Equal(ast.DefaultRootDocument) {
		return ref[:min(3, len(ref))].String(), len(ref) >= 2 && ref[:min(3, len(ref))].IsGround()
	}
	for _, i := range m.Imports {
		if i.Name() == head {
			if len(ref) < 2 {
				return "", false
			}
			name, ok := ref[1].Value.(ast.String)
			return i.Path.String() + "." + string(name), ok
		}
	}
	return m.Package.Path.String() + "." + string(head), true
}

// steadyRule reports a rule that mentions no input, nor any rule that does. What
// it binds itself does not matter.
func (x *telling) steadyRule(m *ast.Module, rule *ast.Rule) bool {
	if before := x.allFree; len(x.mentioned(rule)) > 0 || x.allFree != before {
		return false
	}
	own := ast.NewVarSet()
	ast.WalkVars(rule, func(v ast.Var) bool { own.Add(v); return false })
	ok := true
	for _, other := range x.r.parsed() {
		for _, r := range other.Rules {
			name := named(r)
			if other.Package.Path.Equal(m.Package.Path) && own.Contains(name) && name != named(rule) {
				ok = ok && x.steadyRef(m, ast.Ref{ast.NewTerm(name)})
			}
		}
	}
	ast.WalkRefs(rule, func(ref ast.Ref) bool {
		if head, isVar := ref[0].Value.(ast.Var); isVar && ast.BuiltinMap[ref.String()] == nil {
			for _, i := range m.Imports {
				if i.Name() == head {
					ok = ok && x.steadyRef(m, ref)
				}
			}
			if ref[0].Equal(ast.DefaultRootDocument) {
				ok = ok && x.steadyRef(m, ref)
			}
		}
		return false
	})
	return ok
}
