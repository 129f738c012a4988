package signal

import (
	"maps"
	"testing"

	"github.com/handschlag/handschlag/consent"
)

// The examples of law.md, by rule. The vectors of 4.2 to 4.4 are in purposes_test.go
// and stamp_test.go.

func TestSIG01AllowOtherValues(t *testing.T) {
	for _, values := range [][]string{nil, {"0"}, {"true"}, {"1;a=b"}, {""}, {" 1"}, {"01"}} {
		if GPC(values) {
			t.Errorf("%q counts", values)
		}
	}
}

func TestSIG01DenyExactlyOne(t *testing.T) {
	for _, values := range [][]string{{"1"}, {"0", "1"}, {"1", "0"}} {
		if !GPC(values) {
			t.Errorf("%q does not count", values)
		}
	}
}

func TestSIG05AllowValidStrings(t *testing.T) {
	for name, s := range map[string]string{"15 February 2026 without the segment": v4, "15 March 2026 with it": v6, "2022 without it": v1core} {
		if says := TCFPurposes(s, 28, noon)[consent.PersonalisationContent]; says != Yes {
			t.Errorf("%s: %s", name, says)
		}
	}
}

func TestSIG05DenyInvalidStrings(t *testing.T) {
	for name, s := range map[string]string{"15 March 2026 without the segment": v5, "cut short": v11a, "a character less": v6[:len(v6)-1], "version 1": "BONciguONcjGKADACHENAOLS1rAHDAFAAEAASABQAMwAeACEAFw"} {
		if says := TCFPurposes(s, 28, noon)[consent.PersonalisationContent]; says != Broken {
			t.Errorf("%s: %s", name, says)
		}
	}
	if says := TCFPurposes(v4, 28, mustTC(t, v4).Created.Add(-ahead-1))[consent.PersonalisationContent]; says != Broken {
		t.Errorf("from the future: %s", says)
	}
}

func TestSIG06AllowDisclosedAndConsented(t *testing.T) {
	if !mustTC(t, v1).Allows(28, 3) {
		t.Error("vendor 28, purpose 3, disclosed: refused")
	}
}

func TestSIG06DenyEitherMissing(t *testing.T) {
	for name, allowed := range map[string]bool{
		"vendor 50, disclosed without consent":       mustTC(t, v1).Allows(50, 3),
		"vendor 11, consented, nobody disclosed":     mustTC(t, v1core+".IAAA").Allows(11, 3),
		"vendor 28, purpose 2 without consent":       mustTC(t, v1).Allows(28, 2),
		"vendor 11, consented, others disclosed":     mustTC(t, v6).Allows(11, 3),
		"vendor 28, one of two purposes without any": mustTC(t, v1).Allows(28, 3, 2),
	} {
		if allowed {
			t.Error(name)
		}
	}
}

func TestSIG07AllowInterestForOtherPurposes(t *testing.T) {
	for _, s := range []string{v1, v7, v8} {
		if !mustTC(t, s).LegInt.Has(2) {
			t.Errorf("%s: interest for purpose 2 is gone", s)
		}
	}
	if !mustTC(t, v9).LegInt.Has(7) {
		t.Error("V9: interest for purpose 7 is gone")
	}
	if OddInterests(v1, "DBABMA~"+v1) {
		t.Error("V1 has nothing odd")
	}
}

func TestSIG07DenyInterestWhereThereIsNone(t *testing.T) {
	if tc := mustTC(t, v8); tc.LegInt != set(2) || tc.LegIntIgnored != set(3, 4, 5) {
		t.Errorf("V8 keeps %b", tc.LegInt)
	}
	if mustTC(t, v8).Allows(1, 3) || !OddInterests(v8, "") || !OddInterests("", "DBABM~"+v7) {
		t.Error("interest counts, or nobody hears of it")
	}
}

func TestSIG08AllowWhatTCFHasWordsFor(t *testing.T) {
	if says := GPPPurposes("DBABMA~"+tcWithRange(1, 20, 20), 7, noon)[consent.Analytics]; says != Yes {
		t.Errorf("analytics from purposes 1 and 8: %s", says)
	}
}

func TestSIG08DenyTheRest(t *testing.T) {
	says := TCFPurposes(tcWithRange(1, 20, 20), 7, noon) // all purposes
	for _, p := range consent.Purposes {
		if _, tcfKnows := needed[p]; !tcfKnows && says[p] != "" || says[consent.ModelTraining] != "" {
			t.Errorf("%s is %s", p, says[p])
		}
	}
	for name, c := range map[string]struct{ gpp, want string }{
		"a US section for a visitor in Germany": {"DBABTA~1YNN", No},
		"header and sections differ (G6)":       {"DBACOeA~~1YNN", Broken},
	} {
		for p, word := range GPPPurposes(c.gpp, 7, noon) {
			if word != c.want {
				t.Errorf("%s: %s is %s", name, p, word)
			}
		}
	}
}

// A destination that Segment maps to several categories is a purpose in several.
func TestSIG10AllowEveryCategorySaysYes(t *testing.T) {
	both := map[string][]consent.Purpose{"ad": {facebook}, "analytics_cat": {facebook}}
	if got := Segment(map[string]any{"ad": true, "analytics_cat": true}, both); !maps.Equal(got, Stamp{facebook: true}) {
		t.Errorf("both say yes: %v", got)
	}
}

func TestSIG10DenyMissingOrMixed(t *testing.T) {
	both := map[string][]consent.Purpose{"ad": {facebook}, "analytics_cat": {facebook}}
	if got := Segment(map[string]any{"ad": true, "analytics_cat": false}, both); got[facebook] {
		t.Errorf("one says no: %v", got)
	}
	if Segment(nil, both) != nil || Segment(map[string]any{}, both) != nil || Rudder(nil, nil, both) != nil {
		t.Error("an empty object is one")
	}
	if got := Segment(map[string]any{"weather": true, "unmapped": true}, both); len(got) != 0 {
		t.Errorf("unknown categories say %v", got)
	}
	if got := Rudder([]string{"ad"}, []string{"analytics_cat"}, both); got[facebook] {
		t.Errorf("RudderStack, one says no: %v", got)
	}
}
