package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"
)

// products is how many the catalogue holds.
const products = 1000

func deviceID(n int) string { return fmt.Sprintf("%08x-5e55-4a1e-8bad-%012x", n*2654435761%(1<<32), n) }

// stamp is where a message's id and time stand in a body, to be written anew for
// each request: equal ids would be duplicates.
type stamp struct{ id, at int }

// body is a batch as a shop's server-side SDK sends it, without its stamps.
type body struct {
	json   []byte
	stamps []stamp
}

const (
	idSpace = "ajs-next-00000000000000000000000000000000"
	atSpace = "2000-01-01T00:00:00.000Z"
	atForm  = "2006-01-02T15:04:05.000Z"
)

type object = map[string]any

// newBody makes a batch of messages, of one random device or, mixed, of many.
func newBody(r *rand.Rand, size, devices int, mixed bool) (body, error) {
	batch := make([]object, size)
	who := r.IntN(devices)
	for i := range batch {
		if mixed {
			who = r.IntN(devices)
		}
		batch[i] = newMessage(r, who)
	}
	b, err := json.Marshal(object{"batch": batch, "sentAt": atSpace})
	if err != nil {
		return body{}, err
	}
	out := body{json: b}
	for from := 0; ; {
		i := bytes.Index(b[from:], []byte(idSpace))
		if i < 0 {
			return out, nil
		}
		at := from + i + bytes.Index(b[from+i:], []byte(atSpace)) // "messageId" < "timestamp"
		out.stamps = append(out.stamps, stamp{from + i, at})
		from = at
	}
}

// newMessage is a Segment message of about 550 bytes.
func newMessage(r *rand.Rand, who int) object {
	product := r.IntN(products)
	path := fmt.Sprintf("/category-%d/product-%d", product%40, product)
	item := object{"product_id": productID(product), "category": fmt.Sprintf("category-%d", product%40), "price": float64(990+product*7) / 100, "currency": "EUR"}
	m := object{
		"type": "track", "messageId": idSpace, "timestamp": atSpace, "anonymousId": deviceID(who), "properties": item,
		"context": object{
			"consent": object{"categoryPreferences": object{"Analytics": true, "Personalization": true, "AdviserAssist": true, "Advertising": false}},
			"ip":      "203.0.113.77", "locale": "de-DE", "page": object{"path": path, "referrer": "https://search.example/"},
			"library": object{"name": "@segment/analytics-node", "version": "2.3.0"},
		},
	}
	switch n := r.IntN(100); {
	case n < 45:
		m["event"] = "Product Viewed"
	case n < 62:
		m["type"], m["name"], m["properties"] = "page", "Product", object{"path": path, "title": "Product", "url": "https://shop.example" + path}
	case n < 74:
		m["event"], item["position"], item["list_id"] = "Product Clicked", r.IntN(40), "search"
	case n < 86:
		m["event"], m["properties"] = "Products Searched", object{"query": fmt.Sprintf("blue shoe %d", r.IntN(300)), "results": r.IntN(50)}
	case n < 92:
		m["event"], item["quantity"], item["cart_id"] = "Product Added", 1, "c1"
	case n < 94:
		m["event"], item["quantity"] = "Product Removed", 1
	case n < 98:
		m["event"], m["properties"] = "Cart Viewed", object{"cart_id": "c1", "products": []object{item}}
	default:
		m["event"], m["properties"] = "Checkout Started", object{"order_id": "o1", "value": 59.9, "currency": "EUR", "products": []object{item}}
	}
	return m
}

func productID(n int) string { return fmt.Sprintf("P-%05d", n) }

// serial numbers messages; each run has its own data folder.
var serial atomic.Uint64

const hexDigits = "0123456789abcdef"

// stamped copies a body into buf with new ids and the time of now.
func (b body) stamped(buf []byte, now time.Time) []byte {
	from := len(buf)
	buf = append(buf, b.json...)
	at := now.UTC().AppendFormat(make([]byte, 0, len(atForm)), atForm)
	n := serial.Add(uint64(len(b.stamps)))
	for _, s := range b.stamps {
		copy(buf[from+s.at:], at)
		for i, x := from+s.id+len(idSpace)-1, n; x > 0; i, x = i-1, x>>4 {
			buf[i] = hexDigits[x&15]
		}
		n--
	}
	copy(buf[from+len(b.json)-len(atSpace)-2:], at) // sentAt
	return buf
}
