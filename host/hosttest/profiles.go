package hosttest

import (
	"errors"
	"testing"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/profile"
)

// sees adds one message to a profile.
func sees(n byte) func(profile.Profile) profile.Profile {
	return func(p profile.Profile) profile.Profile {
		p.Recent = append(p.Recent[:len(p.Recent):len(p.Recent)], profile.Seen{Key: [16]byte{n}, AtMS: int64(n)})
		return p
	}
}

// remembers gives a profile an empty section for each purpose.
func remembers(ps ...consent.Purpose) func(profile.Profile) profile.Profile {
	return func(p profile.Profile) profile.Profile {
		p = p.Without()
		if p.Sections == nil {
			p.Sections = map[consent.Purpose]profile.Section{}
		}
		for _, x := range ps {
			p.Sections[x] = profile.Section{}
		}
		return p
	}
}

func holds(t *testing.T, h flow.Host, s consent.Subject, want ...consent.Purpose) {
	t.Helper()
	p := must(h.Profile(ctx, s))(t)
	if len(p.Sections) != len(want) {
		t.Fatalf("profile has %d sections, want %v", len(p.Sections), want)
	}
	for _, x := range want {
		if _, has := p.Sections[x]; !has {
			t.Fatalf("section %s is gone", x)
		}
	}
}

var profilePromises = []promise{
	{"nobody is known at first", func(t *testing.T, h flow.Host) {
		p := must(h.Profile(ctx, someone(t, h)))(t)
		if len(p.Recent) != 0 || len(p.Sections) != 0 {
			t.Fatalf("got %+v", p)
		}
	}},
	{"an update is read back, under the subject's name", func(t *testing.T, h flow.Host) {
		s := someone(t, h)
		ok(t, h.UpdateProfile(ctx, s, nil, sees(7)))
		p := must(h.Profile(ctx, s))(t)
		if p.Subject != s || !p.Has([16]byte{7}) {
			t.Fatalf("got %+v", p)
		}
	}},
	{"no update is lost under contention", func(t *testing.T, h flow.Host) {
		s, errs := someone(t, h), make([]error, 50)
		together(50, func(i int) { errs[i] = h.UpdateProfile(ctx, s, nil, sees(byte(i))) })
		ok(t, errors.Join(errs...))
		p := must(h.Profile(ctx, s))(t)
		for i := range byte(50) {
			if !p.Has([16]byte{i}) || len(p.Recent) != 50 {
				t.Fatalf("message %d is gone, %d are there", i, len(p.Recent))
			}
		}
	}},
	{"an update on a state that moved says so and saves nothing", func(t *testing.T, h flow.Host) {
		s := someone(t, h)
		r := say(t, h, s, give(noon, true, consent.Analytics))
		ok(t, h.UpdateProfile(ctx, s, []flow.StateAt{{Subject: s, Version: r.Record.Version}}, sees(1)))
		say(t, h, s, give(noon.Add(time.Hour), true, consent.Analytics))
		err := h.UpdateProfile(ctx, s, []flow.StateAt{{Subject: s, Version: r.Record.Version}}, sees(2))
		if !errors.Is(err, flow.ErrMoved) || must(h.Profile(ctx, s))(t).Has([16]byte{2}) {
			t.Fatalf("got %v", err)
		}
	}},
	{"the account's state counts like the device's", func(t *testing.T, h flow.Host) {
		device, account := someone(t, h), someone(t, h)
		given := []flow.StateAt{{Subject: device}, {Subject: account}}
		ok(t, h.UpdateProfile(ctx, device, given, sees(1)))
		say(t, h, account, give(noon, false, consent.AdviserAssist))
		err := h.UpdateProfile(ctx, device, given, sees(2))
		if !errors.Is(err, flow.ErrMoved) || must(h.Profile(ctx, device))(t).Has([16]byte{2}) {
			t.Fatalf("got %v", err)
		}
	}},
	{"after a withdrawal is acknowledged its section is gone and stays gone", func(t *testing.T, h flow.Host) {
		s := someone(t, h)
		say(t, h, s, give(noon, true, consent.Analytics, consent.AdviserAssist))
		ok(t, h.UpdateProfile(ctx, s, nil, remembers(consent.Analytics, consent.AdviserAssist)))
		ok(t, h.UpdateProfile(ctx, s, nil, sees(1)))
		say(t, h, s, give(noon.Add(time.Hour), false, consent.Analytics))
		holds(t, h, s, consent.AdviserAssist)
		if !must(h.Profile(ctx, s))(t).Has([16]byte{1}) {
			t.Fatal("the duplicate window went with it")
		}
	}},
	{"a section whose grant ran out goes with the next record", func(t *testing.T, h flow.Host) {
		s := someone(t, h)
		say(t, h, s, give(noon, true, consent.Analytics))
		ok(t, h.UpdateProfile(ctx, s, nil, remembers(consent.Analytics)))
		say(t, h, s, give(noon.AddDate(1, 0, 0), true, consent.AdviserAssist))
		holds(t, h, s)
	}},
	{"a grant given anew after it ran out takes over no section", func(t *testing.T, h flow.Host) {
		s := someone(t, h)
		say(t, h, s, give(noon, true, consent.Analytics, consent.AdviserAssist))
		say(t, h, s, give(noon.AddDate(0, 6, 0), true, consent.AdviserAssist))
		ok(t, h.UpdateProfile(ctx, s, nil, remembers(consent.Analytics, consent.AdviserAssist)))
		say(t, h, s, give(noon.AddDate(1, 1, 0), true, consent.Analytics, consent.AdviserAssist))
		holds(t, h, s, consent.AdviserAssist)
	}},
	{"an explicit yes that is taken back takes every section with it", func(t *testing.T, h flow.Host) {
		device, account := someone(t, h), someone(t, h)
		health := consent.SpecialCategory("health")
		for _, s := range []consent.Subject{device, account} {
			say(t, h, s, give(noon, true, consent.Analytics, consent.AdviserAssist))
			say(t, h, s, give(noon.Add(time.Minute), true, health)) // giving it takes nothing
			ok(t, h.UpdateProfile(ctx, s, nil, remembers(consent.Analytics, consent.AdviserAssist)))
		}
		ok(t, h.Link(ctx, device, account, noon))
		say(t, h, account, give(noon.Add(time.Hour), true, health)) // nor does giving it again
		holds(t, h, device, consent.Analytics, consent.AdviserAssist)
		say(t, h, account, give(noon.Add(2*time.Hour), false, health))
		holds(t, h, account)
		holds(t, h, device)
	}},
	{"an account's withdrawal takes the section on its linked devices", func(t *testing.T, h flow.Host) {
		device, account := someone(t, h), someone(t, h)
		say(t, h, device, give(noon, true, consent.Analytics, consent.AdviserAssist))
		say(t, h, account, give(noon, true, consent.AdviserAssist))
		ok(t, h.Link(ctx, device, account, noon))
		ok(t, h.UpdateProfile(ctx, device, nil, remembers(consent.Analytics, consent.AdviserAssist)))
		say(t, h, account, give(noon.Add(time.Hour), false, consent.AdviserAssist))
		holds(t, h, device, consent.Analytics)
	}},
	{"an update races a withdrawal: a section never outlives it", func(t *testing.T, h flow.Host) {
		for range 20 {
			s := someone(t, h)
			r := say(t, h, s, give(noon, true, consent.Analytics))
			given := []flow.StateAt{{Subject: s, Version: r.Record.Version}}
			errs := make([]error, 9)
			together(9, func(i int) {
				if i == 4 {
					_, errs[i] = h.Append(ctx, s, func(consent.State) (consent.Record, error) {
						return give(noon.Add(time.Hour), false, consent.Analytics), nil
					})
				} else if err := h.UpdateProfile(ctx, s, given, remembers(consent.Analytics)); !errors.Is(err, flow.ErrMoved) {
					errs[i] = err
				}
			})
			ok(t, errors.Join(errs...))
			holds(t, h, s)
		}
	}},
}
