package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/handschlag/handschlag/flow"
)

// The aims of an offer decision beside a bare prepared evaluation of its policy.
const escalateAim = 2

// calls is how many decisions a round makes, and people whom they are about.
const (
	calls  = 12_000
	people = 2_000
)

// benchEscalate measures the benchmarks of package policy, the only room that
// knows OPA, and whole offers through flow with their durable records.
func benchEscalate(ctx context.Context, o options, t *table) (err error) {
	test := filepath.Join(o.root, "policy.test")
	if err := exec.CommandContext(ctx, "go", "test", "-c", "-o", test, "./policy").Run(); err != nil {
		return fmt.Errorf("building the benchmarks of package policy: %w", err)
	}
	shop, err := staffed(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, shop.stop()) }()
	var bare, decision, whole []float64
	for range o.rounds {
		b, err := benchmark(ctx, test, "BenchmarkEscalateBare")
		if err != nil {
			return err
		}
		d, err := benchmark(ctx, test, "BenchmarkEscalate")
		if err != nil {
			return err
		}
		w, err := offers(shop, calls/4)
		if err != nil {
			return err
		}
		bare, decision, whole = append(bare, b), append(decision, d), append(whole, w)
	}
	beside := fmt.Sprintf("bare OPA %.1f µs", median(bare))
	t.row("offer decision: facts, rules, recorded bytes", fmt.Sprintf("%.1f µs CPU", median(decision)), beside, median(decision)/median(bare), ratios(decision, bare), -escalateAim)
	t.row("whole offer, record durable", fmt.Sprintf("%.1f µs CPU", median(whole)), beside, median(whole)/median(bare), ratios(whole, bare), 0)
	return nil
}

// benchmark gives the CPU time of one operation in µs: what the process of the
// benchmark used, less what it uses for one operation alone. The clock would count
// the machine's other work.
func benchmark(ctx context.Context, test, name string) (float64, error) {
	used := func(n int) (float64, error) {
		c := exec.CommandContext(ctx, test, "-test.run=^$", "-test.bench=^"+name+"$", "-test.benchtime="+strconv.Itoa(n)+"x", "-test.cpu=1")
		c.Dir, c.Stderr = "policy", os.Stderr
		if err := c.Run(); err != nil {
			return 0, fmt.Errorf("running %s: %w", name, err)
		}
		return (c.ProcessState.UserTime() + c.ProcessState.SystemTime()).Seconds(), nil
	}
	one, err := used(1)
	if err != nil {
		return 0, err
	}
	many, err := used(calls)
	return (many - one) / (calls - 1) * 1e6, err
}

// staffed is a shop whose devices consented and looked around, with advisers.
func staffed(ctx context.Context, o options) (*process, error) {
	p, err := start(ctx, roleShop, filepath.Join(o.root, "escalate"))
	if err != nil {
		return nil, err
	}
	ready := func() error {
		if err := furnish(ctx, p.addr, people); err != nil {
			return err
		}
		bodies, err := bodiesOf(20, people, true)
		if err != nil {
			return err
		}
		l := load{addr: p.addr, bodies: bodies, conns: o.conns, want: []byte(`"admitted":20,`)}
		if _, err := l.run(ctx, o.round); err != nil {
			return err
		}
		if _, err := p.ask("adviser"); err != nil {
			return err
		}
		_, err = offers(p, calls/8) // warms up
		return err
	}
	if err := ready(); err != nil {
		return nil, errors.Join(fmt.Errorf("furnishing the shop: %w", err), p.stop())
	}
	return p, nil
}

// settle lets what the shop writes behind (once a second) be charged to the round
// that caused it.
const settle = 1100 * time.Millisecond

// offers lets the shop decide n offers and gives the CPU time of one in µs.
func offers(p *process, n int) (float64, error) {
	before, err := p.ask("cpu")
	if err != nil {
		return 0, err
	}
	if _, err := p.ask("escalate %d", n); err != nil {
		return 0, err
	}
	time.Sleep(settle)
	after, err := p.ask("cpu")
	return (after.CPU - before.CPU) / float64(n) * 1e6, err
}

// adviser makes one adviser available, in the child.
func adviser(f *flow.Flow) error {
	_, err := f.PutAdviser(context.Background(), flow.AdviserCall{Available: true, Channels: []string{"chat", "video"}, Capacity: 100},
		flow.Caller{Staff: &flow.Staff{Role: flow.RoleAdviser, Name: "bench"}})
	return err
}

// escalate decides n offers in the child, 16 at a time as a shop's pages would ask.
func escalate(f *flow.Flow, n int) error {
	const callers = 16
	errs := make([]error, callers)
	var wg sync.WaitGroup
	for w := range callers {
		wg.Go(func() {
			for i := w; i < n && errs[w] == nil; i += callers {
				call := flow.EscalateCall{AnonymousID: deviceID(i * 7919 % people), Page: flow.PageRef{ProductID: productID(i % products), Type: "product"}}
				_, errs[w] = f.Escalate(context.Background(), call, flow.Caller{})
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}
