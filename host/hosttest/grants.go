package hosttest

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/flow"
)

var grantPromises = []promise{
	{"a price may know of an account's grant when it began and ends, and on what it rests", func(t *testing.T, h flow.Host) {
		s := account(t, h)
		r := agree(noon, true, consent.PersonalisedPrice)
		r.UI.Version, r.Notice.Version, r.AgeBand = "banner-1", "12", "adult"
		say(t, h, s, r)
		same(t, standing(t, h, r), flow.PriceStanding{
			At: noon, Since: noon, Until: r.Validity.Until, Age: "adult", Grounds: []consent.Ground{{UI: "banner-1", Notice: "12", From: noon}},
		})
		said := string(must(json.Marshal(standing(t, h, r)))(t))
		if strings.Contains(said, s.String()) || strings.Contains(said, r.RecordID) {
			t.Fatalf("the answer leads to a person: %s", said)
		}
	}},
	{"of a device, of another purpose, of a no and of nobody a price may know nothing", func(t *testing.T, h flow.Host) {
		s := account(t, h)
		device, other, no := agree(noon, true, consent.PersonalisedPrice), agree(noon, true, consent.AdviserAssist), agree(noon, false, consent.PersonalisedPrice)
		device.Scope = consent.Device
		say(t, h, someone(t, h), device)
		say(t, h, s, other)
		say(t, h, s, no)
		for _, id := range []string{device.RecordID, other.RecordID, no.RecordID, "no-such-record", ""} {
			if _, err := h.PriceStanding(ctx, id); !errors.Is(err, flow.ErrNotFound) {
				t.Fatalf("%s: %v", id, err)
			}
		}
	}},
	{"a withdrawal ends every record of its grant at once, and no later grant brings them back", func(t *testing.T, h flow.Host) {
		s := account(t, h)
		first, renewed := agree(noon, true, consent.PersonalisedPrice), agree(noon.Add(time.Hour), true, consent.PersonalisedPrice)
		say(t, h, s, first)
		say(t, h, s, renewed)
		for _, r := range []consent.Record{first, renewed} { // one grant, uninterrupted: it ends with the renewal's time
			stands(t, h, r, noon.Add(2*time.Hour), true)
			if p := standing(t, h, r); !p.Since.Equal(noon) || !p.Until.Equal(renewed.Validity.Until) || !p.At.Equal(r.Event.Time) {
				t.Fatalf("got %+v", p)
			}
		}
		say(t, h, s, agree(noon.Add(2*time.Hour), false, consent.PersonalisedPrice))
		stands(t, h, first, noon.Add(2*time.Hour), false)
		stands(t, h, renewed, noon.Add(2*time.Hour), false)
		again := agree(noon.Add(3*time.Hour), true, consent.PersonalisedPrice)
		say(t, h, s, again)
		stands(t, h, first, noon.Add(4*time.Hour), false)
		stands(t, h, renewed, noon.Add(4*time.Hour), false)
		stands(t, h, again, noon.Add(4*time.Hour), true)
	}},
	{"a grant that ran out before it was given again began anew", func(t *testing.T, h flow.Host) {
		s := account(t, h)
		old, next := agree(noon, true, consent.PersonalisedPrice), agree(noon.AddDate(2, 0, 0), true, consent.PersonalisedPrice)
		say(t, h, s, old)
		stands(t, h, old, noon.AddDate(1, 0, 0), false)
		say(t, h, s, next)
		stands(t, h, old, noon.AddDate(2, 0, 1), false)
		stands(t, h, next, noon.AddDate(2, 0, 1), true)
	}},
	{"a restriction and an objection rest it at once, and are lifted", func(t *testing.T, h flow.Host) {
		for name, put := range map[string]func(consent.Subject, bool, time.Time) error{
			"restriction": func(s consent.Subject, on bool, at time.Time) error { return h.Restrict(ctx, s, on, at) },
			"to profiling": func(s consent.Subject, on bool, at time.Time) error {
				return h.Object(ctx, s, consent.Profiling, on, at)
			},
		} {
			s := account(t, h)
			before := agree(noon, true, consent.PersonalisedPrice)
			say(t, h, s, before)
			ok(t, put(s, true, noon.Add(time.Minute)))
			stands(t, h, before, noon.Add(time.Hour), false)
			after := agree(noon.Add(time.Hour), true, consent.PersonalisedPrice) // a yes lifts neither
			say(t, h, s, after)
			stands(t, h, after, noon.Add(time.Hour), false)
			ok(t, put(s, false, noon.Add(2*time.Hour)))
			for _, r := range []consent.Record{before, after} {
				if stands(t, h, r, noon.Add(3*time.Hour), true); t.Failed() {
					t.Fatal(name)
				}
			}
		}
		s, r := account(t, h), agree(noon, true, consent.PersonalisedPrice)
		say(t, h, s, r)
		ok(t, h.Object(ctx, s, consent.DirectMarketing, true, noon))
		ok(t, h.Suppress(ctx, s, consent.AllChannels, true, noon))
		stands(t, h, r, noon.Add(time.Hour), true) // a price is no channel
	}},
	{"an age that a record of another purpose tells is known at once", func(t *testing.T, h flow.Host) {
		s, r := account(t, h), agree(noon, true, consent.PersonalisedPrice)
		say(t, h, s, r)
		for i, band := range []string{"16_17", "u16", "adult"} {
			tells := agree(noon.Add(time.Duration(i+1)*time.Minute), true, consent.Analytics)
			tells.AgeBand = band
			say(t, h, s, tells)
			if got, want := standing(t, h, r).Age, map[bool]string{true: "adult", false: "minor"}[band == "adult"]; got != want {
				t.Fatalf("%s: got %q", band, got)
			}
		}
	}},
	{"of an erased subject no price knows anything", func(t *testing.T, h flow.Host) {
		s := account(t, h)
		first, renewed := agree(noon, true, consent.PersonalisedPrice), agree(noon.Add(time.Hour), true, consent.PersonalisedPrice)
		say(t, h, s, first)
		say(t, h, s, renewed)
		must(h.Erase(ctx, s, noon.Add(2*time.Hour)))(t)
		for _, r := range []consent.Record{first, renewed} {
			if _, err := h.PriceStanding(ctx, r.RecordID); !errors.Is(err, flow.ErrNotFound) {
				t.Fatalf("got %v", err)
			}
		}
	}},
	{"what a price knows is what the book says, whatever comes in what order", priceFollowsBook},
	{"after an acknowledged withdrawal no price stands on the grant, under load", priceUnderLoad},
}

// account is a new account of somebody.
func account(t *testing.T, h flow.Host) consent.Subject {
	t.Helper()
	return must(h.Assign(ctx, id(t, consent.Account, unique("account-of-someone"))))(t)
}

// agree is give for an account.
func agree(at time.Time, yes bool, purposes ...consent.Purpose) consent.Record {
	r := give(at, yes, purposes...)
	r.Scope = consent.Account
	return r
}

func standing(t *testing.T, h flow.Host, r consent.Record) flow.PriceStanding {
	t.Helper()
	return must(h.PriceStanding(ctx, r.RecordID))(t)
}

// stands checks whether a record speaks for a price at a moment. A record that
// does not may be unknown too.
func stands(t *testing.T, h flow.Host, r consent.Record, at time.Time, want bool) {
	t.Helper()
	p, err := h.PriceStanding(ctx, r.RecordID)
	if err != nil && !errors.Is(err, flow.ErrNotFound) {
		t.Fatal(err)
	}
	if got := err == nil && !p.Rests && !p.Since.After(p.At) && at.Before(p.Until); got != want {
		t.Fatalf("stands: %v, want %v: %+v %v", got, want, p, err)
	}
}

// priceFollowsBook gives, renews, withdraws, objects and restricts at random and
// compares every record's standing with the state of the book.
func priceFollowsBook(t *testing.T, h flow.Host) {
	draw := uint64(7)
	pick := func(n uint64) uint64 { draw = draw*6364136223846793005 + 1442695040888963407; return draw >> 33 % n }
	s := account(t, h)
	var made []consent.Record
	for n := range 40 {
		at := noon.Add(time.Duration(n) * 30 * 24 * time.Hour)
		switch pick(6) {
		case 0:
			ok(t, h.Restrict(ctx, s, pick(2) == 0, at))
		case 1:
			ok(t, h.Object(ctx, s, consent.Profiling, pick(2) == 0, at))
		case 2:
			say(t, h, s, agree(at, false, consent.PersonalisedPrice))
		default:
			r := agree(at, true, consent.PersonalisedPrice)
			r.UI.Version, r.AgeBand = []string{"banner-1", "banner-2"}[pick(2)], []string{"", "u16", "adult"}[pick(3)]
			say(t, h, s, r)
			made = append(made, r)
		}
		st := must(h.State(ctx, s))(t)
		for _, r := range made {
			want := must(flow.PriceStandingOf(r, st))(t)
			got, err := h.PriceStanding(ctx, r.RecordID)
			if want.Since.IsZero() || want.Since.After(want.At) { // the record speaks for nothing any more
				stands(t, h, r, at, false)
				continue
			}
			ok(t, err)
			same(t, got, want)
		}
	}
}

// priceUnderLoad reads one record's standing while its grant comes and goes.
func priceUnderLoad(t *testing.T, h flow.Host) {
	for n := range 10 {
		s, r := account(t, h), agree(noon, true, consent.PersonalisedPrice)
		say(t, h, s, r)
		together(4, func(i int) {
			if i > 0 {
				if _, err := h.PriceStanding(ctx, r.RecordID); err != nil && !errors.Is(err, flow.ErrNotFound) {
					t.Error(err)
				}
				return
			}
			no := agree(noon.Add(time.Duration(n+1)*time.Minute), false, consent.PersonalisedPrice)
			if _, err := h.Append(ctx, s, func(consent.State) (consent.Record, error) { return no, nil }); err != nil {
				t.Error(err)
			}
			if p, err := h.PriceStanding(ctx, r.RecordID); err == nil && !p.Until.IsZero() {
				t.Errorf("stands after its withdrawal: %+v", p)
			}
		})
	}
}
