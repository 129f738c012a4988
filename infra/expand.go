package infra

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// scope holds what only a part of the file can name: each, count, an iterator.
type scope map[string]cty.Value

// each works a block out once per instance: one, count of them, or one per element.
func (m *module) each(b *hclsyntax.Block, do func(address string, extra scope) (cty.Value, error)) (cty.Value, error) {
	address := strings.Join(b.Labels, ".")
	if b.Type != "resource" {
		address = b.Type + "." + address
	}
	if a := b.Body.Attributes["count"]; a != nil {
		return m.counted(a.Expr, address, do)
	}
	a := b.Body.Attributes["for_each"]
	if a == nil {
		return do(address, nil)
	}
	over, err := m.eval(a.Expr, nil)
	if err != nil {
		return cty.NilVal, err
	}
	out := map[string]cty.Value{}
	for it := over.ElementIterator(); it.Next(); {
		k, v := it.Element()
		if over.Type().IsSetType() {
			k = v
		}
		one := scope{"each": cty.ObjectVal(map[string]cty.Value{"key": k, "value": v})}
		if out[k.AsString()], err = do(fmt.Sprintf("%s[%q]", address, k.AsString()), one); err != nil {
			return cty.NilVal, err
		}
	}
	return cty.ObjectVal(out), nil
}

func (m *module) counted(count hclsyntax.Expression, address string, do func(string, scope) (cty.Value, error)) (cty.Value, error) {
	n, err := m.eval(count, nil)
	if err != nil {
		return cty.NilVal, err
	}
	many, _ := n.AsBigFloat().Int64()
	var out []cty.Value
	for i := range many {
		v, err := do(fmt.Sprintf("%s[%d]", address, i), scope{"count": cty.ObjectVal(map[string]cty.Value{"index": cty.NumberIntVal(i)})})
		if err != nil {
			return cty.NilVal, err
		}
		out = append(out, v)
	}
	return cty.TupleVal(out), nil
}

// about are arguments to Terraform itself.
var about = []string{"count", "for_each", "depends_on", "provider", "providers", "ignore_changes", "replace_triggered_by"}

// body works arguments and blocks out.
func (m *module) body(b *hclsyntax.Body, extra scope) (map[string]cty.Value, error) {
	out := map[string]cty.Value{}
	for name, a := range b.Attributes {
		if slices.Contains(about, name) {
			continue
		}
		v, err := m.eval(a.Expr, extra)
		if err != nil {
			return nil, err
		}
		out[name] = v
	}
	lists := map[string][]cty.Value{}
	for _, inner := range b.Blocks {
		if err := m.block(inner, extra, lists); err != nil {
			return nil, err
		}
	}
	for name, l := range lists {
		out[name] = cty.TupleVal(l)
	}
	return out, nil
}

// block adds one block to the lists, or as many as a dynamic block makes.
func (m *module) block(b *hclsyntax.Block, extra scope, lists map[string][]cty.Value) error {
	if b.Type != "dynamic" {
		return m.one(b.Type, b.Body, extra, lists)
	}
	name := b.Labels[0]
	over, err := m.eval(b.Body.Attributes["for_each"].Expr, extra)
	if err != nil {
		return err
	}
	for it := over.ElementIterator(); it.Next(); {
		k, v := it.Element()
		inner := scope{name: cty.ObjectVal(map[string]cty.Value{"key": k, "value": v})}
		for n, x := range extra {
			inner[n] = x
		}
		if err := m.one(name, b.Body.Blocks[0].Body, inner, lists); err != nil {
			return err
		}
	}
	return nil
}

func (m *module) one(name string, b *hclsyntax.Body, extra scope, lists map[string][]cty.Value) error {
	args, err := m.body(b, extra)
	if err == nil {
		lists[name] = append(lists[name], cty.ObjectVal(args))
	}
	return err
}

// eval works an expression out, and whatever it names before it.
func (m *module) eval(e hclsyntax.Expression, extra scope) (cty.Value, error) {
	names := map[string]map[string]cty.Value{}
	ctx := &hcl.EvalContext{Functions: m.functions(), Variables: map[string]cty.Value{
		"path": cty.ObjectVal(map[string]cty.Value{"module": cty.StringVal(m.dir)}),
	}}
	for k, v := range extra {
		ctx.Variables[k] = v
	}
	for _, t := range e.Variables() {
		if _, there := ctx.Variables[t.RootName()]; !there {
			if err := m.refer(t, names); err != nil {
				return cty.NilVal, err
			}
		}
	}
	for root, under := range names {
		ctx.Variables[root] = nest(under)
	}
	v, diags := e.Value(ctx)
	if diags.HasErrors() {
		return cty.NilVal, fmt.Errorf("%s: %w", m.address, diags)
	}
	return v, nil
}

// refer works out what a name in an expression stands for.
func (m *module) refer(t hcl.Traversal, names map[string]map[string]cty.Value) error {
	steps := []string{t.RootName()}
	for _, s := range t[1:] {
		if a, ok := s.(hcl.TraverseAttr); ok {
			steps = append(steps, a.Name)
			continue
		}
		break
	}
	n := 2
	if steps[0] == "data" || steps[0] == "ephemeral" {
		n = 3
	}
	if len(steps) < n {
		return fmt.Errorf("%s%s: what is this?", m.address, strings.Join(steps, "."))
	}
	v, err := m.value(strings.Join(steps[:n], "."))
	if err != nil {
		return err
	}
	if names[steps[0]] == nil {
		names[steps[0]] = map[string]cty.Value{}
	}
	names[steps[0]][strings.Join(steps[1:n], ".")] = v
	return nil
}

// nest makes an object of names that have one or two parts.
func nest(flat map[string]cty.Value) cty.Value {
	out, deeper := map[string]cty.Value{}, map[string]map[string]cty.Value{}
	for name, v := range flat {
		if first, rest, two := strings.Cut(name, "."); two {
			if deeper[first] == nil {
				deeper[first] = map[string]cty.Value{}
			}
			deeper[first][rest] = v
		} else {
			out[name] = v
		}
	}
	for name, under := range deeper {
		out[name] = cty.ObjectVal(under)
	}
	return cty.ObjectVal(out)
}
