package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/handschlag/handschlag/functions/runtimeapi"
	"github.com/handschlag/handschlag/host/aws/awslocal"
)

// kind is a kind of call.
type kind struct {
	name, function string
	do             func(n int) (time.Duration, error)
}

// far and farther are latencies beside which all else is small: the difference says
// how many AWS calls of a call wait for each other.
const far, farther = 60 * time.Millisecond, 120 * time.Millisecond

// warm prints how long calls take when every AWS call takes latency, and how many of
// those follow each other. The ground's services are slower than that at times: how
// long a call waited for nothing else is printed beside its time, and taken off.
func (b *bench) warm(calls int, latency time.Duration) error {
	_, _ = fmt.Fprintf(b.out, "call, %s per AWS call\tp50 ms\tp99 ms\tthe ground's own, p50\tp99\twithout it, p50 ms\tp99 ms\tCPU ms\tAWS calls\tof them in a row\n", latency)
	for _, k := range b.kinds() {
		if !strings.HasPrefix(k.name, b.only) {
			continue
		}
		for n := range devices { // each is known then
			if _, err := k.do(n); err != nil {
				return err
			}
		}
		near, err := b.measure(k, 11, far)
		if err != nil {
			return err
		}
		off, err := b.measure(k, 11, farther)
		if err != nil {
			return err
		}
		m, err := b.measure(k, calls, latency)
		if err != nil {
			return err
		}
		row := float64(quantile(off.times, 0.5)-quantile(near.times, 0.5)) / float64(farther-far)
		both := func(all []time.Duration) string { return ms(quantile(all, 0.5)) + "\t" + ms(quantile(all, 0.99)) }
		_, _ = fmt.Fprintf(b.out, "%s\t%s\t%s\t%s\t%s\t%.1f\t%.1f\n", k.name, both(m.times), both(m.slow), both(m.rest), ms(m.cpu), m.requests, row)
	}
	return b.out.Flush()
}

// measured is what calls of one kind took. No call is left out.
type measured struct {
	times, slow, rest []time.Duration // of each call: all, the ground's own, and what is left
	requests          float64         // AWS calls of one call
	cpu               time.Duration   // of one call
}

// measure makes calls under a latency.
func (b *bench) measure(k kind, calls int, latency time.Duration) (m measured, err error) {
	b.ground.Inject(k.function, awslocal.Faults{Latency: latency})
	defer b.ground.Inject(k.function, awslocal.Faults{})
	before, used := b.ground.Seen(k.function).Requests, cpuOf(b.running[k.function].PID())
	b.ground.Spans(k.function)
	for n := range calls {
		took, err := k.do(n)
		if err != nil {
			return measured{}, err
		}
		end := time.Now()
		own := overtime(b.ground.Spans(k.function), end.Add(-took), end)
		m.times, m.slow, m.rest = append(m.times, took), append(m.slow, own), append(m.rest, took-own)
	}
	m.requests = float64(b.ground.Seen(k.function).Requests-before) / float64(calls)
	m.cpu = (cpuOf(b.running[k.function].PID()) - used) / time.Duration(calls)
	return m, nil
}

// overtime is how long, between two moments, some AWS call was past its time and none
// was within it: what was waited for then was the ground.
func overtime(all []awslocal.Span, from, to time.Time) (out time.Duration) {
	type edge struct {
		at         time.Time
		late, fair int
	}
	var edges []edge
	for _, s := range all {
		end := s.Ended
		if end.Before(s.Due) {
			end = s.Due
		}
		edges = append(edges, edge{s.Began, 0, 1}, edge{s.Due, 1, -1}, edge{end, -1, 0})
	}
	slices.SortStableFunc(edges, func(a, b edge) int { return a.at.Compare(b.at) })
	late, fair := 0, 0
	last := from
	for _, e := range edges {
		at := e.at
		if at.After(to) {
			at = to
		}
		if at.After(last) {
			if late > 0 && fair == 0 {
				out += at.Sub(last)
			}
			last = at
		}
		late, fair = late+e.late, fair+e.fair
	}
	return out
}

// open starts every function once and stocks the shop.
func (b *bench) open() (err error) {
	b.running = map[string]*runtimeapi.Function{}
	for _, name := range append([]string{"consent"}, b.names...) { // consent makes the keys
		if b.running[name] != nil {
			continue
		}
		if b.running[name], err = b.start(name); err != nil {
			return err
		}
	}
	b.front = runtimeapi.Front(b.running)
	products, prices := make([]string, 1000), make([]string, 100)
	for i := range products {
		products[i] = fmt.Sprintf(`{"product_id":"B%d","category":"tea","product_class":"premium","price_cents":10000,"stock":5,"locales":["de"],"tags":[]}`, i)
	}
	for i := range prices {
		prices[i] = fmt.Sprintf(`{"product_id":"B%d","storefront":"de","channel":"web","currency":"EUR","from":"2026-01-01T00:00:00Z","gross_cents":10000,"announced":false}`, i)
	}
	for path, all := range map[string][]string{"/v1/products": products, "/v1/prices": prices} {
		if _, _, err := b.call(200, "PUT", path, serverKey, "["+strings.Join(all, ",")+"]"); err != nil {
			return err
		}
	}
	for n := range devices {
		if _, _, err := b.call(201, "POST", "/v1/consent", writeKey, consents(device(n))); err != nil {
			return err
		}
	}
	return nil
}

const devices = 200

func device(n int) string { return fmt.Sprintf("v1-bench-device-%08d", n%devices) }

var purposes = map[string]bool{"analytics": true, "adviser_assist": true, "personalisation_content": true}

func consents(device string) map[string]any {
	return map[string]any{
		"anonymousId": device, "purposes": purposes, "purposes_shown": slices.Sorted(maps.Keys(purposes)), "method": "save",
		"notice": map[string]string{"version": "1", "language": "de"}, "ui": map[string]string{"version": "banner-1"},
	}
}

var sent int

// views is a batch of views, each of the next device: of one if spread is 0.
func views(n, size, spread int) map[string]any {
	var all []any
	for i := range size {
		sent++
		all = append(all, map[string]any{
			"type": "track", "event": "Product Viewed", "messageId": fmt.Sprintf("m%d", sent), "anonymousId": device(n*max(1, size*spread) + i*spread),
			"properties": map[string]any{"product_id": "B12"}, "context": map[string]any{"consent": map[string]any{"categoryPreferences": purposes}},
		})
	}
	return map[string]any{"batch": all}
}

func quote(n int) string {
	return fmt.Sprintf(`{"product_id":"B%d","storefront":"de","channel":"web","currency":"EUR","customer":"consumer","list_cents":10000,"offer_cents":9000,"vat_bp":1900,"basis":"static"}`, n%100)
}

// kinds are the calls that are measured.
func (b *bench) kinds() []kind {
	call := func(want int, path, key string, body func(n int) any) func(int) (time.Duration, error) {
		return func(n int) (time.Duration, error) {
			took, _, err := b.call(want, "POST", path, key, body(n))
			return took, err
		}
	}
	return []kind{
		{"ingest, batch of 1", "ingest", call(200, "/v1/batch", writeKey, func(n int) any { return views(n, 1, 0) })},
		{"ingest, visitor of another process", "ingest", b.stranger},
		{"ingest, batch of 20, one device", "ingest", call(200, "/v1/batch", writeKey, func(n int) any { return views(n, 20, 0) })},
		{"ingest, batch of 20, mixed", "ingest", call(200, "/v1/batch", serverKey, func(n int) any { return views(n, 20, 1) })},
		{"consent", "consent", call(201, "/v1/consent", writeKey, func(n int) any { return consents(device(n)) })},
		{"escalate", "escalate", call(200, "/v1/escalate", writeKey, func(n int) any {
			return map[string]any{"anonymousId": device(n), "page": map[string]string{"product_id": "B12"}}
		})},
		{"escalate, asked", "escalate", call(200, "/v1/escalate", writeKey, func(n int) any { return map[string]any{"anonymousId": device(n), "asked": true} })},
		{"handover", "escalate", b.handover},
		{"variant", "variant", call(200, "/v1/variant", writeKey, func(n int) any { return map[string]any{"anonymousId": device(n), "slot": "home_hero"} })},
		{"price, one quote", "price", call(200, "/v1/price", serverKey, func(n int) any { return quote(n) })},
		{"price, 50 quotes", "price", call(200, "/v1/price", serverKey, func(n int) any {
			all := make([]string, 50)
			for i := range all {
				all[i] = quote(n + i)
			}
			return `{"quotes":[` + strings.Join(all, ",") + `]}`
		})},
		{"rights, objection", "rights", call(201, "/v1/rights", serverKey, func(n int) any {
			return map[string]any{"anonymousId": fmt.Sprintf("v1-bench-other-%08d", sent+n), "request": "objection", "scope": "profiling"}
		})},
	}
}

// stranger sends a view of a visitor whom the function has never seen; only that counts.
func (b *bench) stranger(int) (time.Duration, error) {
	sent++
	who := fmt.Sprintf("v1-bench-stranger-%08d", sent)
	if _, _, err := b.call(201, "POST", "/v1/consent", writeKey, consents(who)); err != nil {
		return 0, err
	}
	one := views(0, 1, 0)
	one["batch"].([]any)[0].(map[string]any)["anonymousId"] = who
	took, _, err := b.call(200, "POST", "/v1/batch", writeKey, one)
	return took, err
}

// handover clicks on an offer that was asked for; only the click counts.
func (b *bench) handover(n int) (time.Duration, error) {
	_, offer, err := b.call(200, "POST", "/v1/escalate", writeKey, map[string]any{"anonymousId": device(n), "asked": true})
	if err != nil {
		return 0, err
	}
	took, _, err := b.call(201, "POST", "/v1/handover", writeKey, map[string]any{"token": offer["token"], "channel": "chat"})
	return took, err
}
