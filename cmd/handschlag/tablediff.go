package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/handschlag/handschlag/policy"
)

// diff prints what a candidate would change of the policy in force, or what the one
// in force has changed since another one.
func (p *tablePrinter) diff(ctx context.Context, r *reached, c auditTableCmd) error {
	if c.Format == "csv" {
		return fmt.Errorf("--diff: prints text or json")
	}
	other, err := r.revision(ctx, c.Diff, p.now, policy.EntryEvent)
	if err != nil {
		return fmt.Errorf("--diff: %w", err)
	}
	was, err := other.Table(ctx)
	if err != nil {
		return fmt.Errorf("--diff %s: %w", c.Diff, err)
	}
	title, is := fmt.Sprintf(p.words["since"], was.Digests.Policy, p.table.Digests.Policy), p.table
	p.other = other
	if isFolder(c.Diff) {
		was, is = is, was
		title = fmt.Sprintf(p.words["would"], was.Digests.Policy, is.Digests.Policy, c.Diff)
	}
	changed, count := policy.Diff(was, is, p.narrow)
	if c.Format == "json" {
		return json.NewEncoder(p.out).Encode(diffAnswer{From: was.Digests.Policy, To: is.Digests.Policy, Count: count, Changed: changesOf(changed)})
	}
	w := p.words
	p.printf("%s\n", title)
	p.printf("%s %d, %s %d, %s %d, %s %d, %s %d\n", w["newly"], count.NewlyKept, w["nolonger"], count.NoLonger, w["fields"], count.OtherFields, w["others"], count.OtherRules, w["same"], count.Same)
	p.changes(changed)
	if len(changed) > 0 {
		p.legend()
	}
	return nil
}

func (p *tablePrinter) changes(changed []policy.Changed) {
	var purpose, kinds string
	for _, b := range changed {
		p.under(&purpose, &kinds, string(b.Purpose), b.Kinds)
		p.printf("    %s\n", joinAll(b.States, ", "))
		for _, x := range b.Changes {
			p.printf("      %s%s\n", p.change(x.Delta), p.when(x.Box))
		}
	}
}

// change says a change in words.
func (p *tablePrinter) change(d policy.Delta) string {
	w, parts := p.words, []string{p.words[kindOf(d)]}
	say := func(key string, what []string) {
		if len(what) > 0 {
			parts = append(parts, fmt.Sprintf(w[key], strings.Join(what, " ")))
		}
	}
	say("more", d.Gained.Names())
	say("less", d.Lost.Names())
	say("because", d.Appear)
	say("nobecause", d.Vanish)
	for _, id := range append(d.Appear, d.Vanish...) {
		p.ids[id] = true
	}
	return strings.Join(parts, ", ")
}

// kindOf names the kind of a change, as the words have it.
func kindOf(d policy.Delta) string {
	switch {
	case d.Is && !d.Was:
		return "newly"
	case d.Was && !d.Is:
		return "nolonger"
	case d.Gained|d.Lost != 0:
		return "fields"
	}
	return "others"
}

// diffAnswer is a difference for machines.
type diffAnswer struct {
	From    string             `json:"from"`
	To      string             `json:"to"`
	Count   policy.Differences `json:"count"`
	Changed []diffRow          `json:"changed"`
}

type diffRow struct {
	Types   []string            `json:"types"`
	Purpose string              `json:"purpose"`
	States  []policy.CaseState  `json:"states"`
	When    map[string][]string `json:"when"`
	Was     bool                `json:"was_kept"`
	Is      bool                `json:"is_kept"`
	Gained  []string            `json:"fields_gained"`
	Lost    []string            `json:"fields_lost"`
	Appear  []string            `json:"rules_added"`
	Vanish  []string            `json:"rules_gone"`
	Cases   int                 `json:"cases"`
}

func changesOf(changed []policy.Changed) []diffRow {
	out := []diffRow{}
	for _, b := range changed {
		for _, x := range b.Changes {
			out = append(out, diffRow{
				Types: kindNames(b.Kinds), Purpose: string(b.Purpose), States: b.States, When: x.Box.Facts(), Was: x.Delta.Was, Is: x.Delta.Is,
				Gained: x.Delta.Gained.Names(), Lost: x.Delta.Lost.Names(), Appear: x.Delta.Appear, Vanish: x.Delta.Vanish,
				Cases: len(b.Kinds) * len(b.States) * x.Box.Cases(),
			})
		}
	}
	return out
}
