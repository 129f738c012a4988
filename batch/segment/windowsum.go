package segment

import (
	"cmp"
	"math/bits"
	"slices"

	"github.com/handschlag/handschlag/consent"
)

// How far windows look back, in days before as of.
const (
	windowDays = 90
	recentDays = 28
)

// sums is what a person did in the 90 days before as of: oracle/windows.sql says the
// same in SQL, oracle/sales.sql of the orders.
type sums struct {
	visited     [2]uint64 // bit age-1: there was an event that many days before as of
	all, recent tally
	orders      []order
	returns     []dayReturn
}

// order is an order as one of a person's subjects told it.
type order struct {
	dayOrder
	subject consent.Subject
	age     int // days before as of
}

// reset makes sums of nothing, and keeps the lists' memory.
func (s *sums) reset() { *s = sums{orders: s.orders[:0], returns: s.returns[:0]} }

// add takes the row of a day in.
func (s *sums) add(r *dayRow, c *tally, age int) {
	for i, x := range c {
		s.all[i] += x
	}
	if age <= recentDays {
		for i, x := range c {
			s.recent[i] += x
		}
	}
	if c[1] > 0 { // events
		s.visited[(age-1)/64] |= 1 << ((age - 1) % 64)
	}
	for _, o := range r.Orders {
		s.orders = append(s.orders, order{o, r.Subject, age})
	}
	s.returns = append(s.returns, r.Returns...)
}

// once keeps what counts of orders that were told several times: the first, of those
// at one moment the cheapest. An order without a key is its subject's at its moment.
func (s *sums) once() {
	if len(s.orders) == 0 {
		return
	}
	slices.SortFunc(s.orders, func(a, b order) int {
		return cmp.Or(a.sale(b), cmp.Compare(a.AtMS, b.AtMS), cmp.Compare(a.Cents, b.Cents), cmp.Compare(b.age, a.age))
	})
	s.orders = slices.CompactFunc(s.orders, func(a, b order) bool { return a.sale(b) == 0 })
}

// sale compares what orders are, whoever told of them.
func (a order) sale(b order) int {
	if a.Key != 0 || b.Key != 0 {
		return cmp.Compare(a.Key, b.Key)
	}
	return cmp.Or(compareSubjects(a.subject, b.subject), cmp.Compare(a.AtMS, b.AtMS))
}

// windowColumns are the columns of windows beside the person, in the order of values.
var windowColumns = func() (out []string) {
	out = []string{"days_since_visit", "days_since_first_visit", "break_days", "active_days_90d", "active_days_28d"}
	for _, span := range []string{"_90d", "_28d"} {
		for _, name := range tallied {
			out = append(out, name+span)
		}
	}
	return append(out, "orders_90d", "orders_28d", "order_cents_90d", "order_cents_28d", "days_since_order")
}()

// values adds the row of windows, after once; false for somebody who never came.
func (s *sums) values(out []int64) ([]int64, bool) {
	if s.visited == [2]uint64{} {
		return out, false
	}
	visits := s.visits()
	out = append(out, visits[:]...)
	out = append(append(out, s.all[:]...), s.recent[:]...)
	var all, recent, cents, recentCents int64
	since := int64(-1)
	for _, o := range s.orders {
		all++
		cents += o.Cents
		if o.age <= recentDays {
			recent++
			recentCents += o.Cents
		}
		if since < 0 || int64(o.age) < since {
			since = int64(o.age)
		}
	}
	return append(out, all, recent, cents, recentCents, since), true
}

// visits gives days since the last and the first visit, the days between the last one
// before the recent days and the first one in them, and on how many days there was one,
// in all and recently.
func (s *sums) visits() [5]int64 {
	low, high := s.visited[0], s.visited[1]
	last, first := bits.TrailingZeros64(low)+1, bits.Len64(low)
	if low == 0 {
		last = 64 + bits.TrailingZeros64(high) + 1
	}
	if high != 0 {
		first = 64 + bits.Len64(high)
	}
	recent, pause := low&(1<<recentDays-1), 0
	older := low &^ (1<<recentDays - 1)
	if recent != 0 && (older != 0 || high != 0) {
		before := bits.TrailingZeros64(older) + 1
		if older == 0 {
			before = 64 + bits.TrailingZeros64(high) + 1
		}
		pause = before - bits.Len64(recent)
	}
	return [5]int64{int64(last), int64(first), int64(pause), int64(bits.OnesCount64(low) + bits.OnesCount64(high)), int64(bits.OnesCount64(recent))}
}

// saleRow is what an order came to, less what went back of it since (R12).
type saleRow struct {
	Person   consent.Subject `parquet:"person,uuid"`
	AtMS     int64           `parquet:"at_ms"`
	Cents    int64           `parquet:"cents"`
	WentBack bool            `parquet:"went_back"`
	NetCents int64           `parquet:"net_cents"`
}

// sales gives a row for each order, after once.
func (s *sums) sales(person consent.Subject, row func(saleRow) error) error {
	for _, o := range s.orders {
		sale := saleRow{Person: person, AtMS: o.AtMS, Cents: o.Cents}
		var back int64
		whole := false
		for _, r := range s.returns {
			if r.Key == o.Key && r.Key != 0 {
				sale.WentBack, whole, back = true, whole || r.Whole, back+r.Cents
			}
		}
		if !whole {
			sale.NetCents = max(o.Cents-back, 0)
		}
		if err := row(sale); err != nil {
			return err
		}
	}
	return nil
}
