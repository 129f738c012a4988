package flow

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/policy"
)

// opaEvent is a decision as OPA logs decisions: the JSON of logs.EventV1 of OPA's
// v1/plugins/logs. A test holds it against OPA's own type.
type opaEvent struct {
	Labels      map[string]string    `json:"labels"`
	DecisionID  string               `json:"decision_id"`
	Bundles     map[string]opaBundle `json:"bundles,omitempty"`
	Path        string               `json:"path,omitempty"`
	Input       json.RawMessage      `json:"input,omitempty"`
	Result      json.RawMessage      `json:"result,omitempty"`
	Erased      []string             `json:"erased,omitempty"`
	RequestedBy string               `json:"requested_by,omitempty"`
	Timestamp   time.Time            `json:"timestamp"`
	RuleLabels  []map[string]any     `json:"rule_labels,omitempty"`
	Custom      map[string]any       `json:"custom,omitempty"`
}

type opaBundle struct {
	Revision string `json:"revision,omitempty"`
}

// opaType marks a line as OPA's console logger does.
const opaType = "openpolicyagent.org/decision_logs"

// OPAEvent gives a record as a line of OPA's decision log. words puts its rules into
// words (nil: ids alone). What OPA has no member for stands under custom, the chain
// among it, so that a line that is missing or was edited is found in the export, too.
func OPAEvent(r decide.Record, words func(policy.Entry, []string) []policy.Reason) ([]byte, error) {
	hash := r.Hash()
	e := opaEvent{
		Labels: map[string]string{"app": "handschlag", "id": r.Writer, "version": r.Binary}, DecisionID: r.ID, RequestedBy: r.Actor, Timestamp: r.Time,
		Bundles: map[string]opaBundle{"handschlag": {Revision: r.Digests.Policy}}, Input: r.Input, Result: r.Result,
		Custom: map[string]any{"type": opaType, "action": r.Action, "n": r.N, "prev": r.Prev, "hash": hex.EncodeToString(hash[:]), "digests": r.Digests, "rules": r.Rules},
	}
	if entry := entryOf[r.Action]; entry != "" {
		e.Path = string(entry) + "/verdict"
	}
	if !r.Subject.IsZero() {
		e.Custom["subject"] = r.Subject
	}
	if r.PPM > 0 {
		e.Custom["propensity_ppm"], e.Custom["seed"] = r.PPM, r.Seed
	}
	if r.Need != nil {
		e.Custom["need"] = r.Need
	}
	if r.Erased != "" {
		e.Erased, e.Custom["erased_hash"] = []string{"/input", "/result"}, r.Erased
	}
	if words != nil {
		for _, w := range words(entryOf[r.Action], r.Rules) {
			e.RuleLabels = append(e.RuleLabels, map[string]any{"id": w.Rule, "legal_basis": w.LegalBasis})
		}
	}
	b, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("writing a line of OPA's log: %w", err)
	}
	return b, nil
}

// OPALine is OPAEvent in the words of the rules in force.
func (f *Flow) OPALine(r decide.Record) ([]byte, error) { return OPAEvent(r, f.words) }
