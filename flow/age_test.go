package flow_test

import (
	"strings"
	"testing"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/flow"
)

// ofAge is a device's consent call of which the shop's backend knows the age.
func ofAge(band string, ps ...consent.Purpose) flow.ConsentCall {
	call := gives(ada, ps...)
	call.AgeBand = band
	return call
}

// SPC-05: a 17-year-old's own analytics consent.
func TestSPC05AllowASeventeenYearOldsOwnYes(t *testing.T) {
	s := newShop(t)
	a, err := s.Consent(ctx, ofAge("16_17", consent.Analytics), backend)
	ok(t, err)
	want(t, a.Purposes[consent.Analytics].Status, consent.Given)
	want(t, s.outcome(s.view(ada, "B12")), "admitted: analytics")
}

// SPC-05: a 15-year-old without parents; also what was given before the shop knew.
func TestSPC05DenyAFifteenYearOldWithoutParents(t *testing.T) {
	s := newShop(t, needy)
	s.staffed(2, "chat")
	s.interested(ada)
	a, err := s.Consent(ctx, ofAge("u16", consent.Analytics), backend)
	ok(t, err)
	want(t, a.Purposes[consent.Analytics].Status, consent.Refused)
	want(t, strings.Join(a.Purposes[consent.Analytics].Rules, " "), "SPC-05")
	s.wait(time.Second)
	if got := s.outcome(s.view(ada, "J7")); !strings.HasPrefix(got, "refused: ") || !strings.Contains(got, "SPC-05") {
		t.Errorf("a child's event is %s", got)
	}
	offer := s.escalate(ada, "J7")
	want(t, offer.Offer, flow.OfferNone)
	want(t, strings.Contains(rulesOf(offer.Reasons), "SPC-05"), true)
	want(t, s.asks(ada).Offer, flow.OfferHuman) // whoever asks for a human gets one

	// A browser cannot say how old it is, nor take it back.
	_, err = s.Consent(ctx, ofAge("adult", consent.Analytics), browser)
	faulted(t, err, 403, "proof")
	_, err = s.Consent(ctx, ofAge("12", consent.Analytics), backend)
	faulted(t, err, 422, "age_band")
	_, err = s.Consent(ctx, ofAge("adult", consent.Analytics), backend)
	ok(t, err)
	s.wait(time.Second)
	want(t, s.outcome(s.view(ada, "B12")), "admitted: analytics adviser_assist")
}
