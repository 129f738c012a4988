package flow_test

import (
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/flow"
)

// The rows of law.md 2.5 that the day decides, purpose personalisation_content.
func TestTimeTable(t *testing.T) {
	const p = consent.PersonalisationContent
	yes := stamped(true, p)
	for _, row := range []struct {
		name string
		run  func(s *shop) string
		want string
	}{
		{"T1: an event before the grant is not covered by it", func(s *shop) string {
			e := s.view(ada, "B12", yes)
			s.wait(5 * time.Minute)
			s.grant(ada, p)
			s.wait(time.Minute)
			return s.outcome(e)
		}, "refused: BAT-02"},
		{"T2: an event after the grant is admitted", func(s *shop) string {
			s.grant(ada, p)
			s.wait(time.Minute)
			return s.outcome(s.view(ada, "B12", yes))
		}, "admitted: personalisation_content"},
		{"T4: refused between withdrawal and new grant, admitted after it", func(s *shop) string {
			s.grant(ada, p)
			s.wait(time.Minute)
			s.withdraw(ada, p)
			s.wait(time.Minute)
			between := s.view(ada, "B12", yes)
			first := s.outcome(between)
			s.wait(time.Minute)
			s.grant(ada, p)
			s.wait(time.Minute)
			late := s.view(ada, "B12", yes, at(s.now.Add(-90*time.Second)))
			return first + ", " + s.outcome(late) + ", " + s.outcome(s.view(ada, "B12", yes))
		}, "refused: CON-10, refused: BAT-02, admitted: personalisation_content"},
		{"T5: the state at receipt counts, too", func(s *shop) string {
			s.grant(ada, p)
			s.wait(time.Minute)
			offline := s.view(ada, "B12", yes)
			s.wait(time.Hour)
			s.withdraw(ada, p)
			s.wait(time.Hour)
			return s.outcome(offline)
		}, "refused: CON-10"},
		{"T6: a late event under a standing grant is admitted", func(s *shop) string {
			s.grant(ada, p)
			s.wait(time.Minute)
			offline := s.view(ada, "B12", yes)
			s.wait(44 * time.Minute)
			return s.outcome(offline)
		}, "admitted: personalisation_content"},
		{"T7: an event from the future is refused", func(s *shop) string {
			s.grant(ada, p)
			return s.outcome(s.view(ada, "B12", yes, at(s.now.Add(15*time.Minute))))
		}, "refused: BAT-04"},
		{"T8: a yes of the event never lifts a refusal", func(s *shop) string {
			s.withdraw(ada, p)
			s.wait(time.Minute)
			return s.outcome(s.view(ada, "B12", yes))
		}, "refused: CON-01 CON-11"},
		{"T12: an account's grant does not reach device purposes of another device", func(s *shop) string {
			s.grantAccount(adaAcc, p, consent.Analytics)
			s.wait(time.Minute)
			e := s.view(bob, "B12", with("userId", adaAcc))
			return shown(s.ingest(backend, e).Results[0])
		}, "admitted: personalisation_content"},
		{"T13: a device's no outweighs the account's yes", func(s *shop) string {
			s.grantAccount(adaAcc, p)
			s.withdraw(ada, p)
			s.wait(time.Minute)
			return shown(s.ingest(backend, s.view(ada, "B12", yes, with("userId", adaAcc))).Results[0])
		}, "refused: CON-01 CON-11"},
		{"T14: a grant ends after twelve months", func(s *shop) string {
			s.grant(ada, p)
			s.wait(366 * 24 * time.Hour)
			return s.outcome(s.view(ada, "B12", yes))
		}, "refused: CON-12"},
	} {
		t.Run(row.name, func(t *testing.T) {
			want(t, row.run(newShop(t)), row.want)
		})
	}
}

func TestT9ANoOfTheEventRefusesItAndLeavesTheLedgerAlone(t *testing.T) {
	s := newShop(t)
	s.grant(ada, consent.Analytics)
	s.wait(time.Minute)
	want(t, s.outcome(s.view(ada, "B12", stamped(false, consent.Analytics))), "refused: CON-11")
	no := s.track(ada, "Segment Consent Preference Updated", nil, stamped(false))
	want(t, s.outcome(no), "refused: CON-11")
	state, err := s.ConsentState(ctx, flow.StateCall{AnonymousID: ada}, browser)
	ok(t, err)
	want(t, state.Purposes[consent.Analytics].Status, consent.Given)
	want(t, state.Version, 1)
	want(t, s.outcome(s.view(ada, "B12")), "admitted: analytics")
}

func TestSilenceIsANo(t *testing.T) {
	for _, x := range []struct {
		name   string
		change func(message)
		want   string
	}{
		{"no consent object", unstamped, "refused: CON-11"},
		{"an object that does not name the purpose", func(m message) { unstamped(m); stamped(true, consent.ModelTraining)(m) }, "refused: CON-01 CON-11 SIG-10"},
		{"a yes that is a string", stamped("true"), "refused: CON-11"},
		{"a yes that is a number", stamped(1), "refused: CON-11"},
	} {
		t.Run(x.name, func(t *testing.T) {
			s := newShop(t)
			s.grant(ada, consent.Analytics)
			want(t, s.outcome(s.view(ada, "B12", x.change)), x.want)
			want(t, len(s.rows()), 0)
		})
	}
}

func TestAShopMayLetTheBookAloneDecide(t *testing.T) {
	s := newShop(t, func(c *config.Config) { c.Events.RequireStamp = false })
	s.grant(ada, consent.Analytics)
	want(t, s.outcome(s.view(ada, "B12", unstamped)), "admitted: analytics")
	want(t, s.outcome(s.view(ada, "B12", stamped(false))), "refused: CON-11")
	want(t, s.outcome(s.view(bob, "B12", unstamped)), "refused: CON-01 CON-11")
}

func TestAnUnknownVisitorLeavesNothingBehind(t *testing.T) {
	s := newShop(t)
	got := s.outcome(s.view(ada, "B12"))
	if !strings.HasPrefix(got, "refused: ") || !strings.Contains(got, "CON-11") {
		t.Errorf("got %q", got)
	}
	_, err := s.Escalate(ctx, flow.EscalateCall{AnonymousID: ada, Page: flow.PageRef{ProductID: "B12"}}, browser)
	ok(t, err)
	_, err = s.Variant(ctx, flow.VariantCall{AnonymousID: ada, Slot: "home_hero"}, browser)
	ok(t, err)
	if !s.subject(consent.Device, ada).IsZero() || len(s.rows()) != 0 {
		t.Error("a pseudonym or a row was made")
	}
	for _, r := range append(s.decisions("escalate"), s.decisions("variant")...) {
		if !r.Subject.IsZero() || strings.Contains(string(r.Input)+string(r.Result)+r.Seed, ada) {
			t.Errorf("the record %s leads to the visitor", r.ID)
		}
	}
	want(t, s.counts("refused/CON-11")["refused/CON-11"], 1)
}

func TestABatchAnswersInItsOrder(t *testing.T) {
	s := newShop(t)
	s.grant(ada, consent.Analytics)
	first := s.view(ada, "B12")
	a := s.ingest(browser, first, s.view(ada, "S1", unstamped), s.track(ada, "", nil), first, s.view(bob, "B12"), s.view(ada, "J7"))
	var got []string
	for _, r := range a.Results {
		got = append(got, r.MessageID+" "+r.Outcome)
	}
	want(t, strings.Join(got, ", "), "m1 admitted, m2 refused, m3 invalid, m1 duplicate, m4 refused, m5 admitted")
	want(t, [4]int{a.Admitted, a.Refused, a.Invalid, a.Duplicate}, [4]int{2, 2, 1, 1})
	want(t, a.Results[2].Code, "event_name_missing")
	want(t, s.counts("admitted")["admitted"], 2)
	want(t, s.counts("duplicate")["duplicate"], 1)
	want(t, s.counts("refused")["refused"], 2)
	want(t, s.counts("invalid/")["invalid/event_name_missing"], 1)
	want(t, len(s.rows()), 2)
}

func TestAMessageCountsOncePerVisitor(t *testing.T) {
	s := newShop(t)
	s.grant(ada, consent.Analytics)
	s.grant(bob, consent.Analytics)
	m := s.view(ada, "B12")
	want(t, s.outcome(m), "admitted: analytics")
	s.wait(time.Hour)
	want(t, s.outcome(m), flow.Duplicate)
	want(t, s.outcome(s.view(bob, "B12", with("messageId", "m1"))), "admitted: analytics")
	want(t, len(s.rows()), 2)
}

func TestOrdersOfTheShopsServerNeedNoStamp(t *testing.T) {
	s := newShop(t)
	order := func() message {
		return s.track("", "Order Completed", map[string]any{
			"order_id": "4711", "total": 1998.0, "currency": "EUR", "coupon": "XMAS",
			"products": []any{map[string]any{"product_id": "B12", "quantity": 2, "price": 999.0}},
		}, unstamped, with("userId", adaAcc), func(m message) { delete(m, "anonymousId") })
	}
	want(t, shown(s.ingest(backend, order()).Results[0]), "admitted: essential_service")
	want(t, shown(s.ingest(backend, order()).Results[0]), "admitted: essential_service")
	subject := s.subject(consent.Account, adaAcc)
	if subject.IsZero() {
		t.Fatal("the order's customer has no pseudonym")
	}
	p, err := s.host.Profile(ctx, subject)
	ok(t, err)
	want(t, len(p.Sections), 0)
	row := s.rows()[0]
	want(t, row.Subject, subject)
	want(t, row.Fields.CartCents, 199800)
	if got := s.ingest(backend, s.view("", "B12", with("userId", "somebody-else"), func(m message) { delete(m, "anonymousId") })).Results[0]; got.Outcome != flow.Refused {
		t.Errorf("a view of an unknown account was %s", shown(got))
	}
	if !s.subject(consent.Account, "somebody-else").IsZero() {
		t.Error("a view made a pseudonym")
	}
}

func TestAnOrderFromABrowserIsAnOrdinaryEvent(t *testing.T) {
	s := newShop(t)
	m := s.track(ada, "Order Completed", map[string]any{"order_id": "1"}, unstamped)
	if got := s.outcome(m); !strings.HasPrefix(got, "refused") {
		t.Errorf("got %q", got)
	}
	if !s.subject(consent.Device, ada).IsZero() {
		t.Error("a pseudonym was made")
	}
}

func TestOneMessageInManyCallsAtOnceCountsOnce(t *testing.T) {
	s := newShop(t)
	s.grant(ada, consent.Analytics)
	s.wait(time.Minute)
	env := envelope(t, s.view(ada, "B12"))
	var wait sync.WaitGroup
	var mu sync.Mutex
	outcomes := map[string]int{}
	for range 20 {
		wait.Go(func() {
			a, err := s.Ingest(ctx, env, browser)
			mu.Lock()
			defer mu.Unlock()
			if err != nil || len(a.Results) != 1 {
				t.Errorf("got %+v, %v", a, err)
				return
			}
			outcomes[a.Results[0].Outcome]++
		})
	}
	wait.Wait()
	want(t, outcomes[flow.Admitted], 1)
	want(t, outcomes[flow.Duplicate], 19)
}

func TestAUserIdWithoutItsCredentialIsDropped(t *testing.T) {
	s := newShop(t)
	s.grant(ada, consent.Analytics)
	s.grantAccount(adaAcc, consent.PersonalisationContent)
	s.wait(time.Minute)
	want(t, s.outcome(s.view(ada, "B12", with("userId", adaAcc))), "admitted: analytics")
	mine, err := consent.NewID(consent.Account, adaAcc)
	ok(t, err)
	withIdentity := flow.Caller{Account: mine}
	want(t, shown(s.ingest(withIdentity, s.view(ada, "B12", with("userId", adaAcc))).Results[0]), "admitted: analytics personalisation_content")
	want(t, shown(s.ingest(withIdentity, s.view(ada, "B12", with("userId", "another"))).Results[0]), "admitted: analytics")
}

func TestLinksNeedCredentialAndConsentOnBothSides(t *testing.T) {
	identify := func(s *shop) message {
		m := s.track(ada, "", nil, with("type", "identify"), with("userId", adaAcc))
		delete(m, "event")
		delete(m, "properties")
		return m
	}
	linked := func(s *shop) bool {
		a, err := s.host.AccountOf(ctx, s.subject(consent.Device, ada))
		ok(t, err)
		return !a.IsZero()
	}
	for _, x := range []struct {
		name   string
		caller flow.Caller
		before func(*shop)
		linked bool
	}{
		{"without the credential", browser, func(s *shop) {
			s.grant(ada, consent.Analytics)
			s.grantAccount(adaAcc, consent.Analytics)
		}, false},
		{"without the device's consent", backend, func(s *shop) { s.grantAccount(adaAcc, consent.Analytics) }, false},
		{"without the account's consent", backend, func(s *shop) { s.grant(ada, consent.Analytics) }, false},
		{"with consents that do not meet", backend, func(s *shop) {
			s.grant(ada, consent.Analytics)
			s.grantAccount(adaAcc, consent.AdviserAssist)
		}, false},
		{"with both", backend, func(s *shop) {
			s.grant(ada, consent.Analytics)
			s.grantAccount(adaAcc, consent.Analytics)
		}, true},
	} {
		t.Run(x.name, func(t *testing.T) {
			s := newShop(t)
			x.before(s)
			s.wait(time.Minute)
			got := s.ingest(x.caller, identify(s)).Results[0]
			want(t, linked(s), x.linked)
			if !x.linked {
				want(t, shown(got), "refused: CON-14")
			}
		})
	}
}

func TestALinkedAccountCanRefuseButNotAllow(t *testing.T) {
	s := newShop(t)
	const p = consent.AdviserAssist
	s.grant(ada, p, consent.Analytics)
	s.grantAccount(adaAcc, p, consent.PersonalisationContent)
	device, account := s.subject(consent.Device, ada), s.subject(consent.Account, adaAcc)
	ok(t, s.host.Link(ctx, device, account, s.now))
	s.wait(time.Minute)
	want(t, s.outcome(s.view(ada, "B12")), "admitted: analytics adviser_assist")
	call := says("", false, p)
	call.UserID = adaAcc
	_, err := s.Consent(ctx, call, backend)
	ok(t, err)
	s.wait(time.Minute)
	want(t, s.outcome(s.view(ada, "B12")), "admitted: analytics")
}

func TestSensitiveProductsAreNotKeptWithoutAnExplicitYes(t *testing.T) {
	s := newShop(t)
	s.grant(ada, consent.Analytics)
	s.wait(time.Minute)
	want(t, s.outcome(s.view(ada, "P1")), "refused: SPC-01")
	s.grant(ada, consent.SpecialCategory("pregnancy"))
	s.wait(time.Minute)
	want(t, s.outcome(s.view(ada, "P1")), "admitted: analytics")
}

func TestSignalsOfTheRequestCount(t *testing.T) {
	s := newShop(t)
	s.grant(ada, consent.Analytics, consent.AdsThirdParty)
	s.wait(time.Minute)
	want(t, s.outcome(s.view(ada, "B12")), "admitted: analytics ads_third_party")
	got := s.ingest(flow.Caller{GPC: []string{"0", "1"}}, s.view(ada, "B12")).Results[0]
	want(t, shown(got), "admitted: analytics")
	got = s.ingest(flow.Caller{GPC: []string{"true"}}, s.view(ada, "B12")).Results[0]
	want(t, shown(got), "admitted: analytics ads_third_party")
}

func TestTheIngestSwitchRefusesEverything(t *testing.T) {
	s := newShop(t)
	s.grant(ada, consent.Analytics)
	_, err := s.PutSwitch(ctx, flow.SwitchIngest, flow.SwitchCall{On: false, Reason: "drill"}, ops)
	ok(t, err)
	want(t, s.outcome(s.view(ada, "B12")), "refused: SWITCH")
	order := s.track("", "Order Completed", map[string]any{"order_id": "1"}, with("userId", "new"), func(m message) { delete(m, "anonymousId") })
	want(t, shown(s.ingest(backend, order).Results[0]), "refused: SWITCH")
	if !s.subject(consent.Account, "new").IsZero() {
		t.Error("a pseudonym was made")
	}
	_, err = s.PutSwitch(ctx, flow.SwitchIngest, flow.SwitchCall{On: true, Reason: "over"}, ops)
	ok(t, err)
	want(t, s.outcome(s.view(ada, "B12")), "admitted: analytics")
	want(t, len(s.decisions("switch")), 2)
}

func TestOnlyConfiguredVariantsAreKept(t *testing.T) {
	s := newShop(t, hero)
	s.grant(ada, consent.Experimentation)
	for _, x := range [][3]string{{"hero", "b", "hero b"}, {"hero", "ada-lovelace", " "}, {"ada-lovelace", "b", " "}} {
		s.ingest(browser, s.track(ada, "Experiment Viewed", map[string]any{"slot": x[0], "variant_id": x[1]}))
		rows := s.rows()
		f := rows[len(rows)-1].Fields
		want(t, f.Slot+" "+f.SlotVariant, x[2])
	}
}

func TestAnAliasLinksLikeAnIdentify(t *testing.T) {
	s := newShop(t)
	s.grant(ada, consent.AdviserAssist)
	s.grantAccount(adaAcc, consent.AdviserAssist)
	s.wait(time.Minute)
	alias := func() message {
		m := s.track("", "", nil, with("type", "alias"), with("previousId", ada), with("userId", adaAcc))
		for _, k := range []string{"event", "properties", "anonymousId"} {
			delete(m, k)
		}
		return m
	}
	want(t, shown(s.ingest(browser, alias()).Results[0]), "refused: CON-14")
	s.ingest(backend, alias())
	a, err := s.host.AccountOf(ctx, s.subject(consent.Device, ada))
	ok(t, err)
	want(t, a, s.subject(consent.Account, adaAcc))
}

func TestRudderStacksIdsAreAStamp(t *testing.T) {
	s := newShop(t)
	s.grant(ada, consent.Analytics, consent.AdviserAssist)
	rudder := func(allowed, denied []string) func(message) {
		return func(m message) {
			unstamped(m)
			m["context"].(map[string]any)["consentManagement"] = map[string]any{"allowedConsentIds": allowed, "deniedConsentIds": denied}
		}
	}
	want(t, s.outcome(s.view(ada, "B12", rudder([]string{"analytics", "adviser_assist"}, nil))), "admitted: analytics adviser_assist")
	want(t, s.outcome(s.view(ada, "B12", rudder([]string{"analytics"}, []string{"adviser_assist"}))), "admitted: analytics")
	both := s.view(ada, "B12", rudder([]string{"analytics", "adviser_assist"}, nil), func(m message) { stamped(false, consent.Analytics)(m) })
	want(t, s.outcome(both), "admitted: adviser_assist")
}

func TestTheLogAndTheProfileHoldNoRawIdentifier(t *testing.T) {
	s := newShop(t)
	s.grant(ada, consent.Analytics, consent.AdviserAssist)
	s.outcome(s.view(ada, "B12", func(m message) {
		m["context"].(map[string]any)["ip"] = "203.0.113.77"
		m["context"].(map[string]any)["userAgent"] = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Safari/605.1.15"
		m["properties"].(map[string]any)["email"] = "ada@example.org"
	}))
	b, err := json.Marshal(s.rows())
	ok(t, err)
	p, err := s.host.Profile(ctx, s.subject(consent.Device, ada))
	ok(t, err)
	pb, err := p.MarshalBinary()
	ok(t, err)
	for _, leak := range []string{ada, "203.0.113.77", "Macintosh", "ada@example.org", "m1"} {
		if strings.Contains(string(b), leak) || strings.Contains(string(pb), leak) {
			t.Errorf("%q is stored", leak)
		}
	}
}
