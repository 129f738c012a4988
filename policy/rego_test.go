package policy

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/cover"
	"github.com/open-policy-agent/opa/v1/format"
	"github.com/open-policy-agent/opa/v1/storage"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/tester"
)

// regoFiles reads every .rego file of this folder, tests included.
func regoFiles(t *testing.T) map[string]string {
	t.Helper()
	names, err := fs.Glob(os.DirFS("."), "*/*.rego")
	if err != nil || len(names) < 2*(len(Entries)+1) {
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

func TestRegoIsFormatted(t *testing.T) {
	for name, text := range regoFiles(t) {
		want, err := format.SourceWithOpts(name, []byte(text), format.Opts{RegoVersion: ast.RegoV1})
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(want, []byte(text)) {
			t.Errorf("%s is not formatted as opa fmt does it", name)
		}
	}
}

func TestRegoPackageFileAndFolderShareAName(t *testing.T) {
	for name, text := range regoFiles(t) {
		m := ast.MustParseModule(text)
		folder, file := path.Dir(name), strings.TrimSuffix(path.Base(name), ".rego")
		if file != folder && file != folder+"_test" || m.Package.Path.String() != "data."+file {
			t.Errorf("%s holds package %s", name, m.Package.Path)
		}
	}
}

// TestRego runs the Rego tests under the compiler that serves, so under its
// capabilities and schemas, and asks that they reach every line of the rules.
func TestRego(t *testing.T) {
	compiler, err := compile(regoFiles(t), Entries)
	if err != nil {
		t.Fatal(err)
	}
	ctx, reached := context.Background(), cover.New()
	store := inmem.NewFromObject(map[string]any{"settings": map[string]any{}})
	runner := tester.NewRunner().SetCompiler(compiler).SetStore(store).SetModules(compiler.ParsedModules()).
		SetCoverageQueryTracer(reached).RaiseBuiltinErrors(true)
	n := 0
	err = storage.Txn(ctx, store, storage.TransactionParams{}, func(txn storage.Transaction) error {
		results, err := runner.RunTests(ctx, txn)
		if err != nil {
			return err
		}
		for r := range results {
			if n++; !r.Pass() {
				t.Errorf("%s: %s", r.Location, r)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d Rego tests, coverage of the rules %s", n, coverage(t, reached.Report(compiler.ParsedModules())))
}

// coverage fails for each range of a rule file that no test reached.
func coverage(t *testing.T, r cover.Report) string {
	lines, missed := 0, 0
	for name, f := range r.Files {
		if strings.HasSuffix(name, "_test.rego") {
			continue
		}
		lines += f.CoveredLines + f.NotCoveredLines
		missed += f.NotCoveredLines
		for _, not := range f.NotCovered {
			t.Errorf("%s: no test reaches lines %d to %d", name, not.Start.Row, not.End.Row)
		}
	}
	return fmt.Sprintf("%.1f %% of %d lines", 100*float64(lines-missed)/float64(lines), lines)
}

// ruleID is law.md's form of an id, or one of ours.
var ruleID = regexp.MustCompile(`^(CON|SIG|LAW|SPC|ESC|PRI|VAR|EXP|BAT|RGT|ADM|OPS)-[0-9]{2}$|^OFFER-[A-Z-]+$|^PRICE-[A-Z]+$|^SWITCH$`)

// TestEveryRuleIDHasWords finds the ids that rules can give, and asks each for
// complete metadata in its own package.
func TestEveryRuleIDHasWords(t *testing.T) {
	law := map[string]string{} // id → legal basis, the same in every package
	for name, text := range regoFiles(t) {
		if strings.HasSuffix(name, "_test.rego") {
			continue
		}
		m, err := ast.ParseModuleWithOpts(name, text, ast.ParserOptions{ProcessAnnotation: true})
		if err != nil {
			t.Fatal(err)
		}
		said := wordsIn(t, name, m)
		for _, id := range idsIn(m) {
			if said[id] == nil {
				t.Errorf("%s: rule %s has no metadata", name, id)
			}
		}
		for id, custom := range said {
			basis := custom["legal_basis"].(string)
			if was, ok := law[id]; ok && was != basis {
				t.Errorf("%s: %s has legal basis %q here and %q elsewhere", name, id, basis, was)
			}
			law[id] = basis
		}
	}
	t.Logf("%d rule ids with words", len(law))
}

// idsIn lists the constants in the heads of rules that have the form of an id.
func idsIn(m *ast.Module) []string {
	var out []string
	for _, r := range m.Rules {
		for ; r != nil; r = r.Else {
			ast.WalkTerms(r.Head, func(x *ast.Term) bool {
				if s, ok := x.Value.(ast.String); ok && ruleID.MatchString(string(s)) {
					out = append(out, string(s))
				}
				return false
			})
		}
	}
	return out
}

// wordsIn checks the metadata that bears an id and gives it by id.
func wordsIn(t *testing.T, name string, m *ast.Module) map[string]map[string]any {
	out := map[string]map[string]any{}
	for _, a := range m.Annotations {
		id, _ := a.Custom["id"].(string)
		if id == "" {
			continue
		}
		if !ruleID.MatchString(id) {
			t.Errorf("%s: %q is no rule id", name, id)
		}
		if a.Title == "" || a.Description == "" {
			t.Errorf("%s: %s lacks title or description", name, id)
		}
		for _, key := range []string{"de", "en", "legal_basis", "source", "force", "sdm"} {
			if s, _ := a.Custom[key].(string); len(s) < 3 {
				t.Errorf("%s: %s lacks %s", name, id, key)
			}
		}
		if was := out[id]; was != nil && (was["de"] != a.Custom["de"] || was["en"] != a.Custom["en"]) {
			t.Errorf("%s: %s says two things", name, id)
		}
		if !slices.Contains([]string{"binding", "guidance", "contested", "voluntary"}, a.Custom["force"].(string)) {
			t.Errorf("%s: %s has force %v", name, id, a.Custom["force"])
		}
		out[id] = a.Custom
	}
	return out
}

// complete are the rules that issue 2 asks to be whole.
var complete = []string{
	"CON-01", "CON-04", "CON-05", "CON-10", "CON-11", "CON-12", "CON-14", "SIG-01", "SIG-02", "SIG-10", "LAW-06", "SPC-01",
	"SPC-02", "ESC-01", "ESC-03", "ESC-04", "PRI-01", "PRI-02", "PRI-03", "PRI-08", "PRI-09", "PRI-11", "EXP-01", "EXP-07",
	"BAT-01", "BAT-02", "BAT-03",
}

func TestEveryCompleteRuleIsAllowedAndDenied(t *testing.T) {
	var tests strings.Builder
	for name, text := range regoFiles(t) {
		if strings.HasSuffix(name, "_test.rego") {
			tests.WriteString(text)
		}
	}
	for _, id := range complete {
		for _, way := range []string{"allow", "deny"} {
			prefix := "test_" + strings.ToLower(strings.ReplaceAll(id, "-", "_")) + "_" + way + "_"
			if !strings.Contains(tests.String(), "\n"+prefix) {
				t.Errorf("no Rego test begins with %s", prefix)
			}
		}
	}
}

// Our runner and OPA's say the same of every test.
func TestRegoTestsRunAsOPARunsThem(t *testing.T) {
	compiler, err := compile(regoFiles(t), Entries)
	if err != nil {
		t.Fatal(err)
	}
	ours, err := testsOf(context.Background(), compiler)
	if err != nil {
		t.Fatal(err)
	}
	ctx, store, n := context.Background(), inmem.NewFromObject(map[string]any{"settings": map[string]any{}}), 0
	err = storage.Txn(ctx, store, storage.TransactionParams{}, func(txn storage.Transaction) error {
		results, err := tester.NewRunner().SetCompiler(compiler).SetStore(store).SetModules(compiler.ParsedModules()).RaiseBuiltinErrors(true).RunTests(ctx, txn)
		if err != nil {
			return err
		}
		for r := range results {
			n++
			if name := strings.TrimPrefix(r.Package, "data.") + "." + r.Name; (ours[name] == "pass") != r.Pass() {
				t.Errorf("%s: OPA says %v, we say %q", name, r.Pass(), ours[name])
			}
		}
		return nil
	})
	if err != nil || n != len(ours) || n < 400 {
		t.Errorf("OPA ran %d tests, we %d: %v", n, len(ours), err)
	}
}
