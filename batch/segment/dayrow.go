package segment

import (
	"cmp"
	"encoding/json"
	"fmt"
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
	Day     int32           `parquet:"day,date"`
	Subject consent.Subject `parquet:"subject,uuid"`

	Sessions      int64       `parquet:"sessions"`
	Events        int64       `parquet:"events"`
	FirstMS       int64       `parquet:"first_ms"`
	LastMS        int64       `parquet:"last_ms"`
	Dwell         int64       `parquet:"dwell_ms"`
	Views         int64       `parquet:"product_views"`
	Viewed        int64       `parquet:"products_viewed"`
	Searches      int64       `parquet:"searches"`
	Clicked       int64       `parquet:"searches_clicked"`
	Zero          int64       `parquet:"searches_zero_results"`
	Reformulated  int64       `parquet:"search_reformulations"`
	Exacts        int64       `parquet:"search_exact_articles"`
	Guides        int64       `parquet:"size_guide_opens"`
	Flips         int64       `parquet:"variant_flips"`
	Loops         int64       `parquet:"compare_loops"`
	Left          int64       `parquet:"baskets_left"`
	Night         int64       `parquet:"sessions_night"`
	Morning       int64       `parquet:"sessions_morning"`
	Afternoon     int64       `parquet:"sessions_afternoon"`
	Evening       int64       `parquet:"sessions_evening"`
	Adds          int64       `parquet:"cart_adds"`
	Removes       int64       `parquet:"cart_removes"`
	PremiumViews  int64       `parquet:"premium_views"`
	PricedViews   int64       `parquet:"priced_views"`
	ViewedCents   int64       `parquet:"viewed_cents"`
	Refunds       int64       `parquet:"refunds"`
	RefundCents   int64       `parquet:"refund_cents"`
	Orders        []dayOrder  `parquet:"orders,list"`
	Returns       []dayReturn `parquet:"returns,list"`
	GPC           int64       `parquet:"gpc_events"`
	DNT           int64       `parquet:"dnt_events"`
	SpecialEvents int64       `parquet:"special_events"`

	// Open is the session that may still go on after midnight, as JSON: the next day
	// begins with it. It counts nowhere yet. "" for none.
	Open string `parquet:"open"`
}

// dayOrder is an order as it was told.
type dayOrder struct {
	Key   int64 `parquet:"order_key"`
	AtMS  int64 `parquet:"at_ms"`
	Cents int64 `parquet:"cents"`
}

// dayReturn is an order, or part of one, that went back.
type dayReturn struct {
	Key   int64 `parquet:"order_key"`
	AtMS  int64 `parquet:"at_ms"`
	Whole bool  `parquet:"whole"`
	Cents int64 `parquet:"cents"`
}

// emptyDaily makes table daily without a row: the shape of dayRow in SQL.
const emptyDaily = `create or replace table daily (day date, subject uuid, sessions bigint, events bigint, first_ms bigint, last_ms bigint,
	dwell_ms bigint, product_views bigint, products_viewed bigint, searches bigint, searches_clicked bigint, searches_zero_results bigint,
	search_reformulations bigint, search_exact_articles bigint, size_guide_opens bigint, variant_flips bigint, compare_loops bigint,
	baskets_left bigint, sessions_night bigint, sessions_morning bigint, sessions_afternoon bigint, sessions_evening bigint, cart_adds bigint,
	cart_removes bigint, premium_views bigint, priced_views bigint, viewed_cents bigint, refunds bigint, refund_cents bigint,
	orders struct(order_key bigint, at_ms bigint, cents bigint)[], returns struct(order_key bigint, at_ms bigint, whole boolean, cents bigint)[],
	gpc_events bigint, dnt_events bigint, special_events bigint, open varchar)`

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

// openAct is an act in dayRow.Open, with its words spelt out.
type openAct struct {
	At       int64      `json:"at"`
	Kind     event.Kind `json:"k"`
	Exact    bool       `json:"x,omitempty"`
	Lines    bool       `json:"l,omitempty"`
	Hour     int8       `json:"h,omitempty"`
	Product  string     `json:"p,omitempty"`
	Variant  string     `json:"v,omitempty"`
	Query    int64      `json:"q,omitempty"`
	Results  int64      `json:"r,omitempty"`
	Quantity int64      `json:"n,omitempty"`
	Price    int64      `json:"c,omitempty"`
	Dwell    int64      `json:"d,omitempty"`
	Cart     int64      `json:"w,omitempty"`
	Units    int64      `json:"lu,omitempty"`
	Cents    int64      `json:"lc,omitempty"`
}

// leave writes an open session.
func leave(acts []act, w vocabulary) (string, error) {
	if len(acts) == 0 {
		return "", nil
	}
	out := make([]openAct, len(acts))
	for i, s := range acts {
		out[i] = openAct{
			At: s.at, Kind: s.kind, Exact: s.exact, Lines: s.lines, Hour: s.hour, Product: w.spell(s.product), Variant: w.spell(s.variant),
			Query: s.query, Results: s.results, Quantity: s.quantity, Price: s.price, Dwell: s.dwell, Cart: s.cart, Units: s.units, Cents: s.cents,
		}
	}
	b, err := json.Marshal(out)
	if err != nil {
		return "", fmt.Errorf("leaving a session open: %w", err)
	}
	return string(b), nil
}

// goOn reads what leave wrote.
func goOn(open string, w *words, acts []act) ([]act, error) {
	if open == "" {
		return acts, nil
	}
	var in []openAct
	if err := json.Unmarshal([]byte(open), &in); err != nil {
		return nil, fmt.Errorf("going on with an open session: %w", err)
	}
	for _, s := range in {
		acts = append(acts, act{
			at: s.At, kind: s.Kind, exact: s.Exact, lines: s.Lines, hour: s.Hour, product: w.of(s.Product), variant: w.of(s.Variant),
			query: s.Query, results: s.Results, quantity: s.Quantity, price: s.Price, dwell: s.Dwell, cart: s.Cart, units: s.Units, cents: s.Cents,
		})
	}
	return acts, nil
}
