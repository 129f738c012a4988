package flow

import (
	"context"
	"fmt"
	"strings"

	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/price"
)

// FeedAnswer says how many rows a feed stored.
type FeedAnswer struct {
	Stored int `json:"stored"`
}

// PutProducts replaces or adds products, all or none.
func (f *Flow) PutProducts(ctx context.Context, ps []event.Product, c Caller) (FeedAnswer, error) {
	if err := c.server(); err != nil {
		return FeedAnswer{}, err
	}
	if len(ps) == 0 {
		return FeedAnswer{}, invalid("products", "none in the body")
	}
	row := make(map[string]int, len(ps))
	for i, p := range ps {
		if err := p.Check(); err != nil {
			return FeedAnswer{}, wrongRow("products", i, err)
		}
		if first, twice := row[p.ID]; twice {
			return FeedAnswer{}, invalid(fmt.Sprintf("products[%d].product_id", i), "stands in products[%d] already", first)
		}
		row[p.ID] = i
	}
	if err := f.host.PutProducts(ctx, ps); err != nil {
		return FeedAnswer{}, unavailable("writing products", err)
	}
	return FeedAnswer{Stored: len(ps)}, nil
}

// wrongRow names the first field that a row's check found wrong: its errors begin
// with the field.
func wrongRow(list string, i int, err error) error {
	first, _, _ := strings.Cut(err.Error(), "\n")
	field, wrong, _ := strings.Cut(first, " ")
	return invalid(fmt.Sprintf("%s[%d].%s", list, i, field), "%s", wrong)
}

// PutPrices merges price intervals into the histories, all or none. An overlap
// is a 422 that names both intervals, and so is a move beyond the shop's own limits
// that nobody signed off (by may be nil).
func (f *Flow) PutPrices(ctx context.Context, rows []price.Interval, by *SignOff, c Caller) (FeedAnswer, error) {
	if err := c.server(); err != nil {
		return FeedAnswer{}, err
	}
	if len(rows) == 0 {
		return FeedAnswer{}, invalid("prices", "none in the body")
	}
	for i, r := range rows {
		if err := r.Check(); err != nil {
			return FeedAnswer{}, wrongRow("prices", i, err)
		}
	}
	moves, err := f.movesOf(ctx, rows)
	if err != nil {
		return FeedAnswer{}, err
	}
	if err := f.guarded(ctx, moves, by, f.now()); err != nil {
		return FeedAnswer{}, err
	}
	if err := f.host.PutPrices(ctx, rows); err != nil {
		return FeedAnswer{}, unavailable("writing prices", err)
	}
	return FeedAnswer{Stored: len(rows)}, nil
}
