package segment

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding"
)

// strip is one column of a reading.
type strip struct {
	rows   []cell // that nobody passed
	name   string
	leaf   parquet.LeafColumn
	groups []parquet.RowGroup // that are not begun
	pages  parquet.Pages
	page   parquet.Page
	at     int64 // rows of the page that were taken
	dict   parquet.Dictionary
	known  []cell            // of dict
	words  map[string]uint64 // the alphabet
	buf    []cell
	there  []cell
	list   []byte // the row that is not whole yet
}

// rowsOfStrip is how many rows of a column are taken out of a page at a time.
const rowsOfStrip = 8 << 10

func (s *strip) close() (err error) {
	if s.page != nil {
		parquet.Release(s.page)
	}
	if s.pages != nil {
		err = s.pages.Close()
	}
	s.page, s.pages = nil, nil
	return err
}

// more takes rows if there are none, unless the column has ended.
func (s *strip) more() error {
	if len(s.rows) > 0 {
		return nil
	}
	for s.buf = s.buf[:0]; len(s.buf) == 0; {
		if err := s.turn(); err != nil {
			return err
		}
		if s.page == nil {
			s.whole()
			break
		}
		if err := s.take(); err != nil {
			return err
		}
	}
	s.rows = s.buf
	return nil
}

// turn opens the next page where all rows of one are taken; there is none at the end.
func (s *strip) turn() error {
	if s.page != nil && s.at < s.page.NumRows() {
		return nil
	}
	for {
		if err := s.chunk(); err != nil || s.pages == nil {
			return err
		}
		p, err := s.pages.ReadPage()
		if err == nil {
			s.page, s.at = p, 0
			return nil
		}
		if err = errors.Join(s.close(), past(err)); err != nil {
			return err
		}
	}
}

// past is no error at the end.
func past(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// chunk lets go of the page, and begins the next row group where one has ended.
func (s *strip) chunk() error {
	if s.page != nil {
		parquet.Release(s.page)
		s.page = nil
	}
	if s.pages == nil && len(s.groups) > 0 {
		s.pages = s.groups[0].ColumnChunks()[s.leaf.ColumnIndex].Pages()
		s.groups = s.groups[1:]
	}
	return nil
}

// take takes rows of the page.
func (s *strip) take() error {
	p, to := s.page, s.page.NumRows()
	if from := s.at; s.leaf.MaxRepetitionLevel == 0 { // a list may reach over pages
		to = min(to, from+rowsOfStrip)
		p = p.Slice(from, to)
	}
	s.at = to
	levels := p.DefinitionLevels()
	if s.leaf.MaxDefinitionLevel == 0 || len(levels) == 0 {
		return s.values(&s.buf, p)
	}
	s.there = s.there[:0]
	if err := s.values(&s.there, p); err != nil {
		return err
	}
	if s.leaf.MaxRepetitionLevel > 0 {
		s.lists(levels, p.RepetitionLevels())
		return nil
	}
	next := 0
	for _, level := range levels {
		if int(level) < int(s.leaf.MaxDefinitionLevel) {
			s.buf = append(s.buf, cell{1: missing})
			continue
		}
		s.buf = append(s.buf, s.there[next])
		next++
	}
	return nil
}

// missing stands in a cell whose value is not there. Of UUIDs none may be missing.
const missing = 1

// values adds those of a page that are there.
func (s *strip) values(to *[]cell, p parquet.Page) error {
	n, dict := p.NumValues()-p.NumNulls(), p.Dictionary()
	if dict == nil {
		return s.cells(to, p.Data(), n)
	}
	if dict != s.dict {
		s.dict, s.known = dict, nil
		if err := s.cells(&s.known, dict.Page().Data(), dict.Page().NumValues()); err != nil {
			return err
		}
	}
	data := p.Data()
	for _, i := range data.Int32()[:n] {
		*to = append(*to, s.known[i])
	}
	return nil
}

// cells adds n plain values.
func (s *strip) cells(to *[]cell, data encoding.Values, n int64) error {
	switch data.Kind() {
	case encoding.Boolean:
		bits := data.Boolean()
		for i := range n {
			*to = append(*to, cell{uint64(bits[i/8] >> (i % 8) & 1)})
		}
	case encoding.Int32:
		for _, x := range data.Int32() {
			*to = append(*to, cell{uint64(x)})
		}
	case encoding.Int64:
		for _, x := range data.Int64() {
			*to = append(*to, cell{uint64(x)})
		}
	case encoding.ByteArray:
		body, ends := data.ByteArray()
		for i := 1; i < len(ends); i++ {
			*to = append(*to, s.word(body[ends[i-1]:ends[i]]))
		}
	case encoding.FixedLenByteArray:
		body, size := data.FixedLenByteArray()
		if size != 16 || s.page.NumNulls() > 0 {
			return errors.New("it is not one of UUIDs, all of them there")
		}
		for ; len(body) > 0; body = body[16:] {
			*to = append(*to, cell{binary.BigEndian.Uint64(body), binary.BigEndian.Uint64(body[8:])})
		}
	default:
		return fmt.Errorf("values of kind %v", data.Kind())
	}
	return nil
}

// word is the number of a string.
func (s *strip) word(b []byte) cell {
	n, known := s.words[string(b)]
	if !known {
		n = uint64(len(s.words))
		s.words[string(b)] = n
	}
	return cell{n}
}

// lists makes a word of each list.
func (s *strip) lists(levels, repeated []byte) {
	next := 0
	for i, level := range levels {
		if repeated[i] == 0 {
			s.whole()
		}
		s.list = append(s.list, level)
		if int(level) == int(s.leaf.MaxDefinitionLevel) {
			s.list = binary.BigEndian.AppendUint64(s.list, s.there[next][0])
			next++
		}
	}
}

// whole adds the row of a list that has ended.
func (s *strip) whole() {
	if len(s.list) > 0 {
		s.buf = append(s.buf, s.word(s.list))
	}
	s.list = s.list[:0]
}
