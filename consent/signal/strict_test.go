package signal

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/handschlag/handschlag/consent"
)

// The second decoder: written from the specification apart from the first, and
// in another way. It writes a string out as text of 0 and 1 and cuts from the
// front; nothing of the decoder under test is used. Slow, and only for tests.

type digits string

var errCut = errors.New("too short")

// cut takes n digits off the front. It panics with errCut if there are fewer.
func (d *digits) cut(n int) string {
	if len(*d) < n {
		panic(errCut)
	}
	head := string((*d)[:n])
	*d = (*d)[n:]
	return head
}

func (d *digits) number(n int) int {
	v, err := strconv.ParseUint("0"+d.cut(n), 2, 63)
	must(err)
	return int(v)
}

// places are the positions of the ones in the next n digits, from 1.
func (d *digits) places(n int) map[int]bool {
	out := map[int]bool{}
	for i, c := range d.cut(n) {
		if c == '1' {
			out[i+1] = true
		}
	}
	return out
}

// padding refuses a one in what is left.
func (d *digits) padding() { mustBe(!strings.Contains(string(*d), "1"), "ones after the end") }

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func mustBe(ok bool, format string, args ...any) {
	if !ok {
		panic(fmt.Errorf(format, args...))
	}
}

// caught turns a panic of must, mustBe and cut into an error, and no other.
func caught(err *error) {
	switch r := recover().(type) {
	case nil:
	case error:
		if _, bug := r.(interface{ RuntimeError() }); bug {
			panic(r)
		}
		*err = r
	default:
		panic(r)
	}
}

// bytesOf reads base64url of whole bytes: no padding characters, no stray bits.
func bytesOf(s string) digits {
	mustBe(!strings.ContainsAny(s, "\r\n"), "a line break")
	raw, err := base64.RawURLEncoding.Strict().DecodeString(s)
	must(err)
	var out strings.Builder
	for _, b := range raw {
		fmt.Fprintf(&out, "%08b", b)
	}
	return digits(out.String())
}

// span is a range of vendors; member asks some of them.
type span struct{ from, to int }

func member(spans []span, id int) bool {
	for _, s := range spans {
		if s.from <= id && id <= s.to {
			return true
		}
	}
	return false
}

func (d *digits) spans(highest int) (out []span) {
	for n := d.number(12); n > 0; n-- {
		ranged, from := d.number(1) == 1, d.number(16)
		to := from
		if ranged {
			to = d.number(16)
		}
		mustBe(1 <= from && from <= to && to <= highest, "span %d to %d of %d", from, to, highest)
		out = append(out, span{from, to})
	}
	return out
}

func (d *digits) vendorSet() (out []span) {
	highest, ranged := d.number(16), d.number(1) == 1
	if ranged {
		return d.spans(highest)
	}
	for i, c := range d.cut(highest) {
		if c == '1' {
			out = append(out, span{i + 1, i + 1})
		}
	}
	return out
}

// strictTC is what the second decoder reads.
type strictTC struct {
	created, updated  time.Time
	purposes          map[int]bool
	interests         map[int]bool // as sent
	vendors           []span
	closed            map[int][]span // purpose → vendors that may not rest on consent for it
	disclosed         []span
	hasDisclosed      bool
	publisher, custom map[int]bool
	hasPublisher      bool
	customInterests   map[int]bool
}

func readStrictly(s string) (t strictTC, err error) {
	defer caught(&err)
	parts := strings.Split(s, ".")
	t.core(bytesOf(parts[0]))
	seen := map[int]bool{}
	for _, part := range parts[1:] {
		d := bytesOf(part)
		kind := d.number(3)
		mustBe(kind >= 1 && kind <= 3 && !seen[kind], "segment %d", kind)
		seen[kind] = true
		switch kind {
		case 1:
			t.disclosed, t.hasDisclosed = d.vendorSet(), true
		case 2:
			d.vendorSet()
		case 3:
			t.publisher, t.hasPublisher = d.places(24), true
			d.cut(24)
			n := d.number(6)
			t.custom, t.customInterests = d.places(n), d.places(n)
		}
		d.padding()
	}
	return t, nil
}

func (t *strictTC) core(d digits) {
	mustBe(d.number(6) == 2, "version")
	t.created, t.updated = d.moment(), d.moment()
	d.cut(12 + 12 + 6)
	d.twoLetters()
	d.cut(12 + 6 + 1 + 1 + 12)
	t.purposes, t.interests = d.places(24), d.places(24)
	d.cut(1)
	d.twoLetters()
	t.vendors = d.vendorSet()
	d.vendorSet()
	t.closed = map[int][]span{}
	for n := d.number(12); n > 0; n-- {
		purpose, kind := d.number(6), d.number(2)
		mustBe(purpose > 0 && kind < 3, "restriction %d of %d", kind, purpose)
		spans := d.spans(65535)
		if kind != 1 {
			t.closed[purpose] = append(t.closed[purpose], spans...)
		}
	}
	d.padding()
}

func (d *digits) moment() time.Time {
	return time.Unix(0, 0).UTC().Add(time.Duration(d.number(36)) * 100 * time.Millisecond)
}

func (d *digits) twoLetters() {
	for range 2 {
		mustBe(d.number(6) < 26, "a letter")
	}
}

// counts is SIG-05: nothing from the future, no string of March 2026 or later
// without the segment that names the disclosed vendors.
func (t strictTC) counts(now time.Time) bool {
	soon := now.Add(5 * time.Minute)
	march := time.Date(2026, time.March, 1, 0, 0, 0, 0, time.UTC)
	return !t.created.After(soon) && !t.updated.After(soon) && (t.hasDisclosed || t.created.Before(march))
}

// grants is SIG-06, for one TCF purpose.
func (t strictTC) grants(vendor, purpose int) bool {
	if vendor == 0 {
		return t.hasPublisher && t.publisher[purpose]
	}
	return t.purposes[purpose] && member(t.vendors, vendor) && !member(t.closed[purpose], vendor) &&
		(!t.hasDisclosed || member(t.disclosed, vendor))
}

// needed is law.md 2.1 once more.
var needed = map[consent.Purpose][]int{
	"analytics": {1, 8}, "experimentation": {1, 8, 10}, "personalisation_content": {1, 5, 6}, "ads_third_party": {1, 2, 3, 4, 7},
	"model_training": {10},
}

// strictWords is what TCFPurposes must say.
func strictWords(s string, vendor int, now time.Time) map[consent.Purpose]string {
	t, err := readStrictly(s)
	return wordsOf(err == nil && t.counts(now), func(n int) bool { return t.grants(vendor, n) })
}

func wordsOf(readable bool, grants func(int) bool) map[consent.Purpose]string {
	out := map[consent.Purpose]string{}
	for p, numbers := range needed {
		all := true
		for _, n := range numbers {
			all = all && readable && grants(n)
		}
		switch {
		case !readable:
			out[p] = "broken"
		case !all:
			out[p] = "no"
		case p != "model_training":
			out[p] = "yes"
		}
	}
	return out
}

// strictSections reads a GPP string with the second decoder.
func strictSections(s string) (sections map[int]string, err error) {
	defer caught(&err)
	parts := strings.Split(s, "~")
	ids := strictHeader(parts[0])
	mustBe(len(ids) == len(parts)-1, "%d named, %d sent", len(ids), len(parts)-1)
	sections = map[int]string{}
	for i, id := range ids {
		mustBe(parts[i+1] != "", "section %d is empty", id)
		sections[id] = parts[i+1]
	}
	return sections, nil
}

func strictHeader(s string) (ids []int) {
	var out strings.Builder
	for _, c := range []byte(s) {
		i := strings.Index("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", string(rune(c)))
		mustBe(i >= 0 && c < 128, "character %q", c)
		fmt.Fprintf(&out, "%06b", i)
	}
	d := digits(out.String())
	mustBe(d.number(6) == 3 && d.number(6) == 1, "type or version")
	last := 0
	for n := d.number(12); n > 0; n-- {
		ranged := d.number(1) == 1
		from := last + d.fibonacciCode()
		last = from
		if ranged {
			last += d.fibonacciCode()
		}
		mustBe(last <= 4096, "section %d", last)
		for id := from; id <= last; id++ {
			ids = append(ids, id)
		}
	}
	d.padding()
	return ids
}

// fibonacciCode reads to the first two ones in a row.
func (d *digits) fibonacciCode() (sum int) {
	end := strings.Index(string(*d), "11")
	mustBe(end >= 0, "a number without end")
	mustBe(end < 40, "a number too high")
	weights := []int{1, 2}
	for i, c := range d.cut(end + 1) {
		weights = append(weights, weights[i]+weights[i+1])
		if c == '1' {
			sum += weights[i]
		}
	}
	d.cut(1)
	return sum
}

func strictGPPWords(s string, vendor int, now time.Time) map[consent.Purpose]string {
	sections, err := strictSections(s)
	tc, ok := sections[2]
	if err != nil || !ok {
		return wordsOf(err == nil, func(int) bool { return false })
	}
	return strictWords(tc, vendor, now)
}
