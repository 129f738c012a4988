//go:build awslocal

package aws_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/host/aws"
	"github.com/handschlag/handschlag/host/desk"
	"github.com/handschlag/handschlag/host/hosttest"
	"github.com/handschlag/handschlag/price"
)

var (
	browser = flow.Caller{}
	backend = flow.Caller{Server: true}
	adviser = flow.Caller{Staff: &flow.Staff{Role: flow.RoleAdviser, Name: "mia"}}
	other   = flow.Caller{Staff: &flow.Staff{Role: flow.RoleAdviser, Name: "ole"}}
)

// warm is a warm function: a flow over a host of its own.
type warm struct {
	*flow.Flow
	host *aws.Host
}

// openWarm opens one that offers a human to everybody who may get an offer.
func openWarm(t testing.TB, o aws.Options, host func(*aws.Host) flow.Host) warm {
	t.Helper()
	h, err := aws.Open(ctx, o)
	ok(t, err)
	t.Cleanup(func() { _ = h.Close() })
	cfg := config.Default()
	cfg.Offers.Holdout, cfg.Offers.NeedHint, cfg.Offers.NeedHuman, cfg.Offers.MinGap = 0, 0, 0, 0
	queue, err := desk.NewQueue("https://shop.example/talk")
	ok(t, err)
	var under flow.Host = h
	if host != nil {
		under = host(h)
	}
	f, err := flow.New(ctx, cfg, under, queue, o.Clock, "test")
	ok(t, err)
	return warm{f, h}
}

// stock imports a product and makes an adviser available.
func (w warm) stock(t testing.TB) {
	t.Helper()
	_, err := w.PutProducts(ctx, []event.Product{{ID: "B12", Category: "cameras", Class: "premium", PriceCents: 99900, Stock: 3}}, backend)
	ok(t, err)
	_, err = w.PutAdviser(ctx, flow.AdviserCall{Available: true, Channels: []string{"chat"}, Capacity: 100}, adviser)
	ok(t, err)
}

func says(device string, yes bool, ps ...consent.Purpose) flow.ConsentCall {
	call := flow.ConsentCall{
		AnonymousID: device, Purposes: map[consent.Purpose]bool{}, PurposesShown: ps, Method: "save",
		Notice: flow.NoticeRef{Version: "1", Language: "de"}, UI: flow.UIRef{Version: "banner-1"},
	}
	for _, p := range ps {
		call.Purposes[p] = yes
	}
	return call
}

// views is a batch of product views that say yes to every purpose.
func views(device string, at time.Time, ids ...string) (event.Envelope, error) {
	var all []map[string]any
	for _, id := range ids {
		all = append(all, map[string]any{
			"type": "track", "event": "Product Viewed", "messageId": id, "anonymousId": device,
			"properties": map[string]any{"product_id": "B12"},
		})
	}
	return batch(at, all...)
}

// batch is a batch of messages that say yes to every purpose.
func batch(at time.Time, all ...map[string]any) (event.Envelope, error) {
	prefs := map[consent.Purpose]bool{}
	for _, p := range hosttest.Watched {
		prefs[p] = true
	}
	for _, m := range all {
		m["timestamp"] = at.Format(time.RFC3339Nano)
		m["context"] = map[string]any{"consent": map[string]any{"categoryPreferences": prefs}}
	}
	body, err := json.Marshal(map[string]any{"batch": all})
	if err != nil {
		return event.Envelope{}, err
	}
	return event.ParseBatch(body)
}

// word is what a visitor was told about their consent.
type word int

const (
	no word = iota
	yes
	doubt // the call failed: nobody knows
)

// visitor is a device whose calls follow each other.
type visitor struct {
	device string
	word   word
	n      int
	token  string
}

// kept is what was acknowledged, and what must not be there.
type kept struct {
	mu         sync.Mutex
	people     []person            // who may have records
	admitted   map[string][]string // device → message ids
	forbidden  map[string][]string // sent while the word was a no
	records    map[string]string   // record id → device
	decisions  map[string]string   // id → action
	contacts   map[string]string   // token → contact id
	advisers   map[string]string   // contact id → who was told that it is theirs
	links      map[string]string   // device → account
	prices     [][]price.Interval  // acknowledged
	pricesLost [][]price.Interval  // not
	counts     map[string]int64    // of acknowledged batches
	unsure     int64               // events of batches without an answer
	calls      int
	failed     int
	wrong      []string
}

// person is an identifier.
type person struct {
	scope consent.Scope
	id    string
}

func newKept() *kept {
	return &kept{
		admitted: map[string][]string{}, forbidden: map[string][]string{}, records: map[string]string{},
		decisions: map[string]string{}, contacts: map[string]string{}, advisers: map[string]string{}, links: map[string]string{}, counts: map[string]int64{},
	}
}

// note writes down how a call ended, and says whether it was answered.
func (k *kept) note(err error, answered func()) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.calls++
	var f *flow.Fault
	switch {
	case err == nil:
		answered()
	case !errors.As(err, &f) || f.Status != 503:
		k.wrong = append(k.wrong, fmt.Sprintf("an error that is no 503: %v", err))
	default:
		k.failed++
	}
	return err == nil
}

func (k *kept) blame(format string, args ...any) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.wrong = append(k.wrong, fmt.Sprintf(format, args...))
}

// act makes one drawn call of a visitor at one of the warm functions.
func (k *kept) act(shops []warm, v *visitor, dice *rand.Rand, now time.Time) {
	shop := shops[dice.IntN(len(shops))]
	switch n := dice.IntN(100); {
	case n < 20:
		k.consent(shop, v, dice.IntN(3) > 0)
	case n < 55:
		k.batch(shop, v, 1+dice.IntN(3), now)
	case n < 70:
		k.escalate(shop, v)
	case n < 79:
		k.handover(shop, v)
	case n < 83:
		k.accept(shops, v)
	case n < 86:
		k.link(shop, v, now)
	case n < 91:
		k.variant(shop, v)
	case n < 96:
		k.price(shop)
	default:
		k.putPrices(shop, v, dice, now)
	}
}

// consent gives or withdraws, and calls again until it is answered, as a banner does.
func (k *kept) consent(shop warm, v *visitor, give bool) {
	for range 4 {
		a, err := shop.Consent(ctx, says(v.device, give, hosttest.Watched...), browser)
		if k.note(err, func() { k.records[a.RecordID] = v.device }) {
			v.word = map[bool]word{true: yes, false: no}[give]
			return
		}
		v.word = doubt
	}
}

// batch sends events, and sends them again until it is answered, as senders do.
func (k *kept) batch(shop warm, v *visitor, n int, now time.Time) {
	var ids []string
	for range n {
		v.n++
		ids = append(ids, fmt.Sprintf("%s-%d", v.device, v.n))
	}
	env, err := views(v.device, now, ids...)
	if err != nil {
		k.blame("%v", err)
		return
	}
	k.mu.Lock()
	if v.word == no {
		k.forbidden[v.device] = append(k.forbidden[v.device], ids...)
	}
	k.mu.Unlock()
	for try := range 3 {
		a, err := shop.Ingest(ctx, env, browser)
		if k.note(err, func() { k.answered(v, ids, a.Results, try > 0) }) {
			return
		}
		k.mu.Lock()
		k.unsure += int64(n)
		k.mu.Unlock()
	}
}

// answered notes what a batch was told. What was sent before may be a duplicate: then
// it is there.
func (k *kept) answered(v *visitor, ids []string, rs []flow.Result, again bool) {
	for i, r := range rs {
		k.counts[r.Outcome]++
		there := r.Outcome == flow.Admitted || again && r.Outcome == flow.Duplicate
		switch {
		case r.Outcome == flow.Admitted && v.word == no:
			k.wrong = append(k.wrong, v.device+": an event was admitted after an acknowledged no")
		case !there && v.word == yes:
			k.wrong = append(k.wrong, fmt.Sprintf("%s: an event was %s after an acknowledged yes: %v", v.device, r.Outcome, r.Rules))
		case there:
			k.admitted[v.device] = append(k.admitted[v.device], ids[i])
		}
	}
}

func (k *kept) escalate(shop warm, v *visitor) {
	for range 3 {
		a, err := shop.Escalate(ctx, flow.EscalateCall{AnonymousID: v.device, Page: flow.PageRef{ProductID: "B12", Type: "product"}}, browser)
		if k.note(err, func() {
			k.decisions[a.DecisionID] = "escalate"
			if a.Offer != flow.OfferNone && v.word == no {
				k.wrong = append(k.wrong, v.device+": an offer was made after an acknowledged no")
			}
			if a.Token != "" {
				v.token = a.Token
			}
		}) {
			return
		}
	}
}

// handover clicks, and clicks again: it is one contact all the same.
func (k *kept) handover(shop warm, v *visitor) {
	if v.token == "" {
		return
	}
	for range 4 {
		a, err := shop.Handover(ctx, flow.HandoverCall{Token: v.token, Channel: "chat"}, browser)
		k.note(err, func() {
			if was := k.contacts[v.token]; was != "" && was != a.ContactID {
				k.wrong = append(k.wrong, "one token gave two contacts")
			}
			k.contacts[v.token], k.decisions[a.DecisionID] = a.ContactID, "handover"
		})
	}
}

// accept lets two advisers take a contact at once, each at another function.
func (k *kept) accept(shops []warm, v *visitor) {
	k.mu.Lock()
	id := k.contacts[v.token]
	k.mu.Unlock()
	if id == "" {
		return
	}
	var both sync.WaitGroup
	for i, who := range []flow.Caller{adviser, other} {
		both.Go(func() {
			a, err := shops[i%len(shops)].Accept(ctx, id, who)
			var f *flow.Fault
			if errors.As(err, &f) && f.Status == 409 {
				return
			}
			k.note(err, func() {
				if was := k.advisers[id]; was != "" && was != a.Adviser {
					k.wrong = append(k.wrong, "one contact was given to two advisers")
				}
				k.advisers[id] = a.Adviser
			})
		})
	}
	both.Wait()
}

// link makes a device and an account known, then says that they belong together.
func (k *kept) link(shop warm, v *visitor, now time.Time) {
	v.n++
	device, account := fmt.Sprintf("%s-linked-%d", v.device, v.n), fmt.Sprintf("account-%s-%d", v.device, v.n)
	k.mu.Lock()
	k.people = append(k.people, person{consent.Device, device}, person{consent.Account, account})
	k.mu.Unlock()
	_, err1 := shop.Consent(ctx, says(device, true, hosttest.Watched...), browser)
	call := says("", true, hosttest.Watched...)
	call.UserID = account
	_, err2 := shop.Consent(ctx, call, backend)
	env, err := batch(now, map[string]any{"type": "identify", "messageId": device, "anonymousId": device, "userId": account})
	if err1 != nil || err2 != nil || err != nil {
		return
	}
	a, err := shop.Ingest(ctx, env, backend)
	k.note(err, func() {
		if a.Admitted == 1 {
			k.links[device] = account
		}
		k.counts[a.Results[0].Outcome]++
	})
	if err != nil {
		k.mu.Lock()
		k.unsure++
		k.mu.Unlock()
	}
}

func (k *kept) variant(shop warm, v *visitor) {
	a, err := shop.Variant(ctx, flow.VariantCall{AnonymousID: v.device, Slot: "home_hero", Locale: "de"}, browser)
	k.note(err, func() { k.decisions[a.DecisionID] = "variant" })
}

func (k *kept) price(shop warm) {
	as, err := shop.Price(ctx, []price.Quote{{
		Product: "B12", Storefront: "de", Channel: "web", Currency: "EUR", Customer: "consumer", ListCents: 10000, OfferCents: 8000,
		VATBP: 1900, Basis: "static", Inputs: []string{"stock"},
	}}, backend)
	k.note(err, func() {
		for _, a := range as {
			k.decisions[a.DecisionID] = "price"
		}
	})
}

// putPrices puts prices of three products at once.
func (k *kept) putPrices(shop warm, v *visitor, dice *rand.Rand, now time.Time) {
	var rows []price.Interval
	for i := range 3 {
		rows = append(rows, price.Interval{
			Product: fmt.Sprintf("%s-%d-%d", v.device, dice.Uint32(), i), Storefront: "de", Channel: "web", Currency: "EUR",
			From: now.Truncate(time.Hour), To: now.Truncate(time.Hour).Add(48 * time.Hour), GrossCents: 999,
		})
	}
	_, err := shop.PutPrices(ctx, rows, nil, backend)
	if !k.note(err, func() { k.prices = append(k.prices, rows) }) {
		k.mu.Lock()
		k.pricesLost = append(k.pricesLost, rows)
		k.mu.Unlock()
	}
}
