package segment

import (
	"errors"
	"fmt"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding"
)

// block is a row group of events, column by column. Only what the walk needs is read.
type block struct {
	rows                         int
	subjects                     []byte  // 16 each
	buckets                      []int64 // only if asked for
	kinds                        []int64
	occurred, received, purposes []int64
	cases, keeps                 []int64 // those of the rows one after the other

	product, category, class, variant, hour                []word
	price, quantity, query, results, cart, orderKey, dwell []int64
	exact                                                  []bool
	words                                                  vocabulary // as far as the block needs it

	lines                    []int32 // how many items each row has
	itemProduct              []word
	itemQuantity, itemPrices []int64
}

// eventFile reads a day of events, row group by row group.
type eventFile struct {
	*columnFile
	words   *words
	buckets bool // whether to read them
}

func openEvents(path string, w *words) (*eventFile, error) {
	f, err := openColumns(path)
	if err != nil {
		return nil, fmt.Errorf("reading events %s: %w", path, err)
	}
	return &eventFile{columnFile: f, words: w}, nil
}

// read fills a block with a row group whose subjects are in it already.
func (f *eventFile) read(g parquet.RowGroup, b *block) error {
	b.rows = int(g.NumRows())
	f0 := func(name string) []string { return []string{"f", name} }
	item := func(name string) []string { return []string{"f", "items", "list", "element", name} }
	for _, c := range []struct {
		into *[]int64
		path []string
	}{
		{&b.buckets, []string{"bucket"}}, {&b.kinds, []string{"kind"}}, {&b.occurred, []string{"occurred_ms"}}, {&b.received, []string{"received_ms"}},
		{&b.purposes, []string{"purposes"}}, {&b.cases, []string{"cases", "list", "element"}}, {&b.keeps, []string{"keeps", "list", "element"}},
		{&b.price, f0("price_cents")}, {&b.quantity, f0("quantity")}, {&b.query, f0("query_key")}, {&b.results, f0("results")},
		{&b.cart, f0("cart_cents")}, {&b.orderKey, f0("order_key")}, {&b.dwell, f0("dwell_ms")},
		{&b.itemQuantity, item("quantity")}, {&b.itemPrices, item("price_cents")},
	} {
		if c.into == &b.buckets && !f.buckets {
			continue
		}
		if err := f.ints(g, c.into, c.path...); err != nil {
			return err
		}
	}
	for _, c := range []struct {
		into *[]word
		path []string
	}{
		{&b.product, f0("product_id")}, {&b.class, f0("product_class")}, {&b.variant, f0("product_variant")}, {&b.hour, f0("hour_band")},
		{&b.category, f0("category")},
	} {
		if c.into == &b.category && len(f.words.categories) == 0 {
			continue
		}
		if err := f.strings(g, c.into, nil, c.path...); err != nil {
			return err
		}
	}
	b.lines = b.lines[:0]
	if err := f.strings(g, &b.itemProduct, &b.lines, item("product_id")...); err != nil {
		return err
	}
	if err := f.bools(g, &b.exact, f0("query_exact")...); err != nil {
		return err
	}
	b.words = f.words.vocabulary
	return b.whole()
}

// whole refuses columns that do not fit together.
func (b *block) whole() error {
	n := b.rows
	if len(b.subjects) != 16*n || len(b.kinds) != n || len(b.occurred) != n || len(b.received) != n || len(b.purposes) != n || len(b.lines) != n ||
		len(b.product) != n || len(b.exact) != n || len(b.cases) != len(b.keeps) {
		return errors.New("reading events: columns differ in length")
	}
	return nil
}

// strings reads strings as words, and of lists how many each row has.
func (f *eventFile) strings(g parquet.RowGroup, into *[]word, lengths *[]int32, path ...string) error {
	c, err := f.chunk(g, path...)
	if err != nil {
		return err
	}
	*into = (*into)[:0]
	var known []word
	return c.pages(func(p parquet.Page) error {
		data, dict := p.Data(), p.Dictionary()
		switch {
		case dict == nil:
			*into = laid(*into, p, c, f.spelt(data))
		case known == nil:
			known = f.spelt(dict.Page().Data())
			fallthrough
		default:
			*into = laidOut(*into, p, c, known, data.Int32())
		}
		if lengths != nil {
			count(p, c, lengths)
		}
		return nil
	})
}

func (f *eventFile) spelt(data encoding.Values) []word {
	if data.Kind() != encoding.ByteArray {
		return nil
	}
	body, offsets := data.ByteArray()
	out := make([]word, max(0, len(offsets)-1))
	for i := range out {
		b := body[offsets[i]:offsets[i+1]]
		x, known := f.words.no[string(b)]
		if !known {
			x = f.words.of(string(b))
		}
		out[i] = x
	}
	return out
}
