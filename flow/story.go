package flow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/policy"
)

// Story is the whole of a decision, as a person who asks for it is told: what it
// rested on, which rules held, the points, and what would have changed it. It is
// told under the rules that were in force then.
type Story struct {
	DecisionAnswer
	Facts []Fact         `json:"facts"`
	Path  []policy.Fired `json:"rule_path"`
	// Flips are single facts that would have changed it, the smallest change first;
	// none if no single one would.
	Flips   []Flip `json:"would_have_changed_it"`
	Replays string `json:"replay"` // byte for byte the same, or why not
}

// Fact is one thing that the rules were told.
type Fact struct {
	Name  string `json:"name"` // path in the input
	Value any    `json:"value"`
}

// The outcomes of a story's replay.
const (
	ReplayedSame = "judged again by the rules of then: byte for byte the same"
	ReplayDiffer = "judged again by the rules of then: NOT the same; the record or its policy was changed"
)

// Story tells a decision by its id.
func (f *Flow) Story(ctx context.Context, id string) (Story, error) {
	r, err := f.host.Decision(ctx, id)
	if err != nil {
		return Story{}, found("decision_id", "decision_unknown", err)
	}
	return f.story(ctx, r)
}

// Stories tells every decision about somebody, the newest first.
func (f *Flow) Stories(ctx context.Context, q DecisionSearch, tell func(Story) error) error {
	s, named, err := f.searched(ctx, q)
	if err != nil {
		return err
	}
	if named && s.IsZero() {
		return nil
	}
	for cursor := ""; ; {
		rs, next, err := f.host.SearchDecisions(ctx, DecisionQuery{Subject: s, Action: q.Action, From: q.From, To: q.To, Limit: 200, Cursor: cursor})
		if err != nil {
			return unavailable("searching decisions", err)
		}
		for _, r := range rs {
			st, err := f.story(ctx, r)
			if err != nil {
				return err
			}
			if err := tell(st); err != nil {
				return err
			}
		}
		if cursor = next; cursor == "" {
			return nil
		}
	}
}

func (f *Flow) story(ctx context.Context, r decide.Record) (Story, error) {
	st := Story{DecisionAnswer: f.explained(r), Facts: factsIn(r.Input), Path: []policy.Fired{}, Flips: []Flip{}}
	if st.Replays = Unreplayable(&r); st.Replays != "" {
		return st, nil
	}
	rules, err := f.rulesOfThen(ctx, r.Digests)
	if errors.Is(err, ErrNotFound) {
		st.Replays = "the policy that judged it is no longer kept"
		return st, nil
	}
	if err != nil {
		return st, unavailable("loading the rules of a decision", err)
	}
	st.Reasons = append([]policy.Reason{}, rules.ReasonsIn(entryOf[r.Action], r.Rules)...)
	if err := f.judgeAgain(ctx, rules, r, &st); err != nil {
		return st, unavailable("judging a decision again", err)
	}
	return st, nil
}

// judgeAgain judges the record again and looks for what would have changed it.
func (f *Flow) judgeAgain(ctx context.Context, rules *policy.Rules, r decide.Record, st *Story) error {
	p := &Replayer{Rules: rules, Weights: f.keptWeights}
	out, err := p.Replay(ctx, r)
	switch {
	case err != nil:
		return err
	case out.Why != "":
		st.Replays = out.Why
		return nil
	case out.Same:
		st.Replays = ReplayedSame
	default:
		st.Replays = ReplayDiffer
	}
	input, err := asked(r)
	if err != nil || input == nil {
		return err
	}
	if st.Path, err = rules.Path(ctx, entryOf[r.Action], input); err != nil {
		return err
	}
	found, err := flips(ctx, rules, r.Action, input)
	st.Flips = append(st.Flips, found...)
	return err
}

// asked is the input that the rules were asked about: the record's, or, of a row set,
// its largest case that was refused (else its largest).
func asked(r decide.Record) ([]byte, error) {
	if r.Action != decide.ActionExport {
		return r.Input, nil
	}
	var in struct {
		Purpose consent.Purpose  `json:"purpose"`
		Cases   []map[string]any `json:"cases"`
	}
	var told struct{ Published bool }
	if err := firstError(unmarshalNumbers(r.Input, &in), json.Unmarshal(r.Result, &told)); err != nil {
		return nil, fmt.Errorf("reading an export's record: %w", err)
	}
	if len(in.Cases) == 0 {
		return nil, nil
	}
	big := slices.MaxFunc(in.Cases, func(a, b map[string]any) int { return caseSize(a) - caseSize(b) })
	return decide.Canonical(exportFacts(in.Purpose, !told.Published, big))
}

func caseSize(c map[string]any) int {
	n, _ := c["rows"].(json.Number)
	rows, _ := n.Int64()
	if c["allowed"] == false {
		rows += 1 << 40
	}
	return int(rows)
}

// rulesOfThen loads a policy as it was kept with decisions, once per process.
func (f *Flow) rulesOfThen(ctx context.Context, d decide.Digests) (*policy.Rules, error) {
	if d.Policy == f.rules.Digests().Policy && d.Capabilities == f.rules.Digests().Capabilities {
		return f.rules, nil
	}
	key := "rules/" + d.Policy + "/" + d.Capabilities
	if was, ok := f.kept.Load(key); ok {
		return was.(*policy.Rules), nil
	}
	doc, err := f.host.Document(ctx, d.Policy)
	if err != nil {
		return nil, err
	}
	can, err := f.host.Document(ctx, d.Capabilities)
	if err != nil {
		return nil, err
	}
	rules, err := policy.LoadDocument(ctx, doc, can)
	if err != nil {
		return nil, err
	}
	f.kept.Store(key, rules)
	return rules, nil
}

func (f *Flow) keptWeights(ctx context.Context, digest string) (w decide.Weights, err error) {
	b, err := f.host.Document(ctx, digest)
	if err == nil {
		err = json.Unmarshal(b, &w)
	}
	return w, err
}

// factsIn lists every fact of an input by its path, in order.
func factsIn(input []byte) (out []Fact) {
	out = []Fact{}
	var in any
	if unmarshalNumbers(input, &in) != nil {
		return out
	}
	var walk func(path string, v any)
	walk = func(path string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for _, k := range slices.Sorted(maps.Keys(v)) {
				walk(strings.TrimPrefix(path+"."+k, "."), v[k])
			}
		case []any:
			if len(v) == 0 || !isObject(v[0]) {
				out = append(out, Fact{path, v})
				return
			}
			for i, x := range v {
				out = append(out, Fact{fmt.Sprintf("%s[%d]", path, i), x})
			}
		default:
			out = append(out, Fact{path, v})
		}
	}
	walk("", in)
	return out
}

func isObject(v any) bool { _, ok := v.(map[string]any); return ok }
