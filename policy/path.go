package policy

import (
	"bytes"
	"context"
	"fmt"
	"path"
	"slices"
	"sort"

	"github.com/open-policy-agent/opa/v1/ast"
	opa "github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/topdown"
)

// Fired is a rule whose body held for an input.
type Fired struct {
	Package    string `json:"package"`
	Name       string `json:"name"` // of the rule in Rego
	File       string `json:"file"`
	Line       int    `json:"line"`
	ID         string `json:"rule,omitempty"` // of the law, if it bears one
	Title      string `json:"title,omitempty"`
	LegalBasis string `json:"legal_basis,omitempty"`
}

// Path gives the rules that held for the canonical input of a decision, in the
// order in which they were found to hold, each once. Helpers are among them.
func (r *Rules) Path(ctx context.Context, e Entry, input []byte) ([]Fired, error) {
	q, ok := r.queries[e]
	if !ok {
		return nil, fmt.Errorf("entry %s is not loaded", e)
	}
	v, err := ast.ValueFromReader(bytes.NewReader(input))
	if err != nil {
		return nil, fmt.Errorf("reading the input of a decision: %w", err)
	}
	trace := topdown.NewBufferTracer()
	if _, err := q.Eval(ctx, opa.EvalParsedInput(v), opa.EvalTransaction(r.txn), opa.EvalQueryTracer(trace)); err != nil {
		return nil, fmt.Errorf("judging %s: %w", e, err)
	}
	marked := r.marks()
	var out []Fired
	seen := map[mark]bool{}
	for _, event := range *trace {
		rule, is := event.Node.(*ast.Rule)
		if event.Op != topdown.ExitOp || !is || rule.Location == nil {
			continue
		}
		at := mark{rule.Location.File, rule.Location.Row}
		if !seen[at] {
			seen[at] = true
			f := Fired{Package: path.Dir(at.file), Name: string(rule.Head.Name), File: at.file, Line: at.row}
			if f.Name == "" {
				f.Name = rule.Head.Ref().String()
			}
			w := marked[at]
			f.ID, f.Title, f.LegalBasis = w.Rule, w.Title, w.LegalBasis
			out = append(out, f)
		}
	}
	return out, nil
}

// mark is where a rule stands.
type mark struct {
	file string
	row  int
}

// marks gives the words of the rule that stands at each place. A rule without
// metadata of its own follows the one above it that has the same head: bodies of one
// set.
func (r *Rules) marks() map[mark]Reason {
	out := map[mark]Reason{}
	for _, m := range r.parsed() {
		byRow := map[int]Reason{}
		for _, a := range m.Annotations {
			text := func(key string) string { s, _ := a.Custom[key].(string); return s }
			if at := a.GetTargetPath(); at != nil && a.EndLoc() != nil {
				byRow[a.EndLoc().Row+1] = Reason{Rule: text("id"), Title: a.Title, LegalBasis: text("legal_basis"), De: text("de"), En: text("en")}
			}
		}
		rules := slices.Clone(m.Rules)
		sort.Slice(rules, func(i, j int) bool { return rules[i].Location.Row < rules[j].Location.Row })
		said := map[string]Reason{}
		for _, rule := range rules {
			head := rule.Head.String()
			if w, own := byRow[rule.Location.Row]; own {
				said[head] = w
			}
			out[mark{rule.Location.File, rule.Location.Row}] = said[head]
		}
	}
	return out
}

// Words are the strings that the rules of an entry compare with, sorted: what a fact
// could be to make a difference.
func (r *Rules) Words(e Entry) []string {
	found := map[string]bool{}
	for name, m := range r.parsed() {
		if d := path.Dir(name); d != string(e) && d != shared {
			continue
		}
		ast.WalkRules(m, func(rule *ast.Rule) bool {
			for _, part := range []any{rule.Body, rule.Head.Value, rule.Head.Key} {
				ast.WalkTerms(part, func(t *ast.Term) bool {
					if t == nil {
						return true
					}
					if s, ok := t.Value.(ast.String); ok && len(s) < 40 {
						found[string(s)] = true
					}
					return false
				})
			}
			return false
		})
	}
	out := make([]string, 0, len(found))
	for s := range found {
		out = append(out, s)
	}
	slices.Sort(out)
	return out
}
