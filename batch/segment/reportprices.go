package segment

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/handschlag/handschlag/decide"
)

// decisionsView makes view decisions of those about prices in the snapshot's log, before
// as of. A record that was erased has no input.
func (n *night) decisionsView(ctx context.Context) error {
	source := "(select null::varchar as action, null::timestamp as time, null::json as input, null::json as result where false)"
	if path := filepath.Join(n.in.Snapshot, "decisions.ndjson"); exists(path) {
		path, err := n.pricesApart(path)
		if err != nil {
			return fmt.Errorf("reading decisions: %w", err)
		}
		source = "read_json(" + quote(path) + ", format = 'newline_delimited', columns = {action: 'varchar', time: 'timestamp', input: 'json', result: 'json'})"
	}
	err := n.db.exec(ctx, fmt.Sprintf("create or replace view decisions as select action, time as decided_at, input, result from %s where time < %s::timestamp",
		source, quote(n.in.AsOf.Format("2006-01-02 15:04:05"))))
	if err != nil {
		return fmt.Errorf("reading decisions: %w", err)
	}
	return nil
}

// pricesApart copies the records that may be about prices into the spill folder: DuckDB
// would parse all of the log.
func (n *night) pricesApart(path string) (string, error) {
	apart := filepath.Join(n.db.spill, "prices.ndjson")
	f, err := os.OpenFile(apart, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return "", err
	}
	buf, name := bufio.NewWriterSize(f, 1<<16), []byte(`"`+decide.ActionPrice+`"`)
	err = eachLine(path, func(line []byte) error {
		if !bytes.Contains(line, name) {
			return nil
		}
		_, err := buf.Write(line)
		return err
	})
	return apart, errors.Join(err, buf.Flush(), f.Close())
}

// priceFairness says what became of quotes, and whether equal ones got equal prices.
func (n *night) priceFairness(ctx context.Context) error {
	if err := n.decisionsView(ctx); err != nil {
		return err
	}
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
