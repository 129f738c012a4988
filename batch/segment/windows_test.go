package segment

import (
	"context"
	"fmt"
	"testing"
)

// TestSharedSumsAreClearSums fills daily rows with numbers of all sizes that may
// share a sum, and holds windows to its clear form. Somebody with more events than
// fit is counted by the clear form.
func TestSharedSumsAreClearSums(t *testing.T) {
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
		'' as open, [] as returns, if(age %% 3 = 0, [{order_key: who * 2 + age %% 2, at_ms: age, cents: 100 + age}], []) as orders, %s
		from range(1, 40) as a (who) cross join range(0, 95, 4) as b (age) where (who + age) %% 5 > 0`, columns))
	do(`insert into persons select md5('who ' || who)::uuid, md5('who ' || (who - who % 3 + 1))::uuid, who % 3 <> 1 from range(1, 20) as t (who)`)
	do(`update daily set events = 0 where day > getvariable('as_of_day') - 10 and events % 4 = 1`)
	if err := n.db.table(ctx, "windows"); err != nil {
		t.Fatal(err)
	}
	do("create table shared as from windows")
	if err := n.plain(ctx, "windows"); err != nil {
		t.Fatal(err)
	}
	var people int64
	if err := n.db.one(ctx, "select count(*) from windows where events_90d > 100 and product_views_28d > 0 and orders_90d > 0", &people); err != nil || people < 10 {
		t.Fatal(people, err)
	}
	n.same(t, "select * from shared", "select * from windows")
	do("update daily set searches = 2000000, events = 2000000 where day = getvariable('as_of_day') - 4")
	if err := n.windows(ctx); err != nil {
		t.Fatal(err)
	}
	var most int64
	if err := n.db.one(ctx, "select max(searches_90d) from windows", &most); err != nil || most <= 2_000_000 {
		t.Error(most, err)
	}
}
