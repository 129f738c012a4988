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
		{"an unknown column", "looks_28d > 3", "looks_28d"},
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
		{"the person", "person is not null or now() is null", "now"},
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
	err := Validate(context.Background(), c)
	if err == nil {
		t.Fatal("all were accepted")
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != len(tests) {
		t.Fatalf("%d errors for %d predicates: %v", len(lines), len(tests), err)
	}
	for i, tt := range tests {
		if !strings.Contains(lines[i], tt.want) || !strings.Contains(lines[i], segments[i].Name) || !strings.Contains(lines[i], "(line 1") {
			t.Errorf("%s: %q does not name segment, line and %q", tt.name, lines[i], tt.want)
		}
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
	if err := Validate(context.Background(), config.Default()); err != nil {
		t.Error(err)
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
