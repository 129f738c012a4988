package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/price"
)

// onePrice is a data folder with one price decision, and the record of it.
func onePrice(t *testing.T) (place, decide.Record) {
	t.Helper()
	ctx, p := context.Background(), place{Data: t.TempDir()}
	sh, err := openShop(ctx, p, slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		t.Fatal(err)
	}
	defer sh.Close()
	a, err := sh.flow.Price(ctx, []price.Quote{{
		Product: "B12", Storefront: "de", Channel: "web", Currency: "EUR", Customer: "consumer", ListCents: 10000, OfferCents: 8000, VATBP: 1900,
		Basis: "static", Announcement: price.Announcement{Kind: "none"},
	}}, flow.Caller{Server: true})
	if err != nil {
		t.Fatal(err)
	}
	r, err := sh.host.Decision(ctx, a[0].DecisionID)
	if err != nil {
		t.Fatal(err)
	}
	return p, r
}

// forge writes a record as if the shop had decided it.
func forge(t *testing.T, p place, r decide.Record) {
	t.Helper()
	sh, err := openShop(context.Background(), p, slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		t.Fatal(err)
	}
	defer sh.Close()
	if err := sh.host.AppendDecision(context.Background(), &r); err != nil {
		t.Fatal(err)
	}
}

func TestAReplayThatIsNotEqualFails(t *testing.T) {
	for name, x := range map[string]struct {
		change func(*decide.Record)
		want   string // of the error; "" is none
		said   string
	}{
		"as decided":            {func(*decide.Record) {}, "", "2 (100.00 %) of 2 replayable decisions"},
		"another verdict":       {func(r *decide.Record) { r.Result = []byte(strings.Replace(string(r.Result), "true", "false", 1)) }, "1 of 2 replayable decisions did not come out as recorded", "e.g. unequal price forged"},
		"another rule":          {func(r *decide.Record) { r.Rules = []string{"PRI-99"} }, "1 of 2 replayable decisions did not come out as recorded", `rules: ["PRI-99"] -> []`},
		"rules give no verdict": {func(r *decide.Record) { r.Input = []byte(`[]`) }, "1 of 2 replayable decisions did not come out as recorded", `"CON-11"`},
		"a policy that is gone": {func(r *decide.Record) { r.Digests.Policy = strings.Repeat("0", 64) }, "", "not replayable, price: its policy 0000000000000000 cannot be loaded"},
	} {
		t.Run(name, func(t *testing.T) {
			p, r := onePrice(t)
			r.ID = "forged"
			x.change(&r)
			forge(t, p, r)
			var out bytes.Buffer
			err := auditReplayCmd{place: p, Since: "2d", LimitExamples: 3}.Run(context.Background(), streams{out: &out, err: io.Discard})
			if (err == nil) != (x.want == "") || err != nil && err.Error() != x.want {
				t.Errorf("error %v, want %q", err, x.want)
			}
			if !strings.Contains(out.String(), x.said) {
				t.Errorf("want %q in\n%s", x.said, &out)
			}
		})
	}
}

func TestWhoLosesAndWhoGains(t *testing.T) {
	yes, no := `{"price_allowed":true,"claim_allowed":%,"rules":[]}`, `{"price_allowed":false,"claim_allowed":%,"rules":[]}`
	claim := func(s, b string) json.RawMessage { return json.RawMessage(strings.Replace(s, "%", b, 1)) }
	for _, x := range []struct {
		action   string
		was, is  json.RawMessage
		want     string
		wasInput json.RawMessage
		isInput  json.RawMessage
	}{
		{action: decide.ActionPrice, was: claim(yes, "true"), is: claim(no, "true"), want: "newly_denied"},
		{action: decide.ActionPrice, was: claim(no, "true"), is: claim(yes, "false"), want: "newly_denied"},
		{action: decide.ActionPrice, was: claim(no, "true"), is: claim(yes, "true"), want: "newly_allowed"},
		{action: decide.ActionEscalate, was: []byte(`{"offer":"none"}`), is: []byte(`{"offer":"hint"}`), want: "newly_allowed"},
		{action: decide.ActionEscalate, was: []byte(`{"offer":"human"}`), is: []byte(`{"offer":"hint"}`), want: "changed"},
		{action: decide.ActionEscalate, was: []byte(`{"offer":"human"}`), is: []byte(`{}`), want: "newly_denied"},
		{action: decide.ActionVariant, was: []byte(`{"eligible":["a"]}`), is: []byte(`{"eligible":[]}`), want: "newly_denied"},
		{action: decide.ActionCard, was: []byte(`{"allowed":false}`), is: []byte(`{"allowed":true}`), want: "newly_allowed"},
		{
			action: decide.ActionExport, was: []byte(`{}`), is: []byte(`{}`), want: "newly_denied",
			wasInput: []byte(`{"cases":[{"allowed":true},{"allowed":false}]}`), isInput: []byte(`{"cases":[{"allowed":false},{"allowed":true}]}`),
		},
	} {
		got := kindOfChange(decide.Record{Action: x.action, Result: x.was, Input: x.wasInput}, flow.Replayed{Result: x.is, Input: x.isInput})
		if got != x.want {
			t.Errorf("%s: %s to %s is %s, want %s", x.action, x.was, x.is, got, x.want)
		}
	}
}

func TestDaysOfAReplayAreChecked(t *testing.T) {
	p, _ := onePrice(t)
	for _, since := range []string{"", "d", "0d", "-3d", "yesterday", "2026-13-01", time.Now().AddDate(1, 0, 0).Format(time.DateOnly)} {
		if err := (auditReplayCmd{place: p, Since: since}).Run(context.Background(), streams{out: io.Discard, err: io.Discard}); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("--since %q: %v", since, err)
		}
	}
}
