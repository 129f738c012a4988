package policy

import (
	"context"
	"embed"
	"fmt"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// Standing says how a rule of the law is held.
type Standing string

// The standings.
const (
	StandingHeld     Standing = "held"     // rules in Rego, or Go or SQL, with tests
	StandingDue      Standing = "due"      // comes with work that is announced
	StandingExcluded Standing = "excluded" // left to people, with the reason
	StandingMissing  Standing = "missing"  // nobody answers for it: never in a release
)

// Registered is one rule as the register of the law shows it. Everything but the
// catalogue's own words comes from the metadata of the rules themselves.
type Registered struct {
	ID         string    `json:"id"`
	TitleEn    string    `json:"title_en"`
	TitleDe    string    `json:"title_de"`
	De         string    `json:"de"` // plain words
	En         string    `json:"en"`
	Catalogue  string    `json:"catalogue"` // the catalogue's sentence; "" for a rule of our own
	Source     string    `json:"source"`
	Force      string    `json:"force"`
	LegalBasis string    `json:"legal_basis"`
	SDM        string    `json:"sdm"`
	Where      []string  `json:"where"`
	Inputs     []string  `json:"inputs"`   // every path that its rules read, directly or through others
	Enforced   []string  `json:"enforced"` // files
	Tests      []LawTest `json:"tests"`
	Since      string    `json:"since"`
	Standing   Standing  `json:"standing"`
	WhyDe      string    `json:"why_de,omitempty"` // it is due or excluded
	WhyEn      string    `json:"why_en,omitempty"`
}

// NotRun is the result of a test that no record tells of.
const NotRun = "not run by this binary"

// LawTest is a test that bears a rule's id.
type LawTest struct {
	Name   string `json:"name"`
	Result string `json:"result"` // pass | fail | NotRun
}

// Register is the register of the law.
type Register struct {
	Rules  []Registered   `json:"rules"` // of the catalogue in its order, then our own
	Counts map[string]int `json:"counts"`
	GoRun  GoRun          `json:"go_run"`
}

//go:embed */*.rego
var regoWithTests embed.FS

// NewRegister reads the register from the rules, runs their Rego tests, and adds
// the recorded results of the Go tests.
func NewRegister(ctx context.Context) (*Register, error) {
	law, err := Law()
	if err != nil {
		return nil, err
	}
	l := &ledgerOfLaw{by: map[string]*Registered{}}
	for _, r := range law {
		l.add(r.ID, &Registered{TitleEn: r.En, TitleDe: r.De, Catalogue: r.Rule, Source: r.Source, Force: r.Force, Where: r.Where})
	}
	text, err := textsOf(regoWithTests)
	if err != nil {
		return nil, err
	}
	if err := l.fromRego(text); err != nil {
		return nil, err
	}
	if err := l.fromGo(); err != nil {
		return nil, err
	}
	if err := l.fromOpen(); err != nil {
		return nil, err
	}
	run, err := l.test(ctx, text)
	if err != nil {
		return nil, err
	}
	return l.finish(run), nil
}

// ledgerOfLaw is a register in the making.
type ledgerOfLaw struct {
	order []string
	by    map[string]*Registered
}

func (l *ledgerOfLaw) add(id string, r *Registered) *Registered {
	r.ID = id
	l.by[id], l.order = r, append(l.order, id)
	return r
}

// at gives a rule, making one of our own if the catalogue has none.
func (l *ledgerOfLaw) at(id string) *Registered {
	if r := l.by[id]; r != nil {
		return r
	}
	return l.add(id, &Registered{})
}

// fromRego adds what the Rego rules say of themselves and read.
func (l *ledgerOfLaw) fromRego(text map[string]string) error {
	rules := map[string]string{}
	for name, t := range text {
		if !strings.HasSuffix(name, "_test.rego") {
			rules[name] = t
		}
	}
	c, err := compile(rules, Entries)
	if err != nil {
		return fmt.Errorf("compiling rules: %w", err)
	}
	read := newReader(c.Modules)
	for _, name := range sortedKeys(c.ParsedModules()) {
		m := c.ParsedModules()[name]
		for _, a := range m.Annotations {
			if id, _ := a.Custom["id"].(string); id != "" {
				l.annotated(id, a)
			}
		}
		for id, inputs := range read.module(name, m) {
			r := l.at(id)
			r.Inputs, r.Enforced = append(r.Inputs, inputs...), append(r.Enforced, "policy/"+name)
		}
	}
	return nil
}

// annotated adds the metadata of one Rego rule; the first words count.
func (l *ledgerOfLaw) annotated(id string, a *ast.Annotations) {
	text := func(key string) string { s, _ := a.Custom[key].(string); return s }
	l.at(id).describe(held{
		Title: a.Title, De: text("de"), En: text("en"), LegalBasis: text("legal_basis"), Source: text("source"),
		Force: text("force"), SDM: text("sdm"), Since: text("since"),
	})
}

// describe takes words where there are none yet.
func (r *Registered) describe(h held) {
	fill := func(to *string, from string) {
		if *to == "" {
			*to = from
		}
	}
	fill(&r.TitleEn, h.Title)
	fill(&r.De, h.De)
	fill(&r.En, h.En)
	fill(&r.LegalBasis, h.LegalBasis)
	fill(&r.Source, h.Source)
	fill(&r.Force, h.Force)
	fill(&r.SDM, h.SDM)
	if since := or2(h.Since, "1"); r.Since == "" || since < r.Since { // the first place that held it
		r.Since = since
	}
	r.Standing = StandingHeld
}

func (l *ledgerOfLaw) fromGo() error {
	hs, err := heldInGo()
	if err != nil {
		return err
	}
	for _, h := range hs {
		r := l.at(h.ID)
		r.describe(h)
		r.Inputs, r.Enforced = append(r.Inputs, h.Inputs...), append(r.Enforced, h.Enforced...)
	}
	return nil
}

// fromOpen adds what is due or excluded; what is held by now is not.
func (l *ledgerOfLaw) fromOpen() error {
	var os []open
	if err := lawFile("open", &os); err != nil {
		return err
	}
	for _, o := range os {
		if r := l.at(o.ID); r.Standing != StandingHeld || o.Is == string(StandingDue) {
			r.De, r.En = or2(r.De, o.De), or2(r.En, o.En)
			r.Standing, r.WhyDe, r.WhyEn = Standing(o.Is), o.WhyDe, o.WhyEn
		}
	}
	return nil
}

func or2(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// test adds the tests that bear each rule's id.
func (l *ledgerOfLaw) test(ctx context.Context, text map[string]string) (GoRun, error) {
	results, err := runRegoTests(ctx, text)
	if err != nil {
		return GoRun{}, err
	}
	var run GoRun
	if err := lawFile("gotests", &run); err != nil {
		return GoRun{}, err
	}
	for id, r := range l.by {
		for _, name := range sortedKeys(results) {
			if strings.Contains(name, "."+regoTestPrefix(id)) {
				r.Tests = append(r.Tests, LawTest{Name: name, Result: results[name]})
			}
		}
		for _, name := range sortedKeys(run.Tests) {
			if strings.Contains(name, "."+goTestPrefix(id)) {
				r.Tests = append(r.Tests, LawTest{Name: name, Result: run.Tests[name]})
			}
		}
	}
	return run, nil
}

func regoTestPrefix(id string) string {
	return "test_" + strings.ToLower(strings.ReplaceAll(id, "-", "_")) + "_"
}

func goTestPrefix(id string) string { return "Test" + strings.ReplaceAll(id, "-", "") }

// finish sorts what was gathered and counts it.
func (l *ledgerOfLaw) finish(run GoRun) *Register {
	out := &Register{Counts: map[string]int{}, GoRun: run}
	for _, id := range l.order {
		r := *l.by[id]
		r.Inputs, r.Enforced, r.Tests = unique(r.Inputs), unique(r.Enforced), append([]LawTest{}, r.Tests...)
		r.Since = or2(r.Since, "1")
		if r.Standing == "" {
			r.Standing = StandingMissing
		}
		if r.TitleDe == "" {
			r.TitleDe = r.TitleEn
		}
		if r.Catalogue == "" {
			out.Counts["own"]++
		} else {
			out.Counts["law"]++
			out.Counts[string(r.Standing)]++
		}
		for _, t := range r.Tests {
			out.Counts["tests"]++
			out.Counts["tests "+t.Result]++
		}
		out.Rules = append(out.Rules, r)
	}
	return out
}
