package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/flow"
)

type auditCmd struct {
	Explain    auditExplainCmd    `cmd:"" help:"The whole of a decision, or of all about somebody: facts, rules, points, and what would have changed it."`
	Decisions  auditDecisionsCmd  `cmd:"" help:"List decisions, newest first."`
	Fairness   auditFairnessCmd   `cmd:"" help:"Compare what groups were offered, in a file of real offers."`
	Sample     auditSampleCmd     `cmd:"" help:"Draw a seeded random and stratified sample of decisions, as a worksheet."`
	Export     auditExportCmd     `cmd:"" help:"The decision log as OPA's tools read it."`
	ROPA       auditROPACmd       `cmd:"" help:"The record of processing activities (Art. 30), with what may run today."`
	DPIA       auditDPIACmd       `cmd:"" help:"Impact assessments in the EDPB's sections, filled in from the live register."`
	Retention  auditRetentionCmd  `cmd:"" help:"What is kept, for how long, how old the oldest is."`
	Recipients auditRecipientsCmd `cmd:"" help:"Who gets data: contracts, countries, counts."`
	ConsentUI  auditConsentUICmd  `cmd:"" name:"consent-ui" help:"The dossier of the consent controls: versions, review, choices."`
	Twins      auditTwinsCmd      `cmd:"" help:"Send pairs of visitors who differ only in what must not matter, and compare what they are told. It writes into the shop: see its help."`
	Table      auditTableCmd      `cmd:"" help:"Every case of the event gate: what is kept, for which purpose, when and why."`
	Replay     auditReplayCmd     `cmd:"" help:"Judge decisions again: by their own policy, which must give the same bytes, and by a candidate."`
	Revisions  auditRevisionsCmd  `cmd:"" help:"The policies that decisions name, with their first and last decision."`
	Register   auditRegisterCmd   `cmd:"" help:"Every rule: what it says, rests on, reads, and what tests it."`
	Record     auditRecordCmd     `cmd:"" hidden:"" help:"Record what go test -json printed of the tests that bear rule ids."`
	Incident   auditIncidentCmd   `cmd:"" help:"When the authority must know of a breach, and the report with what is known here."`
	Verify     auditVerifyCmd     `cmd:"" help:"Walk the decision log: removed, edited, inserted and moved records are named."`
	Events     auditEventsCmd     `cmd:"" help:"List what is stored of a day's events, one JSON object per line."`
}

func printJSON(s streams, v any) error {
	enc := json.NewEncoder(s.out)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// unruled says why a decision came out so that shows no rule in words.
func unruled(r decide.Record, lang string) string {
	var in struct {
		Reason string `json:"reason"`
	}
	var out struct{ Allowed, Published *bool }
	_, _ = json.Unmarshal(r.Input, &in), json.Unmarshal(r.Result, &out) // what they do not say is not told
	no := func(b *bool) bool { return b != nil && !*b }
	say := func(en, de string, args ...any) string {
		if lang == "de" {
			en = de
		}
		return fmt.Sprintf(en, args...)
	}
	switch {
	case len(r.Rules) > 0:
		return say("%s, for which today's rules have no words", "%s, wofür die heutigen Regeln keine Worte haben", strings.Join(r.Rules, ", "))
	case r.Action == decide.ActionSwitch:
		return say("decided by %s — %s", "entschieden von %s — %s", r.Actor, in.Reason)
	case r.Action == decide.ActionHandover && r.Actor != "":
		return say("noted by %s at the end of the contact", "von %s am Ende des Kontakts vermerkt", r.Actor)
	case r.Action == decide.ActionExport && r.Actor != "":
		return say("fetched by %s, no rule limited it", "abgeholt von %s, keine Regel hat es eingeschränkt", r.Actor)
	case no(out.Allowed) || no(out.Published):
		return say("the record names no rule", "das Protokoll nennt keine Regel")
	}
	return say("no rule limited it", "keine Regel hat es eingeschränkt")
}

type auditDecisionsCmd struct {
	place
	Action  string `enum:",escalate,handover,variant,price,price_move,card,conduct,export,rights,switch" default:"" help:"escalate, handover, variant, price, price_move, card, conduct, export, rights or switch."`
	Rule    string `help:"Rule id that took part."`
	Subject string `help:"Pseudonym."`
	From    moment `placeholder:"TIME" help:"RFC 3339, inclusive."`
	To      moment `placeholder:"TIME" help:"RFC 3339, exclusive."`
	Limit   int    `default:"50" help:"How many."`
	Lang    string `enum:"de,en" default:"en" help:"Language: de or en."`
	JSON    bool   `help:"Print the whole records, one per line."`
}

// moment is a time on the command line.
type moment struct{ time.Time }

// UnmarshalText says what it wants in words, not in Go's layout.
func (m *moment) UnmarshalText(b []byte) (err error) {
	if m.Time, err = time.Parse(time.RFC3339, string(b)); err != nil {
		return fmt.Errorf("want a time like 2026-11-21T06:00:00Z, got %q", b)
	}
	return nil
}

// Run lists decisions.
func (c auditDecisionsCmd) Run(ctx context.Context, s streams) error {
	if c.Limit < 0 {
		return notNegative("--limit", c.Limit)
	}
	return c.within(ctx, s, func(r *reached) error {
		q := flow.DecisionSearch{Action: c.Action, Rule: c.Rule, Subject: c.Subject, From: c.From.Time, To: c.To.Time}
		for left := c.Limit; left > 0; {
			q.Limit = min(left, 500)
			var page flow.DecisionsAnswer
			if err := r.ask(ctx, "POST", "/v1/decisions/search", q, &page); err != nil {
				return err
			}
			for _, d := range page.Decisions {
				if err := s.decision(d, c.Lang, c.JSON); err != nil {
					return err
				}
			}
			if left -= len(page.Decisions); page.Cursor == "" {
				return nil
			}
			q.Cursor = page.Cursor
		}
		return nil
	})
}

func (s streams) decision(d flow.DecisionAnswer, lang string, whole bool) error {
	if whole {
		return json.NewEncoder(s.out).Encode(d)
	}
	r := d.Record
	s.printf("%s %s %-9s %s  %s\n", r.Time.Format(time.RFC3339), r.ID, r.Action, cmp.Or(strings.Join(r.Rules, ","), "–"), wordsOf(r, lang))
	return nil
}

// wordsOf says what a decision came to.
func wordsOf(r decide.Record, lang string) string {
	said, err := r.Say()
	if err != nil {
		return pick(lang, "no words: ask the DPO", "keine Worte: den Datenschutz fragen")
	}
	return pick(lang, said.En, said.De)
}

type auditEventsCmd struct {
	place
	Day string `required:"" placeholder:"DATE" help:"Ingest day (UTC)."`
}

// Run lists stored events with the purposes and the fields that they were kept for.
func (c auditEventsCmd) Run(ctx context.Context, s streams) error {
	if _, err := time.Parse(time.DateOnly, c.Day); err != nil {
		return fmt.Errorf("--day: want a date like 2026-11-21, got %q", c.Day)
	}
	return c.within(ctx, s, func(r *reached) error {
		return r.copy(ctx, "/admin/events/"+c.Day, s.out)
	})
}
