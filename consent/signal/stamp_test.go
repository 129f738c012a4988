package signal

import (
	"maps"
	"testing"

	"github.com/handschlag/handschlag/consent"
)

// In law.md 4.4 the rows speak of destinations. Here each is a purpose: ads stand
// for google-ads, sharing for facebook, analytics for amplitude.
const (
	googleAds = consent.AdsThirdParty
	facebook  = consent.DataSharing
	amplitude = consent.Analytics
)

func TestSegmentReconcileRows(t *testing.T) {
	type m = map[string]any
	plain := map[string][]consent.Purpose{"ad": {facebook, googleAds}, "analytics_cat": {amplitude}}
	both := map[string][]consent.Purpose{"ad": {facebook, googleAds}, "analytics_cat": {amplitude, facebook}}
	for _, c := range []struct {
		name       string
		prefs      m
		categories map[string][]consent.Purpose
		want       Stamp
	}{
		{"1: no consent object", nil, plain, nil},
		{"2: an empty one", m{}, plain, nil},
		{"5: categories without mapping", m{"ad": true, "analytics_cat": true}, nil, Stamp{}},
		{"6: ads yes, analytics no", m{"ad": true, "analytics_cat": false}, plain, Stamp{facebook: true, googleAds: true, amplitude: false}},
		{"7: and the event's own key says no", m{"ad": true, "analytics_cat": false, "analytics": false}, plain, Stamp{facebook: true, googleAds: true, amplitude: false}},
		{"8: one refused by its own key", m{"ad": true, "data_sharing": false}, plain, Stamp{facebook: false, googleAds: true}},
		{"9: in two categories, one says no", m{"ad": true, "analytics_cat": false}, both, Stamp{facebook: false, googleAds: true, amplitude: false}},
		{"10: both yes, one refused by its own key", m{"ad": true, "analytics_cat": true, "analytics": false}, both, Stamp{facebook: true, googleAds: true, amplitude: false}},
		{"11: ads no, analytics yes", m{"ad": false, "analytics_cat": true}, both, Stamp{facebook: false, googleAds: false, amplitude: true}},
		{"12: a category unknown to us", m{"weather": true}, plain, Stamp{}},
		{"12: a category that the banner does not know", m{"ad": true}, plain, Stamp{facebook: true, googleAds: true}},
		{"a purpose key", m{"analytics": true}, nil, Stamp{consent.Analytics: true}},
		{"a no in one category outlives a yes in another", m{"ad": false, "data_sharing": true}, plain, Stamp{facebook: false, googleAds: false}},
		{"a string is no yes", m{"analytics": "true"}, nil, Stamp{consent.Analytics: false}},
		{"a number is no yes", m{"analytics": 1.0}, nil, Stamp{consent.Analytics: false}},
		{"null is no yes", m{"analytics": nil}, nil, Stamp{consent.Analytics: false}},
		{"an object is no yes", m{"analytics": m{"v": true}}, nil, Stamp{consent.Analytics: false}},
		{"keys are exact", m{"Analytics": true, "AD": true}, plain, Stamp{}},
	} {
		for range 20 { // whatever the order of the map
			if got := Segment(c.prefs, c.categories); !maps.Equal(got, c.want) || (got == nil) != (c.want == nil) {
				t.Fatalf("%s: %v, want %v", c.name, got, c.want)
			}
		}
	}
	// Rows 3 and 4: `integrations` is not read, so it cannot change rows 1 and 2.
}

func TestRudder(t *testing.T) {
	categories := map[string][]consent.Purpose{"C1": {consent.Analytics, consent.Experimentation}, "C2": {consent.Experimentation}}
	for _, c := range []struct {
		name            string
		allowed, denied []string
		want            Stamp
	}{
		{"nothing is no consent object", nil, nil, nil},
		{"allowed", []string{"C1"}, nil, Stamp{consent.Analytics: true, consent.Experimentation: true}},
		{"a no wins over a yes", []string{"C1"}, []string{"C2"}, Stamp{consent.Analytics: true, consent.Experimentation: false}},
		{"in both lists is a no", []string{"C1"}, []string{"C1"}, Stamp{consent.Analytics: false, consent.Experimentation: false}},
		{"a purpose key", []string{"adviser_assist"}, nil, Stamp{consent.AdviserAssist: true}},
		{"unknown ids", []string{"x"}, []string{"y"}, Stamp{}},
	} {
		if got := Rudder(c.allowed, c.denied, categories); !maps.Equal(got, c.want) || (got == nil) != (c.want == nil) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	if len(categories["C1"]) != 2 {
		t.Error("reading changed the mapping")
	}
}

func TestGPC(t *testing.T) {
	for _, c := range []struct {
		values []string
		want   bool
	}{
		{nil, false}, {[]string{"0"}, false}, {[]string{"true"}, false}, {[]string{"1;a=b"}, false}, {[]string{"1;x"}, false},
		{[]string{""}, false}, {[]string{" 1"}, false}, {[]string{"11"}, false}, {[]string{"1"}, true}, {[]string{"0", "1"}, true}, {[]string{"1", "0"}, true},
	} {
		if got := GPC(c.values); got != c.want {
			t.Errorf("%q: %v", c.values, got)
		}
	}
	if !DNT("1") || DNT("0") || DNT("") || DNT("true") {
		t.Error("DNT")
	}
}
