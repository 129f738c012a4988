//go:build awslocal

package aws_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/host/aws"
	"github.com/handschlag/handschlag/host/aws/awslocal"
	"github.com/handschlag/handschlag/host/hosttest"
	"github.com/handschlag/handschlag/price"
	"github.com/handschlag/handschlag/profile"
)

// use is something that a host does, with the resource and the right that it needs.
type use struct {
	name, resource, right string
	do                    func(h *aws.Host) error
}

func uses(t *testing.T) []use {
	id, err := consent.NewID(consent.Device, "device-of-nobody")
	ok(t, err)
	s := consent.Subject{1, 2, 3}
	row := event.Row{Subject: s, ReceivedMS: noon.UnixMilli()}
	record := func(consent.State) (consent.Record, error) {
		return consent.Record{RecordID: "r", Event: consent.Act{Time: noon}}, nil
	}
	return []use{
		{"Find", "-ledger", "s3:GetObject", func(h *aws.Host) error { _, err := h.Find(ctx, id); return err }},
		{"State", "-control", "dynamodb:GetItem", func(h *aws.Host) error { _, err := h.State(ctx, s); return err }},
		{"Append", "-ledger", "s3:GetObject", func(h *aws.Host) error { _, err := h.Append(ctx, s, record); return err }},
		{"Profile", "-profile", "dynamodb:GetItem", func(h *aws.Host) error { _, err := h.Profile(ctx, s); return err }},
		{"UpdateProfile", "-profile", "dynamodb:", func(h *aws.Host) error {
			return h.UpdateProfile(ctx, s, nil, func(p profile.Profile) profile.Profile { return p })
		}},
		{"AppendEvents", "-events", "firehose:PutRecord", func(h *aws.Host) error { return h.AppendEvents(ctx, []event.Row{row}) }},
		{"AppendDecision", "-decision", ":Put", func(h *aws.Host) error {
			return h.AppendDecision(ctx, &decide.Record{ID: "d", Time: noon, Action: decide.ActionEscalate})
		}},
		{"Decision", "-decision", "dynamodb:GetItem", func(h *aws.Host) error { _, err := h.Decision(ctx, "d"); return err }},
		{"PutDocument", "-shop", "s3:PutObject", func(h *aws.Host) error { return h.PutDocument(ctx, "d", []byte("x")) }},
		{"AllSwitches", "-control", "dynamodb:GetItem", func(h *aws.Host) error { _, err := h.AllSwitches(ctx); return err }},
		{"Contact", "-desk", "dynamodb:", func(h *aws.Host) error { _, err := h.Contact(ctx, "c"); return err }},
		{"PriceHistory", "-price", "dynamodb:", func(h *aws.Host) error { _, err := h.PriceHistory(ctx, "p", "de", "web", "EUR"); return err }},
		{"PutPrices", "-price", "dynamodb:", func(h *aws.Host) error {
			return h.PutPrices(ctx, []price.Interval{{Product: "p", Storefront: "de", Channel: "web", Currency: "EUR", From: noon, GrossCents: 1}})
		}},
	}
}

// TestARefusalIsOneLineAndNoStorm: whoever is denied, or finds the resource absent,
// the credentials expired or the clock off, asks once and says what is missing.
func TestARefusalIsOneLineAndNoStorm(t *testing.T) {
	g := awslocal.Start(t)
	o := g.Fresh(t)
	o.Clock, o.Account = func() time.Time { return noon }, g.Account("refused")
	h, err := aws.Open(ctx, o)
	ok(t, err)
	defer h.Close()
	words := map[string]string{"denied": "lacks this right", "absent": "does not exist", "expired": "sign in again", "skewed": "clock is off"}
	for kind, want := range words {
		for _, u := range uses(t) {
			g.Refuse("refused", kind)
			g.Forget("refused")
			err := u.do(h)
			seen := g.Seen("refused")
			g.Refuse("refused", "")
			switch {
			case err == nil:
				t.Errorf("%s, %s: acknowledged", u.name, kind)
			case strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), o.Prefix+u.resource) && !strings.Contains(err.Error(), o.Buckets+u.resource) ||
				!strings.Contains(err.Error(), u.right) || !strings.Contains(err.Error(), want):
				t.Errorf("%s, %s: want one line with %s, %s and %q: %v", u.name, kind, u.resource, u.right, want, err)
			}
			if seen.Most != 1 || seen.Requests > 3 {
				t.Errorf("%s, %s: %d requests, %d of one call", u.name, kind, seen.Requests, seen.Most)
			}
		}
	}
}

// TestARecordThatIsRefusedNamesTheBook, once it is known that the book is no old copy.
func TestARecordThatIsRefusedNamesTheBook(t *testing.T) {
	g := awslocal.Start(t)
	o := g.Fresh(t)
	o.Clock, o.Account = func() time.Time { return noon }, g.Account("refused")
	h := opened(t, o)
	s := someone(t, h, consent.Device, "the-one-device-of-ada")
	say(t, h, s, recordThat("first", noon, consent.Device, true, consent.Analytics))
	g.Refuse("refused", "denied")
	g.Forget("refused")
	_, err := h.Append(ctx, s, func(consent.State) (consent.Record, error) {
		return recordThat("second", noon, consent.Device, false, consent.Analytics), nil
	})
	seen := g.Seen("refused")
	g.Refuse("refused", "")
	if err == nil || !strings.Contains(err.Error(), o.Prefix+"-book") || !strings.Contains(err.Error(), "lacks this right") || seen.Requests != 1 {
		t.Errorf("%d requests: %v", seen.Requests, err)
	}
}

// TestAHostDoesNotOpenWhereItMayNot says so in one line, without a storm.
func TestAHostDoesNotOpenWhereItMayNot(t *testing.T) {
	g := awslocal.Start(t)
	o := g.Fresh(t)
	o.Account = g.Account("closed")
	for _, kind := range []string{"denied", "absent", "expired", "skewed"} {
		g.Refuse("closed", kind)
		g.Forget("closed")
		h, err := aws.Open(ctx, o)
		if err == nil {
			_ = h.Close()
			t.Errorf("%s: it opened", kind)
			continue
		}
		seen := g.Seen("closed")
		if strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), o.Prefix) || seen.Most != 1 || seen.Requests > 4 {
			t.Errorf("%s: %d requests, %d of one call: %v", kind, seen.Requests, seen.Most, err)
		}
	}
}

// TestAStateThatCannotBeReadAdmitsNothing lets a function do anything but read
// consent states.
func TestAStateThatCannotBeReadAdmitsNothing(t *testing.T) {
	g := awslocal.Start(t)
	o := g.Fresh(t)
	o.Clock = func() time.Time { return noon }
	clean := openWarm(t, o, nil)
	clean.stock(t)
	const device = "device-of-somebody"
	_, err := clean.Consent(ctx, says(device, true, hosttest.Watched...), browser)
	ok(t, err)
	o.Account = g.Account("blind")
	shop := openWarm(t, o, nil)
	_, err = shop.Escalate(ctx, flow.EscalateCall{AnonymousID: device, Page: flow.PageRef{ProductID: "B12"}}, browser)
	ok(t, err)
	var all []string
	for _, table := range aws.Tables {
		if table.Name != "book" {
			all = append(all, fmt.Sprintf("arn:aws:dynamodb:%s:%s:table/%s-%s*", awslocal.Region, awslocal.AccountID, o.Prefix, table.Name))
		}
	}
	g.Allow("blind", []awslocal.Statement{
		{Actions: []string{"dynamodb:*"}, Resources: all}, {Actions: []string{"s3:*", "firehose:*", "kms:*"}, Resources: []string{"*"}},
	})
	env, err := views(device, noon, "m1")
	ok(t, err)
	for name, call := range map[string]func() (string, error){
		"ingest": func() (string, error) { a, err := shop.Ingest(ctx, env, browser); return fmt.Sprint(a.Admitted), err },
		"escalate": func() (string, error) {
			a, err := shop.Escalate(ctx, flow.EscalateCall{AnonymousID: device, Page: flow.PageRef{ProductID: "B12"}}, browser)
			return a.Token + a.DecisionID, err
		},
		"variant": func() (string, error) {
			a, err := shop.Variant(ctx, flow.VariantCall{AnonymousID: device, Slot: "home_hero"}, browser)
			return a.Variant, err
		},
		"state": func() (string, error) {
			a, err := shop.ConsentState(ctx, flow.StateCall{AnonymousID: device}, browser)
			return fmt.Sprint(len(a.Purposes)), err
		},
	} {
		answer, err := call()
		var f *flow.Fault
		if !errors.As(err, &f) || f.Status != 503 || strings.Trim(answer, "0") != "" {
			t.Errorf("%s: answered %q, %v", name, answer, err)
		}
	}
	g.Flush()
	rows, err := clean.host.ReadEvents(ctx)
	ok(t, err)
	if len(rows) > 0 {
		t.Errorf("%d events were kept", len(rows))
	}
}
