package policy

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/event"
)

// A world of one entry: inputs that its schema allows, near ones that are allowed.
type world struct {
	entry  Entry
	schema map[string]any
	words  []string // every text that the package's rules compare with
	bases  []any    // inputs as JSON
}

func asJSON[T any](t *testing.T, in T) any {
	t.Helper()
	_, b := facts(&in)
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// worlds has a base that is allowed for each entry that can be spoiled by a person.
func worlds(t *testing.T) []*world {
	t.Helper()
	seen := EventCase{Kind: event.Kinds[0], Purpose: consent.AdsThirdParty, State: StateGiven, Stamp: StampYes, Tag: TagNone, Age: "adult"}.facts()
	export := mailed()
	export.Age = "adult"
	asked := EscalateInput{Asked: true, OpenChannels: []string{"call"}, Consent: ConsentFact{Status: consent.Unknown}, Age: "unknown"}
	plain := quote()
	plain.Quote.Basis, plain.Personalised, plain.ConsentGiven = "static", false, false
	many := call()
	many.Asked, many.PurposesShown = map[consent.Purpose]bool{}, nil
	for _, p := range []consent.Purpose{consent.Analytics, consent.AdsThirdParty, consent.DataSharing, consent.AdviserAssist} {
		many.Asked[p], many.PurposesShown = true, append(many.PurposesShown, p)
	}
	ask := CardInput{Role: "adviser", Open: true, Assigned: true, Blocks: map[string]ConsentFact{"question": given, "orders": given, "cart": given}, Fields: []string{"orders"}}
	record := ConductInput{Act: "record", Role: "adviser", Assigned: true, Open: true, Recording: RecordingFact{Kind: "audio", Consent: given,
		Participants: []ParticipantFact{{Who: "visitor", Agreed: true, Before: true}, {Who: "adviser", Agreed: true, Before: true}}}, Call: CallFact{Consent: given}}
	phone := ConductInput{Act: "call", Role: "adviser", Assigned: true, Open: true, Call: CallFact{Consent: given}, Recording: RecordingFact{Consent: given}}
	click := HandoverInput{TokenValid: true, SwitchOn: true, Channel: "chat", Offered: []string{"chat"}, Open: []string{"chat"}, Disclosed: true}
	out := []*world{
		{entry: EntryEvent, bases: []any{asJSON(t, seen)}},
		{entry: EntryExport, bases: []any{asJSON(t, export)}},
		{entry: EntryConsent, bases: []any{asJSON(t, many)}},
		{entry: EntryPrompt, bases: []any{asJSON(t, first())}},
		{entry: EntryEscalate, bases: []any{asJSON(t, lost()), asJSON(t, asked)}},
		{entry: EntryHandover, bases: []any{asJSON(t, click)}},
		{entry: EntryConduct, bases: []any{asJSON(t, record), asJSON(t, phone)}},
		{entry: EntryCard, bases: []any{asJSON(t, ask)}},
		{entry: EntryPersonalise, bases: []any{asJSON(t, choice())}},
		{entry: EntryPricing, bases: []any{asJSON(t, quote()), asJSON(t, plain)}},
	}
	for _, w := range out {
		w.schema, w.words = schemaOf(t, w.entry), wordsOf(t, w.entry)
	}
	return out
}

func wordsOf(t *testing.T, e Entry) []string {
	t.Helper()
	out := map[string]bool{"x": true, "": true}
	for _, pkg := range []string{string(e), shared} {
		text, err := source(pkg)
		if err != nil {
			t.Fatal(err)
		}
		ast.WalkTerms(ast.MustParseModule(text), func(x *ast.Term) bool {
			if s, ok := x.Value.(ast.String); ok {
				out[string(s)] = true
			}
			return false
		})
	}
	return slices.Sorted(maps.Keys(out))
}

// near draws an input that differs from a base in up to three facts.
func (w *world) near(t *rapid.T) any {
	in := copied(rapid.SampledFrom(w.bases).Draw(t, "base"))
	for range rapid.IntRange(0, 3).Draw(t, "changes") {
		w.change(t, in, w.schema)
	}
	return in
}

func copied(v any) any {
	b, _ := json.Marshal(v)
	var out any
	_ = json.Unmarshal(b, &out)
	return out
}

// change draws another value for one fact, as the schema allows.
func (w *world) change(t *rapid.T, in any, schema map[string]any) {
	o, ok := in.(map[string]any)
	if !ok || len(o) == 0 {
		return
	}
	k := rapid.SampledFrom(slices.Sorted(maps.Keys(o))).Draw(t, "fact")
	sub := subSchema(schema, k)
	if inner, ok := o[k].(map[string]any); ok && len(inner) > 0 {
		w.change(t, inner, sub)
		return
	}
	o[k] = w.draw(t, sub)
}

func subSchema(schema map[string]any, k string) map[string]any {
	if p, ok := schema["properties"].(map[string]any); ok {
		return p[k].(map[string]any)
	}
	return schema["additionalProperties"].(map[string]any)
}

// draw gives a value of a schema.
func (w *world) draw(t *rapid.T, schema map[string]any) any {
	if enum, ok := schema["enum"].([]any); ok {
		return rapid.SampledFrom(enum).Draw(t, "one of")
	}
	switch schema["type"] {
	case "boolean":
		return rapid.Bool().Draw(t, "bool")
	case "integer":
		return float64(rapid.SampledFrom([]int{-1, 0, 1, 2, 3, 6, 10, 39, 40, 100, 3600, 8000, 9200, 10000, 604800}).Draw(t, "int"))
	case "array":
		out := []any{}
		for range rapid.IntRange(0, 2).Draw(t, "length") {
			out = append(out, w.draw(t, schema["items"].(map[string]any)))
		}
		return out
	case "object":
		out := map[string]any{}
		if p, ok := schema["properties"].(map[string]any); ok {
			for _, k := range slices.Sorted(maps.Keys(p)) {
				out[k] = w.draw(t, p[k].(map[string]any))
			}
		}
		return out
	}
	return rapid.SampledFrom(w.words).Draw(t, "text")
}

// refusals are what a person or their browser can add, by the name of the fact.
var refusals = map[string][]any{
	"gpc": {true}, "dnt": {true}, "restricted": {true}, "objected": {true}, "objection": {true}, "suppressed": {true},
	"special": {true}, "uses_special": {true}, "special_product": {true}, "dismissed_in_session": {true}, "small": {true},
	"tag": {"special"}, "stamp": {"no"}, "state": {"refused", "withdrawn", "restricted"}, "source": {"refused", "withdrawn", "restricted"},
	"status": {"refused", "withdrawn"}, "consent_given": {false}, "proof_complete": {false}, "explicit": {false}, "agreed": {false},
	"notice_complete": {false}, "reject_equal": {false}, "age": {"u16"}, "switch_on": {false}, "personalised_on": {false}, "token_valid": {false},
}

// places lists where in an input a refusal can be added: functions that add it.
func places(v any, at string, out map[string]func()) {
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			for _, to := range refusals[k] {
				if fmt.Sprintf("%T", x) == fmt.Sprintf("%T", to) && (k != "status" || canRefuse(v)) {
					out[fmt.Sprintf("%s.%s=%v", at, k, to)] = func() { v[k] = to }
				}
			}
			if k == "asked" || k == "tcf" || k == "gpp" {
				signals(v, at, k, out)
			}
			places(x, at+"."+k, out)
		}
	case []any:
		for i, x := range v {
			places(x, fmt.Sprintf("%s[%d]", at, i), out)
		}
	}
}

// canRefuse says whether a fact about a consent is one that a refusal makes worse:
// a status that exists, and, where a banner asks, one that is silence. A banner may
// ask somebody who has said no since, where it need not ask somebody who said yes.
func canRefuse(fact map[string]any) bool {
	s := consent.Status(fmt.Sprint(fact["status"]))
	silent := slices.Contains([]consent.Status{consent.Unknown, consent.Requested, consent.RequestDeferred}, s)
	if _, banner := fact["months_since_no"]; banner {
		return silent
	}
	return silent || s.Valid() || slices.Contains([]consent.Status{consent.Refused, consent.Withdrawn, consent.Expired, consent.Invalidated, consent.Revoked}, s)
}

// signals takes a yes of a consent call back, or contradicts it.
func signals(v map[string]any, at, k string, out map[string]func()) {
	asked, _ := v["asked"].(map[string]any)
	for p := range asked {
		if k == "asked" {
			out[at+"."+k+"."+p+"=false"] = func() { asked[p] = false }
		} else if m, ok := v[k].(map[string]any); ok {
			out[at+"."+k+"."+p+"=no"] = func() { m[p] = "no" }
		}
	}
}

// granted is what an answer lets happen: yeses, members of sets, rungs of ladders.
type granted struct {
	flags map[string]bool
	sets  map[string][]string
	rungs map[string]int
}

var ladders = map[string][]string{"offer": {"none", "hint", "human"}, "mode": {"default", "contextual", "profile"}}

func (w *world) judge(t *rapid.T, r *Rules, in any) granted {
	b, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	out, err := r.Replay(context.Background(), w.entry, b)
	if err != nil {
		t.Fatalf("%s of %s: %v", w.entry, b, err)
	}
	var v map[string]any
	if err := json.Unmarshal(out, &v); err != nil {
		t.Fatal(err)
	}
	g := granted{map[string]bool{}, map[string][]string{}, map[string]int{}}
	for _, k := range []string{"allowed", "price_allowed", "claim_allowed", "sticky"} {
		g.flags[k], _ = v[k].(bool)
	}
	for _, k := range []string{"given", "ask", "shown", "keep"} {
		xs, _ := v[k].([]any)
		for _, x := range xs {
			g.sets[k] = append(g.sets[k], fmt.Sprint(x))
		}
	}
	for k, rungs := range ladders {
		s, _ := v[k].(string)
		g.rungs[k] = slices.Index(rungs, s)
	}
	return g
}

// beyond says what g lets happen that other does not.
func (g granted) beyond(other granted) string {
	for k, yes := range g.flags {
		if yes && !other.flags[k] {
			return k
		}
	}
	for k, xs := range g.sets {
		for _, x := range xs {
			if !slices.Contains(other.sets[k], x) {
				return k + " " + x
			}
		}
	}
	for k, n := range g.rungs {
		if n > other.rungs[k] {
			return fmt.Sprintf("%s %s", k, ladders[k][n])
		}
	}
	return ""
}

// A refusal, an objection, a restriction, a sensitive tag, a signal of the browser
// or a grant taken away never turns a no into a yes, whatever else is so.
func TestARefusalNeverAllows(t *testing.T) {
	r := loaded(t)
	for _, w := range worlds(t) {
		t.Run(string(w.entry), func(t *testing.T) {
			denied := 0
			rapid.Check(t, func(t *rapid.T) {
				in := w.near(t)
				before := w.judge(t, r, in)
				all := map[string]func(){}
				if places(in, "", all); len(all) == 0 {
					return // nothing in it can be refused
				}
				name := rapid.SampledFrom(sortedKeys(all)).Draw(t, "refusal")
				was := fmt.Sprint(in)
				all[name]()
				after := w.judge(t, r, in)
				if more := after.beyond(before); more != "" {
					t.Fatalf("%s allows %s:\nbefore %s\nafter  %s", name, more, was, fmt.Sprint(in))
				}
				if before.beyond(after) != "" {
					denied++
				}
			})
			if denied == 0 {
				t.Error("no refusal ever changed anything: the inputs are not near enough to a yes")
			}
		})
	}
}

// Minimising never adds a field: less consent, or one purpose more that refuses,
// never keeps more; and what is kept is what the purpose's own list names.
func TestMinimisingNeverAdds(t *testing.T) {
	r := loaded(t)
	most := map[consent.Purpose]Verdict{}
	for _, p := range GatePurposes {
		c := EventCase{Purpose: p, State: StateGiven, Stamp: StampTrusted, Tag: TagNone, Age: "adult"}
		for _, k := range event.Kinds {
			c.Kind = k
			if v, err := r.Event(context.Background(), c); err != nil {
				t.Fatal(err)
			} else if v.Allowed {
				most[p] = v
			}
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		c := caseNumbered(rapid.IntRange(0, CaseSpace-1).Draw(t, "case"))
		v, err := r.Event(context.Background(), c)
		if err != nil {
			t.Fatal(err)
		}
		if !v.Allowed && v.Keep != 0 {
			t.Fatalf("%+v is refused and keeps %v", c, v.Keep.Names())
		}
		for _, name := range v.Keep.Names() {
			if !slices.Contains(most[c.Purpose].Keep.Names(), name) {
				t.Fatalf("%+v keeps %s, which no full consent keeps", c, name)
			}
		}
	})
}

// Device, place, browsing and consent never change a price, except that the basis
// personalised needs a consent; and whatever names them as inputs is refused.
func TestNobodysPriceDependsOnThem(t *testing.T) {
	r := loaded(t)
	w := slices.IndexFunc(worlds(t), func(w *world) bool { return w.entry == EntryPricing })
	prices := worlds(t)[w]
	rapid.Check(t, func(t *rapid.T) {
		in := prices.near(t).(map[string]any)
		quote := in["quote"].(map[string]any)
		if quote["basis"] != "personalised" {
			before := fmt.Sprint(prices.answer(t, r, in))
			in["consent_given"], in["personalised_on"] = rapid.Bool().Draw(t, "consent"), rapid.Bool().Draw(t, "on")
			quote["consent_record_id"] = rapid.SampledFrom([]string{"", "r1", "r2"}).Draw(t, "record")
			if after := fmt.Sprint(prices.answer(t, r, in)); after != before {
				t.Fatalf("consent changes a price of basis %v:\n%s\n%s", quote["basis"], before, after)
			}
		}
		name := rapid.SampledFrom([]string{
			"device", "device_os", "iOS", "browser", "ip_country", "postcode", "city", "visit_count", "history", "segment", "consent", "consent_status",
			"age", "sex", "Stock", "stock ", "hour\u200b", rapid.StringN(1, 12, 40).Draw(t, "any"),
		}).Draw(t, "input")
		if slices.Contains(closedInputs, name) {
			return
		}
		inputs, _ := quote["inputs"].([]any)
		quote["inputs"] = append(slices.Clone(inputs), name)
		if g := prices.judge(t, r, in); g.flags["price_allowed"] {
			t.Fatalf("input %q is allowed in %v", name, quote)
		}
	})
}

var closedInputs = strings.Fields("hour weekday date stock cost competitor demand_aggregate expiry quantity basket_value contract membership delivery_vat")

func (w *world) answer(t *rapid.T, r *Rules, in any) any {
	b, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	out, err := r.Replay(context.Background(), w.entry, b)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}
