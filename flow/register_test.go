package flow_test

import (
	"fmt"
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

func registered(t *testing.T, c *config.Config, now time.Time) flow.Register {
	t.Helper()
	rules, err := policy.Load(ctx, c.PolicySettings(), policy.EntryProcessing)
	ok(t, err)
	r, err := flow.Registered(ctx, rules, c, flow.OfferFeatures(c), now)
	ok(t, err)
	return r
}

// without is the configuration less one purpose of its register.
func without(p consent.Purpose) func(*config.Config) {
	return func(c *config.Config) {
		c.Register.Processings = slices.DeleteFunc(c.Register.Processings, func(x config.Processing) bool { return x.Purpose == p })
	}
}

func TestLAW01AllowEveryPurposeOfTheDefaultRegister(t *testing.T) {
	for _, year := range []int{2008, 2025, 2026, 2027, 2028} {
		r := registered(t, config.Default(), time.Date(year, 6, 1, 0, 0, 0, 0, time.UTC))
		for _, p := range consent.Purposes {
			if v := r.Verdict(p); !v.Allowed || len(v.Dropped)+len(v.Blocked) > 0 {
				t.Errorf("%d: %s: %+v", year, p, v)
			}
		}
	}
}

// The default assessment of interests lasts 24 months, those of impact to the end of 2099.
func TestLAW02DenyAnInterestWhoseAssessmentGrewOld(t *testing.T) {
	r := registered(t, config.Default(), time.Date(2028, 11, 21, 0, 0, 0, 0, time.UTC))
	for _, p := range consent.Purposes {
		old := p == consent.FraudSecurity || p == consent.ContentContextual || p == consent.MarketingPost
		if r.Runs(p) == old {
			t.Errorf("%s runs: %v", p, r.Runs(p))
		}
	}
	if registered(t, config.Default(), time.Date(2099, 12, 31, 0, 0, 0, 0, time.UTC)).Runs(consent.Analytics) {
		t.Error("analytics outlived its assessment")
	}
}

func TestLAW01DenyEventsOfAnUnregisteredPurpose(t *testing.T) {
	s := newShop(t, without(consent.Analytics))
	s.grant(ada, consent.Analytics, consent.AdviserAssist)
	a := s.ingest(browser, s.view(ada, "B12"))
	want(t, fmt.Sprint(a.Results[0].Purposes), "[adviser_assist]")

	s.grant(bob, consent.Analytics)
	a = s.ingest(browser, s.view(bob, "B12"))
	want(t, a.Results[0].Outcome, flow.Refused)
	want(t, fmt.Sprint(a.Results[0].Rules), "[LAW-01]")
}

// LAW-01: nobody is asked for what may not run, and a yes to it does not count.
func TestLAW01DenyAskingForAnUnregisteredPurpose(t *testing.T) {
	s := newShop(t, without(consent.Analytics))
	a := s.grant(ada, consent.Analytics, consent.AdviserAssist)
	want(t, fmt.Sprint(a.Purposes[consent.Analytics].Rules), "[LAW-01]")
	want(t, a.Purposes[consent.AdviserAssist].Status, consent.Given)
	state, err := s.ConsentState(ctx, flow.StateCall{AnonymousID: bob}, browser)
	ok(t, err)
	want(t, slices.Contains(state.Prompt.Ask, consent.Analytics), false)
	want(t, slices.Contains(state.Prompt.Ask, consent.AdviserAssist), true)
}

func TestLAW01DenyOffersOfAnUnregisteredPurposeButReachAHuman(t *testing.T) {
	s := newShop(t, needy, without(consent.AdviserAssist))
	s.staffed(5, "chat")
	s.grant(ada, consent.AdviserAssist)
	s.ingest(browser, s.view(ada, "B12"), s.view(ada, "J7"))
	a := s.escalate(ada, "B12")
	want(t, a.Offer, flow.OfferNone)
	want(t, slices.ContainsFunc(a.Reasons, func(r policy.Reason) bool { return r.Rule == "LAW-01" }), true)
	rs := s.decisions(decide.ActionEscalate)
	want(t, rs[len(rs)-1].Subject.IsZero(), true)

	asked, err := s.Escalate(ctx, flow.EscalateCall{AnonymousID: ada, Asked: true}, browser)
	ok(t, err)
	want(t, asked.Offer, flow.OfferHuman)
}

// A feature that the assessment does not know re-opens it (OPS-03): drift stops the purpose.
func TestOPS03DenyAFeatureThatWasNotAssessed(t *testing.T) {
	drop := func(list []string) []string {
		return slices.DeleteFunc(slices.Clone(list), func(f string) bool { return f == profile.CompareLoops })
	}
	c := config.Default()
	for i := range c.Register.DPIA {
		c.Register.DPIA[i].Features = drop(c.Register.DPIA[i].Features)
	}
	r := registered(t, c, noon)
	want(t, fmt.Sprint(r.Verdict(consent.AdviserAssist).Rules), "[OPS-03]")
	want(t, registered(t, config.Default(), noon).Runs(consent.AdviserAssist), true)
}

// LAW-05: a feature that the register does not list is not looked at, and the
// offer is decided from the rest.
func TestLAW05DenyAFeatureThatIsNotListed(t *testing.T) {
	for _, listed := range []bool{true, false} {
		s := newShop(t, needy, func(c *config.Config) {
			for i, p := range c.Register.Processings {
				if p.Purpose == consent.AdviserAssist && !listed {
					c.Register.Processings[i].Features = slices.DeleteFunc(slices.Clone(p.Features), func(f string) bool { return f == profile.ProductsViewed })
				}
			}
		})
		s.staffed(5, "chat")
		s.grant(ada, consent.AdviserAssist)
		s.ingest(browser, s.view(ada, "B12"), s.view(ada, "J7"))
		s.escalate(ada, "B12")
		rs := s.decisions(decide.ActionEscalate)
		in := string(rs[len(rs)-1].Input)
		want(t, strings.Contains(in, `"`+profile.ProductsViewed+`"`), listed)
	}
}

// LAW-05: the tier that the night published is a feature like others.
func TestLAW05DenyAValueTierThatIsNotListed(t *testing.T) {
	for listed, tier := range map[bool]string{true: `"value":4`, false: `"value":0`} {
		s := newShop(t, needy, func(c *config.Config) {
			for i, p := range c.Register.Processings {
				if p.Purpose == consent.AdviserAssist && !listed {
					c.Register.Processings[i].Features = slices.DeleteFunc(slices.Clone(p.Features), func(f string) bool { return f == "value_tier" })
				}
			}
		})
		s.interested(ada)
		ok(t, s.host.Publish(ctx, flow.Publication{AsOf: s.clock(), Run: "r"}, profile.MembersOf(map[consent.Subject]profile.Membership{
			s.subject(consent.Device, ada): {ValueTier: 4, Purpose: consent.AdviserAssist, AsOf: s.clock(), Until: s.clock().Add(time.Hour)},
		})))
		s.escalate(ada, "B12")
		want(t, strings.Contains(string(s.decisions(decide.ActionEscalate)[0].Input), tier), true)
	}
}

// A scorecard of the shop's own may use any feature of the catalogue: the default
// register lists them all, and its assessments know them.
func TestLAW05AllowEveryFeatureOfTheCatalogue(t *testing.T) {
	c := config.Default()
	c.Scorecard.Features = nil
	for _, f := range profile.Catalogue() {
		if slices.Contains(f.Purposes, consent.AdviserAssist) {
			c.Scorecard.Features = append(c.Scorecard.Features, decide.Feature{Name: f.Name, Bins: []decide.Bin{{AtLeast: 1, Points: 1}}})
		}
	}
	r := registered(t, c, noon)
	for _, f := range profile.Catalogue() {
		for _, p := range f.Purposes {
			if !r.Uses(p, f.Name) && p != consent.PersonalisationContent {
				t.Errorf("%s may not use %s: %v", p, f.Name, r.Verdict(p))
			}
		}
	}
	listed := c.Processings(consent.PersonalisationContent)[0].Features
	for _, f := range profile.Catalogue() {
		if slices.Contains(f.Purposes, consent.PersonalisationContent) && !slices.Contains(listed, f.Name) {
			t.Errorf("personalisation_content does not list %s", f.Name)
		}
	}
}

// LAW-05: a segment's condition may name columns of the look-back alone.
func TestLAW05DenyAColumnBeyondTheLookBack(t *testing.T) {
	c := config.Default()
	for i, p := range c.Register.Processings {
		if p.Purpose == consent.PersonalisationContent {
			c.Register.Processings[i].LookbackDays = 28
		}
	}
	r := registered(t, c, noon)
	want(t, r.Runs(consent.PersonalisationContent), true)
	want(t, r.Uses(consent.PersonalisationContent, "orders_28d"), true)
	want(t, r.Uses(consent.PersonalisationContent, "orders_90d"), false)
}

// OPS-04: the fall of the framework stops what leaves on it, and nothing else.
func TestOPS04DenyTransfersWhenTheFrameworkFell(t *testing.T) {
	for _, dpf := range []bool{true, false} {
		c := config.Default()
		c.Register.Transfers.DPF = dpf
		for i := range c.Register.Recipients {
			if r := &c.Register.Recipients[i]; r.ID == "mail provider" {
				r.Country, r.Transfer = "US", "dpf"
			}
		}
		r := registered(t, c, noon)
		want(t, r.Runs(consent.MarketingEmail), dpf)
		want(t, r.Runs(consent.Analytics), true)
	}
}

// OPS-03, OPS-04: whom a channel feeds is a recipient, listed with the purpose or not.
func TestOPS04DenyAChannelToWhomNobodyAssessed(t *testing.T) {
	for name, x := range map[string]struct {
		feed config.Recipient
		want string
	}{
		"not assessed":                   {config.Recipient{Role: "controller", Contract: "2026/7", Country: "DE", Transfer: "none"}, "[OPS-03]"},
		"adequacy where there is none":   {config.Recipient{Role: "controller", Contract: "2026/7", Country: "US", Transfer: "adequacy"}, "[OPS-03 OPS-04]"},
		"without a contract":             {config.Recipient{Role: "controller", Country: "DE", Transfer: "none"}, "[OPS-03 OPS-04]"},
		"of no register: EXP-08 sees it": {config.Recipient{ID: "-"}, "[]"},
	} {
		c := config.Default()
		if x.feed.ID == "" {
			x.feed.ID = "other network"
			c.Register.Recipients = append(c.Register.Recipients, x.feed)
		}
		c.Exports.Channels = append(c.Exports.Channels, config.Channel{Name: "more", Purpose: consent.AdsThirdParty, Recipient: x.feed.ID, Role: "controller"})
		if got := fmt.Sprint(registered(t, c, noon).Verdict(consent.AdsThirdParty).Rules); got != x.want {
			t.Errorf("%s: %s, want %s", name, got, x.want)
		}
	}
}

// LAW-02, OPS-03: an assessment of one group of persons is none of another.
func TestLAW02DenyASecondEntryWithoutItsAssessment(t *testing.T) {
	for _, x := range []struct {
		purpose consent.Purpose
		change  func(*config.Processing)
		want    string
	}{
		{consent.MarketingPost, func(*config.Processing) {}, "[]"},
		{consent.MarketingPost, func(p *config.Processing) { p.LIA = "" }, "[LAW-02]"},
		{consent.AdviserAssist, func(p *config.Processing) { p.DPIA = "" }, "[OPS-03]"},
		{consent.AdviserAssist, func(p *config.Processing) { p.Features = nil }, "[LAW-05]"},
		{consent.SpecialCategory("health"), func(p *config.Processing) { p.Art9 = "" }, "[LAW-01]"},
	} {
		c := config.Default()
		second := c.Processings(x.purpose)[0]
		x.change(&second)
		c.Register.Processings = append(c.Register.Processings, second)
		if got := fmt.Sprint(registered(t, c, noon).Verdict(x.purpose).Rules); got != x.want {
			t.Errorf("%s: %s, want %s", x.purpose, got, x.want)
		}
	}
}

// CON-06, T15: from the moment that a banner is found unfair, what was said on it
// is nothing; before it, and on another banner, it stands.
func TestCON06DenyWhatWasSaidOnAnInvalidatedBanner(t *testing.T) {
	s := newShop(t, func(c *config.Config) {
		sound := c.UI[0]
		sound.Version = "banner-2"
		c.UI[0].InvalidatedFrom = noon.Add(time.Hour).Format(time.RFC3339)
		c.UI = append(c.UI, sound)
	})
	s.grant(ada, consent.Analytics)
	want(t, s.ingest(browser, s.view(ada, "B12")).Results[0].Outcome, flow.Admitted)
	s.wait(time.Hour)
	a := s.ingest(browser, s.view(ada, "B12"))
	want(t, a.Results[0].Outcome, flow.Refused)
	want(t, fmt.Sprint(a.Results[0].Rules), "[CON-06]")

	again := says(ada, true, consent.Analytics)
	again.UI.Version = "banner-2"
	_, err := s.Consent(ctx, again, browser)
	ok(t, err)
	want(t, s.ingest(browser, s.view(ada, "B12")).Results[0].Outcome, flow.Admitted)
}
