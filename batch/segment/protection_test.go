package segment

import (
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/event"
)

// orders lets the shop's own server report an order event, for essential_service
// alone, whoever the buyer is.
func (s *shop) orders(who consent.Subject, kind event.Kind, at time.Time, order int64, items ...event.Item) {
	s.messages++
	day := at.Format(time.DateOnly)
	s.rows[day] = append(s.rows[day], event.Row{
		Bucket: int32(who.Bucket()), Subject: who, Kind: int32(kind), OccurredMS: at.UnixMilli(), ReceivedMS: at.UnixMilli(), Policy: "test",
		MessageKey: [16]byte{byte(s.messages >> 8), byte(s.messages), 77}, Purposes: int64(consent.SetOf(consent.EssentialService)),
		Cases: []int64{1}, Keeps: []int64{int64(event.AllFields)}, Fields: event.Fields{OrderKey: order, Items: items, Currency: "EUR"},
	})
}

// priced is a stored price: cents from a moment on.
type priced struct {
	product string
	channel string
	from    time.Time
	to      *time.Time
	cents   int64
}

func (s *shop) prices(dir string, rows ...priced) {
	var out []any
	for _, p := range rows {
		row := map[string]any{"product_id": p.product, "storefront": "de", "channel": p.channel, "currency": "EUR", "from_ms": p.from.UnixMilli(), "gross_cents": p.cents, "announced": false}
		if p.to != nil {
			row["to_ms"] = p.to.UnixMilli()
		}
		out = append(out, row)
	}
	s.parquet(filepath.Join(dir, "prices.parquet"), "{product_id: 'varchar', storefront: 'varchar', channel: 'varchar', currency: 'varchar', from_ms: 'bigint', to_ms: 'bigint', gross_cents: 'bigint', announced: 'boolean'}", out)
}

// fall is a price that falls once, on the web.
func fall(product string, at time.Time, was, is int64) []priced {
	return []priced{{product, "web", monday.AddDate(0, -3, 0), &at, was}, {product, "web", at, nil, is}}
}

func (s *shop) list(name string) [][]string {
	s.t.Helper()
	body, err := os.ReadFile(filepath.Join(s.dir, "night", listsFolder, name+".csv"))
	if err != nil {
		s.t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(string(body))).ReadAll()
	if err != nil {
		s.t.Fatal(err)
	}
	return rows[1:]
}

// protected runs a night 12 days after monday over orders of 1 × A at 100.00.
func protected(t *testing.T, days int, fill func(*shop), rows ...priced) (*shop, Result) {
	return protectedBy(t, days, fill, func() []priced { return rows })
}

// protectedBy is the same with prices that are known once the shop is filled.
func protectedBy(t *testing.T, days int, fill func(*shop), rows func() []priced) (*shop, Result) {
	s := newShop(t)
	s.everyday(30, 1)
	fill(s)
	in := s.night(monday.AddDate(0, 0, 12))
	in.Config.Prices.Protection = config.Protection{Days: days, Storefront: "de", Channel: "web"}
	s.prices(in.Snapshot, rows()...)
	return s, s.run(in)
}

func TestPRI14AllowADifferenceBackWhoeverBought(t *testing.T) {
	line := event.Item{Product: "A", Quantity: 2, PriceCents: 10000}
	s, res := protected(t, 14, func(s *shop) {
		s.orders(subject(1), event.OrderCompleted, monday, 4711, line)
		s.subjects[subject(2)] = subjectRow{scope: consent.Device, restricted: true, objected: true} // consent to nothing, objects, restricted
		s.orders(subject(2), event.OrderCompleted, monday.Add(time.Hour), 4712, line)
		s.orders(subject(2), event.OrderCompleted, monday.Add(time.Hour), 4712, line) // told twice
	}, fall("A", monday.AddDate(0, 0, 9), 10000, 8500)...)
	rows := s.list("refunds")
	if len(rows) != 2 {
		t.Fatalf("refunds are %v", rows)
	}
	for i, order := range []string{"4711", "4712"} {
		if got := strings.Join([]string{rows[i][0], rows[i][2], rows[i][3], rows[i][4], rows[i][5], rows[i][8]}, " "); got != order+" A 2 10000 8500 3000" {
			t.Errorf("line %d: %s", i, got)
		}
	}
	if p := res.Report.Protection; p == nil || p.Orders != nil || p.RefundCents != nil { // two orders: too few to tell
		t.Errorf("report says %s", mustJSON(t, p))
	}
}

// Each case is a product of its own; those with the same days of protection share a
// night, with one order that the shop does protect: the list is not empty by itself.
func TestPRI14DenyWhatIsNoPublicFallInTime(t *testing.T) {
	day := func(n int) time.Time { return monday.AddDate(0, 0, n) }
	end := day(1)
	type denied struct {
		name string
		back event.Kind // what became of the order, on the day after or ten days on
		on   time.Time
		rows func(product string) []priced
	}
	falls := func(at time.Time, was, is int64) func(string) []priced {
		return func(product string) []priced { return fall(product, at, was, is) }
	}
	for days, cases := range map[int][]denied{
		5: {{name: "a fall after the days of protection", rows: falls(day(9), 10000, 8500)}},
		0: {{name: "a shop that does not offer it", rows: falls(day(9), 10000, 8500)}},
		14: {
			{name: "a price that was lower before", rows: func(p string) []priced {
				return []priced{{p, "web", day(-60), &end, 8500}, {p, "web", end, nil, 10000}}
			}},
			{name: "a price on another channel", rows: func(p string) []priced {
				return []priced{{p, "app", day(-60), &end, 10000}, {p, "app", end, nil, 8500}}
			}},
			{name: "a price of another product", rows: func(p string) []priced { return fall("not "+p, day(9), 10000, 8500) }},
			{name: "a rise", rows: falls(day(9), 10000, 12000)},
			{name: "a fall to what was paid", rows: falls(day(9), 12000, 10000)},
			{name: "an order that went back", back: event.OrderRefunded, on: day(10), rows: falls(day(9), 10000, 8500)},
			{name: "an order that was cancelled", back: event.OrderCancelled, on: day(1), rows: falls(day(9), 10000, 8500)},
			{name: "a fall that is still to come", rows: falls(day(13), 10000, 8500)},
		},
	} {
		rows, wrong := fall("protected", day(3), 10000, 8500), map[string]string{}
		s, _ := protectedBy(t, days, func(s *shop) {
			s.orders(subject(2), event.OrderCompleted, monday, 4000, event.Item{Product: "protected", Quantity: 1, PriceCents: 10000})
			for i, c := range cases {
				order, product := int64(4711+i), fmt.Sprint("product ", i)
				s.orders(subject(1), event.OrderCompleted, monday, order, event.Item{Product: product, Quantity: 1, PriceCents: 10000})
				if c.back != 0 {
					s.orders(subject(1), c.back, c.on, order)
				}
				rows = append(rows, c.rows(product)...)
				wrong[fmt.Sprint(order)] = c.name
			}
		}, func() []priced { return rows })
		control := 0
		for _, r := range s.list("refunds") {
			if name, denied := wrong[r[0]]; denied {
				t.Errorf("%s: refunds %v", name, r)
			} else {
				control++
			}
		}
		if want := min(days, 1); control != want {
			t.Errorf("protected for %d days: %d refunds for the order that is protected, want %d", days, control, want)
		}
	}
}

func TestOnlyWhatWasSentBackIsOut(t *testing.T) {
	s, _ := protected(t, 14, func(s *shop) {
		s.orders(subject(1), event.OrderCompleted, monday, 4711, event.Item{Product: "A", Quantity: 1, PriceCents: 10000}, event.Item{Product: "B", Quantity: 1, PriceCents: 5000})
		s.orders(subject(1), event.OrderRefunded, monday.AddDate(0, 0, 3), 4711, event.Item{Product: "A", Quantity: 1, PriceCents: 10000})
	}, append(fall("A", monday.AddDate(0, 0, 9), 10000, 8500), fall("B", monday.AddDate(0, 0, 9), 5000, 4000)...)...)
	if rows := s.list("refunds"); len(rows) != 1 || rows[0][2] != "B" || rows[0][8] != "1000" {
		t.Errorf("refunds are %v", rows)
	}
}

// R48: accounts that bought right before a steep fall, whether or not the shop protects them.
func TestWhoBoughtBeforeASteepFallIsListed(t *testing.T) {
	s, res := protected(t, 0, func(s *shop) {
		s.orders(subject(1), event.OrderCompleted, monday, 1, event.Item{Product: "A", Quantity: 1, PriceCents: 10000})
		s.orders(subject(40), event.OrderCompleted, monday, 2, event.Item{Product: "A", Quantity: 1, PriceCents: 10000})
		s.orders(subject(1), event.OrderCompleted, monday.AddDate(0, 0, 10), 3, event.Item{Product: "A", Quantity: 1, PriceCents: 9000}) // after it
		s.orders(subject(1), event.OrderCompleted, monday, 4, event.Item{Product: "B", Quantity: 1, PriceCents: 10000})
	}, append(fall("A", monday.AddDate(0, 0, 9), 10000, 9000), fall("B", monday.AddDate(0, 0, 9), 10000, 9001)...)...)
	rows := s.list("bought_before")
	if len(rows) != 2 || rows[0][0] != "1" || rows[1][0] != "2" {
		t.Errorf("lists %v", rows)
	}
	if res.Report.Protection.Before != nil || res.Report.Protection.Days != 0 {
		t.Errorf("report says %+v", res.Report.Protection)
	}
}
