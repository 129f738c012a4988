package flow_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/flow"
)

// modelled is what a visitor said about a purpose, as the law reads it: given
// since a moment, for twelve months after the last yes.
type modelled struct {
	given        bool
	since, until time.Time
}

// An event is admitted for exactly those purposes that were in force without
// interruption from the moment it happened until the moment it arrived; whatever
// the visitor did before. And no stream of events opens a contact by itself (R2).
func TestAnEventIsAdmittedForExactlyWhatWasInForceAllAlong(t *testing.T) {
	s := newShop(t, func(c *config.Config) { // the years that this test goes through
		for i := range c.Register.DPIA {
			c.Register.DPIA[i].ReviewBy = "9999-12-31"
		}
	})
	purposes := []consent.Purpose{consent.Analytics, consent.PersonalisationContent, consent.AdviserAssist}
	visitors := 0
	rapid.Check(t, func(r *rapid.T) {
		visitors++
		s.now = noon.AddDate(-6, 0, 0) // a story takes up to six years; the register wants a new look after 2030 (OPS-03)
		device := fmt.Sprintf("device-of-law-%08d", visitors)
		model := map[consent.Purpose]modelled{}
		for range rapid.IntRange(1, 12).Draw(r, "steps") {
			s.wait(time.Duration(rapid.SampledFrom([]int{0, 1, 60, 3600, 200 * 24 * 3600}).Draw(r, "seconds")) * time.Second)
			now := s.clock()
			if rapid.Bool().Draw(r, "consent") {
				p, yes := rapid.SampledFrom(purposes).Draw(r, "purpose"), rapid.Bool().Draw(r, "yes")
				if _, err := s.Consent(ctx, says(device, yes, p), browser); err != nil {
					r.Fatal(err)
				}
				was := model[p]
				is := modelled{given: yes, since: now, until: now.AddDate(1, 0, 0)}
				if yes && was.given && now.Before(was.until) {
					is.since = was.since
				}
				model[p] = is
				continue
			}
			occurred := now.Add(-time.Duration(rapid.IntRange(0, 7200).Draw(r, "ago")) * time.Second)
			a, err := s.Ingest(ctx, envelope(t, s.view(device, "B12", at(occurred))), browser)
			if err != nil {
				r.Fatal(err)
			}
			var lawful []consent.Purpose
			for _, p := range purposes {
				if m := model[p]; m.given && now.Before(m.until) && !occurred.Before(m.since) {
					lawful = append(lawful, p)
				}
			}
			if got := a.Results[0].Purposes; !slices.Equal(got, lawful) {
				r.Fatalf("admitted for %v, lawful were %v", got, lawful)
			}
		}
	})
	waiting, err := s.host.Waiting(ctx)
	ok(t, err)
	want(t, len(waiting), 0)
}

// Two visitors who differ in device, place and language but not in need get the
// same offer, from the same facts (R42 for escalation).
func TestDeviceAndPlaceDoNotChangeTheOffer(t *testing.T) {
	s := newShop(t, needy)
	s.staffed(5, "chat")
	persons := map[string]map[string]any{
		ada: {"ip": "198.51.100.7", "locale": "de-DE", "userAgent": "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.1 Safari/605.1.15", "timezone": "Europe/Berlin"},
		bob: {"ip": "203.0.113.9", "locale": "en-GB", "userAgent": "Mozilla/5.0 (Windows NT 6.1) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/109.0.0.0 Safari/537.36", "timezone": "Europe/London"},
	}
	var offers, inputs []string
	for _, device := range []string{ada, bob} {
		s.grant(device, consent.AdviserAssist)
		for _, p := range []string{"B12", "J7"} {
			s.ingest(browser, s.view(device, p, func(m message) {
				for k, v := range persons[device] {
					m["context"].(map[string]any)[k] = v
				}
			}))
		}
		a := s.escalate(device, "B12")
		offers = append(offers, a.Offer+strings.Join(a.Channels, ","))
		rs := s.decisions(decide.ActionEscalate)
		var in map[string]any
		ok(t, json.Unmarshal(rs[len(rs)-1].Input, &in))
		delete(in["consent"].(map[string]any), "record_id")
		b, err := json.Marshal(in)
		ok(t, err)
		inputs = append(inputs, string(b))
	}
	want(t, offers[0], offers[1])
	want(t, inputs[0], inputs[1])
	want(t, strings.HasPrefix(offers[0], flow.OfferHuman), true)
}
