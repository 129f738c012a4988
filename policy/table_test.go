package policy

import (
	"bytes"
	"context"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/handschlag/handschlag/event"
)

func table(t testing.TB, r *Rules) *Table {
	t.Helper()
	made, err := r.Table(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// todays is the table of the program's own rules, made once for all tests.
var todays = sync.OnceValues(func() (*Table, error) {
	r, err := Load(context.Background(), Settings{ConfigDigest: "cfg"}, EntryEvent)
	if err != nil {
		return nil, err
	}
	return r.Table(context.Background())
})

func today(t *testing.T) *Table {
	t.Helper()
	made, err := todays()
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// agrees compares a table with what OPA says case by case.
func agrees(t *testing.T, r *Rules, made *Table, numbers []int) {
	t.Helper()
	said, err := r.judgeAll(context.Background(), numbers)
	if err != nil {
		t.Fatal(err)
	}
	wrong := 0
	for i, n := range numbers {
		c := caseNumbered(n)
		v, _ := made.Verdict(c)
		if got, want := v.canonical(nil), said[i].canonical(nil); !bytes.Equal(got, want) {
			if wrong++; wrong < 5 {
				t.Errorf("%+v: the table says %s, OPA %s", c, got, want)
			}
		}
	}
	if wrong > 0 {
		t.Errorf("%d of %d cases differ", wrong, len(numbers))
	}
}

// TestTableSaysWhatOPASays asks OPA about every 101st case, so of every kind, purpose
// and state; HANDSCHLAG_EVERY_CASE=1 asks about every case there is.
func TestTableSaysWhatOPASays(t *testing.T) {
	r := loaded(t, EntryEvent)
	made, step := today(t), 101
	if os.Getenv("HANDSCHLAG_EVERY_CASE") != "" {
		step = 1
	}
	var numbers []int
	for n := rand.IntN(step); n < CaseSpace; n += step {
		numbers = append(numbers, n)
	}
	agrees(t, r, made, numbers)
	t.Logf("%d cases: OPA judged %d for the table, %d to compare; %d distinct verdicts", CaseSpace, made.Judged, len(numbers), made.Verdicts())
	if made.Judged > CaseSpace/10 {
		t.Errorf("OPA had to judge %d cases", made.Judged)
	}
}

// Rules that ask of their facts in ways that cannot be told from the text alone must
// come out the same, if need be with every value in a class of its own.
func TestTableIsTrueForEveryWayToAsk(t *testing.T) {
	for name, x := range map[string]struct {
		rule, more string
		fails      bool
	}{
		"a comparison":           {rule: `input.kind == "page"`},
		"a negation":             {rule: `not input.kind in {"page", "screen"}`},
		"a built-in":             {rule: `startswith(input.kind, "order")`},
		"a failing built-in":     {rule: `1 / (count(input.age) - 3) == 1`, fails: true},
		"a variable":             {rule: "k := input.kind\n\tk == \"page\""},
		"two facts":              {rule: `input.kind == input.stamp`},
		"two facts, computed":    {rule: `concat("", [input.age, input.tag]) == "u16none"`},
		"a loop":                 {rule: "some k in [\"page\", \"screen\"]\n\tinput.kind == k"},
		"the whole input":        {rule: "some k, v in input\n\tk == \"kind\"\n\tv == \"page\""},
		"a path in a variable":   {rule: "some k in [\"kind\"]\n\tinput[k] == \"page\""},
		"a comprehension":        {rule: `count([k | k := input.kind; k == "page"]) == 1`},
		"every":                  {rule: "every k in [\"page\"] {\n\t\tinput.kind == k\n\t}"},
		"a function":             {rule: "_odd(input.kind)", more: "_odd(k) if count(k) % 2 == 1"},
		"a function of others":   {rule: "_mine(input.kind)", more: "_mine(k) if k == input.stamp\n\n_mine(k) if k == \"page\""},
		"a rule of another fact": {rule: "input.kind in _mine", more: "_mine contains \"page\" if input.gpc == true\n\n_mine contains \"screen\""},
		"a rule of such a rule":  {rule: "input.kind in _mine", more: "_mine := _other\n\n_other contains \"page\" if input.gpc == true"},
		"a path of rules":        {rule: "input.kind in _mine.list", more: "_mine.list contains \"page\" if input.gpc == true"},
		"a rule of such a path":  {rule: "input.kind in _mine", more: "_mine := _other.list\n\n_other.list contains \"page\" if input.gpc == true"},
		"its package by name":    {rule: "input.kind in data.minimise._mine", more: "_mine contains \"page\" if input.gpc == true"},
		"a steady rule":          {rule: "input.kind in _mine", more: "_mine := {k | some k in [\"page\", \"screen\"]}"},
		"settings":               {rule: "input.kind == \"page\"\n\tdata.settings.k > 3"},
		"a head":                 {rule: "input.gpc == true", more: "deny contains input.age if input.tag == \"special\""},
		"an else":                {rule: "_way == 2", more: "_way := 1 if {\n\tinput.kind == \"page\"\n} else := 2 if {\n\tinput.age == \"adult\"\n} else := 3"},
		"another purpose":        {rule: "input.purpose == \"analytics\"\n\tinput.dnt == true"},
		"with":                   {rule: "_way with input.kind as \"page\"", more: "_way if input.kind == \"page\""},
	} {
		t.Run(name, func(t *testing.T) {
			text, err := source("minimise")
			if err != nil {
				t.Fatal(err)
			}
			text += "\ndeny contains \"SWITCH\" if {\n\t" + x.rule + "\n}\n\n" + x.more + "\n"
			ctx := context.Background()
			r, err := LoadFolder(ctx, fstest.MapFS{"minimise/minimise.rego": {Data: []byte(text)}}, Settings{}, EntryEvent)
			if err != nil {
				t.Fatal(err)
			}
			classes, err := r.tellApart(ctx)
			if err != nil {
				t.Fatal(err)
			}
			group, first := groups(classes)
			numbers, stand := make([]int, 100), make([]int, 100)
			for i := range numbers {
				c := caseNumbered(rand.IntN(CaseSpace)) // of a kind that some rule above asks about
				c.Kind = []event.Kind{event.Page, event.Screen, event.Other, event.OrderCompleted}[i%4]
				numbers[i] = c.number()
				stand[i] = first[group[numbers[i]]]
			}
			said, err := r.judgeAll(ctx, numbers)
			if x.fails {
				if err == nil {
					t.Error("rules that fail judged")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			stood, err := r.judgeAll(ctx, stand)
			if err != nil {
				t.Fatal(err)
			}
			for i, n := range numbers {
				if got, want := stood[i].canonical(nil), said[i].canonical(nil); !bytes.Equal(got, want) {
					t.Fatalf("%+v is judged as %+v: %s, but OPA says %s", caseNumbered(n), caseNumbered(stand[i]), got, want)
				}
			}
			t.Logf("%d groups", len(first))
		})
	}
}

func TestTableIsCompleteAndHasOneDigest(t *testing.T) {
	made := today(t)
	p, err := made.Proof()
	if err != nil || !p.Complete() || p.Cases != CaseSpace || p.Cases > 1_000_000 {
		t.Fatalf("%+v, %v", p, err)
	}
	again, err := table(t, kept(t, loaded(t), EntryEvent)).Proof()
	if err != nil || again.Digest != p.Digest {
		t.Errorf("the same policy has table %s and %s (%v)", p.Digest, again.Digest, err)
	}
	text, _ := source("minimise")
	other, err := LoadFolder(context.Background(), fstest.MapFS{"minimise/minimise.rego": {Data: []byte(strings.Replace(text, `"dwell_ms",`, "", 1))}}, Settings{}, EntryEvent)
	if err != nil {
		t.Fatal(err)
	}
	if differs, err := table(t, other).Proof(); err != nil || differs.Digest == p.Digest {
		t.Errorf("a field less has the same digest (%v)", err)
	}
}

func TestCaseIsWrittenTheSameFastAndSlow(t *testing.T) {
	for range 1000 {
		c := caseNumbered(rand.IntN(CaseSpace))
		slow, err := c.MarshalJSON()
		if fast := c.canonical(nil); err != nil || !bytes.Equal(fast, slow) {
			t.Fatalf("%s and %s", fast, slow)
		}
	}
}

func TestTableNeedsTheEventEntryAlone(t *testing.T) {
	for _, r := range []*Rules{loaded(t), loaded(t, EntryCard)} {
		if _, err := r.Table(context.Background()); err == nil {
			t.Error("a table was made")
		}
	}
}
