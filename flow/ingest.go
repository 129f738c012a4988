package flow

import (
	"context"
	"sync"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/consent/signal"
	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/policy"
)

// The outcomes of an item.
const (
	Admitted  = "admitted"
	Refused   = "refused"
	Invalid   = "invalid"
	Duplicate = "duplicate"
)

// IngestAnswer says what became of each item of a batch, in the batch's order.
type IngestAnswer struct {
	Success   bool     `json:"success"`
	Admitted  int      `json:"admitted"`
	Refused   int      `json:"refused"`
	Invalid   int      `json:"invalid"`
	Duplicate int      `json:"duplicate"`
	Results   []Result `json:"results"`
}

// Result is what became of one item.
type Result struct {
	MessageID string            `json:"messageId"`
	Outcome   string            `json:"outcome"` // admitted | refused | invalid | duplicate
	Purposes  []consent.Purpose `json:"purposes,omitempty"`
	Rules     []string          `json:"rules,omitempty"`
	Code      string            `json:"code,omitempty"`
	Detail    string            `json:"detail,omitempty"`
}

// batch is one call's way through the gate. It is used by one goroutine, but for
// writing profiles.
type batch struct {
	*Flow
	caller    Caller
	now       time.Time
	on        bool // the ingest switch
	products  event.Catalogue
	gpc, dnt  bool // of the request's headers
	crowd     map[ids]*visitor
	items     []item
	refusedBy map[string]int64 // rule → refusals
	prefs     uintptr          // identity of the preferences last read; the batch keeps them alive
	said      signal.Stamp     // what they say
	odd       bool             // they name a category that nobody knows
	unknown   int64            // events whose preferences do
	judging   sync.Mutex       // held while an event is judged again
}

// ids are the identifiers of one event, as far as the caller may use them.
type ids struct{ device, account consent.ID }

// item is one readable event of a batch.
type item struct {
	result  *Result
	raw     event.Raw
	ids     ids
	visitor *visitor
	link    bool // it would link a device to an account
	facts   policy.Circumstances
	event   event.Event
}

// Ingest takes a batch through the shop: consistent consent state, gate, log,
// profile, answer, in this order (design.md, 8).
//
// When it answers, every admitted event is durable, and the consent that admitted
// it was still current when its profile was written. Refused events leave
// counters and nothing else. An error is about the whole batch: none of it counts
// as accepted, and the sender sends it again.
func (f *Flow) Ingest(ctx context.Context, env event.Envelope, c Caller) (IngestAnswer, error) {
	b := f.batch(c, len(env.Items))
	results := make([]Result, len(env.Items))
	for i, m := range env.Items {
		results[i] = Result{MessageID: m.MessageID, Outcome: Refused}
		if m.Invalid != nil {
			results[i].Outcome, results[i].Code, results[i].Detail = Invalid, m.Invalid.Code, m.Invalid.Detail
			continue
		}
		b.items = append(b.items, item{result: &results[i], raw: m.Raw})
	}
	ctx = b.lookAhead(ctx)
	if err := b.look(ctx); err != nil {
		return IngestAnswer{}, err
	}
	for i := range b.items {
		if err := b.judge(ctx, &b.items[i]); err != nil {
			return IngestAnswer{}, err
		}
	}
	if err := b.write(ctx); err != nil {
		return IngestAnswer{}, err
	}
	return b.answer(ctx, results)
}

func (f *Flow) batch(c Caller, n int) *batch {
	return &batch{
		Flow: f, caller: c, now: f.now(), gpc: c.gpc(), dnt: c.dnt(),
		crowd: make(map[ids]*visitor, 1), items: make([]item, 0, n), refusedBy: map[string]int64{},
	}
}

// look reads what the whole batch is judged by.
func (b *batch) look(ctx context.Context) (err error) {
	if b.on, err = b.Flow.on(ctx, SwitchIngest); err != nil {
		return err
	}
	b.products, err = b.catalogue(ctx)
	return err
}

// judge asks the gate about one event. Raw ends here.
func (b *batch) judge(ctx context.Context, it *item) error {
	if b.caller.Server {
		it.raw = it.raw.Trusted()
	}
	it.ids, it.link = b.whose(it.raw)
	v, err := b.visitor(ctx, it.ids)
	if err != nil {
		return err
	}
	it.visitor = v
	it.facts = b.circumstances(it)
	stranger := it.facts.Subject.IsZero() && b.caller.Server && it.raw.Kind().Order()
	if stranger {
		it.facts.Subject = anybody
	}
	if err := b.admit(ctx, it); err != nil || !stranger || it.result.Outcome != Admitted {
		return err
	}
	return b.assign(ctx, it)
}

// anybody stands in for the customer of an order until the gate has said that the
// order may be kept: only then is a pseudonym made.
var anybody = consent.Subject{0: 1}

// admit takes the gate's answer into the item.
func (b *batch) admit(ctx context.Context, it *item) error {
	e, a, err := b.rules.Admit(ctx, it.raw, it.facts)
	if err != nil {
		return unavailable("judging an event", err)
	}
	it.event = e
	it.result.Outcome, it.result.Purposes, it.result.Rules = Admitted, a.Purposes, nil
	if !a.Allowed {
		it.result.Outcome, it.result.Purposes, it.result.Rules = Refused, nil, a.Rules
	}
	return nil
}

// assign gives a pseudonym to the customer of an order that the shop's own
// server sent: nothing else is admitted for somebody unknown (design.md, 7).
func (b *batch) assign(ctx context.Context, it *item) error {
	id, side := it.ids.account, &it.visitor.account
	if id.IsZero() {
		id, side = it.ids.device, &it.visitor.device
	}
	s, err := b.host.Assign(ctx, id)
	if err != nil {
		return unavailable("assigning a pseudonym", err)
	}
	side.Subject = s
	it.visitor.proven = !it.ids.account.IsZero()
	it.facts.Subject, it.facts.MessageKey = s, b.keys.message(s, it.raw.MessageID())
	return b.admit(ctx, it)
}

// answer counts what became of the items and says so.
func (b *batch) answer(ctx context.Context, results []Result) (IngestAnswer, error) {
	a := IngestAnswer{Success: true, Results: results}
	names := map[string]int64{}
	for i := range results {
		switch r := &results[i]; r.Outcome {
		case Admitted:
			a.Admitted++
		case Duplicate:
			a.Duplicate++
		case Invalid:
			a.Invalid++
			names["invalid/"+r.Code]++
		default:
			a.Refused++
			for _, rule := range r.Rules {
				b.refusedBy[rule]++
			}
		}
	}
	for rule, n := range b.refusedBy {
		names["refused/"+rule] = n
	}
	if b.unknown > 0 {
		names["signal/SIG-10"] = b.unknown
	}
	for name, n := range map[string]int64{"admitted": int64(a.Admitted), "duplicate": int64(a.Duplicate), "refused": int64(a.Refused), "invalid": int64(a.Invalid)} {
		if n > 0 {
			names[name] = n
		}
	}
	b.outcomes(names)
	if err := b.host.Count(ctx, b.now, names); err != nil {
		return IngestAnswer{}, unavailable("counting events", err)
	}
	return a, nil
}
