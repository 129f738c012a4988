package main

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/policy"
)

type auditTableCmd struct {
	place
	Type    string `placeholder:"EVENT" help:"One type of event, as product_viewed."`
	Purpose string `placeholder:"PURPOSE" help:"One purpose, as analytics."`
	Lang    string `enum:"de,en" default:"en" help:"de or en."`
	Format  string `enum:"text,csv,json" default:"text" help:"text, csv or json."`
	Expand  bool   `help:"With csv: a line for every single case."`
	Diff    string `placeholder:"REV" help:"A folder of rules: what this candidate would change of the policy in force. The beginning of a policy digest kept with decisions: what has changed since, up to the policy in force."`
}

// Run prints what the event gate keeps of what, for which purpose, when and why: every
// case there is, under the policy in force.
func (c auditTableCmd) Run(ctx context.Context, s streams) error {
	narrow, err := c.narrow()
	if err != nil {
		return err
	}
	if c.Expand && c.Format != "csv" {
		return fmt.Errorf("--expand: needs --format csv")
	}
	return c.within(ctx, s, func(r *reached) error {
		now, err := r.inForce(ctx)
		if err != nil {
			return err
		}
		rules, err := r.rulesOf(ctx, now.Digests, policy.EntryEvent)
		if err != nil {
			return err
		}
		is, err := rules.Table(ctx)
		if err != nil {
			return interrupted(ctx, err, "no table was printed")
		}
		out := bufio.NewWriterSize(s.out, 1<<16)
		p := tablePrinter{out: out, words: tableWords[c.Lang], lang: c.Lang, table: is, rules: rules, narrow: narrow, now: now, ids: map[string]bool{}}
		if c.Diff != "" {
			err = p.diff(ctx, r, c)
		} else {
			err = p.whole(c)
		}
		if err != nil {
			return err
		}
		return out.Flush()
	})
}

func (c auditTableCmd) narrow() (n policy.Narrow, err error) {
	if c.Type != "" {
		k, ok := policy.KindNamed(c.Type)
		if !ok {
			return n, fmt.Errorf("--type: there is no event type %q, want one of %s", c.Type, strings.Join(kindNames(event.Kinds), " "))
		}
		n.Kind = &k
	}
	if c.Purpose != "" {
		p, ok := policy.GatePurpose(c.Purpose)
		if !ok {
			return n, fmt.Errorf("--purpose: the event gate decides no purpose %q, want one of %s", c.Purpose, joinAll(policy.GatePurposes, " "))
		}
		n.Purpose = p
	}
	return n, nil
}

func kindNames(ks []event.Kind) []string {
	out := make([]string, len(ks))
	for i, k := range ks {
		out[i] = k.String()
	}
	return out
}

func joinAll[S ~string](all []S, by string) string {
	out := make([]string, len(all))
	for i, s := range all {
		out[i] = string(s)
	}
	return strings.Join(out, by)
}

// tablePrinter prints a table of cases.
type tablePrinter struct {
	out    *bufio.Writer
	words  map[string]string
	lang   string
	table  *policy.Table
	rules  *policy.Rules
	other  *policy.Rules // with --diff: the ones to compare with; they may have rules of their own
	narrow policy.Narrow
	now    policyAnswer
	ids    map[string]bool // of rules that were named
}

func (p *tablePrinter) printf(format string, args ...any) { _, _ = fmt.Fprintf(p.out, format, args...) }

var tableWords = map[string]map[string]string{
	"en": {
		"title": "What the event gate keeps, for which purpose, when and why", "policy": "policy", "config": "configuration",
		"stamp": "an event needs a consent stamp", "nostamp": "events need no consent stamp: the book alone decides",
		"cases": "cases", "all": "all", "distinct": "distinct ids", "complete": "complete: the lists' lengths multiply to the number of cases, each number leads to its case and back, and all ids differ",
		"kept": "something is kept in", "judged": "OPA judged %d of them; the others differ only in what no rule asks about. Distinct verdicts: %d",
		"digest": "digest of all cases with their verdicts (SHA-256)", "purpose": "purpose", "events": "event types", "states": "states",
		"keeps": "kept: %s", "refused": "refused by %s", "night": "at night: %s", "when": "when", "always": "always", "rules": "The rules in words", "facts": "The facts in words",
		"any": "any", "limits": "What is kept is at most what LAW-06 names for the purpose.", "since": "What changed from the older policy %s to the one in force, %s", "would": "What would change from the policy in force, %s, to the candidate %s (%s)",
		"newly": "newly kept", "nolonger": "no longer kept", "fields": "kept with other fields", "others": "refused by other rules", "same": "the same",
		"more": "and %s", "less": "no longer %s", "because": "because of %s", "nobecause": "no longer because of %s",
	},
	"de": {
		"title": "Was das Ereignis-Tor behält, für welchen Zweck, wann und warum", "policy": "Regeln", "config": "Konfiguration",
		"stamp": "ein Ereignis braucht einen Einwilligungsstempel", "nostamp": "Ereignisse brauchen keinen Einwilligungsstempel: das Buch allein entscheidet",
		"cases": "Fälle", "all": "alle", "distinct": "verschiedene Kennungen", "complete": "vollständig: die Längen der Listen ergeben malgenommen die Zahl der Fälle, jede Nummer führt zu ihrem Fall und zurück, und alle Kennungen sind verschieden",
		"kept": "etwas behalten wird in", "judged": "OPA hat %d davon beurteilt; die übrigen unterscheiden sich nur in dem, wonach keine Regel fragt. Verschiedene Urteile: %d",
		"digest": "Prüfsumme aller Fälle mit ihren Urteilen (SHA-256)", "purpose": "Zweck", "events": "Ereignisarten", "states": "Zustände",
		"keeps": "behalten: %s", "refused": "abgelehnt durch %s", "night": "nachts: %s", "when": "wenn", "always": "immer", "rules": "Die Regeln in Worten", "facts": "Die Tatsachen in Worten",
		"any": "beliebig", "limits": "Behalten wird höchstens, was LAW-06 für den Zweck nennt.", "since": "Was sich von den älteren Regeln %s zu den geltenden %s geändert hat", "would": "Was sich von den geltenden Regeln %s zum Entwurf %s (%s) ändern würde",
		"newly": "neu behalten", "nolonger": "nicht mehr behalten", "fields": "mit anderen Feldern behalten", "others": "durch andere Regeln abgelehnt", "same": "gleich",
		"more": "dazu %s", "less": "nicht mehr %s", "because": "wegen %s", "nobecause": "nicht mehr wegen %s",
	},
}

// whole prints a table in the format asked for.
func (p *tablePrinter) whole(c auditTableCmd) error {
	switch {
	case c.Expand:
		return p.every()
	case c.Format == "csv":
		return p.csv()
	}
	proof, err := p.table.Proof()
	if err != nil {
		return err
	}
	if !proof.Complete() {
		return fmt.Errorf("the table is not complete: %d cases of %d, %d ids", proof.Cases, proof.Product, proof.Distinct)
	}
	if c.Format == "json" {
		return p.json(proof)
	}
	p.head(proof)
	p.blocks()
	p.legend()
	return nil
}

// listOrder is how the lists multiply to the cases.
var listOrder = []string{"kind", "purpose", "state", "stamp", "gpc", "dnt", "tag", "age"}

func (p *tablePrinter) head(proof policy.Proof) {
	w := p.words
	factors := make([]string, len(listOrder))
	for i, name := range listOrder {
		factors[i] = fmt.Sprintf("%d %s", proof.Lists[name], name)
	}
	stamp := w["stamp"]
	if !p.now.RequireStamp {
		stamp = w["nostamp"]
	}
	p.printf("%s\n%s %s, %s %.16s: %s\n", w["title"], w["policy"], p.table.Digests.Policy, w["config"], p.now.Digests.Config, stamp)
	p.printf("%d %s = %s; %d %s\n%s\n", proof.Cases, w["cases"], strings.Join(factors, " × "), proof.Distinct, w["distinct"], w["complete"])
	p.printf("%s %d; "+w["judged"]+"\n", w["kept"], proof.Allowed, proof.Judged, proof.Verdicts)
	p.printf("%s: %s\n", w["digest"], proof.Digest)
}

func (p *tablePrinter) blocks() {
	var purpose, kinds string
	for _, b := range p.table.Blocks(p.narrow) {
		p.under(&purpose, &kinds, string(b.Purpose), b.Kinds)
		p.printf("    %s (%d %s)\n", joinAll(b.States, ", "), b.Cases(), p.words["cases"])
		for _, k := range b.Kept {
			p.printf("      "+p.words["keeps"]+p.when(k.Box)+"\n", strings.Join(k.Keep.Names(), " "))
		}
		for _, r := range b.Refused {
			p.ids[r.Rule] = true
			p.printf("      "+p.words["refused"]+"%s%s\n", r.Rule, p.whenAny(r.Boxes), p.atNight(b, r))
		}
		p.onlyAtNight(b)
	}
}

// under prints a new heading where purpose or kinds change.
func (p *tablePrinter) under(purpose, kinds *string, now string, ks []event.Kind) {
	names := strings.Join(kindNames(ks), ", ")
	if len(ks) == event.KindCount {
		names = p.words["all"]
	}
	if *purpose != now {
		p.printf("\n%s %s\n", p.words["purpose"], now)
		*kinds = ""
	}
	if *kinds != names {
		p.printf("  %s: %s\n", p.words["events"], names)
	}
	*purpose, *kinds = now, names
}

// atNight tells a refusal that the night does not name so.
func (p *tablePrinter) atNight(b policy.Block, r policy.Refusal) string {
	if slices.ContainsFunc(b.Night, func(n policy.Refusal) bool { return n.Rule == r.Rule }) {
		return ""
	}
	return " (" + fmt.Sprintf(p.words["night"], "—") + ")"
}

func (p *tablePrinter) onlyAtNight(b policy.Block) {
	for _, n := range b.Night {
		if !slices.ContainsFunc(b.Refused, func(r policy.Refusal) bool { return r.Rule == n.Rule }) {
			p.ids[n.Rule] = true
			p.printf("      "+p.words["night"]+"%s\n", n.Rule, p.whenAny(n.Boxes))
		}
	}
}

// when says under which circumstances: those that matter.
func (p *tablePrinter) when(b policy.Box) string {
	facts := b.Facts()
	var parts []string
	for _, name := range policy.BoxFacts() {
		if values := facts[name]; values != nil {
			parts = append(parts, name+" "+strings.Join(values, "|"))
		}
	}
	if len(parts) == 0 {
		return " " + p.words["always"]
	}
	return " " + p.words["when"] + " " + strings.Join(parts, ", ")
}

func (p *tablePrinter) whenAny(bs []policy.Box) string {
	parts := make([]string, len(bs))
	for i, b := range bs {
		parts[i] = p.when(b)
	}
	return strings.Join(parts, ";")
}

func (p *tablePrinter) legend() {
	p.printf("\n%s\n", p.words["facts"])
	for _, line := range factWords[p.lang] {
		p.printf("  %s\n", line)
	}
	p.printf("\n%s\n%s\n", p.words["rules"], p.words["limits"])
	for _, r := range p.named() {
		p.printf("  %s: %s (%s)\n", r.Rule, p.said(r), law(r.LegalBasis, p.lang))
	}
}

// named are the rules that were named, and the one that says what may be kept.
func (p *tablePrinter) named() []policy.Reason {
	ids := []string{"LAW-06"}
	for id := range p.ids {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	said := p.rules.ReasonsIn(policy.EntryEvent, ids)
	if p.other != nil {
		for _, r := range p.other.ReasonsIn(policy.EntryEvent, ids) {
			if !slices.ContainsFunc(said, func(x policy.Reason) bool { return x.Rule == r.Rule }) {
				said = append(said, r)
			}
		}
	}
	return said
}

func (p *tablePrinter) said(r policy.Reason) string {
	if p.lang == "de" {
		return r.De
	}
	return r.En
}

// tableRow is a row of one verdict, for machines. A fact that is not named may have
// any value.
type tableRow struct {
	Types   []string            `json:"types"`
	Purpose string              `json:"purpose"`
	States  []policy.CaseState  `json:"states"`
	When    map[string][]string `json:"when"`
	Kept    []string            `json:"kept"`
	Rules   []string            `json:"rules"`
	Night   []string            `json:"night"`
	Cases   int                 `json:"cases"`
}

func (p *tablePrinter) rows(each func(tableRow) error) error {
	return p.table.Rows(p.narrow, func(r policy.Row) error {
		for _, id := range slices.Concat(r.Verdict.Rules, r.Verdict.Night) {
			p.ids[id] = true
		}
		return each(tableRow{
			Types: kindNames(r.Kinds), Purpose: string(r.Purpose), States: r.States, When: r.Box.Facts(), Kept: r.Verdict.Keep.Names(),
			Rules: r.Verdict.Rules, Night: r.Verdict.Night, Cases: r.Cases(),
		})
	})
}

// json writes one object, row by row.
func (p *tablePrinter) json(proof policy.Proof) error {
	head, err := json.Marshal(map[string]any{"digests": p.now.Digests, "require_stamp": p.now.RequireStamp, "proof": proof})
	if err != nil {
		return err
	}
	p.printf("%s,\"rows\":[", head[:len(head)-1])
	by := "\n"
	err = p.rows(func(r tableRow) error {
		b, err := json.Marshal(r)
		p.printf("%s%s", by, b)
		by = ",\n"
		return err
	})
	if err != nil {
		return err
	}
	words, err := json.Marshal(p.named())
	p.printf("\n],\"rules\":%s}\n", words)
	return err
}

var tableColumns = []string{"types", "purpose", "states", "stamp", "gpc", "dnt", "tag", "age", "kept", "rules", "night", "cases"}

func (p *tablePrinter) csv() error {
	w := csv.NewWriter(p.out)
	if err := w.Write(tableColumns); err != nil {
		return err
	}
	err := p.rows(func(r tableRow) error {
		line := []string{strings.Join(r.Types, "|"), r.Purpose, joinAll(r.States, "|")}
		for _, name := range policy.BoxFacts() {
			if values := r.When[name]; values != nil {
				line = append(line, strings.Join(values, "|"))
			} else {
				line = append(line, "any")
			}
		}
		return w.Write(append(line, strings.Join(r.Kept, "|"), strings.Join(r.Rules, "|"), strings.Join(r.Night, "|"), strconv.Itoa(r.Cases)))
	})
	w.Flush()
	return err
}

// every writes a line for each case.
func (p *tablePrinter) every() error {
	w := csv.NewWriter(p.out)
	if err := w.Write(tableColumns[:len(tableColumns)-1]); err != nil {
		return err
	}
	for c := range policy.EnumerateCases() {
		if p.narrow.Kind != nil && *p.narrow.Kind != c.Kind || p.narrow.Purpose != "" && p.narrow.Purpose != c.Purpose {
			continue
		}
		v, _ := p.table.Verdict(c)
		err := w.Write([]string{
			c.Kind.String(), string(c.Purpose), string(c.State), string(c.Stamp), strconv.FormatBool(c.GPC), strconv.FormatBool(c.DNT), string(c.Tag), c.Age,
			strings.Join(v.Keep.Names(), "|"), strings.Join(v.Rules, "|"), strings.Join(v.Night, "|"),
		})
		if err != nil {
			return err
		}
	}
	w.Flush()
	return w.Error()
}
