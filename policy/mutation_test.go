package policy

import (
	"context"
	"strings"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/storage"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/tester"
)

// TestEveryRefusalIsMissedWhenItIsGone takes out, one at a time, each rule that
// gives an id, and asks that a Rego test of its package notices.
func TestEveryRefusalIsMissedWhenItIsGone(t *testing.T) {
	files := regoFiles(t)
	for _, pkg := range append([]Entry{shared}, Entries...) {
		t.Run(string(pkg), func(t *testing.T) {
			t.Parallel()
			near := map[string]string{}
			for _, name := range []Entry{shared, pkg} {
				near[file(string(name))] = files[file(string(name))]
			}
			test := strings.Replace(file(string(pkg)), ".rego", "_test.rego", 1)
			near[test] = files[test]
			if noticed(t, near, file(string(pkg)), -1, "") {
				t.Fatal("the tests fail with every rule in place")
			}
			n := 0
			for i, r := range ast.MustParseModule(near[file(string(pkg))]).Rules {
				if ids := idsIn(&ast.Module{Rules: []*ast.Rule{r}}); len(ids) > 0 {
					n++
					own := "test_" + strings.ReplaceAll(strings.ToLower(ids[0]), "-", "_") + "_"
					if !noticed(t, near, file(string(pkg)), i, own) && !noticed(t, near, file(string(pkg)), i, "") {
						t.Errorf("line %d: no test misses %s", r.Location.Row, ids[0])
					}
				}
			}
			t.Logf("%d rules taken out", n)
		})
	}
}

// noticed compiles the package without its i-th rule (-1: with all) and runs
// those of its tests whose names have a part.
func noticed(t *testing.T, text map[string]string, rules string, i int, part string) bool {
	t.Helper()
	modules := map[string]*ast.Module{}
	for name, src := range text {
		modules[name] = ast.MustParseModule(src)
	}
	m := modules[rules]
	if i >= 0 {
		m.Rules = append(m.Rules[:i:i], m.Rules[i+1:]...)
	}
	c := ast.NewCompiler()
	if c.Compile(modules); c.Failed() {
		return true // the rule was alone in its set, and something reads the set
	}
	ctx, store, failed := context.Background(), inmem.NewFromObject(map[string]any{}), false
	err := storage.Txn(ctx, store, storage.TransactionParams{}, func(txn storage.Transaction) error {
		results, err := tester.NewRunner().Filter(part).SetCompiler(c).SetStore(store).SetModules(modules).RunTests(ctx, txn)
		if err != nil {
			return err
		}
		for r := range results {
			failed = failed || !r.Pass()
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return failed
}
