package flow_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/flow"
)

// traces are what can know a device again without a cookie.
var traces = map[string]any{
	"canvas_hash": "c4nv4s5f1e2d", "fingerprint": "f1ng3rpr1nt", "gclid": "gcl1dv4lue", "fbclid": "fbcl1dv4lue", "device_id": "dev1ce-1d-9",
	"idfa": "1dfa-0000", "hashed_email": "9b1deb4d3b7d", "pixel_id": "p1xel-77",
}

func traced(s *shop, change ...func(message)) message {
	props := map[string]any{"product_id": "B12", "url": "https://shop.example/p?gclid=gcl1dv4lue"}
	for k, v := range traces {
		props[k] = v
	}
	return s.track(ada, "Product Viewed", props, change...)
}

// CON-03: the shop's server tells of an order; no id of the device goes with it.
func TestCON03AllowTheServersOwnLogWithoutAClientID(t *testing.T) {
	s := newShop(t)
	order := s.track("", "Order Completed", map[string]any{"order_id": "4711"}, unstamped, with("userId", adaAcc), func(m message) { delete(m, "anonymousId") })
	want(t, shown(s.ingest(backend, order).Results[0]), "admitted: essential_service")
}

// CON-03: a "cookieless" canvas hash without consent is refused as a cookie would
// be; with consent the event is kept, and the hash is not.
func TestCON03DenyTracesOfTheDevice(t *testing.T) {
	s := newShop(t)
	if got := s.outcome(traced(s, unstamped)); !strings.HasPrefix(got, "refused") {
		t.Errorf("without consent: %s", got)
	}
	if !s.subject(consent.Device, ada).IsZero() || len(s.rows()) != 0 {
		t.Error("something was kept without consent")
	}
	s.grant(ada, consent.Analytics, consent.PersonalisationContent, consent.AdviserAssist, consent.AdsThirdParty)
	if got := s.outcome(traced(s)); !strings.HasPrefix(got, "admitted") {
		t.Fatalf("with consent: %s", got)
	}
	b, err := json.Marshal(s.rows())
	ok(t, err)
	for name, value := range traces {
		if strings.Contains(string(b), value.(string)) {
			t.Errorf("%s was kept", name)
		}
	}
}

// CON-07: who refused everything gets the list price, the shop's words and a human.
func TestCON07AllowHelpAndListPriceAfterRefusingEverything(t *testing.T) {
	s := newShop(t, hero)
	s.staffed(5, "chat")
	_, err := s.Consent(ctx, says(ada, false, consent.Analytics, consent.PersonalisationContent, consent.AdviserAssist, consent.Experimentation), browser)
	ok(t, err)
	a, err := s.Escalate(ctx, flow.EscalateCall{AnonymousID: ada, Asked: true}, browser)
	ok(t, err)
	want(t, a.Offer, flow.OfferHuman)
	want(t, a.Contact != (config.Contact{}), true)
	price := s.judged(quote())
	want(t, price.Price.Allowed, true)
	v, err := s.Variant(ctx, flow.VariantCall{AnonymousID: ada, Slot: "hero", Locale: "de"}, browser)
	ok(t, err)
	want(t, v.Variant != "", true)
}

// CON-07: no answer about help or price depends on an optional consent: whatever
// the visitor said, asking reaches the same people at the same price.
func TestCON07DenyAGateForAMissingConsent(t *testing.T) {
	purposes := []consent.Purpose{consent.Analytics, consent.PersonalisationContent, consent.AdviserAssist, consent.MarketingPush, consent.PersonalisedPrice}
	answers := map[string]bool{}
	for _, say := range []string{"nothing", "yes", "no", "withdrawn"} {
		s := newShop(t)
		s.staffed(5, "chat", "video")
		call := says("", say != "no", purposes...)
		call.UserID, call.AnonymousID = adaAcc, ada
		if say != "nothing" {
			_, err := s.Consent(ctx, call, backend)
			ok(t, err)
		}
		if say == "withdrawn" {
			s.wait(time.Minute)
			no := says("", false, purposes...)
			no.UserID, no.AnonymousID = adaAcc, ada
			_, err := s.Consent(ctx, no, backend)
			ok(t, err)
		}
		a, err := s.Escalate(ctx, flow.EscalateCall{AnonymousID: ada, UserID: adaAcc, Asked: true}, backend)
		ok(t, err)
		p := s.judged(quote())
		b, err := json.Marshal([]any{a.Offer, a.Channels, a.Contact, p.Price, p.Rules})
		ok(t, err)
		answers[string(b)] = true
	}
	if len(answers) != 1 {
		t.Errorf("the answers differ with consent: %v", answers)
	}
}

// LAW-07: an order without an account is kept for the order, and for nothing else.
func TestLAW07AllowAGuestsOrderForTheOrderOnly(t *testing.T) {
	s := newShop(t)
	want(t, shown(s.ingest(backend, guestOrder(s)).Results[0]), "admitted: essential_service")
	p, err := s.host.Profile(ctx, s.subject(consent.Device, ada))
	ok(t, err)
	want(t, len(p.Sections), 0)
}

// LAW-07: what a guest's order carries makes no profile, nor a person to be known again.
func TestLAW07DenyAProfileOfAGuest(t *testing.T) {
	s := newShop(t)
	order := guestOrder(s)
	order["properties"].(map[string]any)["email_hash"] = "9b1deb4d3b7d"
	order["properties"].(map[string]any)["email"] = "guest@shop.example"
	s.ingest(backend, order)
	b, err := json.Marshal(s.rows())
	ok(t, err)
	if strings.Contains(string(b), "9b1deb4d3b7d") || strings.Contains(string(b), "guest@") {
		t.Error("the guest's address was kept")
	}
	a, err := s.Escalate(ctx, flow.EscalateCall{AnonymousID: ada}, browser)
	ok(t, err)
	want(t, a.Offer, flow.OfferNone)
	if !s.subject(consent.Account, "guest@shop.example").IsZero() {
		t.Error("the guest became an account")
	}
}

func status(err error) int {
	var fault *flow.Fault
	if !errors.As(err, &fault) {
		return 0
	}
	return fault.Status
}

func guestOrder(s *shop) message {
	return s.track(ada, "Order Completed", map[string]any{
		"order_id": "g1", "total": 999.0, "currency": "EUR", "products": []any{map[string]any{"product_id": "B12", "quantity": 1, "price": 999.0}},
	}, unstamped)
}

// EXP-04, ESC-08, SPC-05: what only the shop's backend can know is not a browser's to claim.
func TestProofComesFromTheBackendOnly(t *testing.T) {
	s := newShop(t)
	sent, confirmed := s.clock().Add(-3*time.Hour), s.clock().Add(-time.Hour)
	call := gives("", consent.MarketingEmail)
	call.UserID, call.Proof = adaAcc, &consent.Proof{DOISent: &sent, DOIConfirmed: &confirmed, MailVersion: "2"}
	a, err := s.Consent(ctx, call, backend)
	ok(t, err)
	r, err := s.host.Record(ctx, a.RecordID)
	ok(t, err)
	want(t, r.Proof.Confirmed(), true)

	browsers := gives(ada, consent.Analytics)
	browsers.Proof = call.Proof
	if _, err := s.Consent(ctx, browsers, browser); status(err) != 403 {
		t.Errorf("a browser's proof: %v", err)
	}
	browsers.Proof, browsers.Parental = nil, &consent.Parental{Method: "form", Time: sent}
	if _, err := s.Consent(ctx, browsers, browser); status(err) != 403 {
		t.Errorf("a browser's parents: %v", err)
	}
	later := s.clock().Add(time.Hour)
	call.Proof = &consent.Proof{DOISent: &later}
	if _, err := s.Consent(ctx, call, backend); status(err) != 422 {
		t.Errorf("a proof of tomorrow: %v", err)
	}
}

// SPC-05: in a children's shop a yes needs the parents; with them it lets measure,
// and profiles of minors stay out (SPC-06).
func TestParentsMaySayYesForAChild(t *testing.T) {
	s := newShop(t, func(c *config.Config) { c.ChildShop = true })
	a := s.grant(ada, consent.Analytics)
	want(t, strings.Join(a.Rules, " "), "SPC-05")
	call := gives(ada, consent.Analytics, consent.PersonalisationContent)
	call.Parental = &consent.Parental{Method: "signed form", Time: s.clock()}
	a, err := s.Consent(ctx, call, backend)
	ok(t, err)
	want(t, len(a.Rules), 0)
	want(t, s.outcome(s.view(ada, "B12")), "admitted: analytics")
	s.withdraw(ada, consent.Analytics)
	if got := s.outcome(s.view(ada, "B12")); strings.HasPrefix(got, "admitted") {
		t.Errorf("after the withdrawal: %s", got)
	}
}
