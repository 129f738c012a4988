package infra

import (
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// reading is one Read.
type reading struct {
	files  fs.FS
	stack  *Stack
	region string
}

// module is one folder, called once. Everything in it is worked out when somebody
// first asks, whatever the order of the files.
type module struct {
	*reading
	dir, address string
	given        map[string]cty.Value // its variables, as called
	parts        map[string]*part     // by how expressions name them: local.x, var.x, module.x, data.T.N, T.N, output.x
	known        map[string]cty.Value
	busy         map[string]bool
	order        []string
}

// part is what a name in an expression stands for.
type part struct {
	kind  string
	block *hclsyntax.Block
	expr  hclsyntax.Expression // of a local
}

func openModule(r *reading, dir, address string, given map[string]cty.Value) (*module, error) {
	m := &module{reading: r, dir: dir, address: address, given: given, parts: map[string]*part{}, known: map[string]cty.Value{}, busy: map[string]bool{}}
	names, err := fs.Glob(r.files, path.Join(dir, "*.tf"))
	if err != nil || len(names) == 0 {
		return nil, fmt.Errorf("reading Terraform: no files in %s", dir)
	}
	for _, name := range names {
		body, err := parse(r.files, name)
		if err != nil {
			return nil, err
		}
		for _, b := range body.Blocks {
			m.note(b)
		}
	}
	return m, nil
}

// note takes a block in under the name that expressions call it by.
func (m *module) note(b *hclsyntax.Block) {
	switch b.Type {
	case "locals":
		for name, a := range b.Body.Attributes {
			m.add("local."+name, &part{kind: "local", expr: a.Expr})
		}
	case "resource":
		m.add(strings.Join(b.Labels, "."), &part{kind: "resource", block: b})
	case "variable":
		m.add("var."+b.Labels[0], &part{kind: "variable", block: b})
	case "provider":
		m.add("provider", &part{kind: "provider", block: b})
	case "terraform":
	default: // data, ephemeral, module, output
		m.add(b.Type+"."+strings.Join(b.Labels, "."), &part{kind: b.Type, block: b})
	}
}

func (m *module) add(name string, p *part) {
	m.parts[name] = p
	m.order = append(m.order, name)
}

// all works everything out, so that nothing is missing from the stack.
func (m *module) all() error {
	for _, name := range m.order {
		if k := m.parts[name].kind; k == "output" || k == "provider" {
			continue
		}
		if _, err := m.value(name); err != nil {
			return err
		}
	}
	return nil
}

// value is what a name stands for.
func (m *module) value(name string) (cty.Value, error) {
	if v, ok := m.known[name]; ok {
		return v, nil
	}
	p, ok := m.parts[name]
	if !ok || m.busy[name] {
		return cty.NilVal, fmt.Errorf("%s%s: unknown, or it needs itself", m.address, name)
	}
	m.busy[name] = true
	v, err := m.work(name, p)
	if err != nil {
		return cty.NilVal, err
	}
	m.known[name] = v
	return v, nil
}

func (m *module) work(name string, p *part) (cty.Value, error) {
	switch p.kind {
	case "local":
		return m.eval(p.expr, nil)
	case "variable":
		return m.variable(name, p.block)
	case "data":
		return cty.ObjectVal(map[string]cty.Value{"account_id": cty.StringVal(account)}), nil
	}
	return m.each(p.block, func(address string, extra scope) (cty.Value, error) {
		if p.kind == "module" {
			return m.call(p.block, address, extra)
		}
		return m.resource(p, address, extra)
	})
}

// variable is what the caller gave, or the default, in the type that it has.
func (m *module) variable(name string, b *hclsyntax.Block) (cty.Value, error) {
	say := Variable{Address: m.address + name}
	if a := b.Body.Attributes["description"]; a != nil {
		if v, err := m.eval(a.Expr, nil); err == nil {
			say.Description = v.AsString()
		}
	}
	want, defaults := cty.DynamicPseudoType, (*typeexpr.Defaults)(nil)
	if a := b.Body.Attributes["type"]; a != nil {
		var diags hcl.Diagnostics
		if want, defaults, diags = typeexpr.TypeConstraintWithDefaults(a.Expr); diags.HasErrors() {
			return cty.NilVal, diags
		}
		say.Typed = true
	}
	m.stack.Variables = append(m.stack.Variables, say)
	v, ok := m.given[strings.TrimPrefix(name, "var.")]
	if !ok {
		a := b.Body.Attributes["default"]
		if a == nil {
			return cty.NilVal, fmt.Errorf("%s%s: no value", m.address, name)
		}
		var err error
		if v, err = m.eval(a.Expr, nil); err != nil {
			return cty.NilVal, err
		}
	}
	if defaults != nil && !v.IsNull() {
		v = defaults.Apply(v)
	}
	v, err := convert.Convert(v, want)
	if err != nil {
		return v, fmt.Errorf("%s%s: %w", m.address, name, err)
	}
	return v, nil
}

// call lays out another folder and gives its outputs.
func (m *module) call(b *hclsyntax.Block, address string, extra scope) (cty.Value, error) {
	args, err := m.body(b.Body, extra)
	if err != nil {
		return cty.NilVal, err
	}
	inner, err := openModule(m.reading, path.Join(m.dir, args["source"].AsString()), m.address+address+".", args)
	if err != nil {
		return cty.NilVal, err
	}
	if err := inner.all(); err != nil {
		return cty.NilVal, err
	}
	return inner.outputs()
}

func (m *module) outputs() (cty.Value, error) {
	out := map[string]cty.Value{}
	for _, name := range m.order {
		if p := m.parts[name]; p.kind == "output" {
			v, err := m.eval(p.block.Body.Attributes["value"].Expr, nil)
			if err != nil {
				return cty.NilVal, err
			}
			out[p.block.Labels[0]] = v
		}
	}
	return cty.ObjectVal(out), nil
}

func (m *module) provider() (map[string]any, error) {
	p, ok := m.parts["provider"]
	if !ok {
		return map[string]any{}, nil
	}
	args, err := m.body(p.block.Body, nil)
	if err != nil {
		return nil, err
	}
	if r, ok := args["region"]; ok && !r.IsNull() {
		m.region = r.AsString()
	}
	return plain(cty.ObjectVal(args))
}
