package policy

import (
	"encoding/json"
	"io/fs"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/event"
)

// with compiles the standing package and a small one that has the given rule.
func with(rule string) error {
	text, err := source(shared)
	if err != nil {
		return err
	}
	_, err = compile(map[string]string{
		file(shared):             text,
		"escalate/escalate.rego": "# METADATA\n# scope: package\n# schemas:\n#   - input: schema.escalate\npackage escalate\n\nimport data.standing\n\n" + rule + "\n\nuses := standing.in_force\n",
	}, []Entry{EntryEscalate})
	return err
}

func TestWhatRegoMayNotDo(t *testing.T) {
	if err := with(`ok if input.asked == true`); err != nil {
		t.Fatalf("an honest rule does not compile: %v", err)
	}
	for name, c := range map[string]struct{ rule, want string }{
		"read the clock":             {`late if time.now_ns() > 0`, "undefined function time.now_ns"},
		"read any time":              {`late if time.clock(0)[0] > 12`, "undefined function time.clock"},
		"fetch":                      {`leak if http.send({"method": "GET", "url": "x"})`, "undefined function http.send"},
		"look up a host":             {`leak if net.lookup_ip_addr("x")`, "undefined function net.lookup_ip_addr"},
		"draw":                       {`lucky if rand.intn("x", 2) == 1`, "undefined function rand.intn"},
		"make an id":                 {`id := uuid.rfc4122("x")`, "undefined function uuid.rfc4122"},
		"ask about its runtime":      {`env := opa.runtime()`, "undefined function opa.runtime"},
		"print":                      {`ok if print(input.need)`, "print"},
		"trace":                      {`ok if trace("x")`, "undefined function trace"},
		"read a token":               {`t := io.jwt.decode("x")`, "undefined function io.jwt.decode"},
		"misspell an input":          {`ok if input.need_humman > 1`, "undefined ref: input.need_humman"},
		"misspell a nested input":    {`ok if input.consent.state == "given"`, "undefined ref: input.consent.state"},
		"compare a number as a text": {`ok if input.need == "1"`, "match error"},
		"leave an import unused":     {"import data.unused\nok := true", "unused"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := with(c.rule); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
}

func TestCapabilitiesArePureAndOfThisVersion(t *testing.T) {
	can, err := capabilities()
	if err != nil {
		t.Fatal(err)
	}
	of := map[string]*ast.Builtin{}
	for _, b := range ast.CapabilitiesForThisVersion().Builtins {
		of[b.Name] = b
	}
	for _, b := range can.Builtins {
		now := of[b.Name]
		if now == nil || !reflect.DeepEqual(now.Decl.FuncArgs().String(), b.Decl.FuncArgs().String()) {
			t.Errorf("%s is not as this OPA declares it", b.Name)
			continue
		}
		for _, prefix := range []string{"time.", "http.", "net.", "io.", "rand.", "uuid.", "opa.", "rego.", "print", "internal.print", "trace"} {
			if now.Nondeterministic || strings.HasPrefix(b.Name, prefix) {
				t.Errorf("%s must not be allowed", b.Name)
			}
		}
	}
	if can.AllowNet == nil || len(can.AllowNet) > 0 {
		t.Error("the compiler may fetch schemas")
	}
}

// schemaOf reads an entry's schema.
func schemaOf(t *testing.T, e Entry) map[string]any {
	t.Helper()
	b, err := fs.ReadFile(schemaFiles, "schemas/"+schemas[e]+".json")
	if err != nil {
		t.Fatal(err)
	}
	var s map[string]any
	if err := json.Unmarshal(b, &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// inputs is a full input of each entry, one element in every list and map.
func inputs(t *testing.T) map[Entry]any {
	t.Helper()
	full := func(v any) any { fill(reflect.ValueOf(v).Elem()); return v }
	return map[Entry]any{
		EntryEvent: full(&caseFacts{}), EntryExport: full(&ExportCase{}), EntryConsent: full(&ConsentInput{}),
		EntryEscalate: full(&EscalateInput{}), EntryHandover: full(&HandoverInput{}), EntryCard: full(&CardInput{}),
		EntryPersonalise: full(&VariantInput{}), EntryPricing: full(&PriceInput{}), EntryPrompt: full(&PromptInput{}),
		EntryMoves: full(&MoveInput{}), EntryConduct: full(&ConductInput{}),
	}
}

func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString("x")
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	case reflect.Map:
		m, k, e := reflect.MakeMap(v.Type()), reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(k)
		fill(e)
		m.SetMapIndex(k, e)
		v.Set(m)
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				fill(v.Field(i))
			}
		}
	}
}

func TestEveryInputIsExactlyItsSchema(t *testing.T) {
	for e, in := range inputs(t) {
		t.Run(string(e), func(t *testing.T) {
			b, err := json.Marshal(in)
			if err != nil {
				t.Fatal(err)
			}
			var value any
			if err := json.Unmarshal(b, &value); err != nil {
				t.Fatal(err)
			}
			same(t, "input", value, schemaOf(t, e))
		})
	}
}

// same holds a JSON value and a schema together, both ways.
func same(t *testing.T, at string, value any, schema map[string]any) {
	t.Helper()
	kind := map[string]bool{}
	switch v := value.(type) {
	case map[string]any:
		kind["object"] = true
		properties, closed := schema["properties"].(map[string]any)
		if !closed {
			for k, x := range v {
				same(t, at+"."+k, x, schema["additionalProperties"].(map[string]any))
			}
			break
		}
		if schema["additionalProperties"] != false {
			t.Errorf("%s: additionalProperties must be false", at)
		}
		if got, want := slices.Sorted(maps.Keys(v)), slices.Sorted(maps.Keys(properties)); !slices.Equal(got, want) {
			t.Errorf("%s: the struct has %v, the schema %v", at, got, want)
			return
		}
		for k, x := range v {
			same(t, at+"."+k, x, properties[k].(map[string]any))
		}
	case []any:
		kind["array"] = true
		same(t, at+"[]", v[0], schema["items"].(map[string]any))
	case string:
		kind["string"] = true
	case bool:
		kind["boolean"] = true
	case float64:
		kind["integer"] = true
	}
	if name, _ := schema["type"].(string); !kind[name] {
		t.Errorf("%s: the schema says %v, the struct gives %v", at, schema["type"], kind)
	}
}

func TestClosedListsOfGoAndSchemasAreTheSame(t *testing.T) {
	kinds := []string{}
	for _, k := range event.Kinds {
		kinds = append(kinds, k.String())
	}
	properties := schemaOf(t, EntryEvent)["properties"].(map[string]any)
	for name, want := range map[string][]string{
		"kind": kinds, "purpose": texts(GatePurposes), "state": texts(CaseStates), "stamp": texts(Stamps), "tag": texts(Tags), "age": AgeBands,
	} {
		var got []string
		for _, x := range properties[name].(map[string]any)["enum"].([]any) {
			got = append(got, x.(string))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: schema %v, Go %v", name, got, want)
		}
	}
	for i, p := range GatePurposes {
		if purposeNumber(p) != i {
			t.Errorf("purpose %s has number %d", p, purposeNumber(p))
		}
	}
	for i, s := range CaseStates {
		if stateNumber(s) != i {
			t.Errorf("state %s has number %d", s, stateNumber(s))
		}
	}
	for i, s := range Stamps {
		if stampNumber(s) != i {
			t.Errorf("stamp %s has number %d", s, stampNumber(s))
		}
	}
	for i, tag := range Tags {
		if tagNumber(tag) != i {
			t.Errorf("tag %s has number %d", tag, tagNumber(tag))
		}
	}
	for i, a := range AgeBands {
		if ageNumber(a) != i {
			t.Errorf("age %s has number %d", a, ageNumber(a))
		}
	}
	if got := caseNumbered(CaseSpace - 1).number(); got != CaseSpace-1 || len(event.Kinds) != event.KindCount {
		t.Errorf("the last case has number %d of %d", got, CaseSpace)
	}
}

func texts[S ~string](in []S) []string {
	out := make([]string, len(in))
	for i, s := range in {
		out[i] = string(s)
	}
	return out
}

// The consent package lists the purposes that can be granted; so does Go.
func TestPurposesThatCanBeGranted(t *testing.T) {
	text, err := source("consent")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range consent.Purposes {
		if listed := strings.Contains(text, `"`+string(p)+`"`); listed != p.Gated() {
			t.Errorf("%s: gated %v, in consent.rego %v", p, p.Gated(), listed)
		}
	}
}
