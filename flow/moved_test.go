package flow_test

import (
	"context"
	"sync"
	"testing"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/host/hosttest"
	"github.com/handschlag/handschlag/profile"
)

// between is a host on which something happens just before a profile is written.
type between struct {
	*hosttest.Memory
	once sync.Once
	do   func()
}

func (h *between) UpdateProfile(c context.Context, s consent.Subject, given []flow.StateAt, change func(profile.Profile) profile.Profile) error {
	if h.do != nil {
		h.once.Do(h.do)
	}
	return h.Memory.UpdateProfile(c, s, given, change)
}

// newShopBetween is a shop on such a host.
func newShopBetween(t *testing.T) (*shop, *between) {
	t.Helper()
	s := newShop(t, needy)
	h := &between{Memory: s.host}
	f, err := flow.New(ctx, s.cfg, h, nil, s.clock, "test")
	ok(t, err)
	s.Flow = f
	return s, h
}

func TestAWithdrawalBetweenGateAndProfileRefusesTheEvent(t *testing.T) {
	s, h := newShopBetween(t)
	s.grant(ada, consent.Analytics, consent.AdviserAssist)
	h.do = func() { s.withdraw(ada, consent.Analytics, consent.AdviserAssist) }
	want(t, s.outcome(s.view(ada, "B12")), "refused: CON-10")
	p, err := s.host.Profile(ctx, s.subject(consent.Device, ada))
	ok(t, err)
	want(t, len(p.Sections)+len(p.Recent), 0)
	want(t, s.counts("refused/CON-10")["refused/CON-10"], 1)
}

func TestAPartWithdrawnInBetweenIsLeftOut(t *testing.T) {
	s, h := newShopBetween(t)
	s.grant(ada, consent.Analytics, consent.AdviserAssist)
	h.do = func() { s.withdraw(ada, consent.AdviserAssist) }
	want(t, s.outcome(s.view(ada, "B12")), "admitted: analytics")
	p, err := s.host.Profile(ctx, s.subject(consent.Device, ada))
	ok(t, err)
	_, has := p.Sections[consent.AdviserAssist]
	want(t, has, false)
	want(t, len(p.Recent), 1)
}

func TestAGrantInBetweenDoesNotReachBack(t *testing.T) {
	s, h := newShopBetween(t)
	s.grant(ada, consent.Analytics)
	h.do = func() { s.grant(ada, consent.AdviserAssist) } // within the same millisecond
	want(t, s.outcome(s.view(ada, "B12")), "admitted: analytics")
	want(t, s.rows()[0].Purposes, int64(consent.SetOf(consent.Analytics)))
}

func TestAWithdrawalBeforeAnOfferIsNotedEndsIt(t *testing.T) {
	s, h := newShopBetween(t)
	s.staffed(1, "chat")
	s.interested(ada)
	h.once, h.do = sync.Once{}, func() { s.withdraw(ada, consent.AdviserAssist) }
	a := s.escalate(ada, "B12")
	want(t, a.Offer, flow.OfferNone)
	want(t, len(s.decisions(decide.ActionEscalate)), 1)
	p, err := s.host.Profile(ctx, s.subject(consent.Device, ada))
	ok(t, err)
	want(t, len(p.Sections), 0)
}

func TestAStateThatNeverRestsIsTriedLaterByTheSender(t *testing.T) {
	s, h := newShopBetween(t)
	s.grant(ada, consent.Analytics, consent.AdviserAssist)
	turn := &turning{between: h, s: s}
	f, err := flow.New(ctx, s.cfg, turn, nil, s.clock, "test")
	ok(t, err)
	_, err = f.Ingest(ctx, envelope(t, s.view(ada, "B12")), browser)
	faulted(t, err, 503, "")
}

// turning renews a consent before every write of a profile.
type turning struct {
	*between
	s *shop
}

func (h *turning) UpdateProfile(c context.Context, s consent.Subject, given []flow.StateAt, change func(profile.Profile) profile.Profile) error {
	h.s.grant(ada, consent.Analytics)
	return h.between.UpdateProfile(c, s, given, change)
}
