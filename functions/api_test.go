//go:build awslocal

package functions_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/handschlag/handschlag/policy"
)

// A visitor's way through the shop, every step answered by the bootstrap that ships.
func TestTheAPIThroughItsBootstraps(t *testing.T) {
	s, k := newShop(t), newSigner(t)
	s.install(k, policy.Revision()+1)
	s.open(k.env())
	if n := strings.Count(s.said.String(), "policy taken up"); n != len(s.functions) {
		t.Errorf("%d of %d functions took up the installed policy: %s", n, len(s.functions), s.said)
	}
	device, server, write := s.device(1), basic(serverKey), basic(writeKey)

	// The shop tells what it sells, and for how much.
	s.want(200, "PUT", "/v1/products", server, `[{"product_id":"B12","category":"tea","product_class":"premium","price_cents":10000,"stock":5,"locales":["de"],"tags":[]}]`)
	s.want(200, "PUT", "/v1/prices", server, `[{"product_id":"B12","storefront":"de","channel":"web","currency":"EUR","from":"2026-01-01T00:00:00Z","gross_cents":10000,"announced":false}]`)

	// Before a yes nothing is kept; after it, events are.
	if a := s.want(200, "POST", "/v1/batch", write, views(device, "m0")); a.json["refused"] != 1.0 {
		t.Errorf("before consent: %s", a.body)
	}
	receipt := s.want(201, "POST", "/v1/consent", write, consents(device, true, "analytics", "adviser_assist", "personalisation_content"))
	if a := s.want(200, "POST", "/v1/batch", write, views(device, "m1", "m2")); a.json["admitted"] != 2.0 {
		t.Errorf("after consent: %s", a.body)
	}
	if a := s.want(200, "POST", "/v1/t", write, `{"event":"Product Viewed","messageId":"m2","anonymousId":"`+device+`","context":{"consent":{"categoryPreferences":{"analytics":true}}}}`); a.json["duplicate"] != 1.0 {
		t.Errorf("a message that came again: %s", a.body)
	}
	s.want(200, "POST", "/v1/consent/state", write, map[string]any{"anonymousId": device})

	// The ledger grows when the schedule says so, and then proves the consent.
	proof := "/v1/consent/" + receipt.text("record_id") + "/proof"
	s.want(202, "GET", proof, write, nil)
	s.grow()
	s.want(200, "GET", proof, write, nil)

	// An adviser is there; the visitor asks for a human and gets one.
	adviser := s.staff("eve", "adviser")
	s.want(200, "PUT", "/v1/advisers/me", adviser, `{"available":true,"channels":["chat","video"],"capacity":2}`)
	s.want(200, "POST", "/v1/escalate", write, map[string]any{"anonymousId": device, "page": map[string]string{"product_id": "B12"}})
	offer := s.want(200, "POST", "/v1/escalate", write, map[string]any{"anonymousId": device, "asked": true, "page": map[string]string{"product_id": "B12"}})
	if offer.text("offer") != "human" || offer.text("token") == "" {
		t.Fatalf("asked for a human: %s", offer.body)
	}
	click := map[string]string{"token": offer.text("token"), "channel": "chat", "question": "canary-question"}
	contact := s.want(201, "POST", "/v1/handover", write, click).text("contact_id")
	if again := s.want(201, "POST", "/v1/handover", write, click).text("contact_id"); again != contact {
		t.Errorf("a second click gives contact %s, the first %s", again, contact)
	}
	if a := s.want(200, "GET", "/v1/queue", adviser, nil); !strings.Contains(a.body, contact) {
		t.Errorf("the queue lacks the contact: %s", a.body)
	}
	s.want(200, "POST", "/v1/queue/"+contact+"/accept", adviser, nil)
	if a := s.want(200, "GET", "/v1/cards/"+contact, adviser, nil); !strings.Contains(a.body, "B12") {
		t.Errorf("the card does not know the product: %s", a.body)
	}
	s.want(200, "POST", "/v1/cards/"+contact+"/call", adviser, `{"number":"+49301234567","topic":"tea"}`)
	s.want(200, "POST", "/v1/cards/"+contact+"/outcome", adviser, `{"outcome":"helped"}`)

	// Content and prices.
	choice := s.want(200, "POST", "/v1/variant", write, map[string]string{"anonymousId": device, "slot": "home_hero", "locale": "de"})
	quote := `{"product_id":"B12","storefront":"de","channel":"web","currency":"EUR","customer":"consumer","list_cents":10000,"offer_cents":9000,"vat_bp":1900,"basis":"static"}`
	price := s.want(200, "POST", "/v1/price", server, quote)
	s.want(200, "POST", "/v1/price", server, `{"quotes":[`+quote+`,`+quote+`]}`)
	s.want(403, "POST", "/v1/price", write, quote)

	// Every decision can be explained, by id and by person.
	dpo := s.staff("dora", "dpo")
	for _, id := range []string{offer.text("decision_id"), choice.text("decision_id"), price.text("decision_id")} {
		s.want(200, "GET", "/v1/decisions/"+id, dpo, nil)
	}
	var found struct {
		Decisions []json.RawMessage `json:"decisions"`
	}
	a := s.want(200, "POST", "/v1/decisions/search", dpo, map[string]string{"anonymousId": device})
	if err := json.Unmarshal([]byte(a.body), &found); err != nil || len(found.Decisions) < 3 {
		t.Errorf("want the visitor's decisions, got %s", a.body)
	}
	s.want(200, "POST", "/v1/decisions/search", dpo, `{"rule":"ESC-01"}`)
	s.want(200, "GET", "/v1/stats?from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z", dpo, nil)
	s.want(200, "GET", "/v1/exports", s.staff("max", "marketing"), nil)
	s.want(403, "GET", "/v1/exports", dpo, nil)

	// A switch binds the next decision.
	s.want(200, "PUT", "/v1/switches/ingest", dpo, `{"on":false,"reason":"test"}`)
	if a := s.want(200, "POST", "/v1/batch", write, views(device, "m3")); a.json["refused"] != 1.0 || !strings.Contains(a.body, "SWITCH") {
		t.Errorf("with ingest switched off: %s", a.body)
	}
	s.want(200, "PUT", "/v1/switches/ingest", dpo, `{"on":true,"reason":"test"}`)

	// An account: its consent, the link, an order, and what it may ask for.
	user := map[string]any{"identity": s.account("canary-user")}
	own := consents("", true, "analytics", "personalisation_content")
	own["identity"] = user["identity"]
	delete(own, "anonymousId")
	s.want(201, "POST", "/v1/consent", "", own)
	identify := `{"type":"identify","messageId":"i1","anonymousId":"` + device + `","userId":"canary-user","context":{"consent":{"categoryPreferences":{"analytics":true}}}}`
	if a := s.want(200, "POST", "/v1/batch", server, `{"batch":[`+identify+`]}`); a.json["admitted"] != 1.0 {
		t.Errorf("linking device and account: %s", a.body)
	}
	order := `{"event":"Order Completed","messageId":"o1","userId":"canary-buyer","properties":{"order_id":"4711","currency":"EUR","total":100,"products":[{"product_id":"B12","quantity":1,"price":100}]}}`
	if a := s.want(200, "POST", "/v1/track", server, order); a.json["admitted"] != 1.0 {
		t.Errorf("an order: %s", a.body)
	}
	asked := s.want(201, "POST", "/v1/rights", server, map[string]string{"anonymousId": device, "request": "objection", "scope": "profiling"})
	s.want(201, "POST", "/v1/rights", server, map[string]string{"anonymousId": device, "request": "restriction"})
	if id := asked.text("request_id"); id != "" {
		s.want(200, "GET", "/v1/rights/"+id, server, nil)
	}

	// A no binds the next event, and an erasure takes what there was.
	s.want(201, "POST", "/v1/consent", write, consents(device, false, "analytics", "adviser_assist", "personalisation_content"))
	if a := s.want(200, "POST", "/v1/batch", write, views(device, "m4")); a.json["refused"] != 1.0 {
		t.Errorf("after the withdrawal: %s", a.body)
	}
	s.want(503, "POST", "/v1/rights", server, map[string]string{"anonymousId": device, "request": "erasure"}) // the last record is not in the ledger yet
	s.grow()
	s.want(201, "POST", "/v1/rights", server, map[string]string{"anonymousId": device, "request": "erasure"})
	s.grow()
	if a := s.want(200, "POST", "/v1/decisions/search", dpo, map[string]string{"anonymousId": device}); strings.Contains(a.body, "decision_id") {
		t.Errorf("after the erasure somebody is found: %s", a.body)
	}

	// Operations, and whoever calls wrongly.
	for _, path := range []string{"/healthz", "/readyz", "/openapi.json", "/.well-known/gpc.json"} {
		s.want(200, "GET", path, "", nil)
	}
	s.want(200, "GET", "/metrics", s.staff("olga", "ops"), nil)
	s.want(401, "POST", "/v1/batch", "", views(device, "m5"))
	s.want(401, "POST", "/v1/batch", basic("another key"), views(device, "m5"))
	s.want(400, "POST", "/v1/batch", write, `{"batch":`)
	s.want(404, "GET", "/v1/nothing", write, nil)
	if t.Failed() {
		t.Log(s.said)
	}
	s.compareActions()
	s.searchAccount(device, "canary-user", "canary-buyer", "canary-browser", "canary-cookie", address, writeKey, serverKey, identitySecret)
}
