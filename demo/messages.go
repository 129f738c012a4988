package demo

import (
	"fmt"
	"time"
)

type object = map[string]any

// shown is what the demo's banner lists. The sensitive category is asked apart.
var shown = []string{"analytics", "experimentation", "personalisation_content", "adviser_assist", "ads_third_party", training}

const training = "model_training"

const sensitive = "special_category:pregnancy"

// consentCall is the visitor's answer as the banner sends it; nil if there is none.
func (v Visitor) consentCall() object {
	yes := object{}
	method := "accept"
	listed := shown
	switch v.Answer {
	case Silent:
		return nil
	case Refuses:
		method = "reject"
	case Counts:
		method, yes["analytics"] = "save", true
	case AcceptsIt:
		listed, method, yes[sensitive] = append([]string{sensitive}, shown...), "save", true
		fallthrough
	case Accepts:
		for _, p := range shown {
			yes[p] = p != training || v.Trains
		}
		if !v.Trains {
			method = "save"
		}
	}
	return object{
		"anonymousId": v.ID, "purposes": yes, "purposes_shown": listed, "method": method,
		"notice": object{"version": "1", "language": "de"}, "ui": object{"version": "banner-1"},
	}
}

// stamp is the event's consent object, as a banner's SDK adds it; nil before an answer.
func (v Visitor) stamp() object {
	if v.Answer == Silent {
		return nil
	}
	all := v.Answer == Accepts || v.Answer == AcceptsIt
	return object{"categoryPreferences": object{
		"Analytics": all || v.Answer == Counts, "experimentation": all, "Personalization": all, "AdviserAssist": all, "Advertising": all, "ModelTraining": all && v.Trains,
	}}
}

// message is one Segment track call. The address and the browser are invented,
// and are there to be dropped.
func (v Visitor) message(id, name string, at time.Time, props object) object {
	ctx := object{
		"ip": "203.0.113.77", "userAgent": "Mozilla/5.0 (X11; Linux x86_64) Chrome/142.0.0.0 Safari/537.36", "locale": "de-DE",
		"library": object{"name": "handschlag-demo", "version": "1"},
	}
	if s := v.stamp(); s != nil {
		ctx["consent"] = s
	}
	return object{
		"type": "track", "event": name, "messageId": id, "anonymousId": v.ID, "timestamp": at.Format(time.RFC3339Nano),
		"properties": props, "context": ctx,
	}
}

// viewed is a real click as a Segment ecommerce event.
func (v Visitor) viewed(x View) object {
	return v.message(fmt.Sprintf("eshop-%d-%d", x.Session, x.Order), "Product Viewed", x.At, object{
		"product_id": x.Model, "category": x.Category, "price": float64(x.Cents) / 100, "currency": "USD",
		"position": x.Order, "url": fmt.Sprintf("https://shop.example/%s/%s?page=%d", x.Category, x.Model, x.Page),
	})
}

// ordered is an invented order of what was seen last, as the shop's server sends it.
func (v Visitor) ordered(visit Visit, id string) object {
	last := visit.Views[len(visit.Views)-1]
	return v.message("companion-"+id, "Order Completed", last.At.Add(time.Minute), object{
		"order_id": id, "revenue": float64(last.Cents) / 100, "currency": "USD",
		"products": []object{{"product_id": last.Model, "quantity": 1, "price": float64(last.Cents) / 100}},
	})
}

// catalogueRow is a product as PUT /v1/products takes it.
func (p Product) catalogueRow() object {
	return object{
		"product_id": p.ID, "category": p.Category, "product_class": p.Class, "price_cents": p.Cents, "stock": p.Stock,
		"locales": []string{"de", "en"},
	}
}
