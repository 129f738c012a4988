package policy

import (
	"context"
	"fmt"
	"maps"
	"sync"

	"github.com/handschlag/handschlag/consent"
)

// failClosed is why something is refused when the rules gave no verdict.
var failClosed = []string{"CON-11"}

// orUnknown is the word for "never said": ages and consent statuses share it.
func orUnknown[S ~string](s S) S {
	if s == "" {
		return "unknown"
	}
	return s
}

// remembered keeps verdicts by case.
type remembered[C comparable, V any] struct{ m sync.Map }

func (r *remembered[C, V]) load(c C) (v V, ok bool) {
	if x, found := r.m.Load(c); found {
		return x.(V), true
	}
	return v, false
}

// Export judges a case of the export gate, once per distinct case. An error is a
// refusal. The verdict's slices are shared: do not change them.
func (r *Rules) Export(ctx context.Context, c ExportCase) (ExportVerdict, error) {
	c.Age = orUnknown(c.Age)
	if v, ok := r.exports.load(c); ok {
		return v, nil
	}
	refused := ExportVerdict{Rules: failClosed}
	input, _ := facts(&c)
	a, err := r.ask(ctx, EntryExport, input)
	if err != nil {
		return refused, err
	}
	v := ExportVerdict{Allowed: a.flag("allowed"), Rules: a.list("rules")}
	if a.err != nil {
		return refused, fmt.Errorf("judging export: %w", a.err)
	}
	r.exports.m.Store(c, v)
	return v, nil
}

// Consent says which yeses of a consent call stand. On an error none does.
func (r *Rules) Consent(ctx context.Context, in ConsentInput) (ConsentVerdict, error) {
	in.Age = orUnknown(in.Age)
	input, _ := facts(&in)
	a, err := r.ask(ctx, EntryConsent, input)
	if err != nil {
		return ConsentVerdict{Rules: failClosed}, err
	}
	v := ConsentVerdict{Refused: map[consent.Purpose][]string{}, Rules: a.list("rules")}
	for _, p := range a.list("given") {
		v.Given = append(v.Given, consent.Purpose(p))
	}
	for p, ids := range a.lists("refused") {
		v.Refused[consent.Purpose(p)] = ids
	}
	for p, yes := range in.Asked {
		if yes && a.err == nil && v.Refused[p] == nil && !contains(v.Given, p) {
			v.Refused[p] = failClosed
		}
	}
	if a.err != nil {
		return ConsentVerdict{Rules: failClosed}, fmt.Errorf("judging consent: %w", a.err)
	}
	return v, nil
}

// Prompt says which purposes a banner may ask for. On an error it is none.
func (r *Rules) Prompt(ctx context.Context, in PromptInput) (PromptVerdict, error) {
	in.Purposes = maps.Clone(in.Purposes)
	for p, fact := range in.Purposes {
		fact.Status = orUnknown(fact.Status)
		in.Purposes[p] = fact
	}
	input, _ := facts(&in)
	a, err := r.ask(ctx, EntryPrompt, input)
	if err != nil {
		return PromptVerdict{Rules: failClosed}, err
	}
	v := PromptVerdict{Withheld: map[consent.Purpose][]string{}, Rules: a.list("rules")}
	for _, p := range a.list("ask") {
		v.Ask = append(v.Ask, consent.Purpose(p))
	}
	for p, ids := range a.lists("withheld") {
		v.Withheld[consent.Purpose(p)] = ids
	}
	if a.err != nil {
		return PromptVerdict{Rules: failClosed}, fmt.Errorf("judging prompt: %w", a.err)
	}
	return v, nil
}

func contains(ps []consent.Purpose, p consent.Purpose) bool {
	return consent.SetOf(ps...).Has(p)
}

// Escalate climbs the offer ladder. On an error the offer is none.
func (r *Rules) Escalate(ctx context.Context, in EscalateInput) (EscalateVerdict, Result, error) {
	in.Age, in.Consent.Status = orUnknown(in.Age), orUnknown(in.Consent.Status)
	v := EscalateVerdict{Offer: "none", Rules: failClosed}
	res, err := judge(ctx, r, EntryEscalate, &in, &v, func(a *answer) EscalateVerdict {
		return EscalateVerdict{Offer: a.text("offer"), Hint: a.text("hint"), Channels: a.list("channels"), HeldOut: a.flag("held_out"), Rules: a.list("rules")}
	})
	return v, res, err
}

// Handover says whether a click on an offer reaches a human. On an error it does not.
func (r *Rules) Handover(ctx context.Context, in HandoverInput) (HandoverVerdict, Result, error) {
	v := HandoverVerdict{Rules: failClosed}
	res, err := judge(ctx, r, EntryHandover, &in, &v, func(a *answer) HandoverVerdict {
		return HandoverVerdict{Allowed: a.flag("allowed"), Rules: a.list("rules")}
	})
	return v, res, err
}

// Conduct says whether the shop's people may record or call. On an error they may not.
func (r *Rules) Conduct(ctx context.Context, in ConductInput) (ConductVerdict, Result, error) {
	in.Recording.Consent.Status, in.Call.Consent.Status = orUnknown(in.Recording.Consent.Status), orUnknown(in.Call.Consent.Status)
	v := ConductVerdict{Rules: failClosed}
	res, err := judge(ctx, r, EntryConduct, &in, &v, func(a *answer) ConductVerdict {
		return ConductVerdict{Allowed: a.flag("allowed"), Basis: a.text("basis"), Delete: a.text("delete"), Rules: a.list("rules")}
	})
	return v, res, err
}

// Card says what an adviser may see. On an error it is nothing.
func (r *Rules) Card(ctx context.Context, in CardInput) (CardVerdict, Result, error) {
	in.Blocks = maps.Clone(in.Blocks)
	for block, fact := range in.Blocks {
		fact.Status = orUnknown(fact.Status)
		in.Blocks[block] = fact
	}
	v := CardVerdict{Rules: failClosed}
	res, err := judge(ctx, r, EntryCard, &in, &v, func(a *answer) CardVerdict {
		return CardVerdict{Allowed: a.flag("allowed"), Shown: a.list("shown"), Hidden: a.lists("hidden"), Rules: a.list("rules")}
	})
	return v, res, err
}

// Variant says how to choose a variant and among which. On an error the mode is
// default and nothing is eligible.
func (r *Rules) Variant(ctx context.Context, in VariantInput) (VariantVerdict, Result, error) {
	in.Age, in.Consent.Status, in.Experiment.Status = orUnknown(in.Age), orUnknown(in.Consent.Status), orUnknown(in.Experiment.Status)
	v := VariantVerdict{Mode: "default", Rules: failClosed}
	res, err := judge(ctx, r, EntryPersonalise, &in, &v, func(a *answer) VariantVerdict {
		return VariantVerdict{Mode: a.text("mode"), Sticky: a.flag("sticky"), Eligible: a.list("eligible"), Rules: a.list("rules")}
	})
	return v, res, err
}

// Price judges a price and the claim shown with it. On an error both are denied.
func (r *Rules) Price(ctx context.Context, in PriceInput) (PriceVerdict, Result, error) {
	v := PriceVerdict{Rules: failClosed}
	res, err := judge(ctx, r, EntryPricing, &in, &v, func(a *answer) PriceVerdict {
		return PriceVerdict{
			PriceAllowed: a.flag("price_allowed"), ClaimAllowed: a.flag("claim_allowed"),
			Disclosures: a.list("disclosures"), Flags: a.list("flags"), Rules: a.list("rules"),
		}
	})
	return v, res, err
}

// Move judges a price move against the shop's own limits. On an error it is denied.
func (r *Rules) Move(ctx context.Context, in MoveInput) (MoveVerdict, Result, error) {
	v := MoveVerdict{Rules: failClosed}
	res, err := judge(ctx, r, EntryMoves, &in, &v, func(a *answer) MoveVerdict {
		return MoveVerdict{Allowed: a.flag("allowed"), Rules: a.list("rules")}
	})
	return v, res, err
}

// judge evaluates an entry and keeps the bytes that the decision record needs: the
// rules' own verdict, member for member, so that it replays from the policy document
// and the input alone. v comes in as the refusal and is replaced only by a whole
// verdict.
func judge[In, Out any](ctx context.Context, r *Rules, e Entry, in *In, v *Out, read func(*answer) Out) (Result, error) {
	input, canonical := facts(in)
	a, err := r.ask(ctx, e, input)
	if err == nil {
		out := read(&a)
		if err = a.err; err == nil {
			*v = out
		} else {
			err = fmt.Errorf("judging %s: %w", e, err)
		}
	}
	if err != nil {
		_, refusal := facts(v)
		return Result{Input: canonical, Output: refusal, Digests: r.digests}, err
	}
	return Result{Input: canonical, Output: appendValue(make([]byte, 0, 256), a.o), Digests: r.digests}, nil
}
