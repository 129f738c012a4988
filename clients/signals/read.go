package main

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"

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
