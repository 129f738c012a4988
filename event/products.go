package event

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/handschlag/handschlag/consent"
)

// Classes are the values of Product.Class.
var Classes = []string{"simple", "standard", "complex", "premium", "contract"}

// BadLine is what is wrong with one line of an import.
type BadLine struct {
	Line int
	Text string
}

// BadLines are all that is wrong with an import, in the order of the lines.
type BadLines []BadLine

func (b BadLines) Error() string {
	var s strings.Builder
	for i, l := range b {
		if i == 100 {
			fmt.Fprintf(&s, "\nand %d more lines", len(b)-i)
			break
		}
		if i > 0 {
			s.WriteByte('\n')
		}
		fmt.Fprintf(&s, "line %d: %s", l.Line, l.Text)
	}
	return s.String()
}

// Check says what is wrong with a product as a shop sends it.
func (p Product) Check() error {
	var wrong []error
	if p.ID == "" || len(p.ID) > 128 || strings.TrimSpace(p.ID) != p.ID {
		wrong = append(wrong, errors.New("product_id wants 1 to 128 bytes without spaces around"))
	}
	if p.Category == "" || len(p.Category) > 128 {
		wrong = append(wrong, errors.New("category wants 1 to 128 bytes"))
	}
	if !slices.Contains(Classes, p.Class) {
		wrong = append(wrong, fmt.Errorf("product_class wants one of %s", strings.Join(Classes, ", ")))
	}
	if p.PriceCents < 0 || p.PriceCents > most {
		wrong = append(wrong, errors.New("price_cents wants 0 or more"))
	}
	if p.Stock < 0 {
		wrong = append(wrong, errors.New("stock wants 0 or more"))
	}
	for _, l := range p.Locales {
		if coarseLocale(l) == "" {
			wrong = append(wrong, fmt.Errorf("locales wants BCP 47 tags, not %q", l))
		}
	}
	for _, t := range p.Tags {
		if !slices.Contains(consent.SpecialCategories, t) {
			wrong = append(wrong, fmt.Errorf("tags wants %s, not %q", strings.Join(consent.SpecialCategories, ", "), t))
		}
	}
	return errors.Join(wrong...)
}

// ReadProducts reads a catalogue, format "csv" (with a header line) or "ndjson".
// Lists are written with "|", in NDJSON also as arrays. If any line is bad the
// error is BadLines with every bad line, and no product counts.
func ReadProducts(r io.Reader, format string) ([]Product, error) {
	list := productList{seen: map[string]int{}}
	var err error
	switch format {
	case "csv":
		err = list.csv(r)
	case "ndjson":
		err = list.ndjson(r)
	default:
		return nil, fmt.Errorf("reading products: format %q is neither csv nor ndjson", format)
	}
	if err != nil {
		return nil, fmt.Errorf("reading products: %w", err)
	}
	if len(list.bad) > 0 {
		return nil, list.bad
	}
	return list.products, nil
}

type productList struct {
	products []Product
	seen     map[string]int // product id → line
	bad      BadLines
}

func (l *productList) wrong(line int, err error) {
	l.bad = append(l.bad, BadLine{line, strings.ReplaceAll(err.Error(), "\n", "; ")})
}

func (l *productList) add(line int, p Product) {
	if err := p.Check(); err != nil {
		l.wrong(line, err)
	}
	if before, twice := l.seen[p.ID]; twice {
		l.wrong(line, fmt.Errorf("product_id is on line %d already", before))
		return
	}
	l.seen[p.ID] = line
	l.products = append(l.products, p)
}

var productColumns = []string{"product_id", "category", "product_class", "price_cents", "stock", "locales", "tags"}

func (l *productList) csv(r io.Reader) error {
	in := csv.NewReader(r)
	in.FieldsPerRecord = -1
	head, err := in.Read()
	if err != nil {
		return fmt.Errorf("reading the header: %w", err)
	}
	head[0] = strings.TrimPrefix(head[0], "\ufeff")
	if !slices.Equal(head, productColumns) {
		l.wrong(1, fmt.Errorf("the header wants %s", strings.Join(productColumns, ",")))
		return nil
	}
	for {
		row, err := in.Read()
		var syntax *csv.ParseError
		switch {
		case err == io.EOF:
			return nil
		case errors.As(err, &syntax):
			l.wrong(syntax.StartLine, syntax.Err)
			continue
		case err != nil:
			return err
		}
		line, _ := in.FieldPos(0)
		if len(row) != len(productColumns) {
			l.wrong(line, fmt.Errorf("want %d columns, got %d", len(productColumns), len(row)))
			continue
		}
		l.row(line, row)
	}
}

func (l *productList) row(line int, row []string) {
	p := Product{ID: row[0], Category: row[1], Class: row[2], Locales: split(row[5]), Tags: split(row[6])}
	var err error
	if p.PriceCents, err = strconv.ParseInt(row[3], 10, 64); err != nil {
		l.wrong(line, errors.New("price_cents wants a whole number"))
	}
	if p.Stock, err = strconv.ParseInt(row[4], 10, 64); err != nil {
		l.wrong(line, errors.New("stock wants a whole number"))
	}
	l.add(line, p)
}

// split reads a list written with "|".
func split(list string) []string {
	var out []string
	for one := range strings.SplitSeq(list, "|") {
		if one = strings.TrimSpace(one); one != "" {
			out = append(out, one)
		}
	}
	return out
}

// manyWords is a list in either of its written forms.
type manyWords []string

func (w *manyWords) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		var list string
		err := json.Unmarshal(b, &list)
		*w = split(list)
		return err
	}
	return json.Unmarshal(b, (*[]string)(w))
}

func (l *productList) ndjson(r io.Reader) error {
	in := bufio.NewReader(r)
	for line := 1; ; line++ {
		text, err := in.ReadBytes('\n')
		if err != nil && err != io.EOF {
			return err
		}
		if text = bytes.TrimSpace(text); len(text) > 0 {
			l.object(line, text)
		}
		if err == io.EOF {
			return nil
		}
	}
}

func (l *productList) object(line int, text []byte) {
	var p struct {
		ID         string    `json:"product_id"`
		Category   string    `json:"category"`
		Class      string    `json:"product_class"`
		PriceCents int64     `json:"price_cents"`
		Stock      int64     `json:"stock"`
		Locales    manyWords `json:"locales"`
		Tags       manyWords `json:"tags"`
	}
	if err := json.Unmarshal(text, &p, json.RejectUnknownMembers(true)); err != nil {
		l.wrong(line, err)
		return
	}
	l.add(line, Product{p.ID, p.Category, p.Class, p.PriceCents, p.Stock, p.Locales, p.Tags})
}
