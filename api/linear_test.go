package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/host/desk"
	"github.com/handschlag/handschlag/host/hosttest"
	"github.com/handschlag/handschlag/host/local"
)

// TestNothingHappensAfterAnAcknowledgedWithdrawalOnDisk is flow's test through HTTP
// and over the one binary's storage: 150 histories, or HANDSCHLAG_HISTORIES_LOCAL.
func TestNothingHappensAfterAnAcknowledgedWithdrawalOnDisk(t *testing.T) {
	count, err := strconv.Atoi(os.Getenv("HANDSCHLAG_HISTORIES_LOCAL"))
	if err != nil {
		count = 150
	}
	begun := time.Now()
	got := hosttest.Linearise(openLinear(t), hosttest.Histories{Seed: 20261121, Count: count, Workers: 8})
	if len(got.Wrong) > 0 {
		t.Fatalf("%d wrong, first: %s", len(got.Wrong), got.Wrong[0])
	}
	t.Logf("%d histories, %d calls, %d withdrawals acknowledged, %d reads overlapped a change, %d calls refused, %s",
		got.Histories, got.Calls, got.Withdrawals, got.Overlaps, got.Refusals, time.Since(begun).Round(time.Second))
	if got.Histories != count || got.Overlaps == 0 || got.Refusals*100 > got.Calls {
		t.Errorf("these histories show nothing: %+v", got)
	}
}

// httpDoor is the way in that browsers take.
type httpDoor struct {
	h    http.Handler
	host *local.Host
}

func openLinear(t *testing.T) httpDoor {
	t.Helper()
	ctx, clock := context.Background(), func() time.Time { return noon }
	host, err := local.Open(ctx, t.TempDir(), local.Options{Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = host.Close() })
	cfg := config.Default()
	cfg.Offers.Holdout, cfg.Offers.NeedHint, cfg.Offers.NeedHuman, cfg.Offers.MinGap = 0, 0, 0, 0
	queue, err := desk.NewQueue("https://shop.example/talk")
	if err != nil {
		t.Fatal(err)
	}
	f, err := flow.New(ctx, cfg, host, queue, clock, "test")
	if err != nil {
		t.Fatal(err)
	}
	staff, err := StaticStaff("adviser/ada:adviser-token")
	if err != nil {
		t.Fatal(err)
	}
	d := httpDoor{New(f, Options{WriteKey: writeKey, ServerKey: serverKey, Staff: staff, Version: "test", Now: clock}), host}
	d.must(t, "PUT", "/v1/products", "server", []any{map[string]any{
		"product_id": "B12", "category": "cameras", "product_class": "premium", "price_cents": 99900, "stock": 3,
	}})
	d.must(t, "PUT", "/v1/advisers/me", "adviser", map[string]any{"available": true, "channels": []string{"chat"}, "capacity": 100})
	return d
}

func (d httpDoor) must(t *testing.T, method, path, as string, body any) {
	t.Helper()
	if err := d.call(method, path, as, body, nil); err != nil {
		t.Fatal(err)
	}
}

func (d httpDoor) call(method, path, as string, body, into any) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return err
	}
	r := httptest.NewRequest(method, "http://shop.example"+path, bytes.NewReader(raw))
	r.Header.Set("Content-Type", "application/json")
	switch as {
	case "adviser":
		r.Header.Set("Authorization", "Bearer adviser-token")
	case "server":
		r.SetBasicAuth(serverKey, "")
	default:
		r.SetBasicAuth(writeKey, "")
	}
	w := httptest.NewRecorder()
	d.h.ServeHTTP(w, r)
	if w.Code >= 300 {
		return fmt.Errorf("%s %s: %d %s", method, path, w.Code, w.Body)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(w.Body.Bytes(), into)
}

func (d httpDoor) Say(device string, yes bool, p consent.Purpose) error {
	return d.call("POST", "/v1/consent", "write", map[string]any{
		"anonymousId": device, "purposes": map[consent.Purpose]bool{p: yes}, "purposes_shown": []consent.Purpose{p}, "method": "save",
		"notice": map[string]any{"version": "1", "language": "de"}, "ui": map[string]any{"version": "banner-1"},
	}, nil)
}

func (d httpDoor) Ingest(device, id string) (consent.Set, error) {
	prefs := map[consent.Purpose]bool{}
	for _, p := range hosttest.Watched {
		prefs[p] = true
	}
	var a flow.IngestAnswer
	err := d.call("POST", "/v1/batch", "write", map[string]any{"batch": []any{map[string]any{
		"type": "track", "event": "Product Viewed", "messageId": id, "anonymousId": device, "timestamp": noon,
		"properties": map[string]any{"product_id": "B12"}, "context": map[string]any{"consent": map[string]any{"categoryPreferences": prefs}},
	}}}, &a)
	if err != nil {
		return 0, err
	}
	return consent.SetOf(a.Results[0].Purposes...), nil
}

func (d httpDoor) Offer(device string) (bool, error) {
	var a flow.EscalateAnswer
	err := d.call("POST", "/v1/escalate", "write", map[string]any{"anonymousId": device, "page": map[string]any{"product_id": "B12"}}, &a)
	return a.Offer != flow.OfferNone, err
}

func (d httpDoor) Given(device string) (seen consent.Set, err error) {
	var a flow.StateAnswer
	err = d.call("POST", "/v1/consent/state", "write", map[string]any{"anonymousId": device}, &a)
	for p, s := range a.Purposes {
		if s.Status.Valid() {
			seen = seen.With(p)
		}
	}
	return seen, err
}

func (d httpDoor) Kept(device string) (kept consent.Set, err error) {
	id, err := consent.NewID("device", device)
	if err != nil {
		return 0, err
	}
	s, err := d.host.Find(context.Background(), id)
	if err != nil || s.IsZero() {
		return 0, err
	}
	held, err := d.host.Profile(context.Background(), s)
	for p := range held.Sections {
		kept = kept.With(p)
	}
	return kept, err
}
