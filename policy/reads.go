package policy

import (
	"maps"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// unique sorts and drops what is there twice.
func unique(in []string) []string {
	slices.Sort(in)
	return append([]string{}, slices.Compact(in)...)
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// reader finds, in compiled modules, which facts a rule reads: the paths below
// input and data.settings in its own body and in every rule that it refers to.
type reader struct {
	rules map[string][]*ast.Rule // data.pkg.name → bodies
	reads map[string][]string    // memory of paths, by the same name
}

func newReader(compiled map[string]*ast.Module) *reader {
	r := &reader{rules: map[string][]*ast.Rule{}, reads: map[string][]string{}}
	for _, m := range compiled {
		for _, rule := range m.Rules {
			name := ruleName(rule)
			r.rules[name] = append(r.rules[name], rule)
		}
	}
	return r
}

func ruleName(rule *ast.Rule) string {
	return rule.Module.Package.Path.String() + "." + string(rule.Head.Ref()[0].Value.(ast.Var))
}

// module gives for each rule id of a module the paths that lead to it. An id is
// given by a constant in a rule's head, by the annotation of a rule, or by a
// function in a rule's head whose value is an id (standing.refusal).
func (r *reader) module(name string, parsed *ast.Module) map[string][]string {
	annotated := map[int]string{} // row of the rule → id
	for _, a := range parsed.Annotations {
		if id, _ := a.Custom["id"].(string); id != "" && a.Scope == "rule" {
			annotated[a.EndLoc().Row] = id
		}
	}
	out := map[string][]string{}
	pkg := parsed.Package.Path.String()
	for full, bodies := range r.rules {
		if !strings.HasPrefix(full, pkg+".") {
			continue
		}
		for _, rule := range bodies {
			paths := r.ofRule(rule)
			for _, id := range r.ids(rule, annotated) {
				out[id] = unique(append(out[id], paths...))
			}
		}
	}
	for id := range out {
		out[id] = whole(out[id])
	}
	return out
}

func (r *reader) ids(rule *ast.Rule, annotated map[int]string) []string {
	out := headIDs(rule)
	if id, ok := annotated[rule.Location.Row-1]; ok {
		out = append(out, id)
	}
	for e := rule; e != nil; e = e.Else {
		ast.WalkRefs(e, func(ref ast.Ref) bool {
			if name := refName(ref); name != "" && !strings.HasPrefix(name, rule.Module.Package.Path.String()+".") {
				for _, f := range r.rules[name] {
					out = append(out, headIDs(f)...)
				}
			}
			return false
		})
	}
	return out
}

// headIDs lists the constants in a rule's head that have the form of an id.
func headIDs(rule *ast.Rule) []string {
	var out []string
	for ; rule != nil; rule = rule.Else {
		ast.WalkTerms(rule.Head, func(x *ast.Term) bool {
			if s, ok := x.Value.(ast.String); ok && isRuleID(string(s)) {
				out = append(out, string(s))
			}
			return false
		})
	}
	return out
}

// isRuleID says whether a text has law.md's form of an id, or one of ours.
func isRuleID(s string) bool {
	if s == "SWITCH" || strings.HasPrefix(s, "OFFER-") {
		return true
	}
	family, number, ok := strings.Cut(s, "-")
	return ok && len(family) == 3 && len(number) == 2 && strings.ToUpper(family) == family &&
		number[0] >= '0' && number[0] <= '9' && number[1] >= '0' && number[1] <= '9'
}

// refName is data.pkg.rule of a reference to a rule, else "".
func refName(ref ast.Ref) string {
	if len(ref) < 3 || !ref[0].Equal(ast.DefaultRootDocument) {
		return ""
	}
	if _, ok := ref[2].Value.(ast.String); !ok {
		return ""
	}
	return ref[:3].String()
}

// of gives the paths that a named rule reads.
func (r *reader) of(name string) []string {
	if paths, ok := r.reads[name]; ok {
		return paths
	}
	r.reads[name] = nil // no rule of Rego is recursive; this ends functions that share a name
	var out []string
	for _, rule := range r.rules[name] {
		out = append(out, r.ofRule(rule)...)
	}
	r.reads[name] = unique(out)
	return r.reads[name]
}

func (r *reader) ofRule(rule *ast.Rule) []string {
	var out []string
	for ; rule != nil; rule = rule.Else {
		known := locals(rule)
		ast.WalkRefs(rule, func(ref ast.Ref) bool {
			ref = resolve(ref, known)
			if path := inputPath(ref); path != "" {
				out = append(out, path)
			}
			if name := refName(ref); name != "" && name != ruleName(rule) {
				out = append(out, r.of(name)...)
			}
			return false
		})
	}
	return unique(out)
}

// locals are the variables of a rule that stand for a reference.
func locals(rule *ast.Rule) map[ast.Var]ast.Ref {
	out := map[ast.Var]ast.Ref{}
	ast.WalkExprs(rule, func(e *ast.Expr) bool {
		if !e.IsEquality() && !e.IsAssignment() {
			return false
		}
		for _, way := range [][2]*ast.Term{{e.Operand(0), e.Operand(1)}, {e.Operand(1), e.Operand(0)}} {
			v, isVar := way[0].Value.(ast.Var)
			ref, isRef := way[1].Value.(ast.Ref)
			if isVar && isRef {
				out[v] = ref
			}
		}
		return false
	})
	return out
}

// resolve puts what a variable stands for at the head of a reference.
func resolve(ref ast.Ref, known map[ast.Var]ast.Ref) ast.Ref {
	for range 8 {
		v, ok := ref[0].Value.(ast.Var)
		if !ok || known[v] == nil {
			break
		}
		ref = known[v].Concat(ref[1:])
	}
	return ref
}

// inputPath is a reference's path below input, or below data.settings as
// settings.…, with * for what varies; else "".
func inputPath(ref ast.Ref) string {
	var parts []string
	rest := ref[1:]
	switch {
	case ref[0].Equal(ast.InputRootDocument):
	case ref[0].Equal(ast.DefaultRootDocument) && len(ref) > 1 && ref[1].Equal(ast.StringTerm("settings")):
		parts, rest = []string{"settings"}, ref[2:]
	default:
		return ""
	}
	for _, t := range rest {
		if s, ok := t.Value.(ast.String); ok {
			parts = append(parts, string(s))
		} else {
			parts = append(parts, "*")
		}
	}
	return strings.Join(parts, ".")
}

// whole drops a path when a longer one says more.
func whole(paths []string) []string {
	return slices.DeleteFunc(paths, func(p string) bool {
		return slices.ContainsFunc(paths, func(q string) bool { return strings.HasPrefix(q, p+".") })
	})
}
