package profile

import (
	"slices"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/event"
)

// Trail is what an adviser's card may draw on. Only the adviser_assist section
// keeps one; policy decides which blocks are shown (ESC-04).
type Trail struct {
	Orders   []Order      `json:"orders,omitempty"`   // last 5, oldest first
	Basket   []event.Item `json:"basket,omitempty"`   // now, at most 20 lines, the latest last; it outlives the session
	BasketAt time.Time    `json:"basket_at,omitzero"` // last change
	Searches []Search     `json:"searches,omitempty"` // last 10, oldest first
	Viewed   []Viewed     `json:"viewed,omitempty"`   // last 20 products, the latest last
	Compared [][2]string  `json:"compared,omitempty"` // last 10 pairs, the latest last
}

// Order is a completed order.
type Order struct {
	At     time.Time    `json:"at"`
	Key    int64        `json:"order_key,omitempty"` // keyed digest: the same order told twice is one order
	Cents  int64        `json:"cents"`
	Status string       `json:"status,omitempty"` // "" | refunded | cancelled
	Items  []event.Item `json:"items,omitempty"`  // at most 20
}

// Search holds the words of a search that the catalogue knows.
type Search struct {
	At    time.Time `json:"at"`
	Words []string  `json:"words"`
	Exact bool      `json:"exact,omitempty"`
}

// Viewed is a product looked at, with the variants tried in order.
type Viewed struct {
	At       time.Time `json:"at"` // last
	Product  string    `json:"product_id"`
	Views    int64     `json:"views,omitempty"`
	Variants []string  `json:"variants,omitempty"` // at most 5, the latest last
}

const (
	ordersMax   = 5
	comparedMax = 10
	variantsMax = 5
	wordsMax    = 8
)

// Trail gives what the adviser_assist section remembers for the card. Call it on
// a Fresh profile: it does not look at a clock.
func (p Profile) Trail() Trail { return p.Sections[consent.AdviserAssist].Trail.clone() }

func (t *Trail) take(e step) {
	switch e.kind {
	case event.ProductsSearched:
		t.search(e)
	case event.ProductViewed, event.VariantSelected:
		t.view(e)
	case event.ProductsCompared:
		for i := 1; i < len(e.f.Items); i++ {
			t.compared([2]string{e.f.Items[i-1].Product, e.f.Items[i].Product})
		}
	case event.ProductAdded:
		t.line(event.Item{Product: e.f.Product, Quantity: unitsOf(e.f.Quantity), PriceCents: e.f.PriceCents}, e.time())
	case event.ProductRemoved:
		t.line(event.Item{Product: e.f.Product, Quantity: -unitsOf(e.f.Quantity), PriceCents: e.f.PriceCents}, e.time())
	case event.CartViewed, event.CheckoutStarted:
		if len(e.f.Items) > 0 {
			t.Basket, t.BasketAt = slices.Clone(latest(e.f.Items, ProductsMax)), e.time()
		}
	case event.OrderCompleted:
		t.Basket, t.BasketAt = nil, time.Time{}
		t.order(e)
	case event.OrderRefunded:
		t.mark(e.f.OrderKey, "refunded")
	case event.OrderCancelled:
		t.mark(e.f.OrderKey, "cancelled")
	}
}

// search keeps the words; the same words again are the same search.
func (t *Trail) search(e step) {
	if len(e.f.QueryWords) == 0 {
		return
	}
	s := Search{At: e.time(), Words: slices.Clone(e.f.QueryWords[:min(wordsMax, len(e.f.QueryWords))]), Exact: e.f.QueryExact}
	if i := len(t.Searches) - 1; i >= 0 && slices.Equal(t.Searches[i].Words, s.Words) {
		t.Searches[i] = s
		return
	}
	t.Searches = latest(append(t.Searches, s), QueriesMax)
}

func (t *Trail) view(e step) {
	if e.f.Product == "" {
		return
	}
	v := Viewed{Product: e.f.Product}
	if i := slices.IndexFunc(t.Viewed, func(v Viewed) bool { return v.Product == e.f.Product }); i >= 0 {
		v = t.Viewed[i]
		t.Viewed = slices.Delete(t.Viewed, i, i+1)
	}
	v.At = e.time()
	if e.kind == event.ProductViewed {
		v.Views++
	}
	if x := e.f.Variant; x != "" && (len(v.Variants) == 0 || v.Variants[len(v.Variants)-1] != x) {
		v.Variants = latest(append(slices.Clip(v.Variants), x), variantsMax)
	}
	t.Viewed = latest(append(t.Viewed, v), ProductsMax)
}

// compared puts a pair last; which of the two came first does not matter.
func (t *Trail) compared(pair [2]string) {
	if pair[0] == "" || pair[1] == "" || pair[0] == pair[1] {
		return
	}
	if pair[1] < pair[0] {
		pair[0], pair[1] = pair[1], pair[0]
	}
	t.Compared = slices.DeleteFunc(t.Compared, func(p [2]string) bool { return p == pair })
	t.Compared = latest(append(t.Compared, pair), comparedMax)
}

// line adds units of a product to the basket, or takes them out.
func (t *Trail) line(item event.Item, at time.Time) {
	if item.Product == "" {
		return
	}
	if i := slices.IndexFunc(t.Basket, func(x event.Item) bool { return x.Product == item.Product }); i >= 0 {
		item.Quantity += t.Basket[i].Quantity
		t.Basket = slices.Delete(t.Basket, i, i+1)
	}
	if t.BasketAt = at; item.Quantity > 0 {
		t.Basket = latest(append(t.Basket, item), ProductsMax)
	}
}

// order keeps an order; one with a key that is kept already is the same order.
func (t *Trail) order(e step) {
	if e.f.OrderKey != 0 && slices.ContainsFunc(t.Orders, func(o Order) bool { return o.Key == e.f.OrderKey }) {
		return
	}
	_, cents := total(e.f.Items, e.f.CartCents)
	o := Order{At: e.time(), Key: e.f.OrderKey, Cents: cents, Items: slices.Clone(latest(e.f.Items, ProductsMax))}
	t.Orders = latest(append(t.Orders, o), ordersMax)
}

func (t *Trail) mark(key int64, status string) {
	for i := range t.Orders {
		if key != 0 && t.Orders[i].Key == key {
			t.Orders[i].Status = status
		}
	}
}

func (t Trail) fresh(now time.Time) Trail {
	t = t.clone()
	old, oldOrder := now.Add(-PastFor), now.Add(-OrdersFor)
	t.Orders = slices.DeleteFunc(t.Orders, func(o Order) bool { return !o.At.After(oldOrder) })
	t.Searches = slices.DeleteFunc(t.Searches, func(s Search) bool { return !s.At.After(old) })
	t.Viewed = slices.DeleteFunc(t.Viewed, func(v Viewed) bool { return !v.At.After(old) })
	if !t.BasketAt.After(old) {
		t.Basket, t.BasketAt = nil, time.Time{}
	}
	return t
}

func (t Trail) empty() bool {
	return len(t.Orders)+len(t.Basket)+len(t.Searches)+len(t.Viewed)+len(t.Compared) == 0
}

// clone copies the lists; what their entries point to is never changed in place.
func (t Trail) clone() Trail {
	t.Orders, t.Basket, t.Searches = slices.Clone(t.Orders), slices.Clone(t.Basket), slices.Clone(t.Searches)
	t.Viewed, t.Compared = slices.Clone(t.Viewed), slices.Clone(t.Compared)
	return t
}

// latest is the end of a list, n long at most.
func latest[T any](list []T, n int) []T { return list[max(0, len(list)-n):] }
