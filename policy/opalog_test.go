package policy_test

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/open-policy-agent/opa/v1/plugins/logs"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/policy"
)

// TestAnExportedDecisionIsOneOfOPAs reads our lines with OPA's own type, strictly,
// and turns them into what OPA's masking policies see.
func TestAnExportedDecisionIsOneOfOPAs(t *testing.T) {
	r := decide.Record{
		ID: "019a0000-0000-7000-8000-000000000001", Writer: "w", N: 7, Prev: "aa", Time: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC), Action: decide.ActionPrice,
		Subject: consent.Subject{1}, Input: json.RawMessage(`{"quote":{"list_cents":10000}}`), Digests: decide.Digests{Policy: "p1", Capabilities: "c1", Config: "f1"},
		Binary: "test", Rules: []string{"PRI-02"}, Result: json.RawMessage(`{"price_allowed":true}`), PPM: 5, Seed: "s", Actor: "dpo:eva", Need: &decide.Score{Version: "1", Total: 3},
	}
	line, err := flow.OPAEvent(r, func(e policy.Entry, ids []string) []policy.Reason {
		return []policy.Reason{{Rule: ids[0], LegalBasis: "§ 11 PAngV"}}
	})
	if err != nil {
		t.Fatal(err)
	}
	dec := json.NewDecoder(bytes.NewReader(line))
	dec.DisallowUnknownFields()
	var e logs.EventV1
	if err := dec.Decode(&e); err != nil {
		t.Fatalf("OPA's type does not take %s: %v", line, err)
	}
	input := (*e.Input).(map[string]any)["quote"].(map[string]any)["list_cents"]
	if e.DecisionID != r.ID || e.Path != "pricing/verdict" || e.Bundles["handschlag"].Revision != "p1" || !e.Timestamp.Equal(r.Time) || e.RequestedBy != "dpo:eva" || input != 10000.0 {
		t.Errorf("OPA reads %+v", e)
	}
	if len(e.RuleLabels) != 1 || e.RuleLabels[0]["id"] != "PRI-02" || e.Custom["prev"] != "aa" || len(e.Custom["hash"].(string)) != 64 {
		t.Errorf("labels %v, custom %v", e.RuleLabels, e.Custom)
	}
	if _, err := e.AST(); err != nil {
		t.Errorf("OPA cannot mask it: %v", err)
	}
	r.Erased, r.Input, r.Result = "bb", nil, nil
	if line, err = flow.OPAEvent(r, nil); err != nil || json.Unmarshal(line, &e) != nil || len(e.Erased) != 2 {
		t.Errorf("erased: %s, %v", line, err)
	}
}
