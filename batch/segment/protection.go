package segment

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/handschlag/handschlag/consent"
)

// listsFolder holds the lists that the shop itself works off, the newest night's
// only. They are no exports: they stay beside the night's state, and go with the
// next night.
const listsFolder = "lists"

// boughtBefore is how far a report of a price fall looks back where no protection
// says how far.
const boughtBefore = 14

// Protection counts what price-drop protection found (PRI-14) and what was bought right
// before a fall (R48).
type Protection struct {
	Days        int    `json:"days"` // 0: not offered
	Orders      *int64 `json:"orders"`
	Lines       *int64 `json:"lines"`
	RefundCents *int64 `json:"refund_cents"`
	Before      *int64 `json:"bought_before_a_fall"` // lines
}

// protect lists refunds that are due and who bought before a fall. Who they are does
// not matter: neither consent, nor segment, nor channel of marketing (PRI-14).
func (n *night) protect(ctx context.Context) error {
	p := n.in.Config.Prices.Protection
	look := p.Days
	if look == 0 {
		look = boughtBefore
	}
	for name, value := range map[string]string{
		"protect_ms":         days(p.Days),
		"before_ms":          days(look),
		"protect_storefront": quote(p.Storefront),
		"protect_channel":    quote(p.Channel),
	} {
		if err := n.db.set(ctx, name, value); err != nil {
			return err
		}
	}
	if err := n.priceTables(ctx); err != nil {
		return err
	}
	if err := n.ordersProtected(ctx); err != nil {
		return err
	}
	for _, t := range []string{"refunds", "bought_before"} {
		if err := n.db.table(ctx, t); err != nil {
			return err
		}
	}
	return n.countProtected(ctx, p.Days)
}

func days(n int) string {
	return strconv.FormatInt(int64(n)*24*time.Hour.Milliseconds(), 10) + "::bigint"
}

// priceTables makes prices and order_events. A snapshot of an earlier version has no
// prices; then nothing fell.
func (n *night) priceTables(ctx context.Context) error {
	prices := "select * from (values ('', '', '', '', 0::bigint, null::bigint, 0::bigint)) as t (product_id, storefront, channel, currency, from_ms, to_ms, gross_cents) limit 0"
	source := "no_events" // without prices no order is looked at
	if path := filepath.Join(n.in.Snapshot, "prices.parquet"); exists(path) {
		prices = "select * from read_parquet(" + quote(path) + ")"
		if paths := n.recent(); len(paths) > 0 && n.parts == nil {
			if err := n.untouched(paths); err != nil {
				return err
			}
			source = "read_parquet(" + list(paths) + ")"
		}
	}
	err := n.db.exec(ctx, fmt.Sprintf(`create or replace table prices as %s;
		create or replace view order_events as
		select subject, kind, occurred_ms, f.order_key, f.items, f.currency from %s
		where %s and (purposes >> %d::bigint) & 1 = 1 and occurred_ms < epoch_ms(%s::timestamp)
			and kind in (getvariable('kinds').order_completed, getvariable('kinds').order_refunded, getvariable('kinds').order_cancelled)`,
		prices, source, n.part.events(), consent.EssentialService.Bit(), quote(n.in.AsOf.Format("2006-01-02 15:04:05"))))
	if err != nil {
		return fmt.Errorf("reading prices and orders: %w", err)
	}
	return nil
}

// ordersProtected makes the table of orders, from parts if those have read them.
func (n *night) ordersProtected(ctx context.Context) error {
	if n.parts == nil {
		return n.db.table(ctx, "orders_protected")
	}
	query := "create or replace table orders_protected as select * from read_parquet(" + list(n.partFiles(partOrders)) + ")"
	if err := n.db.exec(ctx, query); err != nil {
		return fmt.Errorf("reading orders of the parts: %w", err)
	}
	return nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, os.ErrNotExist)
}

// recent are the ingest days in which an order that still counts can lie: events are
// a week late at most.
func (n *night) recent() (paths []string) {
	first := n.in.AsOf.AddDate(0, 0, -(max(n.in.Config.Prices.Protection.Days, boughtBefore) + 8)).Format(time.DateOnly)
	for _, d := range n.snap.Days {
		if d.Day >= first && d.Path != "" {
			paths = append(paths, d.Path)
		}
	}
	return paths
}

func (n *night) countProtected(ctx context.Context, days int) error {
	p := &Protection{Days: days}
	err := n.db.one(ctx, `select count(distinct order_key), count(*), coalesce(sum(refund_cents), 0)::bigint, (select count(*) from bought_before) from refunds`,
		&p.Orders, &p.Lines, &p.RefundCents, &p.Before)
	if err != nil {
		return fmt.Errorf("counting refunds: %w", err)
	}
	n.report.Protection = p
	return nil
}

// listOrder is the order of each list's rows.
var listOrder = map[string]string{
	"refunds":       "order_key, subject, product_id, paid_cents, quantity, refund_cents",
	"bought_before": "fell_at, product_id, order_key, subject, paid_cents, was_cents, now_cents",
}

// writeLists replaces the lists of the night before.
func (n *night) writeLists(ctx context.Context) error {
	dir := filepath.Join(n.in.State, listsFolder)
	next := dir + ".next"
	if err := errors.Join(os.RemoveAll(next), os.MkdirAll(next, 0o700)); err != nil {
		return fmt.Errorf("making the folder of lists: %w", err)
	}
	for _, name := range slices.Sorted(maps.Keys(listOrder)) {
		if err := n.db.copyTo(ctx, "select * from "+name+" order by "+listOrder[name], filepath.Join(next, name+".csv")); err != nil {
			return err
		}
	}
	if err := writeFile(filepath.Join(next, "as_of"), []byte(n.date+"\n"), 0o600); err != nil {
		return fmt.Errorf("dating the lists: %w", err)
	}
	if err := errors.Join(syncFolder(next), os.RemoveAll(dir), os.Rename(next, dir), syncFolder(n.in.State)); err != nil {
		return fmt.Errorf("replacing the lists: %w", err)
	}
	return nil
}
