package infra_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/format"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/tester"
	"github.com/zclconf/go-cty/cty"

	"github.com/handschlag/handschlag/host/aws"
	"github.com/handschlag/handschlag/infra"
)

// rules reads the Rego files, tests included.
func rules(t *testing.T) map[string]string {
	t.Helper()
	names, err := filepath.Glob("rego/*.rego")
	if err != nil || len(names) < 8 {
		t.Fatalf("found %d rego files: %v", len(names), err)
	}
	out := map[string]string{}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		out[name] = string(b)
	}
	return out
}

// judge prepares what all rules deny.
func judge(t *testing.T) func(*infra.Stack) []string {
	t.Helper()
	options := []func(*rego.Rego){rego.Query("[msg | some room; msg := data[room].deny[_]]"), rego.StrictBuiltinErrors(true)}
	for name, text := range rules(t) {
		if !strings.HasSuffix(name, "_test.rego") {
			options = append(options, rego.Module(name, text))
		}
	}
	query, err := rego.New(options...).PrepareForEval(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return func(s *infra.Stack) (out []string) {
		input := map[string]any{"resources": s.Resources, "variables": s.Variables, "provider": s.Provider, "persons": persons()}
		res, err := query.Eval(context.Background(), rego.EvalInput(input))
		if err != nil {
			t.Fatal(err)
		}
		for _, msg := range res[0].Expressions[0].Value.([]any) {
			out = append(out, msg.(string))
		}
		slices.Sort(out)
		return out
	}
}

// persons are the tables that hold any.
func persons() (out []string) {
	for _, table := range aws.Tables {
		if table.Person {
			out = append(out, table.Name)
		}
	}
	return out
}

// stacks are ours with each file of variables, and with the least that is needed.
func stacks(t *testing.T) map[string]*infra.Stack {
	t.Helper()
	least := map[string]cty.Value{
		"prefix": cty.StringVal("shop"), "oidc_issuer": cty.StringVal("https://id.example"), "night_principal": cty.StringVal("arn:aws:iam::123456789012:role/n"),
	}
	all := map[string]map[string]cty.Value{"least": least}
	for _, env := range []string{"dev", "prod"} {
		vars, err := infra.Values(infra.Files, "terraform/env/"+env+".tfvars")
		if err != nil {
			t.Fatal(err)
		}
		all[env] = vars
	}
	out := map[string]*infra.Stack{}
	for name, vars := range all {
		s, err := infra.Read(infra.Files, "terraform", vars)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		out[name] = s
	}
	return out
}

func TestNoRuleObjectsToOurStack(t *testing.T) {
	denied := judge(t)
	for name, s := range stacks(t) {
		if len(s.Resources) < 150 {
			t.Errorf("%s: only %d resources were read", name, len(s.Resources))
		}
		for _, msg := range denied(s) {
			t.Errorf("%s: %s", name, msg)
		}
	}
}

// Every rule has files that it denies: rule.tf, and rule__why.tf for another reason.
func TestEveryRuleHasAFailingFixture(t *testing.T) {
	denied, seen := judge(t), map[string]bool{}
	names, err := filepath.Glob("rego/testdata/*.tf")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		rule, _, _ := strings.Cut(strings.TrimSuffix(filepath.Base(name), ".tf"), "__")
		seen[rule] = true
		msgs := denied(fixture(t, name))
		if !slices.ContainsFunc(msgs, func(msg string) bool { return strings.HasPrefix(msg, rule+": ") }) {
			t.Errorf("%s is not denied by %s, but: %v", name, rule, msgs)
		}
	}
	for name, text := range rules(t) {
		for _, m := range regexp.MustCompile(`sprintf\("([a-z_]+): `).FindAllStringSubmatch(text, -1) {
			if !seen[m[1]] {
				t.Errorf("%s: rule %s has no failing fixture", name, m[1])
			}
		}
	}
}

// fixture reads one file as a stack.
func fixture(t *testing.T, name string) *infra.Stack {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.tf"), b, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := infra.Read(os.DirFS(dir), ".", nil)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return s
}

func TestRego(t *testing.T) {
	modules := map[string]*ast.Module{}
	for name, text := range rules(t) {
		m, err := ast.ParseModuleWithOpts(name, text, ast.ParserOptions{ProcessAnnotation: true})
		if err != nil {
			t.Fatal(err)
		}
		modules[name] = m
	}
	results, err := tester.NewRunner().SetModules(modules).RaiseBuiltinErrors(true).RunTests(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for r := range results {
		n++
		if !r.Pass() {
			t.Error(r)
		}
	}
	if n < 5 {
		t.Errorf("only %d tests ran", n)
	}
}

func TestRegoIsFormatted(t *testing.T) {
	for name, text := range rules(t) {
		want, err := format.SourceWithOpts(name, []byte(text), format.Opts{RegoVersion: ast.RegoV1})
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(want, []byte(text)) {
			if os.Getenv("WRITE") != "" {
				fmt.Println(name, os.WriteFile(name, want, 0o600))
			}
			t.Errorf("%s is not formatted as opa fmt does it", name)
		}
	}
}
