//go:build awslocal

package aws_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/host/aws"
	"github.com/handschlag/handschlag/host/aws/awslocal"
)

// Two processes that take the same click at once open one contact.
func TestOneClickInTwoProcessesOpensOneContact(t *testing.T) {
	t.Parallel()
	o := awslocal.Start(t).Fresh(t)
	hosts := []*aws.Host{opened(t, o), opened(t, o)}
	c := flow.Contact{ID: "contact-1", TokenKey: "token-1", Channel: "chat", OpenedAt: noon}
	opens, errs, mu := 0, make([]error, 20), sync.Mutex{}
	var work sync.WaitGroup
	for i := range errs {
		work.Go(func() {
			_, first, err := hosts[i%2].OpenContact(ctx, c)
			mu.Lock()
			defer mu.Unlock()
			if errs[i] = err; first {
				opens++
			}
		})
	}
	work.Wait()
	ok(t, errors.Join(errs...))
	if opens != 1 {
		t.Errorf("opened %d times", opens)
	}
	if _, _, err := hosts[0].OpenContact(ctx, flow.Contact{ID: "contact-1", TokenKey: "token-2"}); err == nil {
		t.Error("a second contact took the id")
	}
}

// A first try that comes late does not undo what was said since.
func TestALateTryUndoesNothing(t *testing.T) {
	t.Parallel()
	g := awslocal.Start(t)
	o := g.Fresh(t)
	clean := opened(t, o)
	o.Account = g.Account("late")
	o.Account.HTTP = impatient(500 * time.Millisecond)
	h := opened(t, o)
	g.Inject("late", awslocal.Faults{Seed: 5, Late: 300, Unanswered: 200})
	var last bool
	for i := range 12 {
		s := flow.Switch{Name: "offers", On: i%2 == 0, At: noon}
		if h.PutSwitch(ctx, s) != nil {
			ok(t, clean.PutSwitch(ctx, s)) // nobody knows: said again
		}
		last = s.On
		if is := must(clean.AllSwitches(ctx))(t)["offers"].On; is != last {
			t.Fatalf("%d: the switch is %v", i, is)
		}
	}
	time.Sleep(2 * time.Second) // what is late has come
	if is := must(clean.AllSwitches(ctx))(t)["offers"].On; is != last {
		t.Errorf("the switch turned to %v", is)
	}
}

// Whoever turns one switch takes back no other that is turned at the same time.
func TestSwitchesTurnedAtOnceAllTurn(t *testing.T) {
	t.Parallel()
	o := awslocal.Start(t).Fresh(t)
	hosts := []*aws.Host{opened(t, o), opened(t, o)}
	names := []string{"ingest", "offers", "variants", "exports", "personalised"}
	for round := range 4 {
		errs := make([]error, 4*len(names))
		var work sync.WaitGroup
		for i := range errs {
			work.Go(func() {
				s := flow.Switch{Name: names[i%len(names)], On: round%2 == 0, Reason: fmt.Sprint(round), At: noon}
				errs[i] = hosts[i%2].PutSwitch(ctx, s)
			})
		}
		work.Wait()
		ok(t, errors.Join(errs...))
		all := must(hosts[0].AllSwitches(ctx))(t)
		for _, name := range names {
			if s := all[name]; s.Name != name || s.On != (round%2 == 0) || s.Reason != fmt.Sprint(round) {
				t.Errorf("round %d: switch %s is %+v", round, name, s)
			}
		}
	}
}

// Imports at once all count.
func TestCataloguesPutAtOnceAreMerged(t *testing.T) {
	t.Parallel()
	o := awslocal.Start(t).Fresh(t)
	hosts := []*aws.Host{opened(t, o), opened(t, o)}
	errs := make([]error, 8)
	var work sync.WaitGroup
	for i := range errs {
		work.Go(func() {
			errs[i] = hosts[i%2].PutProducts(ctx, []event.Product{{ID: fmt.Sprint("P", i), PriceCents: 1}})
		})
	}
	work.Wait()
	ok(t, errors.Join(errs...))
	if all := must(hosts[0].AllProducts(ctx))(t); len(all) != 8 || must(hosts[1].ProductsVersion(ctx))(t) != 8 {
		t.Errorf("%d products", len(all))
	}
}
