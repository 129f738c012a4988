package bench

import (
	"cmp"
	"encoding/binary"
	"slices"
	"time"

	"github.com/handschlag/handschlag/batch/learn"
	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/host/snapshot"
)

// dayOf gives the rows of an ingest day, in their order: what was done on it, what
// came a day late, and the rest of the visits that ran past midnight.
func (s *shop) dayOf(day int, add func(event.Row) error) (rows int64, err error) {
	from := s.first().AddDate(0, 0, day).UnixMilli()
	to := from + 24*time.Hour.Milliseconds()
	var before, acts []act
	var out []event.Row
	for i := range s.people {
		p := &s.people[i]
		before, acts, out = s.visits(p, day-1, before[:0]), s.visits(p, day, acts[:0]), out[:0]
		for _, a := range before {
			if a.late || a.at >= from {
				out = s.keep(out, p, day-1, a, max(a.at, from))
			}
		}
		for _, a := range acts {
			for _, l := range a.lots {
				l.who = int32(i)
				s.drawn[day] = append(s.drawn[day], l)
			}
			if !a.late && a.at < to {
				out = s.keep(out, p, day, a, a.at)
			}
		}
		slices.SortFunc(out, func(a, b event.Row) int {
			return cmp.Or(cmp.Compare(a.OccurredMS, b.OccurredMS), slices.Compare(a.MessageKey[:], b.MessageKey[:]))
		})
		for j := range out {
			if err := add(out[j]); err != nil {
				return rows, err
			}
			rows++
		}
	}
	return rows, nil
}

// keep adds an act as the gate would store it, if it would.
func (s *shop) keep(out []event.Row, p *person, day int, a act, received int64) []event.Row {
	g := &s.grants[p.habit][s.kept(p, day)][a.kind]
	if g.purposes == 0 {
		return out
	}
	r := learn.NewRandom(s.Seed, ofKeys, p.no, uint64(day), uint64(a.step))
	row := event.Row{
		Bucket: int32(p.subject.Bucket()), Subject: p.subject, Kind: int32(a.kind), OccurredMS: a.at, ReceivedMS: received,
		Purposes: g.purposes, Cases: g.cases, Keeps: g.keeps, Policy: "bench", Fields: s.fields(a).Keep(g.union),
	}
	binary.BigEndian.PutUint64(row.MessageKey[:8], r.Uint64())
	binary.BigEndian.PutUint64(row.MessageKey[8:], r.Uint64())
	return append(out, row)
}

var (
	classes  = []string{"simple", "standard", "standard", "complex", "premium", "contract"}
	variants = []string{"s", "m", "l", "xl"}
	pages    = []string{"home", "list", "product", "search"}
)

func (s *shop) category(product int) string { return categories[product%len(categories)] }
func cents(product int) int64               { return 500 + int64(product)*7%50_000 }

// fields are what the shop's pages told about an act.
func (s *shop) fields(a act) event.Fields {
	f := event.Fields{
		Results: -1, Currency: "EUR", PageType: pages[a.product%len(pages)], ReferrerHost: "search.example",
		UAFamily: "Chrome 142", Locale: "de-DE", HourBand: a.hour,
	}
	item := event.Item{Product: s.products[a.product], Quantity: max(1, a.quantity), PriceCents: cents(a.product)}
	switch a.kind {
	case event.Page, event.ProductListViewed:
		f.Category = s.category(a.product)
	case event.ProductsSearched:
		f.QueryKey, f.Results, f.QueryExact = int64(a.search), int64(a.search%9), a.search%50 == 0
	case event.CartViewed, event.CheckoutStarted:
		if a.quantity > 0 {
			f.Items, f.CartCents = []event.Item{item}, item.Quantity*item.PriceCents
		}
	case event.OrderCompleted:
		f.Items, f.CartCents, f.OrderKey = []event.Item{item}, item.Quantity*item.PriceCents, a.order
	case event.OrderRefunded:
		f.CartCents, f.OrderKey = item.PriceCents, a.order
	default:
		f.Product, f.Category, f.ProductClass = item.Product, s.category(a.product), classes[a.product%len(classes)]
		f.PriceCents, f.Quantity = item.PriceCents, a.quantity
		if a.kind == event.VariantSelected {
			f.Variant = variants[a.at/1000%int64(len(variants))]
		}
		if a.kind == event.ProductViewed && a.at%3 == 0 {
			f.DwellMS = 1000 + a.at%60_000
		}
	}
	return f
}

// product is a row of the catalogue.
func (s *shop) product(i int) event.Product {
	return event.Product{ID: s.products[i], Category: s.category(i), Class: classes[i%len(classes)], PriceCents: cents(i), Stock: int64(i % 20)}
}

// day is what a file says of itself.
func (s *shop) day(day int) snapshot.Day {
	return snapshot.Day{Day: s.first().AddDate(0, 0, day).Format(time.DateOnly), Generation: 1}
}
