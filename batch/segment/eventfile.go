package segment

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

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
	file    *os.File
	pf      *parquet.File
	words   *words
	buckets bool // whether to read them
}

func openEvents(path string, w *words) (*eventFile, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading events: %w", err)
	}
	info, err := f.Stat()
	if err == nil {
		var pf *parquet.File
		if pf, err = parquet.OpenFile(f, info.Size(), parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true)); err == nil {
			return &eventFile{file: f, pf: pf, words: w}, nil
		}
	}
	return nil, errors.Join(fmt.Errorf("reading events %s: %w", path, err), f.Close())
}

func (f *eventFile) close() error { return f.file.Close() }

// chunk is one column of one row group.
type chunk struct {
	leaf  parquet.LeafColumn
	pages func(do func(parquet.Page) error) error
}

func (f *eventFile) chunk(g parquet.RowGroup, path ...string) (chunk, error) {
	leaf, found := f.pf.Schema().Lookup(path...)
	if !found {
		return chunk{}, fmt.Errorf("events have no column %s", strings.Join(path, "."))
	}
	return chunk{leaf, func(do func(parquet.Page) error) error {
		pages := g.ColumnChunks()[leaf.ColumnIndex].Pages()
		for {
			p, err := pages.ReadPage()
			if errors.Is(err, io.EOF) {
				return pages.Close()
			}
			if err == nil {
				err = do(p)
				parquet.Release(p)
			}
			if err != nil {
				return errors.Join(fmt.Errorf("reading column %s: %w", strings.Join(path, "."), err), pages.Close())
			}
		}
	}}, nil
}

// subjects reads only the subjects of a row group.
func (f *eventFile) subjects(g parquet.RowGroup, into []byte) ([]byte, error) {
	c, err := f.chunk(g, "subject")
	if err != nil {
		return nil, err
	}
	into = into[:0]
	return into, c.pages(func(p parquet.Page) error {
		if p.NumNulls() > 0 || p.Dictionary() != nil {
			return each16(p, &into)
		}
		data := p.Data()
		values, size := data.FixedLenByteArray()
		if size != 16 {
			return errors.New("it is not one of UUIDs")
		}
		into = append(into, values...)
		return nil
	})
}

// each16 is the slow way, for files that others wrote.
func each16(p parquet.Page, into *[]byte) error {
	values := make([]parquet.Value, p.NumValues())
	if _, err := p.Values().ReadValues(values); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	for _, v := range values {
		b := v.ByteArray()
		if len(b) != 16 {
			return errors.New("a subject is missing")
		}
		*into = append(*into, b...)
	}
	return nil
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

// ints reads whole numbers; one that is missing is 0.
func (f *eventFile) ints(g parquet.RowGroup, into *[]int64, path ...string) error {
	c, err := f.chunk(g, path...)
	if err != nil {
		return err
	}
	*into = (*into)[:0]
	return c.pages(func(p parquet.Page) error {
		data := p.Data()
		var from func(i int) int64
		switch dict := p.Dictionary(); {
		case dict != nil:
			index, values := data.Int32(), dict.Page()
			named := values.Data()
			if named.Kind() == encoding.Int32 {
				known := named.Int32()
				from = func(i int) int64 { return int64(known[index[i]]) }
				break
			}
			known := named.Int64()
			from = func(i int) int64 { return known[index[i]] }
		case data.Kind() == encoding.Int32:
			values := data.Int32()
			from = func(i int) int64 { return int64(values[i]) }
		default:
			values := data.Int64()
			if dense(p, c) {
				*into = append(*into, values...)
				return nil
			}
			from = func(i int) int64 { return values[i] }
		}
		spread(p, c, func(i int) { *into = append(*into, from(i)) }, func() { *into = append(*into, 0) })
		return nil
	})
}

// dense reports that every value of a page is there and none is nested.
func dense(p parquet.Page, c chunk) bool {
	return c.leaf.MaxRepetitionLevel == 0 && (c.leaf.MaxDefinitionLevel == 0 || p.NumNulls() == 0)
}

// spread walks a page's values. What is missing is told for columns that are not
// lists; of lists the missing are empty ones, and nothing is told.
func spread(p parquet.Page, c chunk, value func(i int), missing func()) {
	levels := p.DefinitionLevels()
	if len(levels) == 0 || c.leaf.MaxDefinitionLevel == 0 {
		for i := range int(p.NumValues()) {
			value(i)
		}
		return
	}
	i := 0
	for _, level := range levels {
		switch {
		case int(level) == int(c.leaf.MaxDefinitionLevel):
			value(i)
			i++
		case c.leaf.MaxRepetitionLevel == 0:
			missing()
		}
	}
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
		data := p.Data()
		from := func(int) word { return 0 }
		if dict := p.Dictionary(); dict != nil {
			if known == nil {
				known = f.spelt(dict.Page().Data())
			}
			index := data.Int32()
			from = func(i int) word { return known[index[i]] }
		} else {
			values := f.spelt(data)
			from = func(i int) word { return values[i] }
		}
		spread(p, c, func(i int) { *into = append(*into, from(i)) }, func() { *into = append(*into, 0) })
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

// count adds to each row how many values of a list it has.
func count(p parquet.Page, c chunk, lengths *[]int32) {
	defined, repeated := p.DefinitionLevels(), p.RepetitionLevels()
	for i := range defined {
		if repeated[i] == 0 {
			*lengths = append(*lengths, 0)
		}
		if int(defined[i]) == int(c.leaf.MaxDefinitionLevel) {
			(*lengths)[len(*lengths)-1]++
		}
	}
}

// bools reads yes and no; one that is missing is no.
func (f *eventFile) bools(g parquet.RowGroup, into *[]bool, path ...string) error {
	c, err := f.chunk(g, path...)
	if err != nil {
		return err
	}
	*into = (*into)[:0]
	return c.pages(func(p parquet.Page) error {
		data := p.Data()
		bits := data.Boolean()
		spread(p, c, func(i int) { *into = append(*into, bits[i/8]>>(i%8)&1 == 1) }, func() { *into = append(*into, false) })
		return nil
	})
}
