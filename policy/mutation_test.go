package policy

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"
	opa "github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
)

// Every n-th mutant that is no deleted rule is tried; make mutation tries all.
var every = flag.Int("mutants", 25, "try one of so many mutants that change a rule, drawn by a fixed seed; 1 tries all")

// killed is the least share of mutants that tests must notice, in percent.
const killed = 95

// A battery is a package's tests with what they give on the rules as they are.
type battery struct {
	rules string // file name
	near  map[string]*ast.Module
	tests []string          // queries
	want  map[string]string // their answers
}

// TestMutantsAreNoticed changes the rules one place at a time and asks that a
// test of the package notices. A rule that can be taken out unnoticed fails; so
// does a package in which too many smaller changes go unnoticed.
func TestMutantsAreNoticed(t *testing.T) {
	files := regoFiles(t)
	var all, lived int
	for _, pkg := range packages(files) {
		t.Run(pkg, func(t *testing.T) {
			b := newBattery(t, files, pkg)
			tried, survivors := b.run(t, *every)
			for _, m := range survivors {
				t.Logf("survived at %s:%d: %s", b.rules, m.row, m.what)
				if m.body {
					t.Errorf("%s:%d: no test misses this rule", b.rules, m.row)
				}
			}
			all, lived = all+tried, lived+len(survivors)
			share := 100 - 100*float64(len(survivors))/float64(tried)
			t.Logf("%s: %d mutants, %d survived, %.1f %% killed", pkg, tried, len(survivors), share)
			if share < killed {
				t.Errorf("%s: %.1f %% of the mutants are killed, want %d %%", pkg, share, killed)
			}
		})
	}
	t.Logf("in total: %d mutants, %d survived, %.1f %% killed", all, lived, 100-100*float64(lived)/float64(all))
}

// packages lists the packages that have rules, sorted.
func packages(files map[string]string) []string {
	var out []string
	for name := range files {
		if pkg, rules, _ := strings.Cut(name, "/"); rules == pkg+".rego" {
			out = append(out, pkg)
		}
	}
	slices.Sort(out)
	return out
}

func newBattery(t *testing.T, files map[string]string, pkg string) *battery {
	t.Helper()
	test := pkg + "/" + pkg + "_test.rego"
	b := &battery{rules: file(pkg), near: map[string]*ast.Module{}}
	b.bring(files, b.rules)
	b.bring(files, test)
	for _, r := range b.near[test].Rules {
		q := b.near[test].Package.Path.String() + "." + string(r.Head.Ref()[0].Value.(ast.Var))
		if strings.Contains(q, ".test_") && !slices.Contains(b.tests, q) {
			b.tests = append(b.tests, q)
		}
	}
	c := b.compile(b.near[b.rules])
	if c == nil {
		t.Fatalf("%s does not compile", pkg)
	}
	b.want = map[string]string{}
	for _, q := range b.tests {
		b.want[q] = askTest(c, q)
		if got := b.want[q]; got == "" || strings.Contains(got, "false") {
			t.Errorf("%s gives %q", q, got)
		}
	}
	return b
}

// bring adds a file and the rules that it imports.
func (b *battery) bring(files map[string]string, name string) {
	if b.near[name] != nil || files[name] == "" {
		return
	}
	b.near[name] = ast.MustParseModule(files[name])
	for _, im := range b.near[name].Imports {
		if ref, ok := im.Path.Value.(ast.Ref); ok && len(ref) > 1 {
			b.bring(files, file(strings.Trim(ref[1].Value.String(), `"`)))
		}
	}
}

// compile compiles the package with a module in place of its rules; nil if that
// is no program.
func (b *battery) compile(rules *ast.Module) *ast.Compiler {
	modules := map[string]*ast.Module{}
	for name, m := range b.near {
		modules[name] = m.Copy()
	}
	modules[b.rules] = rules
	c := ast.NewCompiler()
	if c.Compile(modules); c.Failed() {
		return nil
	}
	return c
}

// noticed asks the tests, those that bear an id of the changed rule first, until
// one gives another answer than it did.
func (b *battery) noticed(c *ast.Compiler, ids []string) bool {
	var first, rest []string
	for _, q := range b.tests {
		if slices.ContainsFunc(ids, func(id string) bool { return strings.Contains(q, "."+regoTestPrefix(id)) }) {
			first = append(first, q)
		} else {
			rest = append(rest, q)
		}
	}
	return slices.ContainsFunc(append(first, rest...), func(q string) bool { return askTest(c, q) != b.want[q] })
}

// askTest evaluates a test; "" is undefined or an error.
func askTest(c *ast.Compiler, query string) string {
	set, err := opa.New(opa.Compiler(c), opa.Store(inmem.NewFromObject(map[string]any{})), opa.Query(query)).Eval(context.Background())
	if err != nil || len(set) != 1 {
		return ""
	}
	return fmt.Sprint(set[0].Expressions[0].Value)
}

// run tries every deleted rule and one of n of the other mutants.
func (b *battery) run(t *testing.T, n int) (tried int, survivors []*mutant) {
	t.Helper()
	draw := rand.New(rand.NewPCG(1, 2))
	var wg sync.WaitGroup
	var mu sync.Mutex
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	for i := 0; ; i++ {
		m, is := mutated(b.near[b.rules], i)
		if is == nil {
			break
		}
		if !is.body && draw.IntN(n) > 0 {
			continue
		}
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			c := b.compile(m)
			if c == nil {
				return // no program: nobody can serve it
			}
			lives := !b.noticed(c, headIDs(b.near[b.rules].Rules[is.rule]))
			mu.Lock()
			defer mu.Unlock()
			if tried++; lives {
				survivors = append(survivors, is)
			}
		})
	}
	wg.Wait()
	slices.SortFunc(survivors, func(a, b *mutant) int { return a.row - b.row })
	return tried, survivors
}
