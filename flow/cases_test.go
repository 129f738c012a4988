package flow_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/host/desk"
	"github.com/handschlag/handschlag/host/hosttest"
)

// slowCases is a host that takes its time to store cases.
type slowCases struct {
	*hosttest.Memory
	begun, let chan struct{}
	stored     atomic.Bool
}

func (h *slowCases) PutCases(ctx context.Context, cases map[event.CaseID][]byte) error {
	close(h.begun)
	<-h.let
	err := h.Memory.PutCases(ctx, cases)
	h.stored.Store(true)
	return err
}

// TestNoEventIsAcknowledgedWhileItsCaseIsOnTheWay: one call takes the new cases
// along; another, admitted by the same ones, must wait until they are stored.
func TestNoEventIsAcknowledgedWhileItsCaseIsOnTheWay(t *testing.T) {
	s := newShop(t)
	host := &slowCases{Memory: s.host, begun: make(chan struct{}), let: make(chan struct{})}
	queue, err := desk.NewQueue("https://shop.example/talk")
	ok(t, err)
	s.Flow, err = flow.New(ctx, s.cfg, host, queue, s.clock, "test")
	ok(t, err)
	s.grant(ada, consent.Analytics)
	s.wait(time.Minute)
	first, second := s.view(ada, "B12"), s.view(ada, "B12")
	var calls sync.WaitGroup
	calls.Go(func() { s.ingest(browser, first) })
	<-host.begun
	calls.Go(func() {
		if a := s.ingest(browser, second); a.Admitted != 1 || !host.stored.Load() {
			t.Errorf("answered %+v, cases stored: %v", a, host.stored.Load())
		}
	})
	time.Sleep(20 * time.Millisecond) // enough for a call that does not wait
	close(host.let)
	calls.Wait()
}
