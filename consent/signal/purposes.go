package signal

import (
	"errors"
	"time"

	"github.com/handschlag/handschlag/consent"
)

// What a TC or GPP string says about a purpose.
const (
	Yes    = "yes"
	No     = "no"
	Broken = "broken"
)

// tcf are the purposes that a TC string can speak of, with the TCF purposes that
// must all be consented to (law.md 2.1). It can speak of no other (SIG-08).
var tcf = map[consent.Purpose][]int{
	consent.Analytics:              {1, 8},
	consent.Experimentation:        {1, 8, 10},
	consent.PersonalisationContent: {1, 5, 6},
	consent.AdsThirdParty:          {1, 2, 3, 4, 7},
	consent.ModelTraining:          {10}, // never enough for a yes
}

// segmentFrom is when strings began to need the disclosedVendors segment: those
// created after 28 Feb 2026 (SIG-05).
var segmentFrom = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

// ahead is how far a visitor's clock may be ahead of ours (BAT-04).
const ahead = 5 * time.Minute

// TCFPurposes is what a TC string says, for our vendor id, about the purposes
// that TCF has words for: Yes, No, or Broken for all of them. vendorID 0 means
// that the shop is no vendor: then the publisher's own segment counts.
//
// model_training is never a Yes: TCF purpose 10 is needed but not enough, so the
// string is silent (no key) or a No.
func TCFPurposes(tcString string, vendorID int, now time.Time) map[consent.Purpose]string {
	t, err := ParseTC(tcString)
	if err == nil {
		err = t.Valid(now)
	}
	return say(err, func(purposes []int) bool { return t.Allows(vendorID, purposes...) })
}

// GPPPurposes is TCFPurposes of a GPP string's section 2, the only one that
// speaks for people in the EU. Without it the answer is No.
func GPPPurposes(gpp string, vendorID int, now time.Time) map[consent.Purpose]string {
	sections, err := ParseGPP(gpp)
	tc, ok := sections[sectionEU]
	switch {
	case err != nil:
		return say(err, nil)
	case !ok:
		return say(nil, func([]int) bool { return false })
	}
	return TCFPurposes(tc, vendorID, now)
}

// OddInterests reports that a TC string, or the one in a GPP string, claims
// legitimate interest where TCF knows none (SIG-07). It counts for nothing; whoever
// runs the banner wants to know.
func OddInterests(tcString, gpp string) bool {
	sections, _ := ParseGPP(gpp)
	for _, s := range []string{tcString, sections[sectionEU]} {
		if t, err := ParseTC(s); err == nil && t.LegIntIgnored != 0 {
			return true
		}
	}
	return false
}

func say(err error, allows func([]int) bool) map[consent.Purpose]string {
	out := make(map[consent.Purpose]string, len(tcf))
	for p, purposes := range tcf {
		switch {
		case err != nil:
			out[p] = Broken
		case !allows(purposes):
			out[p] = No
		case p != consent.ModelTraining:
			out[p] = Yes
		}
	}
	return out
}

// Valid says why a string that decodes does not count (SIG-05), or nil.
func (t TC) Valid(now time.Time) error {
	switch latest := now.Add(ahead); {
	case t.Created.After(latest) || t.Updated.After(latest):
		return errors.New("TC string from the future")
	case t.Disclosed == nil && !t.Created.Before(segmentFrom):
		return errors.New("TC string without the disclosedVendors segment")
	}
	return nil
}

// Allows reports whether a vendor has consent for all the purposes: purpose bit,
// vendor bit, disclosed if there is a segment (SIG-06), and not restricted.
// Vendor 0 is the publisher.
func (t TC) Allows(vendorID int, purposes ...int) bool {
	if vendorID == 0 {
		return t.Publisher != nil && t.Publisher.Purposes.Has(purposes...)
	}
	if !t.Vendors.Has(vendorID) || t.Disclosed != nil && !t.Disclosed.Has(vendorID) {
		return false
	}
	for _, p := range purposes {
		if !t.Purposes.Has(p) || t.restricted(vendorID, p) {
			return false
		}
	}
	return true
}

// restricted reports whether the publisher closed a purpose to a vendor, or left
// it only legitimate interest.
func (t TC) restricted(vendorID, purpose int) bool {
	for _, r := range t.Restrictions {
		if r.Purpose == purpose && r.Kind != 1 && r.Vendors.Has(vendorID) {
			return true
		}
	}
	return false
}
