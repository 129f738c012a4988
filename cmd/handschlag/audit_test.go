package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/policy"
)

func TestEveryDecisionIsExplainedInWords(t *testing.T) {
	for name, x := range map[string]struct {
		record  decide.Record
		reasons []policy.Reason
		want    string
	}{
		"a rule":                  {decide.Record{Action: decide.ActionPrice, Rules: []string{"PRC-01"}}, []policy.Reason{{Rule: "PRC-01", En: "a", De: "b"}}, "because PRC-01: a"},
		"a rule that is no more":  {decide.Record{Action: decide.ActionPrice, Rules: []string{"PRC-01"}}, nil, "because: PRC-01, for which today's rules have no words"},
		"a switch":                {decide.Record{Action: decide.ActionSwitch, Actor: "dpo:eva", Input: []byte(`{"name":"offers","on":false,"reason":"a complaint"}`)}, nil, "because: decided by dpo:eva — a complaint"},
		"a variant":               {decide.Record{Action: decide.ActionVariant, Result: []byte(`{"allowed":true,"variant":"plain"}`)}, nil, "because: no rule limited it"},
		"an export of the night":  {decide.Record{Action: decide.ActionExport, Result: []byte(`{"published":true}`)}, nil, "because: no rule limited it"},
		"a download":              {decide.Record{Action: decide.ActionExport, Actor: "marketing:max", Result: []byte(`{"bytes":7}`)}, nil, "because: fetched by marketing:max, no rule limited it"},
		"a hand-over":             {decide.Record{Action: decide.ActionHandover, Result: []byte(`{"allowed":true}`)}, nil, "because: no rule limited it"},
		"how a hand-over ended":   {decide.Record{Action: decide.ActionHandover, Actor: "adviser:ida", Result: []byte(`{"outcome":"sold"}`)}, nil, "because: noted by adviser:ida at the end of the contact"},
		"a refusal without rules": {decide.Record{Action: decide.ActionHandover, Result: []byte(`{"allowed":false}`)}, nil, "because: the record names no rule"},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			streams{out: &out}.tell(flow.Story{DecisionAnswer: flow.DecisionAnswer{Record: x.record, Reasons: x.reasons}}, "en")
			if !strings.Contains(out.String(), "\n"+x.want+"\n") || strings.Count(out.String(), "because") != 1 {
				t.Errorf("want %q in\n%s", x.want, &out)
			}
		})
	}
}
