package policy

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"
)

// What a function compiles in a hurry is what the checked compilation gives: the same
// rules with the same bodies in the same order, whatever entries it loads.
func TestOwnRulesCompileAsIfChecked(t *testing.T) {
	text, err := allSources()
	if err != nil {
		t.Fatal(err)
	}
	for _, entries := range append([][]Entry{Entries}, pairs()...) {
		part := partOf(text, entries)
		want, err := compile(part, entries)
		if err != nil {
			t.Fatal(err)
		}
		got, err := compileOwn(part, entries)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(slices.Sorted(maps.Keys(got.Modules)), slices.Sorted(maps.Keys(want.Modules))) {
			t.Fatalf("%v: other packages", entries)
		}
		for name, m := range want.Modules {
			sameRules(t, got.Modules[name].Rules, m.Rules)
		}
	}
}

// pairs are each entry with the one that every function asks.
func pairs() (out [][]Entry) {
	for _, e := range Entries {
		out = append(out, []Entry{e, EntryProcessing})
	}
	return out
}

func sameRules(t *testing.T, got, want []*ast.Rule) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d rules, want %d", len(got), len(want))
	}
	for i, r := range want {
		r.Annotations = nil // no rule decides by its metadata
		if g := got[i]; g.String() != r.String() || g.Location.Row != r.Location.Row || g.Location.File != r.Location.File {
			t.Errorf("%s:%d\n got %s\nwant %s", r.Location.File, r.Location.Row, g, r)
		}
	}
}

// The document is written in a hurry, too.
func TestADocumentIsWrittenAsJSONIs(t *testing.T) {
	text, err := allSources()
	if err != nil {
		t.Fatal(err)
	}
	for _, odd := range []string{"", "\"\\\b\f\n\r\t\x00\x1f\x7f<>&äß€𝄞", "\u2028 and \u2029", "no \xff UTF-8 \xc3", "\ufffd"} {
		text["odd/"+odd+".rego"] = odd
	}
	d := document{Data: []byte(`{"settings":{"k":25}}`), Rego: text}
	want, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := d.appendJSON(nil); err != nil || string(got) != string(want) {
		t.Errorf("%v: it is another document", err)
	}
}

// What reads the metadata of the own rules in a hurry reads what OPA reads.
func TestOwnWordsAreOPAs(t *testing.T) {
	text, err := allSources()
	if err != nil {
		t.Fatal(err)
	}
	got, want := ownWords(text), words(parsedOf(text))
	for pkg, byID := range want {
		for id, r := range byID {
			if r.De == "" || got[pkg][id] != r {
				t.Errorf("%s %s:\n got %+v\nwant %+v", pkg, id, got[pkg][id], r)
			}
		}
		if len(got[pkg]) != len(byID) {
			t.Errorf("%s: %d ids, want %d", pkg, len(got[pkg]), len(byID))
		}
	}
	if len(want) != len(Entries)+1 {
		t.Errorf("words of %d packages", len(want))
	}
}
