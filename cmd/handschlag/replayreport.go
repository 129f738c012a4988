package main

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/policy"
)

// replayReport is what a replay found. Its first members are the evidence that a
// release of the policy needs (OPS-02).
type replayReport struct {
	policy.Impact
	Current     string        `json:"current"`  // digest of the policy in force
	Distinct    int64         `json:"distinct"` // inputs among the decisions
	Own         ownReport     `json:"own"`
	Candidate   *changeReport `json:"candidate,omitempty"`
	Cases       casesReport   `json:"cases"`
	CPUSeconds  float64       `json:"cpu_seconds"`
	PerSecond   int64         `json:"decisions_per_cpu_second"`
	LoadSeconds float64       `json:"loading_cpu_seconds"` // of these, to compile the kept policies
	Notes       []string      `json:"notes"`
	limit       int
}

// ownReport is how decisions came out by the rules that judged them.
type ownReport struct {
	Replayed      int64                   `json:"replayed"`
	Equal         int64                   `json:"equal"`
	ByAction      map[string]*actionShare `json:"by_action"`
	NotReplayable map[string]int64        `json:"not_replayable"` // "action: why" → how many
	Unequal       []replayExample         `json:"unequal,omitempty"`
}

type actionShare struct {
	Decisions int64 `json:"decisions"`
	Replayed  int64 `json:"replayed"`
	Equal     int64 `json:"equal"`
}

// changeReport is what a candidate would change.
type changeReport struct {
	ByRule    map[string]*ruleChange  `json:"by_rule"`
	BySegment map[string]*changeCount `json:"by_segment"` // what a record knows: action, product_class, storefront, segment, slot, channel
	Fields    map[string]int64        `json:"fields"`     // "action.field" → decisions in which it changed
	Prices    priceChange             `json:"prices"`
	Examples  []replayExample         `json:"examples,omitempty"`
	shown     map[string]int
}

type ruleChange struct {
	Appears  int64 `json:"appears"`
	Vanishes int64 `json:"vanishes"`
}

type changeCount struct {
	NewlyAllowed int64 `json:"newly_allowed"`
	NewlyDenied  int64 `json:"newly_denied"`
	Changed      int64 `json:"changed"`
}

// priceChange is what shoppers would have paid instead.
type priceChange struct {
	Higher int64 `json:"higher"`
	Lower  int64 `json:"lower"`
	Cents  int64 `json:"cents"` // the sum of all differences
}

// replayExample is one decision that came out otherwise.
type replayExample struct {
	ID     string                        `json:"decision_id"`
	Action string                        `json:"action"`
	Kind   string                        `json:"kind"`
	Fields map[string][2]json.RawMessage `json:"fields"` // was, would be
}

// casesReport is how the event gate's cases came out.
type casesReport struct {
	Decisions         int64            `json:"decisions"` // a purpose of a stored event each
	Distinct          int64            `json:"distinct"`
	Replayed          int64            `json:"replayed"`
	Equal             int64            `json:"equal"`
	NotReplayable     map[string]int64 `json:"not_replayable"`
	Unequal           []caseExample    `json:"unequal,omitempty"`
	Unused            int64            `json:"cases_without_stored_event"`
	Refused           map[string]int64 `json:"refused_by_rule"` // hourly counters: one item may name many rules
	NewlyAllowedCases int64            `json:"newly_allowed_cases"`
	NewlyDenied       int64            `json:"newly_denied"`
	Changed           int64            `json:"changed"`
	ByRule            map[string]int64 `json:"by_rule"` // rules that would refuse stored events
	Examples          []caseExample    `json:"examples,omitempty"`
	CPUSeconds        float64          `json:"cpu_seconds"`
	PerSecond         int64            `json:"decisions_per_cpu_second"`
}

type caseExample struct {
	Case   json.RawMessage `json:"case"`
	N      int64           `json:"n,omitempty"`
	Kind   string          `json:"kind"`
	Gained []string        `json:"fields_gained,omitempty"`
	Lost   []string        `json:"fields_lost,omitempty"`
	Rules  []string        `json:"rules,omitempty"`
}

// replayNotes are what a reader must know of any report.
var replayNotes = [...]string{
	"A number that was drawn comes from a key and a pseudonym and is taken from the record; the choice that follows from it, with weights and rules, is made again.",
	"A refused event leaves only hourly counters: which case it was cannot be told, so its cases are judged, not counted.",
	"Each distinct input is one evaluation by OPA, some tenths of a millisecond, and that limits the rate; an input that came before is looked up.",
	"An export replays case by case; which files left is a fact and stays.",
}

func newReport(from, to time.Time, now policyAnswer, limit int) *replayReport {
	r := &replayReport{Current: now.Digests.Policy, limit: limit}
	r.Impact = policy.Impact{Policy: now.Digests.Policy, Since: from.UTC(), Until: to.UTC()}
	r.Own = ownReport{ByAction: map[string]*actionShare{}, NotReplayable: map[string]int64{}}
	r.Candidate = &changeReport{ByRule: map[string]*ruleChange{}, BySegment: map[string]*changeCount{}, Fields: map[string]int64{}, shown: map[string]int{}}
	r.Cases = casesReport{NotReplayable: map[string]int64{}, Refused: map[string]int64{}, ByRule: map[string]int64{}}
	r.Notes = replayNotes[:]
	return r
}

// judgedDecision is a record with how it came out.
type judgedDecision struct {
	record decide.Record
	own    flow.Replayed
	then   *flow.Replayed // by the candidate
}

func (r *replayReport) add(d judgedDecision) {
	r.Decisions++
	a := at(r.Own.ByAction, d.record.Action)
	a.Decisions++
	switch {
	case d.own.Why != "":
		r.Own.NotReplayable[d.record.Action+": "+d.own.Why]++
	default:
		a.Replayed++
		r.Own.Replayed++
		if d.own.Same {
			a.Equal++
			r.Own.Equal++
		} else if len(r.Own.Unequal) < r.limit {
			r.Own.Unequal = append(r.Own.Unequal, exampleOf(d.record, d.own, "unequal"))
		}
	}
	if d.then != nil && d.then.Why == "" {
		r.changed(d.record, *d.then)
	}
}

// at finds or makes a counter.
func at[T any](m map[string]*T, key string) *T {
	if m[key] == nil {
		m[key] = new(T)
	}
	return m[key]
}

func (c *casesReport) differs(limit int, ec policy.EventCase, n int64) {
	if body, err := ec.MarshalJSON(); err == nil && len(c.Unequal) < limit {
		c.Unequal = append(c.Unequal, caseExample{Case: body, N: n, Kind: "unequal"})
	}
}

func (c *casesReport) example(limit int, e caseExample) {
	n := 0
	for _, x := range c.Examples {
		if x.Kind == e.Kind {
			n++
		}
	}
	if n < limit {
		c.Examples = append(c.Examples, e)
	}
}

// finish computes the rates.
func (r *replayReport) finish() {
	if r.Policy == r.Current && len(r.Candidate.shown) == 0 && len(r.Candidate.Fields) == 0 {
		r.Candidate = nil
	}
	r.PerSecond = perSecond(r.Decisions, r.CPUSeconds)
	r.Cases.PerSecond = perSecond(r.Cases.Decisions, r.Cases.CPUSeconds)
}

func perSecond(n int64, seconds float64) int64 {
	if seconds <= 0 {
		return 0
	}
	return int64(float64(n) / seconds)
}

// verdict is the error of a replay that did not come out as recorded.
func (r *replayReport) verdict() error {
	if d := r.Own.Replayed - r.Own.Equal; d > 0 {
		return fmt.Errorf("%d of %d replayable decisions did not come out as recorded", d, r.Own.Replayed)
	}
	if d := r.Cases.Replayed - r.Cases.Equal; d > 0 {
		return fmt.Errorf("%d of %d replayable cases of stored events did not come out as recorded", d, r.Cases.Replayed)
	}
	return nil
}
