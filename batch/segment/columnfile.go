package segment

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding"
)

// columnFile is a Parquet file that is read column by column, row group by row group.
type columnFile struct {
	file    *os.File
	pf      *parquet.File
	scratch []int64
}

func openColumns(path string) (*columnFile, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil {
		var pf *parquet.File
		if pf, err = parquet.OpenFile(f, info.Size(), parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true)); err == nil {
			return &columnFile{file: f, pf: pf}, nil
		}
	}
	return nil, errors.Join(err, f.Close())
}

func (f *columnFile) close() error { return f.file.Close() }

// chunk is one column of one row group.
type chunk struct {
	leaf  parquet.LeafColumn
	pages func(do func(parquet.Page) error) error
}

func (f *columnFile) chunk(g parquet.RowGroup, path ...string) (chunk, error) {
	leaf, found := f.pf.Schema().Lookup(path...)
	if !found {
		return chunk{}, fmt.Errorf("there is no column %s", strings.Join(path, "."))
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
func (f *columnFile) subjects(g parquet.RowGroup, into []byte) ([]byte, error) {
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

// ints reads whole numbers; one that is missing is 0.
func (f *columnFile) ints(g parquet.RowGroup, into *[]int64, path ...string) error {
	c, err := f.chunk(g, path...)
	if err != nil {
		return err
	}
	*into = (*into)[:0]
	var known []int64
	return c.pages(func(p parquet.Page) error {
		data, dict := p.Data(), p.Dictionary()
		if dict == nil {
			*into = laid(*into, p, c, f.wide(data))
			return nil
		}
		if known == nil {
			known = slices.Clone(f.wide(dict.Page().Data()))
		}
		*into = laidOut(*into, p, c, known, data.Int32())
		return nil
	})
}

// laidOut is laid of values that are places in a dictionary.
func laidOut[T any](into []T, p parquet.Page, c chunk, known []T, places []int32) []T {
	if c.leaf.MaxDefinitionLevel > 0 && c.leaf.MaxRepetitionLevel == 0 {
		return laid(into, p, c, looked(nil, known, places))
	}
	return looked(into, known, places)
}

// looked adds values that are places in a dictionary.
func looked[T any](into, known []T, places []int32) []T {
	n := len(into)
	into = slices.Grow(into, len(places))[:n+len(places)]
	for i, place := range places {
		into[n+i] = known[place]
	}
	return into
}

// wide gives numbers of 32 or 64 bits as 64 bits.
func (f *columnFile) wide(data encoding.Values) []int64 {
	if data.Kind() != encoding.Int32 {
		return data.Int64()
	}
	out := f.scratch[:0]
	for _, x := range data.Int32() {
		out = append(out, int64(x))
	}
	f.scratch = out
	return out
}

// laid adds a page's values to those of the pages before it, zero for those that are
// missing; of lists the missing are empty ones, and nothing is added.
func laid[T any](into []T, p parquet.Page, c chunk, values []T) []T {
	levels, most := p.DefinitionLevels(), c.leaf.MaxDefinitionLevel
	if len(levels) == 0 || most == 0 {
		return append(into, values[:p.NumValues()]...)
	}
	if c.leaf.MaxRepetitionLevel > 0 {
		return append(into, values...)
	}
	var none T
	i := 0
	for _, level := range levels {
		if int(level) < int(most) {
			into = append(into, none)
			continue
		}
		into = append(into, values[i])
		i++
	}
	return into
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
func (f *columnFile) bools(g parquet.RowGroup, into *[]bool, path ...string) error {
	c, err := f.chunk(g, path...)
	if err != nil {
		return err
	}
	*into = (*into)[:0]
	var values []bool
	return c.pages(func(p parquet.Page) error {
		data := p.Data()
		bits := data.Boolean()
		values = values[:0]
		for i := range int(p.NumValues() - p.NumNulls()) {
			values = append(values, bits[i/8]>>(i%8)&1 == 1)
		}
		*into = laid(*into, p, c, values)
		return nil
	})
}

// blobs are byte strings, one after the other.
type blobs struct {
	body []byte
	ends []int
}

func (b *blobs) len() int { return len(b.ends) }

func (b *blobs) at(i int) []byte {
	from := 0
	if i > 0 {
		from = b.ends[i-1]
	}
	return b.body[from:b.ends[i]:b.ends[i]]
}

// blobs reads byte strings, none of which is missing.
func (f *columnFile) blobs(g parquet.RowGroup, into *blobs, path ...string) error {
	c, err := f.chunk(g, path...)
	if err != nil {
		return err
	}
	into.body, into.ends = into.body[:0], into.ends[:0]
	return c.pages(func(p parquet.Page) error {
		data := p.Data()
		if p.Dictionary() != nil || data.Kind() != encoding.ByteArray {
			return errors.New("it is not one of plain byte strings")
		}
		body, offsets := data.ByteArray()
		if len(offsets) == 0 {
			return nil
		}
		base := len(into.body) - int(offsets[0])
		into.body = append(into.body, body[offsets[0]:offsets[len(offsets)-1]]...)
		for _, end := range offsets[1:] {
			into.ends = append(into.ends, base+int(end))
		}
		return nil
	})
}
