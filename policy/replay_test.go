package policy

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// kept loads the rules again from what is kept with decisions.
func kept(t *testing.T, r *Rules, entries ...Entry) *Rules {
	t.Helper()
	d := r.Digests()
	again, err := LoadDocument(context.Background(), r.Documents()[d.Policy], r.Documents()[d.Capabilities], entries...)
	if err != nil {
		t.Fatal(err)
	}
	return again
}

func TestKeptDocumentJudgesAsItDidThen(t *testing.T) {
	ctx, r := context.Background(), loaded(t)
	again := kept(t, r)
	if again.Digests().Policy != r.Digests().Policy || again.Digests().Capabilities != r.Digests().Capabilities {
		t.Errorf("the digests changed: %+v, were %+v", again.Digests(), r.Digests())
	}
	for name, judge := range map[Entry]func() (Result, error){
		EntryEscalate: func() (Result, error) { _, res, err := r.Escalate(ctx, lost()); return res, err },
		EntryHandover: func() (Result, error) {
			_, res, err := r.Handover(ctx, HandoverInput{Channel: "chat"})
			return res, err
		},
		EntryCard: func() (Result, error) { _, res, err := r.Card(ctx, CardInput{Role: "adviser"}); return res, err },
		EntryPersonalise: func() (Result, error) {
			_, res, err := r.Variant(ctx, VariantInput{Slot: "s", SwitchOn: true})
			return res, err
		},
		EntryPricing: func() (Result, error) { _, res, err := r.Price(ctx, PriceInput{}); return res, err },
	} {
		res, err := judge()
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // judged, then remembered
			if out, err := again.Replay(ctx, name, res.Input); err != nil || !bytes.Equal(out, res.Output) {
				t.Errorf("%s: %s (%v), recorded %s", name, out, err, res.Output)
			}
		}
	}
}

// A document of an earlier program may know fewer facts, packages and verdict
// members than today's.
func TestDocumentOfAnEarlierProgramStillJudges(t *testing.T) {
	doc := []byte(`{"data":{"settings":{"k":30}},"rego":{"handover/handover.rego":"# METADATA\n# scope: package\n# schemas:\n#   - input: schema.gone\npackage handover\n\nverdict := {\"allowed\": input.old == data.settings.k, \"rules\": {\"B\", \"A\"}}"}}`)
	r, err := LoadDocument(context.Background(), doc, capabilitiesJSON)
	if err != nil {
		t.Fatal(err)
	}
	out, err := r.Replay(context.Background(), EntryHandover, []byte(`{"old":30}`))
	if want := `{"allowed":true,"rules":["A","B"]}`; err != nil || string(out) != want {
		t.Errorf("got %s (%v), want %s", out, err, want)
	}
	if r.Has(EntryPricing) {
		t.Error("it claims to answer for prices")
	}
	if _, err := r.Replay(context.Background(), EntryPricing, []byte(`{}`)); err == nil {
		t.Error("it judged a price without rules")
	}
}

func TestBrokenDocumentsAreRefused(t *testing.T) {
	for name, doc := range map[string]string{
		"not JSON":     `{`,
		"no rules":     `{"data":{}}`,
		"bad rego":     `{"data":{},"rego":{"card/card.rego":"package card\nverdict := "}}`,
		"bad data":     `{"data":7,"rego":{"card/card.rego":"package card\nverdict := {}"}}`,
		"reads clocks": `{"data":{},"rego":{"card/card.rego":"package card\nverdict := {\"at\": time.now_ns()}"}}`,
	} {
		if _, err := LoadDocument(context.Background(), []byte(doc), capabilitiesJSON); err == nil {
			t.Errorf("%s was loaded", name)
		}
	}
	if _, err := LoadDocument(context.Background(), loaded(t).Documents()[loaded(t).Digests().Policy], []byte("no")); err == nil {
		t.Error("loaded without readable capabilities")
	}
}

func TestReplayRefusesWhatIsNoInput(t *testing.T) {
	r := loaded(t, EntryCard)
	for _, in := range []string{"", "{", "[]", `"x"`} {
		if out, err := r.Replay(context.Background(), EntryCard, []byte(in)); err == nil {
			t.Errorf("%q was judged: %s", in, out)
		}
	}
}

// candidate is a policy in which one rule of the card was changed.
func candidate(t *testing.T) fstest.MapFS {
	t.Helper()
	text, err := source("card")
	if err != nil {
		t.Fatal(err)
	}
	return fstest.MapFS{
		"card/card.rego":      {Data: []byte(strings.ReplaceAll(text, `input.role == "adviser"`, `input.role == "nobody"`))},
		"card/card_test.rego": {Data: []byte("package card_test\n\nthis is not rego")},
		"README.md":           {Data: []byte("a folder may hold more")},
	}
}

func TestFolderIsLaidOverTheProgramsRules(t *testing.T) {
	ctx := context.Background()
	r, err := LoadFolder(ctx, candidate(t), Settings{})
	if err != nil {
		t.Fatal(err)
	}
	now := loaded(t)
	if r.Digests().Policy == now.Digests().Policy {
		t.Error("another rule has the same digest")
	}
	in := CardInput{Role: "adviser", Open: true, Assigned: true}
	was, _, _ := now.Card(ctx, in)
	is, _, err := r.Card(ctx, in)
	if err != nil || !was.Allowed || is.Allowed {
		t.Errorf("allowed %v before and %v now (%v)", was.Allowed, is.Allowed, err)
	}
	if _, _, err := r.Handover(ctx, HandoverInput{}); err != nil {
		t.Errorf("the package that the folder lacks does not answer: %v", err)
	}
}

func TestFolderThatIsNoPolicyIsRefused(t *testing.T) {
	for name, folder := range map[string]fstest.MapFS{
		"empty":         {},
		"tests only":    {"card/card_test.rego": {Data: []byte("package card_test")}},
		"unknown input": {"card/card.rego": {Data: []byte("# METADATA\n# scope: package\n# schemas:\n#   - input: schema.card\npackage card\n\nverdict := {\"allowed\": input.surname}\n")}},
		"reads clocks":  {"card/card.rego": {Data: []byte("package card\nverdict := {\"at\": time.now_ns()}")}},
	} {
		if _, err := LoadFolder(context.Background(), folder, Settings{}); err == nil {
			t.Errorf("%s was loaded", name)
		}
	}
}

func TestReplayForgetsRatherThanGrows(t *testing.T) {
	var r replays
	for i := range maxReplays + 10 {
		r.keep(replayKey{EntryCard, time.Duration(i).String()}, []byte("{}"))
	}
	n := 0
	r.m.Range(func(any, any) bool { n++; return true })
	if n > maxReplays {
		t.Errorf("%d inputs are remembered", n)
	}
}
