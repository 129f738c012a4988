//go:build awslocal

package aws_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/host/aws"
	"github.com/handschlag/handschlag/host/aws/awslocal"
	"github.com/handschlag/handschlag/profile"
)

// foreseen is a host that one function opened, and a visitor that it knows.
func foreseen(t *testing.T, function string) (*awslocal.Ground, *aws.Host, consent.ID, consent.Subject) {
	t.Helper()
	g := awslocal.Start(t)
	o := g.Fresh(t)
	o.Account = g.Account(function)
	h, err := aws.Open(ctx, o)
	ok(t, err)
	t.Cleanup(func() { _ = h.Close() })
	id, err := consent.NewID(consent.Device, "device-of-a-visitor")
	ok(t, err)
	s, err := h.Assign(ctx, id)
	ok(t, err)
	return g, h, id, s
}

func TestWhatWasReadAheadIsHandedOutOnce(t *testing.T) {
	g, h, id, s := foreseen(t, "once")
	ahead := h.Ahead(ctx, flow.Ahead{Control: 1, Who: []flow.Who{{Device: id}}, Profile: true})
	read := func() {
		t.Helper()
		found, err := h.Find(ahead, id)
		ok(t, err)
		_, err = h.State(ahead, s)
		ok(t, err)
		_, err = h.AccountOf(ahead, s)
		ok(t, err)
		_, err = h.AllSwitches(ahead)
		ok(t, err)
		if found != s {
			t.Errorf("want %s, got %s", s, found)
		}
	}
	read()
	first := g.Seen("once").Requests
	ok(t, h.PutSwitch(ctx, flow.Switch{Name: "ingest", Reason: "test"}))
	ok(t, h.Object(ctx, s, "profiling", true, time.Now()))
	g.Forget("once")
	st, err := h.State(ahead, s)
	ok(t, err)
	on, err := h.AllSwitches(ahead)
	ok(t, err)
	if len(st.Objections) == 0 || len(on) != 1 {
		t.Errorf("a second read of a call does not see what was written meanwhile: %v, %v (%d requests at first)", st, on, first)
	}
}

// A guess about whom an identifier leads to is checked by each call.
func TestAGuessIsNeverAnAnswer(t *testing.T) {
	_, h, id, s := foreseen(t, "guess")
	call := func() consent.Subject {
		ahead := h.Ahead(ctx, flow.Ahead{Who: []flow.Who{{Device: id}}, Profile: true})
		found, err := h.Find(ahead, id)
		ok(t, err)
		return found
	}
	for range 2 {
		if got := call(); got != s {
			t.Errorf("want %s, got %s", s, got)
		}
	}
	_, err := h.Erase(ctx, s, time.Now())
	ok(t, err)
	if got := call(); !got.IsZero() {
		t.Errorf("an erased subject is found: %s", got)
	}
	again, err := h.Assign(ctx, id)
	ok(t, err)
	if got := call(); got != again || got == s {
		t.Errorf("want the new pseudonym %s, got %s", again, got)
	}
}

// What cannot be read ahead is an error for whoever asks, not a silence.
func TestWhatCannotBeReadAheadIsAnError(t *testing.T) {
	g, h, id, s := foreseen(t, "blindfold")
	g.Refuse("blindfold", "denied")
	g.Forget("blindfold")
	ahead := h.Ahead(ctx, flow.Ahead{Control: 1, Advisers: true, Who: []flow.Who{{Device: id}}, Profile: true, Prices: []flow.PriceName{{Product: "p"}}})
	for name, read := range map[string]func() error{
		"Find":         func() error { _, err := h.Find(ahead, id); return err },
		"AllSwitches":  func() error { _, err := h.AllSwitches(ahead); return err },
		"AllAdvisers":  func() error { _, err := h.AllAdvisers(ahead); return err },
		"PriceHistory": func() error { _, err := h.PriceHistory(ahead, "p", "", "", ""); return err },
		"State":        func() error { _, err := h.State(ahead, s); return err },
	} {
		if read() == nil {
			t.Errorf("%s: nothing is said", name)
		}
	}
	g.Refuse("blindfold", "")
}

// A profile that is written upon what was read ahead finds out if it is another by then.
func TestAProfileReadAheadIsNotWrittenOver(t *testing.T) {
	_, h, id, s := foreseen(t, "profile")
	note := func(ctx context.Context, key byte) {
		ok(t, h.UpdateProfile(ctx, s, nil, func(p profile.Profile) profile.Profile {
			p.Recent = append(p.Recent, profile.Seen{Key: [16]byte{key}, AtMS: time.Now().UnixMilli()})
			return p
		}))
	}
	ahead := h.Ahead(ctx, flow.Ahead{Who: []flow.Who{{Device: id}}, Profile: true})
	_, err := h.Profile(ahead, s)
	ok(t, err)
	var work sync.WaitGroup
	for n := range 4 {
		work.Go(func() { note(ctx, byte(n+1)) })
	}
	work.Wait()
	note(ahead, 9)
	p, err := h.Profile(ctx, s)
	ok(t, err)
	if len(p.Recent) != 5 {
		t.Errorf("want five notes, got %d", len(p.Recent))
	}
}
