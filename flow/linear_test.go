package flow_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/host/desk"
	"github.com/handschlag/handschlag/host/hosttest"
	"github.com/handschlag/handschlag/profile"
)

// seedOfHistories makes the same calls in every run; how they interleave is the
// scheduler's.
const seedOfHistories = 20261121

// TestNothingHappensAfterAnAcknowledgedWithdrawal runs 2,000 concurrent histories,
// or HANDSCHLAG_HISTORIES of them (`make linearizability`: 100,000).
func TestNothingHappensAfterAnAcknowledgedWithdrawal(t *testing.T) {
	count, err := strconv.Atoi(os.Getenv("HANDSCHLAG_HISTORIES"))
	if err != nil {
		count = 2000
	}
	begun := time.Now()
	var sum hosttest.Linearised
	var moved int64
	for first := 0; first < count; first += 2000 { // a new shop now and then: the memory host forgets nothing
		host := &jittery{Host: hosttest.NewMemory()}
		one := hosttest.Linearise(openLinear(t, host), hosttest.Histories{
			Seed: seedOfHistories, First: first, Count: min(2000, count-first), Workers: runtime.GOMAXPROCS(0),
		})
		if len(one.Wrong) > 0 {
			t.Fatalf("%d wrong, first: %s", len(one.Wrong), one.Wrong[0])
		}
		sum.Histories, sum.Calls, sum.Overlaps = sum.Histories+one.Histories, sum.Calls+one.Calls, sum.Overlaps+one.Overlaps
		sum.Withdrawals, sum.Refusals = sum.Withdrawals+one.Withdrawals, sum.Refusals+one.Refusals
		moved += host.moved.Load()
	}
	t.Logf("seed %d: %d histories, %d calls, %d withdrawals acknowledged, %d reads overlapped a change, %d conditional writes failed, %d calls refused, %s",
		seedOfHistories, sum.Histories, sum.Calls, sum.Withdrawals, sum.Overlaps, moved, sum.Refusals, time.Since(begun).Round(time.Second))
	switch {
	case sum.Histories != count:
		t.Errorf("%d histories of %d", sum.Histories, count)
	case sum.Overlaps == 0 || moved == 0:
		t.Error("the calls of these histories did not meet: they show nothing")
	case sum.Refusals*100 > sum.Calls:
		t.Error("more than one call in a hundred was refused")
	}
}

// TestHistoriesCatchAStaleHost plants the two faults that the histories are for.
func TestHistoriesCatchAStaleHost(t *testing.T) {
	for _, c := range []struct {
		name string
		host func(flow.Host) flow.Host
		says string
	}{
		{"a host that serves the state of before", func(h flow.Host) flow.Host { return &stale{Host: h} }, "no order explains"},
		{"a host that does not check the state when it writes", func(h flow.Host) flow.Host { return &careless{Host: h} }, "the profile keeps it"},
	} {
		door := openLinear(t, c.host(&jittery{Host: hosttest.NewMemory()}))
		caught, run := 0, 0
		for ; caught == 0 && run < 3000; run += 100 {
			got := hosttest.Linearise(door, hosttest.Histories{Seed: seedOfHistories, First: run, Count: 100, Workers: 2})
			for _, w := range got.Wrong {
				if strings.Contains(w, c.says) {
					caught++
				}
			}
		}
		if caught == 0 {
			t.Errorf("%s: not caught in %d histories", c.name, run)
		}
		t.Logf("%s: caught %d times in %d histories", c.name, caught, run)
	}
}

// linearDoor is the flow itself as a door.
type linearDoor struct {
	*flow.Flow
	host flow.Host
}

// openLinear opens a shop with a free adviser that makes an offer to everybody who
// may get one.
func openLinear(t testing.TB, host flow.Host) hosttest.Door {
	t.Helper()
	cfg := config.Default()
	cfg.Offers.Holdout, cfg.Offers.NeedHint, cfg.Offers.NeedHuman, cfg.Offers.MinGap = 0, 0, 0, 0
	queue, err := desk.NewQueue("https://shop.example/talk")
	ok(t, err)
	f, err := flow.New(ctx, cfg, host, queue, func() time.Time { return noon }, "test")
	ok(t, err)
	_, err = f.PutProducts(ctx, []event.Product{{ID: "B12", Category: "cameras", Class: "premium", PriceCents: 99900, Stock: 3}}, backend)
	ok(t, err)
	_, err = f.PutAdviser(ctx, flow.AdviserCall{Available: true, Channels: []string{"chat"}, Capacity: 100}, adviser)
	ok(t, err)
	return linearDoor{f, host}
}

func (d linearDoor) Say(device string, yes bool, p consent.Purpose) error {
	_, err := d.Consent(ctx, says(device, yes, p), browser)
	return err
}

func (d linearDoor) Ingest(device, id string) (seen consent.Set, err error) {
	m := message{
		"type": "track", "event": "Product Viewed", "messageId": id, "anonymousId": device,
		"timestamp": noon.Format(time.RFC3339Nano), "properties": map[string]any{"product_id": "B12"}, "context": map[string]any{},
	}
	stamped(true)(m)
	body, err := json.Marshal(map[string]any{"batch": []message{m}})
	if err != nil {
		return 0, err
	}
	env, err := event.ParseBatch(body)
	if err != nil {
		return 0, err
	}
	a, err := d.Flow.Ingest(ctx, env, browser)
	if err != nil {
		return 0, err
	}
	return consent.SetOf(a.Results[0].Purposes...), nil
}

func (d linearDoor) Offer(device string) (bool, error) {
	a, err := d.Escalate(ctx, flow.EscalateCall{AnonymousID: device, Page: flow.PageRef{ProductID: "B12", Type: "product"}}, browser)
	return a.Offer != flow.OfferNone, err
}

func (d linearDoor) Given(device string) (seen consent.Set, err error) {
	a, err := d.ConsentState(ctx, flow.StateCall{AnonymousID: device}, browser)
	for p, s := range a.Purposes {
		if s.Status.Valid() {
			seen = seen.With(p)
		}
	}
	return seen, err
}

func (d linearDoor) Kept(device string) (kept consent.Set, err error) {
	id, err := consent.NewID(consent.Device, device)
	if err != nil {
		return 0, err
	}
	s, err := d.host.Find(ctx, id)
	if err != nil || s.IsZero() {
		return 0, err
	}
	held, err := d.host.Profile(ctx, s)
	for p := range held.Sections {
		kept = kept.With(p)
	}
	return kept, err
}

// jittery lets other clients run before and after what races are about, and counts
// conditional writes that found the state moved.
type jittery struct {
	flow.Host
	n, moved atomic.Int64
}

func (j *jittery) yield() {
	for range j.n.Add(1) * 7 % 5 {
		runtime.Gosched()
	}
}

func (j *jittery) State(ctx context.Context, s consent.Subject) (consent.State, error) {
	defer j.yield()
	return j.Host.State(ctx, s)
}

func (j *jittery) Append(ctx context.Context, s consent.Subject, build func(consent.State) (consent.Record, error)) (flow.Receipt, error) {
	j.yield()
	defer j.yield()
	return j.Host.Append(ctx, s, build)
}

func (j *jittery) AppendEvents(ctx context.Context, rows []event.Row) error {
	defer j.yield()
	return j.Host.AppendEvents(ctx, rows)
}

func (j *jittery) UpdateProfile(ctx context.Context, s consent.Subject, given []flow.StateAt, change func(profile.Profile) profile.Profile) error {
	j.yield()
	err := j.Host.UpdateProfile(ctx, s, given, change)
	if errors.Is(err, flow.ErrMoved) {
		j.moved.Add(1)
	}
	return err
}

// stale keeps each subject's first state of every ten for the reads that follow: a
// cache that nobody tells about a withdrawal.
type stale struct {
	flow.Host
	mu   sync.Mutex
	kept map[consent.Subject]consent.State
	n    int
}

func (h *stale) State(ctx context.Context, s consent.Subject) (consent.State, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.n++; h.kept == nil || h.n%10 == 0 {
		h.kept = map[consent.Subject]consent.State{}
	}
	if st, ok := h.kept[s]; ok {
		return st, nil
	}
	st, err := h.Host.State(ctx, s)
	h.kept[s] = st
	return st, err
}

func (h *stale) UpdateProfile(ctx context.Context, s consent.Subject, _ []flow.StateAt, change func(profile.Profile) profile.Profile) error {
	return h.Host.UpdateProfile(ctx, s, nil, change)
}

// careless writes profiles whatever became of the consent meanwhile.
type careless struct{ flow.Host }

func (h *careless) UpdateProfile(ctx context.Context, s consent.Subject, _ []flow.StateAt, change func(profile.Profile) profile.Profile) error {
	return h.Host.UpdateProfile(ctx, s, nil, change)
}
