package policy

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/metrics"
	opa "github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/topdown"
)

// errUndefined says that the rules gave no verdict at all. Callers refuse.
var errUndefined = errors.New("the rules gave no verdict")

// never is for contexts that cannot be cancelled.
var never = topdown.NewCancel()

// ask evaluates an entry. Anything but an object is an error, and so a refusal.
func (r *Rules) ask(ctx context.Context, e Entry, input ast.Value) (answer, error) {
	q, ok := r.queries[e]
	if !ok {
		return answer{}, fmt.Errorf("entry %s is not loaded", e)
	}
	how := make([]opa.EvalOption, 0, 5)
	how = append(how, opa.EvalParsedInput(input), opa.EvalTransaction(r.txn), opa.EvalMetrics(metrics.NoOp()), opa.EvalGenerateJSON(asTerm))
	if ctx.Done() == nil {
		how = append(how, opa.EvalExternalCancel(never))
	}
	set, err := q.Eval(ctx, how...)
	if err != nil {
		return answer{}, fmt.Errorf("judging %s: %w", e, err)
	}
	if len(set) != 1 || len(set[0].Expressions) != 1 {
		return answer{}, fmt.Errorf("judging %s: %w", e, errUndefined)
	}
	if t, ok := set[0].Expressions[0].Value.(*ast.Term); ok {
		if o, ok := t.Value.(ast.Object); ok {
			return answer{o: o}, nil
		}
	}
	return answer{}, fmt.Errorf("judging %s: %w", e, errUndefined)
}

func asTerm(t *ast.Term, _ *opa.EvalContext) (any, error) { return t, nil }

// answer reads a verdict. The first member that is missing or of another type
// spoils it: err is then set, and the caller refuses.
type answer struct {
	o   ast.Object
	err error
}

func (a *answer) get(name string) ast.Value {
	if t := a.o.Get(ast.InternedTerm(name)); t != nil {
		return t.Value
	}
	a.spoil(name)
	return ast.NullValue
}

func (a *answer) spoil(name string) {
	if a.err == nil {
		a.err = fmt.Errorf("reading %s: %w", name, errUndefined)
	}
}

func (a *answer) flag(name string) bool {
	b, ok := a.get(name).(ast.Boolean)
	if !ok {
		a.spoil(name)
	}
	return bool(b)
}

func (a *answer) text(name string) string {
	s, ok := a.get(name).(ast.String)
	if !ok {
		a.spoil(name)
	}
	return string(s)
}

// list reads a set or array of strings; sets come sorted.
func (a *answer) list(name string) []string {
	out, ok := stringsIn(a.get(name))
	if !ok {
		a.spoil(name)
	}
	return out
}

// lists reads an object of lists.
func (a *answer) lists(name string) map[string][]string {
	o, ok := a.get(name).(ast.Object)
	if !ok {
		a.spoil(name)
		return nil
	}
	out := make(map[string][]string, o.Len())
	o.Foreach(func(k, v *ast.Term) {
		key, isString := k.Value.(ast.String)
		list, isList := stringsIn(v.Value)
		if !isString || !isList {
			a.spoil(name)
		}
		out[string(key)] = list
	})
	return out
}

func stringsIn(v ast.Value) ([]string, bool) {
	out := []string{}
	ok := true
	each := func(t *ast.Term) {
		s, is := t.Value.(ast.String)
		ok = ok && is
		out = append(out, string(s))
	}
	switch v := v.(type) {
	case ast.Set:
		v.Foreach(each)
		slices.Sort(out)
	case *ast.Array:
		v.Foreach(each)
	default:
		return nil, false
	}
	return out, ok
}
