package flow

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/policy"
)

// Replayer judges decision records again, by rules that need not be those that
// judged them first. It is safe for concurrent use if Weights is.
type Replayer struct {
	Rules   *policy.Rules
	Weights func(ctx context.Context, digest string) (decide.Weights, error) // kept with the decisions
}

// Replayed is what became of a record.
type Replayed struct {
	Why    string          // not replayable, because; else ""
	Same   bool            // byte for byte what the record holds: verdict, rules and what was drawn
	Result json.RawMessage // as the record would hold it
	Input  json.RawMessage // the record's; an export's holds its verdicts, as they came out
	Rules  []string
}

// Replay judges a record again. Whatever the rules cannot judge is an error, and
// so a denial.
func (p *Replayer) Replay(ctx context.Context, r decide.Record) (Replayed, error) {
	if why := Unreplayable(&r); why != "" {
		return Replayed{Why: why}, nil
	}
	entry := entryOf[r.Action]
	if !p.Rules.Has(entry) {
		return Replayed{Why: "its policy has no package " + string(entry)}, nil
	}
	if r.Action == decide.ActionExport {
		return p.export(ctx, r)
	}
	verdict, err := p.Rules.Replay(ctx, entry, r.Input)
	if err != nil {
		return Replayed{}, err
	}
	out := Replayed{Result: verdict, Input: r.Input}
	if out.Rules, err = rulesIn(verdict); err != nil {
		return out, err
	}
	ppm := r.PPM
	if r.Action == decide.ActionVariant {
		if out.Result, ppm, err = p.content(ctx, r, verdict); err != nil {
			return out, err
		}
	}
	early, err := earlyForm(r.Action, out.Result)
	if err != nil {
		return out, err
	}
	if bytes.Equal(early, r.Result) {
		out.Result = early
	}
	out.Same = bytes.Equal(out.Result, r.Result) && slices.Equal(out.Rules, r.Rules) && ppm == r.PPM && lotHolds(&r)
	return out, nil
}

// earlyForm is how offers were written before a record kept the rules' own verdict:
// without what was empty.
func earlyForm(action string, result json.RawMessage) (json.RawMessage, error) {
	if action != decide.ActionEscalate {
		return result, nil
	}
	all := map[string]json.RawMessage{}
	if err := json.Unmarshal(result, &all); err != nil {
		return nil, fmt.Errorf("reading a verdict: %w", err)
	}
	for name, empty := range map[string]string{"hint": `""`, "channels": "[]", "held_out": "false"} {
		if string(all[name]) == empty {
			delete(all, name)
		}
	}
	return decide.Canonical(all)
}

// Unreplayable says why no rules can judge a record again; "" if some can.
func Unreplayable(r *decide.Record) string {
	switch {
	case r.Erased != "":
		return "its content was erased"
	case entryOf[r.Action] == "":
		return "no rules judge it: a person's own act"
	case r.Actor != "" && (r.Action == decide.ActionHandover || r.Action == decide.ActionExport):
		return "no rules judge it: what staff noted or fetched"
	}
	return ""
}

func rulesIn(verdict []byte) ([]string, error) {
	var v struct {
		Rules []string `json:"rules"`
	}
	if err := json.Unmarshal(verdict, &v); err != nil {
		return nil, fmt.Errorf("reading a verdict: %w", err)
	}
	return append([]string{}, v.Rules...), nil
}

// lotHolds checks a hold-out against its own number. The number itself comes from a
// key and a pseudonym, which a replay does without: the input says what was drawn.
func lotHolds(r *decide.Record) bool {
	if r.Action != decide.ActionEscalate || r.Seed == "" {
		return true
	}
	var in struct {
		Holdout bool `json:"holdout"`
	}
	n, ok := decide.DrawnNumber(r.Seed)
	if !ok || json.Unmarshal(r.Input, &in) != nil {
		return false
	}
	if in.Holdout {
		return n < r.PPM
	}
	return n >= decide.Million-r.PPM
}

// joined adds to a verdict what was done under it.
func joined(verdict []byte, more any) (json.RawMessage, error) {
	all := map[string]json.RawMessage{}
	b, err := json.Marshal(more)
	if err != nil {
		return nil, fmt.Errorf("writing a result: %w", err)
	}
	for _, part := range [][]byte{b, verdict} {
		if err := json.Unmarshal(part, &all); err != nil {
			return nil, fmt.Errorf("writing a result: %w", err)
		}
	}
	return decide.Canonical(all)
}

// content draws again under a verdict, with the number that came out then. What the
// verdict would draw where nothing was drawn then, nobody can know: it is "".
func (p *Replayer) content(ctx context.Context, r decide.Record, verdict []byte) (json.RawMessage, int64, error) {
	var v policy.VariantVerdict
	var was drawnContent
	var in policy.VariantInput
	if err := firstError(json.Unmarshal(verdict, &v), json.Unmarshal(r.Result, &was), json.Unmarshal(r.Input, &in)); err != nil {
		return nil, 0, fmt.Errorf("reading a content choice: %w", err)
	}
	now, ppm := was, int64(0)
	if v.Mode == "default" || len(v.Eligible) == 0 {
		now.Variant = plainContent(in, v.Eligible)
	} else {
		weights, err := p.weights(ctx, r, in, was.Segment)
		if err != nil {
			return nil, 0, err
		}
		now.Variant, ppm, _ = decide.Redraw(r.Seed, weights, v.Eligible)
	}
	if v.Mode != "profile" {
		now.Segment = ""
	}
	b, err := joined(verdict, now)
	return b, ppm, err
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// plainContent is what fallback chose: an eligible default, else any eligible.
func plainContent(in policy.VariantInput, eligible []string) string {
	for _, c := range in.Candidates {
		if c.Default && slices.Contains(eligible, c.ID) {
			return c.ID
		}
	}
	if len(eligible) > 0 {
		return eligible[0]
	}
	return ""
}

func (p *Replayer) weights(ctx context.Context, r decide.Record, in policy.VariantInput, segment string) (map[string]int64, error) {
	if r.Digests.Weights == "" {
		ids := make([]string, len(in.Candidates))
		for i, c := range in.Candidates {
			ids[i] = c.ID
		}
		return decide.Uniform(ids), nil
	}
	w, err := p.Weights(ctx, r.Digests.Weights)
	if err != nil {
		return nil, fmt.Errorf("reading the weights of a content choice: %w", err)
	}
	return w.Slots[in.Slot][segment], nil
}

// export judges the cases of a row set again. The verdicts stand in the record's
// input; which files left is a fact, not a judgement, and stays.
func (p *Replayer) export(ctx context.Context, r decide.Record) (Replayed, error) {
	whole := map[string]json.RawMessage{}
	var in struct {
		Purpose consent.Purpose  `json:"purpose"`
		Cases   []map[string]any `json:"cases"`
	}
	if err := firstError(json.Unmarshal(r.Input, &whole), unmarshalNumbers(r.Input, &in)); err != nil {
		return Replayed{}, fmt.Errorf("reading an export's input: %w", err)
	}
	var told struct{ Published bool }
	if err := json.Unmarshal(r.Result, &told); err != nil {
		return Replayed{}, fmt.Errorf("reading an export's result: %w", err)
	}
	rules := map[string]bool{}
	for _, c := range in.Cases {
		v, err := p.exportCase(ctx, in.Purpose, !told.Published, c)
		if err != nil {
			return Replayed{}, err
		}
		c["allowed"], c["rules"] = v.Allowed, v.Rules
		for _, id := range v.Rules {
			rules[id] = true
		}
	}
	if !told.Published {
		rules["EXP-07"] = true
	}
	cases, err := decide.Canonical(in.Cases)
	if err != nil {
		return Replayed{}, err
	}
	whole["cases"] = cases
	input, err := decide.Canonical(whole)
	if err != nil {
		return Replayed{}, err
	}
	out := Replayed{Result: r.Result, Input: input, Rules: append([]string{}, slices.Sorted(maps.Keys(rules))...)}
	out.Same = bytes.Equal(input, r.Input) && slices.Equal(out.Rules, r.Rules)
	return out, nil
}

func unmarshalNumbers(b []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	return dec.Decode(v)
}

// exportCase judges one case of a row set: its facts as the gate was given them. Where
// they do not say so, the set is small if nothing left, and nobody is suppressed.
func (p *Replayer) exportCase(ctx context.Context, purpose consent.Purpose, small bool, c map[string]any) (v policy.ExportVerdict, err error) {
	input, err := decide.Canonical(exportFacts(purpose, small, c))
	if err != nil {
		return v, err
	}
	verdict, err := p.Rules.Replay(ctx, policy.EntryExport, input)
	if err != nil {
		return v, err
	}
	if v.Rules, err = rulesIn(verdict); err != nil {
		return v, err
	}
	return v, json.Unmarshal(verdict, &v)
}

// exportFacts is the input of the export gate that a case of a row set tells.
func exportFacts(purpose consent.Purpose, small bool, c map[string]any) map[string]any {
	facts := map[string]any{"purpose": purpose, "small": small, "suppressed": false}
	maps.Copy(facts, c)
	for _, told := range []string{"allowed", "rules", "rows"} {
		delete(facts, told)
	}
	return facts
}

// Policy names the rules in force and gives the documents behind them.
func (f *Flow) Policy() (decide.Digests, map[string][]byte) {
	return f.rules.Digests(), f.rules.Documents()
}
