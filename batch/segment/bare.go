package segment

import (
	"context"
	"embed"
	"fmt"
	"os"
	"path/filepath"
)

// plainSQL is daily rows in clear SQL, with sessions cut at midnight: what the walk
// over events is held against (oracle_test.go), and measured beside (Bare).
//
//go:embed oracle/*.sql
var plainSQL embed.FS

var plainTables = []string{"sequence", "searches", "looks", "loops", "baskets", "sessions", "daily"}

// plainDay builds the rows of the day that the view of basis shows.
func (n *night) plainDay(ctx context.Context) error {
	for _, t := range plainTables {
		if err := n.plain(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

// plain makes one table by its clear SQL.
func (n *night) plain(ctx context.Context, table string) error {
	query, err := plainSQL.ReadFile("oracle/" + table + ".sql")
	if err != nil {
		return fmt.Errorf("finding table %s: %w", table, err)
	}
	if err := n.db.exec(ctx, string(query)); err != nil {
		return fmt.Errorf("making table %s: %w", table, err)
	}
	return n.db.tell(ctx, table)
}

// Bare builds daily rows and features of a snapshot by plain SQL and nothing else:
// nobody asks whether an event may count, nothing is checked, kept or exported. It is
// there to be measured beside Run. It gives how many persons have features.
func Bare(ctx context.Context, in Inputs) (persons int64, err error) {
	return besides(ctx, in, func(n *night) error {
		for i, d := range n.snap.Days {
			n.progress("plain SQL", int64(i), int64(len(n.snap.Days)))
			if err := n.db.exec(ctx, "create or replace view "+viewOf(basis)+` as select subject, message_key, kind, occurred_ms, received_ms,
				false as gpc, false as dnt, 'none' as tag, f.* from read_parquet(`+quote(d.Path)+")"); err != nil {
				return fmt.Errorf("reading events: %w", err)
			}
			if err := n.db.set(ctx, "day", "date "+quote(d.Day)); err != nil {
				return err
			}
			if err := n.plainDay(ctx); err != nil {
				return err
			}
			if err := n.db.exec(ctx, "insert into every_day by name select *, ''::blob as open from daily"); err != nil {
				return fmt.Errorf("keeping daily rows: %w", err)
			}
		}
		return nil
	})
}

// Floor reads the columns that features come from and adds them up per subject, in
// one pass without sessions, consent or anything kept: the least that a night can cost.
func Floor(ctx context.Context, in Inputs) error {
	_, err := besides(ctx, in, func(n *night) error {
		paths := make([]string, len(n.snap.Days))
		for i, d := range n.snap.Days {
			paths[i] = d.Path
		}
		return n.db.exec(ctx, `create table sums as select subject, count(*) as events, max(occurred_ms) as last_ms, sum(f.dwell_ms)::bigint as dwell_ms,
			sum(case kind when getvariable('kinds').product_viewed then 1 when getvariable('kinds').products_searched then 1::bigint << 15
				when getvariable('kinds').product_added then 1::bigint << 30 when getvariable('kinds').order_completed then 1::bigint << 45 else 0 end)::bigint as kinds,
			sum(case when kind = getvariable('kinds').order_completed then f.cart_cents end)::bigint as spent,
			bit_or(1::bigint << (hash(f.product_id) % 62)::bigint) as products, sum(f.price_cents)::bigint as seen
			from read_parquet(`+list(paths)+") group by subject")
	})
	return err
}

// besides opens a warehouse of its own over a snapshot, and sums up the rows that fill
// leaves in table every_day.
func besides(ctx context.Context, in Inputs, fill func(*night) error) (persons int64, err error) {
	n, err := start(in)
	if err != nil {
		return 0, err
	}
	spill := filepath.Join(in.State, "spill")
	if n.db, err = openWarehouse(ctx, spill, in.MemoryMB, in.Threads); err != nil {
		return 0, err
	}
	defer func() { n.db.close(); _ = os.RemoveAll(spill) }()
	if err := n.shape(ctx); err != nil {
		return 0, err
	}
	if err := n.db.exec(ctx, "create table every_day as from daily"); err != nil {
		return 0, err
	}
	if err := fill(n); err != nil {
		return 0, err
	}
	if err := n.db.exec(ctx, "create or replace view daily_rows as select * from every_day"); err != nil {
		return 0, err
	}
	if err := n.features(ctx); err != nil {
		return 0, err
	}
	return persons, n.db.one(ctx, "select count(*) from features", &persons)
}
