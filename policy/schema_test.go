package policy

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"
)

// Every object of every schema is closed: it names all its members and requires
// them, or it is a map whose values have a schema of their own.
func TestEverySchemaIsClosedAtEveryLevel(t *testing.T) {
	names, err := fs.Glob(schemaFiles, "schemas/*.json")
	if err != nil {
		t.Fatal(err)
	}
	used := slices.Sorted(maps.Values(schemas))
	for _, name := range names {
		if !slices.Contains(used, strings.TrimSuffix(path.Base(name), ".json")) {
			t.Errorf("%s is the schema of no entry", name)
		}
		b, err := fs.ReadFile(schemaFiles, name)
		if err != nil {
			t.Fatal(err)
		}
		var s map[string]any
		if err := json.Unmarshal(b, &s); err != nil {
			t.Fatal(err)
		}
		for _, wrong := range opened(name, s) {
			t.Error(wrong)
		}
	}
	if len(names) != len(used) {
		t.Errorf("%d schemas for %d entries", len(names), len(used))
	}
}

// opened says where a schema lets in what it does not name.
func opened(at string, s map[string]any) []string {
	switch s["type"] {
	case "object":
		return openedObject(at, s)
	case "array":
		items, ok := s["items"].(map[string]any)
		if !ok {
			return []string{at + ": an array without a schema of its items"}
		}
		return opened(at+"[]", items)
	case "string", "integer", "boolean":
		return nil
	}
	return []string{fmt.Sprintf("%s: type %v", at, s["type"])}
}

func openedObject(at string, s map[string]any) []string {
	properties, closed := s["properties"].(map[string]any)
	if !closed {
		values, ok := s["additionalProperties"].(map[string]any)
		if !ok {
			return []string{at + ": neither members nor a schema of its values"}
		}
		return opened(at+".*", values)
	}
	var out []string
	if s["additionalProperties"] != false {
		out = append(out, at+": additionalProperties is not false")
	}
	for name, p := range properties {
		out = append(out, opened(at+"."+name, p.(map[string]any))...)
	}
	return out
}

func TestAnOpenSchemaIsFound(t *testing.T) {
	for _, text := range []string{
		`{"type":"object","properties":{}}`,
		`{"type":"object"}`,
		`{"type":"object","additionalProperties":true}`,
		`{"type":"array"}`,
		`{"type":"object","additionalProperties":false,"properties":{"a":{"type":"object","properties":{}}}}`,
		`{"type":"array","items":{"type":"object","additionalProperties":{"type":["string","null"]}}}`,
	} {
		var s map[string]any
		if err := json.Unmarshal([]byte(text), &s); err != nil {
			t.Fatal(err)
		}
		if len(opened("x", s)) == 0 {
			t.Errorf("%s passes for closed", text)
		}
	}
}

// A rule of any package that reads what its schema does not name does not compile,
// at the top or below it.
func TestNoPackageReadsWhatItsSchemaDoesNotName(t *testing.T) {
	text, err := allSources()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range Entries {
		t.Run(string(e), func(t *testing.T) {
			reads := []string{"input.misspelt"}
			for name, p := range schemaOf(t, e)["properties"].(map[string]any) {
				if _, closed := p.(map[string]any)["properties"]; closed {
					reads = append(reads, "input."+name+".misspelt")
				}
			}
			for _, read := range reads {
				part := partOf(text, []Entry{e})
				part[file(string(e))] += "\nplanted if " + read + " == true\n"
				if _, err := compile(part, []Entry{e}); err == nil || !strings.Contains(err.Error(), "undefined ref: "+read) {
					t.Errorf("a rule may read %s: %v", read, err)
				}
			}
		})
	}
}
