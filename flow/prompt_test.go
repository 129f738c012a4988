package flow_test

import (
	"slices"
	"testing"
	"time"

	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/flow"
)

// prompt is what a banner may ask ada for.
func (s *shop) prompt() flow.Prompt {
	s.t.Helper()
	state, err := s.ConsentState(ctx, flow.StateCall{AnonymousID: ada}, browser)
	ok(s.t, err)
	return state.Prompt
}

func TestCON12ABannerMayAskWhoNeverDecided(t *testing.T) {
	s := newShop(t)
	p := s.prompt()
	want(t, slices.Contains(p.Ask, consent.Analytics), true)
	want(t, len(p.Later)+len(p.Reasons), 0)
	for _, never := range []consent.Purpose{consent.MarketingEmail, consent.RecordingAV, consent.SpecialCategory("health"), consent.EssentialService} {
		want(t, slices.Contains(p.Ask, never), false)
	}
}

func TestCON12ANoIsNotAskedAgainForSixMonths(t *testing.T) {
	const day = 24 * time.Hour
	s := newShop(t)
	s.withdraw(ada, consent.Analytics) // a no to what was never given: refused
	s.grant(ada, consent.PersonalisationContent)
	said := s.clock()
	s.wait(21 * day)
	p := s.prompt()
	want(t, slices.Contains(p.Ask, consent.Analytics), false)
	want(t, slices.Contains(p.Ask, consent.PersonalisationContent), false) // is given
	want(t, slices.Contains(p.Ask, consent.AdviserAssist), true)
	want(t, p.Reasons[0].Rule, "CON-12")
	want(t, p.Later[consent.Analytics].Equal(said.AddDate(0, 6, 0)) || p.Later[consent.Analytics].Sub(said.AddDate(0, 6, 0)).Abs() <= time.Hour, true)
	s.withdraw(ada, consent.PersonalisationContent) // taking back is a no, too, and it counts from now
	s.wait(170 * day)
	p = s.prompt()
	want(t, slices.Contains(p.Ask, consent.Analytics), true)
	want(t, slices.Contains(p.Ask, consent.PersonalisationContent), false)
	s.withdraw(ada, consent.Analytics) // a second no starts anew
	s.wait(30 * day)
	want(t, slices.Contains(s.prompt().Ask, consent.Analytics), false)
}

// The rule holds the shop back, not the visitor.
func TestCON12AChoiceOfOnesOwnCountsAtOnce(t *testing.T) {
	s := newShop(t)
	s.withdraw(ada, consent.Analytics)
	s.wait(time.Minute)
	want(t, s.grant(ada, consent.Analytics).Purposes[consent.Analytics].Status, consent.Given)
}

func TestCON12AMaterialChangeMayBeAskedAbout(t *testing.T) {
	s := newShop(t, func(c *config.Config) {
		second := c.Notices[0]
		second.Version, second.Material = "2", true
		c.Notices = append(c.Notices, second)
	})
	s.withdraw(ada, consent.Analytics) // under notice 1
	s.wait(time.Hour)
	want(t, slices.Contains(s.prompt().Ask, consent.Analytics), true)
	call := says(ada, false, consent.Analytics)
	call.Notice.Version = "2"
	_, err := s.Consent(ctx, call, browser)
	ok(t, err)
	want(t, slices.Contains(s.prompt().Ask, consent.Analytics), false)
}

func TestCON12AnExpiredYesMayBeAskedAgain(t *testing.T) {
	s := newShop(t)
	s.grant(ada, consent.Analytics)
	s.wait(366 * 24 * time.Hour)
	want(t, slices.Contains(s.prompt().Ask, consent.Analytics), true)
}
