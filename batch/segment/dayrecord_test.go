package segment

import (
	"context"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	duckdb "github.com/duckdb/duckdb-go/v2"
	"pgregory.net/rapid"

	"github.com/handschlag/handschlag/event"
)

// TestPackedRowsComeBack packs rows of all sizes and reads them again; one that was cut
// short anywhere, or has bytes too many, is an error and no row.
func TestPackedRowsComeBack(t *testing.T) {
	number := rapid.OneOf(rapid.Just(int64(0)), rapid.Int64Range(-5, 300), rapid.Int64())
	rapid.Check(t, func(t *rapid.T) {
		row := dayRow{FirstMS: rapid.Int64Range(0, 1<<45).Draw(t, "first")}
		var c tally
		for i := range c {
			c[i] = number.Draw(t, "count")
		}
		row.take(&c)
		row.LastMS = row.FirstMS + rapid.Int64Range(0, 1<<30).Draw(t, "length")
		for range rapid.IntRange(0, 3).Draw(t, "orders") {
			row.Orders = append(row.Orders, dayOrder{number.Draw(t, "key"), number.Draw(t, "at"), number.Draw(t, "cents")})
		}
		for range rapid.IntRange(0, 3).Draw(t, "returns") {
			row.Returns = append(row.Returns, dayReturn{number.Draw(t, "key"), number.Draw(t, "at"), rapid.Bool().Draw(t, "whole"), number.Draw(t, "cents")})
		}
		body := row.pack(nil)
		back := dayRow{FirstMS: row.FirstMS}
		var d tally
		if err := back.unpack(body, &d); err != nil {
			t.Fatal(err)
		}
		back.take(&d)
		if !sameRow(row, back) {
			t.Fatalf("%+v came back as %+v", row, back)
		}
		if err := back.unpack(append(body, 0), &d); err == nil {
			t.Error("a byte too many is no error")
		}
		if err := back.unpack(body[:rapid.IntRange(0, len(body)-1).Draw(t, "cut")], &d); err == nil {
			t.Error("a row that ends in its midst is no error")
		}
	})
}

// TestOpenSessionsComeBack writes the acts of a session and reads them with words of
// their own.
func TestOpenSessionsComeBack(t *testing.T) {
	w, other := newWords(nil, nil), newWords(nil, nil)
	other.of("something else")
	acts := []act{
		{at: 1_790_000_000_123, kind: event.ProductViewed, own: true, product: w.of("p-1"), variant: w.of("größe 42"), price: -5, dwell: 1 << 40, results: -1, hour: 2},
		{at: 1_790_000_000_124, kind: event.ProductsSearched, own: true, exact: true, query: -1 << 62, results: 7},
		{at: 1_790_000_000_125, kind: event.CartViewed, own: true, lines: true, cart: 12, units: 3, cents: 45, quantity: 9},
	}
	open := leave(acts, w.vocabulary)
	got, err := goOn([]byte(open), other, nil)
	if err != nil || len(got) != len(acts) {
		t.Fatal(len(got), err)
	}
	for i := range got {
		want := acts[i]
		want.own = false
		want.product, want.variant = other.of(w.spell(want.product)), other.of(w.spell(want.variant))
		if !reflect.DeepEqual(got[i], want) {
			t.Errorf("%+v came back as %+v", want, got[i])
		}
	}
	if _, err := goOn([]byte(open[:len(open)-1]), other, nil); err == nil {
		t.Error("a session that was cut short is no error")
	}
}

// rowOf reads a row of table daily that DuckDB wrote as JSON.
func rowOf(t *testing.T, body string) dayRow {
	t.Helper()
	var named map[string]json.RawMessage
	var r dayRow
	var c tally
	err := json.Unmarshal([]byte(body), &named)
	for i, name := range tallied {
		if err == nil {
			err = json.Unmarshal(named[name], &c[i])
		}
	}
	r.take(&c)
	var lists struct {
		First  int64 `json:"first_ms"`
		Last   int64 `json:"last_ms"`
		Orders []struct {
			Key   int64 `json:"order_key"`
			AtMS  int64 `json:"at_ms"`
			Cents int64 `json:"cents"`
		} `json:"orders"`
		Returns []struct {
			Key   int64 `json:"order_key"`
			AtMS  int64 `json:"at_ms"`
			Whole bool  `json:"whole"`
			Cents int64 `json:"cents"`
		} `json:"returns"`
	}
	if err == nil {
		err = json.Unmarshal([]byte(body), &lists)
	}
	if err != nil {
		t.Fatal(err)
	}
	r.FirstMS, r.LastMS = lists.First, lists.Last
	for _, o := range lists.Orders {
		r.Orders = append(r.Orders, dayOrder(o))
	}
	for _, o := range lists.Returns {
		r.Returns = append(r.Returns, dayReturn(o))
	}
	return r
}

// showRows makes a table of the shape of daily from a day's file.
func (n *night) showRows(t failer, path, table string) {
	t.Helper()
	ctx := context.Background()
	if err := n.db.exec(ctx, strings.Replace(emptyDaily, "table daily", "table "+table, 1)); err != nil {
		t.Fatal(err)
	}
	err := n.db.fill(table, func(add func(...any) error) error {
		return eachRow(path, func(r *dayRow) error {
			orders, returns := []any{}, []any{}
			for _, o := range r.Orders {
				orders = append(orders, map[string]any{"order_key": o.Key, "at_ms": o.AtMS, "cents": o.Cents})
			}
			for _, o := range r.Returns {
				returns = append(returns, map[string]any{"order_key": o.Key, "at_ms": o.AtMS, "whole": o.Whole, "cents": o.Cents})
			}
			c := r.tally()
			values := []any{time.Unix(int64(r.Day)*86400, 0).UTC(), duckdb.UUID(r.Subject), c[0], c[1], r.FirstMS, r.LastMS}
			for _, x := range c[2:25] {
				values = append(values, x)
			}
			values = append(values, orders, returns)
			for _, x := range c[25:] {
				values = append(values, x)
			}
			return add(append(values, []byte(r.Open))...)
		})
	})
	if err != nil {
		t.Fatal(err)
	}
}
