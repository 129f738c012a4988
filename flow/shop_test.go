package flow_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/host/desk"
	"github.com/handschlag/handschlag/host/hosttest"
)

var ctx = context.Background()

// noon is a Saturday's noon in Berlin.
var noon = time.Date(2026, 11, 21, 11, 0, 0, 0, time.UTC)

const (
	ada    = "device-ada-0000000001"
	bob    = "device-bob-0000000002"
	adaAcc = "customer-ada"
)

var (
	browser = flow.Caller{}
	backend = flow.Caller{Server: true}
	adviser = flow.Caller{Staff: &flow.Staff{Role: flow.RoleAdviser, Name: "mia"}}
	other   = flow.Caller{Staff: &flow.Staff{Role: flow.RoleAdviser, Name: "ole"}}
	dpo     = flow.Caller{Staff: &flow.Staff{Role: flow.RoleDPO, Name: "dora"}}
	ops     = flow.Caller{Staff: &flow.Staff{Role: flow.RoleOps, Name: "otto"}}
	market  = flow.Caller{Staff: &flow.Staff{Role: flow.RoleMarketing, Name: "max"}}
)

// shop is a flow over the memory host, with a clock that the test moves.
type shop struct {
	*flow.Flow
	t    testing.TB
	host *hosttest.Memory
	cfg  *config.Config

	mu  sync.Mutex
	now time.Time
	n   int // of messages
}

func newShop(t testing.TB, change ...func(*config.Config)) *shop {
	t.Helper()
	return newShopOn(t, hosttest.NewMemory(), change...)
}

func newShopOn(t testing.TB, host *hosttest.Memory, change ...func(*config.Config)) *shop {
	t.Helper()
	s := &shop{t: t, host: host, cfg: config.Default(), now: noon}
	s.cfg.Offers.Holdout = 0
	for _, f := range change {
		f(s.cfg)
	}
	queue, err := desk.NewQueue("https://shop.example/talk")
	ok(t, err)
	s.Flow, err = flow.New(ctx, s.cfg, s.host, queue, s.clock, "test")
	ok(t, err)
	_, err = s.PutProducts(ctx, []event.Product{
		{ID: "B12", Category: "cameras", Class: "premium", PriceCents: 99900, Stock: 3},
		{ID: "S1", Category: "socks", Class: "simple", PriceCents: 990, Stock: 50},
		{ID: "J7", Category: "jackets", Class: "standard", PriceCents: 12900, Stock: 5},
		{ID: "P1", Category: "tests", Class: "simple", PriceCents: 990, Stock: 9, Tags: []string{"pregnancy"}},
		{ID: "OUT", Category: "jackets", Class: "standard", PriceCents: 12900, Stock: 0},
	}, backend)
	ok(t, err)
	return s
}

func (s *shop) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *shop) wait(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(d)
}

// gives is a consent call that says yes to purposes and no to nothing.
func gives(device string, ps ...consent.Purpose) flow.ConsentCall {
	return says(device, true, ps...)
}

func says(device string, yes bool, ps ...consent.Purpose) flow.ConsentCall {
	call := flow.ConsentCall{
		AnonymousID: device, Purposes: map[consent.Purpose]bool{}, PurposesShown: ps, Method: "save",
		Notice: flow.NoticeRef{Version: "1", Language: "de"}, UI: flow.UIRef{Version: "banner-1"},
	}
	for _, p := range ps {
		call.Purposes[p] = yes
	}
	return call
}

// grant gives purposes on a device.
func (s *shop) grant(device string, ps ...consent.Purpose) flow.ConsentAnswer {
	s.t.Helper()
	a, err := s.Consent(ctx, gives(device, ps...), browser)
	ok(s.t, err)
	return a
}

// withdraw takes purposes back on a device.
func (s *shop) withdraw(device string, ps ...consent.Purpose) {
	s.t.Helper()
	_, err := s.Consent(ctx, says(device, false, ps...), browser)
	ok(s.t, err)
}

// grantAccount gives purposes for an account.
func (s *shop) grantAccount(user string, ps ...consent.Purpose) flow.ConsentAnswer {
	s.t.Helper()
	call := gives("", ps...)
	call.UserID = user
	a, err := s.Consent(ctx, call, backend)
	ok(s.t, err)
	return a
}

// message is a Segment track message. Its stamp says yes to every gate purpose
// unless the change says otherwise.
type message map[string]any

func (s *shop) track(device, name string, props map[string]any, change ...func(message)) message {
	s.mu.Lock()
	s.n++
	m := message{
		"type": "track", "event": name, "messageId": fmt.Sprintf("m%d", s.n), "anonymousId": device,
		"timestamp": s.now.Format(time.RFC3339Nano), "properties": props, "context": map[string]any{},
	}
	s.mu.Unlock()
	stamped(true)(m)
	for _, f := range change {
		f(m)
	}
	return m
}

func (s *shop) view(device, product string, change ...func(message)) message {
	return s.track(device, "Product Viewed", map[string]any{"product_id": product}, change...)
}

// stamped sets one answer for every purpose, or for those named.
func stamped(yes any, ps ...consent.Purpose) func(message) {
	if len(ps) == 0 {
		ps = []consent.Purpose{
			consent.Analytics, consent.Experimentation, consent.PersonalisationContent, consent.AdviserAssist,
			consent.AdsThirdParty, consent.ModelTraining,
		}
	}
	return func(m message) {
		c := m["context"].(map[string]any)
		prefs := map[string]any{}
		if old, had := c["consent"].(map[string]any); had {
			prefs = old["categoryPreferences"].(map[string]any)
		}
		for _, p := range ps {
			prefs[string(p)] = yes
		}
		c["consent"] = map[string]any{"categoryPreferences": prefs}
	}
}

func unstamped(m message) { delete(m["context"].(map[string]any), "consent") }

func with(key string, value any) func(message) { return func(m message) { m[key] = value } }

func at(t time.Time) func(message) { return with("timestamp", t.Format(time.RFC3339Nano)) }

func envelope(t testing.TB, ms ...message) event.Envelope {
	t.Helper()
	b, err := json.Marshal(map[string]any{"batch": ms})
	ok(t, err)
	env, err := event.ParseBatch(b)
	ok(t, err)
	return env
}

func (s *shop) ingest(c flow.Caller, ms ...message) flow.IngestAnswer {
	s.t.Helper()
	a, err := s.Ingest(ctx, envelope(s.t, ms...), c)
	ok(s.t, err)
	return a
}

// outcome ingests one message from a browser and says what became of it, as
// "admitted: analytics" or "refused: CON-01 CON-11".
func (s *shop) outcome(m message) string {
	s.t.Helper()
	return shown(s.ingest(browser, m).Results[0])
}

func shown(r flow.Result) string {
	switch r.Outcome {
	case flow.Admitted:
		ps := make([]string, len(r.Purposes))
		for i, p := range r.Purposes {
			ps[i] = string(p)
		}
		return "admitted: " + strings.Join(ps, " ")
	case flow.Refused:
		return "refused: " + strings.Join(r.Rules, " ")
	case flow.Invalid:
		return "invalid: " + r.Code
	}
	return r.Outcome
}

func (s *shop) subject(scope consent.Scope, id string) consent.Subject {
	s.t.Helper()
	x, err := consent.NewID(scope, id)
	ok(s.t, err)
	p, err := s.host.Find(ctx, x)
	ok(s.t, err)
	return p
}

func (s *shop) rows() []event.Row {
	s.t.Helper()
	rows, err := s.host.ReadEvents(ctx)
	ok(s.t, err)
	return rows
}

func (s *shop) decisions(action string) []decide.Record {
	s.t.Helper()
	all, err := s.host.ReadDecisions(ctx)
	ok(s.t, err)
	return slices.DeleteFunc(all, func(r decide.Record) bool { return r.Action != action })
}

func (s *shop) counts(prefix string) map[string]int64 {
	s.t.Helper()
	m, err := s.host.Counts(ctx, noon.Add(-10000*time.Hour), noon.Add(20000*time.Hour), prefix)
	ok(s.t, err)
	return m
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func want[T comparable](t testing.TB, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

// faulted checks that an error is a Fault with a status, and that its detail
// names the field.
func faulted(t testing.TB, err error, status int, field string) *flow.Fault {
	t.Helper()
	var f *flow.Fault
	if !errors.As(err, &f) {
		t.Fatalf("got %v, want a fault %d", err, status)
	}
	if f.Status != status || !strings.HasPrefix(f.Detail, field) {
		t.Fatalf("got %d %q, want %d about %q", f.Status, f.Error(), status, field)
	}
	return f
}
