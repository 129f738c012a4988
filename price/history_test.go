package price

import (
	"errors"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var berlin, noZone = time.LoadLocation("Europe/Berlin")

func TestTheZoneIsThere(t *testing.T) {
	if noZone != nil {
		t.Fatal(noZone)
	}
}

// at is a local time in Berlin, "2026-11-21" or "2026-11-21 00:01".
func at(text string) time.Time {
	if len(text) == len("2026-11-21") {
		text += " 00:00"
	}
	t, _ := time.ParseInLocation("2006-01-02 15:04", text, berlin) // a typo gives year 1, which no vector survives
	return t
}

var start = at("2026-11-21")

// step is a price from a local time on; 0 cents means not on sale. Announced
// prices carry a claim.
type step struct {
	from      string
	cents     int64
	announced bool
}

// history makes intervals of steps, the last one open.
func history(steps ...step) []Interval {
	var h []Interval
	for n, s := range steps {
		i := Interval{Product: "B12", Storefront: "de", Channel: "web", Currency: "EUR", From: at(s.from), GrossCents: s.cents, Announced: s.announced}
		if n+1 < len(steps) {
			i.To = at(steps[n+1].from)
		}
		if s.cents > 0 {
			h = append(h, i)
		}
	}
	return h
}

func quote(offer int64, since time.Time) Quote {
	return Quote{Product: "B12", Storefront: "de", Channel: "web", Currency: "EUR", OfferCents: offer, Announcement: Announcement{Kind: "percent", Since: since}}
}

// The vectors of law.md 4.5. A claim of more than max is denied.
func TestPriceVectors(t *testing.T) {
	const past, day = "2026-01-01", "2026-11-21"
	for _, c := range []struct {
		name  string
		steps []step
		since string // "" is day
		now   string // "" is day
		low   int64
		max   int64
		check func(Facts) bool
	}{
		{name: "W1 low 100, last 160, now 50", steps: []step{{past, 16000, false}, {"2026-11-01", 10000, false}, {"2026-11-05", 16000, false}, {day, 5000, true}}, low: 10000, max: 50},
		{name: "W1 low 100, last 160, now 80", steps: []step{{past, 16000, false}, {"2026-11-01", 10000, false}, {"2026-11-05", 16000, false}, {day, 8000, true}}, low: 10000, max: 20},
		{name: "W2 low 20, last 40, now 10", steps: []step{{past, 2000, false}, {"2026-11-10", 4000, false}, {day, 1000, true}}, low: 2000, max: 50},
		{name: "W2 low 20, last 40, now 20", steps: []step{{past, 2000, false}, {"2026-11-10", 4000, false}, {day, 2000, true}}, low: 2000, max: 0},
		{name: "W3 bananas", steps: []step{{past, 129, false}, {"2026-11-14", 169, false}, {day, 129, true}}, low: 129, max: 0},
		{name: "W4 coffee", steps: []step{{past, 699, false}, {"2026-11-02", 444, true}, {"2026-11-14", 699, false}, {day, 444, true}}, low: 444, max: 0},
		{name: "W5 80 last week, now 70", steps: []step{{past, 10000, false}, {"2026-11-14", 8000, false}, {day, 7000, true}}, low: 8000, max: 12},
		{name: "W6 without gap", steps: []step{{past, 10000, false}, {"2026-11-10", 9000, true}, {"2026-11-14", 8000, true}, {day, 7000, true}},
			since: "2026-11-10", low: 10000, max: 30, check: func(f Facts) bool { return !f.Restarted }},
		{name: "W6 with one step that was not announced", steps: []step{{past, 10000, false}, {"2026-11-10", 9000, true}, {"2026-11-14", 8000, false}, {day, 7000, true}},
			since: "2026-11-10", low: 8000, max: 12, check: func(f Facts) bool { return f.Restarted }},
		{name: "W6 with a day not on sale", steps: []step{{past, 10000, false}, {"2026-11-10", 9000, true}, {"2026-11-14", 0, false}, {"2026-11-15", 8000, true}},
			since: "2026-11-10", low: 9000, max: 11, check: func(f Facts) bool { return f.Restarted }},
		{name: "W7 interrupted for 2 days", steps: []step{{past, 10000, false}, {"2026-11-10", 8000, true}, {"2026-11-19", 10000, false}, {day, 7000, true}},
			since: "2026-11-10", low: 8000, max: 12, check: func(f Facts) bool { return f.Restarted }},
		{name: "W8 a smaller reduction", steps: []step{{past, 10000, false}, {"2026-11-10", 7000, true}, {day, 8000, true}},
			since: "2026-11-10", low: 7000, max: 0, check: func(f Facts) bool { return f.Restarted }},
		{name: "W9 on sale for 12 days", steps: []step{{"2026-11-09", 5000, false}, {day, 4000, true}}, low: 5000, max: 20, check: func(f Facts) bool { return f.Covered }},
		{name: "W10 Black Week 60, then 90", steps: []step{{past, 10000, false}, {"2026-10-25", 6000, true}, {"2026-11-01", 10000, false}, {day, 9000, true}}, low: 6000, max: 0},
		{name: "W15 drill", steps: []step{{past, 10899, false}, {"2026-11-20", 13900, false}, {day, 11120, true}}, low: 10899, max: 0,
			check: func(f Facts) bool { return f.RaisedBefore }},
		{name: "W16 59 in force until exactly 2026-10-22 00:00", steps: []step{{past, 5900, false}, {"2026-10-22", 7900, false}, {day, 6900, true}}, low: 7900, max: 12},
		{name: "W17 59 in force until 00:01", steps: []step{{past, 5900, false}, {"2026-10-22 00:01", 7900, false}, {day, 6900, true}}, low: 5900, max: 0},
		{name: "W19 integer cents", steps: []step{{past, 2999, false}, {day, 1999, true}}, low: 2999, max: 33},
		{name: "W20 raised for 31 days", steps: []step{{past, 10000, false}, {"2026-10-21", 12000, false}, {day, 10000, true}}, low: 12000, max: 16,
			check: func(f Facts) bool { return f.RaisedBefore }},
		{name: "PRI-03 a flash price of two hours counts", steps: []step{{past, 7900, false}, {"2026-11-02 10:00", 5900, true}, {"2026-11-02 12:00", 7900, false}, {day, 6900, true}}, low: 5900, max: 0},
		{name: "PRI-03 not on sale in the whole window", steps: []step{{past, 7900, false}, {"2026-10-01", 0, false}, {day, 6900, true}}, low: 0, max: 0,
			check: func(f Facts) bool { return !f.Covered }},
		{name: "PRI-03 not on sale for part of the window", steps: []step{{past, 7900, false}, {"2026-11-01", 0, false}, {day, 6900, true}}, low: 7900, max: 12},
		{name: "PRI-03 launched today", steps: []step{{day, 6900, true}}, low: 0, max: 0, check: func(f Facts) bool { return !f.Covered }},
		{name: "PRI-05 the reference stays while it lasts", steps: []step{{past, 10000, false}, {day, 8000, true}}, now: "2027-02-01", low: 10000, max: 20},
		{name: "PRI-05 a start before the reduction is not believed", steps: []step{{past, 10000, false}, {"2026-10-25", 6000, true}, {"2026-11-01", 10000, false}, {day, 8000, true}},
			since: "2026-10-25", low: 6000, max: 0, check: func(f Facts) bool { return f.Restarted }},
		{name: "PRI-05 nor is one in the future", steps: []step{{past, 10000, false}, {day, 8000, true}}, since: "2026-12-24", low: 10000, max: 20,
			check: func(f Facts) bool { return f.Restarted }},
		{name: "PRI-07 raised 61 days before", steps: []step{{past, 10000, false}, {"2026-09-21 23:59", 12000, false}, {day, 11000, true}}, low: 12000, max: 8,
			check: func(f Facts) bool { return !f.RaisedBefore }},
		{name: "PRI-07 raised 60 days before", steps: []step{{past, 10000, false}, {"2026-09-22", 12000, false}, {day, 11000, true}}, low: 12000, max: 8,
			check: func(f Facts) bool { return f.RaisedBefore }},
	} {
		t.Run(c.name, func(t *testing.T) {
			since, now := at(day), at(day)
			if c.since != "" {
				since = at(c.since)
			}
			if c.now != "" {
				now = at(c.now)
			}
			h := history(c.steps...)
			f := Judgeable(quote(h[len(h)-1].GrossCents, since), h, now, berlin)
			if f.LowCents != c.low || f.MaxPercent != c.max {
				t.Errorf("low %d, max %d %%; want %d, %d", f.LowCents, f.MaxPercent, c.low, c.max)
			}
			if c.check != nil && !c.check(f) {
				t.Errorf("facts %+v", f)
			}
		})
	}
}

// A gift in the window leaves no room for any claim.
func TestAGiftIsTheLowest(t *testing.T) {
	h := history(step{"2026-01-01", 7900, false}, step{"2026-11-01", 100, true}, step{"2026-11-02", 7900, false}, step{"2026-11-21", 6900, true})
	h[1].GrossCents = 0
	if f := Judgeable(quote(6900, start), h, start, berlin); f.LowCents != 0 || !f.Covered || f.MaxPercent != 0 {
		t.Errorf("facts %+v", f)
	}
}

func TestW18PerChannel(t *testing.T) {
	h := history(step{"2026-01-01", 7900, false}, step{"2026-11-21", 6900, true})
	for field, change := range map[string]func(*Interval){
		"channel": func(i *Interval) { i.Channel = "app" }, "storefront": func(i *Interval) { i.Storefront = "at" },
		"currency": func(i *Interval) { i.Currency = "CHF" }, "product": func(i *Interval) { i.Product = "B13" },
	} {
		other := history(step{"2026-01-01", 7400, false})[0]
		change(&other)
		if f := Judgeable(quote(6900, start), append(slices.Clone(h), other), start, berlin); f.LowCents != 7900 {
			t.Errorf("a price of another %s counts: %d", field, f.LowCents)
		}
	}
}

func TestTheWindowIsInCalendarDays(t *testing.T) {
	for _, c := range []struct{ name, since, from string }{
		{"across the clock change of 25 Oct 2026", "2026-11-20T23:00:00Z", "2026-10-21T22:00:00Z"},
		{"720 hours where no clock changes", "2026-07-31T10:00:00Z", "2026-07-01T10:00:00Z"},
		{"to the hour that occurs twice: the first", "2026-11-24T01:30:00Z", "2026-10-25T00:30:00Z"},
		{"to the hour that does not occur", "2026-04-28T00:30:00Z", "2026-03-29T01:30:00Z"},
	} {
		since, _ := time.Parse(time.RFC3339, c.since)
		h := []Interval{{Product: "B12", Storefront: "de", Channel: "web", Currency: "EUR", From: since, GrossCents: 100, Announced: true}}
		f := Judgeable(quote(100, since), h, since, berlin)
		if got := f.WindowFrom.Format(time.RFC3339); got != c.from || !f.WindowTo.Equal(since) {
			t.Errorf("%s: from %s, want %s", c.name, got, c.from)
		}
	}
}

// A shop that asks just before it feeds the new price is judged as if it had.
func TestAnOfferThatIsNotStoredYetStartsNow(t *testing.T) {
	h := history(step{"2026-01-01", 10000, false}, step{"2026-11-01", 8000, true}, step{"2026-11-10", 10000, false})
	f := Judgeable(quote(7000, start), h, start, berlin)
	if f.LowCents != 8000 || f.Restarted || !f.WindowTo.Equal(start) {
		t.Errorf("at its start: %+v", f)
	}
	f = Judgeable(quote(7000, at("2026-11-01")), h, start, berlin)
	if f.LowCents != 8000 || !f.Restarted || !f.WindowTo.Equal(start) {
		t.Errorf("with an older start: %+v", f)
	}
	lower := history(step{"2026-01-01", 10000, false}, step{"2026-11-10", 9000, true})
	if f = Judgeable(quote(8000, at("2026-11-10")), lower, start, berlin); f.LowCents != 10000 || f.Restarted {
		t.Errorf("a further step: %+v", f)
	}
	if f = Judgeable(quote(9500, at("2026-11-10")), lower, start, berlin); f.LowCents != 9000 || f.MaxPercent != 0 {
		t.Errorf("a step back: %+v", f)
	}
	if f = Judgeable(quote(9500, start), nil, start, nil); f.Covered || f.LowCents != 0 || f.MaxPercent != 0 {
		t.Errorf("no history: %+v", f)
	}
}

func TestAnUnorderedHistoryIsTheSameHistory(t *testing.T) {
	h := history(step{"2026-01-01", 10000, false}, step{"2026-11-01", 8000, true}, step{"2026-11-10", 10000, false}, step{"2026-11-21", 7000, true})
	want := Judgeable(quote(7000, start), h, start, berlin)
	slices.Reverse(h)
	before := slices.Clone(h)
	if got := Judgeable(quote(7000, start), h, start, berlin); got != want || !slices.Equal(h, before) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func drawHistory(t *rapid.T) []Interval {
	var h []Interval
	from := at("2026-09-01")
	for range rapid.IntRange(0, 12).Draw(t, "intervals") {
		i := Interval{Product: "B12", Storefront: "de", Channel: "web", Currency: "EUR", From: from,
			GrossCents: rapid.Int64Range(1, 20000).Draw(t, "cents"), Announced: rapid.Bool().Draw(t, "announced")}
		from = from.Add(time.Duration(rapid.IntRange(1, 20*24).Draw(t, "hours")) * time.Hour)
		i.To = from
		h = append(h, i)
		if rapid.IntRange(0, 4).Draw(t, "gap") == 0 {
			from = from.Add(time.Duration(rapid.IntRange(1, 100).Draw(t, "pause")) * time.Hour)
		}
	}
	if len(h) > 0 && rapid.Bool().Draw(t, "open") {
		h[len(h)-1].To = time.Time{}
	}
	return h
}

func drawClaim(t *rapid.T) (q Quote, now time.Time) {
	now = at("2026-09-02").Add(time.Duration(rapid.IntRange(0, 100*24).Draw(t, "now")) * time.Hour)
	since := now.Add(-time.Duration(rapid.IntRange(0, 40*24).Draw(t, "since")) * time.Hour)
	return quote(rapid.Int64Range(1, 20000).Draw(t, "offer"), since), now
}

func TestTheLowIsNeverAboveAPriceInTheWindow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := drawHistory(t)
		q, now := drawClaim(t)
		f := Judgeable(q, h, now, berlin)
		found := false
		for moment := f.WindowFrom; moment.Before(f.WindowTo); moment = moment.Add(time.Hour) {
			for _, i := range h {
				if !moment.Before(i.From) && (i.To.IsZero() || moment.Before(i.To)) {
					found = found || i.GrossCents == f.LowCents
					if !f.Covered || f.LowCents > i.GrossCents {
						t.Fatalf("low %d, but %v at %v", f.LowCents, i, moment)
					}
				}
			}
		}
		if f.Covered && !found {
			t.Fatalf("the low %d was never in force", f.LowCents)
		}
		if f.MaxPercent < 0 || f.MaxPercent > 100 || f.MaxPercent > 0 && q.OfferCents >= f.LowCents {
			t.Fatalf("max %d %%", f.MaxPercent)
		}
	})
}

func TestALowerPriceInTheWindowNeverRaisesTheLow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := drawHistory(t)
		q, now := drawClaim(t)
		before := Judgeable(q, h, now, berlin)
		if !before.Covered {
			return // nothing to lower
		}
		n := rapid.IntRange(0, len(h)-1).Draw(t, "lowered")
		i := h[n]
		if !i.From.Before(before.WindowTo) || !i.open(before.WindowFrom) || !i.open(i.From.Add(2*time.Hour)) || i.open(before.WindowTo) {
			return // not within the window
		}
		flash := i
		flash.From, flash.To, flash.GrossCents = i.From.Add(time.Hour), i.From.Add(2*time.Hour), max(i.GrossCents/2, 1)
		rest := i
		rest.From = flash.To
		h[n].To = flash.From
		after := Judgeable(q, append(h, flash, rest), now, berlin)
		if after.WindowTo.Equal(before.WindowTo) && after.LowCents > before.LowCents {
			t.Fatalf("low was %d, is %d", before.LowCents, after.LowCents)
		}
	})
}

func TestMerge(t *testing.T) {
	stored := history(step{"2026-01-01", 10000, false}, step{"2026-06-01", 7900, false})
	open, closed := stored[1], stored[0]
	row := func(from, to string, cents int64) Interval {
		i := open
		i.From, i.GrossCents = at(from), cents
		if to != "" {
			i.To = at(to)
		}
		return i
	}
	for _, c := range []struct {
		name string
		rows []Interval
		want []Interval // of the series; nil is an error
	}{
		{"nothing", nil, stored},
		{"the same again", []Interval{open, closed}, stored},
		{"a new price closes the open one", []Interval{row("2026-11-21", "", 6900)}, []Interval{closed, row("2026-06-01", "2026-11-21", 7900), row("2026-11-21", "", 6900)}},
		{"an end for the open one", []Interval{row("2026-06-01", "2026-11-21", 7900)}, []Interval{closed, row("2026-06-01", "2026-11-21", 7900)}},
		{"an end and what follows", []Interval{row("2026-11-21", "", 6900), row("2026-06-01", "2026-11-21", 7900)},
			[]Interval{closed, row("2026-06-01", "2026-11-21", 7900), row("2026-11-21", "", 6900)}},
		{"two that follow", []Interval{row("2026-11-21", "2026-11-28", 6900), row("2026-11-28", "", 7900)},
			[]Interval{closed, row("2026-06-01", "2026-11-21", 7900), row("2026-11-21", "2026-11-28", 6900), row("2026-11-28", "", 7900)}},
		{"a price before the first", []Interval{row("2025-01-01", "2026-01-01", 500)}, []Interval{row("2025-01-01", "2026-01-01", 500), closed, open}},
		{"another price for a closed time", []Interval{row("2026-02-01", "2026-03-01", 500)}, nil},
		{"another price from the same start", []Interval{row("2026-06-01", "", 500)}, nil},
		{"rows that overlap each other", []Interval{row("2026-11-21", "", 6900), row("2026-11-25", "", 6800)}, nil},
		{"a row that ends before it begins", []Interval{row("2026-11-21", "2026-11-20", 6900)}, nil},
		{"a price below nothing", []Interval{row("2026-11-21", "", -1)}, nil},
		{"a gift", []Interval{row("2026-11-21", "", 0)}, []Interval{closed, row("2026-06-01", "2026-11-21", 7900), row("2026-11-21", "", 0)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Merge(stored, c.rows)
			if (err != nil) != (c.want == nil) {
				t.Fatal(err)
			}
			if !slices.EqualFunc(got, c.want, same) {
				t.Errorf("got  %v\nwant %v", got, c.want)
			}
			if !stored[1].To.IsZero() {
				t.Error("the history was changed")
			}
		})
	}
}

func TestAnOverlapNamesBoth(t *testing.T) {
	stored := history(step{"2026-01-01", 10000, false}, step{"2026-06-01", 7900, false})
	row := stored[0]
	row.GrossCents = 555
	_, err := Merge(stored, []Interval{row})
	if err == nil || !strings.Contains(err.Error(), "555") || !strings.Contains(err.Error(), "10000") {
		t.Error(err)
	}
}

func TestMergingInPartsIsMergingAtOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := drawHistory(t)
		n := rapid.IntRange(0, len(h)).Draw(t, "first part")
		first, err := Merge(nil, h[:n])
		if err != nil {
			t.Fatal(err)
		}
		parts, err := Merge(first, h[n:])
		if err != nil {
			t.Fatal(err)
		}
		again, err := Merge(parts, h)
		if err != nil || !slices.EqualFunc(parts, h, same) || !slices.EqualFunc(again, h, same) {
			t.Fatalf("got %v, want %v (%v)", parts, h, err)
		}
	})
}

const header = "product_id,storefront,channel,currency,from,to,gross_cents,announced\n"

func TestReadHistory(t *testing.T) {
	got, err := ReadHistory(strings.NewReader("\ufeff" + header +
		"B12,de,web,EUR,2026-11-21T00:00:00+01:00,,6900,true\n" +
		"B12,de,web,EUR,2026-01-01T00:00:00+01:00,2026-11-21T00:00:00+01:00,7900,false\n" +
		"B12,de,app,EUR,2026-01-01T00:00:00+01:00,,7400,false\n"))
	want := history(step{"2026-01-01", 7900, false}, step{"2026-11-21", 6900, true})
	app := history(step{"2026-01-01", 7400, false})
	app[0].Channel = "app"
	if want = append(app, want...); err != nil || !slices.EqualFunc(got, want, same) {
		t.Errorf("got %v, %v", got, err)
	}
	if got, err := ReadHistory(strings.NewReader(header)); err != nil || len(got) != 0 {
		t.Errorf("a header alone: %v, %v", got, err)
	}
}

func TestReadHistoryNamesEveryBadLine(t *testing.T) {
	_, err := ReadHistory(strings.NewReader(header +
		"B12,de,web,EUR,2026-01-01T00:00:00Z,,7900,false\n" + // 2, overlapped by 3 and 9
		"B12,de,web,EUR,2026-11-21T00:00:00Z,,6900,true\n" + // 3
		"B12,de,web,EUR,yesterday,,6900,maybe\n" + // 4
		"B12,de,web\n" + // 5
		",,,Euro,2026-11-21T00:00:00Z,2026-11-20T00:00:00Z,-1,true\n" + // 6
		"B12,de,web,EUR,2026-11-21T00:00:00Z,,69.00,true\n" + // 7
		"B12,\"de\"x,web,EUR,2026-11-21T00:00:00Z,,6900,true\n" + // 8
		"B12,de,web,EUR,2026-02-01T00:00:00Z,2026-02-02T00:00:00Z,1,true\n" + // 9
		"B13,de,web,EUR,2026-02-01T00:00:00Z,2026-02-02T00:00:00Z,1,true\n")) // fine
	var bad BadLines
	if !errors.As(err, &bad) {
		t.Fatal(err)
	}
	var lines []int
	for _, l := range bad {
		lines = append(lines, l.Line)
	}
	if want := []int{3, 4, 5, 6, 7, 8, 9}; !slices.Equal(lines, want) {
		t.Errorf("bad lines %v\n%v", lines, err)
	}
	if !strings.Contains(err.Error(), "line 3: overlaps line 2") || !strings.Contains(err.Error(), "line 9: overlaps line 2") {
		t.Error(err)
	}
	for _, wrong := range []string{"", "product_id,price\nB12,1\n"} {
		if _, err := ReadHistory(strings.NewReader(wrong)); err == nil {
			t.Errorf("%q is read", wrong)
		}
	}
}

func TestAnIntervalSurvivesItsFile(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := drawHistory(t)
		var b strings.Builder
		b.WriteString(header)
		for _, i := range h {
			to := ""
			if !i.To.IsZero() {
				to = i.To.Format(time.RFC3339)
			}
			announced := map[bool]string{true: "true", false: "false"}[i.Announced]
			b.WriteString(strings.Join([]string{i.Product, i.Storefront, i.Channel, i.Currency, i.From.Format(time.RFC3339), to, strconv.FormatInt(i.GrossCents, 10), announced}, ",") + "\n")
		}
		got, err := ReadHistory(strings.NewReader(b.String()))
		if err != nil || !slices.EqualFunc(got, h, same) {
			t.Fatalf("got %v, %v", got, err)
		}
	})
}

// A quote has no place for a person, a device or a place.
func TestAQuoteCannotNameAPerson(t *testing.T) {
	typ := reflect.TypeFor[Quote]()
	for i := range typ.NumField() {
		name := strings.ToLower(typ.Field(i).Name + " " + typ.Field(i).Tag.Get("json"))
		for _, word := range []string{"subject", "user", "device", "ip", "agent", "session", "country", "segment", "anonymous", "visitor"} {
			if slices.Contains(strings.FieldsFunc(name, func(r rune) bool { return r == ' ' || r == '_' }), word) {
				t.Errorf("%s", typ.Field(i).Name)
			}
		}
	}
}

// PRI-13: a deadline is the end of the stored price, the same for everybody.
func TestADeadlineIsTheEndOfThePrice(t *testing.T) {
	h := history(step{"2026-11-01", 10000, false}, step{"2026-11-20", 8000, true}, step{"2026-11-30", 10000, false})
	for _, c := range []struct {
		name, deadline string
		now            string
		want           bool
	}{
		{"none promised", "", "2026-11-21", true},
		{"as stored", "2026-11-30", "2026-11-21", true},
		{"earlier than stored", "2026-11-29", "2026-11-21", false},
		{"a timer of its own", "2026-11-21 00:15", "2026-11-21", false},
		{"of a price that is over", "2026-11-30", "2026-12-01", false},
		{"the last price has no end", "2026-12-24", "2026-12-01", false},
	} {
		q := quote(8000, at("2026-11-20"))
		if c.deadline != "" {
			q.Promises.Deadline = at(c.deadline)
		}
		if got := Judgeable(q, h, at(c.now), berlin).DeadlineTrue; got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// PRI-13: within 30 minutes a basket's price does not rise.
func TestAShownPriceHolds(t *testing.T) {
	now := at("2026-11-21 12:00")
	for _, c := range []struct {
		name  string
		shown int64
		ago   time.Duration
		want  bool
	}{
		{"nothing was shown", 0, time.Minute, false},
		{"a lower price a minute ago", 7900, time.Minute, true},
		{"the same price", 8000, time.Minute, false},
		{"a higher price", 8100, time.Minute, false},
		{"a lower price just within the time", 7900, Hold - time.Second, true},
		{"a lower price half an hour ago", 7900, Hold, false},
		{"a lower price by a clock that is ahead", 7900, -time.Second, true},
	} {
		q := quote(8000, at("2026-11-21"))
		q.Promises.ShownCents, q.Promises.ShownAt = c.shown, now.Add(-c.ago)
		if got := Judgeable(q, nil, now, berlin).Rose; got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}
