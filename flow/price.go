package flow

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/policy"
	"github.com/handschlag/handschlag/price"
)

// PriceAnswer judges one quote: price and claim apart.
type PriceAnswer struct {
	DecisionID  string          `json:"decision_id"`
	Price       PriceVerdict    `json:"price"`
	Claim       ClaimVerdict    `json:"claim"`
	Disclosures []string        `json:"disclosures"`
	Flags       []string        `json:"flags"`
	Rules       []string        `json:"rules"`
	Reasons     []policy.Reason `json:"reasons"`
}

// PriceVerdict is the price to show: the offer if allowed, else the list price.
type PriceVerdict struct {
	Allowed bool  `json:"allowed"`
	Cents   int64 `json:"cents"`
}

// ClaimVerdict says whether the announcement may stand.
type ClaimVerdict struct {
	Allowed    bool   `json:"allowed"`
	LowCents   *int64 `json:"low30_cents"` // null: unknown
	MaxPercent *int64 `json:"max_pct"`     // null: no reduction
}

// MaxQuotes is how many quotes one call may hold.
const MaxQuotes = 500

// Price judges quotes, in order. All are checked before any is decided, so a
// fault in one leaves no records of the others.
func (f *Flow) Price(ctx context.Context, quotes []price.Quote, c Caller) ([]PriceAnswer, error) {
	if err := c.server(); err != nil {
		return nil, err
	}
	if len(quotes) == 0 || len(quotes) > MaxQuotes {
		return nil, invalid("quotes", "want 1 to %d", MaxQuotes)
	}
	now := f.now()
	for i := range quotes {
		if field, want := wrongIn(&quotes[i]); field != "" {
			if len(quotes) > 1 {
				field = fmt.Sprintf("quotes[%d].%s", i, field)
			}
			return nil, invalid(field, "%s", want)
		}
	}
	ctx = f.ahead(ctx, func() Ahead { return Ahead{Control: 2, Prices: histories(quotes)} })
	on, err := f.on(ctx, SwitchPersonalised)
	if err != nil {
		return nil, err
	}
	cat, err := f.catalogue(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]PriceAnswer, len(quotes))
	records := make([]*decide.Record, len(quotes))
	names := map[string]int64{}
	for i, q := range quotes {
		if out[i], records[i], err = f.quote(ctx, q, cat, on && f.cfg.Prices.Personalised, now); err != nil {
			return nil, err
		}
		out[i].tally(q, names)
	}
	if err := f.decidedAll(ctx, records); err != nil {
		return nil, err
	}
	if err := f.host.Count(ctx, now, names); err != nil {
		return nil, unavailable("counting", err)
	}
	return out, nil
}

// histories names the price histories that quotes are judged by, each once.
func histories(quotes []price.Quote) (out []PriceName) {
	for _, q := range quotes {
		if n := (PriceName{q.Product, q.Storefront, q.Channel, q.Currency}); !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out
}

// tally counts an answer for the live figures. Saying nothing is no claim.
func (a PriceAnswer) tally(q price.Quote, names map[string]int64) {
	said := func(what string, allowed bool) {
		if allowed {
			names[what+"/allowed"]++
		} else {
			names[what+"/denied"]++
		}
	}
	said("price", a.Price.Allowed)
	if q.Announcement.Kind != "none" {
		said("claim", a.Claim.Allowed)
	}
}

func (f *Flow) quote(ctx context.Context, q price.Quote, cat event.Catalogue, personalised bool, now time.Time) (PriceAnswer, *decide.Record, error) {
	in, err := f.priceInput(ctx, q, cat, personalised, now)
	if err != nil {
		return PriceAnswer{}, nil, err
	}
	verdict, res, err := f.rules.Price(ctx, in)
	if err != nil {
		return PriceAnswer{}, nil, unavailable("judging a price", err)
	}
	r := f.record(now, decide.ActionPrice, consent.Subject{}, verdict.Rules, res)
	a := PriceAnswer{
		DecisionID: r.ID, Price: PriceVerdict{Allowed: verdict.PriceAllowed, Cents: q.ListCents},
		Claim:       ClaimVerdict{Allowed: verdict.ClaimAllowed, LowCents: known(in.Facts.LowCents), MaxPercent: known(in.Facts.MaxPercent)},
		Disclosures: filled(verdict.Disclosures), Flags: filled(verdict.Flags), Rules: r.Rules,
		Reasons: f.words(policy.EntryPricing, verdict.Rules),
	}
	if verdict.PriceAllowed {
		a.Price.Cents = q.OfferCents
	} else if in.Facts.Rose {
		a.Price.Cents = min(q.ListCents, q.Promises.ShownCents) // PRI-13: what the basket showed holds
	}
	return a, &r, nil
}

// known is a number of the facts, or null where it is 0: not known, or no reduction.
func known(n int64) *int64 {
	if n <= 0 {
		return nil
	}
	return &n
}

func filled(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

// priceInput gathers the facts. Of the visitor there is one boolean; the record
// that it comes from is not named, so that a price decision leads to nobody.
func (f *Flow) priceInput(ctx context.Context, q price.Quote, cat event.Catalogue, personalised bool, now time.Time) (policy.PriceInput, error) {
	history, err := f.host.PriceHistory(ctx, q.Product, q.Storefront, q.Channel, q.Currency)
	if err != nil {
		return policy.PriceInput{}, unavailable("reading price history", err)
	}
	in := policy.PriceInput{Facts: price.Judgeable(q, history, now, f.storefront(q.Storefront)), Personalised: personalised}
	in.Significance, in.Ground = f.cfg.Decisions[decide.ActionPrice].Significance, f.cfg.Decisions[decide.ActionPrice].Ground
	if in.ConsentGiven, err = f.priceConsent(ctx, q.ConsentID, now); err != nil {
		return in, err
	}
	if p, ok := cat.Product(q.Product); ok {
		in.Facts.StockTrue = in.Facts.StockTrue || p.Stock <= q.Promises.StockLeft
		in.SpecialProduct = len(p.Tags)+len(cat.Tags(p.Category)) > 0
		in.RegulatedPrice = slices.ContainsFunc(f.cfg.Prices.Regulated, func(c string) bool { return strings.EqualFold(c, p.Category) })
	}
	in.Quote = impersonal(q)
	return in, nil
}

// impersonal takes out of a quote what could lead to a person: the rules ask
// whether a reduction names a card or contract, and whether an input is one of
// the closed list, or speaks of a place (PRI-12), not which.
func impersonal(q price.Quote) price.Quote {
	q.ConsentID = ""
	q.Inputs, q.Reductions = slices.Clone(q.Inputs), slices.Clone(q.Reductions)
	for i, name := range q.Inputs {
		if !slices.Contains(price.Inputs, name) {
			q.Inputs[i] = foreign(name)
		}
	}
	for i := range q.Reductions {
		if q.Reductions[i].Reference != "" {
			q.Reductions[i].Reference = "present"
		}
	}
	return q
}

// places are parts of names that speak of where somebody is, lives or comes from.
var places = []string{
	"country", "nation", "residence", "region", "city", "geo", "location", "postcode", "postal", "zip", "plz", "ip_", "ipaddress", "land", "ort",
	"address", "citizenship", "establishment", "delivery_to",
}

// foreign is the word under which the rules see an input outside the closed list.
func foreign(name string) string {
	plain := strings.ToLower(strings.TrimSpace(name))
	if plain == "ip" || slices.ContainsFunc(places, func(part string) bool { return strings.Contains(plain, part) }) {
		return "place"
	}
	return "other"
}

func (f *Flow) storefront(name string) *time.Location {
	if zone, ok := f.cfg.Storefronts[name]; ok {
		if l, err := time.LoadLocation(zone); err == nil {
			return l
		}
	}
	return f.zone
}

// CON-07: a refusal costs nothing. Consent reaches a price as one boolean, and only
// where a lower personal price rests on it; every other price is judged without.
//
// priceConsent reports whether the record gives personalised_price for an
// account and that grant is in force, uninterrupted, now.
func (f *Flow) priceConsent(ctx context.Context, recordID string, now time.Time) (bool, error) {
	if recordID == "" {
		return false, nil
	}
	p, err := f.host.PriceStanding(ctx, recordID)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, unavailable("reading what a price may know of a consent", err)
	}
	reg, err := f.registered(ctx)
	if err != nil {
		return false, err
	}
	return reg.Runs(consent.PersonalisedPrice) && p.holds(f.invalid, now) && !p.Rests && !p.minor(f.cfg.ChildShop), nil
}
