package segment

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/handschlag/handschlag/config"
)

func TestPredicatesThatAreRefused(t *testing.T) {
	tests := []struct{ name, where, want string }{
		{"an unknown column", "looks_28d > 3", "looks_28d is not a feature"},
		{"a column without its window", "product_views > 3", "did you mean product_views_28d or product_views_90d?"},
		{"a mistyped column", "order_90d > 3", "did you mean orders_90d?"},
		{"a tagged column", "orders_90d > 3 and \"PREMIUM_views_28d\" > 1 and days_since_visit > 3", "premium_views_28d is tagged vulnerability"},
		{"a proxy", "days_since_visit > 3", "days_since_visit is tagged proxy"},
		{"special categories", "special_events_90d > 0", "SPC-01"},
		{"a price without a purpose for it", "sessions_night_28d > 3", "sessions_night_28d may not be used for ads_third_party (channel ads); write purposes: [marketing_email]"},
		{"not a yes or no", "orders_90d + 1", "not a yes or no"},
		{"a typo", "orders_90d >", "syntax error"},
		{"empty", "  ", "no predicate"},
		{"a subquery", "orders_90d > (select 1)", "subquery"},
		{"another table", "exists (select 1 from standings)", "subquery"},
		{"a file", "orders_90d in (select x from read_csv('handschlag.yaml'))", "subquery"},
		{"a function that varies", "random() < 0.5", "random"},
		{"a second statement", "true); drop table members; select (true", "SELECT"},
		{"a second query", "true); select (true", "single"},
		{"a second column", "true), (false", "single"},
		{"a clause", "true) from features where (true", "syntax error"},
		{"the person", "person is not null", "not of who they are"},
		{"the hour", "orders_90d > 1 or now() is null", "function now"},
		{"a window", "sum(orders_90d) over () > 3", "window"},
		{"an aggregate", "max(orders_90d) > 3", "max"},
		{"a wildcard", "orders_90d > columns(*)", "star"},
	}
	var segments []config.Segment
	for i, tt := range tests {
		segments = append(segments, config.Segment{Name: "s" + string(rune('a'+i)), Where: tt.where, Line: 100 + i})
	}
	c := settings()
	c.Segments = segments
	c.FeatureTags = map[string][]string{"premium_views": {"vulnerability"}, "days_since_visit": {"proxy"}}
	_, err := Validate(context.Background(), c)
	var wrong config.Errors
	if !errors.As(err, &wrong) {
		t.Fatalf("got %v", err)
	}
	for i, tt := range tests {
		told := slices.ContainsFunc(wrong, func(p config.Problem) bool {
			return p.Line == segments[i].Line && strings.Contains(p.Text, tt.want) && strings.Contains(p.Text, `"`+segments[i].Name+`"`)
		})
		if !told {
			t.Errorf("%s: %v does not name segment, line and %q", tt.name, wrong, tt.want)
		}
	}
	if !slices.IsSortedFunc(wrong, func(a, b config.Problem) int { return a.Line - b.Line }) {
		t.Error("not in the order of the file")
	}
}

func TestAWrongPredicateStopsTheNightBeforeItStarts(t *testing.T) {
	s := newShop(t)
	s.everyday(30, 1)
	in := s.night(monday.AddDate(0, 0, 1))
	in.Config.Segments[1].Where = "nonsense = 1"
	if _, err := Run(context.Background(), in); err == nil || !strings.Contains(err.Error(), "buyers") {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(filepath.Join(in.State, "state.json")); !errors.Is(err, os.ErrNotExist) {
		t.Error("the night had begun")
	}
}

func TestThePredicatesOfTheDefaultAreAccepted(t *testing.T) {
	if odd, err := Validate(context.Background(), config.Default()); err != nil || len(odd) > 0 {
		t.Error(err, odd)
	}
}

// TestEveryColumnIsDocumented: a column that nobody explains may not be used (LAW-05).
func TestEveryColumnIsDocumented(t *testing.T) {
	n := bench(t)
	var have, want []string
	err := n.db.each(context.Background(), "select column_name, column_type from (describe features) where column_name <> 'person'", func(scan func(...any) error) error {
		var name, kind string
		if err := scan(&name, &kind); err != nil {
			return err
		}
		if kind != "BIGINT" {
			t.Errorf("column %s is %s: features are 64-bit integers", name, kind)
		}
		have = append(have, name)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range Columns {
		want = append(want, c.Name)
		if c.De == "" || c.En == "" || c.Unit == "" {
			t.Errorf("column %s lacks words", c.Name)
		}
	}
	slices.Sort(have)
	slices.Sort(want)
	if !slices.Equal(have, want) {
		t.Errorf("features has %v,\ndocumented are %v", have, want)
	}
}
