package main

import (
	"context"
	"encoding/csv"
	"fmt"
	"slices"
	"strings"

	"github.com/handschlag/handschlag/policy"
)

type auditRegisterCmd struct {
	Lang   string `enum:"de,en" default:"de" help:"de or en; German unless told."`
	Format string `enum:"md,json,csv" default:"md" help:"md, json or csv."`
	Rule   string `placeholder:"ID" help:"Only this rule, like CON-11."`
}

// Run prints the register of the law, from the rules' own metadata. It runs the
// Rego tests that the binary carries; one that fails makes the command fail.
func (c auditRegisterCmd) Run(ctx context.Context, s streams) error {
	r, err := policy.NewRegister(ctx)
	if err != nil {
		return err
	}
	rules := r.Rules
	if c.Rule != "" {
		rules = slices.DeleteFunc(slices.Clone(rules), func(x policy.Registered) bool { return !strings.EqualFold(x.ID, c.Rule) })
		if len(rules) == 0 {
			return fmt.Errorf("there is no rule %s: handschlag audit register lists them all", c.Rule)
		}
	}
	switch c.Format {
	case "json":
		err = printJSON(s, policy.Register{Rules: rules, Counts: r.Counts, GoRun: r.GoRun})
	case "csv":
		err = registerCSV(s, rules, c.Lang)
	default:
		registerText{s, registerWords[c.Lang], c.Lang}.print(r, rules, c.Rule == "")
	}
	if failed := r.Counts["tests fail"]; err == nil && failed > 0 {
		err = fmt.Errorf("%d tests of the rules fail: the register marks them", failed)
	}
	return err
}

// in gives a rule's texts in one language.
func in(lang string, r policy.Registered) (title, plain, why string) {
	if lang == "de" {
		return r.TitleDe, r.De, r.WhyDe
	}
	return r.TitleEn, r.En, r.WhyEn
}

func registerCSV(s streams, rules []policy.Registered, lang string) error {
	w, words := csv.NewWriter(s.out), registerWords[lang]
	_ = w.Write([]string{"id", "title", "plain", "standing", "why", "source", "force", "legal_basis", "sdm", "places", "inputs", "enforced", "tests", "passed", "failed", "not_run", "since"})
	for _, r := range rules {
		title, plain, why := in(lang, r)
		n := results(r)
		_ = w.Write([]string{
			r.ID, title, plain, words.of(string(r.Standing)), why, r.Source, words.each(r.Force, "/"), law(r.LegalBasis, lang), words.of(r.SDM), words.list(r.Where),
			strings.Join(r.Inputs, " "), strings.Join(r.Enforced, " "), strings.Join(testNames(r), " "),
			fmt.Sprint(n["pass"]), fmt.Sprint(n["fail"]), fmt.Sprint(n[policy.NotRun]), r.Since,
		})
	}
	w.Flush()
	return w.Error()
}

func results(r policy.Registered) map[string]int {
	out := map[string]int{}
	for _, t := range r.Tests {
		out[t.Result]++
	}
	return out
}

func testNames(r policy.Registered) []string {
	out := make([]string, len(r.Tests))
	for i, t := range r.Tests {
		out[i] = t.Name
	}
	return out
}

// registerText prints the register for people.
type registerText struct {
	streams
	words vocabulary
	lang  string
}

func (t registerText) print(r *policy.Register, rules []policy.Registered, whole bool) {
	w := t.words
	if whole {
		t.printf("# %s\n\n%s\n\n", w["title"], w["intro"])
		t.counts(r)
	}
	family := ""
	for _, x := range rules {
		if f, _, _ := strings.Cut(x.ID, "-"); whole && f != family {
			family = f
			t.printf("## %s\n\n", w.of(f))
		}
		t.rule(x)
	}
}

func (t registerText) counts(r *policy.Register) {
	w, n := t.words, r.Counts
	t.printf("| %s | |\n|---|---:|\n", w["counts"])
	for _, row := range []struct {
		name string
		n    int
	}{
		{w["law"], n["law"]}, {w["held"], n["held"]}, {w["due"], n["due"]}, {w["excluded"], n["excluded"]}, {w["missing"], n["missing"]}, {w["own"], n["own"]},
		{w["tests"], n["tests"]}, {w["passed"], n["tests pass"]}, {w["failed"], n["tests fail"]}, {w["notrun"], n["tests "+policy.NotRun]},
	} {
		t.printf("| %s | %d |\n", row.name, row.n)
	}
	t.printf("\n%s\n\n", w["live"])
	if r.GoRun.Revision != "" {
		t.printf(w["recorded"]+"\n\n", len(r.GoRun.Tests), r.GoRun.Revision, r.GoRun.Date)
	} else {
		t.printf("%s\n\n", w["unrecorded"])
	}
}

func (t registerText) rule(r policy.Registered) {
	w := t.words
	title, plain, why := in(t.lang, r)
	t.printf("### %s · %s\n\n%s\n\n", r.ID, title, plain)
	line := func(key, value string) {
		if value != "" {
			t.printf("- **%s:** %s\n", w[key], value)
		}
	}
	line("state", strings.TrimSuffix(w.of(string(r.Standing))+": "+why, ": "))
	line("catalogue", r.Catalogue)
	line("basis", law(r.LegalBasis, t.lang))
	line("source", r.Source)
	line("force", w.each(r.Force, "/"))
	line("sdm", w.of(r.SDM))
	line("where", w.list(r.Where))
	line("inputs", code(r.Inputs))
	line("enforced", code(r.Enforced))
	if len(r.Tests) > 0 {
		n := results(r)
		line("shown", fmt.Sprintf(w["ran"], len(r.Tests), n["pass"], n["fail"], n[policy.NotRun])+" "+code(testNames(r)))
	}
	line("since", r.Since)
	t.printf("\n")
}

func code(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return "`" + strings.Join(names, "`, `") + "`"
}
