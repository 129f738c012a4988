package policy

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/event"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// raw is a track call as it arrives.
func raw(t testing.TB, name string) event.Raw {
	t.Helper()
	body := fmt.Sprintf(`{"anonymousId":"a-device-of-sixteen","event":%q,"messageId":"m1","properties":{"product_id":"B12","email":"ada@example.org"}}`, name)
	env, err := event.ParseSingle("track", []byte(body))
	if err != nil || len(env.Items) != 1 || env.Items[0].Invalid != nil {
		t.Fatalf("reading %s: %v", body, err)
	}
	return env.Items[0].Raw
}

// standings gives some purposes as given an hour before noon, the rest as refused.
func standings(given ...consent.Purpose) func(consent.Purpose) consent.Standing {
	return func(p consent.Purpose) consent.Standing {
		if slices.Contains(given, p) {
			return consent.Standing{Status: consent.Given, Since: noon.Add(-time.Hour), Until: noon.AddDate(1, 0, 0), RecordID: "r1"}
		}
		return consent.Standing{Status: consent.Refused, Since: noon.Add(-time.Hour)}
	}
}

func nobodyKnows(consent.Purpose) consent.Standing { return consent.Standing{} }

// around is an event of a visitor who allowed measuring and advice.
func around() Circumstances {
	return Circumstances{
		Subject: consent.Subject{1}, MessageKey: [16]byte{2}, Received: noon, Occurred: noon.Add(-time.Second),
		Standing: standings(consent.Analytics, consent.AdviserAssist), Age: "adult", RequireStamp: true, StampPresent: true,
		Stamp: map[consent.Purpose]bool{consent.Analytics: true, consent.AdviserAssist: true},
		Coarse: event.Coarse{Fields: event.Fields{
			Product: "B12", Category: "tea", QueryWords: []string{"tea"}, ReferrerHost: "example.org", IPPrefix: "203.0.113.0", UAFamily: "Chrome/142",
		}},
	}
}

func admitted(t testing.TB, r *Rules, name string, change func(*Circumstances)) (event.Event, Admission) {
	t.Helper()
	c := around()
	if change != nil {
		change(&c)
	}
	e, a, err := r.Admit(context.Background(), raw(t, name), c)
	if err != nil {
		t.Fatal(err)
	}
	return e, a
}

func TestAdmittedEventIsTheUnionOfWhatItsPurposesKeep(t *testing.T) {
	r := loaded(t, EntryEvent)
	e, a := admitted(t, r, "Product Viewed", nil)
	if !a.Allowed || len(a.Rules) != 0 || !slices.Equal(a.Purposes, []consent.Purpose{consent.Analytics, consent.AdviserAssist}) {
		t.Fatalf("got %+v", a)
	}
	stats, _ := e.For(consent.Analytics)
	if stats.QueryWords != nil || stats.ReferrerHost == "" || stats.UAFamily == "" || stats.IPPrefix != "" {
		t.Errorf("measuring sees %+v", stats)
	}
	advice, _ := e.For(consent.AdviserAssist)
	if advice.QueryWords == nil || advice.ReferrerHost != "" || advice.UAFamily != "" {
		t.Errorf("advice sees %+v", advice)
	}
	if _, ok := e.For(consent.PersonalisationContent); ok {
		t.Error("a refused purpose can read the event")
	}
	if e.Row().Fields.IPPrefix != "" || len(e.Policy) != 12 {
		t.Errorf("stored %+v", e.Row())
	}
}

func TestAdmit(t *testing.T) {
	r := loaded(t, EntryEvent)
	all := []consent.Purpose{consent.Analytics, consent.AdviserAssist}
	for _, c := range []struct {
		name     string
		event    string
		change   func(*Circumstances)
		purposes []consent.Purpose
		rules    string
	}{
		{"allowed", "Product Viewed", nil, all, ""},
		{"nobody known (CON-01)", "Product Viewed", func(c *Circumstances) { c.Standing = nobodyKnows }, nil, "CON-01 CON-11"},
		{"no way to know", "Product Viewed", func(c *Circumstances) { c.Standing = nil }, nil, "CON-01 CON-11"},
		{"no consent object (CON-11)", "Product Viewed", func(c *Circumstances) { c.Stamp, c.StampPresent = nil, false }, nil, "CON-11"},
		{"nobody known and no consent object", "Product Viewed", func(c *Circumstances) { c.Standing, c.Stamp, c.StampPresent = nobodyKnows, nil, false }, nil, "CON-11"},
		{"the book alone decides", "Product Viewed", func(c *Circumstances) { c.Stamp, c.StampPresent, c.RequireStamp = nil, false, false }, all, ""},
		{"a no counts even then", "Product Viewed", func(c *Circumstances) {
			c.RequireStamp, c.Stamp = false, map[consent.Purpose]bool{consent.Analytics: false}
		}, []consent.Purpose{consent.AdviserAssist}, ""},
		{"one purpose said no", "Product Viewed", func(c *Circumstances) {
			c.Stamp = map[consent.Purpose]bool{consent.Analytics: true, consent.AdviserAssist: false}
		},
			[]consent.Purpose{consent.Analytics}, ""},
		{"the only purpose spoken of was never decided", "Product Viewed", func(c *Circumstances) {
			c.Standing = func(p consent.Purpose) consent.Standing {
				if p == consent.AdviserAssist {
					return consent.Standing{}
				}
				return standings(consent.Analytics)(p)
			}
			c.Stamp = map[consent.Purpose]bool{consent.AdviserAssist: true}
		}, nil, "CON-01 CON-11 SIG-10"},
		{"object names no purpose (SIG-10)", "Product Viewed", func(c *Circumstances) { c.Stamp = nil }, nil, "CON-01 SIG-10"},
		{"happened before the grant (T1, BAT-02)", "Product Viewed", func(c *Circumstances) { c.Occurred = noon.Add(-61 * time.Minute) }, nil, "BAT-02"},
		{"happened with the grant", "Product Viewed", func(c *Circumstances) { c.Occurred = noon.Add(-time.Hour) }, all, ""},
		{"a little ahead", "Product Viewed", func(c *Circumstances) { c.Occurred = noon.Add(5 * time.Minute) }, all, ""},
		{"too far ahead (T7, BAT-04)", "Product Viewed", func(c *Circumstances) { c.Occurred = noon.Add(5*time.Minute + 1) }, nil, "BAT-04"},
		{"too late (BAT-04)", "Product Viewed", func(c *Circumstances) { c.Occurred = noon.Add(-7*24*time.Hour - 1) }, nil, "BAT-04"},
		{"switched off", "Product Viewed", func(c *Circumstances) { c.SwitchedOff = true }, nil, "SWITCH"},
		{"restricted (RGT-07)", "Product Viewed", func(c *Circumstances) { c.Restricted = true }, nil, "RGT-07"},
		{"unlinked (T13, CON-14)", "Product Viewed", func(c *Circumstances) { c.Unlinked = true }, nil, "CON-14"},
		{"sensitive (SPC-01)", "Product Viewed", func(c *Circumstances) { c.Coarse.Tags = []string{"health"} }, nil, "SPC-01"},
		{"one of two categories explicit", "Product Viewed", func(c *Circumstances) {
			c.Coarse.Tags, c.SpecialConsent = []string{"health", "religion"}, func(tag string) bool { return tag == "health" }
		}, nil, "SPC-01"},
		{"explicit", "Product Viewed", func(c *Circumstances) {
			c.Coarse.Tags, c.SpecialConsent = []string{"health"}, func(string) bool { return true }
		}, all, ""},
		{"order from the shop's server", "Order Completed", func(c *Circumstances) {
			c.Standing, c.Stamp, c.StampPresent, c.Trusted = nobodyKnows, nil, false, true
		}, []consent.Purpose{consent.EssentialService}, ""},
		{"order from the shop's server, with other purposes", "Order Completed", func(c *Circumstances) { c.Trusted = true },
			[]consent.Purpose{consent.EssentialService, consent.Analytics, consent.AdviserAssist}, ""},
		{"order that the browser claims", "Order Completed", func(c *Circumstances) { c.Standing, c.Stamp, c.StampPresent = nobodyKnows, nil, false }, nil, "CON-11"},
		{"sensitive order stays out (SPC-02)", "Order Completed", func(c *Circumstances) {
			c.Standing, c.Stamp, c.StampPresent, c.Trusted, c.Coarse.Tags = nobodyKnows, nil, false, true, []string{"health"}
		}, nil, "CON-11 SPC-01 SPC-02"},
		{"page view from the shop's server needs consent too", "Product Viewed", func(c *Circumstances) {
			c.Standing, c.Stamp, c.StampPresent, c.Trusted = nobodyKnows, nil, false, true
		}, nil, "CON-11"},
		{"child", "Product Viewed", func(c *Circumstances) { c.Age = "u16" }, nil, "SPC-05"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, a := admitted(t, r, c.event, c.change)
			if a.Allowed != (c.purposes != nil) || !slices.Equal(a.Purposes, c.purposes) || strings.Join(a.Rules, " ") != c.rules {
				t.Fatalf("got %+v, want %v %s", a, c.purposes, c.rules)
			}
			if a.Allowed && (e.Purposes() != consent.SetOf(c.purposes...) || e.OccurredAt.After(e.ReceivedAt)) {
				t.Errorf("event has purposes %v at %v", e.Purposes().List(), e.OccurredAt)
			}
			if !a.Allowed && e.Purposes() != 0 {
				t.Error("a refused event was made")
			}
		})
	}
}

func TestAdmitNeedsSomebody(t *testing.T) {
	c := around()
	c.Subject = consent.Subject{}
	if _, a, err := loaded(t, EntryEvent).Admit(context.Background(), raw(t, "Product Viewed"), c); err == nil || a.Allowed {
		t.Errorf("admitted for nobody: %+v, %v", a, err)
	}
}

func TestCaseStateOf(t *testing.T) {
	given := consent.Standing{Status: consent.Given, Since: noon.Add(-time.Hour), Until: noon.AddDate(1, 0, 0)}
	for name, c := range map[string]struct {
		s    consent.Standing
		m    Moment
		want CaseState
	}{
		"silence is unknown":            {consent.Standing{}, Moment{}, StateUnknown},
		"asked but not answered":        {consent.Standing{Status: consent.RequestDeferred}, Moment{}, StateUnknown},
		"given":                         {given, Moment{Occurred: noon, Received: noon}, StateGiven},
		"given with the event":          {given, Moment{Occurred: given.Since, Received: noon}, StateGiven},
		"before the grant":              {given, Moment{Occurred: given.Since.Add(-1), Received: noon}, StateBeforeGrant},
		"withdrawn":                     {consent.Standing{Status: consent.Withdrawn}, Moment{}, StateWithdrawn},
		"unlinked over given":           {given, Moment{Occurred: noon, Received: noon, Unlinked: true}, StateUnlinked},
		"restricted over unlinked":      {given, Moment{Occurred: noon, Received: noon, Unlinked: true, Restricted: true}, StateRestricted},
		"late over restricted":          {given, Moment{Occurred: noon.AddDate(0, 0, -8), Received: noon, Restricted: true}, StateLate},
		"late to the configured minute": {given, Moment{Occurred: noon.Add(-2 * time.Minute), Received: noon, LateAfter: time.Minute}, StateLate},
		"ahead":                         {given, Moment{Occurred: noon.Add(6 * time.Minute), Received: noon}, StateAhead},
		"ahead by millennia":            {given, Moment{Occurred: noon.AddDate(7973, 0, 0), Received: noon}, StateAhead},
		"late by two millennia":         {given, Moment{Occurred: time.Time{}, Received: noon}, StateLate},
		"switched off over all":         {given, Moment{Occurred: noon.Add(6 * time.Minute), Received: noon, SwitchedOff: true}, StateSwitchedOff},
	} {
		if got := CaseStateOf(c.s, c.m); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// After a withdrawal, and without consent, nothing is admitted, whatever else holds.
func TestNothingIsAdmittedWithoutConsent(t *testing.T) {
	r := loaded(t, EntryEvent)
	rapid.Check(t, func(t *rapid.T) {
		c := around()
		status := rapid.SampledFrom([]consent.Status{"", consent.Refused, consent.Withdrawn, consent.Expired, consent.Revoked, consent.Invalidated}).Draw(t, "status")
		c.Standing = func(consent.Purpose) consent.Standing { return consent.Standing{Status: status} }
		c.RequireStamp, c.GPC, c.DNT = rapid.Bool().Draw(t, "require"), rapid.Bool().Draw(t, "gpc"), rapid.Bool().Draw(t, "dnt")
		c.Trusted, c.Restricted = rapid.Bool().Draw(t, "trusted"), rapid.Bool().Draw(t, "restricted")
		for _, p := range GatePurposes {
			c.Stamp[p] = rapid.Bool().Draw(t, string(p))
		}
		name := rapid.SampledFrom([]string{"Product Viewed", "Cart Viewed", "Order Completed", "Anything"}).Draw(t, "event")
		env, err := event.ParseSingle("track", []byte(`{"anonymousId":"a-device-of-sixteen","event":"`+name+`"}`))
		if err != nil {
			t.Fatal(err)
		}
		_, a, err := r.Admit(context.Background(), env.Items[0].Raw, c)
		for _, p := range a.Purposes {
			if p != consent.EssentialService {
				t.Fatalf("admitted for %s with status %q", p, status)
			}
		}
		if err != nil || a.Allowed && !(c.Trusted && name == "Order Completed") {
			t.Fatalf("%+v, %v", a, err)
		}
	})
}
