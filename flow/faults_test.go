package flow_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/host/hosttest"
	"github.com/handschlag/handschlag/price"
)

func TestAFaultIsA503ForTheWholeBatchAndNamesNobody(t *testing.T) {
	for _, method := range []string{"Find", "State", "AccountOf", "AllSwitches", "ProductsVersion", "AppendEvents", "PutCases", "Profile", "UpdateProfile", "Count"} {
		for _, fate := range []hosttest.Fate{hosttest.Lost, hosttest.Kept} {
			s := newShop(t)
			s.grant(ada, consent.Analytics)
			env := envelope(t, s.view(ada, "B12"), s.view(bob, "B12"))
			s.host.FailNext(method, fate)
			a, err := s.Ingest(ctx, env, browser)
			f := faulted(t, err, 503, "")
			want(t, f.RetryAfter > 0, true)
			want(t, len(a.Results), 0)
			if strings.Contains(f.Error()+fmt.Sprint(f.Unwrap()), ada) {
				t.Errorf("%s: the error names the visitor", method)
			}
			again, err := s.Ingest(ctx, env, browser)
			ok(t, err)
			want(t, again.Admitted+again.Duplicate, 1)
			keys := map[[16]byte]bool{}
			for _, r := range s.rows() {
				keys[r.MessageKey] = true
			}
			want(t, len(keys), 1) // the repeated event is there, and no other
		}
	}
}

func TestALinkIsNotLostWithAFault(t *testing.T) {
	for _, method := range []string{"Link", "UpdateProfile", "Count"} {
		for _, fate := range []hosttest.Fate{hosttest.Lost, hosttest.Kept} {
			s := newShop(t)
			s.grant(ada, consent.Analytics)
			s.grantAccount(adaAcc, consent.Analytics)
			env := envelope(t, s.track(ada, "", nil, with("type", "identify"), with("userId", adaAcc)))
			s.host.FailNext(method, fate)
			_, err := s.Ingest(ctx, env, backend)
			faulted(t, err, 503, "")
			_, err = s.Ingest(ctx, env, backend)
			ok(t, err)
			account, err := s.host.AccountOf(ctx, s.subject(consent.Device, ada))
			ok(t, err)
			if account != s.subject(consent.Account, adaAcc) {
				t.Errorf("%s %v: sent again, the device is not linked", method, fate)
			}
		}
	}
}

// Under any mixture of faults, what was answered as admitted is in the log with
// its case, and what is in the log had consent.
func TestNoAcknowledgedEventIsLostAndNoneIsAdmittedInDoubt(t *testing.T) {
	s := newShop(t)
	s.grant(ada, consent.Analytics)
	s.withdraw(bob, consent.Analytics)
	s.wait(time.Minute)
	for seed := range uint64(20) {
		s.host.Break(hosttest.Plan{Seed: seed, PerMille: 40})
		acknowledged := 0
		for range 20 {
			before := s.n
			a, err := s.Ingest(ctx, envelope(t, s.view(ada, "B12"), s.view(bob, "B12"), s.view(ada, "J7")), browser)
			if err != nil {
				faulted(t, err, 503, "")
				continue
			}
			want(t, a.Admitted, 2)
			want(t, a.Refused, 1)
			want(t, a.Results[0].MessageID, fmt.Sprintf("m%d", before+1))
			acknowledged += a.Admitted
		}
		s.host.Break(hosttest.Plan{})
		if acknowledged == 0 {
			t.Fatal("the plan let nothing through")
		}
	}
	cases, err := s.host.ReadCases(ctx)
	ok(t, err)
	subject := s.subject(consent.Device, ada)
	for _, r := range s.rows() {
		want(t, consent.Subject(r.Subject), subject)
		for _, c := range r.Cases {
			if cases[event.CaseID(c)] == nil {
				t.Fatalf("case %d of an acknowledged event is not kept", c)
			}
		}
	}
}

func TestADecisionIsDurableBeforeItsAnswer(t *testing.T) {
	for name, call := range map[string]func(*shop) (string, error){
		decide.ActionEscalate: func(s *shop) (string, error) {
			a, err := s.Escalate(ctx, flow.EscalateCall{AnonymousID: ada, Page: flow.PageRef{ProductID: "B12"}}, browser)
			return a.DecisionID + a.Token + a.Offer, err
		},
		decide.ActionVariant: func(s *shop) (string, error) {
			a, err := s.Variant(ctx, flow.VariantCall{AnonymousID: ada, Slot: "hero"}, browser)
			return a.DecisionID + a.Variant, err
		},
		decide.ActionPrice: func(s *shop) (string, error) {
			a, err := s.Price(ctx, []price.Quote{quote()}, backend)
			return fmt.Sprint(a), err
		},
		decide.ActionSwitch: func(s *shop) (string, error) {
			a, err := s.PutSwitch(ctx, flow.SwitchOffers, flow.SwitchCall{On: true, Reason: "x"}, ops)
			return a.DecisionID, err
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, fate := range []hosttest.Fate{hosttest.Lost, hosttest.Kept} {
				s := newShop(t, needy, hero)
				s.staffed(1, "chat")
				s.interested(ada)
				s.host.FailNext("AppendDecision", fate)
				answer, err := call(s)
				faulted(t, err, 503, "")
				if strings.Trim(answer, "[]") != "" {
					t.Errorf("an answer left without its record: %s", answer)
				}
				s.wait(time.Hour)
				answer, err = call(s)
				ok(t, err)
				last := s.decisions(name)
				want(t, strings.Contains(answer, last[len(last)-1].ID), true)
			}
		})
	}
}

func TestFailClosed(t *testing.T) {
	s := newShop(t, needy, hero)
	s.interested(ada)
	for _, method := range []string{"Find", "State", "AccountOf", "AllSwitches", "Profile", "AllAdvisers", "Published", "Membership", "UpdateProfile"} {
		s.host.FailNext(method, hosttest.Lost)
		a, err := s.Escalate(ctx, flow.EscalateCall{AnonymousID: ada, Page: flow.PageRef{ProductID: "B12"}}, browser)
		faulted(t, err, 503, "")
		want(t, a.Offer, "")
	}
	want(t, len(s.decisions(decide.ActionEscalate)), 0)
}

func TestAConsentCallThatMayHaveFailedCanBeRepeated(t *testing.T) {
	for _, fate := range []hosttest.Fate{hosttest.Lost, hosttest.Kept} {
		s := newShop(t)
		s.host.FailNext("Append", fate)
		_, err := s.Consent(ctx, gives(ada, consent.Analytics), browser)
		faulted(t, err, 503, "")
		a := s.grant(ada, consent.Analytics)
		want(t, a.Purposes[consent.Analytics].Status.Valid(), true)
		s.withdraw(ada, consent.Analytics)
		want(t, s.outcome(s.view(ada, "B12")), "refused: CON-10")
	}
}

// A withdrawal binds the next event: of every event sent after a withdrawal was
// acknowledged, and before the next grant was sent, none is admitted; and the
// profile holds nothing of a purpose that is not in force.
func TestAWithdrawalBindsTheNextEventUnderLoad(t *testing.T) {
	s := newShop(t)
	const senders, rounds = 4, 60
	var mu sync.RWMutex // held for reading while an event is on its way in a known state
	given := false
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range senders {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if _, err := s.Ingest(ctx, envelope(t, s.view(ada, "B12")), browser); err != nil { // races with the changes below
					t.Error(err)
					return
				}
				mu.RLock()
				a, err := s.Ingest(ctx, envelope(t, s.view(ada, "B12")), browser)
				if err != nil || (a.Admitted == 1) != given {
					t.Errorf("consent %v: %+v %v", given, a, err)
				}
				mu.RUnlock()
			}
		})
	}
	for i := range rounds {
		mu.Lock()
		if _, err := s.Consent(ctx, says(ada, i%2 == 0, consent.AdviserAssist), browser); err != nil {
			t.Error(err)
		}
		given = i%2 == 0
		mu.Unlock()
	}
	close(stop)
	wg.Wait()
	p, err := s.host.Profile(ctx, s.subject(consent.Device, ada))
	ok(t, err)
	if _, holds := p.Sections[consent.AdviserAssist]; holds {
		t.Error("the profile remembers a withdrawn purpose")
	}
}
