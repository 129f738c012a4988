package flow_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/policy"
	"github.com/handschlag/handschlag/profile"
)

// needy sets a scorecard under which every looked-at product earns ten points,
// so that tests climb the ladder by looking.
func needy(c *config.Config) {
	bins := []decide.Bin{}
	for n := int64(1); n <= 10; n++ {
		bins = append(bins, decide.Bin{AtLeast: n, Points: 10 * n})
	}
	c.Scorecard = decide.Scorecard{Version: "test", Features: []decide.Feature{{Name: profile.ProductsViewed, Bins: bins}}}
	c.Offers.NeedHint, c.Offers.NeedHuman = 10, 20
	c.Offers.MinGap, c.Offers.DismissedFor, c.Offers.TokenFor = 10*time.Minute, 168*time.Hour, 10*time.Minute
	c.Offers.Channels = []string{"call", "chat", "video"}
}

// staffed makes one adviser available.
func (s *shop) staffed(capacity int, channels ...string) {
	s.t.Helper()
	_, err := s.PutAdviser(ctx, flow.AdviserCall{Available: true, Channels: channels, Capacity: capacity}, adviser)
	ok(s.t, err)
}

func (s *shop) escalate(device, product string) flow.EscalateAnswer {
	s.t.Helper()
	a, err := s.Escalate(ctx, flow.EscalateCall{AnonymousID: device, Page: flow.PageRef{ProductID: product, Type: "product"}}, browser)
	ok(s.t, err)
	return a
}

func (s *shop) asks(device string) flow.EscalateAnswer {
	s.t.Helper()
	a, err := s.Escalate(ctx, flow.EscalateCall{AnonymousID: device, Asked: true}, browser)
	ok(s.t, err)
	return a
}

// interested is a visitor with consent who looked at two products.
func (s *shop) interested(device string) {
	s.t.Helper()
	s.grant(device, consent.AdviserAssist)
	for _, p := range []string{"B12", "J7"} {
		s.wait(time.Second)
		want(s.t, s.outcome(s.view(device, p)), "admitted: adviser_assist")
	}
	s.wait(time.Second)
}

func rulesOf(rs []policy.Reason) string {
	out := make([]string, len(rs))
	for i, r := range rs {
		if out[i] = r.Rule; r.De == "" || r.En == "" {
			out[i] += "(no words)"
		}
	}
	return strings.Join(out, " ")
}

func TestWithoutConsentNothingIsOffered(t *testing.T) {
	s := newShop(t, needy)
	s.staffed(2, "chat", "video")
	a := s.escalate(ada, "B12")
	want(t, a.Offer, flow.OfferNone)
	want(t, a.Token, "")
	want(t, a.Contact, s.cfg.Contact)
	want(t, a.Speaker, flow.SpeakerMachine)
	if !strings.Contains(rulesOf(a.Reasons), "ESC-01") {
		t.Errorf("reasons are %q", rulesOf(a.Reasons))
	}
	r := s.decisions(decide.ActionEscalate)[0]
	var in policy.EscalateInput
	ok(t, json.Unmarshal(r.Input, &in))
	if r.Need != nil || len(in.Features) > 0 {
		t.Error("a profile was read without consent")
	}
}

func TestTheLadderGoesFromHintToHuman(t *testing.T) {
	s := newShop(t, needy)
	s.staffed(2, "chat")
	s.interested(ada)
	first := s.escalate(ada, "J7")
	want(t, first.Offer, flow.OfferHint)
	if first.Hint == "" || first.Token != "" {
		t.Errorf("got %+v", first)
	}
	s.wait(11 * time.Minute)
	want(t, s.outcome(s.view(ada, "S1")), "admitted: adviser_assist")
	second := s.escalate(ada, "J7")
	want(t, second.Offer, flow.OfferHuman)
	want(t, strings.Join(second.Channels, " "), "chat")
	if second.ExpiresAt == nil || !second.ExpiresAt.Equal(s.now.Add(10*time.Minute)) {
		t.Errorf("the token ends %v", second.ExpiresAt)
	}
	third := s.escalate(ada, "J7")
	want(t, third.Offer, flow.OfferNone)
	if !strings.Contains(rulesOf(third.Reasons), "OFFER-CAP") {
		t.Errorf("reasons are %q", rulesOf(third.Reasons))
	}
}

func TestAPremiumProductNeedsNoHintFirst(t *testing.T) {
	s := newShop(t, needy)
	s.staffed(1, "video")
	s.interested(ada)
	want(t, s.escalate(ada, "B12").Offer, flow.OfferHuman)
	s.interested(bob)
	want(t, s.escalate(bob, "S1").Offer, flow.OfferHint) // simple: never a paid human
}

func TestAProactiveOfferNeedsAFreeAdviser(t *testing.T) {
	for _, x := range []struct {
		name string
		run  func(*shop)
		want string
	}{
		{"nobody said that they are there", func(*shop) {}, "hint"},
		{"somebody is there", func(s *shop) { s.staffed(1, "chat") }, "human"},
		{"somebody without capacity", func(s *shop) { s.staffed(0, "chat") }, "hint"},
		{"everybody is busy", func(s *shop) {
			s.staffed(1, "chat")
			h, err := s.Handover(ctx, flow.HandoverCall{Token: s.asks("").Token, Channel: "chat"}, browser)
			ok(s.t, err)
			_, err = s.Accept(ctx, h.ContactID, adviser)
			ok(s.t, err)
		}, "hint"},
		{"gone again", func(s *shop) {
			s.staffed(1, "chat")
			_, err := s.PutAdviser(ctx, flow.AdviserCall{}, adviser)
			ok(s.t, err)
		}, "hint"},
	} {
		t.Run(x.name, func(t *testing.T) {
			s := newShop(t, needy)
			x.run(s)
			s.interested(ada)
			want(t, s.escalate(ada, "B12").Offer, x.want)
		})
	}
}

func TestWhoAsksGetsAHuman(t *testing.T) {
	for _, x := range []struct {
		name string
		run  func(*shop)
	}{
		{"without consent and adviser", func(*shop) {}},
		{"after refusing everything", func(s *shop) { s.withdraw(ada, consent.AdviserAssist, consent.Analytics) }},
		{"after dismissing an offer", func(s *shop) {
			s.interested(ada)
			s.ingest(browser, s.track(ada, "Adviser Offer Dismissed", map[string]any{"decision_id": "d"}))
		}},
		{"with offers switched off", func(s *shop) {
			_, err := s.PutSwitch(ctx, flow.SwitchOffers, flow.SwitchCall{Reason: "drill"}, dpo)
			ok(s.t, err)
		}},
		{"under any hold-out", func(s *shop) { s.cfg.Offers.Holdout = 1 }},
	} {
		t.Run(x.name, func(t *testing.T) {
			s := newShop(t, needy)
			x.run(s)
			a := s.asks(ada)
			want(t, a.Offer, flow.OfferHuman)
			want(t, strings.Join(a.Channels, " "), "call chat video")
			_, err := s.Handover(ctx, flow.HandoverCall{Token: a.Token, Channel: "call"}, browser)
			ok(t, err)
		})
	}
	t.Run("without any identifier", func(t *testing.T) {
		want(t, newShop(t, needy).asks("").Offer, flow.OfferHuman)
	})
}

func TestOutsideOpeningHoursTheContactRemains(t *testing.T) {
	s := newShop(t, needy, func(c *config.Config) { c.Offers.Hours = []config.Hours{{Day: "mon", From: "09:00", To: "18:00"}} })
	a := s.asks(ada)
	want(t, a.Offer, flow.OfferNone)
	want(t, a.Contact, s.cfg.Contact)
	if !strings.Contains(rulesOf(a.Reasons), "OFFER-HOURS") {
		t.Errorf("reasons are %q", rulesOf(a.Reasons))
	}
	s.wait(48 * time.Hour)
	want(t, s.asks(ada).Offer, flow.OfferHuman)
}

func TestClosedStaysClosed(t *testing.T) {
	s := newShop(t, needy)
	s.staffed(5, "chat")
	s.interested(ada)
	want(t, s.escalate(ada, "B12").Offer, flow.OfferHuman)
	s.wait(time.Second)
	want(t, s.outcome(s.track(ada, "Adviser Offer Dismissed", map[string]any{"decision_id": "x"})), "admitted: adviser_assist")
	for _, d := range []time.Duration{time.Hour, 6 * 24 * time.Hour} {
		s.wait(d)
		s.ingest(browser, s.view(ada, "B12"), s.view(ada, "J7"))
		a := s.escalate(ada, "B12")
		want(t, a.Offer, flow.OfferNone)
		if !strings.Contains(rulesOf(a.Reasons), "OFFER-CLOSED") {
			t.Errorf("after %s, reasons are %q", d, rulesOf(a.Reasons))
		}
	}
	s.wait(2 * 24 * time.Hour)
	s.ingest(browser, s.view(ada, "B12"), s.view(ada, "J7"))
	want(t, s.escalate(ada, "B12").Offer, flow.OfferHuman)
}

func TestTheHoldOutIsLoggedWithItsPropensity(t *testing.T) {
	s := newShop(t, needy, func(c *config.Config) { c.Offers.Holdout = 1 })
	s.staffed(5, "chat")
	s.interested(ada)
	a := s.escalate(ada, "B12")
	want(t, a.Offer, flow.OfferNone)
	r := s.decisions(decide.ActionEscalate)[0]
	var v policy.EscalateVerdict
	ok(t, json.Unmarshal(r.Result, &v))
	want(t, v.HeldOut, true)
	if r.Seed == "" || r.PPM == 0 || r.Need == nil {
		t.Errorf("seed %q, propensity %d, need %v", r.Seed, r.PPM, r.Need)
	}
	if !slices.Contains(r.Rules, "OFFER-HOLDOUT") {
		t.Errorf("rules are %v", r.Rules)
	}
}

func TestAWithdrawalBindsTheNextOffer(t *testing.T) {
	s := newShop(t, needy)
	s.staffed(5, "chat")
	s.interested(ada)
	s.withdraw(ada, consent.AdviserAssist)
	a := s.escalate(ada, "B12")
	want(t, a.Offer, flow.OfferNone)
	if !strings.Contains(rulesOf(a.Reasons), "CON-10") {
		t.Errorf("reasons are %q", rulesOf(a.Reasons))
	}
}

func TestASensitivePageIsNeitherUsedNorCarried(t *testing.T) {
	s := newShop(t, needy)
	s.staffed(5, "chat")
	s.interested(ada)
	want(t, s.escalate(ada, "P1").Offer, flow.OfferNone)
	a, err := s.Escalate(ctx, flow.EscalateCall{AnonymousID: ada, Asked: true, Page: flow.PageRef{ProductID: "P1"}}, browser)
	ok(t, err)
	h, err := s.Handover(ctx, flow.HandoverCall{Token: a.Token, Channel: "chat"}, browser)
	ok(t, err)
	c, err := s.host.Contact(ctx, h.ContactID)
	ok(t, err)
	want(t, c.Page.ProductID, "")
}

func TestTheSwitchStopsTheNextOffer(t *testing.T) {
	s := newShop(t, needy)
	s.staffed(5, "chat")
	s.interested(ada)
	_, err := s.PutSwitch(ctx, flow.SwitchOffers, flow.SwitchCall{Reason: "too many"}, ops)
	ok(t, err)
	a := s.escalate(ada, "B12")
	want(t, a.Offer, flow.OfferNone)
	if !strings.Contains(rulesOf(a.Reasons), "SWITCH") {
		t.Errorf("reasons are %q", rulesOf(a.Reasons))
	}
}

func TestValueNeverHidesTheHuman(t *testing.T) {
	offers := map[int]string{}
	for tier := 0; tier <= 5; tier++ {
		s := newShop(t, needy)
		s.staffed(5, "chat")
		s.interested(ada)
		subject := s.subject(consent.Device, ada)
		ok(t, s.host.Publish(ctx, flow.Publication{AsOf: s.now, Run: "r"}, profile.MembersOf(map[consent.Subject]profile.Membership{
			subject: {ValueTier: tier, Purpose: consent.AdviserAssist, AsOf: s.now, Until: s.now.Add(time.Hour)},
		})))
		offers[tier] = s.escalate(ada, "B12").Offer
		var in policy.EscalateInput
		ok(t, json.Unmarshal(s.decisions(decide.ActionEscalate)[0].Input, &in))
		want(t, in.Value, tier)
	}
	for tier, offer := range offers {
		if offer != flow.OfferHuman {
			t.Errorf("tier %d is offered %s", tier, offer)
		}
	}
}

func TestAnExpiredMembershipIsNotUsed(t *testing.T) {
	s := newShop(t, needy)
	s.interested(ada)
	subject := s.subject(consent.Device, ada)
	ok(t, s.host.Publish(ctx, flow.Publication{AsOf: s.now, Run: "r"}, profile.MembersOf(map[consent.Subject]profile.Membership{
		subject: {ValueTier: 5, Purpose: consent.Analytics, AsOf: s.now, Until: s.now.Add(time.Hour)},
	})))
	s.escalate(ada, "B12")
	var in policy.EscalateInput
	ok(t, json.Unmarshal(s.decisions(decide.ActionEscalate)[0].Input, &in))
	want(t, in.Value, 0) // the purpose it rests on was never given
}

func TestAProactiveCallNeedsAnIdentifier(t *testing.T) {
	s := newShop(t, needy)
	_, err := s.Escalate(ctx, flow.EscalateCall{}, browser)
	faulted(t, err, 422, "anonymousId")
	_, err = s.Escalate(ctx, flow.EscalateCall{AnonymousID: ada, UserID: adaAcc}, browser)
	faulted(t, err, 403, "userId")
}

// R50: off means off. Who refused is known by pseudonym, yet no record of what
// was decided bears it.
func TestWhoRefusedLeavesNoTrailOfDecisions(t *testing.T) {
	s := newShop(t)
	s.grant(ada, consent.Analytics)
	s.escalate(ada, "B12")
	_, err := s.Variant(ctx, flow.VariantCall{AnonymousID: ada, Slot: "home_hero", Locale: "de"}, browser)
	ok(t, err)
	s.grant(bob, consent.AdviserAssist)
	s.escalate(bob, "B12")
	offers := s.decisions(decide.ActionEscalate)
	want(t, offers[1].Subject, s.subject(consent.Device, bob))
	want(t, offers[0].Subject, consent.Subject{})
	want(t, s.decisions(decide.ActionVariant)[0].Subject, consent.Subject{})
}
