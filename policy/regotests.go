package policy

import (
	"context"
	"fmt"
	"io/fs"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	opa "github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
)

// GoRun is a recorded run of the Go tests that bear rule ids.
type GoRun struct {
	Revision string            `json:"revision"` // of the code
	Date     string            `json:"date"`
	Tests    map[string]string `json:"tests"` // package.Name → pass | fail
}

// textsOf reads the .rego files of a folder laid out as this one, by file name.
func textsOf(fsys fs.FS) (map[string]string, error) {
	names, err := fs.Glob(fsys, "*/*.rego")
	if err != nil {
		return nil, fmt.Errorf("listing rules: %w", err)
	}
	out := map[string]string{}
	for _, name := range names {
		b, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, fmt.Errorf("reading rules: %w", err)
		}
		out[name] = string(b)
	}
	return out, nil
}

// runRegoTests runs every test of the texts, under our capabilities and schemas,
// and gives pass or fail by package.test.
func runRegoTests(ctx context.Context, text map[string]string) (map[string]string, error) {
	c, err := compile(text, Entries)
	if err != nil {
		return nil, fmt.Errorf("compiling rules and tests: %w", err)
	}
	return testsOf(ctx, c)
}

// testsOf asks each test rule by itself, as opa test does: it passes if it is true. It
// is not done with OPA's tester, which links Go's testing into every program.
func testsOf(ctx context.Context, c *ast.Compiler) (map[string]string, error) {
	store, out := inmem.NewFromObject(map[string]any{"settings": map[string]any{}}), map[string]string{}
	for _, m := range c.ParsedModules() {
		for _, r := range m.Rules {
			name := string(r.Head.Name)
			if !strings.HasPrefix(name, "test_") {
				continue
			}
			path := m.Package.Path.String() + "." + name
			out[strings.TrimPrefix(path, "data.")] = "fail"
			set, err := opa.New(opa.Compiler(c), opa.Store(store), opa.StrictBuiltinErrors(true), opa.Query(path)).Eval(ctx)
			if ctx.Err() != nil {
				return nil, fmt.Errorf("running Rego tests: %w", ctx.Err())
			}
			if err == nil && len(set) == 1 && set[0].Expressions[0].Value == true {
				out[strings.TrimPrefix(path, "data.")] = "pass"
			}
		}
	}
	return out, nil
}
