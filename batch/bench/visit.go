package bench

import (
	"math"
	"time"

	"github.com/handschlag/handschlag/batch/learn"
	"github.com/handschlag/handschlag/event"
)

// What a visit is like: a head of lengths as shops see them (a third leaves after one
// or two events, one in a hundred stays for 40 and more).
const (
	eventsMean   = 8.0
	eventsMost   = 200
	secondVisit  = .1 // of the days with a visit
	eventsAVisit = eventsMean * (1 + secondVisit)
	lateVisits   = .004 // reach the shop a day late
	gapMean      = 45 * time.Second
)

// act is one event of a visit.
type act struct {
	kind     event.Kind
	at       int64 // ms
	late     bool  // it reached the shop a day late
	step     int   // number within the subject's day
	product  int
	search   int
	quantity int64
	order    int64
	hour     string
	lots     []lot // that were drawn in the visit, at its first act
}

// visits gives what a person did on a day, in order: nothing on most days. Times may
// reach into the next day.
func (s *shop) visits(p *person, day int, acts []act) []act {
	r := learn.NewRandom(s.Seed, ofVisits, p.no, uint64(day))
	if r.Float64() >= math.Min(.95, s.rate*float64(p.weight)) {
		return acts
	}
	start := s.first().AddDate(0, 0, day)
	n := 1
	if r.Float64() < secondVisit {
		n = 2
	}
	for visit := range n {
		from := len(acts)
		acts = s.visit(r, start.Add(opening(r)), acts)
		s.lots(p, day, visit, acts[from:])
	}
	return acts
}

// opening is when a visit begins: two in three in the afternoon and evening, up to
// the last minute of the day.
func opening(r *learn.Random) time.Duration {
	hours := 24 * math.Sqrt(r.Float64())
	return time.Duration(hours * float64(time.Hour)).Truncate(time.Millisecond)
}

func (s *shop) visit(r *learn.Random, at time.Time, acts []act) []act {
	w := walk{late: r.Float64() < lateVisits, product: s.drawProduct(r)}
	length := min(eventsMost, 1+int(-eventsMean*math.Log(1-r.Float64())))
	ms := at.UnixMilli()
	for range length {
		a := w.next(s, r)
		a.at, a.hour, a.step = ms, hourOf(ms), len(acts)
		acts = append(acts, a)
		ms += 1 + int64(-float64(gapMean.Milliseconds())*math.Log(1-r.Float64()))
	}
	return acts
}

// hourOf is the band of a moment in UTC.
func hourOf(ms int64) string {
	return [...]string{"night", "morning", "afternoon", "evening"}[ms/time.Hour.Milliseconds()%24/6]
}

// drawProduct prefers the first ones, as shoppers prefer bestsellers.
func (s *shop) drawProduct(r *learn.Random) int {
	u := r.Float64()
	return int(u * u * u * float64(len(s.products)))
}

// walk is what a visitor does next.
type walk struct {
	late    bool
	product int
	basket  int64
	paying  bool
}

var browsing = []struct {
	below float64
	kind  event.Kind
}{
	{.16, event.Page}, {.26, event.ProductsSearched}, {.34, event.ProductClicked}, {.42, event.ProductListViewed},
	{.78, event.ProductViewed}, {.82, event.VariantSelected}, {.84, event.SizeGuideOpened}, {.85, event.ProductsCompared},
	{.91, event.ProductAdded}, {.93, event.ProductRemoved}, {.97, event.CartViewed}, {.998, event.CheckoutStarted}, {1, event.OrderRefunded},
}

func (w *walk) next(s *shop, r *learn.Random) act {
	u, a := r.Float64(), act{late: w.late, product: w.product, kind: event.OrderRefunded}
	for _, b := range browsing {
		if u < b.below {
			a.kind = b.kind
			break
		}
	}
	if w.paying && r.Float64() < .6 {
		a.kind = event.OrderCompleted
	}
	switch w.paying = false; a.kind {
	case event.ProductsSearched:
		a.search = 1 + r.IntN(3000)
	case event.ProductViewed, event.ProductClicked:
		if r.Float64() < .6 {
			w.product = s.drawProduct(r)
			a.product = w.product
		}
	case event.ProductAdded:
		a.quantity = 1 + int64(r.IntN(3))
		w.basket += a.quantity
	case event.ProductRemoved:
		a.quantity = 1
		w.basket = max(0, w.basket-1)
	case event.CartViewed, event.CheckoutStarted:
		a.quantity = w.basket
		w.paying = a.kind == event.CheckoutStarted && w.basket > 0
	case event.OrderCompleted:
		a.quantity, a.order, w.basket = max(1, w.basket), 1+int64(r.Uint64()>>2), 0
	case event.OrderRefunded:
		a.order = 1 + int64(r.Uint64()>>2)
	}
	return a
}
