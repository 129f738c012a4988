package eval

import (
	"bufio"
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	learned "github.com/handschlag/handschlag/batch/learn/value"
)

// OrderLog says how a file of orders is written: a line per order, in any order of
// lines. Columns are counted from 1.
type OrderLog struct {
	Buyer     int    // column of the buyer's id, any text
	Date      int    // column of the day: 19970131 or 1997-01-31
	Amount    int    // column of the order's value in units of 100 cents, such as 29.33
	Skip      int    // lines before the first order
	Separator string // one character between columns; none: white space
}

// order is what a buyer ordered on one day.
type order struct {
	day   int // since 1970
	cents float64
}

// ReadOrders gives each buyer's order days in order. Orders of one buyer on one day
// are one order. An error names line and column.
func ReadOrders(r io.Reader, name string, shape OrderLog) (map[string][]order, error) {
	days := map[string]map[int]float64{}
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		if n <= shape.Skip || strings.TrimSpace(lines.Text()) == "" {
			continue
		}
		buyer, o, err := shape.order(lines.Text())
		if err != nil {
			return nil, fmt.Errorf("%s: line %d, %w", name, n, err)
		}
		if days[buyer] == nil {
			days[buyer] = map[int]float64{}
		}
		days[buyer][o.day] += o.cents
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	if len(days) == 0 {
		return nil, fmt.Errorf("%s has no order behind line %d", name, shape.Skip)
	}
	return inOrder(days), nil
}

func inOrder(days map[string]map[int]float64) map[string][]order {
	out := make(map[string][]order, len(days))
	for buyer, of := range days {
		for day, cents := range of {
			out[buyer] = append(out[buyer], order{day, cents})
		}
		slices.SortFunc(out[buyer], func(a, b order) int { return a.day - b.day })
	}
	return out
}

// order reads one line.
func (s OrderLog) order(line string) (buyer string, o order, err error) {
	fields := strings.Fields(line)
	if s.Separator != "" {
		r := csv.NewReader(strings.NewReader(line))
		r.Comma = []rune(s.Separator)[0]
		if fields, err = r.Read(); err != nil {
			return "", o, fmt.Errorf("its columns: %w", err)
		}
	}
	for _, c := range []int{s.Buyer, s.Date, s.Amount} {
		if c < 1 || c > len(fields) {
			return "", o, fmt.Errorf("column %d: the line has %d columns; say which are the buyer, the date and the amount, and how columns are separated", c, len(fields))
		}
	}
	p, err := purchaseOf(fields, [3]int{s.Buyer - 1, s.Date - 1, s.Amount - 1})
	return p.customer, order{daysOf(p.day), math.Round(100 * p.amount)}, err
}

// daysOf counts the days since 1970.
func daysOf(t time.Time) int { return int(t.Unix() / (24 * 60 * 60)) }

// buyer is what is known of a buyer at an as-of.
type buyer struct {
	id    string
	trail learned.Trail
	spend learned.Spend // over the repeat orders
}

// later is what a buyer did after the as-of.
type later struct{ orders, cents float64 }

// split gives what is known at the end of a day of all who ordered by then, in order
// of their ids, and apart from it what they did after it, to the end of another day.
func split(log map[string][]order, asOf, end int) ([]buyer, []later) {
	var known []buyer
	var after []later
	for id, orders := range log {
		if orders[0].day > asOf {
			continue
		}
		b, l := buyer{id: id, trail: learned.Trail{Age: asOf - orders[0].day, Weight: 1}, spend: learned.Spend{Weight: 1}}, later{}
		for _, o := range orders[1:] {
			if o.day <= asOf {
				b.trail.Days = append(b.trail.Days, o.day-orders[0].day)
				b.spend.Orders, b.spend.Cents = b.spend.Orders+1, b.spend.Cents+o.cents
			} else if o.day <= end {
				l = later{l.orders + 1, l.cents + o.cents}
			}
		}
		b.spend.Cents /= math.Max(1, float64(b.spend.Orders))
		known, after = append(known, b), append(after, l)
	}
	return sorted(known, after)
}

// sorted brings both in order of the ids, as a map has none.
func sorted(known []buyer, after []later) ([]buyer, []later) {
	order := make([]int, len(known))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return strings.Compare(known[a].id, known[b].id) })
	k, l := make([]buyer, len(known)), make([]later, len(known))
	for i, from := range order {
		k[i], l[i] = known[from], after[from]
	}
	return k, l
}
