//go:build sam

package sam_test

import (
	"fmt"
	"testing"
	"time"
)

const visitor = "a-visitor-of-sam-0123456789"

func consents(yes bool) object {
	return object{"anonymousId": visitor, "method": "save", "purposes": object{"analytics": yes, "personalisation_content": yes},
		"purposes_shown": []string{"analytics", "personalisation_content"}, "notice": object{"version": "1", "language": "en"}, "ui": object{"version": "banner-1"}}
}

// viewed is a batch of one view with an id of its own.
func viewed(id string) object {
	return object{"batch": []object{{"type": "track", "event": "Product Viewed", "messageId": id, "anonymousId": visitor,
		"timestamp": time.Now().UTC().Format(time.RFC3339Nano), "properties": object{"product_id": "B12"},
		"context": object{"consent": object{"categoryPreferences": object{"Analytics": true, "Personalization": true}}}}}}
}

type ingested struct{ Admitted, Refused, Invalid, Duplicate int }

// TestSamEveryFunctionAnswers goes one visitor's way through all seven functions.
func TestSamEveryFunctionAnswers(t *testing.T) {
	s := find(t)
	ingest := func(id string, want ingested) {
		t.Helper()
		var got ingested
		if s.call(t, 200, "POST", "/v1/batch", "write", viewed(id), &got); got != want {
			t.Fatalf("event %s: want %+v, got %+v", id, want, got)
		}
	}
	s.call(t, 200, "GET", "/readyz", "", nil, nil)
	s.call(t, 401, "POST", "/v1/batch", "", viewed("no key"), nil)
	s.call(t, 200, "PUT", "/v1/products", "server", object{"products": []object{
		{"product_id": "B12", "category": "bags", "product_class": "premium", "price_cents": 45900, "stock": 3, "locales": []string{"de", "en"}}}}, nil)

	ingest("before the consent", ingested{Refused: 1})
	var receipt struct {
		ID string `json:"record_id"`
	}
	s.call(t, 201, "POST", "/v1/consent", "write", consents(true), &receipt)
	ingest("after it", ingested{Admitted: 1})
	ingest("after it", ingested{Duplicate: 1})
	s.call(t, 200, "POST", "/v1/variant", "write", object{"anonymousId": visitor, "slot": "home_hero", "locale": "de"}, nil)

	s.proves(t, receipt.ID)
	s.helps(t)
	s.prices(t)

	s.call(t, 201, "POST", "/v1/consent", "write", consents(false), nil)
	ingest("after the withdrawal", ingested{Refused: 1})
	s.sequence(t) // who is erased leaves no leaf that waits for the ledger
	var request struct {
		ID string `json:"request_id"`
	}
	s.call(t, 201, "POST", "/v1/rights", "server", object{"anonymousId": visitor, "request": "erasure"}, &request)
	s.call(t, 200, "GET", "/v1/rights/"+request.ID, "dpo", nil, nil)
}

// proves: a record is proven once the clock has invoked the consent function.
func (s shop) proves(t *testing.T, record string) {
	t.Helper()
	path := "/v1/consent/" + record + "/proof"
	s.call(t, 202, "GET", path, "write", nil, nil)
	s.sequence(t)
	var proof struct{ Status string }
	if s.call(t, 200, "GET", path, "write", nil, &proof); proof.Status != "covered" {
		t.Errorf("the record is %s", proof.Status)
	}
}

// helps: who asks gets a human, and a double click makes one contact.
func (s shop) helps(t *testing.T) {
	t.Helper()
	s.call(t, 401, "GET", "/v1/queue", "", nil, nil)
	s.call(t, 403, "GET", "/v1/queue", "dpo", nil, nil)
	s.call(t, 200, "PUT", "/v1/advisers/me", "adviser", object{"available": true, "channels": []string{"chat", "video"}, "capacity": 3}, nil)
	var offer struct{ Offer, Token string }
	if s.call(t, 200, "POST", "/v1/escalate", "write", object{"anonymousId": visitor, "asked": true}, &offer); offer.Offer != "human" {
		t.Fatalf("who asks for a human gets %q", offer.Offer)
	}
	var first, second struct {
		ID string `json:"contact_id"`
	}
	s.call(t, 201, "POST", "/v1/handover", "write", object{"token": offer.Token, "channel": "chat"}, &first)
	s.call(t, 201, "POST", "/v1/handover", "write", object{"token": offer.Token, "channel": "chat"}, &second)
	if first != second {
		t.Errorf("a double click made two contacts: %v and %v", first, second)
	}
	s.call(t, 200, "POST", "/v1/queue/"+first.ID+"/accept", "adviser", object{}, nil)
	s.call(t, 200, "GET", "/v1/cards/"+first.ID, "adviser", nil, nil)
	s.call(t, 200, "POST", "/v1/cards/"+first.ID+"/outcome", "adviser", object{"outcome": "helped"}, nil)
}

// prices: an honest claim is allowed, one beyond the 30-day low is not.
func (s shop) prices(t *testing.T) {
	t.Helper()
	began := time.Now().UTC().Add(-time.Hour).Truncate(time.Second)
	price := func(from, to time.Time, cents int) object {
		p := object{"product_id": "B12", "storefront": "de", "channel": "web", "currency": "EUR", "from": from, "gross_cents": cents, "announced": cents < 45900}
		if !to.IsZero() {
			p["to"] = to
		}
		return p
	}
	s.call(t, 200, "PUT", "/v1/prices", "server", object{"prices": []object{price(began.AddDate(0, -3, 0), began, 45900), price(began, time.Time{}, 36720)}}, nil)
	for _, claim := range []struct {
		pct, reference int
		allowed        bool
	}{{20, 45900, true}, {35, 56492, false}} {
		var got struct {
			Claim struct{ Allowed bool } `json:"claim"`
			Price struct{ Allowed bool } `json:"price"`
		}
		s.call(t, 200, "POST", "/v1/price", "server", object{"product_id": "B12", "storefront": "de", "channel": "web", "currency": "EUR",
			"customer": "consumer", "list_cents": 45900, "offer_cents": 36720, "vat_bp": 1900, "basis": "static", "inputs": []string{"stock"},
			"reductions": []object{}, "disclosure_shown": false, "consent_record_id": nil,
			"announcement": object{"kind": "percent", "pct": claim.pct, "since": began, "label": "30d_low", "reference_cents": claim.reference}}, &got)
		if got.Claim.Allowed != claim.allowed {
			t.Errorf("a claim of %s: want %t, got %+v", fmt.Sprintf("%d %% of %d", claim.pct, claim.reference), claim.allowed, got)
		}
	}
}
