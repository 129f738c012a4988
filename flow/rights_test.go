package flow_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/host/hosttest"
	"github.com/handschlag/handschlag/policy"
)

var customer = flow.Caller{Account: must(consent.NewID(consent.Account, adaAcc))}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func off() *bool { no := false; return &no }

// requests makes a request by the shop's backend.
func (s *shop) requests(call flow.RightsCall) flow.RightsAnswer {
	s.t.Helper()
	a, err := s.Rights(ctx, call, backend)
	ok(s.t, err)
	return a
}

// A restriction and an objection bind the very next decision of every kind.
func TestRGT07DenyEveryDecisionAboutARestrictedOrObjectingVisitor(t *testing.T) {
	for name, call := range map[string]flow.RightsCall{
		"restricted":             {AnonymousID: ada, Request: flow.RightRestriction},
		"objected to profiling":  {AnonymousID: ada, Request: flow.RightObjection, Scope: consent.Profiling},
		"restricted for account": {UserID: adaAcc, Request: flow.RightRestriction},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShop(t, needy, hero)
			s.staffed(5, "chat")
			s.interested(ada)
			want(t, s.escalate(ada, "J7").Offer, flow.OfferHint)
			s.wait(time.Hour)
			s.grant(ada, consent.PersonalisationContent, consent.Experimentation)
			s.grantAccount(adaAcc, consent.AdviserAssist)
			s.loyal(ada)
			if call.UserID != "" {
				linked := s.ingest(backend, s.track(ada, "", nil, with("type", "identify"), with("userId", adaAcc)))
				want(t, linked.Results[0].Outcome, flow.Admitted)
			}

			s.requests(call)

			stamp := stamped(false, consent.Experimentation)
			if got := s.outcome(s.view(ada, "B12", stamp)); !strings.HasPrefix(got, "refused: ") || !strings.Contains(got, "RGT-07") {
				t.Errorf("an event was %s", got)
			}
			a := s.escalate(ada, "B12")
			if a.Offer != flow.OfferNone || !slices.ContainsFunc(a.Reasons, func(r policy.Reason) bool { return r.Rule == "RGT-07" }) {
				t.Errorf("an offer was made: %s %v", a.Offer, a.Reasons)
			}
			v := s.variant(ada, "de")
			if !slices.ContainsFunc(v.Reasons, func(r policy.Reason) bool { return r.Rule == "RGT-07" || r.Rule == "VAR-03" }) {
				t.Errorf("a variant was chosen by %v", v.Reasons)
			}
		})
	}
}

func TestRGT07AllowTheVisitorsOwnRequestForAHumanAndWhatWasTakenBack(t *testing.T) {
	s := newShop(t, needy)
	s.staffed(5, "chat")
	s.grant(ada, consent.PersonalisationContent, consent.AdviserAssist)
	for _, call := range []flow.RightsCall{
		{AnonymousID: ada, Request: flow.RightRestriction},
		{AnonymousID: ada, Request: flow.RightObjection, Scope: consent.Profiling},
	} {
		s.requests(call)
		want(t, s.asks(ada).Offer, flow.OfferHuman)
		want(t, s.outcome(s.view(ada, "B12")), "refused: RGT-07")
		call.On = off()
		s.requests(call)
		want(t, s.outcome(s.view(ada, "B12")), "admitted: personalisation_content adviser_assist")
	}
	s.requests(flow.RightsCall{AnonymousID: ada, Request: flow.RightObjection, Scope: consent.Tracking})
	want(t, s.outcome(s.view(ada, "B12")), "admitted: personalisation_content adviser_assist") // against legitimate interests; this rests on consent (SIG-03)
}

// A request that came between an event's first look and its write wins (design.md, 8).
func TestRGT07DenyAnEventThatARestrictionOvertakes(t *testing.T) {
	for _, call := range []flow.RightsCall{
		{AnonymousID: ada, Request: flow.RightRestriction},
		{AnonymousID: ada, Request: flow.RightObjection, Scope: consent.Profiling},
	} {
		s, h := newShopBetween(t)
		s.grant(ada, consent.AdviserAssist)
		h.do = func() { s.requests(call) }
		want(t, s.outcome(s.view(ada, "B12")), "refused: RGT-07")
		p, err := s.host.Profile(ctx, s.subject(consent.Device, ada))
		ok(t, err)
		want(t, len(p.Sections)+len(p.Recent), 0)
	}
}

// What was done, by which credential, is on file; the file names no identifier.
func TestRGT01AllowARequestByWhoProvesControl(t *testing.T) {
	s := newShop(t)
	for credential, c := range map[string]flow.Caller{"server": backend, "identity": customer, "dpo": dpo} {
		a, err := s.Rights(ctx, flow.RightsCall{UserID: adaAcc, Request: flow.RightObjection, Scope: consent.DirectMarketing}, c)
		ok(t, err)
		want(t, a.Status, flow.RightDone)
		want(t, a.Due, "2026-12-21")
		rs := s.decisions(decide.ActionRights)
		r := rs[len(rs)-1]
		want(t, r.ID, a.RequestID)
		want(t, r.Subject, s.subject(consent.Account, adaAcc))
		want(t, slices.Equal(r.Rules, []string{"EXP-03", "RGT-01"}), true)
		want(t, strings.Contains(string(r.Input), `"credential":"`+credential+`"`), true)
		want(t, strings.Contains(string(r.Input)+string(r.Result), adaAcc), false)
		got, err := s.RightsRequest(ctx, a.RequestID, c)
		ok(t, err)
		want(t, got.RequestID+got.Due+got.Scope, a.RequestID+a.Due+a.Scope)
	}
	_, err := s.RightsRequest(ctx, s.escalate(ada, "B12").DecisionID, dpo)
	faulted(t, err, 404, "request")
	_, err = s.RightsRequest(ctx, "none", dpo)
	faulted(t, err, 404, "request")
}

func TestRGT01DenyARequestWithoutProofOrBeyondIt(t *testing.T) {
	s := newShop(t)
	object := flow.RightsCall{AnonymousID: ada, Request: flow.RightObjection, Scope: consent.Profiling}
	_, err := s.Rights(ctx, object, browser)
	faulted(t, err, 403, "credential")
	_, err = s.Rights(ctx, object, ops)
	faulted(t, err, 403, "credential")
	object.UserID = "customer-bob"
	_, err = s.Rights(ctx, object, customer)
	faulted(t, err, 403, "userId")
	for field, call := range map[string]flow.RightsCall{
		"request":     {AnonymousID: ada, Request: "deletion"},
		"scope":       {AnonymousID: ada, Request: flow.RightObjection},
		"on":          {AnonymousID: ada, Request: flow.RightErasure, On: off()},
		"channel":     {AnonymousID: ada, Request: flow.RightObjection, Channel: "fax"},
		"anonymousId": {Request: flow.RightRestriction},
	} {
		_, err := s.Rights(ctx, call, backend)
		faulted(t, err, 422, field)
	}
	for _, call := range []flow.RightsCall{
		{AnonymousID: ada, Request: flow.RightRestriction, Scope: consent.Profiling},
		{AnonymousID: ada, Request: flow.RightObjection, Scope: consent.Profiling, Channel: "email"},
	} {
		_, err := s.Rights(ctx, call, backend)
		faulted(t, err, 422, "")
	}
	for _, later := range []string{flow.RightAccess, flow.RightRectification, flow.RightPortability} {
		_, err := s.Rights(ctx, flow.RightsCall{AnonymousID: ada, Request: later}, backend)
		faulted(t, err, 422, "request")
	}
	want(t, len(s.decisions(decide.ActionRights)), 0)
	want(t, s.subject(consent.Device, ada).IsZero(), true)
}

// EXP-03: the suppression list stops what is taken in for the channel, too, and no more.
func TestEXP03DenyEventsForASuppressedChannel(t *testing.T) {
	s := newShop(t)
	s.grant(ada, consent.AdsThirdParty, consent.Analytics)
	want(t, s.outcome(s.view(ada, "B12")), "admitted: analytics ads_third_party")
	s.requests(flow.RightsCall{AnonymousID: ada, Request: flow.RightObjection, Channel: "ads"})
	want(t, s.outcome(s.view(ada, "B12")), "admitted: analytics")
}

// T16 by day: the consent still stands, and yet nothing goes out for it.
func TestEXP03DenyWhatWasObjectedToThoughConsentStands(t *testing.T) {
	s := newShop(t)
	s.grantAccount(adaAcc, consent.MarketingEmail, consent.MarketingSMS)
	state := func() flow.StateAnswer {
		a, err := s.ConsentState(ctx, flow.StateCall{UserID: adaAcc}, backend)
		ok(t, err)
		return a
	}
	s.requests(flow.RightsCall{UserID: adaAcc, Request: flow.RightObjection, Scope: consent.DirectMarketing})
	got := state()
	want(t, got.Purposes[consent.MarketingEmail].Status, consent.Given)
	want(t, slices.Equal(got.Objections, []string{consent.DirectMarketing}), true)
	before := s.clock()

	s.wait(time.Hour)
	s.grantAccount(adaAcc, consent.MarketingEmail)
	if st := state(); slices.Contains(st.Objections, consent.DirectMarketing) || !slices.Contains(st.Objections, "direct_marketing:marketing_sms") {
		t.Errorf("after a new yes to e-mail: %v", st.Objections)
	}
	s.requests(flow.RightsCall{UserID: adaAcc, Request: flow.RightObjection, Channel: "email"})
	s.wait(time.Hour)
	s.grantAccount(adaAcc, consent.MarketingEmail)
	want(t, slices.Equal(state().Suppressed, []string{"email"}), true)

	then, err := s.ConsentState(ctx, flow.StateCall{UserID: adaAcc, AsOf: &before}, backend)
	ok(t, err)
	want(t, slices.Equal(then.Objections, []string{consent.DirectMarketing}), true)
	want(t, len(then.Suppressed), 0)
}

// T17 by day: who comes back after erasure is somebody new.
func TestRGT05AllowAReturnUnderANewPseudonym(t *testing.T) {
	s := newShop(t)
	s.grant(ada, consent.Analytics)
	want(t, s.outcome(s.view(ada, "B12")), "admitted: analytics")
	was := s.subject(consent.Device, ada)
	before := s.requests(flow.RightsCall{AnonymousID: ada, Request: flow.RightObjection, Scope: consent.Tracking})
	a := s.requests(flow.RightsCall{AnonymousID: ada, Request: flow.RightErasure})
	if len(a.Erased) != 1 || len(a.Erased[0].Stores) == 0 {
		t.Fatalf("nothing was erased: %+v", a)
	}
	_, err := s.RightsRequest(ctx, before.RequestID, dpo)
	faulted(t, err, 404, "request")
	want(t, s.subject(consent.Device, ada).IsZero(), true)
	want(t, s.outcome(s.view(ada, "B12")), "refused: CON-01 CON-11")
	rs := s.decisions(decide.ActionRights)
	want(t, rs[len(rs)-1].Subject.IsZero(), true)
	s.wait(24 * time.Hour)
	s.grant(ada, consent.Analytics)
	want(t, s.outcome(s.view(ada, "B12")), "admitted: analytics")
	if is := s.subject(consent.Device, ada); is == was || is.IsZero() {
		t.Errorf("back as %s, was %s", is, was)
	}
	nobody := s.requests(flow.RightsCall{AnonymousID: bob, Request: flow.RightErasure})
	want(t, nobody.Status, flow.RightDone)
	want(t, len(nobody.Erased), 0)
	want(t, s.subject(consent.Device, bob).IsZero(), true)
}

// A store that fails, whether or not it kept the entry, is no success.
func TestARequestIsAnsweredOnlyOnceItIsDurable(t *testing.T) {
	for _, method := range []string{"Object", "AppendDecision", "Assign"} {
		for _, fate := range []hosttest.Fate{hosttest.Lost, hosttest.Kept} {
			s := newShop(t)
			s.host.FailNext(method, fate)
			_, err := s.Rights(ctx, flow.RightsCall{AnonymousID: ada, Request: flow.RightObjection, Scope: consent.Profiling}, backend)
			faulted(t, err, 503, "")
			s.requests(flow.RightsCall{AnonymousID: ada, Request: flow.RightObjection, Scope: consent.Profiling})
		}
	}
}

// What an adviser reads and what a price rests on rest, too; the question that the
// visitor asked is answered all the same.
func TestRGT07DenyTheCardAndThePersonalPrice(t *testing.T) {
	personalised := func(c *config.Config) { c.Prices.Personalised = true }
	for name, call := range map[string]flow.RightsCall{
		"restricted":            {AnonymousID: ada, UserID: adaAcc, Request: flow.RightRestriction},
		"objected to profiling": {AnonymousID: ada, UserID: adaAcc, Request: flow.RightObjection, Scope: consent.Profiling},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShop(t, needy, personalised)
			s.interested(ada)
			record := s.grantAccount(adaAcc, consent.PersonalisedPrice).RecordID
			contact := s.accepted(ada)
			q := quote()
			q.Basis, q.OfferCents, q.Inputs, q.Disclosed, q.ConsentID = "personalised", 9200, nil, true, record
			for _, stopped := range []bool{false, true, false} {
				if call.On = off(); stopped {
					call.On = nil
				}
				s.requests(call)
				card, err := s.Card(ctx, contact, adviser)
				ok(t, err)
				want(t, card.Blocks["products"].Shown, !stopped)
				want(t, card.Blocks["question"].Shown, true)
				want(t, s.judged(q).Price.Allowed, !stopped)
			}
		})
	}
}
