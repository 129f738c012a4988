package hosttest

import (
	"errors"
	"testing"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/flow"
)

var subjectPromises = []promise{
	{"an unknown identifier has no pseudonym, and looking makes none", func(t *testing.T, h flow.Host) {
		for range 2 {
			if s := must(h.Find(ctx, id(t, consent.Device, "a-device-never-seen")))(t); !s.IsZero() {
				t.Fatalf("got pseudonym %s", s)
			}
		}
	}},
	{"an identifier keeps its pseudonym", func(t *testing.T, h flow.Host) {
		ada := id(t, consent.Device, "device-of-ada-lovelace")
		s := must(h.Assign(ctx, ada))(t)
		if s.IsZero() || must(h.Assign(ctx, ada))(t) != s || must(h.Find(ctx, ada))(t) != s {
			t.Fatalf("pseudonym %s did not stay", s)
		}
	}},
	{"device and account of the same text are two subjects", func(t *testing.T, h flow.Host) {
		d := must(h.Assign(ctx, id(t, consent.Device, "the-very-same-text")))(t)
		a := must(h.Assign(ctx, id(t, consent.Account, "the-very-same-text")))(t)
		if d == a {
			t.Fatal("one pseudonym for both")
		}
	}},
	{"nobody gets no pseudonym", func(t *testing.T, h flow.Host) {
		if s := must(h.Find(ctx, consent.ID{}))(t); !s.IsZero() {
			t.Fatalf("found %s", s)
		}
		if _, err := h.Assign(ctx, consent.ID{}); err == nil {
			t.Fatal("assigned one")
		}
	}},
	{"fifty calls at once assign one pseudonym", func(t *testing.T, h flow.Host) {
		got := make([]consent.Subject, 50)
		errs := make([]error, 50)
		ada := id(t, consent.Device, "device-of-ada-lovelace")
		together(50, func(i int) { got[i], errs[i] = h.Assign(ctx, ada) })
		ok(t, errors.Join(errs...))
		for _, s := range got {
			if s != got[0] || s.IsZero() {
				t.Fatalf("got %s and %s", got[0], s)
			}
		}
	}},
	{"a device has no account until it is linked, and a later link replaces", func(t *testing.T, h flow.Host) {
		device, one, two := someone(t, h), someone(t, h), someone(t, h)
		if a := must(h.AccountOf(ctx, device))(t); !a.IsZero() {
			t.Fatalf("got account %s", a)
		}
		for _, account := range []consent.Subject{one, two} {
			ok(t, h.Link(ctx, device, account, noon))
			if a := must(h.AccountOf(ctx, device))(t); a != account {
				t.Fatalf("got account %s, want %s", a, account)
			}
		}
	}},
	{"keys are three different secrets of 32 bytes that stay", func(t *testing.T, h flow.Host) {
		k := h.Keys()
		if len(k.Token) != 32 || len(k.Draw) != 32 || len(k.Digest) != 32 {
			t.Fatal("a key is not 32 bytes")
		}
		if string(k.Token) == string(k.Draw) || string(k.Draw) == string(k.Digest) || string(k.Token) == string(k.Digest) {
			t.Fatal("two keys are the same")
		}
		same(t, h.Keys(), k)
	}},
	{"an open host is ready", func(t *testing.T, h flow.Host) { ok(t, h.Ready(ctx)) }},
}

var bookPromises = []promise{
	{"a subject without records has the zero state and its name", func(t *testing.T, h flow.Host) {
		s := someone(t, h)
		same(t, must(h.State(ctx, s))(t), consent.State{Subject: s})
	}},
	{"a read sees every acknowledged append", func(t *testing.T, h flow.Host) {
		s := someone(t, h)
		for n := range 5 {
			at := noon.Add(time.Duration(n) * time.Hour)
			say(t, h, s, give(at, n%2 == 0, consent.Analytics))
			st := must(h.State(ctx, s))(t)
			if st.Version != uint64(n+1) || st.At(consent.Analytics, at).Status.Valid() != (n%2 == 0) {
				t.Fatalf("after append %d: %+v", n, st)
			}
		}
	}},
	{"the state is the fold of the history, at every moment", func(t *testing.T, h flow.Host) {
		s := someone(t, h)
		for n, yes := range []bool{true, true, false, true} {
			say(t, h, s, give(noon.Add(time.Duration(n)*time.Hour), yes, consent.Analytics, consent.AdviserAssist))
		}
		records := must(h.History(ctx, s))(t)
		if len(records) != 4 {
			t.Fatalf("got %d records", len(records))
		}
		same(t, must(h.State(ctx, s))(t), consent.Fold(records))
		for n, want := range []consent.Status{consent.Given, consent.Renewed, consent.Withdrawn, consent.Given} {
			at := noon.Add(time.Duration(n)*time.Hour + time.Minute)
			if got := consent.AsOf(records, at).At(consent.Analytics, at).Status; got != want {
				t.Fatalf("as of record %d: %s, want %s", n+1, got, want)
			}
		}
	}},
	{"the host sets subject and version and gives the record back", func(t *testing.T, h flow.Host) {
		s, other := someone(t, h), someone(t, h)
		r := give(noon, true, consent.Analytics)
		r.Subject, r.Version = other, 99
		got := say(t, h, s, r)
		if got.Record.Subject != s || got.Record.Version != 1 || got.Leaf == [32]byte{} {
			t.Fatalf("got %+v", got)
		}
		same(t, must(h.Record(ctx, r.RecordID))(t), got.Record)
		if len(must(h.History(ctx, other))(t)) != 0 {
			t.Fatal("the record went to another subject")
		}
	}},
	{"build sees the state before and is called again if another came between", func(t *testing.T, h flow.Host) {
		s := someone(t, h)
		errs := make([]error, 20)
		together(20, func(i int) {
			_, errs[i] = h.Append(ctx, s, func(before consent.State) (consent.Record, error) {
				r := give(noon.Add(time.Duration(before.Version)*time.Minute), before.Version%2 == 0, consent.Analytics)
				r.Supersedes = string(rune('a' + before.Version))
				return r, nil
			})
		})
		ok(t, errors.Join(errs...))
		for i, r := range must(h.History(ctx, s))(t) {
			if r.Version != uint64(i+1) || r.Supersedes != string(rune('a'+i)) {
				t.Fatalf("record %d has version %d and was built on %q", i, r.Version, r.Supersedes)
			}
		}
		if v := must(h.State(ctx, s))(t).Version; v != 20 {
			t.Fatalf("state has version %d", v)
		}
	}},
	{"an error from build is returned and nothing is kept", func(t *testing.T, h flow.Host) {
		s, mine := someone(t, h), errors.New("mine")
		if _, err := h.Append(ctx, s, func(consent.State) (consent.Record, error) { return consent.Record{}, mine }); !errors.Is(err, mine) {
			t.Fatalf("got %v", err)
		}
		same(t, must(h.State(ctx, s))(t), consent.State{Subject: s})
	}},
	{"nobody cannot consent", func(t *testing.T, h flow.Host) {
		if _, err := h.Append(ctx, consent.Subject{}, func(consent.State) (consent.Record, error) {
			return give(noon, true, consent.Analytics), nil
		}); err == nil {
			t.Fatal("the record was taken")
		}
	}},
	{"an unknown record is not found, and has no proof", func(t *testing.T, h flow.Host) {
		_, err := h.Record(ctx, "no-such-record")
		_, err2 := h.Proof(ctx, "no-such-record")
		if !errors.Is(err, flow.ErrNotFound) || !errors.Is(err2, flow.ErrNotFound) {
			t.Fatalf("got %v and %v", err, err2)
		}
	}},
	{"every record gets a proof under a checkpoint", func(t *testing.T, h flow.Host) {
		s := someone(t, h)
		for n := range 3 {
			receipt := say(t, h, s, give(noon.Add(time.Duration(n)*time.Hour), true, consent.Analytics))
			checkProof(t, h, receipt)
		}
	}},
}
