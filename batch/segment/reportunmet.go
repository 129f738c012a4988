package segment

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/handschlag/handschlag/event"
)

const (
	unmetDays   = 7         // that unmet needs are read from at most
	unmetEvents = 1_000_000 // on more than one day
	unmetTop    = 20        // products listed
)

// unmetNeeds ranks products by need without resolution (R20). Of a small shop a week is
// read, so that its products have persons enough; of a large one the last day has them,
// and more would make the night of one new day cost that of many.
func (n *night) unmetNeeds(ctx context.Context) error {
	paths := n.lastDays()
	if len(paths) == 0 {
		return nil
	}
	if err := n.lookAt(ctx, paths); err != nil {
		return err
	}
	if err := n.db.table(ctx, "unmet"); err != nil {
		return err
	}
	u := &Unmet{Days: len(paths), Products: []UnmetProduct{}}
	if err := n.searched(ctx, u); err != nil {
		return err
	}
	n.report.Unmet = u
	return n.listUnmet(ctx, u)
}

// searched counts who searched on the attached days, however often, and who found nothing.
func (n *night) searched(ctx context.Context, u *Unmet) error {
	query := fmt.Sprintf(`select count(distinct p.person), count(distinct p.person) filter (where g.results = 0 and (v.keep & g.kept) >> %d & 1 = 1)
		from gate(%d) as g join verdicts as v using (case_id, state, tag, age) join persons as p using (subject)
		where v.allowed and g.kind = %d`, event.FieldResults, basis.Bit(), event.ProductsSearched)
	u.Asked, u.Searches = new(int64), new(int64)
	if err := n.db.one(ctx, query, u.Asked, u.Searches); err != nil {
		return fmt.Errorf("counting who searched: %w", err)
	}
	return nil
}

// lookAt attaches days and judges their events, unless that is the last day alone: it has
// been looked at (countUse).
func (n *night) lookAt(ctx context.Context, paths []string) error {
	if len(paths) == 1 && paths[0] == n.snap.Days[len(n.snap.Days)-1].Path {
		return nil
	}
	if err := n.attach(ctx, paths); err != nil {
		return err
	}
	return n.judge(ctx, basis)
}

// lastDays are the files of the newest ingest days that unmet needs are read from.
func (n *night) lastDays() (paths []string) {
	first, events := n.in.AsOf.AddDate(0, 0, -unmetDays).Format(time.DateOnly), int64(0)
	for _, d := range slices.Backward(n.snap.Days) {
		if events += d.Rows; d.Day < first || len(paths) > 0 && events > unmetEvents {
			break
		}
		if d.Path != "" {
			paths = append(paths, d.Path)
		}
	}
	slices.Reverse(paths)
	return paths
}

// listUnmet lists every product: which of them are told is seen when it is clear how.
func (n *night) listUnmet(ctx context.Context, u *Unmet) error {
	query := "select product_id, persons, searched, returned, guide, compared, left_there, no_help, ordered from unmet where persons > 0 order by product_id"
	err := n.db.each(ctx, query, func(scan func(...any) error) error {
		var p UnmetProduct
		err := scan(&p.Product, &p.Persons, &p.Searched, &p.Returned, &p.Guide, &p.Compared, &p.Left, &p.NoHelp, &p.Ordered)
		u.Products = append(u.Products, p)
		return err
	})
	if err != nil {
		return fmt.Errorf("listing unmet needs: %w", err)
	}
	return nil
}
