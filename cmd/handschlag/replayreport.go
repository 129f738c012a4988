package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/policy"
)

// replayReport is what a replay found. Its first members are the evidence that a
// release of the policy needs (OPS-02).
type replayReport struct {
	policy.Impact
	Current    string        `json:"current"`  // digest of the policy in force
	Distinct   int64         `json:"distinct"` // inputs among the decisions
	Own        ownReport     `json:"own"`
	Candidate  *changeReport `json:"candidate,omitempty"`
	Cases      casesReport   `json:"cases"`
	CPUSeconds float64       `json:"cpu_seconds"`
	PerSecond  int64         `json:"decisions_per_cpu_second"`
	Notes      []string      `json:"notes"`
	limit      int
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

func newReport(from, to time.Time, now policyAnswer, limit int) *replayReport {
	r := &replayReport{Current: now.Digests.Policy, limit: limit}
	r.Impact = policy.Impact{Policy: now.Digests.Policy, Since: from.UTC(), Until: to.UTC()}
	r.Own = ownReport{ByAction: map[string]*actionShare{}, NotReplayable: map[string]int64{}}
	r.Candidate = &changeReport{ByRule: map[string]*ruleChange{}, BySegment: map[string]*changeCount{}, Fields: map[string]int64{}, shown: map[string]int{}}
	r.Cases = casesReport{NotReplayable: map[string]int64{}, Refused: map[string]int64{}, ByRule: map[string]int64{}}
	r.Notes = []string{
		"A number that was drawn comes from a key and a pseudonym and is taken from the record; the choice that follows from it, with weights and rules, is made again.",
		"A refused event leaves only hourly counters: which case it was cannot be told, so its cases are judged, not counted.",
		"An export replays case by case; which files left is a fact and stays.",
	}
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

// changed compares what a record holds with what the candidate would have said.
func (r *replayReport) changed(rec decide.Record, then flow.Replayed) {
	e := exampleOf(rec, then, "")
	if len(e.Fields) == 0 {
		return
	}
	e.Kind = kindOfChange(rec, then)
	c := r.Candidate
	for _, s := range segmentsOf(rec) {
		at(c.BySegment, s).add(e.Kind)
	}
	switch e.Kind {
	case "newly_denied":
		r.NewlyDenied++
	case "newly_allowed":
		r.NewlyAllowed++
	default:
		r.Changed++
	}
	for name := range e.Fields {
		c.Fields[rec.Action+"."+name]++
	}
	for _, id := range then.Rules {
		if !slices.Contains(rec.Rules, id) {
			at(c.ByRule, id).Appears++
		}
	}
	for _, id := range rec.Rules {
		if !slices.Contains(then.Rules, id) {
			at(c.ByRule, id).Vanishes++
		}
	}
	c.Prices.add(rec, then)
	if key := rec.Action + e.Kind; c.shown[key] < r.limit {
		c.shown[key]++
		c.Examples = append(c.Examples, e)
	}
}

func (c *changeCount) add(kind string) {
	switch kind {
	case "newly_denied":
		c.NewlyDenied++
	case "newly_allowed":
		c.NewlyAllowed++
	default:
		c.Changed++
	}
}

// exampleOf gives the members of result, rules and an export's cases that differ.
func exampleOf(rec decide.Record, then flow.Replayed, kind string) replayExample {
	e := replayExample{ID: rec.ID, Action: rec.Action, Kind: kind, Fields: map[string][2]json.RawMessage{}}
	was, is := members(rec.Result), members(then.Result)
	if rec.Action == decide.ActionExport {
		was["cases"], is["cases"] = members(rec.Input)["cases"], members(then.Input)["cases"]
	}
	rules := func(ids []string) json.RawMessage { b, _ := json.Marshal(append([]string{}, ids...)); return b } // strings always marshal
	was["rules"], is["rules"] = rules(rec.Rules), rules(then.Rules)
	for name := range was {
		if !bytes.Equal(was[name], is[name]) {
			e.Fields[name] = [2]json.RawMessage{was[name], orNull(is[name])}
		}
	}
	for name := range is {
		if was[name] == nil {
			e.Fields[name] = [2]json.RawMessage{json.RawMessage("null"), is[name]}
		}
	}
	return e
}

func orNull(b json.RawMessage) json.RawMessage {
	if b == nil {
		return json.RawMessage("null")
	}
	return b
}

func members(b json.RawMessage) map[string]json.RawMessage {
	m := map[string]json.RawMessage{}
	_ = json.Unmarshal(b, &m) // what is no object has no members
	return m
}

// kindOfChange says who loses or gains: a loss counts before a gain.
func kindOfChange(rec decide.Record, then flow.Replayed) string {
	was, is := granted(rec.Action, rec.Result, rec.Input), granted(rec.Action, then.Result, then.Input)
	kind := "changed"
	for name, yes := range was {
		if yes && !is[name] {
			return "newly_denied"
		}
		if !yes && is[name] {
			kind = "newly_allowed"
		}
	}
	return kind
}

// granted names what a decision can allow, and whether it did.
func granted(action string, result, input json.RawMessage) map[string]bool {
	var v struct {
		Offer        string                   `json:"offer"`
		Allowed      bool                     `json:"allowed"`
		PriceAllowed bool                     `json:"price_allowed"`
		ClaimAllowed bool                     `json:"claim_allowed"`
		Eligible     []string                 `json:"eligible"`
		Cases        []struct{ Allowed bool } `json:"cases"`
	}
	_ = json.Unmarshal(result, &v) // what it does not say, it does not allow
	switch action {
	case decide.ActionEscalate:
		return map[string]bool{"offer": v.Offer != "none" && v.Offer != ""}
	case decide.ActionPrice:
		return map[string]bool{"price": v.PriceAllowed, "claim": v.ClaimAllowed}
	case decide.ActionVariant:
		return map[string]bool{"content": len(v.Eligible) > 0}
	case decide.ActionExport:
		_ = json.Unmarshal(input, &v)
		out := map[string]bool{}
		for i, c := range v.Cases {
			out[fmt.Sprint(i)] = c.Allowed
		}
		return out
	}
	return map[string]bool{"allowed": v.Allowed}
}

// segmentsOf is what a record knows of whom it was about.
func segmentsOf(rec decide.Record) []string {
	var in struct {
		Class   string `json:"product_class"`
		Slot    string `json:"slot"`
		Segment string `json:"segment"`
		Channel string `json:"channel"`
		Quote   struct {
			Storefront string `json:"storefront"`
		} `json:"quote"`
	}
	var out struct {
		Segment string `json:"segment"`
	}
	_, _ = json.Unmarshal(rec.Input, &in), json.Unmarshal(rec.Result, &out) // what they do not say is not told
	said := []string{"action=" + rec.Action}
	for name, value := range map[string]string{
		"product_class": in.Class, "slot": in.Slot, "segment": in.Segment + out.Segment, "channel": in.Channel, "storefront": in.Quote.Storefront,
	} {
		if value != "" {
			said = append(said, name+"="+value)
		}
	}
	return said
}

func (c *priceChange) add(rec decide.Record, then flow.Replayed) {
	if rec.Action != decide.ActionPrice {
		return
	}
	var in struct {
		Quote struct {
			List  int64 `json:"list_cents"`
			Offer int64 `json:"offer_cents"`
		} `json:"quote"`
	}
	_ = json.Unmarshal(rec.Input, &in) // without a quote there is no price
	paid := func(result json.RawMessage) int64 {
		if granted(rec.Action, result, nil)["price"] {
			return in.Quote.Offer
		}
		return in.Quote.List
	}
	by := paid(then.Result) - paid(rec.Result)
	c.Cents += by
	if by > 0 {
		c.Higher++
	} else if by < 0 {
		c.Lower++
	}
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

// replayed prints a report as a person reads it.
func (s streams) replayed(r *replayReport, candidate bool) {
	s.printf("replay from %s to %s, policy in force %.16s\n", r.Since.Format(time.RFC3339), r.Until.Format(time.RFC3339), r.Current)
	s.printf("under their own policy: %s of %d replayable decisions are byte-equal (%d decisions, %d distinct inputs)\n", share(r.Own.Equal, r.Own.Replayed), r.Own.Replayed, r.Decisions, r.Distinct)
	for _, action := range slices.Sorted(maps.Keys(r.Own.ByAction)) {
		a := r.Own.ByAction[action]
		s.printf("  %-9s %d decided, %d replayed, %d equal\n", action, a.Decisions, a.Replayed, a.Equal)
	}
	for _, why := range slices.Sorted(maps.Keys(r.Own.NotReplayable)) {
		s.printf("  not replayable, %s: %d\n", why, r.Own.NotReplayable[why])
	}
	for _, e := range r.Own.Unequal {
		s.example(e)
	}
	c := r.Cases
	s.printf("events: %s of %d replayable case decisions are equal (%d decisions, %d distinct cases; %d cases without a stored event)\n", share(c.Equal, c.Replayed), c.Replayed, c.Decisions, c.Distinct, c.Unused)
	for _, why := range slices.Sorted(maps.Keys(c.NotReplayable)) {
		s.printf("  not replayable, %s: %d\n", why, c.NotReplayable[why])
	}
	if candidate {
		s.changes(r)
	}
	s.printf("CPU: %.2f s for decisions (%d/s), %.2f s for cases (%d/s)\n", r.CPUSeconds, r.PerSecond, c.CPUSeconds, c.PerSecond)
	for _, n := range r.Notes {
		s.printf("note: %s\n", n)
	}
}

func share(n, of int64) string {
	if of == 0 {
		return "none"
	}
	return fmt.Sprintf("%d (%.2f %%)", n, 100*float64(n)/float64(of))
}

func (s streams) example(e replayExample) {
	s.printf("  e.g. %s %s %s\n", strings.ReplaceAll(e.Kind, "_", " "), e.Action, e.ID)
	for _, name := range slices.Sorted(maps.Keys(e.Fields)) {
		s.printf("       %s: %.200s -> %.200s\n", name, e.Fields[name][0], e.Fields[name][1])
	}
}

// changes prints what a candidate would change.
func (s streams) changes(r *replayReport) {
	s.printf("under policy %.16s: %d newly allowed, %d newly denied, %d changed otherwise\n", r.Policy, r.NewlyAllowed, r.NewlyDenied, r.Changed)
	if x := r.Candidate; x != nil {
		for _, id := range slices.Sorted(maps.Keys(x.ByRule)) {
			s.printf("  rule %s: appears in %d, vanishes from %d\n", id, x.ByRule[id].Appears, x.ByRule[id].Vanishes)
		}
		for _, name := range slices.Sorted(maps.Keys(x.BySegment)) {
			n := x.BySegment[name]
			s.printf("  %s: %d newly allowed, %d newly denied, %d changed\n", name, n.NewlyAllowed, n.NewlyDenied, n.Changed)
		}
		for _, name := range slices.Sorted(maps.Keys(x.Fields)) {
			s.printf("  field %s: %d\n", name, x.Fields[name])
		}
		if x.Prices.Higher+x.Prices.Lower > 0 {
			s.printf("  prices: %d higher, %d lower, %+d cents in all\n", x.Prices.Higher, x.Prices.Lower, x.Prices.Cents)
		}
		for _, e := range x.Examples {
			s.example(e)
		}
	}
	c := r.Cases
	s.printf("  events: %d decisions newly denied, %d with other fields; %d cases newly allowed (how often they came is not known)\n", c.NewlyDenied, c.Changed, c.NewlyAllowedCases)
	for _, id := range slices.Sorted(maps.Keys(c.ByRule)) {
		s.printf("  events refused by %s: %d\n", id, c.ByRule[id])
	}
	for _, e := range c.Examples {
		s.printf("  e.g. %s, %d times: %s gains %v loses %v rules %v\n", strings.ReplaceAll(e.Kind, "_", " "), e.N, e.Case, e.Gained, e.Lost, e.Rules)
	}
}
