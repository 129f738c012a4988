package signal

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// lines reads a file of testdata, one JSON value a line.
func lines[T any](t testing.TB, name string) []T {
	t.Helper()
	body, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	var out []T
	for line := range bytes.Lines(body) {
		var v T
		if err := json.Unmarshal(line, &v); err != nil {
			t.Fatal(err)
		}
		out = append(out, v)
	}
	return out
}

type vendorVector struct {
	Max    int
	IDs    []int
	Ranges Vendors
}

func (v vendorVector) vendors() (out Vendors) {
	for _, id := range v.IDs {
		if n := len(out); n > 0 && out[n-1][1] == id-1 {
			out[n-1][1] = id
		} else {
			out = append(out, [2]int{id, id})
		}
	}
	return append(out, v.Ranges...)
}

type tcfVector struct {
	String string `json:"tc_string"`
	Core   struct {
		Version       int
		Created       int64          `json:"created_ms"`
		Updated       int64          `json:"last_updated_ms"`
		CMP           int            `json:"cmp_id"`
		CMPVersion    int            `json:"cmp_version"`
		Screen        int            `json:"consent_screen"`
		Language      string         `json:"consent_language"`
		VendorList    int            `json:"vendor_list_version"`
		Policy        int            `json:"tcf_policy_version"`
		Specific      bool           `json:"is_service_specific"`
		NonStandard   bool           `json:"use_non_standard_texts"`
		Features      []int          `json:"special_feature_opt_ins"`
		Purposes      []int          `json:"purposes_consent"`
		LegInt        []int          `json:"purposes_li_transparency"`
		One           bool           `json:"purpose_one_treatment"`
		Country       string         `json:"publisher_cc"`
		Vendors       vendorVector   `json:"vendor_consents"`
		VendorsLegInt vendorVector   `json:"vendor_legitimate_interests"`
		Restrictions  []restrictions `json:"publisher_restrictions"`
	}
	Segments []struct {
		Name                   string
		Vendors                vendorVector
		Purposes               []int `json:"pub_purposes_consent"`
		LegInt                 []int `json:"pub_purposes_li"`
		Custom                 []int `json:"custom_consent"`
		CustomLegInt           []int `json:"custom_li"`
		NumberOfCustomPurposes int   `json:"num_custom_purposes"`
	} `json:"other_segments"`
}

type restrictions struct {
	Purpose, Type int
	Ranges        Vendors
}

func numbers(ns []int) (s Numbers) {
	for _, n := range ns {
		s |= 1 << (n - 1)
	}
	return s
}

// TestVectorsDecodeAsPublished compares every field with the independent decoder's.
func TestVectorsDecodeAsPublished(t *testing.T) {
	for _, v := range lines[tcfVector](t, "tcf_vectors.jsonl") {
		got, err := ParseTC(v.String)
		if v.Core.Version != 2 {
			if err == nil {
				t.Errorf("version %d was accepted: %s", v.Core.Version, v.String)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", v.String, err)
			continue
		}
		if want := v.tc(); !reflect.DeepEqual(got.comparable(), want.comparable()) {
			t.Errorf("%s:\n%+v, want\n%+v", v.String, got, want)
		}
		if got.Created.UnixMilli() != v.Core.Created || got.Updated.UnixMilli() != v.Core.Updated {
			t.Errorf("%s: %v, %v", v.String, got.Created, got.Updated)
		}
	}
}

func (v tcfVector) tc() TC {
	c := v.Core
	t := TC{
		CMP: c.CMP, CMPVersion: c.CMPVersion, Screen: c.Screen, Language: c.Language, Country: c.Country,
		VendorList: c.VendorList, Policy: c.Policy, ServiceSpecific: c.Specific, NonStandardTexts: c.NonStandard,
		PurposeOneTreatment: c.One, SpecialFeatures: numbers(c.Features), Purposes: numbers(c.Purposes),
		LegInt: numbers(c.LegInt) &^ noLegInt, LegIntIgnored: numbers(c.LegInt) & noLegInt,
		Vendors: c.Vendors.vendors(), VendorsLegInt: c.VendorsLegInt.vendors(),
	}
	for _, r := range c.Restrictions {
		t.Restrictions = append(t.Restrictions, Restriction{r.Purpose, r.Type, r.Ranges})
	}
	for _, s := range v.Segments {
		vendors := s.Vendors.vendors()
		switch s.Name {
		case "disclosed_vendors":
			t.Disclosed = &vendors
		case "allowed_vendors":
			t.Allowed = &vendors
		case "publisher_tc":
			t.Publisher = &Publisher{numbers(s.Purposes), numbers(s.LegInt), numbers(s.Custom), numbers(s.CustomLegInt)}
		}
	}
	return t
}

// comparable is a TC as JSON values, without times, and with empty lists alike.
func (t TC) comparable() (out map[string]any) {
	t.Created, t.Updated = noon, noon
	b, err := json.Marshal(t)
	if err == nil {
		b = bytes.ReplaceAll(b, []byte("null"), []byte("[]"))
		err = json.Unmarshal(b, &out)
	}
	if err != nil {
		return nil
	}
	for name, segment := range map[string]bool{"Disclosed": t.Disclosed == nil, "Allowed": t.Allowed == nil, "Publisher": t.Publisher == nil} {
		out["has "+name] = !segment
	}
	return out
}

func TestInvalidVectorsAreRefused(t *testing.T) {
	for _, v := range lines[tcfVector](t, "tcf_invalid.jsonl") {
		if _, err := ParseTC(v.String); err == nil {
			t.Errorf("accepted %s", v.String)
		}
		for p, says := range TCFPurposes(v.String, 28, noon) {
			if says != Broken {
				t.Errorf("%s: %s is %s", v.String, p, says)
			}
		}
	}
}

func TestGPPHeadersReadAsTheReferenceDoes(t *testing.T) {
	type vector struct {
		String   string `json:"gpp_string"`
		Sections []int  `json:"header_sections"`
	}
	vectors := lines[vector](t, "gpp_headers.jsonl")
	for i, v := range lines[vector](t, "gpp_strings.jsonl") {
		if vectors[i].String != v.String {
			t.Fatalf("line %d is for another string", i)
		}
	}
	for _, v := range vectors {
		header, rest, some := strings.Cut(v.String, "~")
		ids, err := parseGPPHeader(header)
		if err != nil || !slices.Equal(ids, v.Sections) {
			t.Errorf("%s: %v, %v; want %v", v.String, ids, err, v.Sections)
		}
		sections, err := ParseGPP(v.String)
		sent := 0
		if some {
			sent = strings.Count(rest, "~") + 1
		}
		if fits := sent == len(ids) && !strings.Contains(v.String, "~~"); (err == nil) != fits {
			t.Errorf("%s: %v, %v", v.String, sections, err)
		}
	}
}
