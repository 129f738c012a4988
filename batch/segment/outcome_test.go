package segment

import (
	"context"
	"fmt"
	"testing"

	"github.com/handschlag/handschlag/batch/learn"
	"github.com/handschlag/handschlag/batch/segment/predicate"
)

// condition makes a random one over a_28d, a_90d and b.
func condition(r *learn.Random, depth int) string {
	column := func() string { return []string{"a_28d", "a_90d", "b"}[r.IntN(3)] }
	number := func() string {
		return []string{"-2", "-1", "0", "1", "2", "3", "4", "1.5", "null"}[r.IntN(9)]
	}
	term := func() string {
		return []string{column(), column() + " + " + number(), column() + " * 2 - " + column(), "abs(" + column() + ")", "greatest(" + column() + ", 1)",
			"-" + column(), "coalesce(null, " + column() + ")", column() + " // " + number(), "case when " + column() + " > 1 then " + column() + " else 2 end",
			column() + " % 2", "nullif(" + column() + ", 1)", "sign(" + column() + ")", "least(" + column() + ", 2)", column() + " / 2"}[r.IntN(14)]
	}
	operator := []string{"<", "<=", ">", ">=", "=", "<>", "is distinct from"}[r.IntN(7)]
	if depth == 0 {
		return []string{column() + " " + operator + " " + number(), number() + " " + operator + " " + column(), term() + " " + operator + " " + term(),
			column() + " between " + number() + " and " + number(), column() + " in (" + number() + ", " + number() + ")",
			column() + " not in (" + number() + ", 1)", term() + " is null", term() + " is not null", "true", column() + " " + operator + " " + column()}[r.IntN(10)]
	}
	a, b := condition(r, depth-1), condition(r, r.IntN(depth))
	return []string{"(" + a + ") and (" + b + ")", "(" + a + ") or (" + b + ")", "not (" + a + ")", "(" + a + ") and not (" + b + ")"}[r.IntN(4)]
}

// TestWhatIsProvedOfAConditionIsTrueOfEveryRow: DuckDB evaluates random conditions on
// every row that there can be; and what is proved is not nothing.
func TestWhatIsProvedOfAConditionIsTrueOfEveryRow(t *testing.T) {
	ctx := context.Background()
	w, err := openWarehouse(ctx, t.TempDir(), 256, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()
	if err := w.exec(ctx, `create table features as select a_28d, a_90d, b from range(0, 4) as x(a_28d), range(0, 4) as y(a_90d), range(-1, 4) as z(b) where a_28d <= a_90d`); err != nil {
		t.Fatal(err)
	}
	of := predicate.Domain{"a_28d": {Least: 0, Most: 3}, "a_90d": {Least: 0, Most: 3}, "b": {Least: -1, Most: 3}}
	r, proved, all := learn.NewRandom(7), 0, 0
	for range 1500 {
		where := condition(r, r.IntN(4))
		var tree string
		if err := w.one(ctx, "select json_serialize_sql("+quote(predicate.Query(where))+")::varchar", &tree); err != nil {
			t.Fatal(err)
		}
		c, wrong := predicate.Parse(where, tree)
		if len(wrong) > 0 {
			t.Fatalf("%s: %v", where, wrong)
		}
		var yes, no, null int64
		query := fmt.Sprintf("select count(*) filter (where (%[1]s)), count(*) filter (where not (%[1]s)), count(*) filter (where (%[1]s) is null) from features", where)
		if err := w.one(ctx, query, &yes, &no, &null); err != nil {
			t.Fatalf("%s: %v", where, err)
		}
		is := predicate.Depends
		switch {
		case yes == 0 && no == 0:
			is = predicate.Null
		case yes == 0:
			is = predicate.Never
		case no == 0 && null == 0:
			is = predicate.Always
		}
		got := c.Outcome(of)
		if null := got == predicate.Never && is == predicate.Null; got != predicate.Depends && got != is && !null {
			t.Fatalf("%s: said %q, is %q", where, got, is)
		}
		if is != predicate.Depends {
			all++
			if got == is {
				proved++
			}
		}
	}
	if proved*2 < all || all < 100 {
		t.Errorf("proved %d of %d", proved, all)
	}
}

// TestSimpleConditionsAreSeenThrough: what somebody may well write by mistake.
func TestSimpleConditionsAreSeenThrough(t *testing.T) {
	n := bench(t)
	for where, want := range map[string]predicate.Outcome{
		"orders_90d > 3 and orders_90d < 2":                         predicate.Never,
		"orders_90d > 3 and orders_90d < 4":                         predicate.Never,
		"orders_28d > orders_90d + 0 and orders_90d < 1":            predicate.Never,
		"active_days_28d > 28":                                      predicate.Never,
		"recency in (6, 7)":                                         predicate.Never,
		"not (monetary between 0 and 5)":                            predicate.Never,
		"orders_90d < 0 or value_tier = 6":                          predicate.Never,
		"orders_90d >= 0":                                           predicate.Always,
		"orders_90d < 3 or orders_90d >= 3":                         predicate.Always,
		"days_since_order >= -1":                                    predicate.Always,
		"orders_90d = null":                                         predicate.Null,
		"days_since_order >= 0":                                     predicate.Depends,
		"net_cents_90d < 0":                                         predicate.Depends,
		"searches_clicked_28d * 2 < searches_28d":                   predicate.Depends,
		"case when orders_90d > 0 then recency > 3 else false end":  predicate.Depends,
		"orders_90d // orders_28d >= 0 and sessions_90d // 2 >= -1": predicate.Depends,
	} {
		var tree string
		if err := n.db.one(context.Background(), "select json_serialize_sql("+quote(predicate.Query(where))+")::varchar", &tree); err != nil {
			t.Fatal(err)
		}
		c, wrong := predicate.Parse(where, tree)
		if got := c.Outcome(domain); len(wrong) > 0 || got != want {
			t.Errorf("%s: %q, want %q %v", where, got, want, wrong)
		}
	}
}
