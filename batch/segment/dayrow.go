package segment

import (
	"cmp"
	"slices"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/profile"
)

// dayRow is what one subject did on one ingest day in the name of
// personalisation_content: a row of the night's state. Acts count on the day they
// reached the shop; a session counts, whole, on the day on which it ended. Every
// column can be merged over days: sums add up, times take the latest, orders are a
// list in which one order_key counts once, and so are returns.
type dayRow struct {
	Day     int32
	Subject consent.Subject

	Sessions      int64
	Events        int64
	FirstMS       int64
	LastMS        int64
	Dwell         int64
	Views         int64
	Viewed        int64
	Searches      int64
	Clicked       int64
	Zero          int64
	Reformulated  int64
	Exacts        int64
	Guides        int64
	Flips         int64
	Loops         int64
	Left          int64
	Night         int64
	Morning       int64
	Afternoon     int64
	Evening       int64
	Adds          int64
	Removes       int64
	PremiumViews  int64
	PricedViews   int64
	ViewedCents   int64
	Refunds       int64
	RefundCents   int64
	Orders        []dayOrder
	Returns       []dayReturn
	GPC           int64
	DNT           int64
	SpecialEvents int64

	// Open is the session that may still go on after midnight (leave): the next day
	// begins with it. It counts nowhere yet. "" for none.
	Open string
}

// dayOrder is an order as it was told.
type dayOrder struct {
	Key   int64
	AtMS  int64
	Cents int64
}

// dayReturn is an order, or part of one, that went back.
type dayReturn struct {
	Key   int64
	AtMS  int64
	Whole bool
	Cents int64
}

// emptyDaily makes table daily without a row: the shape of dayRow in SQL.
const emptyDaily = `create or replace table daily (day date, subject uuid, sessions bigint, events bigint, first_ms bigint, last_ms bigint,
	dwell_ms bigint, product_views bigint, products_viewed bigint, searches bigint, searches_clicked bigint, searches_zero_results bigint,
	search_reformulations bigint, search_exact_articles bigint, size_guide_opens bigint, variant_flips bigint, compare_loops bigint,
	baskets_left bigint, sessions_night bigint, sessions_morning bigint, sessions_afternoon bigint, sessions_evening bigint, cart_adds bigint,
	cart_removes bigint, premium_views bigint, priced_views bigint, viewed_cents bigint, refunds bigint, refund_cents bigint,
	orders struct(order_key bigint, at_ms bigint, cents bigint)[], returns struct(order_key bigint, at_ms bigint, whole boolean, cents bigint)[],
	gpc_events bigint, dnt_events bigint, special_events bigint, open blob)`

// add counts a session that ended.
func (r *dayRow) add(v *visit) {
	r.Sessions++
	r.Dwell += v.dwell
	r.Views += v.views
	r.Viewed += v.viewed
	r.Searches += v.searches
	r.Clicked += v.clicked
	r.Zero += v.zero
	r.Reformulated += v.reformulated
	r.Exacts += v.exacts
	r.Guides += v.guides
	r.Flips += v.flips
	r.Loops += v.loops
	if v.units > 0 {
		r.Left++
	}
	if v.hour > 0 {
		*[...]*int64{&r.Night, &r.Morning, &r.Afternoon, &r.Evening}[v.hour-1]++
	}
}

// saw counts an event of the day.
func (r *dayRow) saw(at int64) {
	if r.Events == 0 || at < r.FirstMS {
		r.FirstMS = at
	}
	r.LastMS = max(r.LastMS, at)
	r.Events++
}

// did counts what an event did, whatever session it belongs to.
func (r *dayRow) did(s *act, premium bool, orderKey, total int64) {
	switch s.kind {
	case event.ProductAdded:
		r.Adds++
	case event.ProductRemoved:
		r.Removes++
	case event.ProductViewed:
		if premium {
			r.PremiumViews++
		}
		if s.price > 0 {
			r.PricedViews++
		}
		r.ViewedCents += s.price
	case event.OrderCompleted:
		r.Orders = append(r.Orders, dayOrder{orderKey, s.at, total})
	case event.OrderRefunded, event.OrderCancelled:
		r.Refunds++
		r.RefundCents += s.cart
		r.Returns = append(r.Returns, dayReturn{orderKey, s.at, s.kind == event.OrderCancelled, total})
	}
}

// close puts the lists in order.
func (r *dayRow) close() {
	slices.SortFunc(r.Orders, func(a, b dayOrder) int {
		return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.AtMS, b.AtMS), cmp.Compare(a.Cents, b.Cents))
	})
	whole := func(b bool) int {
		if b {
			return 1
		}
		return 0
	}
	slices.SortFunc(r.Returns, func(a, b dayReturn) int {
		return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.AtMS, b.AtMS), whole(a.Whole)-whole(b.Whole), cmp.Compare(a.Cents, b.Cents))
	})
}

// idle is the pause that ends a session.
var idle = profile.SessionIdle.Milliseconds()

// fold cuts acts, which are in order, into sessions and adds those that ended to the
// row. It gives the acts of the one that may go on after the day's last millisecond.
func (r *dayRow) fold(v *visit, acts []act, end int64, each func(*visit)) (open []act) {
	from := 0
	for i := range acts {
		if i == 0 || acts[i].at-acts[i-1].at >= idle {
			if i > 0 {
				r.add(v)
				each(v)
			}
			from = i
			v.begin(acts[i].at)
		}
		v.take(&acts[i])
	}
	if len(acts) == 0 {
		return nil
	}
	if last := &acts[len(acts)-1]; last.own && end-last.at < idle {
		return acts[from:]
	}
	r.add(v)
	each(v)
	return nil
}
