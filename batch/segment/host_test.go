package segment_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/handschlag/handschlag/batch/segment"
	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/host/local"
	"github.com/handschlag/handschlag/policy"
)

var noon = time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)

// TestANightOverARealHost reads what host/local writes: its Parquet, its cases,
// its standings. What the host publishes back, the day can read.
func TestANightOverARealHost(t *testing.T) {
	ctx, now := context.Background(), noon
	dir := t.TempDir()
	h, err := local.Open(ctx, filepath.Join(dir, "data"), local.Options{Clock: func() time.Time { return now }, Tenant: "test"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = h.Close() }()
	cfg := config.Default()
	cfg.Segments = []config.Segment{{Name: "lookers", Where: "product_views_28d = 2 and viewed_price_cents_90d = 1500", Purposes: []consent.Purpose{consent.PersonalisationContent, consent.MarketingEmail}}}
	rules, err := policy.Load(ctx, policy.Settings{ConfigDigest: cfg.Digest(), K: cfg.Exports.K})
	if err != nil {
		t.Fatal(err)
	}
	var people []consent.Subject
	for n := range 40 {
		people = append(people, shopper(t, ctx, h, rules, n, now))
	}
	now = noon.AddDate(0, 0, 1)
	withdraw(t, ctx, h, people[7], now)

	asOf := time.Date(2026, 11, 3, 0, 0, 0, 0, time.UTC)
	in := segment.Inputs{
		Snapshot: filepath.Join(dir, "snapshot"), State: filepath.Join(dir, "night"), Out: filepath.Join(dir, "data", "exports"), AsOf: asOf,
		Config: cfg, Rules: rules, Threads: 2, MemoryMB: 512,
		Fresh: func(ctx context.Context, dir string) (bool, error) { return false, h.Standings(ctx, dir) },
	}
	if err := h.Snapshot(ctx, asOf, in.Snapshot); err != nil {
		t.Fatal(err)
	}
	res, err := segment.Run(ctx, in)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Publish(ctx, res.Publication, res.Members); err != nil {
		t.Fatal(err)
	}
	for n, who := range people {
		m, err := h.Membership(ctx, who)
		if err != nil {
			t.Fatal(err)
		}
		if got := slices.Equal(m.Segments, []string{"lookers"}); got != (n != 7) {
			t.Errorf("subject %d is in %v", n, m.Segments)
		}
	}
}

// TestFeaturesOutliveTheEventsTheyWereMadeOf: the first night sees 40 days at once;
// the host lets go of all but the last 30, and the next night still counts the rest.
func TestFeaturesOutliveTheEventsTheyWereMadeOf(t *testing.T) {
	ctx, now := context.Background(), noon
	dir := t.TempDir()
	h, err := local.Open(ctx, filepath.Join(dir, "data"), local.Options{
		Clock: func() time.Time { return now }, Tenant: "test", Retain: local.Retain{EventDays: 30},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = h.Close() }()
	cfg := config.Default()
	cfg.Segments = []config.Segment{{Name: "lookers", Where: "viewed_price_cents_90d = 1500", Purposes: []consent.Purpose{consent.PersonalisationContent, consent.MarketingEmail}}}
	rules, err := policy.Load(ctx, policy.Settings{ConfigDigest: cfg.Digest(), K: cfg.Exports.K})
	if err != nil {
		t.Fatal(err)
	}
	for n := range 30 {
		shopper(t, ctx, h, rules, n, now)
	}
	first := noon.Truncate(24*time.Hour).AddDate(0, 0, 40)
	for i, days := range []int{1, 0, 0} {
		asOf := first.AddDate(0, 0, i)
		now = asOf.Add(2 * time.Hour)
		in := segment.Inputs{
			Snapshot: filepath.Join(dir, "snapshot"), State: filepath.Join(dir, "night"), Out: filepath.Join(dir, "data", "exports"), AsOf: asOf,
			Config: cfg, Rules: rules, Threads: 2, MemoryMB: 512,
		}
		if err := h.Snapshot(ctx, asOf, in.Snapshot); err != nil {
			t.Fatal(err)
		}
		files, err := filepath.Glob(filepath.Join(dir, "data", "events", "dt=*", "*.parquet"))
		if err != nil || len(files) != days {
			t.Errorf("night %d: events of %d days, want %d, %v", i, len(files), days, err)
		}
		res, err := segment.Run(ctx, in)
		if err != nil {
			t.Fatal(err)
		}
		if res.Members.Len() != 30 {
			t.Errorf("night %d: %d members, want 30", i, res.Members.Len())
		}
		if err := h.Publish(ctx, res.Publication, res.Members); err != nil {
			t.Fatal(err)
		}
	}
}

// shopper consents and looks at two products.
func shopper(t *testing.T, ctx context.Context, h *local.Host, rules *policy.Rules, n int, now time.Time) consent.Subject {
	t.Helper()
	id, err := consent.NewID(consent.Device, fmt.Sprintf("device-%016d", n))
	if err != nil {
		t.Fatal(err)
	}
	who, err := h.Assign(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	decide(t, ctx, h, who, consent.Given, now.Add(-time.Hour))
	for i, price := range []int64{1000, 2000} {
		v, err := rules.Event(ctx, policy.EventCase{
			Kind: event.ProductViewed, Purpose: consent.PersonalisationContent, State: policy.StateGiven, Stamp: policy.StampYes,
			Tag: policy.TagNone, Age: "unknown",
		})
		if err != nil || !v.Allowed {
			t.Fatalf("the gate says %+v, %v", v, err)
		}
		if err := h.PutCases(ctx, rules.NewCases()); err != nil {
			t.Fatal(err)
		}
		at := now.Add(time.Duration(i) * time.Minute).UnixMilli()
		row := event.Row{
			Bucket: int32(who.Bucket()), Subject: who, MessageKey: [16]byte{byte(n), byte(i)}, Kind: int32(event.ProductViewed),
			OccurredMS: at, ReceivedMS: now.UnixMilli(), Purposes: int64(consent.SetOf(consent.PersonalisationContent)),
			Cases: []int64{int64(v.ID)}, Keeps: []int64{int64(v.Keep)}, Policy: "test",
			Fields: event.Fields{Product: fmt.Sprint("p", i), PriceCents: price, Items: []event.Item{{Product: "x", Quantity: 1, PriceCents: 5}}}.Keep(v.Keep),
		}
		if err := h.AppendEvents(ctx, []event.Row{row}); err != nil {
			t.Fatal(err)
		}
	}
	return who
}

func withdraw(t *testing.T, ctx context.Context, h *local.Host, who consent.Subject, at time.Time) {
	t.Helper()
	decide(t, ctx, h, who, consent.Withdrawn, at)
}

func decide(t *testing.T, ctx context.Context, h *local.Host, who consent.Subject, status consent.Status, at time.Time) {
	t.Helper()
	_, err := h.Append(ctx, who, func(consent.State) (consent.Record, error) {
		return consent.Record{
			Schema: consent.RecordSchema, RecordID: fmt.Sprintf("%s-%d", who, at.UnixNano()), Scope: consent.Device,
			Purposes: []consent.Choice{{Purpose: consent.PersonalisationContent, Status: status, Basis: "6-1-a"}},
			Event:    consent.Act{Time: at, Type: "expressed", Method: "save", Actor: "subject"},
			Validity: consent.Validity{From: at, Until: at.AddDate(1, 0, 0)},
		}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
