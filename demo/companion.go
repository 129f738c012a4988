package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"time"
)

// Companion plays one invented shop day after the last day of the file: accounts,
// searches, orders, returns, price changes and an adviser's working day, through
// the same API. Nothing of it is in the file.
func (w *World) Companion(ctx context.Context, s *Shop, tell Progress) (time.Time, error) {
	c := &companion{w: w, s: s, day: w.Extra, r: w.dice("companion", 0)}
	steps := []struct {
		name string
		do   func(context.Context) error
	}{
		{"price history", c.prices}, {"adviser starts", c.adviserStarts}, {"accounts", c.accounts}, {"browsing", c.browsing},
		{"searching", c.searching}, {"asking", c.asking}, {"advising", c.advising}, {"orders", c.orders}, {"returns", c.returns}, {"a price falls", c.fall},
		{"price questions", c.quotes}, {"content", c.content}, {"withdrawals", c.withdrawals}, {"mistakes", c.mistakes}, {"kill switch", c.killSwitch},
	}
	for i, st := range steps {
		if err := c.at(time.Duration(7+i) * time.Hour); err != nil {
			return c.day, err
		}
		if err := st.do(ctx); err != nil {
			return c.day, fmt.Errorf("companion day, %s: %w", st.name, err)
		}
		tell(i+1, len(steps))
	}
	return c.day.AddDate(0, 0, 1), nil
}

type companion struct {
	w        *World
	s        *Shop
	day      time.Time
	now      time.Time
	r        *rand.Rand
	n        int
	buyers   []int // visitors with an account
	offered  []offer
	contacts []string
	orderIDs []string
	bought   Product // by one of the last orders
}

type offer struct {
	who   Visitor
	Token string   `json:"token"`
	Kind  string   `json:"offer"`
	ID    string   `json:"decision_id"`
	Ways  []string `json:"channels"`
}

func (c *companion) at(since time.Duration) error {
	if t := c.day.Add(since); t.After(c.now) {
		c.now = t
	}
	return c.s.SetClock(c.now)
}

// tick moves the clock on by a few seconds.
func (c *companion) tick(d time.Duration) error {
	c.now = c.now.Add(d)
	return c.s.SetClock(c.now)
}

func (c *companion) id(what string) string {
	c.n++
	return fmt.Sprintf("companion-%s-%d", what, c.n)
}

// some picks the first n visitors of the sample whose answer is one of those named.
func (c *companion) some(n int, answers ...Answer) []int {
	var out []int
	for i, v := range c.w.Visitors {
		for _, a := range answers {
			if v.Answer == a && len(out) < n {
				out = append(out, i)
			}
		}
	}
	return out
}

func (c *companion) product() Product { return c.w.Products[c.r.IntN(len(c.w.Products))] }

func (c *companion) track(ctx context.Context, msgs ...object) error {
	if err := c.tick(time.Second); err != nil {
		return err
	}
	return c.s.want(ctx, 200, "POST", "/v1/batch", "write", object{"batch": msgs}, nil)
}

// prices imports each model's one fixed price, and an invented reduction of every
// twentieth model that starts on the companion day.
func (c *companion) prices(ctx context.Context) error {
	var rows []object
	for i, p := range c.w.Products {
		row := object{
			"product_id": p.ID, "storefront": "de", "channel": "web", "currency": "USD", "from": c.w.Days[0].Format(time.RFC3339),
			"gross_cents": p.Cents, "announced": false,
		}
		if i%20 == 0 {
			row["to"] = c.day.Format(time.RFC3339)
			cut := object{"product_id": p.ID, "storefront": "de", "channel": "web", "currency": "USD", "from": c.day.Format(time.RFC3339), "gross_cents": p.Cents * 4 / 5, "announced": true}
			rows = append(rows, row, cut)
			continue
		}
		rows = append(rows, row)
	}
	return c.s.want(ctx, 200, "PUT", "/v1/prices", "server", object{"prices": rows}, nil)
}

func (c *companion) adviserStarts(ctx context.Context) error {
	return c.s.want(ctx, 200, "PUT", "/v1/advisers/me", "adviser", object{"available": true, "channels": []string{"chat", "video"}, "capacity": 3}, nil)
}

// accounts lets known visitors log in: the shop's server records what they allow.
func (c *companion) accounts(ctx context.Context) error {
	c.buyers = c.some(max(60, len(c.w.Visitors)/8), Accepts, AcceptsIt)
	return each(ctx, c.buyers, func(ctx context.Context, i int) error {
		yes := object{"personalisation_content": true, "adviser_assist": true, training: c.w.Visitors[i].Trains}
		if i%3 != 0 {
			yes["marketing_email"] = true
		}
		listed := []string{"personalisation_content", "adviser_assist", "marketing_email", training}
		if c.w.Visitors[i].Answer == AcceptsIt {
			yes[sensitive] = true
			listed = append(listed, sensitive)
		}
		return c.s.want(ctx, 201, "POST", "/v1/consent", "server", object{
			"userId": account(i), "purposes": yes, "method": "save", "purposes_shown": listed,
			"notice": object{"version": "1", "language": "de"}, "ui": object{"version": "banner-1"},
		}, nil)
	})
}

func account(i int) string { return fmt.Sprintf("customer-%06d", i) }

// browsing is a morning of views; known customers log in on their device.
func (c *companion) browsing(ctx context.Context) error {
	for _, i := range c.buyers {
		v := c.w.Visitors[i]
		m := v.message(c.id("login"), "", c.now, nil)
		m["type"], m["userId"], m["traits"] = "identify", account(i), object{"plan": "customer"}
		delete(m, "event")
		delete(m, "properties")
		if err := c.s.want(ctx, 200, "POST", "/v1/identify", "server", m, nil); err != nil {
			return err
		}
		var msgs []object
		for range 1 + c.r.IntN(4) {
			p := c.product()
			msgs = append(msgs, v.message(c.id("view"), "Product Viewed", c.now, object{"product_id": p.ID}))
		}
		if err := c.track(ctx, msgs...); err != nil {
			return err
		}
	}
	return nil
}

// searching: visitors who do not find it search again and again; one types an
// exact article number. Each then asks what to show.
func (c *companion) searching(ctx context.Context) error {
	for k, i := range c.some(90, Accepts, AcceptsIt, Counts) {
		v := c.w.Visitors[i]
		words := []string{"blouses white", "skirts", "trousers long", "sale blouses", "something nice"}
		if k%9 == 0 {
			words = []string{c.product().ID}
		}
		p := c.premium()
		for step, q := range words[:1+k%len(words)] {
			if err := c.track(ctx, v.message(c.id("search"), "Products Searched", c.now, object{"query": q, "results": 3 - step})); err != nil {
				return err
			}
			if err := c.tick(20 * time.Second); err != nil {
				return err
			}
		}
		for range k % 4 {
			if err := c.track(ctx, v.message(c.id("view"), "Product Viewed", c.now, object{"product_id": p.ID})); err != nil {
				return err
			}
			if err := c.tick(15 * time.Second); err != nil {
				return err
			}
		}
		for range 2 {
			o, err := c.escalate(ctx, v, p.ID, false)
			if err != nil {
				return err
			}
			if o.Kind != "hint" {
				break
			}
			msgs := []object{v.message(c.id("guide"), "Size Guide Opened", c.now, object{"product_id": p.ID}),
				v.message(c.id("search"), "Products Searched", c.now, object{"query": "size " + p.ID[:1], "results": 0}),
				v.message(c.id("view"), "Product Viewed", c.now, object{"product_id": p.ID})}
			if err := c.track(ctx, msgs...); err != nil {
				return err
			}
			if err := c.tick(40 * time.Second); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *companion) premium() Product {
	for range 400 {
		if p := c.product(); p.Class == "premium" {
			return p
		}
	}
	return c.product()
}

func (c *companion) escalate(ctx context.Context, v Visitor, product string, asked bool) (offer, error) {
	var o offer
	err := c.s.want(ctx, 200, "POST", "/v1/escalate", "write", object{"anonymousId": v.ID, "page": object{"product_id": product}, "asked": asked}, &o)
	o.who = v
	if err == nil && o.Token != "" {
		c.offered = append(c.offered, o)
	}
	return o, err
}

// asking: visitors who refused everything ask for a human, and get one.
func (c *companion) asking(ctx context.Context) error {
	for _, i := range c.some(12, Refuses, Silent) {
		if _, err := c.escalate(ctx, c.w.Visitors[i], "", true); err != nil {
			return err
		}
	}
	return nil
}

// advising: offers are taken (with a double click), dismissed or left; the
// adviser accepts, reads the card and closes.
func (c *companion) advising(ctx context.Context) error {
	for k, o := range c.offered {
		if k%4 == 3 && o.who.Answer == Accepts {
			if err := c.track(ctx, o.who.message(c.id("no"), "Adviser Offer Dismissed", c.now, object{"decision_id": o.ID})); err != nil {
				return err
			}
			continue
		}
		fresh, err := c.escalate(ctx, o.who, "", true)
		if err != nil {
			return err
		}
		if fresh.Token == "" {
			return fmt.Errorf("asking again gave offer %q", fresh.Kind)
		}
		var contact struct {
			ID string `json:"contact_id"`
		}
		for range 2 { // a double click makes one contact
			was := contact.ID
			if err := c.s.want(ctx, 201, "POST", "/v1/handover", "write", object{"token": fresh.Token, "channel": fresh.Ways[0]}, &contact); err != nil {
				return err
			}
			if was != "" && was != contact.ID {
				return fmt.Errorf("a double click made two contacts, %s and %s", was, contact.ID)
			}
		}
		if err := c.serve(ctx, contact.ID, k); err != nil {
			return err
		}
	}
	return nil
}

func (c *companion) serve(ctx context.Context, id string, k int) error {
	c.contacts = append(c.contacts, id)
	if k%5 == 4 {
		return nil // still waiting at closing time
	}
	if err := c.s.want(ctx, 200, "POST", "/v1/queue/"+id+"/accept", "adviser", object{}, nil); err != nil {
		return err
	}
	if err := c.s.want(ctx, 200, "GET", "/v1/cards/"+id, "adviser", nil, nil); err != nil {
		return err
	}
	if err := c.tick(3 * time.Minute); err != nil {
		return err
	}
	outcome := []string{"helped", "sold", "not_needed", "follow_up"}[k%4]
	return c.s.want(ctx, 200, "POST", "/v1/cards/"+id+"/outcome", "adviser", object{"outcome": outcome}, nil)
}

// orders come from the shop's own server, for its accounts.
func (c *companion) orders(ctx context.Context) error {
	for k, i := range c.buyers {
		if k%3 == 2 {
			continue
		}
		id := fmt.Sprintf("order-%06d", i)
		c.orderIDs = append(c.orderIDs, id)
		var lines []object
		var total int64
		for range 1 + c.r.IntN(3) {
			p := c.product()
			if k%3 == 1 {
				c.bought = p
			}
			total += p.Cents
			lines = append(lines, object{"product_id": p.ID, "quantity": 1, "price": float64(p.Cents) / 100})
		}
		if err := c.order(ctx, "Order Completed", i, object{"order_id": id, "revenue": float64(total) / 100, "currency": "USD", "products": lines}); err != nil {
			return err
		}
	}
	return nil
}

// fall lowers the price of something that was just bought: who bought it is due the
// difference (PRI-14, on in the demo).
func (c *companion) fall(ctx context.Context) error {
	cut := object{"product_id": c.bought.ID, "storefront": "de", "channel": "web", "currency": "USD", "from": c.now.Format(time.RFC3339), "gross_cents": c.bought.Cents * 7 / 10, "announced": true}
	return c.s.want(ctx, 200, "PUT", "/v1/prices", "server", object{"prices": []object{cut}}, nil)
}

func (c *companion) order(ctx context.Context, name string, i int, props object) error {
	if err := c.tick(2 * time.Second); err != nil {
		return err
	}
	m := c.w.Visitors[i].message(c.id("order"), name, c.now, props)
	m["userId"] = account(i)
	return c.s.want(ctx, 200, "POST", "/v1/track", "server", m, nil)
}

func (c *companion) returns(ctx context.Context) error {
	for k, id := range c.orderIDs {
		if k%8 != 0 {
			continue
		}
		var i int
		if _, err := fmt.Sscanf(id, "order-%d", &i); err != nil {
			return fmt.Errorf("reading order id: %w", err)
		}
		if err := c.order(ctx, "Order Refunded", i, object{"order_id": id, "currency": "USD"}); err != nil {
			return err
		}
	}
	return nil
}

// quotes asks for prices and claims: honest ones, an inflated claim, the two
// persons of the interview (same price), a device as an input, a personal price.
func (c *companion) quotes(ctx context.Context) error {
	for k := range 40 {
		p := c.w.Products[(k*20)%len(c.w.Products)]
		q := object{
			"product_id": p.ID, "storefront": "de", "channel": "web", "currency": "USD", "customer": "consumer", "list_cents": p.Cents,
			"offer_cents": p.Cents, "vat_bp": 1900, "basis": "static", "inputs": []string{"stock"}, "reductions": []object{},
			"announcement": object{"kind": "none"}, "disclosure_shown": false, "consent_record_id": nil,
		}
		switch k % 5 {
		case 1: // the reduction imported above: 20 % below the 30-day low
			q["offer_cents"] = p.Cents * 4 / 5
			q["announcement"] = object{"kind": "percent", "pct": 20, "since": c.day.Format(time.RFC3339), "label": "30d_low", "reference_cents": p.Cents}
		case 2: // claims more than the low allows
			q["offer_cents"] = p.Cents * 4 / 5
			q["announcement"] = object{"kind": "percent", "pct": 35, "since": c.day.Format(time.RFC3339), "label": "30d_low", "reference_cents": p.Cents * 6 / 5}
		case 3: // Munich with an Apple device
			q["basis"], q["inputs"] = "dynamic_market", []string{"hour", "device_os"}
		case 4: // a personal price: off by default
			q["basis"], q["offer_cents"] = "personalised", p.Cents*92/100
		}
		if err := c.s.want(ctx, 200, "POST", "/v1/price", "server", q, nil); err != nil {
			return err
		}
	}
	return nil
}

// content asks for a hero image for every kind of visitor.
func (c *companion) content(ctx context.Context) error {
	all := c.some(300, Silent, Refuses, Counts, Accepts, AcceptsIt)
	return each(ctx, all, func(ctx context.Context, i int) error {
		return c.s.want(ctx, 200, "POST", "/v1/variant", "write", object{"anonymousId": c.w.Visitors[i].ID, "slot": "home_hero", "locale": "de"}, nil)
	})
}

// withdrawals: some visitors take their yes back; their very next event is refused.
func (c *companion) withdrawals(ctx context.Context) error {
	yes := c.some(len(c.w.Visitors), Accepts)
	for _, i := range yes[len(yes)-max(5, len(yes)/25):] {
		v := c.w.Visitors[i]
		no := object{}
		for _, p := range shown {
			no[p] = false
		}
		call := object{"anonymousId": v.ID, "purposes": no, "purposes_shown": shown, "method": "save",
			"notice": object{"version": "1", "language": "de"}, "ui": object{"version": "banner-1"}}
		if err := c.s.want(ctx, 201, "POST", "/v1/consent", "write", call, nil); err != nil {
			return err
		}
		var got struct{ Admitted int }
		m := v.message(c.id("after"), "Product Viewed", c.now, object{"product_id": c.product().ID})
		if err := c.s.want(ctx, 200, "POST", "/v1/batch", "write", object{"batch": []object{m}}, &got); err != nil {
			return err
		}
		if got.Admitted != 0 {
			return fmt.Errorf("an event was admitted after its visitor's withdrawal")
		}
	}
	return nil
}

// mistakes: what real senders send, too.
func (c *companion) mistakes(ctx context.Context) error {
	v := c.w.Visitors[c.some(1, Accepts)[0]]
	good := v.message(c.id("twice"), "Product Viewed", c.now, object{"product_id": c.product().ID})
	noName := v.message(c.id("noname"), "", c.now, nil)
	delete(noName, "event")
	badTime := v.message(c.id("time"), "Product Viewed", c.now, nil)
	badTime["timestamp"] = "yesterday"
	ahead := v.message(c.id("ahead"), "Product Viewed", c.now.Add(time.Hour), nil)
	bare := v.message(c.id("bare"), "Product Viewed", c.now, nil)
	bare["context"] = object{}
	raw, err := json.Marshal(good)
	if err != nil {
		return fmt.Errorf("copying a message: %w", err)
	}
	var again object
	if err := json.Unmarshal(raw, &again); err != nil {
		return fmt.Errorf("copying a message: %w", err)
	}
	return c.track(ctx, good, again, noName, badTime, ahead, bare)
}

// killSwitch: the DPO turns offers off and on; who asks still reaches a human.
func (c *companion) killSwitch(ctx context.Context) error {
	if err := c.s.want(ctx, 200, "PUT", "/v1/switches/offers", "dpo", object{"on": false, "reason": "demo"}, nil); err != nil {
		return err
	}
	v := c.w.Visitors[c.some(1, Accepts)[0]]
	for asked, want := range map[bool]string{false: "none", true: "human"} {
		o, err := c.escalate(ctx, v, "", asked)
		if err != nil {
			return err
		}
		if o.Kind != want {
			return fmt.Errorf("with offers off, asked %t, the answer was %q, want %q", asked, o.Kind, want)
		}
	}
	return c.s.want(ctx, 200, "PUT", "/v1/switches/offers", "dpo", object{"on": true, "reason": "demo over"}, nil)
}
