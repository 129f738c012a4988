package flow_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/host/desk"
	"github.com/handschlag/handschlag/host/hosttest"
	"github.com/handschlag/handschlag/price"
	"github.com/handschlag/handschlag/profile"
)

// vendors is a shop whose chat is a vendor's, with a bot, and whose video a vendor's too.
func vendors(c *config.Config) {
	c.Offers.Desks = map[string]config.Desk{
		"chat":  {Vendor: "Chatter", JoinURL: "https://chatter.example/w", Bot: true},
		"video": {Vendor: "Screens", JoinURL: "https://screens.example/r"},
	}
}

// desked is a shop whose desk knows the vendors' links.
func desked(t *testing.T, change ...func(*config.Config)) *shop {
	t.Helper()
	s := newShop(t, append([]func(*config.Config){needy, vendors}, change...)...)
	queue, err := desk.NewQueue("https://shop.example/talk", s.cfg.Offers.Desks)
	ok(t, err)
	s.Flow, err = flow.New(ctx, s.cfg, s.host, queue, s.clock, "test")
	ok(t, err)
	return s
}

func text(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	ok(t, err)
	return string(b)
}

// ESC-02: the vendor's link comes with the answer to the click.
func TestESC02AllowVendorLinkAfterTheClick(t *testing.T) {
	s := desked(t)
	a, err := s.Handover(ctx, flow.HandoverCall{Token: s.asks(ada).Token, Channel: "video"}, browser)
	ok(t, err)
	want(t, a.JoinURL, "https://screens.example/r/"+a.ContactID)
	r := s.decisions(decide.ActionHandover)[0]
	want(t, strings.Join(r.Rules, " "), "ESC-02 ESC-03")
	b, err := s.Handover(ctx, flow.HandoverCall{Token: s.asks(bob).Token, Channel: "call"}, browser)
	ok(t, err)
	want(t, b.JoinURL, "https://shop.example/talk/"+b.ContactID)
}

// ESC-02: no answer before the click names a vendor, and a preloaded one is not offered.
func TestESC02DenyVendorBeforeTheClick(t *testing.T) {
	s := desked(t)
	s.staffed(5, "chat", "video")
	s.interested(ada)
	for _, answer := range []any{s.escalate(ada, "B12"), s.asks(bob)} {
		if got := text(t, answer); strings.Contains(got, "chatter") || strings.Contains(got, "screens") || strings.Contains(got, "join_url") {
			t.Errorf("an offer leads to a vendor: %s", got)
		}
	}
	s = desked(t, func(c *config.Config) {
		d := c.Offers.Desks["chat"]
		d.Preload = true
		c.Offers.Desks["chat"] = d
	})
	a := s.asks(ada)
	want(t, strings.Join(a.Channels, " "), "call video")
	_, err := s.Handover(ctx, flow.HandoverCall{Token: a.Token, Channel: "chat"}, browser)
	faulted(t, err, 422, "channel")
}

// ESC-05: whoever speaks says what they are, at the start and again on hand-over.
func TestESC05AllowSpeakersWhoSayWhatTheyAre(t *testing.T) {
	s := desked(t)
	a := s.asks(ada)
	want(t, a.Speaker, flow.SpeakerMachine)
	want(t, a.Disclosure.En, "A program answers here, not a human.")
	h, err := s.Handover(ctx, flow.HandoverCall{Token: a.Token, Channel: "chat"}, browser)
	ok(t, err)
	want(t, h.Speaker, flow.SpeakerMachine)
	want(t, h.Disclosure.En, "You are chatting with an AI assistant. Type 'human' for a person.")
	taken, err := s.Accept(ctx, h.ContactID, adviser)
	ok(t, err)
	want(t, taken.Disclosure.De, "Jetzt antwortet Ihnen ein Mensch.")
	again, err := s.Handover(ctx, flow.HandoverCall{Token: a.Token, Channel: "chat"}, browser)
	ok(t, err)
	want(t, again.Speaker, flow.SpeakerHuman)
	want(t, again.Disclosure.De, taken.Disclosure.De)
}

// ESC-05: a bot without a notice sends nothing.
func TestESC05DenyBotWithoutNotice(t *testing.T) {
	s := desked(t, func(c *config.Config) {
		c.Offers.Disclosures = map[string]map[string]string{"bot": {"de": "Anna"}, "human": {"de": "Ein Mensch.", "en": "A human."}}
	})
	s.staffed(5, "call")
	s.interested(ada)
	a := s.escalate(ada, "B12")
	want(t, a.Offer, flow.OfferNone)
	want(t, a.Reasons[0].Rule, "ESC-05")
	asked := s.asks(bob) // a human stays reachable
	want(t, asked.Offer, flow.OfferHuman)
	_, err := s.Handover(ctx, flow.HandoverCall{Token: asked.Token, Channel: "chat"}, browser)
	if f := faulted(t, err, 403, ""); !strings.Contains(f.Detail, "ESC-05") {
		t.Errorf("got %s", f.Detail)
	}
	_, err = s.Handover(ctx, flow.HandoverCall{Token: s.asks("device-cyd-0000000003").Token, Channel: "call"}, browser)
	ok(t, err)
}

// talkingTo is a contact of a visitor's that mia has taken.
func (s *shop) talkingTo(device string, ps ...consent.Purpose) string {
	s.t.Helper()
	return s.talk(device, flow.HandoverCall{}, ps...)
}

// talking is a contact of ada's that mia has taken.
func (s *shop) talking(call flow.HandoverCall, ps ...consent.Purpose) string {
	s.t.Helper()
	return s.talk(ada, call, ps...)
}

func (s *shop) talk(device string, call flow.HandoverCall, ps ...consent.Purpose) string {
	s.t.Helper()
	s.grant(device, append(ps, consent.AdviserAssist)...)
	call.Token, call.Channel = s.asks(device).Token, "call"
	h, err := s.Handover(ctx, call, browser)
	ok(s.t, err)
	_, err = s.Accept(ctx, h.ContactID, adviser)
	ok(s.t, err)
	s.wait(time.Minute)
	return h.ContactID
}

func (s *shop) records(id string, c flow.Caller, call flow.RecordingCall) flow.RecordingAnswer {
	s.t.Helper()
	a, err := s.Record(ctx, id, call, c)
	ok(s.t, err)
	return a
}

var begin, stop = true, false

// ESC-06: visitor and adviser both pressed "record"; a coach whom all agreed to listens.
func TestESC06AllowRecordingOnEverybodysYes(t *testing.T) {
	s := newShop(t, needy)
	id := s.talking(flow.HandoverCall{}, consent.RecordingAV)
	a := s.records(id, adviser, flow.RecordingCall{On: &begin, Kind: "audio", Analytics: []string{"summary"}})
	want(t, a.Allowed, true)
	want(t, a.Recording.On, true)
	card, err := s.Card(ctx, id, adviser)
	ok(t, err)
	want(t, card.Recording.On, true)
	want(t, card.MustStop, false)
	want(t, s.decisions(decide.ActionConduct)[0].Actor, "adviser:mia")
	s.records(id, other, flow.RecordingCall{Agree: true})
	s.wait(time.Second)
	want(t, s.records(id, adviser, flow.RecordingCall{On: &begin, Kind: "listen", Present: []string{"ole"}}).Allowed, true)
	s.wait(time.Hour)
	ended := s.records(id, adviser, flow.RecordingCall{On: &stop})
	want(t, ended.Recording.On, false)
	want(t, ended.Recording.DeleteBy.Equal(s.clock().AddDate(0, 0, 30)), true)
	s.withdraw(ada, consent.RecordingAV) // nothing is kept after a withdrawal
	s.wait(time.Minute)
	want(t, s.records(id, adviser, flow.RecordingCall{On: &stop}).Recording.DeleteBy.Equal(s.clock()), true)
}

// ESC-06: a second recording does not take back the deletion that the first stop ordered.
func TestESC06DenyKeepingAnEarlierRecordingByStartingAnew(t *testing.T) {
	s := newShop(t, needy)
	id := s.talking(flow.HandoverCall{}, consent.RecordingAV)
	start := flow.RecordingCall{On: &begin, Kind: "audio"}
	s.records(id, adviser, start)
	s.wait(time.Hour)
	first := s.records(id, adviser, flow.RecordingCall{On: &stop}).Recording
	s.wait(time.Hour)
	second := s.records(id, adviser, start).Recording
	want(t, len(second.Earlier), 1)
	want(t, second.Earlier[0].DeleteBy.Equal(*first.DeleteBy), true)
	want(t, second.DeleteBy == nil, true)
	s.withdraw(ada, consent.RecordingAV)
	s.wait(time.Minute)
	ended := s.records(id, adviser, flow.RecordingCall{On: &stop}).Recording
	want(t, ended.DeleteBy.Equal(s.clock()), true)
	want(t, ended.Earlier[0].DeleteBy.Equal(s.clock()), true)
}

// ESC-06: one side alone, a late yes, a silent coach.
func TestESC06DenyRecordingWithoutEverybodysPriorYes(t *testing.T) {
	s := newShop(t, needy)
	id := s.talking(flow.HandoverCall{})
	start := flow.RecordingCall{On: &begin, Kind: "audio"}
	refused := func(what string, a flow.RecordingAnswer) {
		t.Helper()
		if a.Allowed || a.Recording.On || strings.Join(a.Rules, " ") != "ESC-06" || len(a.Reasons) != 1 {
			t.Errorf("%s: %+v", what, a)
		}
	}
	refused("only the adviser agreed", s.records(id, adviser, start))
	s.grant(ada, consent.RecordingAV)
	refused("the yes is not before the start", s.records(id, adviser, start))
	s.wait(time.Second)
	refused("the coach did not agree", s.records(id, adviser, flow.RecordingCall{On: &begin, Kind: "listen", Present: []string{"ole"}}))
	refused("the coach listens, the adviser does not know", s.records(id, other, flow.RecordingCall{On: &begin, Kind: "listen"}))
	s.withdraw(ada, consent.RecordingAV)
	refused("withdrawn", s.records(id, adviser, start))
	_, err := s.Record(ctx, id, start, dpo)
	faulted(t, err, 403, "")
	again := s.talkingTo(bob, consent.RecordingAV)
	want(t, s.records(again, adviser, start).Allowed, true)
	s.withdraw(bob, consent.RecordingAV)
	card, err := s.Card(ctx, again, adviser)
	ok(t, err)
	want(t, card.MustStop, true)
	_, err = s.Record(ctx, id, flow.RecordingCall{On: &stop}, adviser)
	faulted(t, err, 409, "contact")
	_, err = s.Outcome(ctx, id, flow.OutcomeCall{Outcome: "helped"}, adviser)
	ok(t, err)
	_, err = s.Record(ctx, id, flow.RecordingCall{Agree: true}, other)
	faulted(t, err, 409, "contact")
}

// SPC-07: nobody's voice is read for feelings, the adviser's neither.
func TestSPC07DenySentimentOfAConversation(t *testing.T) {
	s := newShop(t, needy)
	id := s.talking(flow.HandoverCall{}, consent.RecordingAV)
	a := s.records(id, adviser, flow.RecordingCall{On: &begin, Kind: "audio", Analytics: []string{"sentiment"}})
	want(t, a.Allowed, false)
	want(t, strings.Join(a.Rules, " "), "SPC-07")
}

func (s *shop) mayCall(id, number, topic string) flow.CallAnswer {
	s.t.Helper()
	a, err := s.MayCall(ctx, id, flow.CallCall{Number: number, Topic: topic}, adviser)
	ok(s.t, err)
	return a
}

// ESC-07: the requested call about order 4711 at three o'clock.
func TestESC07AllowTheCallThatWasAskedFor(t *testing.T) {
	s := newShop(t, needy)
	three := noon.Add(3 * time.Hour)
	id := s.talking(flow.HandoverCall{Callback: &flow.Callback{Number: "+49 (30) 123-456", Topic: "Order 4711", At: &three}})
	card, err := s.Card(ctx, id, adviser)
	ok(t, err)
	want(t, card.Callback.Number, "+4930123456")
	s.wait(three.Sub(s.clock()))
	a := s.mayCall(id, "+49 30 123456", "order 4711")
	want(t, a.Allowed, true)
	want(t, a.Basis, "request")
	want(t, len(s.decisions(decide.ActionConduct)), 1)
	if r := s.decisions(decide.ActionConduct)[0]; strings.Contains(text(t, r), "123456") {
		t.Errorf("the record holds the number: %s", r.Input)
	}
}

// ESC-07: another number, subject or time; the next day "while we are at it"; an abandoned basket.
func TestESC07DenyAnyOtherCall(t *testing.T) {
	s := newShop(t, needy)
	three := noon.Add(3 * time.Hour)
	id := s.talking(flow.HandoverCall{Callback: &flow.Callback{Number: "030 123456", Topic: "order 4711", At: &three}})
	denied := func(what, number, topic string) {
		t.Helper()
		if a := s.mayCall(id, number, topic); a.Allowed || strings.Join(a.Rules, " ") != "ESC-07" {
			t.Errorf("%s: %+v", what, a)
		}
	}
	denied("three hours too early", "030123456", "order 4711")
	s.wait(three.Sub(s.clock()))
	denied("another number", "030 654321", "order 4711")
	denied("another subject", "030 123456", "a better lens")
	_, err := s.Outcome(ctx, id, flow.OutcomeCall{Outcome: "follow_up"}, adviser)
	ok(t, err)
	denied("the contact is closed", "030 123456", "order 4711")
	_, err = s.Handover(ctx, flow.HandoverCall{Token: s.asks(bob).Token, Channel: "call", Callback: &flow.Callback{Number: "me", Topic: "x"}}, browser)
	faulted(t, err, 422, "callback.number")
	_, err = s.Handover(ctx, flow.HandoverCall{Token: s.asks(bob).Token, Channel: "call", Callback: &flow.Callback{Number: "030 1234"}}, browser)
	faulted(t, err, 422, "callback.topic")
}

// accountTalk is a contact of a visitor whose account is known.
func (s *shop) accountTalk() string {
	s.t.Helper()
	a, err := s.Escalate(ctx, flow.EscalateCall{UserID: adaAcc, Asked: true}, backend)
	ok(s.t, err)
	h, err := s.Handover(ctx, flow.HandoverCall{Token: a.Token, Channel: "call"}, backend)
	ok(s.t, err)
	_, err = s.Accept(ctx, h.ContactID, adviser)
	ok(s.t, err)
	return h.ContactID
}

// ESC-08: each advertising call appends a use, and five years begin anew.
func TestESC08AllowCallUnderACompleteFile(t *testing.T) {
	s := newShop(t, needy)
	grant := s.grantAccount(adaAcc, consent.MarketingPhone)
	id := s.accountTalk()
	s.wait(100 * 24 * time.Hour)
	a := s.mayCall(id, "030 123456", "a better lens")
	want(t, a.Allowed, true)
	want(t, a.Basis, "marketing_phone")
	want(t, a.ProofUntil.Equal(s.clock().AddDate(5, 0, 0)), true)
	history, err := s.host.History(ctx, s.subject(consent.Account, adaAcc))
	ok(t, err)
	want(t, len(history), 2)
	want(t, history[1].Supersedes, grant.RecordID)
	want(t, history[1].Event.Actor, "adviser:mia")
	want(t, s.mayCall(id, "030 123456", "once more").Allowed, true) // the use took nothing back
}

// ESC-07: who is on the list of those not to be called is not called, though the consent
// stands (EXP-03); who closed e-mail alone may be.
func TestESC07DenyCallsToWhomTheSuppressionListNames(t *testing.T) {
	for channel, allowed := range map[string]bool{"phone": false, consent.AllChannels: false, "email": true} {
		s := newShop(t, needy)
		s.grantAccount(adaAcc, consent.MarketingPhone)
		id := s.accountTalk()
		s.requests(flow.RightsCall{UserID: adaAcc, Request: flow.RightObjection, Channel: channel})
		s.wait(time.Minute)
		a := s.mayCall(id, "030 123456", "a better lens")
		if a.Allowed != allowed {
			t.Errorf("with %s closed a call is %v: %v", channel, a.Allowed, a.Rules)
		}
	}
}

// ESC-08: no file of our own, or a withdrawn consent, is no call.
func TestESC08DenyCallWithoutAFile(t *testing.T) {
	s := newShop(t, needy)
	s.grantAccount(adaAcc, consent.AdviserAssist)
	id := s.accountTalk()
	want(t, s.mayCall(id, "030 123456", "a better lens").Allowed, false)
	s.grantAccount(adaAcc, consent.MarketingPhone)
	call := says("", false, consent.MarketingPhone)
	call.UserID = adaAcc
	_, err := s.Consent(ctx, call, backend)
	ok(t, err)
	want(t, s.mayCall(id, "030 123456", "a better lens").Allowed, false)
	history, err := s.host.History(ctx, s.subject(consent.Account, adaAcc))
	ok(t, err)
	want(t, len(history), 3) // no use was noted
}

// SPC-04: what the shop tagged as a proxy or a weakness steers no offer; asking still works.
func TestSPC04DenyTaggedFeatureInAnOffer(t *testing.T) {
	for tag, rule := range map[string]string{"proxy": "SPC-04", "vulnerability": "SPC-07"} {
		s := newShop(t, needy, func(c *config.Config) { c.FeatureTags = map[string][]string{profile.ProductsViewed: {tag}} })
		s.staffed(5, "chat")
		s.interested(ada)
		a := s.escalate(ada, "B12")
		want(t, a.Offer, flow.OfferNone)
		want(t, a.Reasons[0].Rule, rule)
		want(t, s.asks(ada).Offer, flow.OfferHuman)
	}
}

// SPC-04: the catalogue's own features may.
func TestSPC04AllowCatalogueFeatures(t *testing.T) {
	s := newShop(t, needy)
	s.staffed(5, "chat")
	s.interested(ada)
	want(t, s.escalate(ada, "B12").Offer, flow.OfferHuman)
	if in := string(s.decisions(decide.ActionEscalate)[0].Input); !strings.Contains(in, `"feature_tags":["intent","interest"]`) && !strings.Contains(in, `"feature_tags":["interest"]`) {
		t.Errorf("the tags are not in the record: %s", in)
	}
}

// aged is a host all of whose subjects are of one age.
type aged struct {
	*hosttest.Memory
	band string
}

func (h aged) State(ctx context.Context, s consent.Subject) (consent.State, error) {
	st, err := h.Memory.State(ctx, s)
	st.AgeBand = h.band
	return st, err
}

func (h aged) PriceStanding(c context.Context, id string) (flow.PriceStanding, error) {
	r, err := h.Record(c, id)
	if err != nil {
		return flow.PriceStanding{}, err
	}
	st, err := h.State(c, r.Subject)
	if err != nil {
		return flow.PriceStanding{}, err
	}
	return flow.PriceStandingOf(r, st)
}

// as gives a flow over the same shop for whom every subject has an age.
func (s *shop) as(band string) *flow.Flow {
	s.t.Helper()
	f, err := flow.New(ctx, s.cfg, aged{s.host, band}, nil, s.clock, "test")
	ok(s.t, err)
	return f
}

// personal is a personal price for who gave the consent.
func (s *shop) personal(f *flow.Flow) bool {
	s.t.Helper()
	q := quote()
	q.Basis, q.OfferCents, q.Disclosed, q.ConsentID = "personalised", 9200, true, s.grantAccount(adaAcc, consent.PersonalisedPrice).RecordID
	a, err := f.Price(ctx, []price.Quote{q}, backend)
	ok(s.t, err)
	return a[0].Price.Allowed
}

func personalised(c *config.Config) { c.Prices.Personalised = true }

// SPC-06: an adult may have a personal price, and a minor the page's own content.
func TestSPC06AllowAdultsPriceAndMinorsPage(t *testing.T) {
	s := newShop(t, hero, personalised)
	want(t, s.personal(s.as("adult")), true)
	s.grant(ada, consent.PersonalisationContent, consent.Experimentation)
	a, err := s.as("16_17").Variant(ctx, flow.VariantCall{AnonymousID: ada, Slot: "hero"}, browser)
	ok(t, err)
	want(t, a.Variant, "plain")
}

// SPC-06: a known minor pays the list price, whatever was agreed to.
func TestSPC06DenyPersonalPriceForMinors(t *testing.T) {
	s := newShop(t, personalised)
	for _, band := range []string{"u16", "16_17"} {
		want(t, s.personal(s.as(band)), false)
	}
}

// SPC-06: in a shop for children an unknown age is a minor's, though the parents agreed.
func TestSPC06DenyPersonalPriceInAShopForChildren(t *testing.T) {
	for _, children := range []bool{false, true} {
		s := newShop(t, personalised, func(c *config.Config) { c.ChildShop = children })
		call := gives("", consent.PersonalisedPrice)
		call.UserID, call.Parental = adaAcc, &consent.Parental{Method: "signed form", Time: s.clock()}
		agreed, err := s.Consent(ctx, call, backend)
		ok(t, err)
		want(t, agreed.Purposes[consent.PersonalisedPrice].Status, consent.Given)
		q := quote()
		q.Basis, q.OfferCents, q.Disclosed, q.ConsentID = "personalised", 9200, true, agreed.RecordID
		want(t, s.judged(q).Price.Allowed, !children)
	}
}

// ADM-01: a shop may class prices as significant; then no machine decides them.
func TestADM01DenySignificantDecisions(t *testing.T) {
	s := newShop(t, needy, hero, personalised, func(c *config.Config) {
		for name := range c.Decisions {
			c.Decisions[name] = config.DecisionType{Significance: "significant"}
		}
	})
	s.staffed(5, "chat")
	s.interested(ada)
	offer := s.escalate(ada, "B12")
	want(t, offer.Offer, flow.OfferNone)
	want(t, offer.Reasons[0].Rule, "ADM-01")
	want(t, s.asks(ada).Offer, flow.OfferHuman) // human intervention, on request
	for range 5 {
		want(t, s.variant(bob, "de").Variant, "plain")
	}
	want(t, s.personal(s.Flow), false)
}

// ADM-01: as classed by default, offers, contents and personal discounts are a machine's.
func TestADM01AllowDefaultClasses(t *testing.T) {
	s := newShop(t, needy, personalised)
	s.staffed(5, "chat")
	s.interested(ada)
	want(t, s.escalate(ada, "B12").Offer, flow.OfferHuman)
	want(t, s.personal(s.Flow), true)
}

// reviewedBy lets mia take the machine's suggestions and close them.
func (s *shop) suggested(n int, outcome string) {
	s.t.Helper()
	for i := range n {
		device := fmt.Sprintf("device-%s-%012d", outcome, i)
		s.interested(device)
		a := s.escalate(device, "B12")
		want(s.t, a.Offer, flow.OfferHuman)
		h, err := s.Handover(ctx, flow.HandoverCall{Token: a.Token, Channel: "chat"}, browser)
		ok(s.t, err)
		_, err = s.Accept(ctx, h.ContactID, adviser)
		ok(s.t, err)
		s.wait(90 * time.Second)
		_, err = s.Outcome(ctx, h.ContactID, flow.OutcomeCall{Outcome: outcome}, adviser)
		ok(s.t, err)
	}
}

func (s *shop) reviews() flow.ReviewStats {
	s.t.Helper()
	a, err := s.Stats(ctx, flow.StatsCall{}, dpo)
	ok(s.t, err)
	return a.Reviews
}

// ADM-03: advisers who sometimes find that the machine was wrong, in 90 seconds.
func TestADM03AllowReviewsThatOverrule(t *testing.T) {
	s := newShop(t, needy, func(c *config.Config) { c.Offers.ReviewCases = 4 })
	s.staffed(100, "chat")
	s.suggested(3, "helped")
	s.suggested(1, "not_needed")
	want(t, s.reviews(), flow.ReviewStats{Cases: 4, Overrides: 1, OverridePPM: 250_000, MeanSeconds: 90})
	id := s.accepted(bob) // who asked was suggested by nobody
	_, err := s.Outcome(ctx, id, flow.OutcomeCall{Outcome: "not_needed"}, adviser)
	ok(t, err)
	want(t, s.reviews().Cases, 4)
}

// ADM-03: who never overrules does not review.
func TestADM03DenyReviewsThatNeverOverrule(t *testing.T) {
	s := newShop(t, needy, func(c *config.Config) { c.Offers.ReviewCases = 4 })
	s.staffed(100, "chat")
	s.suggested(3, "sold")
	want(t, s.reviews().Alarm, false)
	s.suggested(1, "helped")
	if r := s.reviews(); !r.Alarm || !strings.HasPrefix(r.Message, "ADM-03") {
		t.Errorf("no alarm: %+v", r)
	}
	want(t, config.Default().Offers.ReviewCases, 200)
}

// tests gives hero's slot a test.
func tests(e ...config.Experiment) func(*config.Config) {
	return func(c *config.Config) { c.Experiments = e }
}

// drawn counts what bob is shown in 60 calls.
func (s *shop) drawn() map[string]int {
	out := map[string]int{}
	for range 60 {
		out[s.variant(bob, "de").Variant]++
	}
	return out
}

var fortnight = config.Experiment{ID: "layout", Slots: []string{"hero"}, Start: "2026-11-14", End: "2026-11-28", Metrics: []string{"orders"}}

// VAR-06: a registered test of 14 days, and a draw that says why it is none.
func TestVAR06AllowRegisteredTest(t *testing.T) {
	s := newShop(t, hero, tests(fortnight))
	want(t, len(s.drawn()) > 1, true)
	s = newShop(t, hero, tests(), func(c *config.Config) {
		slot := c.Slots["hero"]
		slot.NoTest = "seasonal pictures, never evaluated"
		c.Slots["hero"] = slot
	})
	want(t, len(s.drawn()) > 1, true)
}

// VAR-06: past its end, not begun, or not registered: everybody sees the default.
func TestVAR06DenyUnregisteredOrEndedTest(t *testing.T) {
	s := newShop(t, hero, tests(fortnight))
	s.wait(7 * 24 * time.Hour)
	want(t, s.drawn()["plain"], 60)
	a := s.variant(bob, "de")
	if got := rulesOf(a.Reasons); !strings.Contains(got, "VAR-06") {
		t.Errorf("reasons are %q", got)
	}
	late := fortnight
	late.Start = "2026-11-22"
	for _, change := range []func(*config.Config){tests(), tests(late), tests(config.Experiment{ID: "other", Slots: []string{"home_hero"}, Start: "2000-01-01", End: "2030-12-31"})} {
		want(t, newShop(t, hero, change).drawn()["plain"], 60)
	}
}

// VAR-03: who objected is drawn for nothing, and others are.
func TestVAR03DenyObjectorsInTests(t *testing.T) {
	s := newShop(t, hero)
	s.grant(bob, consent.PersonalisationContent, consent.Experimentation)
	f, err := flow.New(ctx, s.cfg, marked{s.host}, nil, s.clock, "test")
	ok(t, err)
	for range 20 {
		a, err := f.Variant(ctx, flow.VariantCall{AnonymousID: bob, Slot: "hero", Locale: "de"}, browser)
		ok(t, err)
		want(t, a.Variant, "plain")
	}
}

func TestVAR03AllowWhoSaidYes(t *testing.T) {
	s := newShop(t, hero)
	seen := map[string]bool{}
	for i := range 40 {
		device := fmt.Sprintf("device-test-%012d", i)
		s.grant(device, consent.PersonalisationContent, consent.Experimentation)
		seen[s.variant(device, "de").Variant] = true
	}
	want(t, len(seen), 4)
}

// greens is hero with one variant more, which says that it is good for the climate.
func greens(claims ...config.Claim) func(*config.Config) {
	return func(c *config.Config) {
		slot := c.Slots["hero"]
		slot.Variants = append(slot.Variants, config.Variant{
			ID: "green", Locales: []string{"de"}, Factors: map[string]string{"headline": "Klimaneutral geliefert"}, Blocks: config.LegalBlocks, Claims: claims,
		})
		c.Slots["hero"] = slot
	}
}

// VAR-05: a claim with its proof.
func TestVAR05AllowProvenClaim(t *testing.T) {
	s := newShop(t, hero, greens(config.Claim{Text: "Klimaneutral geliefert", Proof: "iso-14068/7"}))
	want(t, s.drawn()["green"] > 0, true)
}

// VAR-05: "klimaneutral" without one, declared or not.
func TestVAR05DenyUnprovenClaim(t *testing.T) {
	for _, cs := range [][]config.Claim{nil, {{Text: "Klimaneutral geliefert"}}, {{Text: "Klimaneutral geliefert", Proof: " "}}} {
		s := newShop(t, hero, greens(cs...))
		want(t, s.drawn()["green"], 0)
		if got := rulesOf(s.variant(bob, "de").Reasons); !strings.Contains(got, "VAR-05") {
			t.Errorf("reasons are %q", got)
		}
	}
}

// VAR-04: banners are compared only if each is fair, by all that makes one so (CON-06).
func TestVAR04DenyUnfairBannerInATest(t *testing.T) {
	for name, spoil := range map[string]func(*config.UI){
		"no equal reject":          func(u *config.UI) { u.RejectEqual = false },
		"reject on a second layer": func(u *config.UI) { u.RejectFirst = false },
		"reject in grey":           func(u *config.UI) { u.Equal = false },
		"ticked before":            func(u *config.UI) { u.Default = "on" },
		"three clicks to refuse":   func(u *config.UI) { u.AcceptClicks, u.RejectClicks = 1, 3 },
		"five clicks to withdraw":  func(u *config.UI) { u.AcceptClicks, u.WithdrawClicks = 1, 5 },
		"its review found a trick": func(u *config.UI) { u.Review.Patterns = []string{"stirring"} },
		"its consents fell":        func(u *config.UI) { u.InvalidatedFrom = noon.Format(time.RFC3339) },
	} {
		banners := func(c *config.Config) {
			sly := c.UI[0]
			sly.Version = "sly"
			spoil(&sly)
			c.UI = append(c.UI, sly)
			slot := c.Slots["hero"]
			slot.Kind, slot.Variants = "consent_ui", []config.Variant{
				{ID: "plain", Default: true, Blocks: config.LegalBlocks, UI: "banner-1"}, {ID: "sly", Blocks: config.LegalBlocks, UI: "sly"},
			}
			c.Slots["hero"] = slot
		}
		if n := newShop(t, hero, banners).drawn()["plain"]; n != 60 {
			t.Errorf("%s: the fair banner was drawn %d times of 60", name, n)
		}
	}
}

func TestVAR04AllowTwoFairBanners(t *testing.T) {
	s := newShop(t, hero, func(c *config.Config) {
		slot := c.Slots["hero"]
		slot.Kind, slot.Variants = "consent_ui", []config.Variant{
			{ID: "plain", Default: true, Blocks: config.LegalBlocks, UI: "banner-1"}, {ID: "brief", Blocks: config.LegalBlocks, UI: "banner-1"},
		}
		c.Slots["hero"] = slot
	})
	want(t, len(s.drawn()), 2)
}

// ADM-02: a decision is explained in both languages.
func TestADM02AllowDecisionInWords(t *testing.T) {
	s := newShop(t, needy)
	a := s.escalate(ada, "B12")
	d, err := s.Decision(ctx, a.DecisionID, dpo)
	ok(t, err)
	want(t, d.Text.En, "We offered nothing of our own accord.")
	want(t, d.Text.De, "Wir haben von uns aus nichts angeboten.")
}
