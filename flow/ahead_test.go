package flow_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/host/hosttest"
)

// seer is a host that is told what calls will ask for.
type seer struct {
	*hosttest.Memory
	mu    sync.Mutex
	asked []flow.Ahead
}

func (s *seer) Ahead(ctx context.Context, a flow.Ahead) context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, a)
	return ctx
}

func newShopWithSeer(t *testing.T) (*shop, *seer) {
	t.Helper()
	s := newShop(t)
	h := &seer{Memory: s.host}
	f, err := flow.New(ctx, s.cfg, h, nil, s.clock, "test")
	ok(t, err)
	s.Flow = f
	return s, h
}

func TestAMixedBatchIsForeseenOnceAndWrittenWhole(t *testing.T) {
	s, h := newShopWithSeer(t)
	var all []message
	names := func(n int) string { return fmt.Sprintf("device-of-the-crowd-%04d", n) }
	for n := range 60 {
		s.grant(names(n), consent.Analytics)
		all = append(all, s.view(names(n), "B12"), s.view(names(n), "J7"))
	}
	h.asked = nil
	a := s.ingest(browser, all...)
	want(t, a.Admitted, 120)
	want(t, len(h.asked), 1)
	want(t, len(h.asked[0].Who), 60)
	for n := range 60 {
		p, err := s.host.Profile(ctx, s.subject(consent.Device, names(n)))
		ok(t, err)
		want(t, len(p.Recent), 2)
	}
	want(t, s.ingest(browser, all...).Duplicate, 120)
}

// Some withdraw while the batch is written: each event is refused, or was written
// before the withdrawal, which then took it out again.
func TestWithdrawalsDuringAMixedBatchBind(t *testing.T) {
	s, _ := newShopWithSeer(t)
	names := func(n int) string { return fmt.Sprintf("device-of-the-crowd-%04d", n) }
	for n := range 32 {
		s.grant(names(n), consent.Analytics)
	}
	for round := range 10 {
		var all []message
		for n := range 32 {
			all = append(all, s.view(names(n), "B12", with("messageId", fmt.Sprintf("%d-%d", round, n))))
		}
		var work sync.WaitGroup
		for n := range 8 {
			work.Go(func() { s.withdraw(names(4*n), consent.Analytics) })
		}
		s.ingest(browser, all...)
		work.Wait()
		for n := range 8 {
			p, err := s.host.Profile(ctx, s.subject(consent.Device, names(4*n)))
			ok(t, err)
			want(t, len(p.Sections), 0)
			s.grant(names(4*n), consent.Analytics)
		}
	}
}
