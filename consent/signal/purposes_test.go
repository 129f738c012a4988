package signal

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/handschlag/handschlag/consent"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// The strings of law.md 4.2.
const (
	v1core = "CPTtLAAPTtLAAAKAAAENAAFgALwAAEAAAAAAAOgAgABgAAAA"
	v1     = v1core + ".IAoAAgABgAAEAQAAEAAA.d4AACEAAAAAA"
	v4     = "CQfqn0AQfqn0AAKAAAENAAFgALwAAEAAAAAAAOgAgABgAAAA"
	v5     = "CQhG6EAQhG6EAAKAAAENAAFgALwAAEAAAAAAAOgAgABgAAAA"
	v6     = v5 + ".IAOgAAABgA"
	v7     = "CQhG6EAQhG6EAAKAAAENAAFgALwAAOAAAAAAAOgAgABgAAAA.IAOgAAABgA"
	v8     = "COx3XOeOx3XOeLkAAAENAfCIAAAAAHgAAIAAAAAAAAAA"
	v9     = "COyiBqdOyiBqdObAAAENAfCIAP8AAH-AAAAAB4AXQQgEAAAgoAAAAABAIYQUAAAAAAAAAAAAAAAIQIQCxIvkgQMAAAABgAIAAAAAAAAAAABAZAkAAA"
	v10    = "COvcSpYOvcSpYC9AAAENAPCAAAAAAAAAAAAACvwDQABAAIAAYABIAC4AJQAagA9ACEAPgAjIBJoCvAK-AAAAAA"
	v11a   = "COvcSpYOvcSpYC9AAAENAPCAAAAAAAAAAAAAAFAAAAA"
	v11b   = "COvcSpYOvcSpYC9AAAENAPCAAAAAAAAAAAAAAFQBgAAgABAACAAEAAQAAgAA"
	v12    = "CPSG_8APSG_8AAAAAAENAAFgAAAAAAAAAAAAAAAAAAAA.IAAA.YAAAAAAAAAAA"
)

func set(ns ...int) Numbers { return numbers(ns) }

func mustTC(t testing.TB, s string) TC {
	t.Helper()
	tc, err := ParseTC(s)
	if err != nil {
		t.Fatalf("%s: %v", s, err)
	}
	return tc
}

func TestV1IsReadInFull(t *testing.T) {
	tc := mustTC(t, v1)
	if !tc.Created.Equal(time.Date(2022, 2, 1, 0, 0, 0, 0, time.UTC)) || tc.CMP != 10 || tc.Policy != 5 ||
		tc.Purposes != set(1, 3, 4, 5, 6) || tc.LegInt != set(2) {
		t.Errorf("core: %+v", tc)
	}
	for id := range 100 {
		if tc.Vendors.Has(id) != slices.Contains([]int{11, 28, 29}, id) {
			t.Errorf("vendor %d: %v", id, tc.Vendors)
		}
		if tc.Disclosed.Has(id) != slices.Contains([]int{11, 28, 29, 50, 60, 80}, id) {
			t.Errorf("disclosed %d: %v", id, *tc.Disclosed)
		}
	}
	if tc.Publisher.Purposes != set(1, 3, 4, 5, 6) || tc.Publisher.LegInt != set(2, 7) {
		t.Errorf("publisher: %+v", *tc.Publisher)
	}
}

func TestVendorAndPurpose(t *testing.T) {
	for _, c := range []struct {
		name, tc string
		vendor   int
		purpose  int
		want     bool
	}{
		{"V1: consented and disclosed", v1, 28, 3, true},
		{"V1: disclosed, not consented", v1, 50, 3, false},
		{"V1: purpose 2 has interest only", v1, 28, 2, false},
		{"V2: old string without the segment", v1core, 28, 3, true},
		{"V3: nobody disclosed, 11", v1core + ".IAAA", 11, 3, false},
		{"V3: nobody disclosed, 28", v1core + ".IAAA", 28, 3, false},
		{"V3: nobody disclosed, 29", v1core + ".IAAA", 29, 3, false},
		{"V4: February without the segment", v4, 28, 3, true},
		{"V6: disclosed", v6, 28, 3, true},
		{"V6: consented, not disclosed", v6, 11, 3, false},
		{"V10: no purposes", v10, 2, 1, false},
		{"V12: nothing", v12, 1, 1, false},
		{"vendor 0 is the publisher", v1, 0, 3, true},
		{"publisher's own purposes only", v1, 0, 2, false},
		{"publisher without a segment", v1core, 0, 3, false},
		{"a vendor below 0", v1, -1, 3, false},
		{"no purpose 0", v1, 28, 0, false},
	} {
		if got := mustTC(t, c.tc).Allows(c.vendor, c.purpose); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

func TestWhenAStringCounts(t *testing.T) {
	february := time.Date(2026, 2, 15, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name, tc string
		now      time.Time
		ok       bool
	}{
		{"V2: 2022 without the segment", v1core, noon, true},
		{"V4: 15 February 2026 without it", v4, noon, true},
		{"V5: 15 March 2026 without it", v5, noon, false},
		{"V6: 15 March 2026 with it", v6, noon, true},
		{"from the future", v4, february.Add(-6 * time.Minute), false},
		{"a visitor's clock a little ahead", v4, february.Add(-5 * time.Minute), true},
	} {
		if err := mustTC(t, c.tc).Valid(c.now); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	tc := TC{Created: segmentFrom}
	if tc.Valid(noon) == nil {
		t.Error("1 March 2026 without the segment counts")
	}
	if tc.Created = segmentFrom.Add(-time.Second); tc.Valid(noon) != nil {
		t.Error("28 February 2026 without the segment does not count")
	}
	if tc.Updated = noon.Add(time.Hour); tc.Valid(noon) == nil {
		t.Error("updated in the future counts")
	}
}

func TestLegitimateInterestIsIgnoredWhereThereIsNone(t *testing.T) {
	for _, c := range []struct {
		name, tc       string
		keeps, ignores Numbers
	}{
		{"V7", v7, set(2), set(1, 3)},
		{"V8", v8, set(2), set(3, 4, 5)},
		{"V9", v9, set(2, 7, 8, 9), set(3, 4, 5, 6)},
		{"V1", v1, set(2), 0},
	} {
		if tc := mustTC(t, c.tc); tc.LegInt != c.keeps || tc.LegIntIgnored != c.ignores {
			t.Errorf("%s: keeps %b, ignores %b", c.name, tc.LegInt, tc.LegIntIgnored)
		}
	}
}

func TestOtherFields(t *testing.T) {
	if tc := mustTC(t, v8); tc.Policy != 2 || tc.Purposes != 0 || tc.SpecialFeatures != set(1) || !tc.PurposeOneTreatment ||
		tc.Created.Format(time.DateOnly) != "2020-04-14" {
		t.Errorf("V8: %+v", tc)
	}
	if tc := mustTC(t, v9); tc.CMP != 923 || tc.Purposes != set(1, 2, 3, 4, 5, 6, 7, 8) || !tc.Vendors.Has(6) || tc.Vendors.Has(7) || !tc.Vendors.Has(12) {
		t.Errorf("V9: %+v", tc)
	}
	if tc := mustTC(t, v10); !tc.Created.Truncate(time.Second).Equal(time.Date(2020, 2, 27, 19, 51, 49, 0, time.UTC)) || !tc.Vendors.Has(23) || tc.Vendors.Has(24) {
		t.Errorf("V10: %+v", tc)
	}
	for lang, s := range map[string]string{"BG": "COyiHgFOyiHgFN4ABABGAPCAAAAAAAAAAAAAAFAAAAoAAAA", "SV": "COyiHgFOyiHgFN4ABASVAPCAAAAAAAAAAAAAAFAAAAoAAAA"} {
		if tc := mustTC(t, s); tc.Language != lang {
			t.Errorf("V13: %s, want %s", tc.Language, lang)
		}
	}
}

func TestBrokenStrings(t *testing.T) {
	for name, s := range map[string]string{
		"V11: interests declared, missing":      v11a,
		"V11: interests declared, cut short":    v11b,
		"empty":                                 "",
		"only a dot":                            ".",
		"version 1":                             "BONciguONcjGKADACHENAOLS1rAHDAFAAEAASABQAMwAeACEAFw",
		"not base64url":                         strings.Replace(v1core, "A", "+", 1),
		"padding characters":                    v1core + "=",
		"a space":                               v1core + " ",
		"a character more":                      v1core + "A",
		"bits after the end":                    v1core + "AB",
		"bits after the end, in the last byte":  v1core[:len(v1core)-1] + "B",
		"an empty segment":                      v1core + ".",
		"a segment of another kind":             v1core + ".AAAA",
		"the same segment twice":                v1 + ".IAAA",
		"the publisher's segment twice":         v12 + ".YAAAAAAAAAAA",
		"out-of-band vendors twice":             v1core + ".QAAA.QAAA",
		"segments only":                         ".IAAA",
		"a language that is none":               v1core[:18] + "__" + v1core[20:],
		"a segment that ends too early":         v1core + ".IAOg",
		"bits after a segment's end":            v1core + ".IAAB",
		"vendors in the wrong order (12 to 11)": tcWithRange(12, 11, 20),
		"vendor 0":                              tcWithRange(0, 1, 20),
		"a vendor above the highest":            tcWithRange(1, 21, 20),
	} {
		for p, says := range TCFPurposes(s, 28, noon) {
			if says != Broken {
				t.Errorf("%s: %s is %s", name, p, says)
			}
		}
	}
	if tc := mustTC(t, tcWithRange(1, 20, 20)); !tc.Vendors.Has(20) || !tc.Allows(7, 1, 24) {
		t.Errorf("the range builder is broken: %+v", tc)
	}
}

// writer writes what bits reads.
type writer struct {
	out   []byte
	n     int
	spare int
}

func (w *writer) int(v, n int) *writer {
	for i := n - 1; i >= 0; i-- {
		w.spare = w.spare<<1 | v>>i&1
		if w.n++; w.n%6 == 0 {
			w.out = append(w.out, alphabet[w.spare])
			w.spare = 0
		}
	}
	return w
}

// string pads to whole bytes and characters.
func (w *writer) string() string {
	for w.n%24 != 0 {
		w.int(0, 1)
	}
	return string(w.out)
}

// core writes a version 2 core up to the vendors: all purposes, no interests.
func core() *writer {
	w := (&writer{}).int(2, 6)
	for range 2 {
		w.int(16e9, 36) // 2020
	}
	return w.int(0, 12+12+6).int(0, 12).int(0, 12).int(5, 6).int(0, 2+12).int(1<<24-1, 24).int(0, 24).int(0, 1+12)
}

func tcWithRange(first, last, highest int) string {
	return core().int(highest, 16).int(1, 1).int(1, 12).int(1, 1).int(first, 16).int(last, 16).int(0, 17).int(0, 12).string()
}

func TestRestrictions(t *testing.T) {
	for kind, want := range map[int]bool{0: false, 1: true, 2: false} {
		// All vendors to 30 consented; purpose 3 restricted for vendor 28.
		s := core().int(30, 16).int(0, 1).int(1<<30-1, 30).int(0, 17).int(1, 12).int(3, 6).int(kind, 2).int(1, 12).int(0, 1).int(28, 16).string()
		tc := mustTC(t, s)
		if tc.Allows(28, 3) != want || !tc.Allows(28, 4) || !tc.Allows(27, 3) {
			t.Errorf("kind %d: %+v", kind, tc)
		}
	}
	if _, err := ParseTC(core().int(0, 17).int(0, 17).int(1, 12).int(3, 6).int(3, 2).int(0, 12).string()); err == nil {
		t.Error("a restriction of an unknown kind was accepted")
	}
	if _, err := ParseTC(core().int(0, 17).int(0, 17).int(1, 12).int(0, 6).int(0, 2).int(0, 12).string()); err == nil {
		t.Error("a restriction of no purpose was accepted")
	}
}

func TestWhatAStringSaysAboutPurposes(t *testing.T) {
	all := func(says string) map[consent.Purpose]string {
		return map[consent.Purpose]string{consent.Analytics: says, consent.Experimentation: says,
			consent.PersonalisationContent: says, consent.AdsThirdParty: says, consent.ModelTraining: says}
	}
	but := func(m map[consent.Purpose]string, p consent.Purpose, says string) map[consent.Purpose]string {
		m[p] = says
		if says == "" {
			delete(m, p)
		}
		return m
	}
	full := tcWithRange(1, 20, 20)
	for _, c := range []struct {
		name   string
		says   map[consent.Purpose]string
		expect map[consent.Purpose]string
	}{
		{"V1, vendor 28: purposes 1, 3 to 6", TCFPurposes(v1, 28, noon), but(all(No), consent.PersonalisationContent, Yes)},
		{"V1, the publisher", TCFPurposes(v1, 0, noon), but(all(No), consent.PersonalisationContent, Yes)},
		{"V1, a vendor without consent", TCFPurposes(v1, 50, noon), all(No)},
		{"V5: March without the segment", TCFPurposes(v5, 28, noon), all(Broken)},
		{"from the future", TCFPurposes(v4, 28, noon.AddDate(-1, 0, 0)), all(Broken)},
		{"everything given: training is left open", TCFPurposes(full, 7, noon), but(all(Yes), consent.ModelTraining, "")},
		{"G3: only US sections", GPPPurposes("DBABjw~1YNN~1YNN", 28, noon), all(No)},
		{"G4: only section 6", GPPPurposes("DBABTA~1YNN", 28, noon), all(No)},
		{"G5: section 2 gives nothing", GPPPurposes("DBACNYA~CPSG_8APSG_8ANwAAAENAwCgAAAAAAAAAAAAAAAAAAAA.IAAA.YAAAAAAAAAAA~1YNN", 28, noon), all(No)},
		{"G6: header and sections differ", GPPPurposes("DBACOeA~~1YNN", 28, noon), all(Broken)},
		{"G7: empty and valid", GPPPurposes("DBAA", 28, noon), all(No)},
		{"G8: no purposes", GPPPurposes("DBABM~CPXxRfAPXxRfAAfKABENB-CgAAAAAAAAAAYgAAAAAAAA", 31, noon), all(No)},
		{"V1 as section 2", GPPPurposes("DBABMA~"+v1, 28, noon), but(all(No), consent.PersonalisationContent, Yes)},
		{"V5 as section 2", GPPPurposes("DBABM~"+v5, 28, noon), all(Broken)},
		{"a section more than named", GPPPurposes("DBABM~"+v1+"~1YNN", 28, noon), all(Broken)},
		{"a section fewer", GPPPurposes("DBACNY~"+v1, 28, noon), all(Broken)},
		{"an empty section", GPPPurposes("DBACNY~"+v1+"~", 28, noon), all(Broken)},
		{"no header", GPPPurposes("~"+v1, 28, noon), all(Broken)},
		{"another type of header", GPPPurposes("EBABM~"+v1, 28, noon), all(Broken)},
		{"another version of header", GPPPurposes("DCABM~"+v1, 28, noon), all(Broken)},
		{"bits after the header", GPPPurposes("DBABMB~"+v1, 28, noon), all(Broken)},
		{"a header without end", GPPPurposes("DBABAAAAAAAAAA~"+v1, 28, noon), all(Broken)},
		{"a range without end", GPPPurposes("DBAB"+strings.Repeat("q", 40)+"~"+v1, 28, noon), all(Broken)},
		{"a TC string alone is no GPP string", GPPPurposes(v1, 28, noon), all(Broken)},
	} {
		if !maps.Equal(c.says, c.expect) {
			t.Errorf("%s: %v, want %v", c.name, c.says, c.expect)
		}
	}
	tc, err := ParseGPP("DBABM~CPXxRfAPXxRfAAfKABENB-CgAAAAAAAAAAYgAAAAAAAA")
	if err != nil {
		t.Fatal(err)
	}
	if g8 := mustTC(t, tc[2]); g8.CMP != 31 || g8.Country != "DE" || g8.Created.Format(time.DateOnly) != "2022-04-20" {
		t.Errorf("G8: %+v", g8)
	}
}

// TestTCFHasNoWordsForTheRest is SIG-08.
func TestTCFHasNoWordsForTheRest(t *testing.T) {
	says := TCFPurposes(tcWithRange(1, 20, 20), 7, noon)
	for _, p := range consent.Purposes {
		switch p {
		case consent.Analytics, consent.Experimentation, consent.PersonalisationContent, consent.AdsThirdParty:
		default:
			if says[p] != "" {
				t.Errorf("%s is %s", p, says[p])
			}
		}
	}
}
