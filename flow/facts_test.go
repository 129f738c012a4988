package flow_test

import (
	"context"
	"encoding/json"
	"reflect"
	"testing"

	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/host/hosttest"
	"github.com/handschlag/handschlag/policy"
)

// marked is a host whose subjects restricted processing and objected to profiling.
type marked struct{ *hosttest.Memory }

func (h marked) State(ctx context.Context, s consent.Subject) (consent.State, error) {
	st, err := h.Memory.State(ctx, s)
	st.Restricted, st.Objections = true, []string{"profiling"}
	return st, err
}

// A rule on a fact that nobody gathers never speaks. So each boolean that a
// decision may rest on is true in some call of a visitor, a shop or an adviser.
func TestEveryFactOfADecisionIsGathered(t *testing.T) {
	s := newShop(t, needy, hero, segmented("health"), func(c *config.Config) { c.Prices.Personalised, c.Prices.Regulated = true, []string{"cameras"} })
	s.cfg.Offers.Holdout = 1
	s.interested(ada)
	s.grant(ada, consent.PersonalisationContent, consent.Experimentation, consent.Analytics)
	s.loyal(ada)
	s.variant(ada, "de")
	_, err := s.Variant(ctx, flow.VariantCall{UserID: adaAcc, Slot: "hero", Locale: "de"}, backend)
	ok(t, err)
	s.ingest(browser, s.track(ada, "Products Searched", map[string]any{"query": "B12"}))
	s.asks(ada)
	s.escalate(ada, "P1")
	s.escalate(ada, "B12")
	s.ingest(browser, s.track(ada, "Adviser Offer Dismissed", map[string]any{"decision_id": "d"}),
		s.track(ada, "", map[string]any{"page_type": "show"}, with("type", "page"), with("name", "show")))
	s.escalate(ada, "B12")
	id := s.accepted(ada)
	_, err = s.Card(ctx, id, adviser)
	ok(t, err)
	_, err = s.PutProducts(ctx, []event.Product{{ID: "J7", Category: "jackets", Class: "standard", Tags: []string{"health"}}}, backend)
	ok(t, err)
	_, err = s.Card(ctx, id, adviser)
	ok(t, err)
	q := claimed(20)
	q.ConsentID, q.Disclosed = s.grantAccount(adaAcc, consent.PersonalisedPrice).RecordID, true
	s.judged(q)
	q.Product = "P1"
	s.judged(q)

	rights, err := flow.New(ctx, s.cfg, marked{s.host}, nil, s.clock, "test")
	ok(t, err)
	_, err = rights.Escalate(ctx, flow.EscalateCall{AnonymousID: ada}, browser)
	ok(t, err)
	_, err = rights.Variant(ctx, flow.VariantCall{AnonymousID: ada, Slot: "hero"}, browser)
	ok(t, err)

	for action, in := range map[string]any{
		decide.ActionEscalate: policy.EscalateInput{}, decide.ActionVariant: policy.VariantInput{},
		decide.ActionCard: policy.CardInput{}, decide.ActionPrice: policy.PriceInput{},
	} {
		seen := map[string]bool{}
		for _, r := range s.decisions(action) {
			var facts map[string]any
			ok(t, json.Unmarshal(r.Input, &facts))
			for name, v := range facts {
				seen[name] = seen[name] || v == true
			}
		}
		for f := range reflect.TypeOf(in).Fields() {
			if name := f.Tag.Get("json"); f.Type.Kind() == reflect.Bool && !seen[name] {
				t.Errorf("%s: %s is never true", action, name)
			}
		}
	}
}
