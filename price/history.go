package price

import (
	"cmp"
	"slices"
	"time"
)

// Judgeable computes the facts about a quote's claim as of now (PRI-01 to PRI-07).
//
// Only intervals of the quote's own product, storefront, channel and currency
// count (PRI-03: per channel); the zone is the storefront's (nil: UTC). An offer
// that is not the stored price in force now is taken as a price that starts now.
//
// The window is the 30 calendar days before the start of the reduction, to the
// same local clock time, half-open. The start is the claimed one if the reduction
// has been uninterrupted since; else the start of the price in force now (PRI-05).
// A time without a price means "not on sale". If there is no price in the window
// at all it is not covered and the low is unknown; a product that is younger than
// the window is judged by the prices since its launch.
func Judgeable(q Quote, history []Interval, now time.Time, zone *time.Location) Facts {
	if zone == nil {
		zone = time.UTC
	}
	h := withOffer(own(q, history), q.OfferCents, now)
	start := reductionStart(h, q.Announcement.Since, now)
	f := Facts{WindowFrom: daysBefore(start, 30, zone), WindowTo: start.UTC()}
	f.Restarted = !start.Equal(q.Announcement.Since) && !q.Announcement.Since.IsZero()
	f.LowCents, f.Covered = low(h, f.WindowFrom, start)
	f.MaxPercent = percentBelow(f.LowCents, q.OfferCents)
	f.RaisedBefore = raised(h, daysBefore(start, 60, zone), start)
	f.DeadlineTrue = endsThen(own(q, history), q.Promises.Deadline, now)
	f.StockTrue = q.Promises.StockLeft == 0
	f.Rose = rose(q, now)
	return f
}

// endsThen reports whether the price in force now ends at the promised moment, the
// same for everybody (PRI-13). No promise is kept.
func endsThen(h []Interval, deadline, now time.Time) bool {
	if deadline.IsZero() {
		return true
	}
	n := inForce(h, now)
	return n >= 0 && h[n].To.Equal(deadline)
}

// rose reports whether the offer is above what the same basket showed less than
// Hold ago (PRI-13). A time ahead of ours is a clock that differs: shown just now.
func rose(q Quote, now time.Time) bool {
	p := q.Promises
	return p.ShownCents > 0 && q.OfferCents > p.ShownCents && now.Sub(p.ShownAt) < Hold
}

// own are the intervals that the quote may be compared with, in time order.
func own(q Quote, history []Interval) []Interval {
	var h []Interval
	for _, i := range history {
		if key(i) == (series{q.Product, q.Storefront, q.Channel, q.Currency}) {
			h = append(h, i)
		}
	}
	slices.SortStableFunc(h, byTime)
	return h
}

// withOffer ends the price in force now if the offer is another one, which then
// starts now. So a shop that asks just before it feeds the new price is judged as
// if it had fed it.
func withOffer(h []Interval, offer int64, now time.Time) []Interval {
	n := inForce(h, now)
	if n >= 0 && h[n].GrossCents == offer {
		return h[:n+1]
	}
	past := h[:0]
	for _, i := range h {
		if i.From.Before(now) {
			if i.open(now) {
				i.To = now
			}
			past = append(past, i)
		}
	}
	return append(past, Interval{From: now, GrossCents: offer, Announced: true})
}

// open reports whether the interval goes on after t.
func (i Interval) open(t time.Time) bool { return i.To.IsZero() || i.To.After(t) }

// inForce is the place of the interval in force at t, or -1.
func inForce(h []Interval, t time.Time) int {
	for n, i := range h {
		if !i.From.After(t) && i.open(t) {
			return n
		}
	}
	return -1
}

// reductionStart is the claimed start if every price from the one in force then to
// the last one is announced, none rises and none is missing; else the start of the
// last one, which is in force now.
func reductionStart(h []Interval, since, now time.Time) time.Time {
	last := len(h) - 1
	first := inForce(h, since)
	if first < 0 || since.After(now) {
		return h[last].From
	}
	for n := first; n <= last; n++ {
		if !h[n].Announced || n > first && (h[n].GrossCents > h[n-1].GrossCents || !h[n].From.Equal(h[n-1].To)) {
			return h[last].From
		}
	}
	return since
}

// low is the lowest price in force at any moment in [from, to).
func low(h []Interval, from, to time.Time) (cents int64, any bool) {
	for _, i := range h {
		if i.From.Before(to) && i.open(from) && (!any || i.GrossCents < cents) {
			cents, any = i.GrossCents, true
		}
	}
	return cents, any
}

// percentBelow is the whole percentage that offer lies below low, rounded down.
func percentBelow(low, offer int64) int64 {
	if low <= 0 || offer >= low {
		return 0
	}
	return 100 * (low - max(offer, 0)) / low
}

// raised reports whether a stored price began in [from, to) above the one before.
func raised(h []Interval, from, to time.Time) bool {
	for n := 1; n < len(h); n++ {
		at := h[n].From
		if h[n].GrossCents > h[n-1].GrossCents && !at.Before(from) && at.Before(to) {
			return true
		}
	}
	return false
}

// daysBefore goes back whole calendar days to the same local clock time. Where the
// clock showed that time twice it is the earlier moment, so that no price is missed.
func daysBefore(t time.Time, days int, zone *time.Location) time.Time {
	l := t.In(zone)
	at := func(shift time.Duration) time.Time {
		return time.Date(l.Year(), l.Month(), l.Day()-days, l.Hour(), l.Minute(), l.Second(), l.Nanosecond(), zone).Add(shift)
	}
	back := at(0)
	if earlier := at(-time.Hour); earlier.Hour() == back.Hour() && earlier.Day() == back.Day() {
		back = earlier
	}
	return back.UTC()
}

// series names what an interval belongs to.
type series struct{ product, storefront, channel, currency string }

func key(i Interval) series { return series{i.Product, i.Storefront, i.Channel, i.Currency} }

func byTime(a, b Interval) int { return a.From.Compare(b.From) }

// inOrder compares by product, storefront, channel, currency and time.
func inOrder(a, b Interval) int {
	return cmp.Or(cmp.Compare(a.Product, b.Product), cmp.Compare(a.Storefront, b.Storefront),
		cmp.Compare(a.Channel, b.Channel), cmp.Compare(a.Currency, b.Currency), byTime(a, b))
}
