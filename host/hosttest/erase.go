package hosttest

import (
	"errors"
	"testing"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/profile"
)

var erasePromises = []promise{
	{"an erased subject is not found, and its id gets a new pseudonym", func(t *testing.T, h flow.Host) {
		ada := id(t, consent.Device, unique("device-of-ada"))
		s := must(h.Assign(ctx, ada))(t)
		say(t, h, s, give(noon, true, consent.Analytics))
		e := must(h.Erase(ctx, s, noon))(t)
		if len(e.Stores) == 0 || e.Leaf == "" || len(e.Leaves) != 1 {
			t.Fatalf("the certificate says %+v", e)
		}
		if found := must(h.Find(ctx, ada))(t); !found.IsZero() {
			t.Fatalf("found %s", found)
		}
		if back := must(h.Assign(ctx, ada))(t); back == s || back.IsZero() {
			t.Fatalf("came back as %s, was %s", back, s)
		}
	}},
	{"nothing of an erased subject can be read", erasedIsUnreadable},
	{"others stay as they are, and so do their proofs", func(t *testing.T, h flow.Host) {
		ada, bob := someone(t, h), someone(t, h)
		first := say(t, h, bob, give(noon, true, consent.Analytics))
		say(t, h, ada, give(noon, true, consent.Analytics))
		must(h.Erase(ctx, ada, noon))(t)
		second := say(t, h, bob, give(noon, false, consent.Analytics))
		checkProof(t, h, first)
		checkProof(t, h, second)
		if st := must(h.State(ctx, bob))(t); st.Version != 2 {
			t.Fatalf("Bob is at version %d", st.Version)
		}
	}},
	{"a second erasure, and one of nobody, finds nothing", func(t *testing.T, h flow.Host) {
		ada := someone(t, h)
		must(h.Erase(ctx, ada, noon))(t)
		for _, s := range []consent.Subject{ada, {}, newSubject()} {
			if e := must(h.Erase(ctx, s, noon))(t); len(e.Stores) > 0 || e.Leaf != "" {
				t.Fatalf("erased %+v", e)
			}
		}
	}},
	{"what comes late for an erased subject is not kept", func(t *testing.T, h flow.Host) {
		ada := someone(t, h)
		say(t, h, ada, give(noon, true, consent.Analytics))
		must(h.Erase(ctx, ada, noon))(t)
		_, err := h.Append(ctx, ada, func(consent.State) (consent.Record, error) { return give(noon, true, consent.Analytics), nil })
		if !errors.Is(err, flow.ErrMoved) {
			t.Fatalf("a record: %v", err)
		}
		for _, given := range [][]flow.StateAt{nil, {{Subject: ada, Version: 1}}} {
			if err := h.UpdateProfile(ctx, ada, given, sees(3)); !errors.Is(err, flow.ErrMoved) {
				t.Fatalf("a profile: %v", err)
			}
		}
	}},
	{"what a night or an offer from before brings back of an erased subject is left out", func(t *testing.T, h flow.Host) {
		ada, bob := someone(t, h), someone(t, h)
		say(t, h, ada, give(noon, true, consent.Analytics))
		must(h.Erase(ctx, ada, noon))(t)
		ok(t, h.Publish(ctx, flow.Publication{AsOf: noon}, profile.MembersOf(map[consent.Subject]profile.Membership{ada: {ValueTier: 4}, bob: {ValueTier: 3}})))
		if a, b := must(h.Membership(ctx, ada))(t), must(h.Membership(ctx, bob))(t); a.ValueTier != 0 || b.ValueTier != 3 {
			t.Fatalf("members %+v and %+v", a, b)
		}
		c := contact(1, 1, noon)
		c.ID, c.TokenKey, c.Subject, c.Question = unique("contact"), unique("token"), ada, "does it fit me?"
		must2(h.OpenContact(ctx, c))(t)
		if got := must(h.Contact(ctx, c.ID))(t); !got.Subject.IsZero() || got.Question != c.Question {
			t.Fatalf("contact: %+v", got)
		}
		for _, pair := range [][2]consent.Subject{{ada, bob}, {bob, ada}} {
			if err := h.Link(ctx, pair[0], pair[1], noon); !errors.Is(err, flow.ErrMoved) {
				t.Fatalf("a link: %v", err)
			}
		}
	}},
	{"an account's erasure unlinks its devices, which stay", func(t *testing.T, h flow.Host) {
		device, account := someone(t, h), someone(t, h)
		say(t, h, device, give(noon, true, consent.Analytics))
		ok(t, h.Link(ctx, device, account, noon))
		must(h.Erase(ctx, account, noon))(t)
		if a := must(h.AccountOf(ctx, device))(t); !a.IsZero() {
			t.Fatalf("still linked to %s", a)
		}
		if st := must(h.State(ctx, device))(t); st.Version != 1 {
			t.Fatalf("the device is at version %d", st.Version)
		}
	}},
	{"the chain of decisions holds across an erasure", func(t *testing.T, h flow.Host) {
		ada, bob := someone(t, h), someone(t, h)
		for i, s := range []consent.Subject{bob, ada, bob, ada} {
			d := decision(s, noon, decide.ActionPrice, "PRI-01")
			ok(t, h.AppendDecision(ctx, &d))
			if i == 2 {
				must(h.Erase(ctx, ada, noon))(t)
			}
		}
		checkChain(t, h, 1)
	}},
}

func erasedIsUnreadable(t *testing.T, h flow.Host) {
	ada, account := someone(t, h), someone(t, h)
	receipt := say(t, h, ada, give(noon, true, consent.Analytics))
	ok(t, h.Link(ctx, ada, account, noon))
	ok(t, h.AppendEvents(ctx, []event.Row{row(ada, 1, noon)}))
	ok(t, h.UpdateProfile(ctx, ada, []flow.StateAt{{Subject: ada, Version: 1}}, sees(9)))
	d := decision(ada, noon, decide.ActionEscalate, "ESC-01")
	ok(t, h.AppendDecision(ctx, &d))
	c := contact(1, 1, noon)
	c.ID, c.TokenKey, c.Subject, c.Question = unique("contact"), unique("token"), ada, "does it fit me?"
	must2(h.OpenContact(ctx, c))(t)
	ok(t, h.Publish(ctx, flow.Publication{AsOf: noon}, profile.MembersOf(map[consent.Subject]profile.Membership{ada: {ValueTier: 4}})))
	must(h.Erase(ctx, ada, noon))(t)

	same(t, must(h.State(ctx, ada))(t), consent.State{Subject: ada})
	if p := must(h.Profile(ctx, ada))(t); p.Has([16]byte{9}) {
		t.Fatal("the profile is there")
	}
	same(t, must(h.Membership(ctx, ada))(t), profile.Membership{})
	if len(must(h.History(ctx, ada))(t)) > 0 || !must(h.AccountOf(ctx, ada))(t).IsZero() {
		t.Fatal("history or link are there")
	}
	if _, err := h.Record(ctx, receipt.Record.RecordID); !errors.Is(err, flow.ErrNotFound) {
		t.Fatalf("record: %v", err)
	}
	if _, err := h.Proof(ctx, receipt.Record.RecordID); !errors.Is(err, flow.ErrNotFound) {
		t.Fatalf("proof: %v", err)
	}
	if got := must(h.Contact(ctx, c.ID))(t); !got.Subject.IsZero() || got.Question != "" {
		t.Fatalf("contact: %+v", got)
	}
	got := must(h.Decision(ctx, d.ID))(t)
	if !got.Subject.IsZero() || string(got.Input) != "{}" || got.Erased == "" || got.Action != d.Action {
		t.Fatalf("decision: %+v", got)
	}
	if found, _, err := h.SearchDecisions(ctx, flow.DecisionQuery{Subject: ada}); err != nil || len(found) > 0 {
		t.Fatalf("found decisions %v, %v", found, err)
	}
}
