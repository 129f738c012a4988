package main

import (
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/handschlag/handschlag/consent/signal"
)

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
