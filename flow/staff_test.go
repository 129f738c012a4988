package flow_test

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/host/hosttest"
	"github.com/handschlag/handschlag/profile"
)

// accepted is a contact of a visitor, accepted by the adviser.
func (s *shop) accepted(device string) string {
	s.t.Helper()
	a, err := s.Escalate(ctx, flow.EscalateCall{AnonymousID: device, Asked: true, Page: flow.PageRef{ProductID: "B12", Type: "product"}}, browser)
	ok(s.t, err)
	h, err := s.Handover(ctx, flow.HandoverCall{Token: a.Token, Channel: "chat", Question: "Hilfe?"}, browser)
	ok(s.t, err)
	_, err = s.Accept(ctx, h.ContactID, adviser)
	ok(s.t, err)
	return h.ContactID
}

func TestAContactGoesToOneAdviser(t *testing.T) {
	s := newShop(t, needy)
	id := s.accepted(ada)
	again, err := s.Accept(ctx, id, adviser)
	ok(t, err)
	want(t, again.Adviser, "mia")
	_, err = s.Accept(ctx, id, other)
	faulted(t, err, 409, "contact")
	_, err = s.Outcome(ctx, id, flow.OutcomeCall{Outcome: "helped"}, other)
	faulted(t, err, 403, "contact")
	_, err = s.Accept(ctx, "0193-none", adviser)
	faulted(t, err, 404, "contact")
	q, err := s.Queue(ctx, adviser)
	ok(t, err)
	want(t, len(q.Contacts), 0)
}

func TestTheQueueIsFairWithinAPriority(t *testing.T) {
	s := newShop(t, needy)
	var order []string
	for i := range 3 {
		h, err := s.Handover(ctx, flow.HandoverCall{Token: s.asks("").Token, Channel: "chat"}, browser)
		ok(t, err)
		order = append(order, h.ContactID)
		s.wait(time.Duration(i+1) * time.Minute)
	}
	q, err := s.Queue(ctx, adviser)
	ok(t, err)
	for i, c := range q.Contacts {
		want(t, c.ContactID, order[i])
	}
	want(t, q.Contacts[0].WaitingS, 360)
}

func TestACardShowsWhatIsAllowedAndSaysWhyTheRestIsNot(t *testing.T) {
	s := newShop(t, needy)
	s.interested(ada)
	s.ingest(browser, s.view(ada, "P1"), s.track(ada, "Product Added", map[string]any{"product_id": "B12", "quantity": 2}))
	id := s.accepted(ada)
	card, err := s.Card(ctx, id, adviser)
	ok(t, err)
	want(t, len(card.Blocks), 5)
	want(t, card.Page.ProductID, "B12")
	for name, b := range card.Blocks {
		want(t, b.Shown, true)
		if b.Data == nil {
			t.Errorf("block %s is an empty gap", name)
		}
	}
	shown, err := json.Marshal(card)
	ok(t, err)
	for _, never := range []string{"P1", "score", "points", "need", ada} {
		if strings.Contains(string(shown), `"`+never) {
			t.Errorf("the card shows %s: %s", never, shown)
		}
	}
	if cart := card.Blocks["cart"].Data.(flow.CardCart); len(cart.Items) != 1 || cart.Items[0].Product != "B12" {
		t.Errorf("cart is %+v", cart)
	}
	s.withdraw(ada, consent.AdviserAssist)
	card, err = s.Card(ctx, id, adviser)
	ok(t, err)
	for name, b := range card.Blocks {
		want(t, b.Shown, name == "question")
		if name != "question" && (b.Data != nil || len(b.Reasons) == 0 || b.Ask == nil || b.Ask.De == "") {
			t.Errorf("block %s is %+v", name, b)
		}
	}
	want(t, card.Blocks["question"].Data, any("Hilfe?"))
	want(t, len(s.decisions(decide.ActionCard)), 2)
	want(t, s.decisions(decide.ActionCard)[0].Actor, "adviser:mia")
}

// LAW-05: what is past its time is not on the card, though no job dropped it yet.
func TestACardForgetsWhatIsPastItsTime(t *testing.T) {
	s := newShop(t, needy)
	s.interested(ada)
	s.ingest(browser, s.track(ada, "Order Completed", map[string]any{"order_id": "o1", "products": []any{map[string]any{"product_id": "J7", "quantity": 1, "price": 129}}}),
		s.track(ada, "Product Added", map[string]any{"product_id": "B12", "quantity": 2}))
	shown := func() (orders, viewed, cart int) {
		card, err := s.Card(ctx, s.accepted(ada), adviser)
		ok(t, err)
		want(t, card.Blocks["orders"].Shown, true)
		return len(card.Blocks["orders"].Data.([]profile.Order)), len(card.Blocks["products"].Data.(flow.CardProducts).Viewed), len(card.Blocks["cart"].Data.(flow.CardCart).Items)
	}
	orders, viewed, cart := shown()
	want(t, orders, 1)
	want(t, viewed, 2)
	want(t, cart, 1)
	for day := range 25 * 31 {
		s.wait(24 * time.Hour)
		if day == 90 {
			orders, viewed, cart = shown()
			want(t, orders, 1)
			want(t, viewed+cart, 0)
		}
		if day%60 == 59 {
			s.grant(ada, consent.AdviserAssist)
		}
	}
	orders, viewed, cart = shown()
	want(t, orders+viewed+cart, 0)
}

// SPC-01: a catalogue that learns later that a product is sensitive darkens the
// card, which does not say why, and whose record leads to nobody.
func TestACardWithSomethingSensitiveStaysDark(t *testing.T) {
	for name, tagged := range map[string]string{"a product looked at": "J7", "the page": "B12"} {
		t.Run(name, func(t *testing.T) {
			s := newShop(t, needy)
			s.interested(ada)
			id := s.accepted(ada)
			_, err := s.PutProducts(ctx, []event.Product{{ID: tagged, Category: "jackets", Class: "standard", PriceCents: 12900, Stock: 5, Tags: []string{"health"}}}, backend)
			ok(t, err)
			card, err := s.Card(ctx, id, adviser)
			ok(t, err)
			for block, b := range card.Blocks {
				want(t, b.Shown, block == "question")
				want(t, block == "question" || rulesOf(b.Reasons) == "ESC-04" && b.Ask == nil, true)
			}
			b, err := json.Marshal(card)
			ok(t, err)
			want(t, strings.Contains(string(b), tagged) || strings.Contains(string(b), "SPC-01"), false)
			r := s.decisions(decide.ActionCard)[0]
			want(t, r.Subject, consent.Subject{})
			want(t, slices.Contains(r.Rules, "SPC-01"), true)
			want(t, strings.Contains(string(r.Input), "record_id"), false)
		})
	}
}

func TestACardEndsWithItsContact(t *testing.T) {
	s := newShop(t, needy)
	id := s.accepted(ada)
	_, err := s.Card(ctx, id, other)
	faulted(t, err, 403, "contact")
	closed, err := s.Outcome(ctx, id, flow.OutcomeCall{Outcome: "sold"}, adviser)
	ok(t, err)
	again, err := s.Outcome(ctx, id, flow.OutcomeCall{Outcome: "sold"}, adviser)
	ok(t, err)
	k, err := s.host.Contact(ctx, id)
	ok(t, err)
	want(t, k.Question, "") // it was for this conversation
	want(t, again, closed)
	_, err = s.Outcome(ctx, id, flow.OutcomeCall{Outcome: "helped"}, adviser)
	faulted(t, err, 409, "contact")
	_, err = s.Outcome(ctx, id, flow.OutcomeCall{Outcome: "great"}, adviser)
	faulted(t, err, 422, "outcome")
	_, err = s.Card(ctx, id, adviser)
	if f := faulted(t, err, 403, "contact"); f.Code != "card_closed" {
		t.Errorf("got %s", f.Code)
	}
	want(t, len(s.decisions(decide.ActionCard)), 2) // both refusals are recorded
	want(t, len(s.decisions(decide.ActionHandover)), 2)
	_, err = s.Accept(ctx, id, adviser)
	faulted(t, err, 409, "contact")
}

func TestAnUnknownVisitorsCardHoldsTheQuestionOnly(t *testing.T) {
	s := newShop(t, needy)
	card, err := s.Card(ctx, s.accepted(ada), adviser)
	ok(t, err)
	for name, b := range card.Blocks {
		want(t, b.Shown, name == "question")
	}
	if !s.subject(consent.Device, ada).IsZero() {
		t.Error("asking made a pseudonym")
	}
}

func TestAvailabilityIsChecked(t *testing.T) {
	s := newShop(t, needy)
	_, err := s.PutAdviser(ctx, flow.AdviserCall{Available: true, Channels: []string{"chat", "fax"}}, adviser)
	faulted(t, err, 422, "channels[1]")
	_, err = s.PutAdviser(ctx, flow.AdviserCall{Available: true, Capacity: -1}, adviser)
	faulted(t, err, 422, "capacity")
}

func TestEachDoorHasItsRole(t *testing.T) {
	s := newShop(t, needy)
	for name, try := range map[string]func(flow.Caller) error{
		"queue":    func(c flow.Caller) error { _, err := s.Queue(ctx, c); return err },
		"card":     func(c flow.Caller) error { _, err := s.Card(ctx, "x", c); return err },
		"adviser":  func(c flow.Caller) error { _, err := s.PutAdviser(ctx, flow.AdviserCall{}, c); return err },
		"decision": func(c flow.Caller) error { _, err := s.Decision(ctx, "x", c); return err },
		"search":   func(c flow.Caller) error { _, err := s.SearchDecisions(ctx, flow.DecisionSearch{}, c); return err },
		"switch": func(c flow.Caller) error {
			_, err := s.PutSwitch(ctx, "offers", flow.SwitchCall{Reason: "x"}, c)
			return err
		},
		"stats":   func(c flow.Caller) error { _, err := s.Stats(ctx, flow.StatsCall{}, c); return err },
		"exports": func(c flow.Caller) error { _, err := s.Exports(ctx, c); return err },
	} {
		t.Run(name, func(t *testing.T) {
			for _, c := range []flow.Caller{browser, backend, {Staff: &flow.Staff{Role: "guest", Name: "g"}}} {
				faulted(t, try(c), 403, "credential")
			}
		})
	}
	_, err := s.Queue(ctx, dpo)
	faulted(t, err, 403, "credential")
	_, err = s.Exports(ctx, dpo)
	faulted(t, err, 403, "credential")
}

func TestEveryDecisionIsExplained(t *testing.T) {
	s := newShop(t, needy)
	s.interested(ada)
	a := s.escalate(ada, "B12")
	d, err := s.Decision(ctx, a.DecisionID, dpo)
	ok(t, err)
	want(t, d.Record.ID, a.DecisionID)
	if len(d.Reasons) == 0 || strings.Contains(rulesOf(d.Reasons), "no words") {
		t.Errorf("reasons are %+v", d.Reasons)
	}
	for _, digest := range []string{d.Record.Digests.Policy, d.Record.Digests.Capabilities, d.Record.Digests.Config, d.Record.Digests.Scorecard} {
		if _, err := s.host.Document(ctx, digest); err != nil {
			t.Errorf("a document that the decision names is not kept: %v", err)
		}
	}
	found, err := s.SearchDecisions(ctx, flow.DecisionSearch{AnonymousID: ada, Action: decide.ActionEscalate}, dpo)
	ok(t, err)
	want(t, len(found.Decisions), 1)
	none, err := s.SearchDecisions(ctx, flow.DecisionSearch{AnonymousID: bob}, dpo)
	ok(t, err)
	want(t, len(none.Decisions), 0)
	_, err = s.SearchDecisions(ctx, flow.DecisionSearch{Subject: "zz"}, dpo)
	faulted(t, err, 422, "subject")
	_, err = s.Decision(ctx, "0193-none", dpo)
	faulted(t, err, 404, "decision_id")
}

func TestASwitchIsRecordedWithWhoAndWhy(t *testing.T) {
	s := newShop(t)
	a, err := s.PutSwitch(ctx, flow.SwitchVariants, flow.SwitchCall{Reason: "complaint 17"}, dpo)
	ok(t, err)
	want(t, a.By, "dpo:dora")
	d, err := s.Decision(ctx, a.DecisionID, ops)
	ok(t, err)
	want(t, d.Record.Actor, "dpo:dora")
	want(t, strings.Contains(string(d.Record.Input), "complaint 17"), true)
	_, err = s.PutSwitch(ctx, "everything", flow.SwitchCall{Reason: "x"}, dpo)
	faulted(t, err, 404, "name")
	_, err = s.PutSwitch(ctx, flow.SwitchOffers, flow.SwitchCall{}, dpo)
	faulted(t, err, 422, "reason")
}

func TestStatsCountWhatHappened(t *testing.T) {
	s := newShop(t, needy, hero)
	s.interested(ada)
	s.escalate(ada, "B12")
	s.grant(ada, consent.Experimentation, consent.Analytics)
	v := s.variant(ada, "de").Variant
	s.ingest(browser, s.track(ada, "Experiment Viewed", map[string]any{"slot": "hero", "variant_id": v}), s.track(ada, "Experiment Viewed", map[string]any{"slot": "hero", "variant_id": "invented"}))
	_, err := s.Outcome(ctx, s.accepted(ada), flow.OutcomeCall{Outcome: "helped"}, adviser)
	ok(t, err)
	a, err := s.Stats(ctx, flow.StatsCall{}, market)
	ok(t, err)
	want(t, a.Offers.Decided["hint"], 1)
	want(t, a.Offers.Decided["asked"], 1)
	want(t, a.Offers.Opened["chat"], 1)
	want(t, a.Offers.Outcomes["helped"], 1)
	if a.Events["admitted"] < 2 {
		t.Errorf("events are %v", a.Events)
	}
	var assigned int64
	for _, x := range a.Variants {
		if x.Variant == v {
			want(t, x.Outcomes["experiment_viewed"], 1)
		}
		if assigned += x.Assigned; x.Variant == "invented" {
			t.Error("a sender invented a variant")
		}
	}
	want(t, assigned, 1)
}

// plant writes variant decisions as a draw with equal weights would have, but
// for the share that always takes the first.
func (s *shop) plant(n, biased int) {
	s.t.Helper()
	for i := range n {
		v := []string{"plain", "a", "b", "in-stock"}[i%4]
		if i < biased {
			v = "plain"
		}
		out, err := json.Marshal(map[string]any{"mode": "contextual", "eligible": []string{"a", "b", "in-stock", "plain"}, "rules": []string{}, "variant": v})
		ok(s.t, err)
		ok(s.t, s.host.AppendDecision(ctx, &decide.Record{
			ID: fmt.Sprintf("planted-%d", i), Time: s.now, Action: decide.ActionVariant, Input: []byte(`{"slot":"hero"}`), Result: out, PPM: 250_000,
		}))
	}
}

func TestTheSampleRatioAlarmFindsAPlantedBug(t *testing.T) {
	for _, x := range []struct {
		biased int
		alarm  bool
	}{{0, false}, {60, true}} {
		s := newShop(t, hero)
		s.plant(400, x.biased)
		a, err := s.Stats(ctx, flow.StatsCall{}, ops)
		ok(t, err)
		want(t, len(a.Ratios), 1)
		want(t, a.Ratios[0].N, 400)
		want(t, a.Ratios[0].Alarm, x.alarm)
	}
}

func TestTheSampleRatioHoldsForHonestDraws(t *testing.T) {
	s := newShop(t, hero)
	s.grant(ada, consent.Experimentation, consent.PersonalisationContent)
	for range 300 {
		s.variant("", "de")
		s.variant(ada, "de") // the same visitor again and again is one draw
	}
	a, err := s.Stats(ctx, flow.StatsCall{}, ops)
	ok(t, err)
	want(t, a.Ratios[0].N, 301)
	want(t, a.Ratios[0].Alarm, false)
	want(t, a.Ratios[0].Degree, 3)
}

func TestOnlyPublishedExportsLeave(t *testing.T) {
	dir := t.TempDir()
	write := func(name, body string) {
		ok(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755))
		ok(t, os.WriteFile(filepath.Join(dir, name), []byte(body), 0o644))
	}
	write("2026-11-20/manifest.json", `{"files":[{"name":"loyal-email.csv"},{"name":"../../secret"}]}`)
	write("2026-11-20/loyal-email.csv", "key\n1\n")
	write("2026-11-20/unlisted.csv", "key\n2\n")
	write("2026-11-21/half.csv", "no manifest yet")
	write("secret", "secret")
	s := newShopOn(t, hosttest.NewMemory(hosttest.WithExports(dir)))
	list, err := s.Exports(ctx, market)
	ok(t, err)
	want(t, len(list.Exports), 1)
	want(t, strings.Join(list.Exports[0].Files, " "), "manifest.json loyal-email.csv")
	body, err := s.ExportFile(ctx, "2026-11-20", "loyal-email.csv", market)
	ok(t, err)
	b, err := io.ReadAll(body)
	ok(t, err)
	ok(t, body.Close())
	want(t, string(b), "key\n1\n")
	want(t, body.Type, "text/csv; charset=utf-8")
	want(t, s.decisions(decide.ActionExport)[0].Actor, "marketing:max")
	for _, x := range [][2]string{
		{"2026-11-20", "unlisted.csv"}, {"2026-11-20", "../../secret"}, {"2026-11-20", "../secret"}, {"2026-11-21", "half.csv"},
		{"..", "secret"}, {"2026-11-20/..", "secret"}, {"2026-13-40", "manifest.json"}, {"2026-11-19", "manifest.json"},
	} {
		_, err := s.ExportFile(ctx, x[0], x[1], market)
		faulted(t, err, 404, "date or file")
	}
	_, err = s.PutSwitch(ctx, flow.SwitchExports, flow.SwitchCall{Reason: "drill"}, dpo)
	ok(t, err)
	_, err = s.ExportFile(ctx, "2026-11-20", "manifest.json", market)
	faulted(t, err, 403, "")
}

func TestDecisionsAreReadPageByPage(t *testing.T) {
	s := newShop(t, hero)
	for range 5 {
		s.variant("", "de")
	}
	seen := map[string]bool{}
	q := flow.DecisionSearch{Action: decide.ActionVariant, Limit: 2}
	for {
		a, err := s.SearchDecisions(ctx, q, dpo)
		ok(t, err)
		for _, d := range a.Decisions {
			seen[d.Record.ID] = true
		}
		if q.Cursor = a.Cursor; q.Cursor == "" {
			break
		}
	}
	want(t, len(seen), 5)
	for _, made := range []string{"x", "1.", ".", "1.0000000000000000", strings.Repeat("z", 10_000)} {
		q.Cursor = made
		_, err := s.SearchDecisions(ctx, q, dpo)
		faulted(t, err, 422, "cursor")
	}
	for _, limit := range []int{-1, 501} {
		_, err := s.SearchDecisions(ctx, flow.DecisionSearch{Limit: limit}, dpo)
		faulted(t, err, 422, "limit")
	}
}

func TestTheAlarmKnowsTheWeightsOfEachDecision(t *testing.T) {
	s := newShop(t, hero)
	publish := func(run string, plain, a int64) {
		ok(t, s.host.Publish(ctx, flow.Publication{AsOf: s.now, Run: run, Weights: decide.Weights{Version: run, Slots: map[string]map[string]map[string]int64{
			"hero": {"": {"plain": plain, "a": a}},
		}}}, nil))
	}
	for i, w := range [][2]int64{{900_000, 100_000}, {100_000, 900_000}} {
		publish(fmt.Sprint("run", i), w[0], w[1])
		for range 150 {
			s.variant("", "de")
		}
	}
	a, err := s.Stats(ctx, flow.StatsCall{}, ops)
	ok(t, err)
	want(t, a.Ratios[0].N, 300)
	want(t, a.Ratios[0].Alarm, false)
	want(t, a.Ratios[0].Degree, 1)
}
