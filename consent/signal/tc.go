package signal

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// TC is a decoded TC string, version 2 (IAB TCF 2.0 to 2.3).
type TC struct {
	Created, Updated    time.Time
	CMP, CMPVersion     int
	Screen              int
	Language, Country   string
	VendorList, Policy  int
	ServiceSpecific     bool
	NonStandardTexts    bool
	PurposeOneTreatment bool
	SpecialFeatures     Numbers
	Purposes            Numbers // consented
	LegInt              Numbers // legitimate interest, without those of SIG-07
	LegIntIgnored       Numbers // set although TCF knows none for 1, 3, 4, 5, 6
	Vendors             Vendors // consented
	VendorsLegInt       Vendors
	Restrictions        []Restriction
	Disclosed           *Vendors   // nil without the segment
	Allowed             *Vendors   // out-of-band; read for its form only
	Publisher           *Publisher // nil without the segment
}

// Publisher is what was decided for the publisher itself.
type Publisher struct {
	Purposes, LegInt             Numbers
	CustomPurposes, CustomLegInt Numbers
}

// Restriction is a publisher's restriction of one purpose to some vendors' loss.
type Restriction struct {
	Purpose int
	Kind    int // 0 not allowed, 1 consent required, 2 legitimate interest required
	Vendors Vendors
}

// Numbers are a set of small numbers: bit n-1 is number n.
type Numbers uint64

// Has reports whether all numbers are in the set.
func (s Numbers) Has(numbers ...int) bool {
	for _, n := range numbers {
		if n < 1 || n > 64 || s>>(n-1)&1 == 0 {
			return false
		}
	}
	return true
}

// Vendors are a set of vendor ids, as ranges.
type Vendors [][2]int

// Has reports membership.
func (v Vendors) Has(id int) bool {
	return slices.ContainsFunc(v, func(r [2]int) bool { return r[0] <= id && id <= r[1] })
}

// noLegInt are the purposes for which legitimate interest does not exist (SIG-07).
const noLegInt Numbers = 1<<0 | 1<<2 | 1<<3 | 1<<4 | 1<<5

// ParseTC decodes a TC string, and rejects what does not decode to the last bit.
func ParseTC(s string) (TC, error) {
	core, rest, more := strings.Cut(s, ".")
	t, err := parseCore(core)
	if err != nil {
		return TC{}, fmt.Errorf("reading TC string: %w", err)
	}
	for more {
		var segment string
		segment, rest, more = strings.Cut(rest, ".")
		if err := t.parseSegment(segment); err != nil {
			return TC{}, fmt.Errorf("reading TC string: segment: %w", err)
		}
	}
	return t, nil
}

func parseCore(s string) (TC, error) {
	b := newBytes(s)
	if v := b.int(6); v != 2 && b.err == nil {
		return TC{}, fmt.Errorf("version %d", v)
	}
	t := TC{
		Created: b.time(), Updated: b.time(),
		CMP: b.int(12), CMPVersion: b.int(12), Screen: b.int(6), Language: b.letters(),
		VendorList: b.int(12), Policy: b.int(6), ServiceSpecific: b.bool(), NonStandardTexts: b.bool(),
		SpecialFeatures: b.numbers(12), Purposes: b.numbers(24), LegInt: b.numbers(24),
		PurposeOneTreatment: b.bool(), Country: b.letters(),
		Vendors: b.vendors(), VendorsLegInt: b.vendors(), Restrictions: b.restrictions(),
	}
	t.LegInt, t.LegIntIgnored = t.LegInt&^noLegInt, t.LegInt&noLegInt
	return t, b.end()
}

// parseSegment reads one of the segments after the core. None may come twice.
func (t *TC) parseSegment(s string) error {
	b := newBytes(s)
	switch kind := b.int(3); {
	case b.err != nil:
	case kind == 1 && t.Disclosed == nil:
		v := b.vendors()
		t.Disclosed = &v
	case kind == 2 && t.Allowed == nil:
		v := b.vendors()
		t.Allowed = &v
	case kind == 3 && t.Publisher == nil:
		p := Publisher{Purposes: b.numbers(24), LegInt: b.numbers(24)}
		custom := b.int(6)
		p.CustomPurposes, p.CustomLegInt = b.numbers(custom), b.numbers(custom)
		t.Publisher = &p
	default:
		return fmt.Errorf("type %d is unknown or comes twice", kind)
	}
	return b.end()
}

// time reads deciseconds since 1970.
func (b *bits) time() time.Time { return time.UnixMilli(int64(b.int(36)) * 100).UTC() }

// letters reads two letters of six bits.
func (b *bits) letters() string {
	x, y := b.int(6), b.int(6)
	if x > 25 || y > 25 {
		b.fail(errors.New("a letter is none"))
	}
	return string([]byte{'A' + byte(x), 'A' + byte(y)})
}

// numbers reads a bit field of n numbers.
func (b *bits) numbers(n int) Numbers {
	var s Numbers
	for i := range n {
		s |= Numbers(b.int(1)) << i
	}
	return s
}

// vendors reads a set of vendors as a bit field or ranges up to a highest id.
func (b *bits) vendors() Vendors {
	highest := b.int(16)
	if b.bool() {
		return b.ranges(highest)
	}
	var v Vendors
	for id := 1; id <= highest && b.err == nil; id++ {
		if !b.bool() {
			continue
		}
		if n := len(v); n > 0 && v[n-1][1] == id-1 {
			v[n-1][1] = id
		} else {
			v = append(v, [2]int{id, id})
		}
	}
	return v
}

// ranges reads a counted list of vendor ids and ranges of them.
func (b *bits) ranges(highest int) Vendors {
	var v Vendors
	for range b.int(12) {
		isRange := b.bool()
		first := b.int(16)
		last := first
		if isRange {
			last = b.int(16)
		}
		if b.err != nil {
			return nil
		}
		if first < 1 || last < first || last > highest {
			b.fail(fmt.Errorf("vendors %d to %d of %d", first, last, highest))
		}
		v = append(v, [2]int{first, last})
	}
	return v
}

func (b *bits) restrictions() []Restriction {
	var out []Restriction
	for range b.int(12) {
		r := Restriction{Purpose: b.int(6), Kind: b.int(2), Vendors: b.ranges(1<<16 - 1)}
		if b.err != nil {
			return nil
		}
		if r.Purpose < 1 || r.Kind > 2 {
			b.fail(fmt.Errorf("restriction %d of purpose %d", r.Kind, r.Purpose))
		}
		out = append(out, r)
	}
	return out
}
