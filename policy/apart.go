package policy

import (
	"context"
	"fmt"

	"github.com/open-policy-agent/opa/v1/ast"
	opa "github.com/open-policy-agent/opa/v1/rego"

	"github.com/handschlag/handschlag/event"
)

// What the event gate's rules can tell apart. The input space has some 850,000
// cases; most values of most facts are all the same to the rules: SPC-01 asks of a
// tag only whether it is "special". Two values of a fact that every rule body answers
// alike get one class, and a case is judged once per class.
//
// The proof is in the text of the rules. A fact has classes only if every mention of
// it is a condition of its own in a rule's body: an expression without variables,
// about this fact alone, where all else is constant. OPA itself answers each such
// condition for each value. A mention of another kind (in a head, in a comprehension,
// beside another fact, as a whole input) makes each value its own class. Bodies that
// a condition on the purpose alone already ends are left out for that purpose.

// caseDims are the facts of a case in the order of its number, kind and purpose apart.
var caseDims = [...]struct {
	name   string
	values []ast.Value
}{
	{"state", valuesOf(caseStates[:])}, {"stamp", valuesOf(stamps[:])}, {"gpc", []ast.Value{ast.Boolean(false), ast.Boolean(true)}},
	{"dnt", []ast.Value{ast.Boolean(false), ast.Boolean(true)}}, {"tag", valuesOf(tags[:])}, {"age", valuesOf(ageBands[:])},
}

func valuesOf[S ~string](all []S) []ast.Value {
	out := make([]ast.Value, len(all))
	for i, s := range all {
		out[i] = ast.String(s)
	}
	return out
}

func kindValues() []ast.Value {
	out := make([]ast.Value, event.KindCount)
	for i := range out {
		out[i] = ast.String(event.Kind(i).String())
	}
	return out
}

// apart says, for a purpose, which class each value of a fact is in; classes are
// numbered in the order of their first value.
type apart map[string][]int

// condition is an expression of a rule's body about one fact alone.
type condition struct {
	fact  string
	holds []bool // by value
}

// body is what a rule's body asks: its conditions, and facts it uses otherwise.
type body struct {
	conditions []condition
	free       []string
}

// telling finds out what the modules of some rules ask of the input.
type telling struct {
	ctx     context.Context
	r       *Rules
	values  map[string][]ast.Value
	steady  map[string]bool // rule path → does not depend on the input; false while looking
	known   map[string]condition
	bodies  []body
	allFree bool
}

// tellApart gives the classes for each purpose of the gate. Only the event entry may
// be loaded: other packages read other inputs.
func (r *Rules) tellApart(ctx context.Context) ([]apart, error) {
	x := &telling{ctx: ctx, r: r, values: map[string][]ast.Value{"kind": kindValues(), "purpose": valuesOf(gatePurposes[:])},
		steady: map[string]bool{}, known: map[string]condition{}}
	for _, d := range caseDims {
		x.values[d.name] = d.values
	}
	for _, m := range r.parsed() {
		if err := x.module(m); err != nil {
			return nil, fmt.Errorf("reading what the rules tell apart: %w", err)
		}
	}
	out := make([]apart, len(gatePurposes))
	for p := range out {
		out[p] = x.classes(p)
	}
	return out, nil
}

func (x *telling) module(m *ast.Module) error {
	for _, i := range m.Imports {
		if ref, ok := i.Path.Value.(ast.Ref); ok && ref[0].Equal(ast.InputRootDocument) {
			x.allFree = true
		}
	}
	for _, rule := range m.Rules {
		for ; rule != nil; rule = rule.Else {
			b := body{free: x.mentioned(rule.Head)}
			for _, e := range rule.Body {
				if err := x.expression(m, e, &b); err != nil {
					return err
				}
			}
			x.bodies = append(x.bodies, b)
		}
	}
	return nil
}

// mentioned lists the facts that a part of a rule mentions anywhere within. A
// mention of the whole input frees every fact.
func (x *telling) mentioned(part any) (facts []string) {
	ast.WalkTerms(part, func(t *ast.Term) bool {
		switch v := t.Value.(type) {
		case ast.Ref:
			if !v[0].Equal(ast.InputRootDocument) {
				return false
			}
			name, ok := ast.String(""), len(v) > 1
			if ok {
				name, ok = v[1].Value.(ast.String)
			}
			if x.allFree = x.allFree || !ok; ok {
				facts = append(facts, string(name))
			}
			for _, rest := range v[min(2, len(v)):] {
				facts = append(facts, x.mentioned(rest)...)
			}
			return true
		case ast.Var:
			x.allFree = x.allFree || t.Equal(ast.InputRootDocument)
		}
		return false
	})
	return facts
}

// expression reads one expression of a body.
func (x *telling) expression(m *ast.Module, e *ast.Expr, b *body) error {
	facts := x.mentioned(e)
	if len(facts) == 0 {
		return nil
	}
	if !x.alone(m, e, facts) {
		b.free = append(b.free, facts...)
		return nil
	}
	c, err := x.ask(m, e, facts[0])
	if err != nil {
		return err
	}
	if c.holds == nil {
		b.free = append(b.free, facts[0])
		return nil
	}
	b.conditions = append(b.conditions, c)
	return nil
}

// ask answers a condition for each value of its fact. One that fails for some value
// has no answer.
func (x *telling) ask(m *ast.Module, e *ast.Expr, fact string) (condition, error) {
	key := m.Package.Path.String() + " " + e.String()
	if c, ok := x.known[key]; ok {
		return c, nil
	}
	c := condition{fact: fact, holds: make([]bool, len(x.values[fact]))}
	q := opa.New(opa.Compiler(x.r.compiler), opa.Store(x.r.store), opa.Transaction(x.r.txn), opa.StrictBuiltinErrors(true),
		opa.ParsedPackage(m.Package), opa.ParsedImports(m.Imports), opa.ParsedQuery(ast.NewBody(e.Copy())))
	ready, err := q.PrepareForEval(x.ctx)
	if err != nil {
		return condition{}, fmt.Errorf("%s: %w", e, err)
	}
	for i, v := range x.values[fact] {
		in := ast.NewObject(ast.Item(ast.StringTerm(fact), ast.NewTerm(v)))
		set, err := ready.Eval(x.ctx, opa.EvalParsedInput(in), opa.EvalTransaction(x.r.txn))
		if err != nil {
			c.holds = nil
			break
		}
		c.holds[i] = set.Allowed() || len(set) > 0 && len(set[0].Expressions) == 1 && set[0].Expressions[0].Value != false
	}
	x.known[key] = c
	return c, nil
}

// classes puts the values of each fact into classes, as one purpose sees them.
func (x *telling) classes(purpose int) apart {
	free, asked := map[string]bool{}, map[string][][]bool{}
	for _, b := range x.bodies {
		if x.ends(b, purpose) {
			continue
		}
		for _, f := range b.free {
			free[f] = true
		}
		for _, c := range b.conditions {
			asked[c.fact] = append(asked[c.fact], c.holds)
		}
	}
	out := apart{}
	for fact, values := range x.values {
		classes, numbers := map[string]int{}, make([]int, len(values))
		for i := range values {
			key := fmt.Sprint(i)
			if !free[fact] && !x.allFree {
				key = answers(asked[fact], i)
			}
			if _, ok := classes[key]; !ok {
				classes[key] = len(classes)
			}
			numbers[i] = classes[key]
		}
		out[fact] = numbers
	}
	return out
}

// ends reports a body that a condition on the purpose alone already ends.
func (x *telling) ends(b body, purpose int) bool {
	for _, c := range b.conditions {
		if c.fact == "purpose" && !c.holds[purpose] {
			return true
		}
	}
	return false
}

func answers(asked [][]bool, value int) string {
	out := make([]byte, len(asked))
	for i, holds := range asked {
		out[i] = '0' + byte(bit(holds[value]))
	}
	return string(out)
}
