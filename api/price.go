package api

import (
	"fmt"
	"net/http"
	"reflect"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/price"
)

// maxQuotes is how many quotes one call may hold: each is a durable decision.
const maxQuotes = 500

// priceCall is one quote.
type priceCall struct {
	credential
	price.Quote
}

// pricesCall is many quotes.
type pricesCall struct {
	credential
	Quotes []price.Quote `json:"quotes"`
}

// pricesAnswer answers quotes in their order.
type pricesAnswer struct {
	Quotes []flow.PriceAnswer `json:"quotes"`
}

// productsFeed and pricesFeed are the bodies of the feeds.
type productsFeed struct {
	Products []event.Product `json:"products"`
}

type pricesFeed struct {
	Prices    []price.Interval `json:"prices"`
	SignedOff *flow.SignOff    `json:"signed_off,omitempty"`
}

// priceRoutes are what the shop's server calls.
func priceRoutes() []route {
	quote := route{id: "price", method: "POST", path: "/v1/price", group: GroupPrice, who: shopServer, limit: limitPrice, status: ok, strict: true,
		say: "Judge one quote, or {\"quotes\":[…]}: price and claim apart. A name that is not listed is refused",
		in:  reflect.TypeFor[price.Quote](), out: reflect.TypeFor[flow.PriceAnswer]()}
	quote.call = func(a *api, q *asked) (int, any, error) { return quote.judge(a, q) }
	return []route{
		quote,
		reads(route{id: "products", method: "PUT", path: "/v1/products", group: GroupPrice, who: shopServer, limit: limitFeed, status: ok,
			list: "products",
			say:  "Add or replace products by id, all or none; a bare array will do", needs: []string{"products"}},
			func(f *flow.Flow, q *asked, in productsFeed) (flow.FeedAnswer, error) {
				return f.PutProducts(q.r.Context(), in.Products, q.caller)
			}),
		reads(route{id: "prices", method: "PUT", path: "/v1/prices", group: GroupPrice, who: shopServer, limit: limitFeed, status: ok,
			faults: []int{http.StatusConflict}, list: "prices", say: "Add price intervals to the history, all or none; a bare array will do", needs: []string{"prices"}},
			func(f *flow.Flow, q *asked, in pricesFeed) (flow.FeedAnswer, error) {
				return f.PutPrices(q.r.Context(), in.Prices, in.SignedOff, q.caller)
			}),
	}
}

// judge tells one quote from many by the field quotes.
func (rt route) judge(a *api, q *asked) (int, any, error) {
	if err := shape(q.body); err != nil {
		return 0, nil, err
	}
	w, err := a.fromBody(q.who, q.body)
	if err := a.admit(rt, q, w, err); err != nil {
		return 0, nil, err
	}
	var many struct {
		Quotes jsontext.Value `json:"quotes"`
	}
	if err := judge(json.Unmarshal(q.body, &many)); err != nil {
		return 0, nil, err
	}
	if many.Quotes != nil {
		return a.quotes(q)
	}
	var one priceCall
	if err := decode(q.body, &one, true); err != nil {
		return 0, nil, err
	}
	out, err := a.flow.Price(q.r.Context(), []price.Quote{one.Quote}, q.caller)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, out[0], nil
}

func (a *api) quotes(q *asked) (int, any, error) {
	var in pricesCall
	if err := decode(q.body, &in, true); err != nil {
		return 0, nil, err
	}
	if n := len(in.Quotes); n == 0 || n > maxQuotes {
		return 0, nil, &flow.Fault{Status: http.StatusUnprocessableEntity, Code: "field_invalid", Detail: fmt.Sprintf("quotes: want 1 to %d", maxQuotes)}
	}
	out, err := a.flow.Price(q.r.Context(), in.Quotes, q.caller)
	return http.StatusOK, pricesAnswer{out}, err
}
