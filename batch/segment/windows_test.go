package segment

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	duckdb "github.com/duckdb/duckdb-go/v2"

	"github.com/handschlag/handschlag/consent"
)

// TestAllDaysAtOnceAreTheClearSQL fills daily rows with numbers of all sizes, orders
// and returns that are told several times, devices of accounts and gaps of all kinds,
// and holds the walk through all days to the clear SQL over the same rows: windows,
// and what orders came to.
func TestAllDaysAtOnceAreTheClearSQL(t *testing.T) {
	ctx, n := context.Background(), bench(t)
	do := func(query string) {
		t.Helper()
		if err := n.db.exec(ctx, query); err != nil {
			t.Fatal(err)
		}
	}
	var columns string
	if err := n.db.one(ctx, `select string_agg(format('(ord(md5(who || '':'' || age || '':{0}'')) * age % 190)::bigint as {0}', column_name), ', ')
		from (describe daily) where column_type = 'BIGINT'`, &columns); err != nil {
		t.Fatal(err)
	}
	do(fmt.Sprintf(`insert into daily by name select getvariable('as_of_day') - age::integer as day, md5('who ' || who)::uuid as subject,
		''::blob as open,
		if(age %% 7 = 0, [{order_key: who * 2, at_ms: age + 1, whole: who %% 4 = 0, cents: 40}, {order_key: 0, at_ms: 1, whole: true, cents: 3}], []) as returns,
		if(age %% 3 = 0, [{order_key: if(who %% 5 = 0, 0, who * 2 + age %% 2), at_ms: age, cents: 100 + age}], []) as orders, %s
		from range(1, 60) as a (who) cross join range(0, 95, 4) as b (age) where (who * 7 + age) %% 5 > who %% 4`, columns))
	do(`insert into persons select md5('who ' || who)::uuid, md5('who ' || (who - who % 3 + 1))::uuid, who % 3 <> 1 from range(1, 20) as t (who)`)
	do(`update daily set events = 0 where day > getvariable('as_of_day') - 10 and events % 4 = 1`)
	do(`update daily set events = 0 where subject = md5('who 50')::uuid`)
	do(`update daily set searches = 2000000000, events = 3000000000 where day = getvariable('as_of_day') - 4`)
	n.keepDaily(t)
	if err := n.sum(ctx); err != nil {
		t.Fatal(err)
	}
	do("create table summed as from windows; create table sold as from sales; drop view windows; drop view sales; create or replace view daily_rows as from daily")
	for _, table := range []string{"windows", "sales"} {
		if err := n.plain(ctx, table); err != nil {
			t.Fatal(err)
		}
	}
	var people, sold, back int64
	if err := n.db.one(ctx, `select count(*), (select count(*) from sales), (select count(*) from sales where went_back and net_cents > 0)
		from windows where events_90d > 100 and product_views_28d > 0 and orders_90d > 0`, &people, &sold, &back); err != nil || people < 10 || sold < 50 || back < 5 {
		t.Fatal(people, sold, back, err)
	}
	n.same(t, "from summed", "from windows")
	n.sameAll(t, "from sold", "from sales")
}

// sameAll holds rows against each other with how often each is there.
func (n *night) sameAll(t failer, one, other string) {
	t.Helper()
	n.same(t, "select *, count(*) from ("+one+") group by all", "select *, count(*) from ("+other+") group by all")
}

// keepDaily writes table daily as the state's files, one a day.
func (n *night) keepDaily(t *testing.T) {
	t.Helper()
	n.in.State = t.TempDir()
	files := map[string]*dayFile{}
	err := n.db.each(context.Background(), "select to_json(d)::varchar, subject, day from daily as d order by subject", func(scan func(...any) error) error {
		var body string
		var who duckdb.UUID
		var day time.Time
		if err := scan(&body, &who, &day); err != nil {
			return err
		}
		name := day.Format(time.DateOnly)
		if files[name] == nil {
			out, err := createDay(filepath.Join(n.in.State, name+".parquet"))
			if err != nil {
				return err
			}
			files[name] = out
			n.is.Days = append(n.is.Days, stateDay{Day: name, File: name + ".parquet"})
		}
		r := rowOf(t, body)
		r.Subject, r.Day = consent.Subject(who), epochDay(day.UnixMilli())
		return files[name].add(&r)
	})
	for _, f := range files {
		if err := f.close(); err != nil {
			t.Fatal(err)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(n.is.Days, func(a, b stateDay) int { return slices.Compare([]string{a.Day}, []string{b.Day}) })
}
