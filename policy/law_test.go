package policy

import (
	"context"
	"encoding/json"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// goTests finds the names of all Go tests of the module.
func goTests(t *testing.T) []string {
	t.Helper()
	name := regexp.MustCompile(`(?m)^func (Test\w+)\(t \*testing\.T\)`)
	var out []string
	err := filepath.WalkDir("..", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() && strings.HasPrefix(d.Name(), ".") && d.Name() != ".." || d.Name() == "node_modules" {
			if d != nil && d.IsDir() && err == nil {
				return filepath.SkipDir
			}
			return err
		}
		if !strings.HasSuffix(p, "_test.go") {
			return nil
		}
		b, err := os.ReadFile(p)
		for _, m := range name.FindAllSubmatch(b, -1) {
			out = append(out, string(m[1]))
		}
		return err
	})
	if err != nil || len(out) < 100 {
		t.Fatalf("found %d Go tests: %v", len(out), err)
	}
	return out
}

// TestEveryRuleOfTheLawIsAccountedFor asks of each of the 100 rules that it is held
// by rules or code that exist and that name it, with a test of what it allows and
// one of what it denies; or that it is due, or excluded with a reason.
func TestEveryRuleOfTheLawIsAccountedFor(t *testing.T) {
	r, err := NewRegister(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if r.Counts["law"] != 100 {
		t.Errorf("the catalogue has %d rules", r.Counts["law"])
	}
	inGo := goTests(t)
	for _, x := range r.Rules {
		switch x.Standing {
		case StandingHeld:
			accounted(t, x, inGo)
		case StandingDue:
			if !strings.HasPrefix(x.ID, "RGT-") || x.WhyDe == "" || x.WhyEn == "" {
				t.Errorf("%s is due: only rights are, each with a reason", x.ID)
			}
		case StandingExcluded:
			if !slices.Equal(x.Where, []string{"ops"}) || x.WhyDe == "" || x.WhyEn == "" {
				t.Errorf("%s is excluded: only what people do in operations is, with a reason", x.ID)
			}
		default:
			t.Errorf("%s is not implemented: %s", x.ID, x.TitleEn)
		}
		if x.De == "" || x.En == "" {
			t.Errorf("%s has no plain words", x.ID)
		}
	}
	t.Logf("%v", r.Counts)
}

// accounted checks a held rule. Our own rules need no pair of tests, but words.
func accounted(t *testing.T, x Registered, inGo []string) {
	t.Helper()
	for _, name := range x.Enforced {
		b, err := os.ReadFile(filepath.Join("..", filepath.FromSlash(name)))
		if err != nil {
			t.Errorf("%s is enforced in %s, which is not there", x.ID, name)
		} else if !strings.Contains(string(b), x.ID) && !strings.HasSuffix(name, ".rego") {
			t.Errorf("%s is enforced in %s, which does not name it", x.ID, name)
		}
	}
	if len(x.Enforced) == 0 {
		t.Errorf("%s is enforced nowhere", x.ID)
	}
	if x.Catalogue == "" {
		return
	}
	if x.LegalBasis == "" || x.SDM == "" || x.Source == "" {
		t.Errorf("%s lacks legal basis, source or protection goal", x.ID)
	}
	for way, prefix := range map[string]string{"allow_": "Allow", "deny_": "Deny"} {
		inRego := slices.ContainsFunc(x.Tests, func(l LawTest) bool { return strings.Contains(l.Name, "."+regoTestPrefix(x.ID)+way) })
		if !inRego && !slices.ContainsFunc(inGo, func(n string) bool { return strings.HasPrefix(n, goTestPrefix(x.ID)+prefix) }) {
			t.Errorf("%s has no test %s%s* in Rego and no %s%s* in Go", x.ID, regoTestPrefix(x.ID), way, goTestPrefix(x.ID), prefix)
		}
	}
}

func TestEveryRegoTestOfTheRegisterPasses(t *testing.T) {
	r, err := NewRegister(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range r.Rules {
		for _, l := range x.Tests {
			if l.Result == "fail" {
				t.Errorf("%s of %s fails", l.Name, x.ID)
			}
		}
	}
}

// The record of Go tests names only tests that there are: an older name is stale.
func TestTheRecordOfGoTestsIsOfTestsThatExist(t *testing.T) {
	var run GoRun
	if err := lawFile("gotests", &run); err != nil {
		t.Fatal(err)
	}
	inGo := goTests(t)
	for name := range run.Tests {
		if !slices.Contains(inGo, strings.TrimPrefix(path.Ext(name), ".")) {
			t.Errorf("%s is recorded and gone: make record", name)
		}
	}
}

// What a rule reads is found through helpers, local names and other packages.
func TestTheRegisterFindsWhatARuleReads(t *testing.T) {
	r, err := NewRegister(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string][]string{
		"PRI-10": {"quote.basis", "consent_given", "quote.offer_cents", "settings.max_discount_bp"},
		"CON-10": {"blocks.*.status", "consent.status", "state"},
		"EXP-03": {"objection", "suppressed"},
	} {
		i := slices.IndexFunc(r.Rules, func(x Registered) bool { return x.ID == id })
		for _, path := range want {
			if !slices.Contains(r.Rules[i].Inputs, path) {
				t.Errorf("%s reads %s, the register has %v", id, path, r.Rules[i].Inputs)
			}
		}
	}
	i := slices.IndexFunc(r.Rules, func(x Registered) bool { return x.ID == "PRI-10" })
	if slices.Contains(r.Rules[i].Inputs, "facts.covered") {
		t.Error("PRI-10 is said to read what it does not")
	}
}

func TestTheCatalogueHasEachRuleOnce(t *testing.T) {
	law, err := Law()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, r := range law {
		if seen[r.ID] || !isRuleID(r.ID) || r.De == "" || r.En == "" || r.Rule == "" || r.Source == "" || r.Force == "" || len(r.Where) == 0 {
			t.Errorf("%s is there twice, or incomplete", r.ID)
		}
		seen[r.ID] = true
	}
}

// A file that Go cannot embed would be left out silently by whoever writes it.
func TestEveryFileOfTheLawIsRead(t *testing.T) {
	names, err := filepath.Glob("law/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		b, err := fs.ReadFile(lawFiles, filepath.ToSlash(name))
		if err != nil || !json.Valid(b) {
			t.Errorf("%s is not read: %v", name, err)
		}
	}
}
