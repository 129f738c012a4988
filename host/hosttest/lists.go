package hosttest

import (
	"errors"
	"testing"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/flow"
)

// lists puts one entry onto each list or takes it off.
func lists(t *testing.T, h flow.Host, s consent.Subject, on bool, at time.Time) {
	t.Helper()
	ok(t, h.Object(ctx, s, consent.Profiling, on, at))
	ok(t, h.Restrict(ctx, s, on, at))
	ok(t, h.Suppress(ctx, s, "email", on, at))
}

var listPromises = []promise{
	{"a read sees every acknowledged entry, and each moves the version", func(t *testing.T, h flow.Host) {
		s := someone(t, h)
		say(t, h, s, give(noon, true, consent.Analytics))
		lists(t, h, s, true, noon)
		st := must(h.State(ctx, s))(t)
		if st.Version != 4 || !st.Restricted || !st.Objected(consent.AdviserAssist) || !st.SuppressedFor(consent.MarketingEmail) || !st.At(consent.Analytics, noon).Status.Valid() {
			t.Fatalf("got %+v", st)
		}
		lists(t, h, s, false, noon.Add(time.Hour))
		st = must(h.State(ctx, s))(t)
		if st.Version != 7 || st.Restricted || len(st.Objections)+len(st.Suppressed) != 0 {
			t.Fatalf("taken off: %+v", st)
		}
	}},
	{"what the state says already is no entry", func(t *testing.T, h flow.Host) {
		s := someone(t, h)
		lists(t, h, s, false, noon)
		lists(t, h, s, true, noon)
		lists(t, h, s, true, noon)
		if v, n := must(h.State(ctx, s))(t).Version, len(must(h.Listed(ctx, s))(t)); v != 3 || n != 3 {
			t.Fatalf("version %d, %d entries", v, n)
		}
	}},
	{"records and entries are told again as one story", func(t *testing.T, h flow.Host) {
		s := someone(t, h)
		ok(t, h.Object(ctx, s, consent.DirectMarketing, true, noon))
		say(t, h, s, give(noon.Add(time.Minute), true, consent.MarketingEmail))
		ok(t, h.Restrict(ctx, s, true, noon.Add(2*time.Minute)))
		last := say(t, h, s, give(noon.Add(3*time.Minute), false, consent.Analytics))
		records, entries := must(h.History(ctx, s))(t), must(h.Listed(ctx, s))(t)
		if len(records) != 2 || records[0].Version != 2 || records[1].Version != 4 || len(entries) != 2 || entries[1].Version != 3 {
			t.Fatalf("records %+v, entries %+v", records, entries)
		}
		st := must(h.State(ctx, s))(t)
		same(t, consent.Retold(records, entries, noon.Add(time.Hour)), st)
		if st.Objected(consent.MarketingEmail) || !st.Objected(consent.MarketingSMS) {
			t.Fatalf("objections are %v", st.Objections)
		}
		same(t, must(h.Record(ctx, records[1].RecordID))(t), records[1])
		checkProof(t, h, last)
	}},
	{"an entry fails a write that rests on the state before it", func(t *testing.T, h flow.Host) {
		for _, put := range []func(consent.Subject) error{
			func(s consent.Subject) error { return h.Object(ctx, s, consent.Profiling, true, noon) },
			func(s consent.Subject) error { return h.Restrict(ctx, s, true, noon) },
			func(s consent.Subject) error { return h.Suppress(ctx, s, consent.AllChannels, true, noon) },
		} {
			s := someone(t, h)
			r := say(t, h, s, give(noon, true, consent.AdviserAssist))
			ok(t, put(s))
			err := h.UpdateProfile(ctx, s, []flow.StateAt{{Subject: s, Version: r.Record.Version}}, sees(1))
			if !errors.Is(err, flow.ErrMoved) || must(h.Profile(ctx, s))(t).Has([16]byte{1}) {
				t.Fatalf("got %v", err)
			}
		}
	}},
	{"a record is built again if an entry came between", func(t *testing.T, h flow.Host) {
		s := someone(t, h)
		built := 0
		_, err := h.Append(ctx, s, func(before consent.State) (consent.Record, error) {
			if built++; built == 1 {
				ok(t, h.Object(ctx, s, consent.DirectMarketing, true, noon))
			}
			return give(noon, true, consent.Analytics), nil
		})
		ok(t, err)
		if st := must(h.State(ctx, s))(t); built != 2 || st.Version != 2 || !st.Objected(consent.MarketingEmail) {
			t.Fatalf("built %d times: %+v", built, st)
		}
	}},
	{"a restriction deletes nothing", func(t *testing.T, h flow.Host) {
		s := someone(t, h)
		r := say(t, h, s, give(noon, true, consent.AdviserAssist))
		ok(t, h.UpdateProfile(ctx, s, []flow.StateAt{{Subject: s, Version: r.Record.Version}}, sees(1)))
		before := must(h.Profile(ctx, s))(t)
		ok(t, h.Restrict(ctx, s, true, noon))
		same(t, must(h.Profile(ctx, s))(t), before)
	}},
	{"nobody is on a list", func(t *testing.T, h flow.Host) {
		if h.Object(ctx, consent.Subject{}, consent.Profiling, true, noon) == nil || h.Restrict(ctx, consent.Subject{}, true, noon) == nil ||
			h.Suppress(ctx, consent.Subject{}, "email", true, noon) == nil {
			t.Fatal("an entry was taken")
		}
	}},
	{"a suppression outlives the pseudonym, by identifier and channel", func(t *testing.T, h flow.Host) {
		ada, bob := id(t, consent.Account, unique("ada")), id(t, consent.Account, unique("bob"))
		was := must(h.Assign(ctx, ada))(t)
		ok(t, h.Suppress(ctx, was, "email", true, noon))
		must(h.Erase(ctx, was, noon.Add(time.Hour)))(t)
		is := must(h.Assign(ctx, ada))(t)
		if is == was {
			t.Fatal("the pseudonym came back")
		}
		if st := must(h.State(ctx, is))(t); !st.SuppressedFor(consent.MarketingEmail) || st.SuppressedFor(consent.MarketingSMS) || st.Subject != is {
			t.Fatalf("ada is back as %+v", st)
		}
		same(t, consent.Retold(nil, must(h.Listed(ctx, is))(t), noon.Add(2*time.Hour)).Suppressed, []string{"email"})
		if st := must(h.State(ctx, must(h.Assign(ctx, bob))(t)))(t); len(st.Suppressed) != 0 {
			t.Fatalf("bob is suppressed: %+v", st)
		}
		ok(t, h.Suppress(ctx, is, "email", false, noon.Add(2*time.Hour)))
		must(h.Erase(ctx, is, noon.Add(3*time.Hour)))(t)
		if st := must(h.State(ctx, must(h.Assign(ctx, ada))(t)))(t); len(st.Suppressed) != 0 {
			t.Fatalf("opened by ada's own word, yet %+v", st)
		}
	}},
	{"an objection to direct marketing goes onto the suppression list at erasure", func(t *testing.T, h flow.Host) {
		ada := id(t, consent.Account, unique("ada"))
		was := must(h.Assign(ctx, ada))(t)
		ok(t, h.Object(ctx, was, consent.DirectMarketing, true, noon))
		ok(t, h.Object(ctx, was, consent.Profiling, true, noon))
		must(h.Erase(ctx, was, noon.Add(time.Hour)))(t)
		st := must(h.State(ctx, must(h.Assign(ctx, ada))(t)))(t)
		if !st.SuppressedFor(consent.MarketingEmail) || !st.SuppressedFor(consent.MarketingPost) || len(st.Objections) != 0 || st.Restricted {
			t.Fatalf("ada is back as %+v", st)
		}
		if n := len(must(h.Listed(ctx, was))(t)); n != 0 {
			t.Fatalf("%d entries of the erased subject are left", n)
		}
	}},
}
