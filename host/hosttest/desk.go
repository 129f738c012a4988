package hosttest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/handschlag/handschlag/flow"
)

func contact(n, priority int, at time.Time) flow.Contact {
	return flow.Contact{
		ID: fmt.Sprintf("contact-%02d", n), TokenKey: fmt.Sprintf("token-%02d", n), Channel: "chat", Priority: priority,
		Speaker: "human", OpenedAt: at, Page: flow.PageRef{ProductID: "B12"},
	}
}

// accept is what flow's accept path does to a contact.
func accept(name string, at time.Time) func(flow.Contact) (flow.Contact, error) {
	return func(c flow.Contact) (flow.Contact, error) {
		if c.AcceptedAt != nil {
			return c, flow.ErrTaken
		}
		c.Adviser, c.AcceptedAt = name, &at
		return c, nil
	}
}

func closeAt(at time.Time) func(flow.Contact) (flow.Contact, error) {
	return func(c flow.Contact) (flow.Contact, error) { c.ClosedAt, c.Outcome = &at, "helped"; return c, nil }
}

var deskPromises = []promise{
	{"fifty clicks on one token open one contact", func(t *testing.T, h flow.Host) {
		got, opened, errs := make([]flow.Contact, 50), make([]bool, 50), make([]error, 50)
		together(50, func(i int) {
			c := contact(i, 0, noon)
			c.TokenKey = "one-token"
			got[i], opened[i], errs[i] = h.OpenContact(ctx, c)
		})
		ok(t, errors.Join(errs...))
		n := 0
		for i := range got {
			if got[i].ID != got[0].ID {
				t.Fatalf("got %s and %s", got[0].ID, got[i].ID)
			}
			if opened[i] {
				n++
			}
		}
		if waiting := must(h.Waiting(ctx))(t); n != 1 || len(waiting) != 1 || waiting[0].ID != got[0].ID {
			t.Fatalf("opened %d times, %d waiting", n, len(waiting))
		}
	}},
	{"waiting is by priority, then first come, without accepted and closed ones", func(t *testing.T, h flow.Host) {
		for n, c := range []flow.Contact{
			contact(0, 0, noon), contact(1, 3, noon.Add(2*time.Minute)), contact(2, 3, noon.Add(time.Minute)),
			contact(3, 5, noon), contact(4, 0, noon.Add(-time.Minute)), contact(5, 9, noon),
		} {
			if _, opened, err := h.OpenContact(ctx, c); err != nil || !opened {
				t.Fatalf("contact %d: %v %v", n, opened, err)
			}
		}
		must(h.ChangeContact(ctx, "contact-03", accept("ada", noon)))(t)
		must(h.ChangeContact(ctx, "contact-05", closeAt(noon)))(t)
		var ids []string
		for _, c := range must(h.Waiting(ctx))(t) {
			ids = append(ids, c.ID)
		}
		same(t, ids, []string{"contact-02", "contact-01", "contact-04", "contact-00"})
	}},
	{"of fifty who accept one contact, one gets it", func(t *testing.T, h flow.Host) {
		must2(h.OpenContact(ctx, contact(1, 0, noon)))(t)
		errs := make([]error, 50)
		together(50, func(i int) { _, errs[i] = h.ChangeContact(ctx, "contact-01", accept(fmt.Sprint("adviser-", i), noon)) })
		got := 0
		for i, err := range errs {
			if err == nil {
				got++
				if c := must(h.Contact(ctx, "contact-01"))(t); c.Adviser != fmt.Sprint("adviser-", i) {
					t.Fatalf("adviser %d was told yes, %s has it", i, c.Adviser)
				}
			} else if !errors.Is(err, flow.ErrTaken) {
				t.Fatal(err)
			}
		}
		if got != 1 {
			t.Fatalf("%d got it", got)
		}
	}},
	{"an error from change is returned and nothing is saved", func(t *testing.T, h flow.Host) {
		must2(h.OpenContact(ctx, contact(1, 0, noon)))(t)
		mine := errors.New("mine")
		_, err := h.ChangeContact(ctx, "contact-01", func(c flow.Contact) (flow.Contact, error) { c.Adviser = "ada"; return c, mine })
		if c := must(h.Contact(ctx, "contact-01"))(t); !errors.Is(err, mine) || c.Adviser != "" {
			t.Fatalf("got %v and %+v", err, c)
		}
	}},
	{"an unknown contact is not found", func(t *testing.T, h flow.Host) {
		_, err := h.Contact(ctx, "nobody")
		_, err2 := h.ChangeContact(ctx, "nobody", closeAt(noon))
		if !errors.Is(err, flow.ErrNotFound) || !errors.Is(err2, flow.ErrNotFound) {
			t.Fatalf("got %v and %v", err, err2)
		}
	}},
	{"an adviser is as busy as the contacts accepted and not closed", func(t *testing.T, h flow.Host) {
		if n := len(must(h.AllAdvisers(ctx))(t)); n != 0 {
			t.Fatalf("%d advisers at first", n)
		}
		ada := flow.Adviser{Name: "ada", Available: true, Channels: []string{"chat"}, Capacity: 2, Busy: 9, Since: noon}
		ok(t, h.PutAdviser(ctx, ada))
		busy := func(want int) {
			t.Helper()
			w := ada
			w.Busy = want
			same(t, must(h.AllAdvisers(ctx))(t), []flow.Adviser{w})
		}
		busy(0)
		for n := range 2 {
			must2(h.OpenContact(ctx, contact(n, 0, noon)))(t)
			must(h.ChangeContact(ctx, fmt.Sprintf("contact-%02d", n), accept("ada", noon)))(t)
			busy(n + 1)
		}
		must(h.ChangeContact(ctx, "contact-00", closeAt(noon)))(t)
		busy(1)
		ada.Available, ada.Channels = false, nil
		ok(t, h.PutAdviser(ctx, ada))
		busy(1)
	}},
	{"advisers are listed by name, the last word of each", func(t *testing.T, h flow.Host) {
		for _, a := range []flow.Adviser{{Name: "bob", Capacity: 1}, {Name: "ada", Capacity: 2}, {Name: "bob", Capacity: 3}} {
			ok(t, h.PutAdviser(ctx, a))
		}
		all := must(h.AllAdvisers(ctx))(t)
		if len(all) != 2 || all[0].Name != "ada" || all[1].Capacity != 3 {
			t.Fatalf("got %+v", all)
		}
	}},
	{"a switch binds the next read", func(t *testing.T, h flow.Host) {
		if n := len(must(h.AllSwitches(ctx))(t)); n != 0 {
			t.Fatalf("%d switches at first", n)
		}
		for i := range 6 {
			s := flow.Switch{Name: "offers", On: i%2 == 1, Reason: "drill", By: "ops", At: noon}
			ok(t, h.PutSwitch(ctx, s))
			same(t, must(h.AllSwitches(ctx))(t), map[string]flow.Switch{"offers": s})
		}
	}},
	{"what a caller does to the switches it read changes nothing", func(t *testing.T, h flow.Host) {
		ok(t, h.PutSwitch(ctx, flow.Switch{Name: "ingest", On: false}))
		delete(must(h.AllSwitches(ctx))(t), "ingest")
		if len(must(h.AllSwitches(ctx))(t)) != 1 {
			t.Fatal("the switch is gone")
		}
	}},
}

func must2[A, B any](a A, _ B, err error) func(t *testing.T) A { return must(a, err) }
