package main

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/handschlag/handschlag/consent/signal"
)

// reading is a TC string as the libraries read it; sets of numbers are ranges.
type reading struct {
	Version, Created, Updated, CMP, CMPVersion, Screen int
	Language, Country                                  string
	VendorList, Policy                                 int
	Specific, NonStandard, One                         bool
	Features, Purposes, Interests                      [][2]int
	Vendors, VendorInterests                           [][2]int
	Disclosed, Allowed                                 [][2]int
	Publisher, PublisherInterests                      [][2]int
	Custom, CustomInterests                            [][2]int
	Restrictions                                       []restriction
}

type restriction struct {
	Purpose, Kind int
	Vendors       [][2]int
}

// gppReading is a GPP string as the library reads it.
type gppReading struct {
	IDs []int
	EU  *struct {
		Error string
		Read  *reading
	}
}

// ours is our reading in the libraries' shape.
func ours(t signal.TC) reading {
	r := reading{
		Version: 2, Created: int(t.Created.UnixMilli() / 100), Updated: int(t.Updated.UnixMilli() / 100),
		CMP: t.CMP, CMPVersion: t.CMPVersion, Screen: t.Screen, Language: t.Language, Country: t.Country,
		VendorList: t.VendorList, Policy: t.Policy, Specific: t.ServiceSpecific, NonStandard: t.NonStandardTexts, One: t.PurposeOneTreatment,
		Features: numbers(t.SpecialFeatures), Purposes: numbers(t.Purposes), Interests: numbers(t.LegInt | t.LegIntIgnored),
		Vendors: merged(t.Vendors), VendorInterests: merged(t.VendorsLegInt),
	}
	if t.Disclosed != nil {
		r.Disclosed = merged(*t.Disclosed)
	}
	if t.Allowed != nil {
		r.Allowed = merged(*t.Allowed)
	}
	if p := t.Publisher; p != nil {
		r.Publisher, r.PublisherInterests = numbers(p.Purposes), numbers(p.LegInt)
		r.Custom, r.CustomInterests = numbers(p.CustomPurposes), numbers(p.CustomLegInt)
	}
	for _, one := range t.Restrictions {
		r.Restrictions = append(r.Restrictions, restriction{one.Purpose, one.Kind, one.Vendors})
	}
	return r.tidy()
}

// tidy brings sets into one form: ranges merged and in order, restrictions of one
// kind and purpose together, none of nobody.
func (r reading) tidy() reading {
	for _, set := range []*[][2]int{&r.Features, &r.Purposes, &r.Interests, &r.Vendors, &r.VendorInterests, &r.Disclosed, &r.Allowed,
		&r.Publisher, &r.PublisherInterests, &r.Custom, &r.CustomInterests} {
		*set = merged(*set)
	}
	by := map[[2]int][][2]int{}
	for _, one := range r.Restrictions {
		by[[2]int{one.Purpose, one.Kind}] = append(by[[2]int{one.Purpose, one.Kind}], one.Vendors...)
	}
	r.Restrictions = nil
	for _, k := range slices.SortedFunc(maps.Keys(by), func(a, b [2]int) int { return slices.Compare(a[:], b[:]) }) {
		if len(by[k]) > 0 {
			r.Restrictions = append(r.Restrictions, restriction{k[0], k[1], merged(by[k])})
		}
	}
	return r
}

// merged joins ranges that touch, in order; nil if there are none.
func merged(in [][2]int) (out [][2]int) {
	in = slices.SortedFunc(slices.Values(in), func(a, b [2]int) int { return slices.Compare(a[:], b[:]) })
	for _, r := range in {
		if n := len(out); n > 0 && r[0] <= out[n-1][1]+1 {
			out[n-1][1] = max(out[n-1][1], r[1])
		} else {
			out = append(out, r)
		}
	}
	return out
}

func numbers(s signal.Numbers) (out [][2]int) {
	for n := 1; n <= 64; n++ {
		if s.Has(n) {
			out = append(out, [2]int{n, n})
		}
	}
	return merged(out)
}

// take compares one string.
func (t *tally) take(l line) error {
	if l.Kind == "gpp" {
		return t.takeGPP(l)
	}
	var lib *reading
	if l.Error == "" {
		lib = &reading{}
		if err := json.Unmarshal(l.Read, lib); err != nil {
			return err
		}
	}
	t.takeTC(l, l.String, lib, l.Error)
	return nil
}

// takeTC compares a TC string with what a library read (nil: its error).
func (t *tally) takeTC(l line, tc string, lib *reading, libErr string) {
	own, err := signal.ParseTC(tc)
	switch {
	case err != nil && lib == nil:
		t.bothRefuse[l.Kind]++
	case err != nil:
		if name := stricter(l.Kind, tc, err, *lib); name != "" {
			t.stricter[name]++
		} else {
			t.differs(l, "we refuse (%v), the library reads %+v", err, *lib)
		}
	case lib == nil:
		if name := laxer(own, libErr); name != "" {
			t.laxer[name]++
		} else {
			t.differs(l, "we read %+v, the library refuses (%s)", own, libErr)
		}
	case !reflect.DeepEqual(ours(own), lib.tidy()):
		t.differs(l, "we read %+v, the library %+v", ours(own), lib.tidy())
	default:
		t.same[l.Kind]++
		if own.LegIntIgnored != 0 {
			t.ignored++
		}
	}
	if lib != nil {
		t.grant(l, tc, *lib)
	}
}

func (t *tally) takeGPP(l line) error {
	sections, err := signal.ParseGPP(l.String)
	if l.Error != "" {
		if err == nil { // the library looks into the sections at once
			_, err = signal.ParseTC(sections[2])
		}
		switch name := laxer(signal.TC{CMP: 2}, l.Error); {
		case err != nil:
			t.bothRefuse[l.Kind]++
		case name != "":
			t.laxer[name]++
		default:
			t.differs(l, "we read sections %v, the library refuses (%s)", sections, l.Error)
		}
		return nil
	}
	var lib gppReading
	if err := json.Unmarshal(l.Read, &lib); err != nil {
		return err
	}
	if err != nil {
		if name := stricterGPP(l.String, err); name != "" {
			t.stricter[name]++
		} else {
			t.differs(l, "we refuse (%v), the library reads sections %v", err, lib.IDs)
		}
		return nil
	}
	if !slices.Equal(slices.Sorted(maps.Keys(sections)), slices.Sorted(slices.Values(lib.IDs))) {
		t.differs(l, "we read sections %v, the library %v", sections, lib.IDs)
		return nil
	}
	if lib.EU == nil {
		t.same[l.Kind]++
		return nil
	}
	t.takeTC(l, sections[2], lib.EU.Read, lib.EU.Error)
	return nil
}

// grant looks at one vendor: where the library's bits say yes to personal content,
// we say yes or no by name; where they do not, we must not say yes.
func (t *tally) grant(l line, tc string, lib reading) {
	has := func(set [][2]int, n int) bool { return signal.Vendors(set).Has(n) }
	bits := has(lib.Vendors, l.Vendor)
	purposes := lib.Purposes
	if l.Vendor == 0 {
		bits, purposes = true, lib.Publisher
	}
	bits = bits && has(purposes, 1) && has(purposes, 5) && has(purposes, 6)
	said := signal.TCFPurposes(tc, l.Vendor, now)["personalisation_content"]
	if !bits {
		if said == signal.Yes {
			t.differs(l, "yes for vendor %d without the bits", l.Vendor)
		}
		return
	}
	name := refusal(tc, l.Vendor)
	if (name == "yes") != (said == signal.Yes) {
		t.differs(l, "vendor %d is %s: %s", l.Vendor, said, name)
	}
	t.grants[name]++
}

// refusal names why a string whose bits say yes is none for the vendor.
func refusal(tc string, vendor int) string {
	own, err := signal.ParseTC(tc)
	if err != nil {
		return "no: we do not read the string (above)"
	}
	soon := now.Add(5 * time.Minute)
	switch {
	case own.Created.After(soon) || own.Updated.After(soon):
		return "no: SIG-05, from the future"
	case own.Disclosed == nil && !own.Created.Before(time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)):
		return "no: SIG-05, of March 2026 or later without disclosed vendors"
	case vendor == 0:
		return "yes"
	case own.Disclosed != nil && !own.Disclosed.Has(vendor):
		return "no: SIG-06, the vendor was not disclosed"
	}
	for _, r := range own.Restrictions {
		if r.Kind != 1 && slices.Contains([]int{1, 5, 6}, r.Purpose) && r.Vendors.Has(vendor) {
			return "no: the publisher restricts the vendor"
		}
	}
	return "yes"
}

const cutRestrictions = "cmpapi reads a core whose restrictions are cut off as one without"

// stricter names why we refuse a TC string that a library reads, "" if there is no
// name for it.
func stricter(kind, tc string, err error, lib reading) string {
	says := func(part string) bool { return strings.Contains(err.Error(), part) }
	switch {
	case !slices.ContainsFunc(strings.Split(tc, "."), func(s string) bool { return s != "" && s[0] <= 'H' && s[0] >= 'A' }):
		return "the libraries read a string without a core as one of today"
	case says("version"):
		return "not version 2, or a core that does not come first"
	case says("bits after its end"):
		return "ones after the end of a segment"
	case says("whole bytes"):
		return "a segment of no whole number of bytes"
	case says("unknown or comes twice"):
		return "a segment of an unknown type, or one that comes twice"
	case says("a letter is none"):
		return "a language or country that is no two letters"
	case says("reading TC string: vendors") || says("segment: vendors"):
		return "vendors above the highest, or in the wrong order"
	case says("reading TC string: restriction"):
		return "a restriction of an unknown kind, or of no purpose"
	case kind == "gpp" && strings.Contains("."+tc+".", ".."):
		return "cmpapi skips an empty segment"
	case says("ends too early") && completed(tc) != tc:
		return cutOff(kind, completed(tc), lib)
	case says("ends too early") && kind == "gpp" && len(lib.Restrictions) == 0:
		return cutRestrictions
	}
	return ""
}

// completed fills the last byte of each segment up with zeros.
func completed(tc string) string {
	segments := strings.Split(tc, ".")
	for i, s := range segments {
		segments[i] += strings.Repeat("A", (4-len(s)%4)%4)
	}
	return strings.Join(segments, ".")
}

// cutOff names why a string counts as cut short that the library reads as if zeros
// followed: it must read what we read from the completed string.
func cutOff(kind, whole string, lib reading) string {
	t, err := signal.ParseTC(whole)
	if err != nil {
		return stricter(kind, whole, err, lib)
	}
	own := ours(t)
	if reflect.DeepEqual(own, lib.tidy()) {
		return "a segment whose last byte is cut off, read as if zeros followed"
	}
	if own.Restrictions = nil; kind == "gpp" && reflect.DeepEqual(own, lib.tidy()) {
		return cutRestrictions
	}
	return ""
}

// stricterGPP is stricter for what is around the TC string.
func stricterGPP(s string, err error) string {
	says := func(part string) bool { return strings.Contains(err.Error(), part) }
	switch {
	case s == "" || strings.HasPrefix(s, "C"):
		return "cmpapi reads nothing, or a TC string alone, as a GPP string"
	case strings.Contains(strings.Split(s, "~")[0], "."):
		return "cmpapi cuts a header at its first dot"
	case says("bits after its end"):
		return "ones after the end of a header"
	case says("too high") || says("above"):
		return "a section id above 4096"
	}
	return ""
}

// laxer names why a library refuses what we read, "" if there is no name for it.
func laxer(t signal.TC, libErr string) string {
	switch {
	case t.CMP < 2 && strings.Contains(libErr, "cmpId"):
		return "core wants a CMP id above 1"
	case strings.HasPrefix(libErr, "Unable to decode TcfCaV1") || strings.HasPrefix(libErr, "Unable to decode Us"):
		return "cmpapi fails in a section other than 2, which we do not open (SIG-08)"
	}
	return ""
}
