package flow

import (
	"context"
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/price"
)

// FeedAnswer says how many rows a feed stored.
type FeedAnswer struct {
	Stored int `json:"stored"`
}

var productClasses = []string{"simple", "standard", "complex", "premium", "contract"}

// PutProducts replaces or adds products, all or none.
func (f *Flow) PutProducts(ctx context.Context, ps []event.Product, c Caller) (FeedAnswer, error) {
	if err := c.server(); err != nil {
		return FeedAnswer{}, err
	}
	if len(ps) == 0 {
		return FeedAnswer{}, invalid("products", "none in the body")
	}
	for i, p := range ps {
		if field, want := wrongProduct(p); field != "" {
			return FeedAnswer{}, invalid(fmt.Sprintf("products[%d].%s", i, field), "%s", want)
		}
	}
	if err := f.host.PutProducts(ctx, ps); err != nil {
		return FeedAnswer{}, unavailable("writing products", err)
	}
	return FeedAnswer{Stored: len(ps)}, nil
}

func wrongProduct(p event.Product) (field, want string) {
	switch {
	case !named1(p.ID) || !utf8.ValidString(p.ID):
		return "product_id", "want 1 to 128 characters"
	case !utf8.ValidString(p.Category) || len(p.Category) > 256:
		return "category", "want at most 256 characters"
	case !slices.Contains(productClasses, p.Class):
		return "product_class", oneOf(productClasses)
	case p.PriceCents < 0 || p.PriceCents > maxCents:
		return "price_cents", "want 0 or more"
	case p.Stock < 0:
		return "stock", "want 0 or more"
	}
	for _, tag := range p.Tags {
		if !slices.Contains(consent.SpecialCategories, tag) {
			return "tags", oneOf(consent.SpecialCategories)
		}
	}
	return "", ""
}

// PutPrices merges price intervals into the histories, all or none. An overlap
// is a 422 that names both intervals.
func (f *Flow) PutPrices(ctx context.Context, rows []price.Interval, c Caller) (FeedAnswer, error) {
	if err := c.server(); err != nil {
		return FeedAnswer{}, err
	}
	if len(rows) == 0 {
		return FeedAnswer{}, invalid("prices", "none in the body")
	}
	for i, r := range rows {
		if field, want := wrongInterval(r); field != "" {
			return FeedAnswer{}, invalid(fmt.Sprintf("prices[%d].%s", i, field), "%s", want)
		}
	}
	if err := f.overlap(ctx, rows); err != nil {
		return FeedAnswer{}, err
	}
	if err := f.host.PutPrices(ctx, rows); err != nil {
		return FeedAnswer{}, unavailable("writing prices", err)
	}
	return FeedAnswer{Stored: len(rows)}, nil
}

// overlap tries the merge history by history, so that a row that contradicts
// what is stored is the sender's fault and not the store's.
func (f *Flow) overlap(ctx context.Context, rows []price.Interval) error {
	type key struct{ product, storefront, channel, currency string }
	byKey := map[key][]price.Interval{}
	for _, r := range rows {
		k := key{r.Product, r.Storefront, r.Channel, r.Currency}
		byKey[k] = append(byKey[k], r)
	}
	for k, own := range byKey {
		history, err := f.host.PriceHistory(ctx, k.product, k.storefront, k.channel, k.currency)
		if err != nil {
			return unavailable("reading price history", err)
		}
		if _, err := price.Merge(history, own); err != nil {
			return invalid("prices", "%v", err)
		}
	}
	return nil
}

func wrongInterval(r price.Interval) (field, want string) {
	switch {
	case !named1(r.Product):
		return "product_id", "want 1 to 128 characters"
	case !named1(r.Storefront):
		return "storefront", "want 1 to 128 characters"
	case !named1(r.Channel):
		return "channel", "want 1 to 128 characters"
	case !currency(r.Currency):
		return "currency", "want three capital letters"
	case r.From.IsZero():
		return "from", "want a time"
	case !r.To.IsZero() && !r.From.Before(r.To):
		return "to", "want a time after from, or none"
	case r.GrossCents < 0 || r.GrossCents > maxCents:
		return "gross_cents", "want 0 or more"
	}
	return "", ""
}
