package sam_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	ctyfunction "github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// plan evaluates as much of infra/terraform as its functions are made of.
type plan struct {
	t         *testing.T
	blocks    hclsyntax.Blocks // of the root module
	shape     hclsyntax.Blocks // of modules/function
	variables map[string]cty.Value
}

const account = "123456789012"

var functions = map[string]ctyfunction.Function{
	"merge": stdlib.MergeFunc, "coalesce": stdlib.CoalesceFunc, "jsonencode": stdlib.JSONEncodeFunc,
}

// ofTerraform reads the functions that Terraform makes of a shop's settings.
func ofTerraform(t *testing.T, s settings) map[string]function {
	t.Helper()
	p := &plan{t: t, blocks: blocks(t, "../terraform"), shape: blocks(t, "../terraform/modules/function"), variables: map[string]cty.Value{}}
	for _, b := range p.of("variable") {
		if d := b.Body.Attributes["default"]; d != nil {
			p.variables[b.Labels[0]] = p.value(d.Expr)
		}
	}
	for k, v := range map[string]string{"prefix": s.prefix, "bucket_prefix": s.bucketPrefix, "config": s.config, "policy_key": s.policyKey,
		"identity_public_key": s.identityKey, "oidc_issuer": s.issuer} {
		if v != "" {
			p.variables[k] = cty.StringVal(v)
		}
	}
	out := map[string]function{}
	for _, b := range p.of("module") {
		if p.value(b.Body.Attributes["source"].Expr).AsString() == "./modules/function" {
			out[p.value(b.Body.Attributes["name"].Expr).AsString()] = p.function(b)
		}
	}
	return out
}

func blocks(t *testing.T, dir string) (all hclsyntax.Blocks) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.tf"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: no Terraform there: %v", dir, err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		f, diags := hclparse.NewParser().ParseHCL(b, name)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		all = append(all, f.Body.(*hclsyntax.Body).Blocks...)
	}
	return all
}

func (p *plan) of(kind string) (out hclsyntax.Blocks) {
	for _, b := range p.blocks {
		if b.Type == kind {
			out = append(out, b)
		}
	}
	return out
}

// function reads one call of modules/function, and what that makes of it.
func (p *plan) function(call *hclsyntax.Block) function {
	given := map[string]cty.Value{"environment": cty.EmptyObjectVal}
	for name, a := range call.Body.Attributes {
		switch name {
		case "memory_mb", "seconds", "routes", "environment":
			given[name] = p.value(a.Expr)
		case "shop":
			given[name] = cty.ObjectVal(map[string]cty.Value{"environment": p.local("environment")})
		}
	}
	lambda := p.made("aws_lambda_function").Body
	inside := func(b *hclsyntax.Body, name string) cty.Value {
		p.t.Helper()
		v, diags := b.Attributes[name].Expr.Value(&hcl.EvalContext{Variables: map[string]cty.Value{"var": cty.ObjectVal(given)}, Functions: functions})
		if diags.HasErrors() {
			p.t.Fatal(diags)
		}
		return v
	}
	f := function{Environment: map[string]string{}, Schedules: p.schedules(call.Labels[0])}
	f.Handler, f.Runtime = inside(lambda, "handler").AsString(), inside(lambda, "runtime").AsString()
	f.MemoryMB, f.Seconds = integer(inside(lambda, "memory_size")), integer(inside(lambda, "timeout"))
	f.Architectures = words(inside(lambda, "architectures"))
	f.Payload = inside(p.made("aws_apigatewayv2_integration").Body, "payload_format_version").AsString()
	f.Routes = words(inside(p.made("aws_apigatewayv2_route").Body, "for_each"))
	for k, v := range inside(lambda.Blocks[environment(p.t, lambda)].Body, "variables").AsValueMap() {
		f.Environment[k] = v.AsString()
	}
	return f
}

// schedules finds what invokes a function without a call.
func (p *plan) schedules(module string) (out []string) {
	rules := map[string]*hclsyntax.Block{}
	for _, b := range p.of("resource") {
		if b.Labels[0] == "aws_cloudwatch_event_rule" {
			rules[b.Labels[1]] = b
		}
	}
	for _, b := range p.of("resource") {
		if b.Labels[0] != "aws_cloudwatch_event_target" || path(b.Body.Attributes["arn"].Expr) != "module."+module+".arn" {
			continue
		}
		for name, rule := range rules {
			if path(b.Body.Attributes["rule"].Expr) == "aws_cloudwatch_event_rule."+name+".name" {
				out = append(out, p.value(rule.Body.Attributes["schedule_expression"].Expr).AsString()+" "+p.value(b.Body.Attributes["input"].Expr).AsString())
			}
		}
	}
	return out
}

func environment(t *testing.T, lambda *hclsyntax.Body) int {
	for i, b := range lambda.Blocks {
		if b.Type == "environment" {
			return i
		}
	}
	t.Fatal("the function's module sets no environment")
	return -1
}

func (p *plan) made(kind string) *hclsyntax.Block {
	p.t.Helper()
	for _, b := range p.shape {
		if b.Type == "resource" && b.Labels[0] == kind {
			return b
		}
	}
	p.t.Fatalf("modules/function makes no %s", kind)
	return nil
}

// value evaluates an expression, with the locals that it names.
func (p *plan) value(e hclsyntax.Expression) cty.Value {
	p.t.Helper()
	locals := map[string]cty.Value{}
	for _, v := range e.Variables() {
		if v.RootName() == "local" {
			name := v[1].(hcl.TraverseAttr).Name
			locals[name] = p.local(name)
		}
	}
	v, diags := e.Value(&hcl.EvalContext{Functions: functions, Variables: map[string]cty.Value{
		"var": cty.ObjectVal(p.variables), "local": cty.ObjectVal(locals),
		"data": nested("aws_caller_identity", "current", "account_id", cty.StringVal(account)),
	}})
	if diags.HasErrors() {
		p.t.Fatal(diags)
	}
	return v
}

func (p *plan) local(name string) cty.Value {
	p.t.Helper()
	for _, b := range p.of("locals") {
		if a := b.Body.Attributes[name]; a != nil {
			return p.value(a.Expr)
		}
	}
	p.t.Fatalf("infra/terraform has no local.%s", name)
	return cty.NilVal
}

func nested(a, b, c string, v cty.Value) cty.Value {
	for _, k := range []string{c, b, a} {
		v = cty.ObjectVal(map[string]cty.Value{k: v})
	}
	return v
}

// path writes a reference as it stands in the file: module.consent.arn.
func path(e hclsyntax.Expression) (out string) {
	t, diags := hcl.AbsTraversalForExpr(e)
	if diags.HasErrors() {
		return ""
	}
	out = t.RootName()
	for _, s := range t[1:] {
		if a, ok := s.(hcl.TraverseAttr); ok {
			out += "." + a.Name
		}
	}
	return out
}

func words(v cty.Value) (out []string) {
	for _, x := range v.AsValueSlice() {
		out = append(out, x.AsString())
	}
	return out
}

func integer(v cty.Value) int64 {
	n, _ := v.AsBigFloat().Int64()
	return n
}
