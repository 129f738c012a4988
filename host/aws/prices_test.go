//go:build awslocal

package aws_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/host/aws"
	"github.com/handschlag/handschlag/host/aws/awslocal"
	"github.com/handschlag/handschlag/price"
)

// feed is one price for each of many products, from a day on.
func feed(products, day int, cents int64) []price.Interval {
	out := make([]price.Interval, products)
	for i := range out {
		out[i] = price.Interval{
			Product: fmt.Sprint("P", i), Storefront: "de", Channel: "web", Currency: "EUR", GrossCents: cents, From: noon.AddDate(0, 0, day),
		}
	}
	return out
}

// newest gives how many histories end with which price.
func newest(t testing.TB, h *aws.Host, products int) map[int64]int {
	t.Helper()
	out, errs, mu := map[int64]int{}, make([]error, products), sync.Mutex{}
	var work sync.WaitGroup
	slots := make(chan struct{}, 16)
	for i := range products {
		slots <- struct{}{}
		work.Go(func() {
			defer func() { <-slots }()
			all, err := h.PriceHistory(ctx, fmt.Sprint("P", i), "de", "web", "EUR")
			mu.Lock()
			defer mu.Unlock()
			errs[i] = err
			if n := len(all); n > 0 {
				out[all[n-1].GrossCents]++
			} else {
				out[0]++
			}
		})
	}
	work.Wait()
	ok(t, errors.Join(errs...))
	return out
}

func TestAPriceFeedOfAnySizeIsTakenWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	o := awslocal.Start(t).Fresh(t)
	o.Clock = func() time.Time { return noon }
	h := opened(t, o)
	const many = 230
	ok(t, h.PutPrices(ctx, feed(many, 0, 100)))
	ok(t, h.PutPrices(ctx, feed(many, 5, 200)))
	ok(t, h.PutPrices(ctx, feed(many, 5, 200))) // the same again
	bad := append(feed(many, 10, 300), price.Interval{
		Product: "P7", Storefront: "de", Channel: "web", Currency: "EUR", GrossCents: 1, From: noon.AddDate(0, 0, 1), To: noon.AddDate(0, 0, 2),
	})
	if err := h.PutPrices(ctx, bad); err == nil || !strings.Contains(err.Error(), "overlaps") {
		t.Errorf("an overlap: %v", err)
	}
	if got := newest(t, h, many); got[200] != many {
		t.Errorf("got %v", got)
	}
	if left := contents(t, o, "price"); contains(left, "tx#") || contains(left, "nxt") {
		t.Error("something of an import is left")
	}
}

// An import may stop at any request: all of it is there or nothing, and the next
// import goes through once the dead one has waited long enough.
func TestAPriceImportMayStopAnywhere(t *testing.T) {
	t.Parallel()
	g := awslocal.Start(t)
	const many = 120
	for _, requests := range []int64{2, 60, 122, 123, 124, 150, 243} {
		t.Run(fmt.Sprint(requests), func(t *testing.T) {
			t.Parallel()
			o := g.Fresh(t)
			var mu sync.Mutex
			now := noon
			o.Clock = func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
			h := opened(t, o)
			ok(t, h.PutPrices(ctx, feed(many, 0, 100)))
			dying, line := behind(t, o)
			line.left.Store(requests)
			err := dying.PutPrices(ctx, feed(many, 5, 200))
			line.left.Store(-1)
			got := newest(t, h, many)
			if got[100] != many && got[200] != many || err == nil && got[200] != many {
				t.Errorf("%v, and the prices are %v", err, got)
			}
			mu.Lock()
			now = now.Add(time.Minute)
			mu.Unlock()
			ok(t, h.PutPrices(ctx, feed(many, 9, 300)))
			if got := newest(t, h, many); got[300] != many {
				t.Errorf("after it: %v", got)
			}
		})
	}
}

func TestPriceImportsAtOnceFollowEachOther(t *testing.T) {
	t.Parallel()
	o := awslocal.Start(t).Fresh(t)
	h, other := opened(t, o), opened(t, o)
	ok(t, h.PutPrices(ctx, feed(150, 0, 100)))
	errs := make([]error, 4)
	var work sync.WaitGroup
	for i := range errs {
		work.Go(func() {
			errs[i] = []flow.Prices{h, other}[i%2].PutPrices(ctx, feed([]int{150, 60, 150, 1}[i], 5+i, int64(200+i)))
		})
	}
	work.Wait()
	kept := 0
	for _, err := range errs {
		if err == nil {
			kept++
		} else if !strings.Contains(err.Error(), "overlaps") { // a later price was there before an earlier one
			t.Error(err)
		}
	}
	all, err := h.PriceHistory(ctx, "P100", "de", "web", "EUR")
	ok(t, err)
	if kept == 0 || len(all) < 1 {
		t.Errorf("%d imports, history %v", kept, all)
	}
	for i := 1; i < len(all); i++ {
		if !all[i-1].To.Equal(all[i].From) {
			t.Errorf("a gap: %v", all)
		}
	}
}
