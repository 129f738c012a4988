package flow_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/policy"
	"github.com/handschlag/handschlag/profile"
)

// lastOffer is the facts of the latest offer decision, and its record.
func (s *shop) lastOffer() (policy.EscalateInput, *decide.Record) {
	s.t.Helper()
	rs := s.decisions(decide.ActionEscalate)
	var in policy.EscalateInput
	r := rs[len(rs)-1]
	ok(s.t, json.Unmarshal(r.Input, &in))
	return in, &r
}

// SPC-01: a decision that knows of a sensitive page leads to nobody.
func TestSPC01ADecisionOnASensitivePageLeadsToNobody(t *testing.T) {
	s := newShop(t, needy)
	receipt := s.grant(ada, consent.AdviserAssist)
	a := s.escalate(ada, "P1")
	want(t, a.Offer, flow.OfferNone)
	want(t, a.Reasons[0].Rule, "SPC-01")
	in, r := s.lastOffer()
	want(t, in.Special, true)
	want(t, r.Subject, consent.Subject{})
	want(t, strings.Contains(string(r.Input), receipt.RecordID), false)

	s.escalate(ada, "B12") // an ordinary page does
	in, r = s.lastOffer()
	want(t, r.Subject, s.subject(consent.Device, ada))
	want(t, in.Consent.RecordID, receipt.RecordID)
}

// R50: the record of a no is a way back to the visitor, too.
func TestARefusalIsNotNamedInWhatWasDecided(t *testing.T) {
	s := newShop(t, needy)
	s.grant(ada, consent.Analytics)
	s.withdraw(ada, consent.AdviserAssist, consent.Analytics)
	s.escalate(ada, "B12")
	in, _ := s.lastOffer()
	want(t, in.Consent.Status, consent.Refused)
	want(t, in.Consent.RecordID, "")
}

// CON-10 for sensitive categories: what an explicit yes let in is out with it.
func TestAnExplicitYesTakenBackLeavesNoFeatures(t *testing.T) {
	pregnancy := consent.SpecialCategory("pregnancy")
	for name, end := range map[string]func(*shop){
		"withdrawn": func(s *shop) { s.withdraw(ada, pregnancy) },
		"expired": func(s *shop) {
			s.wait(40 * 24 * time.Hour)
			s.grant(ada, consent.AdviserAssist) // goes on; the explicit yes does not
			s.wait(325*24*time.Hour - 10*time.Minute)
			want(s.t, s.outcome(s.view(ada, "P1")), "admitted: adviser_assist")
			s.wait(15 * time.Minute)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShop(t, needy)
			s.grant(ada, consent.AdviserAssist, pregnancy)
			for range 3 {
				want(t, s.outcome(s.view(ada, "P1")), "admitted: adviser_assist")
				s.wait(time.Minute)
			}
			s.escalate(ada, "B12")
			in, _ := s.lastOffer()
			want(t, in.Features[profile.ProductsViewed], int64(1))
			end(s)
			s.escalate(ada, "B12")
			in, _ = s.lastOffer()
			for f, n := range in.Features {
				if n != 0 {
					t.Errorf("%s is still %d", f, n)
				}
			}
		})
	}
}

func TestAMembershipFromBeforeAnExplicitYesEndedIsNotUsed(t *testing.T) {
	pregnancy := consent.SpecialCategory("pregnancy")
	s := newShop(t, needy)
	s.grant(ada, consent.AdviserAssist, consent.PersonalisationContent, pregnancy)
	publish := func() {
		ok(t, s.host.Publish(ctx, flow.Publication{AsOf: s.now, Run: "r"}, profile.MembersOf(map[consent.Subject]profile.Membership{
			s.subject(consent.Device, ada): {ValueTier: 4, Purpose: consent.PersonalisationContent, AsOf: s.now, Until: s.now.Add(24 * time.Hour)},
		})))
	}
	value := func() int { s.escalate(ada, "B12"); in, _ := s.lastOffer(); return in.Value }
	publish()
	want(t, value(), 4)
	s.wait(time.Hour)
	s.withdraw(ada, pregnancy)
	want(t, value(), 0)
	s.wait(time.Hour)
	publish() // the next night counted without it
	want(t, value(), 4)
}
