//go:build awslocal

package aws_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/handschlag/handschlag/host/aws/awslocal"
)

func contains(all, part string) bool { return strings.Contains(all, part) }

// A count that cannot be written now holds nobody up, and is not lost.
func TestCountsWaitForTheNextTry(t *testing.T) {
	t.Parallel()
	o := awslocal.Start(t).Fresh(t)
	h, line := behind(t, o)
	line.left.Store(0)
	for range 3 {
		ok(t, h.Count(ctx, noon, map[string]int64{"admitted": 2}))
	}
	if _, err := h.Counts(ctx, noon, noon.Add(time.Hour), ""); err == nil {
		t.Error("counts were given that nobody could read")
	}
	line.left.Store(-1)
	got, err := h.Counts(ctx, noon, noon.Add(time.Hour), "")
	ok(t, err)
	if got["admitted"] != 6 {
		t.Errorf("got %v", got)
	}
}

func TestCountsOfAllProcessesAddUp(t *testing.T) {
	t.Parallel()
	o := awslocal.Start(t).Fresh(t)
	one, two := opened(t, o), opened(t, o)
	var work sync.WaitGroup
	errs := make([]error, 8)
	for i := range 8 {
		work.Go(func() {
			for n := range 40 {
				at := noon.Add(time.Duration(n) * time.Hour)
				errs[i] = errors.Join(errs[i], one.Count(ctx, at, map[string]int64{"x": 1}), two.Count(ctx, at, map[string]int64{"x": 1, fmt.Sprint("y", i): 2}))
			}
		})
	}
	work.Wait()
	ok(t, errors.Join(errs...))
	ok(t, two.Count(ctx, noon, map[string]int64{"x": 100})) // an hour that the process had let go of
	_, err := two.Counts(ctx, noon, noon, "")
	ok(t, err)
	got, err := one.Counts(ctx, noon, noon.Add(40*time.Hour), "")
	ok(t, err)
	if got["x"] != 2*8*40+100 || got["y3"] != 80 {
		t.Errorf("got %v", got)
	}
	if _, err := one.Counts(ctx, time.Time{}, noon, ""); err == nil {
		t.Error("two thousand years of counters were read")
	}
}

// A second try, and one that comes late, change nothing.
func TestCountsUnderFaultsAreExact(t *testing.T) {
	t.Parallel()
	g := awslocal.Start(t)
	o := g.Fresh(t)
	clean := opened(t, o)
	o.Account = g.Account("counting")
	o.Account.HTTP = impatient(500 * time.Millisecond)
	h := opened(t, o)
	g.Inject("counting", awslocal.Faults{Seed: 7, Throttled: 100, Broken: 100, Unanswered: 100, Late: 100})
	for range 16 {
		ok(t, h.Count(ctx, noon, map[string]int64{"x": 1}))
		_, _ = h.Counts(ctx, noon, noon.Add(time.Hour), "")
	}
	g.Inject("counting", awslocal.Faults{})
	got, err := h.Counts(ctx, noon, noon.Add(time.Hour), "")
	ok(t, err)
	time.Sleep(2 * time.Second) // what is late has come
	again, err := clean.Counts(ctx, noon, noon.Add(time.Hour), "")
	ok(t, err)
	if got["x"] != 16 || again["x"] != 16 {
		t.Errorf("got %v, then %v", got, again)
	}
}
