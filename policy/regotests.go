package policy

import (
	"context"
	"fmt"
	"io/fs"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/storage"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/tester"
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

func testsOf(ctx context.Context, c *ast.Compiler) (map[string]string, error) {
	store, out := inmem.NewFromObject(map[string]any{"settings": map[string]any{}}), map[string]string{}
	runner := tester.NewRunner().SetCompiler(c).SetStore(store).SetModules(c.ParsedModules()).RaiseBuiltinErrors(true)
	err := storage.Txn(ctx, store, storage.TransactionParams{}, func(txn storage.Transaction) error {
		results, err := runner.RunTests(ctx, txn)
		if err != nil {
			return err
		}
		for r := range results {
			name := r.Package[len("data."):] + "." + r.Name
			if r.Pass() {
				out[name] = "pass"
			} else {
				out[name] = "fail"
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("running Rego tests: %w", err)
	}
	return out, nil
}
