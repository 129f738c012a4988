package policy

import (
	"context"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"
	opa "github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage/inmem"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/event"
)

// A case that was judged before.
func BenchmarkEventHit(b *testing.B) {
	r, ctx := loaded(b, EntryEvent), context.Background()
	c := EventCase{Kind: event.ProductViewed, Purpose: consent.Analytics, State: StateGiven, Stamp: StampYes, Tag: TagNone, Age: "adult"}
	judged(b, r, c)
	b.ReportAllocs()
	for b.Loop() {
		if v, err := r.Event(ctx, c); err != nil || !v.Allowed {
			b.Fatal(v, err)
		}
	}
}

// A case that was never judged: one evaluation by OPA.
func BenchmarkEventMiss(b *testing.B) {
	r, ctx := loaded(b, EntryEvent), context.Background()
	c := EventCase{Kind: event.ProductViewed, Purpose: consent.Analytics, State: StateGiven, Stamp: StampYes, Tag: TagNone, Age: "adult"}
	b.ReportAllocs()
	for b.Loop() {
		if v, _, err := r.judgeEvent(ctx, c); err != nil || !v.Allowed {
			b.Fatal(v, err)
		}
	}
}

// The whole gate for one event: seven purposes, all judged before.
func BenchmarkAdmit(b *testing.B) {
	r, ctx, c, it := loaded(b, EntryEvent), context.Background(), around(), raw(b, "Product Viewed")
	b.ReportAllocs()
	for b.Loop() {
		if _, a, err := r.Admit(ctx, it, c); err != nil || !a.Allowed {
			b.Fatal(a, err)
		}
	}
}

// The offer decision, from Go facts to verdict and recorded bytes; its aim is at
// most twice BenchmarkEscalateBare.
func BenchmarkEscalate(b *testing.B) {
	r, ctx, in := loaded(b, EntryEscalate), context.Background(), lost()
	b.ReportAllocs()
	for b.Loop() {
		if v, _, err := r.Escalate(ctx, in); err != nil || v.Offer != "human" {
			b.Fatal(v, err)
		}
	}
}

// The same rules as a bare prepared query with parsed input, as OPA's own
// documentation embeds it.
func BenchmarkEscalateBare(b *testing.B) {
	ctx, in := context.Background(), lost()
	text := map[string]string{}
	for _, pkg := range []string{shared, "escalate"} {
		t, err := source(pkg)
		if err != nil {
			b.Fatal(err)
		}
		text[file(pkg)] = t
	}
	compiler, err := compile(text, []Entry{EntryEscalate})
	if err != nil {
		b.Fatal(err)
	}
	q, err := opa.New(opa.Compiler(compiler), opa.Store(inmem.New()), opa.Query("data.escalate.verdict")).PrepareForEval(ctx)
	if err != nil {
		b.Fatal(err)
	}
	input, _ := facts(&in)
	b.ReportAllocs()
	for b.Loop() {
		set, err := q.Eval(ctx, opa.EvalParsedInput(input))
		if err != nil || set[0].Expressions[0].Value.(map[string]any)["offer"] != "human" {
			b.Fatal(set, err)
		}
	}
}

// What the facts of an offer cost to write down, as a value and as bytes.
func BenchmarkFacts(b *testing.B) {
	in := lost()
	var v ast.Value
	b.ReportAllocs()
	for b.Loop() {
		v, _ = facts(&in)
	}
	_ = v
}

// Reading and compiling the rules of one entry: the cold start of a Lambda.
func BenchmarkLoadOneEntry(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		loaded(b, EntryEscalate)
	}
}
