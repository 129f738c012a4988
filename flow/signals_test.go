package flow_test

import (
	"slices"
	"testing"
	"time"

	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/consent/signal"
	"github.com/handschlag/handschlag/flow"
)

var (
	withGPC = flow.Caller{GPC: []string{"0", "1"}}
	withDNT = flow.Caller{DNT: "1"}
)

// given takes the purposes that an event was admitted for.
func (s *shop) given(c flow.Caller, device string) consent.Set {
	s.t.Helper()
	return consent.SetOf(s.ingest(c, s.view(device, "B12")).Results[0].Purposes...)
}

// chooses is a choice purpose by purpose after the notice that the browser says no.
func chooses(device string, ps ...consent.Purpose) flow.ConsentCall {
	call := gives(device, ps...)
	call.Conflict = true
	return call
}

func (s *shop) state(call flow.StateCall, c flow.Caller) flow.StateAnswer {
	s.t.Helper()
	a, err := s.ConsentState(ctx, call, c)
	ok(s.t, err)
	return a
}

func TestSIG01AllowHeadersThatAreNoSignal(t *testing.T) {
	s := newShop(t)
	s.grant(ada, consent.AdsThirdParty)
	for _, values := range [][]string{nil, {"0"}, {"true"}, {"1;a=b"}} {
		want(t, s.given(flow.Caller{GPC: values}, ada), consent.SetOf(consent.AdsThirdParty))
	}
}

func TestSIG01DenyExactlyOneAmongSeveral(t *testing.T) {
	s := newShop(t)
	s.grant(ada, consent.AdsThirdParty, consent.PersonalisationContent)
	want(t, s.given(withGPC, ada), consent.SetOf(consent.PersonalisationContent)) // SIG-02: own purposes go on
}

func TestSIG03AllowWhatRestsOnConsentOrContract(t *testing.T) {
	s := newShop(t)
	_, err := s.Consent(ctx, gives(ada, consent.AdviserAssist), withDNT)
	ok(t, err)
	want(t, s.given(withDNT, ada), consent.SetOf(consent.AdviserAssist))
	order := s.track(ada, "Order Completed", map[string]any{"order_id": "o1", "products": []any{map[string]any{"product_id": "B12", "price": 999, "quantity": 1}}})
	got := s.ingest(flow.Caller{Server: true, DNT: "1"}, order)
	want(t, shown(got.Results[0]), "admitted: essential_service adviser_assist")
}

func TestSIG03DenyTrackingAgainstTheSignal(t *testing.T) {
	s := newShop(t)
	_, err := s.Consent(ctx, gives(ada, consent.AdsThirdParty), withDNT)
	ok(t, err)
	if got := s.state(flow.StateCall{AnonymousID: ada}, browser).Objections; !slices.Equal(got, []string{consent.Tracking}) {
		t.Errorf("Do Not Track is not recorded as an objection: %v", got)
	}
	want(t, s.outcome(s.view(ada, "B12")), "admitted: ads_third_party")
	want(t, shown(s.ingest(withDNT, s.view(ada, "B12")).Results[0]), "refused: SIG-03")
	s.grant(bob, consent.AdsThirdParty)
	if got := s.state(flow.StateCall{AnonymousID: bob}, withDNT).Objections; len(got) != 0 {
		t.Errorf("asking about a state recorded %v", got)
	}
}

func TestSIG04AllowALaterChoiceInKnowledgeOfTheSignal(t *testing.T) {
	s := newShop(t)
	first := gives(ada, consent.AdsThirdParty)
	first.Method = "accept"
	_, err := s.Consent(ctx, first, withGPC)
	ok(t, err)
	want(t, s.given(withGPC, ada), 0)
	s.wait(time.Minute)
	a, err := s.Consent(ctx, chooses(ada, consent.AdsThirdParty), withGPC)
	ok(t, err)
	want(t, a.Purposes[consent.AdsThirdParty].Status, consent.Given)
	want(t, s.given(withGPC, ada), consent.SetOf(consent.AdsThirdParty))
	want(t, s.given(flow.Caller{GPC: []string{"1"}, DNT: "1"}, ada), consent.SetOf(consent.AdsThirdParty))
}

func TestSIG04DenyEverythingElse(t *testing.T) {
	s := newShop(t)
	all := gives(ada, consent.DataSharing, consent.AdsThirdParty)
	all.Method = "accept"
	a, err := s.Consent(ctx, all, withGPC)
	ok(t, err)
	want(t, a.Purposes[consent.DataSharing].Status, consent.Refused) // "accept all" on a banner that does not mention GPC
	all.Conflict = true
	a, err = s.Consent(ctx, all, withGPC)
	ok(t, err)
	want(t, a.Purposes[consent.DataSharing].Status, consent.Refused) // nor one that does: it is no choice for the purpose

	s.grant(bob, consent.AdsThirdParty) // before the browser ever said no: not in knowledge of it
	s.wait(time.Minute)
	want(t, s.given(withGPC, bob), 0)
	_, err = s.Consent(ctx, chooses(bob, consent.AdsThirdParty), withGPC)
	ok(t, err)
	s.wait(time.Minute)
	s.withdraw(bob, consent.AdsThirdParty)
	want(t, s.given(browser, bob), 0) // a withdrawal outranks the choice before it
	s.grant(bob, consent.AdsThirdParty)
	want(t, s.given(withGPC, bob), 0) // and a new yes without the notice lifts nothing
}

func TestSIG04DenyLiftingASuppression(t *testing.T) {
	s := newShop(t)
	s.grant(ada, consent.AdsThirdParty)
	ok(t, s.host.Suppress(ctx, s.subject("device", ada), "ads", true, noon))
	a, err := s.Consent(ctx, chooses(ada, consent.AdsThirdParty, consent.DataSharing), withGPC)
	ok(t, err)
	want(t, a.ConsentMode.AdStorage, signal.Denied)
	got := s.state(flow.StateCall{AnonymousID: ada}, browser)
	want(t, got.ConsentMode.AdStorage, signal.Denied)
	if !slices.Equal(got.Suppressed, []string{"ads"}) {
		t.Errorf("the suppression list says %v", got.Suppressed)
	}
}

func TestSIG09AllowModeInBothAnswers(t *testing.T) {
	s := newShop(t)
	given := s.grant(ada, consent.Analytics, consent.AdsThirdParty, consent.DataSharing).ConsentMode
	want(t, given.AnalyticsStorage+" "+given.AdUserData+" "+given.PersonalizationStorage, "granted granted denied")
	want(t, s.state(flow.StateCall{AnonymousID: ada}, browser).ConsentMode, given)
	processor := newShop(t, func(c *config.Config) {
		for i := range c.Exports.Channels {
			c.Exports.Channels[i].Role = "processor"
		}
	})
	want(t, processor.grant(ada, consent.AdsThirdParty).ConsentMode.AdUserData, signal.Granted)
}

func TestSIG09DenyWithoutOurLedger(t *testing.T) {
	s := newShop(t)
	least := signal.ConsentModeOf(func(consent.Purpose) bool { return false }, false, true)
	want(t, s.state(flow.StateCall{AnonymousID: ada}, browser).ConsentMode, least) // nobody known
	want(t, s.grant(ada, consent.AdsThirdParty).ConsentMode.AdUserData, signal.Denied)
	want(t, s.state(flow.StateCall{AnonymousID: ada}, withGPC).ConsentMode, least)
	_, err := s.Consent(ctx, says(ada, false, consent.AdsThirdParty), browser)
	ok(t, err)
	want(t, s.state(flow.StateCall{AnonymousID: ada}, browser).ConsentMode, least)

	// Consent Mode never comes in: an event that quotes it is one without a stamp.
	s.grant(bob, consent.Analytics)
	quoted := s.view(bob, "B12", unstamped, func(m message) {
		m["context"].(map[string]any)["consent_mode"] = map[string]any{"analytics_storage": "granted"}
		m["context"].(map[string]any)["gcs"] = "G111"
	})
	want(t, s.outcome(quoted), "refused: CON-11")

	s.grant(bob, consent.AdsThirdParty, consent.DataSharing)
	ok(t, s.host.Restrict(ctx, s.subject("device", bob), true, noon))
	want(t, s.state(flow.StateCall{AnonymousID: bob}, browser).ConsentMode, least)
}

func TestSIG09DenyWhatEitherSideRefuses(t *testing.T) {
	s := newShop(t)
	call := gives(ada, consent.AdsThirdParty, consent.DataSharing)
	call.UserID = adaAcc
	a, err := s.Consent(ctx, call, backend)
	ok(t, err)
	want(t, a.ConsentMode.AdUserData, signal.Granted)
	s.withdraw(ada, consent.DataSharing)
	want(t, s.state(flow.StateCall{AnonymousID: ada, UserID: adaAcc}, backend).ConsentMode.AdUserData, signal.Denied)
}

func TestSIG07DenyOddInterestsAndCountThem(t *testing.T) {
	s := newShop(t)
	call := gives(ada, consent.PersonalisationContent)
	call.Signals.TCString = "CQhG6EAQhG6EAAKAAAENAAFgALwAAOAAAAAAAOgAgABgAAAA.IAOgAAABgA" // V7
	a, err := s.Consent(ctx, call, browser)
	ok(t, err)
	want(t, a.Purposes[consent.PersonalisationContent].Status, consent.Refused)
	want(t, s.counts("signal/")["signal/SIG-07"], 1)
}

// Rows 1 to 5 and 12 of law.md 4.4: where Segment lets events flow, we do not.
func TestSIG10DenyWhatSegmentWouldPass(t *testing.T) {
	s := newShop(t)
	s.grant(ada, consent.Analytics, consent.AdviserAssist)
	prefs := func(p map[string]any) func(message) {
		return func(m message) {
			m["context"].(map[string]any)["consent"] = map[string]any{"categoryPreferences": p}
		}
	}
	destinations := with("integrations", map[string]any{"All": true, "facebook": true})
	for _, c := range []struct {
		name   string
		change []func(message)
		want   string
	}{
		{"1: no consent object", []func(message){unstamped}, "refused: CON-11"},
		{"2: an empty one", []func(message){prefs(map[string]any{})}, "refused: CON-11"},
		{"3: none, and integrations", []func(message){unstamped, destinations}, "refused: CON-11"},
		{"4: an empty one, and integrations", []func(message){prefs(map[string]any{}), destinations}, "refused: CON-11"},
		{"5: a category without a mapping", []func(message){prefs(map[string]any{"weather": true})}, "refused: SIG-10"},
		{"12: a category that the banner does not know", []func(message){prefs(map[string]any{"Advertising": true})}, "refused: CON-01 CON-11 SIG-10"},
	} {
		if got := s.outcome(s.view(ada, "B12", c.change...)); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	want(t, s.counts("signal/")["signal/SIG-10"], 1) // row 5 is counted, so that somebody looks at the banner
}

func TestSIG10AllowAllCategoriesTrue(t *testing.T) {
	s := newShop(t)
	s.grant(ada, consent.Analytics, consent.AdviserAssist)
	both := func(m message) {
		m["context"].(map[string]any)["consent"] = map[string]any{"categoryPreferences": map[string]any{"Analytics": true, "AdviserAssist": true, "weather": false}}
	}
	want(t, s.outcome(s.view(ada, "B12", both)), "admitted: analytics adviser_assist")
	mixed := func(m message) {
		both(m)
		m["context"].(map[string]any)["consentManagement"] = map[string]any{"allowedConsentIds": []any{"Analytics"}, "deniedConsentIds": []any{"AdviserAssist"}}
	}
	want(t, s.outcome(s.view(ada, "B12", mixed)), "admitted: analytics")
}

// The consent event of Segment can only refuse: it never changes the book.
func TestSIG10DenyGrantsByTheConsentEvent(t *testing.T) {
	s := newShop(t)
	s.withdraw(ada, consent.Analytics)
	want(t, s.outcome(s.track(ada, "Segment Consent Preference Updated", nil)), "refused: CON-01 CON-11")
	got := s.state(flow.StateCall{AnonymousID: ada}, browser)
	want(t, got.Purposes[consent.Analytics].Status, consent.Refused)
	want(t, len(got.History), 1)
}
