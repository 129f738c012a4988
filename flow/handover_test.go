package flow_test

import (
	"context"
	"encoding/base64"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/host/desk"
	"github.com/handschlag/handschlag/host/hosttest"
)

func TestOneClickOpensOneContact(t *testing.T) {
	for _, channel := range []string{"call", "chat", "video"} {
		s := newShop(t, needy)
		a, err := s.Escalate(ctx, flow.EscalateCall{Asked: true, Page: flow.PageRef{ProductID: "B12", Type: "product"}}, browser)
		ok(t, err)
		call := flow.HandoverCall{Token: a.Token, Channel: channel, Question: " Passt das Objektiv? "}
		first, err := s.Handover(ctx, call, browser)
		ok(t, err)
		second, err := s.Handover(ctx, call, browser)
		ok(t, err)
		want(t, second, first)
		want(t, first.JoinURL, "https://shop.example/talk/"+first.ContactID)
		want(t, first.Speaker, flow.SpeakerHuman)
		q, err := s.Queue(ctx, adviser)
		ok(t, err)
		want(t, len(q.Contacts), 1)
		want(t, q.Contacts[0].Channel, channel)
		want(t, q.Contacts[0].Page.ProductID, "B12")
		want(t, len(s.decisions(decide.ActionHandover)), 1)
		want(t, s.decisions(decide.ActionHandover)[0].ID, first.DecisionID)
		c, err := s.host.Contact(ctx, first.ContactID)
		ok(t, err)
		want(t, c.Question, "Passt das Objektiv?")
		want(t, c.Decision, a.DecisionID)
	}
}

// countingDesk counts what it is given, slowly.
type countingDesk struct{ sent atomic.Int64 }

func (d *countingDesk) Send(_ context.Context, c flow.Contact) (string, error) {
	d.sent.Add(1)
	time.Sleep(5 * time.Millisecond)
	return "https://desk.example/" + c.ID, nil
}

func TestManyClicksAtOnceReachTheDeskOnce(t *testing.T) {
	cfg := config.Default()
	needy(cfg)
	d := &countingDesk{}
	host := hosttest.NewMemory()
	f, err := flow.New(ctx, cfg, host, d, func() time.Time { return noon }, "test")
	ok(t, err)
	a, err := f.Escalate(ctx, flow.EscalateCall{Asked: true}, browser)
	ok(t, err)
	urls := make([]string, 20)
	var wg sync.WaitGroup
	for i := range urls {
		wg.Go(func() {
			h, err := f.Handover(ctx, flow.HandoverCall{Token: a.Token, Channel: "chat"}, browser)
			if err != nil {
				t.Error(err)
			}
			urls[i] = h.JoinURL
		})
	}
	wg.Wait()
	want(t, d.sent.Load(), 1)
	for _, u := range urls {
		want(t, u, urls[0])
	}
	waiting, err := host.Waiting(ctx)
	ok(t, err)
	want(t, len(waiting), 1)
}

func TestAClickSurvivesFaults(t *testing.T) {
	for _, method := range []string{"AppendDecision", "OpenContact", "ChangeContact", "Contact", "Decision", "Count", "AllSwitches"} {
		for _, fate := range []hosttest.Fate{hosttest.Lost, hosttest.Kept} {
			for _, sends := range []bool{true, false} {
				clickThrough(t, method, fate, sends)
			}
		}
	}
}

// clickThrough clicks twice; at the first click a call of the host fails, if it comes to it.
func clickThrough(t *testing.T, method string, fate hosttest.Fate, sends bool) {
	s := newShop(t, needy)
	if sends {
		var err error
		s.Flow, err = flow.New(ctx, s.cfg, s.host, &countingDesk{}, s.clock, "test")
		ok(t, err)
	}
	call := flow.HandoverCall{Token: s.asks(ada).Token, Channel: "chat"}
	s.host.FailNext(method, fate)
	_, err := s.Handover(ctx, call, browser)
	if err != nil {
		faulted(t, err, 503, "")
	}
	if changes := method == "ChangeContact"; (err != nil) != (sends || !changes) {
		t.Errorf("%s, a desk that sends %v: the first click gave %v", method, sends, err)
	}
	_, err = s.Handover(ctx, call, browser)
	ok(t, err)
	q, err := s.Queue(ctx, adviser)
	ok(t, err)
	want(t, len(q.Contacts), 1)
	want(t, len(s.decisions(decide.ActionHandover)), 1)
}

func TestATokenIsOursFreshAndSealed(t *testing.T) {
	s := newShop(t, needy)
	s.grant(ada, consent.AdviserAssist)
	a := s.asks(ada)
	raw, err := base64.RawURLEncoding.DecodeString(a.Token)
	ok(t, err)
	if strings.Contains(string(raw), s.subject(consent.Device, ada).String()) {
		t.Error("the token shows the pseudonym")
	}
	raw[len(raw)/2] ^= 1
	for name, token := range map[string]string{
		"changed": base64.RawURLEncoding.EncodeToString(raw), "empty": "", "no token": "%%%", "cut": a.Token[:len(a.Token)-4],
		"too long": strings.Repeat("A", 100_000),
	} {
		_, err := s.Handover(ctx, flow.HandoverCall{Token: token, Channel: "chat"}, browser)
		if f := faulted(t, err, 422, "token"); f.Code != "token_invalid" {
			t.Errorf("%s: got %s", name, f.Code)
		}
	}
	_, err = s.Handover(ctx, flow.HandoverCall{Token: a.Token, Channel: "fax"}, browser)
	faulted(t, err, 422, "channel")
	s.wait(11 * time.Minute)
	_, err = s.Handover(ctx, flow.HandoverCall{Token: a.Token, Channel: "chat"}, browser)
	if f := faulted(t, err, 422, "token"); f.Code != "token_expired" {
		t.Errorf("got %s", f.Code)
	}
	q, err := s.Queue(ctx, adviser)
	ok(t, err)
	want(t, len(q.Contacts), 0)
}

func TestOffersOffStopsProactiveTokensOnly(t *testing.T) {
	s := newShop(t, needy)
	s.staffed(5, "chat")
	s.interested(ada)
	proactive, asked := s.escalate(ada, "B12"), s.asks(bob)
	want(t, proactive.Offer, flow.OfferHuman)
	_, err := s.PutSwitch(ctx, flow.SwitchOffers, flow.SwitchCall{Reason: "drill"}, ops)
	ok(t, err)
	_, err = s.Handover(ctx, flow.HandoverCall{Token: proactive.Token, Channel: "chat"}, browser)
	faulted(t, err, 403, "token")
	_, err = s.Handover(ctx, flow.HandoverCall{Token: asked.Token, Channel: "chat"}, browser)
	ok(t, err)
}

func TestAJoinLinkHoldsNothingButTheContact(t *testing.T) {
	q, err := desk.NewQueue("https://shop.example/talk/")
	ok(t, err)
	url, err := q.Send(ctx, flow.Contact{ID: "0193-x", Question: "secret", Channel: "chat"})
	ok(t, err)
	want(t, url, "https://shop.example/talk/0193-x")
}
