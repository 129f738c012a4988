package decide_test

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/decide"
	"pgregory.net/rapid"
)

func TestCanonical(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"keys are sorted, deeply":          {`{"b":{"z":1,"a":[{"y":1,"x":2}]},"a":null}`, `{"a":null,"b":{"a":[{"x":2,"y":1}],"z":1}}`},
		"space is dropped":                 {" { \"a\" : [ 1 , true ] } ", `{"a":[1,true]}`},
		"whole fractions become integers":  {`[1.0,1e2,-0,1.50e1,-2.0E+0]`, `[1,100,0,15,-2]`},
		"large integers stay exact":        {`[18446744073709551615,-9223372036854775808]`, `[18446744073709551615,-9223372036854775808]`},
		"escapes are the shortest":         {`["\u0041\/\u00e9<\u2028\u0007\n\"\\"]`, "[\"A/é<\u2028\\u0007\\n\\\"\\\\\"]"},
		"keys compare by UTF-16, RFC 8785": {"{\"\U0001F600\":1,\"\uFB33\":2,\"\u20AC\":3,\"1\":4,\"\\r\":5,\"\u00F6\":6,\"\u0080\":7}", "{\"\\r\":5,\"1\":4,\"\u0080\":7,\"\u00F6\":6,\"\u20AC\":3,\"\U0001F600\":1,\"\uFB33\":2}"},
		"empty things stay":                {`{"a":{},"b":[],"c":""}`, `{"a":{},"b":[],"c":""}`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := decide.Canonical(json.RawMessage(c.in))
			if err != nil || string(got) != c.want {
				t.Errorf("got %s, %v\nwant %s", got, err, c.want)
			}
		})
	}
}

func TestCanonicalRefuses(t *testing.T) {
	for name, in := range map[string]any{
		"a fraction":              json.RawMessage(`{"a":0.5}`),
		"a float that is not one": math.Pi,
		"an immense exponent":     json.RawMessage(`1e100000000`),
		"a key twice":             json.RawMessage(`{"a":1,"\u0061":2}`),
		"what is no JSON":         json.RawMessage(`{"a":}`),
		"endless nesting":         json.RawMessage(strings.Repeat("[", 5000) + strings.Repeat("]", 5000)),
		"a channel":               make(chan int),
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := decide.Canonical(in); err == nil {
				t.Errorf("got %.100s", got)
			}
		})
	}
}

func anyJSON(depth int) *rapid.Generator[any] {
	leaf := rapid.OneOf(
		rapid.Just[any](nil), rapid.Bool().AsAny(), rapid.Int64().AsAny(), rapid.String().AsAny(), rapid.Uint64().AsAny(),
	)
	if depth == 0 {
		return leaf
	}
	return rapid.OneOf(leaf, rapid.SliceOfN(anyJSON(depth-1), 0, 4).AsAny(),
		rapid.MapOfN(rapid.String(), anyJSON(depth-1), 0, 4).AsAny())
}

func TestCanonicalOfWhatWasParsedIsTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := anyJSON(3).Draw(t, "value")
		first, err := decide.Canonical(v)
		if err != nil {
			t.Fatal(err)
		}
		var parsed any
		d := json.NewDecoder(bytes.NewReader(first))
		d.UseNumber()
		if err := d.Decode(&parsed); err != nil {
			t.Fatalf("%s: %v", first, err)
		}
		again, err := decide.Canonical(parsed)
		if err != nil || !bytes.Equal(first, again) {
			t.Fatalf("%s became %s, %v", first, again, err)
		}
	})
}

func FuzzCanonical(f *testing.F) {
	for _, s := range []string{`{"b":1,"a":[1.0,"\ud800"]}`, `"\u0000"`, `-0.0e-3`, `{"":{"":[]}}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		first, err := decide.Canonical(json.RawMessage(b))
		if err != nil {
			return
		}
		again, err := decide.Canonical(json.RawMessage(first))
		if err != nil || !bytes.Equal(first, again) {
			t.Fatalf("%s became %s, %v", first, again, err)
		}
	})
}

func record() decide.Record {
	return decide.Record{
		ID: "0190", Writer: "w", N: 7, Prev: "00", Time: time.Date(2026, 11, 21, 10, 0, 0, 5e6, time.UTC),
		Action: decide.ActionEscalate, Subject: consent.Subject{1}, Input: json.RawMessage(`{"b":"<&>","a":0.05}`),
		Rules: []string{"ESC-01"}, Result: json.RawMessage(`{"offer":"none"}`),
		Need: &decide.Score{Version: "1", Total: 3, Parts: []decide.Point{{Feature: "searches", Value: 3, Points: 3}}},
	}
}

func TestHashSurvivesStorage(t *testing.T) {
	r := record()
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var back decide.Record
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	if back.Hash() != r.Hash() {
		t.Error("the record read back has another hash")
	}
	r.Time = r.Time.In(time.FixedZone("elsewhere", 3600))
	if back.Hash() != r.Hash() {
		t.Error("the hash depends on the zone that a moment is told in")
	}
}

func TestHashBindsEveryField(t *testing.T) {
	base := record().Hash()
	for name, change := range map[string]func(*decide.Record){
		"id":         func(r *decide.Record) { r.ID = "0191" },
		"writer":     func(r *decide.Record) { r.Writer = "v" },
		"n":          func(r *decide.Record) { r.N++ },
		"prev":       func(r *decide.Record) { r.Prev = "01" },
		"time":       func(r *decide.Record) { r.Time = r.Time.Add(1) },
		"action":     func(r *decide.Record) { r.Action = decide.ActionCard },
		"subject":    func(r *decide.Record) { r.Subject = consent.Subject{2} },
		"input":      func(r *decide.Record) { r.Input = json.RawMessage(`{"b":"<&>","a":0.06}`) },
		"digests":    func(r *decide.Record) { r.Digests.Policy = "x" },
		"binary":     func(r *decide.Record) { r.Binary = "x" },
		"rules":      func(r *decide.Record) { r.Rules = append(r.Rules, "ESC-03") },
		"seed":       func(r *decide.Record) { r.Seed = "x" },
		"propensity": func(r *decide.Record) { r.PPM = 1 },
		"result":     func(r *decide.Record) { r.Result = json.RawMessage(`{"offer":"hint"}`) },
		"need":       func(r *decide.Record) { r.Need.Parts[0].Points++ },
		"actor":      func(r *decide.Record) { r.Actor = "dpo" },
		"bad input":  func(r *decide.Record) { r.Input = json.RawMessage(`{`) },
	} {
		t.Run(name, func(t *testing.T) {
			r := record()
			if change(&r); r.Hash() == base {
				t.Error("the hash did not change")
			}
		})
	}
}

func BenchmarkCanonical(b *testing.B) {
	r := record()
	for b.Loop() {
		r.Hash()
	}
}
