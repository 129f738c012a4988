//go:build awslocal

package aws_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/host/aws"
	"github.com/handschlag/handschlag/host/aws/awslocal"
	"github.com/handschlag/handschlag/profile"
)

func members(n, tier int) *profile.Members {
	out := &profile.Members{}
	for i := range n {
		out.Add(consent.Subject{byte(i), byte(i >> 8), 1}, profile.Membership{ValueTier: tier, AsOf: noon})
	}
	return out
}

// tiers counts the value tiers of the first n members.
func tiers(t testing.TB, h *aws.Host, n int) map[int]int {
	t.Helper()
	out := map[int]int{}
	for s := range members(n, 0).All() {
		m, err := h.Membership(ctx, s)
		ok(t, err)
		out[m.ValueTier]++
	}
	return out
}

// A night that dies anywhere leaves the last one in force, and nothing in the way of
// the next.
func TestWhatTheDayReadsIsSwappedWhereverANightStops(t *testing.T) {
	t.Parallel()
	g := awslocal.Start(t)
	for _, requests := range []int64{0, 1, 20, 31, 32, 33, 34} {
		t.Run(fmt.Sprint(requests), func(t *testing.T) {
			t.Parallel()
			o := g.Fresh(t)
			h := opened(t, o)
			ok(t, h.Publish(ctx, flow.Publication{Run: "one", AsOf: noon}, members(30, 1)))
			dying, line := behind(t, o)
			line.left.Store(requests)
			err := dying.Publish(ctx, flow.Publication{Run: "two", AsOf: noon.AddDate(0, 0, 1)}, members(30, 2))
			line.left.Store(-1)
			p, got := must(h.Published(ctx))(t), tiers(t, h, 30)
			if !(p.Run == "one" && got[1] == 30 && err != nil || p.Run == "two" && got[2] == 30) {
				t.Errorf("%v: run %s, tiers %v", err, p.Run, got)
			}
			ok(t, h.Publish(ctx, flow.Publication{Run: "three", AsOf: noon.AddDate(0, 0, 2)}, members(20, 3)))
			if p, got := must(h.Published(ctx))(t), tiers(t, h, 30); p.Run != "three" || got[3] != 20 || got[0] != 10 {
				t.Errorf("run %s, tiers %v", p.Run, got)
			}
			for line := range strings.Lines(contents(t, o, "member")) {
				if strings.Contains(line, "value_tier") && !strings.Contains(line, `\"value_tier\":3`) {
					t.Errorf("who is no member any more has left %s", line)
				}
			}
		})
	}
}

func must[T any](v T, err error) func(t testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		ok(t, err)
		return v
	}
}

// Of nights at once one is in force, with its own members and no other's.
func TestNightsAtOnceDoNotMix(t *testing.T) {
	t.Parallel()
	o := awslocal.Start(t).Fresh(t)
	h, other := opened(t, o), opened(t, o)
	errs := make([]error, 6)
	var work sync.WaitGroup
	for i := range errs {
		work.Go(func() {
			errs[i] = []*aws.Host{h, other}[i%2].Publish(ctx, flow.Publication{Run: fmt.Sprint("r", i), AsOf: noon}, members(25, i+1))
		})
	}
	work.Wait()
	p, got := must(other.Published(ctx))(t), tiers(t, h, 25)
	var run int
	_, err := fmt.Sscanf(p.Run, "r%d", &run)
	ok(t, err)
	if errs[run] != nil || got[run+1] != 25 {
		t.Errorf("run %s (%v) with tiers %v; %v", p.Run, errs[run], got, errs)
	}
}

// What nobody reads any more is gone after the next night but one.
func TestNightsLeaveNothingBehind(t *testing.T) {
	t.Parallel()
	g := awslocal.Start(t)
	o := g.Fresh(t)
	h := opened(t, o)
	for n := range 5 {
		ok(t, h.Publish(ctx, flow.Publication{Run: fmt.Sprint("r", n), AsOf: noon.AddDate(0, 0, n)}, members(3, n+1)))
		ok(t, h.PutProducts(ctx, nil))
	}
	for item := range attributes(t, o, "member") {
		if item > 4 { // key, expiry, the run in force and the one before
			t.Errorf("an item has %d attributes", item)
		}
	}
	if n := len(objects(t, o, "shop", "publications/")); n > 2 {
		t.Errorf("%d publications", n)
	}
	if n := len(objects(t, o, "shop", "products/")); n > 2 {
		t.Errorf("%d catalogues", n)
	}
}
