package segment

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	duckdb "github.com/duckdb/duckdb-go/v2"
	"pgregory.net/rapid"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/profile"
)

// bench is a night without a host: tables made from nothing, to be filled by hand.
func bench(t testing.TB) *night {
	t.Helper()
	w, err := openWarehouse(context.Background(), filepath.Join(t.TempDir(), "spill"), 512, 2)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.close)
	n := &night{in: Inputs{Config: settings(), Rules: rules, AsOf: monday.AddDate(0, 0, 7)}, db: w, k: 25}
	n.date, n.till = n.in.AsOf.Format(time.DateOnly), n.in.AsOf
	if err := n.shape(context.Background()); err != nil {
		t.Fatal(err)
	}
	return n
}

// sessionFeatures are those of profile.Catalogue that SQL computes.
var sessionFeatures = func() []string {
	var names []string
	for _, f := range profile.Catalogue() {
		if slices.Contains(f.Purposes, basis) {
			names = append(names, f.Name)
		}
	}
	return names
}()

var (
	drawKind = rapid.SampledFrom([]event.Kind{
		event.Page, event.ProductsSearched, event.ProductsSearched, event.ProductClicked, event.ProductViewed, event.ProductViewed,
		event.ProductViewed, event.ProductAdded, event.ProductAdded, event.ProductRemoved, event.CartViewed, event.CheckoutStarted,
		event.OrderCompleted, event.SizeGuideOpened, event.VariantSelected, event.ProductsCompared, event.HintShown,
	})
	drawGap  = rapid.SampledFrom([]time.Duration{0, time.Second, 20 * time.Second, 5 * time.Minute, 29*time.Minute + 59*time.Second, 30 * time.Minute, 40 * time.Minute})
	drawItem = rapid.Custom(func(t *rapid.T) event.Item {
		return event.Item{
			Product: fmt.Sprint("p", rapid.IntRange(0, 3).Draw(t, "product")), Quantity: rapid.Int64Range(-1, 1500).Draw(t, "quantity"),
			PriceCents: rapid.SampledFrom([]int64{-5, 0, 1, 999, 12345, 2_000_000_000}).Draw(t, "price"),
		}
	})
)

// drawVisit makes a subject's events of a day: of any kind, or (loops) views that go
// back and forth, or (wide) rounds over about as many products and searches as a
// session remembers, 20 and 10.
func drawVisit(t *rapid.T, sees func(event.Kind, time.Duration, event.Fields)) {
	switch mode := rapid.SampledFrom([]string{"any", "any", "loops", "wide"}).Draw(t, "mode"); mode {
	case "any":
		for range rapid.IntRange(10, 40).Draw(t, "events") {
			sees(drawKind.Draw(t, "kind"), drawGap.Draw(t, "gap"), drawFields(t))
		}
	case "loops":
		for range rapid.IntRange(5, 20).Draw(t, "events") {
			f := drawFields(t)
			f.Product = rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "looped")
			sees(event.ProductViewed, time.Second, f)
		}
	case "wide":
		products, searches := rapid.IntRange(19, 22).Draw(t, "products"), rapid.IntRange(9, 12).Draw(t, "searches")
		for i := range 3 * products {
			if rapid.IntRange(0, 9).Draw(t, "again") == 0 {
				i = max(0, i-rapid.IntRange(1, 4).Draw(t, "back"))
			}
			sees(event.ProductViewed, time.Second, event.Fields{Product: fmt.Sprint(i % products), Variant: fmt.Sprint(i % 7)})
			sees(event.ProductsSearched, time.Second, event.Fields{QueryKey: int64(i % searches)})
		}
	}
}

func drawFields(t *rapid.T) event.Fields {
	return event.Fields{
		Product:  rapid.SampledFrom([]string{"", "a", "b", "c", "d"}).Draw(t, "product"),
		QueryKey: rapid.Int64Range(0, 3).Draw(t, "query"), QueryExact: rapid.Bool().Draw(t, "exact"),
		Results: rapid.Int64Range(-1, 2).Draw(t, "results"), Quantity: rapid.SampledFrom([]int64{-1, 0, 1, 2, 3, 2000}).Draw(t, "quantity"),
		PriceCents: rapid.SampledFrom([]int64{0, 100, 999, 2_000_000_000}).Draw(t, "price"),
		DwellMS:    rapid.SampledFrom([]int64{0, 0, -1, 1500, 700_000}).Draw(t, "dwell"),
		Variant:    rapid.SampledFrom([]string{"", "s", "m", "l"}).Draw(t, "variant"),
		HourBand:   rapid.SampledFrom([]string{"", "night", "morning", "afternoon", "evening", "noon"}).Draw(t, "hour"),
		CartCents:  rapid.SampledFrom([]int64{0, 0, 4200}).Draw(t, "cart"), OrderKey: rapid.Int64Range(0, 2).Draw(t, "order"),
		Items: rapid.SliceOfN(drawItem, 0, 2).Draw(t, "items"),
	}
}

// TestGoAndSQLFeaturesAgree folds the same events in Go, as the day does, and in
// SQL, as the night does. Every session feature that personalisation_content may
// use comes out the same, at the end of every session.
func TestGoAndSQLFeaturesAgree(t *testing.T) {
	n, dir := bench(t), t.TempDir()
	people := []consent.Subject{subject(1), subject(2), subject(3)}
	n.consenting(t, people...)
	rapid.Check(t, func(t *rapid.T) {
		s := newShopIn(t, dir)
		want := map[consent.Subject][]map[string]int64{}
		var rows []event.Row
		for _, who := range people {
			s.says(who, consent.Given, monday.Add(-time.Hour), basis)
			s.rows = map[string][]event.Row{}
			at := monday
			drawVisit(t, func(k event.Kind, gap time.Duration, f event.Fields) {
				at = at.Add(gap)
				s.sees(who, k, at, f)
			})
			visit := s.rows[monday.Format(time.DateOnly)]
			want[who], rows = inGo(visit), append(rows, visit...)
		}
		n.day(t, dir, rows)
		got := n.inSQL(t)
		for _, who := range people {
			if len(got[who]) != len(want[who]) {
				t.Fatalf("%d sessions in SQL, %d in Go", len(got[who]), len(want[who]))
			}
			for i, w := range want[who] {
				for _, name := range sessionFeatures {
					if g := got[who][i][name]; g != w[name] {
						t.Errorf("session %d of %d: %s is %d in SQL, %d in Go", i+1, len(want[who]), name, g, w[name])
					}
				}
			}
		}
	})
}

// TestMain keeps properties that start DuckDB queries short unless told otherwise.
func TestMain(m *testing.M) {
	if err := flag.Set("rapid.checks", "30"); err != nil {
		panic(err)
	}
	flag.Parse()
	code := m.Run()
	scribe.close()
	_ = os.RemoveAll(scribeDir)
	os.Exit(code)
}

// inGo gives the features at the last event of every session.
func inGo(rows []event.Row) []map[string]int64 {
	var out []map[string]int64
	var p profile.Profile
	for i, r := range rows {
		e := r.Event()
		p = p.Apply([]event.Event{e})
		if i+1 == len(rows) || rows[i+1].OccurredMS-r.OccurredMS >= profile.SessionIdle.Milliseconds() {
			out = append(out, p.Features(basis, e.OccurredAt))
		}
	}
	return out
}

// consenting gives subjects personalisation_content since the hour before monday.
func (n *night) consenting(t testing.TB, people ...consent.Subject) {
	t.Helper()
	s := newShop(t)
	for _, who := range people {
		s.says(who, consent.Given, monday.Add(-time.Hour), basis)
	}
	n.in.Snapshot = s.snapshot(monday)
	if err := n.load(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// day attaches rows as the events of a day and builds the day's tables.
func (n *night) day(t failer, dir string, rows []event.Row) {
	t.Helper()
	ctx, path := context.Background(), filepath.Join(dir, "events.parquet")
	writeEvents(t, path, slices.Clone(rows))
	do := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(n.cases) != len(casesSeen) {
		var lines []any
		for id, body := range casesSeen {
			lines = append(lines, map[string]any{"id": fmt.Sprint(uint64(id)), "case": json.RawMessage(body)})
		}
		writeLines(t, filepath.Join(n.in.Snapshot, "cases.ndjson"), lines)
		do(n.ingestCases(ctx))
	}
	do(n.attach(ctx, []string{path}))
	do(n.decide(ctx, basis))
	do(n.plainDay(ctx))
}

func (n *night) inSQL(t failer) map[consent.Subject][]map[string]int64 {
	t.Helper()
	var who duckdb.UUID
	values, into := make([]int64, len(sessionFeatures)), []any{&who}
	for i := range values {
		into = append(into, &values[i])
	}
	out := map[consent.Subject][]map[string]int64{}
	query := "select subject, " + strings.Join(sessionFeatures, ", ") + " from sessions order by subject, session"
	err := n.db.each(context.Background(), query, func(scan func(...any) error) error {
		if err := scan(into...); err != nil {
			return err
		}
		row := map[string]int64{}
		for i, name := range sessionFeatures {
			row[name] = values[i]
		}
		out[consent.Subject(who)] = append(out[consent.Subject(who)], row)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}
