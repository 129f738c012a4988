package signal

import (
	"encoding/json"
	"maps"
	"testing"

	"pgregory.net/rapid"

	"github.com/handschlag/handschlag/consent"
)

// mode is ConsentModeOf a list, as the page gets it.
func mode(t interface{ Fatal(...any) }, gpc, controller bool, ps ...consent.Purpose) map[string]string {
	body, err := json.Marshal(ConsentModeOf(consent.SetOf(ps...).Has, gpc, controller))
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]string
	if err := json.Unmarshal(body, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// types are those of Google Consent Mode.
var types = []string{"ad_storage", "ad_user_data", "ad_personalization", "analytics_storage", "functionality_storage", "personalization_storage", "security_storage"}

func only(yes ...string) map[string]string {
	out := map[string]string{}
	for _, name := range types {
		out[name] = Denied
	}
	for _, name := range append(yes, "functionality_storage", "security_storage") {
		out[name] = Granted
	}
	return out
}

func TestSIG09AllowWhatTheLedgerGrants(t *testing.T) {
	ads := []string{"ad_storage", "ad_user_data", "ad_personalization"}
	for _, c := range []struct {
		name       string
		controller bool
		given      []consent.Purpose
		want       map[string]string
	}{
		{"analytics", true, []consent.Purpose{consent.Analytics}, only("analytics_storage")},
		{"personal content", true, []consent.Purpose{consent.PersonalisationContent}, only("personalization_storage")},
		{"advertising, by a processor", false, []consent.Purpose{consent.AdsThirdParty}, only(ads...)},
		{"advertising and sharing, with a controller", true, []consent.Purpose{consent.AdsThirdParty, consent.DataSharing}, only(ads...)},
		{"everything", true, consent.Purposes, only(types...)},
	} {
		if got := mode(t, false, c.controller, c.given...); !maps.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestSIG09DenyWhatItDoesNot(t *testing.T) {
	for _, c := range []struct {
		name       string
		gpc        bool
		controller bool
		given      []consent.Purpose
		want       map[string]string
	}{
		{"before any choice all seven are there, and denied but two", false, true, nil, only()},
		{"ad_user_data while ads_third_party is refused", false, true, []consent.Purpose{consent.DataSharing}, only()},
		{"ad_user_data for a controller without data_sharing", false, true, []consent.Purpose{consent.AdsThirdParty}, only("ad_storage", "ad_personalization")},
		{"advertising against Global Privacy Control", true, false, []consent.Purpose{consent.AdsThirdParty, consent.DataSharing}, only()},
		{"other purposes do not help", false, false, []consent.Purpose{consent.MarketingEmail, consent.AdviserAssist, consent.Experimentation}, only()},
	} {
		if got := mode(t, c.gpc, c.controller, c.given...); !maps.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// TestSIG09DenyNothingByMoreConsent is the property: more purposes never take a
// grant away; a browser's signal and a recipient of its own never add one; and what
// two visitors' modes grant together each grants alone.
func TestSIG09DenyNothingByMoreConsent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		few := rapid.SliceOf(rapid.SampledFrom(consent.Purposes)).Draw(t, "few")
		more := append(few[:len(few):len(few)], rapid.SliceOf(rapid.SampledFrom(consent.Purposes)).Draw(t, "more")...)
		gpc, controller := rapid.Bool().Draw(t, "gpc"), rapid.Bool().Draw(t, "controller")
		least := mode(t, gpc, controller, few...)
		for name, most := range map[string]map[string]string{
			"more consent":  mode(t, gpc, controller, more...),
			"no signal":     mode(t, false, controller, few...),
			"no controller": mode(t, gpc, false, few...),
		} {
			for _, kind := range types {
				if least[kind] == Granted && most[kind] != Granted {
					t.Fatalf("%s takes %s away: %v, %v", name, kind, least, most)
				}
				if w := most[kind]; w != Granted && w != Denied {
					t.Fatalf("%s is %q", kind, w)
				}
			}
		}
		one, two := ConsentModeOf(consent.SetOf(few...).Has, gpc, controller), ConsentModeOf(consent.SetOf(more...).Has, false, controller)
		if both := one.And(two); both.And(one) != both || both.And(two) != both || one.And(one) != one {
			t.Fatalf("%v and %v together are %v", one, two, both)
		}
	})
}
