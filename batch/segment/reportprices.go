package segment

import (
	"context"
	"fmt"
	"time"
)

// priceFairness says what became of quotes, and whether equal ones got equal prices.
func (n *night) priceFairness(ctx context.Context) error {
	for _, t := range []string{"quotes", "storefronts"} {
		if err := n.db.table(ctx, t); err != nil {
			return err
		}
	}
	p := &PriceFairness{Storefronts: []StorefrontPrice{}}
	var since *time.Time
	if err := n.db.one(ctx, "select min(decided_at) from quotes", &since); err != nil {
		return fmt.Errorf("counting quotes: %w", err)
	}
	p.Since = since
	err := n.db.each(ctx, "from storefronts", func(scan func(...any) error) error {
		var s StorefrontPrice
		err := scan(&s.Storefront, &s.Channel, &s.Quotes, &s.PriceDenied, &s.Claims, &s.ClaimDenied, &s.Personalised, &s.Instants, &s.Unequal)
		p.Storefronts = append(p.Storefronts, s)
		return err
	})
	if err != nil {
		return fmt.Errorf("counting quotes: %w", err)
	}
	n.report.Prices = p
	return n.deniedQuotes(ctx, p)
}

// deniedQuotes counts the rules that denied a price or a claim.
func (n *night) deniedQuotes(ctx context.Context, p *PriceFairness) error {
	counts := map[string]int64{}
	query := "select rule, count(*) from (select unnest(list_distinct(price_rules || claim_rules)) as rule from quotes) group by rule"
	err := n.db.each(ctx, query, func(scan func(...any) error) error {
		var rule string
		var count int64
		err := scan(&rule, &count)
		counts[rule] = count
		return err
	})
	if err != nil {
		return fmt.Errorf("counting denied quotes: %w", err)
	}
	p.Denied = n.inWords(counts)
	return nil
}
