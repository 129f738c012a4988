package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// aims of durable ingest beside the null handler, by events in a batch. 0: none.
// A browser's batch is of one device; a shop's server mixes those of all visitors.
var ingestAims = []ingestAim{{1, false, 0.4}, {20, false, 0.35}, {20, true, 0.35}, {100, true, 0}}

type ingestAim struct {
	size  int
	mixed bool
	aim   float64
}

func (a ingestAim) name() string {
	if a.mixed {
		return fmt.Sprintf("batch %d, mixed devices", a.size)
	}
	return fmt.Sprintf("batch %d", a.size)
}

// rivals are the servers that take turns: one that only reads bodies, one that
// parses them too, and the shop.
type rivals struct{ null, parse, shop *process }

func benchIngest(ctx context.Context, o options, t *table) (err error) {
	r, err := rival(ctx, filepath.Join(o.root, "ingest"), o.devices)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.stop()) }()
	for _, a := range ingestAims {
		bodies, err := bodiesOf(a.size, o.devices, a.mixed)
		if err != nil {
			return err
		}
		met, err := r.measure(ctx, o, t, bodies, a.name(), a.aim)
		if err != nil {
			return err
		}
		if !met || o.profiles != "" {
			if err := r.profile(ctx, o, t, bodies); err != nil {
				return err
			}
		}
	}
	return r.waiting(ctx, o, t)
}

func rival(ctx context.Context, dir string, devices int) (r rivals, err error) {
	if r.null, err = start(ctx, roleNull, ""); err != nil {
		return r, err
	}
	if r.parse, err = start(ctx, roleParse, ""); err != nil {
		return r, errors.Join(err, r.stop())
	}
	if r.shop, err = start(ctx, roleShop, dir); err != nil {
		return r, errors.Join(err, r.stop())
	}
	if err = furnish(ctx, r.shop.addr, devices); err != nil {
		err = errors.Join(fmt.Errorf("furnishing the shop: %w", err), r.stop())
	}
	return r, err
}

func (r rivals) stop() (err error) {
	for _, p := range []*process{r.null, r.parse, r.shop} {
		if p != nil {
			err = errors.Join(err, p.stop())
		}
	}
	return err
}

// furnish imports products and lets every device consent.
func furnish(ctx context.Context, addr string, devices int) error {
	rows := make([]object, products)
	for i := range rows {
		rows[i] = object{
			"product_id": productID(i), "category": fmt.Sprintf("category-%d", i%40), "product_class": "standard",
			"price_cents": 990 + i*7, "stock": 5, "locales": []string{"de", "en"},
		}
	}
	feed, err := json.Marshal(object{"products": rows})
	if err != nil {
		return err
	}
	if err := call(ctx, "PUT", addr, "/v1/products", serverKey, feed); err != nil {
		return err
	}
	const callers = 32 // share syncs of the state store
	errs := make([]error, callers)
	var wg sync.WaitGroup
	for w := range callers {
		wg.Go(func() {
			for i := w; i < devices && errs[w] == nil; i += callers {
				errs[w] = consents(ctx, addr, deviceID(i))
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

func consents(ctx context.Context, addr, device string) error {
	yes := []string{"analytics", "personalisation_content", "adviser_assist"}
	answer := object{}
	for _, p := range yes {
		answer[p] = true
	}
	b, err := json.Marshal(object{
		"anonymousId": device, "purposes": answer, "purposes_shown": yes, "method": "save",
		"notice": object{"version": "1", "language": "de"}, "ui": object{"version": "banner-1"},
	})
	if err != nil {
		return err
	}
	return call(ctx, "POST", addr, "/v1/consent", writeKey, b)
}

// bodiesOf makes enough batches that caches see no pattern.
func bodiesOf(size, devices int, mixed bool) ([]body, error) {
	r := rand.New(rand.NewPCG(2026, uint64(size)))
	out := make([]body, max(512, 16384/size))
	for i := range out {
		var err error
		if out[i], err = newBody(r, size, devices, mixed); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// score is what one server did, turn by turn.
type score struct {
	events  []float64
	cpu     []float64 // seconds used from one turn's start to the next one's
	seconds float64
	mark    float64
}

// close charges a server for all that it did since its last turn began: what it
// writes behind while others have their turn is its own work.
func (s *score) close(p *process) error {
	r, err := p.ask("cpu")
	if n := len(s.events); n > 0 {
		s.cpu = append(s.cpu[:n-1], r.CPU-s.mark)
	}
	s.mark = r.CPU
	return err
}

// turn loads one server.
func (s *score) turn(ctx context.Context, p *process, l load, d time.Duration) error {
	if err := s.close(p); err != nil {
		return err
	}
	start := time.Now()
	done, err := l.run(ctx, d)
	if err != nil {
		return err
	}
	s.seconds += time.Since(start).Seconds()
	s.events = append(s.events, float64(done.events.Load()))
	return nil
}

// perCPU is events per CPU-second, of all turns together or of each.
func (s *score) perCPU() float64    { return sum(s.events) / sum(s.cpu) }
func (s *score) eachCPU() []float64 { return ratios(s.events, s.cpu) }

// measure lets the servers take turns. The first turns warm up and do not count.
func (r rivals) measure(ctx context.Context, o options, t *table, bodies []body, name string, aim float64) (met bool, err error) {
	size := len(bodies[0].stamps)
	servers := []*process{r.null, r.parse, r.shop}
	scores := make([]score, len(servers))
	for round := range o.rounds + 1 {
		for i, p := range servers {
			l, d := load{addr: p.addr, bodies: bodies, conns: o.conns, want: []byte(`"success":true`)}, o.round/2
			if p == r.shop {
				l.want, d = fmt.Appendf(nil, `"admitted":%d,`, size), o.round
			}
			if err := scores[i].turn(ctx, p, l, d); err != nil {
				return false, err
			}
			if round == 0 {
				scores[i] = score{}
			}
		}
	}
	for i, p := range servers {
		if err := scores[i].close(p); err != nil {
			return false, err
		}
	}
	null, parse, shop := &scores[0], &scores[1], &scores[2]
	t.row("parse alone, "+name, fmt.Sprintf("%.0f events/CPU-s", parse.perCPU()),
		fmt.Sprintf("null handler %.0f", null.perCPU()), parse.perCPU()/null.perCPU(), ratios(parse.eachCPU(), null.eachCPU()), 0)
	return t.row(fmt.Sprintf("durable ingest, %s (%.0f events/s)", name, sum(shop.events)/shop.seconds),
		fmt.Sprintf("%.0f events/CPU-s", shop.perCPU()), fmt.Sprintf("null handler %.0f", null.perCPU()),
		shop.perCPU()/null.perCPU(), ratios(shop.eachCPU(), null.eachCPU()), aim), nil
}

// profile says where the shop's CPU time goes.
func (r rivals) profile(ctx context.Context, o options, t *table, bodies []body) error {
	size := len(bodies[0].stamps)
	dir := o.profiles
	if dir == "" {
		dir = o.root
	}
	file := filepath.Join(dir, fmt.Sprintf("ingest-%d.pprof", size))
	if _, err := r.shop.ask("profile %s", file); err != nil {
		return err
	}
	l := load{addr: r.shop.addr, bodies: bodies, conns: o.conns, want: []byte(`"success":true`)}
	_, err := l.run(ctx, 2*o.round)
	if _, stop := r.shop.ask("stop"); err != nil || stop != nil {
		return errors.Join(err, stop)
	}
	if _, err := r.shop.ask("allocs %s", file+".allocs"); err != nil {
		return err
	}
	return t.profile(ctx, fmt.Sprintf("Where ingest at batch %d spends its CPU time:", size), file)
}

// waiting measures what the durable log adds to an answer: the time that a batch
// of 20 waits in AppendEvents, at a steady load and when the server is saturated,
// beside a bare append and fsync of as many bytes to the same disk.
func (r rivals) waiting(ctx context.Context, o options, t *table) error {
	bodies, err := bodiesOf(20, o.devices, true)
	if err != nil {
		return err
	}
	for _, every := range []time.Duration{time.Duration(o.conns) * 5 * time.Millisecond, 0} {
		alone, err := syncs(filepath.Join(o.root, "sync"), 200)
		if err != nil {
			return err
		}
		if _, err := r.shop.ask("waits"); err != nil {
			return err
		}
		l := load{addr: r.shop.addr, bodies: bodies, conns: o.conns, every: every, want: []byte(`"admitted":20,`)}
		done, err := l.run(ctx, 4*o.round)
		if err != nil {
			return err
		}
		w, err := r.shop.ask("waits")
		if err != nil {
			return err
		}
		t.wait(every, o.conns, w.Waits, done.latency.drain(), alone)
	}
	return nil
}

// groupAim is the most that group commit may add at the 99th percentile.
const groupAim = 10 * time.Millisecond

func (t *table) wait(every time.Duration, conns int, waits, answers, alone []int64) {
	what := "group commit wait p99, saturated"
	if every > 0 {
		what = fmt.Sprintf("group commit wait p99 at %d batches/s", time.Duration(conns)*time.Second/every)
	}
	aim, verdict := fmt.Sprintf("≤ %d ms", groupAim.Milliseconds()), "MISSED"
	p99 := quantile(waits, 0.99)
	if p99 <= groupAim {
		verdict = "met"
	}
	if every == 0 {
		aim, verdict = "", ""
	}
	t.plain(what, fmt.Sprintf("%s (p50 %s)", ms(p99), ms(quantile(waits, 0.5))),
		fmt.Sprintf("bare fsync %s (p50 %s)", ms(quantile(alone, 0.99)), ms(quantile(alone, 0.5))),
		"", "answer p99 "+ms(quantile(answers, 0.99)), aim, verdict)
}

func ms(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond)) }

// syncs appends and syncs n times.
func syncs(path string, n int) (counts []int64, err error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	var h histogram
	block := make([]byte, 8<<10)
	for range n {
		start := time.Now()
		if _, err := f.Write(block); err != nil {
			return nil, err
		}
		if err := f.Sync(); err != nil {
			return nil, err
		}
		h.add(time.Since(start))
	}
	return h.drain(), nil
}
