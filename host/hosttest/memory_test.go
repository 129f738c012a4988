package hosttest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/flow"
)

func TestMemoryKeepsEveryPromise(t *testing.T) {
	Run(t, func(*testing.T) flow.Host { return NewMemory() })
}

// TestNoAcknowledgedWriteIsLostUnderFaults writes under many fault plans and
// notes which calls said yes: those are all there, and an error is never
// swallowed: every plan that failed a call was noticed.
func TestNoAcknowledgedWriteIsLostUnderFaults(t *testing.T) {
	lost, kept := 0, 0
	for seed := range uint64(50) {
		m := NewMemory()
		s := someone(t, m)
		m.Break(Plan{Seed: seed, PerMille: 300})
		acked, failed := map[int]bool{}, 0
		for n := range 60 {
			if err := m.AppendEvents(ctx, []event.Row{row(s, n, noon)}); err == nil {
				acked[n] = true
			} else if failed++; !errors.Is(err, ErrFault) {
				t.Fatal(err)
			}
		}
		m.Break(Plan{})
		there := map[int]bool{}
		for _, r := range must(m.ReadEvents(ctx))(t) {
			there[int(r.MessageKey[1])] = true
		}
		for n := range acked {
			if !there[n] {
				t.Fatalf("seed %d: acknowledged row %d is gone", seed, n)
			}
		}
		kept += len(there) - len(acked)
		lost += failed - (len(there) - len(acked))
	}
	if lost < 300 || kept < 300 {
		t.Fatalf("%d failures were lost and %d kept: the plan does not make both", lost, kept)
	}
}

func TestARetryAfterAFaultTakesEffectOnce(t *testing.T) {
	for _, fate := range []Fate{Lost, Kept} {
		t.Run(fmt.Sprint(fate), func(t *testing.T) {
			m := NewMemory()
			m.FailNext("OpenContact", fate)
			if _, _, err := m.OpenContact(ctx, contact(1, 0, noon)); !errors.Is(err, ErrFault) {
				t.Fatalf("got %v", err)
			}
			again := contact(2, 0, noon)
			again.TokenKey = "token-01"
			got, opened, err := m.OpenContact(ctx, again)
			ok(t, err)
			if opened != (fate == Lost) || (got.ID == "contact-01") != (fate == Kept) || len(must(m.Waiting(ctx))(t)) != 1 {
				t.Fatalf("opened %v: %s", opened, got.ID)
			}
		})
	}
}

func TestAFailedConsentWriteIsNoReceipt(t *testing.T) {
	for _, fate := range []Fate{Lost, Kept} {
		m := NewMemory()
		s := someone(t, m)
		m.FailNext("Append", fate)
		r, err := m.Append(ctx, s, func(consent.State) (consent.Record, error) { return give(noon, true, consent.Analytics), nil })
		if !errors.Is(err, ErrFault) || r.Leaf != [32]byte{} {
			t.Fatalf("got %+v and %v", r, err)
		}
		if v := must(m.State(ctx, s))(t).Version; (v == 1) != (fate == Kept) {
			t.Fatalf("fate %d: version %d", fate, v)
		}
	}
}

func TestEveryMethodCanFailAndSaysSo(t *testing.T) {
	all := NewMemory(WithFaults(Plan{PerMille: 1000}))
	d := decision(consent.Subject{}, noon, decide.ActionPrice)
	calls := map[string]func() error{
		"Find":            func() error { _, err := all.Find(ctx, consent.ID{}); return err },
		"Assign":          func() error { _, err := all.Assign(ctx, id(t, consent.Account, "a")); return err },
		"State":           func() error { _, err := all.State(ctx, consent.Subject{}); return err },
		"History":         func() error { _, err := all.History(ctx, consent.Subject{}); return err },
		"Record":          func() error { _, err := all.Record(ctx, "r"); return err },
		"PriceStanding":   func() error { _, err := all.PriceStanding(ctx, "r"); return err },
		"Proof":           func() error { _, err := all.Proof(ctx, "r"); return err },
		"AppendEvents":    func() error { return all.AppendEvents(ctx, nil) },
		"Count":           func() error { return all.Count(ctx, noon, nil) },
		"Counts":          func() error { _, err := all.Counts(ctx, noon, noon.Add(time.Hour), ""); return err },
		"AppendDecision":  func() error { return all.AppendDecision(ctx, &d) },
		"SearchDecisions": func() error { _, _, err := all.SearchDecisions(ctx, flow.DecisionQuery{}); return err },
		"UpdateProfile":   func() error { return all.UpdateProfile(ctx, consent.Subject{1}, nil, sees(1)) },
		"AllSwitches":     func() error { _, err := all.AllSwitches(ctx); return err },
		"Waiting":         func() error { _, err := all.Waiting(ctx); return err },
		"Published":       func() error { _, err := all.Published(ctx); return err },
		"Ready":           func() error { return all.Ready(ctx) },
	}
	for name, call := range calls {
		if err := call(); !errors.Is(err, ErrFault) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
