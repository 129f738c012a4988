package hosttest

import (
	"slices"
	"testing"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/price"
	"github.com/handschlag/handschlag/profile"
)

// filled is what fill was told had been kept.
type filled struct {
	device   consent.ID
	subject  consent.Subject
	account  consent.Subject
	receipt  flow.Receipt
	row      event.Row
	decision decide.Record
	contact  flow.Contact
	product  event.Product
	price    price.Interval
	night    flow.Publication
	count    string
	keys     flow.Keys
	state    consent.State
	listed   consent.State
}

// fill writes one of everything.
func fill(t *testing.T, h flow.Host) filled {
	t.Helper()
	f := filled{device: id(t, consent.Device, unique("device-of-someone")), keys: h.Keys(), count: unique("count")}
	f.subject, f.account = must(h.Assign(ctx, f.device))(t), someone(t, h)
	f.receipt = say(t, h, f.subject, give(noon, true, consent.Analytics, consent.AdviserAssist))
	f.state = must(h.State(ctx, f.subject))(t)
	lists(t, h, f.account, true, noon)
	f.listed = must(h.State(ctx, f.account))(t)
	ok(t, h.Link(ctx, f.subject, f.account, noon))
	f.row = row(f.subject, 77, noon)
	ok(t, h.AppendEvents(ctx, []event.Row{f.row}))
	ok(t, h.PutCases(ctx, map[event.CaseID][]byte{5: []byte(`{}`)}))
	ok(t, h.UpdateProfile(ctx, f.subject, []flow.StateAt{{Subject: f.subject, Version: 1}}, sees(9)))
	f.decision = decision(f.subject, noon, decide.ActionEscalate, "ESC-01")
	ok(t, h.AppendDecision(ctx, &f.decision))
	ok(t, h.PutDocument(ctx, "d", []byte("doc")))
	ok(t, h.Count(ctx, noon, map[string]int64{f.count: 3}))
	f.contact = contact(1, 1, noon)
	f.contact.ID, f.contact.TokenKey = unique("contact"), unique("token")
	must2(h.OpenContact(ctx, f.contact))(t)
	ok(t, h.PutAdviser(ctx, flow.Adviser{Name: "ada", Available: true, Capacity: 1, Since: noon}))
	f.contact = must(h.ChangeContact(ctx, f.contact.ID, accept(unique("adviser"), noon)))(t)
	ok(t, h.PutSwitch(ctx, flow.Switch{Name: "offers", Reason: "drill", At: noon}))
	f.product, f.price = event.Product{ID: unique("product")}, interval(unique("product"), 0, -1, 399)
	ok(t, h.PutProducts(ctx, []event.Product{f.product}))
	ok(t, h.PutPrices(ctx, []price.Interval{f.price}))
	f.night = flow.Publication{AsOf: noon, Run: unique("run")}
	ok(t, h.Publish(ctx, f.night, profile.MembersOf(map[consent.Subject]profile.Membership{f.subject: {ValueTier: 4}})))
	return f
}

// check reads everything back.
func (f filled) check(t *testing.T, h flow.Host) {
	t.Helper()
	same(t, h.Keys(), f.keys)
	same(t, must(h.Find(ctx, f.device))(t), f.subject)
	same(t, must(h.AccountOf(ctx, f.subject))(t), f.account)
	same(t, must(h.State(ctx, f.subject))(t), f.state)
	same(t, must(h.State(ctx, f.account))(t), f.listed)
	told := consent.Retold(nil, must(h.Listed(ctx, f.account))(t), noon)
	told.Subject = f.account
	same(t, told, f.listed)
	same(t, must(h.Record(ctx, f.receipt.Record.RecordID))(t), f.receipt.Record)
	checkProof(t, h, f.receipt)
	rows := must(night(t, h).ReadEvents(ctx))(t)
	if !slices.ContainsFunc(rows, func(r event.Row) bool { return r.Subject == f.row.Subject && r.MessageKey == f.row.MessageKey }) {
		t.Fatal("the event is gone")
	}
	if !must(h.Profile(ctx, f.subject))(t).Has([16]byte{9}) {
		t.Fatal("the profile is gone")
	}
	same(t, must(h.Decision(ctx, f.decision.ID))(t), f.decision)
	same(t, string(must(h.Document(ctx, "d"))(t)), "doc")
	same(t, must(h.Counts(ctx, noon, noon.Add(time.Hour), f.count))(t), map[string]int64{f.count: 3})
	same(t, must(h.Contact(ctx, f.contact.ID))(t), f.contact)
	again, opened, err := h.OpenContact(ctx, flow.Contact{ID: unique("contact"), TokenKey: f.contact.TokenKey})
	ok(t, err)
	if opened || again.ID != f.contact.ID {
		t.Fatal("the token opened a second contact")
	}
	if s, set := must(h.AllSwitches(ctx))(t)["offers"]; !set || s.On || s.Reason != "drill" {
		t.Fatalf("the switch is %+v", s)
	}
	same(t, must(h.Product(ctx, f.product.ID))(t), f.product)
	same(t, must(h.PriceHistory(ctx, f.price.Product, "de", "web", "EUR"))(t), []price.Interval{f.price})
	same(t, must(h.Published(ctx))(t), f.night)
	same(t, must(h.Membership(ctx, f.subject))(t), profile.Membership{ValueTier: 4})
	if len(must(h.AllAdvisers(ctx))(t)) == 0 || len(must(night(t, h).ReadCases(ctx))(t)) == 0 {
		t.Fatal("advisers or cases are gone")
	}
}
