package decide

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"
)

// actions reads the names of all actions from record.go.
func actions(t *testing.T) []string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), "record.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	ast.Inspect(f, func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok && strings.HasPrefix(v.Names[0].Name, "Action") {
			name, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, name)
		}
		return true
	})
	if len(out) < 9 {
		t.Fatalf("found only %v", out)
	}
	return out
}

// ADM-02: every kind of decision has words in both languages.
func TestADM02AllowEveryActionHasWords(t *testing.T) {
	for _, action := range actions(t) {
		if !Rendered(action) {
			t.Errorf("%s has no words", action)
		}
		for value, said := range templates[action].words {
			if said.De == "" || said.En == "" || said.De == said.En {
				t.Errorf("%s, %q: %+v", action, value, said)
			}
		}
	}
	said, err := Record{Action: ActionEscalate, Result: json.RawMessage(`{"offer":"none"}`)}.Say()
	if err != nil || said.En != "We offered nothing of our own accord." {
		t.Errorf("%+v, %v", said, err)
	}
	said, err = Record{Action: ActionVariant, Result: json.RawMessage(`{"variant":"plain"}`)}.Say()
	if err != nil || said.De != "Wir haben den Inhalt „plain“ gezeigt." {
		t.Errorf("%+v, %v", said, err)
	}
}

// ADM-02: "the algorithm decided" is no explanation.
func TestADM02DenyADecisionWithoutWords(t *testing.T) {
	if Rendered("the algorithm decided") {
		t.Error("an unknown action has words")
	}
	for name, r := range map[string]Record{
		"an unknown action": {Action: "score", Result: json.RawMessage(`{"weight":0.82}`)},
		"an unknown result": {Action: ActionEscalate, Result: json.RawMessage(`{"offer":"invoice hidden"}`)},
		"no result":         {Action: ActionEscalate},
	} {
		if said, err := r.Say(); err == nil {
			t.Errorf("%s is said: %+v", name, said)
		}
	}
}
