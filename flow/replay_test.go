package flow_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/policy"
)

// replayer judges by the rules that a record names, read from what is kept.
func (s *shop) replayer(r decide.Record) *flow.Replayer {
	s.t.Helper()
	kept := func(digest string) []byte {
		b, err := s.host.Document(ctx, digest)
		ok(s.t, err)
		return b
	}
	rules, err := policy.LoadDocument(ctx, kept(r.Digests.Policy), kept(r.Digests.Capabilities))
	ok(s.t, err)
	return &flow.Replayer{Rules: rules, Weights: func(_ context.Context, digest string) (w decide.Weights, err error) {
		return w, json.Unmarshal(kept(digest), &w)
	}}
}

// busy makes decisions of every kind that the day makes.
func busy(t *testing.T) *shop {
	s := newShop(t, needy, hero, segmented(""))
	s.staffed(5, "chat")
	s.interested(ada)
	s.grant(ada, consent.PersonalisationContent, consent.Experimentation, consent.Analytics, consent.AdviserAssist)
	s.escalate(ada, "B12")
	s.escalate(bob, "B12")
	_, err := s.Card(ctx, s.accepted(ada), adviser)
	ok(t, err)
	for _, device := range []string{ada, bob} {
		s.variant(device, "de")
		s.variant(device, "fr")
	}
	talk := s.talking(flow.HandoverCall{}, consent.RecordingAV)
	s.records(talk, adviser, flow.RecordingCall{On: &begin, Kind: "audio"})
	s.records(talk, adviser, flow.RecordingCall{On: &stop})
	s.loyal(ada)
	s.variant(ada, "de")
	s.variant(bob, "de")
	s.judged(quote())
	s.judged(claimed(20))
	_, err = s.PutSwitch(ctx, flow.SwitchVariants, flow.SwitchCall{Reason: "a test"}, dpo)
	ok(t, err)
	s.variant(bob, "de")
	return s
}

func TestEveryDecisionReplaysByteForByte(t *testing.T) {
	s := busy(t)
	all, err := s.host.ReadDecisions(ctx)
	ok(t, err)
	kinds := map[string]int{}
	for _, r := range all {
		got, err := s.replayer(r).Replay(ctx, r)
		ok(t, err)
		switch {
		case r.Action == decide.ActionSwitch:
			want(t, got.Why, "no rules judge it: a person's own act")
		case got.Why != "" || !got.Same:
			t.Errorf("%s came out as %s %v (%s), recorded %s %v", r.Action, got.Result, got.Rules, got.Why, r.Result, r.Rules)
		}
		kinds[r.Action]++
	}
	for _, kind := range []string{decide.ActionEscalate, decide.ActionHandover, decide.ActionCard, decide.ActionVariant, decide.ActionPrice, decide.ActionConduct, decide.ActionSwitch} {
		if kinds[kind] == 0 {
			t.Errorf("no %s was decided", kind)
		}
	}
}

func TestAChangedRecordDoesNotReplay(t *testing.T) {
	s := busy(t)
	for name, x := range map[string]struct {
		action string
		change func(*decide.Record)
	}{
		"another verdict": {decide.ActionPrice, func(r *decide.Record) { r.Result = []byte(strings.Replace(string(r.Result), "true", "false", 1)) }},
		"a rule more":     {decide.ActionEscalate, func(r *decide.Record) { r.Rules = append(r.Rules, "ESC-99") }},
		"another variant": {decide.ActionVariant, func(r *decide.Record) {
			r.Result = []byte(strings.Replace(string(r.Result), `"variant":"`, `"variant":"x`, 1))
		}},
		"another share":     {decide.ActionVariant, func(r *decide.Record) { r.PPM++ }},
		"another lot":       {decide.ActionEscalate, func(r *decide.Record) { r.Seed, r.PPM = "hmac-sha256/1 holdout day=2026-11-21 draw=0/1000000", 950_000 }},
		"an unreadable lot": {decide.ActionEscalate, func(r *decide.Record) { r.Seed = "none" }},
	} {
		t.Run(name, func(t *testing.T) {
			r := s.decisions(x.action)[0]
			x.change(&r)
			got, err := s.replayer(r).Replay(ctx, r)
			if err != nil || got.Same || got.Why != "" {
				t.Errorf("same %v, not replayable %q, error %v", got.Same, got.Why, err)
			}
		})
	}
}

// Offers of the first release left out what was empty; they replay as they were written.
func TestAnOfferOfTheFirstReleaseReplays(t *testing.T) {
	s := busy(t)
	r := s.decisions(decide.ActionEscalate)[1] // bob's: nothing offered
	for _, empty := range []string{`"channels":[],`, `"held_out":false,`, `"hint":"",`} {
		if !strings.Contains(string(r.Result), empty) {
			t.Fatalf("%s is not in %s", empty, r.Result)
		}
		r.Result = []byte(strings.Replace(string(r.Result), empty, "", 1))
	}
	got, err := s.replayer(r).Replay(ctx, r)
	if err != nil || !got.Same || string(got.Result) != string(r.Result) {
		t.Errorf("came out as %s, recorded %s, %v", got.Result, r.Result, err)
	}
}

// exported is the record of a row set with the given cases, judged by today's rules.
func exported(t *testing.T, s *shop, cases ...policy.ExportCase) decide.Record {
	t.Helper()
	rules, err := policy.Load(ctx, policy.Settings{}, policy.EntryExport)
	ok(t, err)
	r := decide.Record{Action: decide.ActionExport, Digests: s.decided(t).Digests, Rules: []string{}, Result: []byte(`{"published":true,"rows":31}`)}
	told := []map[string]any{}
	for _, c := range cases {
		v, err := rules.Export(ctx, c)
		ok(t, err)
		b, err := json.Marshal(c)
		ok(t, err)
		one := map[string]any{"allowed": v.Allowed, "rules": v.Rules, "rows": 31}
		ok(t, json.Unmarshal(b, &one))
		told, r.Rules = append(told, one), append(r.Rules, v.Rules...)
	}
	slices.Sort(r.Rules)
	r.Rules = slices.Compact(r.Rules)
	r.Input, err = decide.Canonical(map[string]any{"segment": "loyal", "purpose": "marketing_email", "cases": told})
	ok(t, err)
	return r
}

func TestAnExportReplaysCaseByCase(t *testing.T) {
	s := newShop(t)
	c := policy.ExportCase{Purpose: consent.MarketingEmail, State: policy.StateGiven, Source: policy.StateGiven, Tag: policy.TagNone, Age: "unknown"}
	late := c
	late.State = policy.StateWithdrawn
	r := exported(t, s, c, late)
	got, err := s.replayer(r).Replay(ctx, r)
	ok(t, err)
	if !got.Same {
		t.Errorf("came out as\n%s %v, recorded\n%s %v", got.Input, got.Rules, r.Input, r.Rules)
	}
	r.Input = []byte(strings.Replace(string(r.Input), `"CON-10",`, "", 1))
	got, err = s.replayer(r).Replay(ctx, r)
	ok(t, err)
	if got.Same || !strings.Contains(string(got.Input), `"CON-10"`) {
		t.Errorf("a case whose rule was taken out replays: %s", got.Input)
	}
}

// decided gives some decision of the shop.
func (s *shop) decided(t *testing.T) decide.Record {
	t.Helper()
	s.judged(quote())
	return s.decisions(decide.ActionPrice)[0]
}
