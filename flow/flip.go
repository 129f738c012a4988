package flow

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/bits"
	"slices"
	"strings"

	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/policy"
)

// Flip is a change of one fact under which a decision would have come out
// otherwise, found by asking the same rules again.
type Flip struct {
	Fact   string   `json:"fact"` // path in the input
	Was    any      `json:"was"`
	Would  any      `json:"would_have_to_be"`
	Then   string   `json:"then"` // what would have come out
	Rules  []string `json:"rules"`
	effort int
}

// outcome is what counts as "otherwise", by action: members of the verdict.
var outcome = map[string][]string{
	decide.ActionEscalate: {"offer"}, decide.ActionHandover: {"allowed"}, decide.ActionCard: {"allowed", "shown"}, decide.ActionVariant: {"mode"},
	decide.ActionPrice: {"price_allowed", "claim_allowed"}, decide.ActionExport: {"allowed"}, decide.ActionConduct: {"allowed"}, decide.ActionMove: {"allowed"},
}

// maxFlips is how many are told.
const maxFlips = 3

// flips looks for the smallest changes of one fact that would have made a
// difference, the smallest first: a fact that is said to be so or not counts as one
// step, a number by how far it has to move. At most one is told for each fact.
func flips(ctx context.Context, rules *policy.Rules, action string, input []byte) ([]Flip, error) {
	var in map[string]any
	if err := unmarshalNumbers(input, &in); err != nil {
		return nil, fmt.Errorf("reading the input of a decision: %w", err)
	}
	s := &seeker{ctx: ctx, rules: rules, entry: entryOf[action], members: outcome[action], in: in, words: rules.Words(entryOf[action])}
	var err error
	for _, member := range s.order() {
		if len(s.found) > 0 {
			break
		}
		s.members = []string{member}
		if s.was, _, err = s.ask(); err != nil {
			return nil, err
		}
		s.walk("", in, func(v any) { in = v.(map[string]any) })
	}
	slices.SortStableFunc(s.found, func(a, b Flip) int { return cmp.Or(cmp.Compare(a.effort, b.effort), cmp.Compare(a.Fact, b.Fact)) })
	return s.found[:min(maxFlips, len(s.found))], s.err
}

// order puts what was refused first: somebody who asks why a claim was denied does
// not want to hear what else would have been denied.
func (s *seeker) order() []string {
	refused := func(member string) int {
		s.members = []string{member}
		said, _, err := s.ask()
		if err == nil && slices.Contains([]string{"false", "none", "default", "[]"}, strings.TrimPrefix(said, member+" ")) {
			return 0
		}
		return 1
	}
	out := slices.Clone(s.members)
	slices.SortStableFunc(out, func(a, b string) int { return refused(a) - refused(b) })
	return out
}

// seeker changes one fact at a time and asks the rules.
type seeker struct {
	ctx     context.Context
	rules   *policy.Rules
	entry   policy.Entry
	members []string
	in      map[string]any
	words   []string
	was     string
	found   []Flip
	err     error
}

// ask gives what comes out for the input as it is now, in a word or two.
func (s *seeker) ask() (string, []string, error) {
	b, err := decide.Canonical(s.in)
	if err != nil {
		return "", nil, err
	}
	verdict, err := s.rules.Replay(s.ctx, s.entry, b)
	if err != nil {
		return "", nil, err
	}
	var v map[string]json.RawMessage
	if err := json.Unmarshal(verdict, &v); err != nil {
		return "", nil, fmt.Errorf("reading a verdict: %w", err)
	}
	var said []string
	for _, m := range s.members {
		said = append(said, m+" "+strings.Trim(string(v[m]), `"`))
	}
	ids, err := rulesIn(verdict)
	return strings.Join(said, ", "), ids, err
}

// tries puts values in a fact's place until one makes a difference.
func (s *seeker) tries(path string, was any, set func(any), effort int, values ...any) bool {
	defer set(was)
	for _, v := range values {
		if s.err != nil {
			return false
		}
		set(v)
		then, ids, err := s.ask()
		if err != nil { // what the rules cannot judge is no way out
			continue
		}
		if then != s.was {
			s.found = append(s.found, Flip{Fact: path, Was: was, Would: v, Then: then, Rules: ids, effort: effort})
			return true
		}
	}
	return false
}

// walk visits every fact. A fact that names something (an id, a time) is left out:
// another name is no other fact.
func (s *seeker) walk(path string, v any, set func(any)) {
	if s.err = s.ctx.Err(); s.err != nil || slices.Contains(unchanged, path[strings.LastIndexByte(path, '.')+1:]) {
		return
	}
	switch v := v.(type) {
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			s.walk(strings.TrimPrefix(path+"."+k, "."), v[k], func(x any) { v[k] = x })
		}
	case []any:
		s.list(path, v, set)
	case bool:
		s.tries(path, v, set, effortOf(path), !v)
	case json.Number:
		if n, err := v.Int64(); err == nil {
			s.number(path, n, set)
		}
	case string:
		var others []any
		for _, w := range couldBe[path[strings.LastIndexByte(path, '.')+1:]] {
			if w != v {
				others = append(others, w)
			}
		}
		s.tries(path, v, set, effortOf(path), others...)
	}
}

// couldBe are the values that a fact of a closed list can have, those first that a
// person would ask about first. A fact that is not here names something.
var couldBe = map[string][]string{
	"status": {"given", "refused", "withdrawn", "unknown", "expired"}, "state": {"given", "refused", "withdrawn", "unknown", "expired"},
	"source": {"given", "refused", "withdrawn", "unknown", "expired"}, "age": {"adult", "u16", "16_17", "unknown"},
	"product_class": {"premium", "complex", "contract", "standard", "simple", ""}, "basis": {"static", "dynamic_market", "contract", "personalised", "random_test"},
	"customer": {"consumer", "business"}, "kind": {"none", "percent", "strike", "highlight"}, "label": {"30d_low", "uvp", "other"},
	"tag": {"none", "special", "special_explicit"}, "significance": {"none", "low", "significant"}, "speaker": {"human", "machine"},
	"role": {"adviser", "dpo", "marketing", "ops"}, "art22_ground": {"contract", "law", "explicit_consent", ""}, "audience": {"individual", "public"},
	"channel": {"chat", "call", "video"}, "slot_kind": {"content", "layout", "price_display", "consent_ui"},
}

// unchanged are facts whose change would be another question, not another answer.
var unchanged = []string{"id", "product_id", "record_id", "consent_record_id", "reference", "window_from", "window_to", "since", "at", "slot", "storefront", "currency", "deadline", "shown_at"}

// effortOf is how much a person would have to change: to have asked is the easiest
// way to a human and so hardly an explanation; it comes last among the single steps.
func effortOf(path string) int {
	switch path {
	case "asked":
		return 40
	case "switch_on", "personalised_on", "holdout":
		return 30
	}
	return 10
}

// list tries an empty list, and one more word that the rules know.
func (s *seeker) list(path string, was []any, set func(any)) {
	for i, x := range was {
		if _, nested := x.(map[string]any); nested && i < 4 {
			s.walk(fmt.Sprintf("%s[%d]", path, i), x, func(v any) { was[i] = v })
		}
	}
	var others []any
	for i := range was {
		others = append(others, slices.Delete(slices.Clone(was), i, i+1)) // one the less
	}
	if len(was) > 1 {
		others = append(others, []any{})
	}
	if len(was) == 0 || isText(was[0]) {
		for _, w := range s.words {
			others = append(others, append(slices.Clone(was), any(w)))
		}
	}
	s.tries(path, was, set, effortOf(path)+2, others...)
}

func isText(v any) bool { _, ok := v.(string); return ok }

// number looks up and down, in steps that double, and then for the least step that
// still makes the difference. Facts that the rules compare are thresholds: beyond
// one the answer stays.
func (s *seeker) number(path string, was int64, set func(any)) {
	differs := func(n int64) bool {
		set(json.Number(fmt.Sprint(n)))
		then, _, err := s.ask()
		return err == nil && then != s.was
	}
	best := int64(0)
	for _, sign := range []int64{1, -1} {
		for step := int64(1); step <= 1<<40; step *= 2 {
			if !differs(was + sign*step) {
				continue
			}
			low, high := step/2, step // differs at high, not at low
			for high-low > 1 {
				if mid := low + (high-low)/2; differs(was + sign*mid) {
					high = mid
				} else {
					low = mid
				}
			}
			if best == 0 || high < max(best, -best) {
				best = sign * high
			}
			break
		}
	}
	set(json.Number(fmt.Sprint(was)))
	if best != 0 {
		s.tries(path, json.Number(fmt.Sprint(was)), set, effortOf(path)+bits.Len64(uint64(max(best, -best))), json.Number(fmt.Sprint(was+best)))
	}
}
