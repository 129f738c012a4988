package flow

import (
	"context"
	"slices"
	"strings"
	"time"
)

// StatsCall chooses a period; the zero call is the last 24 hours.
type StatsCall struct {
	From time.Time `json:"from,omitzero"`
	To   time.Time `json:"to,omitzero"`
}

// StatsAnswer holds live counts. Hours are whole.
type StatsAnswer struct {
	From     time.Time        `json:"from"`
	To       time.Time        `json:"to"`
	Events   map[string]int64 `json:"events"` // admitted, duplicate, refused, invalid, refused/RULE, invalid/CODE
	Variants []VariantStats   `json:"variants"`
	Offers   OfferStats       `json:"offers"`
	Prices   map[string]int64 `json:"prices"` // price/allowed, price/denied, claim/allowed, claim/denied
	Ratios   []SampleRatio    `json:"sample_ratios"`
	Reviews  ReviewStats      `json:"reviews"` // of the machine's suggestions by advisers, with the alarm of ADM-03
	Scoring  ScoringStats     `json:"scoring"`
}

// ScoringStats says which scorecard decides about offers now.
type ScoringStats struct {
	Version string `json:"version"`
	Refused string `json:"refused,omitempty"` // why it is not the one that the night published
}

// VariantStats counts one variant of a slot.
type VariantStats struct {
	Slot     string           `json:"slot"`
	Variant  string           `json:"variant"`
	Assigned int64            `json:"assigned"`
	Outcomes map[string]int64 `json:"outcomes"` // admitted events that name the variant, by kind
}

// OfferStats counts offers and what came of them.
type OfferStats struct {
	Decided  map[string]int64 `json:"decided"`  // none hint human held_out asked
	Events   map[string]int64 `json:"events"`   // adviser_offer_shown …
	Opened   map[string]int64 `json:"opened"`   // contacts, by channel
	Outcomes map[string]int64 `json:"outcomes"` // helped not_needed sold follow_up
}

// Stats gives live counts, and raises the sample-ratio alarm. Counts are of
// whole hours and lead to nobody.
func (f *Flow) Stats(ctx context.Context, call StatsCall, c Caller) (StatsAnswer, error) {
	if _, err := c.staff(RoleMarketing, RoleDPO, RoleOps); err != nil {
		return StatsAnswer{}, err
	}
	now := f.now()
	a := StatsAnswer{From: call.From.UTC().Truncate(time.Hour), To: call.To.UTC(), Events: map[string]int64{}, Prices: map[string]int64{}}
	if call.To.IsZero() {
		a.To = now.Truncate(time.Hour).Add(time.Hour)
	}
	if call.From.IsZero() {
		a.From = a.To.Add(-24 * time.Hour)
	}
	if !a.From.Before(a.To) || a.To.Sub(a.From) > 400*24*time.Hour {
		return StatsAnswer{}, invalid("from", "want a time before to, at most 400 days earlier")
	}
	counts, err := f.host.Counts(ctx, a.From, a.To, "")
	if err != nil {
		return StatsAnswer{}, unavailable("reading counters", err)
	}
	a.sort(f, counts)
	a.Reviews = f.reviews(counts)
	if a.Scoring, err = f.scoring(ctx); err != nil {
		return StatsAnswer{}, err
	}
	a.Ratios, err = f.ratios(ctx, a.From, a.To)
	return a, err
}

func (f *Flow) scoring(ctx context.Context) (ScoringStats, error) {
	pub, err := f.publication(ctx)
	if err != nil {
		return ScoringStats{}, err
	}
	out := ScoringStats{Version: pub.scorecard.Version}
	if pub.refused != nil {
		out.Refused = pub.refused.Error()
	}
	return out, nil
}

// sort puts each counter where the answer has it.
func (a *StatsAnswer) sort(f *Flow, counts map[string]int64) {
	a.Offers = OfferStats{Decided: map[string]int64{}, Events: map[string]int64{}, Opened: map[string]int64{}, Outcomes: map[string]int64{}}
	under := func(prefix string, into map[string]int64) {
		for name, n := range counts {
			if rest, ok := strings.CutPrefix(name, prefix); ok {
				into[rest] += n
			}
		}
	}
	under("offer/", a.Offers.Decided)
	under("offer_event/", a.Offers.Events)
	under("contact/opened/", a.Offers.Opened)
	under("contact/outcome/", a.Offers.Outcomes)
	for name, n := range counts {
		switch head, _, _ := strings.Cut(name, "/"); head {
		case "admitted", "duplicate", "refused", "invalid":
			a.Events[name] = n
		case "price", "claim":
			a.Prices[name] = n
		}
	}
	a.Variants = f.variants(counts, under)
}

func (f *Flow) variants(counts map[string]int64, under func(string, map[string]int64)) []VariantStats {
	out := []VariantStats{}
	for slot, s := range f.cfg.Slots {
		for _, x := range s.Variants {
			v := VariantStats{Slot: slot, Variant: x.ID, Assigned: counts["variant/"+slot+"/"+x.ID], Outcomes: map[string]int64{}}
			under("variant_event/"+slot+"/"+x.ID+"/", v.Outcomes)
			out = append(out, v)
		}
	}
	slices.SortFunc(out, func(a, b VariantStats) int {
		return strings.Compare(a.Slot+"/"+a.Variant, b.Slot+"/"+b.Variant)
	})
	return out
}
