package segment

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/parquet-go/parquet-go"

	"github.com/handschlag/handschlag/event"
	host "github.com/handschlag/handschlag/host/snapshot"
)

// plainRow is what the walk reads of a day as hosts wrote it at first: no numbers by
// way of dictionaries.
type plainRow struct {
	Subject    [16]byte    `parquet:"subject,uuid"`
	Kind       int32       `parquet:"kind"`
	OccurredMS int64       `parquet:"occurred_ms,delta"`
	ReceivedMS int64       `parquet:"received_ms,delta"`
	Purposes   int64       `parquet:"purposes"`
	Cases      []int64     `parquet:"cases,list"`
	Keeps      []int64     `parquet:"keeps,list"`
	Fields     plainFields `parquet:"f"`
}

type plainFields struct {
	Product      string       `parquet:"product_id,dict"`
	ProductClass string       `parquet:"product_class,dict"`
	PriceCents   int64        `parquet:"price_cents"`
	Quantity     int64        `parquet:"quantity"`
	Items        []event.Item `parquet:"items,list"`
	Variant      string       `parquet:"product_variant,dict"`
	QueryKey     int64        `parquet:"query_key"`
	QueryExact   bool         `parquet:"query_exact"`
	Results      int64        `parquet:"results"`
	CartCents    int64        `parquet:"cart_cents"`
	OrderKey     int64        `parquet:"order_key"`
	HourBand     string       `parquet:"hour_band,dict"`
	DwellMS      int64        `parquet:"dwell_ms"`
}

func asBefore(r *event.Row) plainRow {
	f := &r.Fields
	return plainRow{r.Subject, r.Kind, r.OccurredMS, r.ReceivedMS, r.Purposes, r.Cases, r.Keeps, plainFields{
		f.Product, f.ProductClass, f.PriceCents, f.Quantity, f.Items, f.Variant, f.QueryKey, f.QueryExact, f.Results, f.CartCents, f.OrderKey, f.HourBand, f.DwellMS,
	}}
}

func TestDaysReadTheSameHoweverHostsEncodedThem(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	rows := make([]event.Row, 70_000)
	for i := range rows {
		rows[i] = randomRow(random, i)
	}
	var now, earlier bytes.Buffer
	w := host.NewRowWriter(&now, host.Day{})
	old := parquet.NewGenericWriter[plainRow](&earlier, parquet.Compression(&parquet.Zstd), parquet.PageBufferSize(1<<14))
	for i := range rows {
		if err := w.Add(rows[i]); err != nil {
			t.Fatal(err)
		}
		if _, err := old.Write([]plainRow{asBefore(&rows[i])}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := old.Close(); err != nil {
		t.Fatal(err)
	}
	for name, file := range map[string][]byte{"as hosts write": now.Bytes(), "as they wrote": earlier.Bytes()} {
		holds(t, name, file, rows)
	}
}

func randomRow(random *rand.Rand, i int) event.Row {
	r := event.Row{
		Subject: [16]byte{byte(i >> 12), byte(i >> 4), 15: 1}, Kind: int32(random.IntN(14)), OccurredMS: random.Int64N(1 << 40), ReceivedMS: random.Int64N(1 << 40),
		Fields: event.Fields{
			PriceCents: random.Int64N(3000), Quantity: random.Int64N(3), QueryKey: random.Int64() * random.Int64N(2), QueryExact: random.IntN(5) == 0,
			Results: random.Int64N(4) - 1, CartCents: random.Int64N(1 << 20), OrderKey: random.Int64(), DwellMS: random.Int64N(1 << 21),
			Product: []string{"", "tea", "milk"}[random.IntN(3)], ProductClass: []string{"", "premium"}[random.IntN(2)],
			Variant: []string{"", "green"}[random.IntN(2)], HourBand: []string{"", "night", "evening"}[random.IntN(3)],
		},
	}
	for place := range random.IntN(4) {
		r.Purposes |= 1 << place
		r.Cases, r.Keeps = append(r.Cases, random.Int64N(50)-25), append(r.Keeps, random.Int64N(1<<20))
	}
	for range random.IntN(3) {
		r.Fields.Items = append(r.Fields.Items, event.Item{Product: "tea", Quantity: random.Int64N(9), PriceCents: random.Int64N(999)})
	}
	return r
}

// holds compares what the walk reads with rows.
func holds(t *testing.T, name string, file []byte, rows []event.Row) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "events.parquet")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := openEvents(path, newWords(nil, nil))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.close() }() // only read
	var b block
	for _, g := range f.pf.RowGroups() {
		if b.subjects, err = f.subjects(g, b.subjects); err != nil {
			t.Fatal(err)
		}
		if err := f.read(g, &b); err != nil {
			t.Fatal(err)
		}
		differ(t, name, &b, rows[:b.rows])
		rows = rows[b.rows:]
	}
	if len(rows) > 0 {
		t.Fatalf("%s: %d rows are missing", name, len(rows))
	}
}

func differ(t *testing.T, name string, b *block, rows []event.Row) {
	t.Helper()
	cases, items := 0, 0
	for i := range rows {
		r, f := &rows[i], &rows[i].Fields
		n, lines := len(r.Cases), len(f.Items)
		got := []int64{
			b.kinds[i], b.occurred[i], b.received[i], b.purposes[i], b.price[i], b.quantity[i], b.query[i], b.results[i], b.cart[i], b.orderKey[i], b.dwell[i], int64(b.lines[i]),
		}
		want := []int64{
			int64(r.Kind), r.OccurredMS, r.ReceivedMS, r.Purposes, f.PriceCents, f.Quantity, f.QueryKey, f.Results, f.CartCents, f.OrderKey, f.DwellMS, int64(lines),
		}
		spelt := []string{b.words.spell(b.product[i]), b.words.spell(b.class[i]), b.words.spell(b.variant[i]), b.words.spell(b.hour[i])}
		if !slices.Equal(got, want) || !slices.Equal(spelt, []string{f.Product, f.ProductClass, f.Variant, f.HourBand}) || b.exact[i] != f.QueryExact ||
			!bytes.Equal(b.subjects[16*i:16*i+16], r.Subject[:]) || !slices.Equal(b.cases[cases:cases+n], r.Cases) || !slices.Equal(b.keeps[cases:cases+n], r.Keeps) {
			t.Fatalf("%s, row %d: got %v %q, want %+v", name, i, got, spelt, *r)
		}
		for j, item := range f.Items {
			if b.words.spell(b.itemProduct[items+j]) != item.Product || b.itemQuantity[items+j] != item.Quantity || b.itemPrices[items+j] != item.PriceCents {
				t.Fatalf("%s, row %d, item %d: want %+v", name, i, j, item)
			}
		}
		cases, items = cases+n, items+lines
	}
}
