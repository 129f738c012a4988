package segment

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/profile"
)

// walked writes the attached day's rows as the night does, and gives the visits.
func (n *night) walked(t failer, path, out string) map[consent.Subject][]map[string]int64 {
	t.Helper()
	ctx := context.Background()
	do := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	do(n.readTags(ctx))
	n.rows = filepath.Dir(out)
	do(os.MkdirAll(filepath.Join(n.rows, "spill"), 0o700))
	var err error
	n.door, err = n.openDoor(ctx)
	do(err)
	file, err := createDay(out)
	do(err)
	walk, err := n.newWalk(work{day: eventDay{Day: monday.Format(time.DateOnly)}}, nil)
	do(err)
	visits := map[consent.Subject][]map[string]int64{}
	walk.row = file.add
	walk.ended = func(s consent.Subject, v *visit) { visits[s] = append(visits[s], v.features()) }
	do(walk.walk(ctx, path))
	do(file.close())
	return visits
}

// features names a visit's counts as profile.Catalogue does.
func (v *visit) features() map[string]int64 {
	exact, pct, worth, still := int64(0), int64(0), int64(0), int64(0)
	if v.exact {
		exact = 1
	}
	if v.searches > 0 {
		pct = 100 * v.clicked / v.searches
	}
	if v.units > 0 {
		worth, still = v.worth, (v.last-v.changed)/1000
	}
	return map[string]int64{
		profile.Searches: v.searches, profile.SearchesDistinct: v.distinct, profile.SearchClickPct: pct, profile.SearchReformulated: v.reformulated,
		profile.SearchesZeroResults: v.zero, profile.SearchExactArticle: exact, profile.HourBand: int64(v.hour) - 1,
		profile.SessionSeconds: (v.last - v.start) / 1000, profile.ProductsViewed: v.viewed, profile.ProductViews: v.views,
		profile.ProductViewsMax: v.viewsMax, profile.ProductDwellMax: v.dwellMax, profile.SizeGuideOpens: v.guides,
		profile.VariantFlipsMax: v.flipsMax, profile.CompareLoops: v.loops, profile.CartAdds: v.adds, profile.CartRemoves: v.removes,
		profile.CartUnits: v.units, profile.CartValueCents: worth, profile.BasketIdleSeconds: still,
	}
}

// TestTheWalkCountsAsDayAndOracleDo draws visits and folds them three times: as the
// day does (profile), as the clear SQL does, and as the night does. Every session's
// features, and every daily row, come out the same.
func TestTheWalkCountsAsDayAndOracleDo(t *testing.T) {
	n, dir := bench(t), t.TempDir()
	people := []consent.Subject{subject(1), subject(2), subject(3)}
	n.consenting(t, people...)
	if err := n.db.set(context.Background(), "day", "date '2026-11-02'"); err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		s := newShopIn(t, dir)
		want := map[consent.Subject][]map[string]int64{}
		var rows []event.Row
		for _, who := range people {
			s.says(who, consent.Given, monday.Add(-time.Hour), basis)
			s.rows = map[string][]event.Row{}
			at := monday
			drawVisit(t, func(k event.Kind, gap time.Duration, f event.Fields) {
				if at = at.Add(gap); at.Sub(monday) < 24*time.Hour-profile.SessionIdle {
					s.sees(who, k, at, f)
				}
			})
			visit := s.rows[monday.Format(time.DateOnly)]
			want[who], rows = inGo(visit), append(rows, visit...)
		}
		n.day(t, dir, rows)
		out := filepath.Join(dir, "rows.parquet")
		got := n.walked(t, filepath.Join(dir, "events.parquet"), out)
		for _, who := range people {
			if len(got[who]) != len(want[who]) {
				t.Fatalf("%d sessions in the walk, %d in the day", len(got[who]), len(want[who]))
			}
			for i, v := range got[who] {
				for name, x := range v {
					if w := want[who][i][name]; x != w {
						t.Errorf("session %d of %d: %s is %d in the walk, %d in the day", i+1, len(want[who]), name, x, w)
					}
				}
			}
		}
		n.showRows(t, out, "walked_rows")
		n.same(t, "select * exclude (open) from walked_rows", "select day, subject, sessions, * exclude (day, subject, sessions) from daily")
	})
}

// same holds two queries against each other, both ways.
func (n *night) same(t failer, one, other string) {
	t.Helper()
	for _, pair := range [][2]string{{one, other}, {other, one}} {
		var odd int64
		var first string
		query := fmt.Sprintf("select count(*), coalesce(any_value(to_json(x))::varchar, '') from (select * from (%s) except select * from (%s)) as x", pair[0], pair[1])
		if err := n.db.one(context.Background(), query, &odd, &first); err != nil {
			t.Fatal(err)
		}
		if odd > 0 {
			t.Fatal(fmt.Sprintf("%d rows of\n%s\nare not in\n%s\nsuch as %s", odd, pair[0], pair[1], first))
		}
	}
}
