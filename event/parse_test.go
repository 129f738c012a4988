package event

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// segmentSamples are the messages of testdata/SOURCE.md, one JSON text each.
func segmentSamples(t testing.TB) []string {
	t.Helper()
	file, err := os.ReadFile("testdata/segment_sample_messages.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for line := range strings.Lines(string(file)) {
		var l struct{ Message json.RawMessage }
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatal(err)
		}
		out = append(out, string(l.Message))
	}
	return out
}

// one parses a batch of one item.
func one(t testing.TB, item string) Message {
	t.Helper()
	e, err := ParseBatch([]byte(`{"batch":[` + item + `]}`))
	if err != nil {
		t.Fatal(err)
	}
	return e.Items[0]
}

const who = `"messageId":"m","anonymousId":"0123456789abcdef"`

func TestTheEpochIsATime(t *testing.T) {
	e, err := ParseSingle("page", []byte(`{"anonymousId":"0123456789abcdef","timestamp":"1970-01-01T00:00:00Z"}`))
	if err != nil || e.Items[0].Invalid != nil {
		t.Fatalf("got %+v, %v", e, err)
	}
	if at := e.Items[0].Raw.Occurred(time.Now()); at.Year() > 1970 {
		t.Errorf("it happened %v", at)
	}
}

func TestABadItemIsInvalidAndNamesTheField(t *testing.T) {
	for _, c := range []struct{ name, item, code, field string }{
		{"event of another type", `{"type":"track","event":5,` + who + `}`, CodeWrongType, "event"},
		{"properties of another type", `{"type":"track","event":"Cart Viewed","properties":"x",` + who + `}`, CodeWrongType, "properties"},
		{"messageId of another type", `{"type":"page","messageId":5,"anonymousId":"0123456789abcdef"}`, CodeWrongType, "messageId"},
		{"anonymousId of another type", `{"type":"page","anonymousId":5}`, CodeWrongType, "anonymousId"},
		{"context of another type", `{"type":"page","context":[],` + who + `}`, CodeWrongType, "context"},
		{"consent of another type", `{"type":"page","context":{"consent":{"categoryPreferences":["a"]}},` + who + `}`, CodeWrongType, "categoryPreferences"},
		{"allowed ids of another type", `{"type":"page","context":{"consentManagement":{"allowedConsentIds":"a"}},` + who + `}`, CodeWrongType, "allowedConsentIds"},
		{"products of another type", `{"type":"track","event":"Cart Viewed","properties":{"products":{}},` + who + `}`, CodeWrongType, "products"},
		{"a product of another type", `{"type":"track","event":"Cart Viewed","properties":{"products":[1]},` + who + `}`, CodeWrongType, "products[]"},
		{"quantity in words", `{"type":"track","event":"Product Added","properties":{"quantity":"two"},` + who + `}`, CodeWrongType, "quantity"},
		{"traits of another type", `{"type":"identify","traits":1,` + who + `}`, CodeWrongType, "traits"},
		{"the item of another type", `7`, CodeWrongType, "the item"},
		{"no type", `{` + who + `}`, CodeTypeMissing, "type"},
		{"unknown type", `{"type":"telepathy",` + who + `}`, CodeTypeUnknown, "type"},
		{"track without event", `{"type":"track",` + who + `}`, CodeEventNameMissing, "event"},
		{"track with an empty event", `{"type":"track","event":" ",` + who + `}`, CodeEventNameMissing, "event"},
		{"no id", `{"type":"page","messageId":"m"}`, CodeIDMissing, "anonymousId"},
		{"null ids", `{"type":"page","anonymousId":null,"userId":null,"messageId":"m"}`, CodeIDMissing, "userId"},
		{"a short anonymousId", `{"type":"page","anonymousId":"0123456789abcde"}`, CodeAnonymousID, "anonymousId"},
		{"a long anonymousId", `{"type":"page","anonymousId":"` + strings.Repeat("a", 129) + `"}`, CodeAnonymousID, "anonymousId"},
		{"NUL in the anonymousId", `{"type":"page","anonymousId":"0123456789abcdef\u0000"}`, CodeAnonymousID, "anonymousId"},
		{"bidi in the anonymousId", `{"type":"page","anonymousId":"0123456789abcdef\u202e"}`, CodeAnonymousID, "anonymousId"},
		{"control in the userId", `{"type":"page","userId":"a\u0007"}`, CodeUserID, "userId"},
		{"a long messageId", `{"type":"page","anonymousId":"0123456789abcdef","messageId":"` + strings.Repeat("m", 257) + `"}`, CodeMessageID, "messageId"},
		{"a messageId with NUL", `{"type":"page","anonymousId":"0123456789abcdef","messageId":"a\u0000b"}`, CodeMessageID, "messageId"},
		{"a messageId with a bidi override", `{"type":"page","anonymousId":"0123456789abcdef","messageId":"a\u202eb"}`, CodeMessageID, "messageId"},
		{"an unreadable timestamp", `{"type":"page","timestamp":"yesterday",` + who + `}`, CodeTimestamp, "timestamp"},
		{"an empty timestamp", `{"type":"page","timestamp":"",` + who + `}`, CodeTimestamp, "timestamp"},
		{"a timestamp without an offset", `{"type":"page","timestamp":"2026-11-21T10:00:00",` + who + `}`, CodeTimestamp, "timestamp"},
		{"a day that is none", `{"type":"page","timestamp":"2026-02-30T10:00:00Z",` + who + `}`, CodeTimestamp, "timestamp"},
		{"an unreadable sentAt", `{"type":"page","sentAt":"x",` + who + `}`, CodeTimestamp, "sentAt"},
		{"an unreadable originalTimestamp", `{"type":"page","originalTimestamp":"x",` + who + `}`, CodeTimestamp, "originalTimestamp"},
		{"a Unix number", `{"type":"page","timestamp":1795000000,` + who + `}`, CodeWrongType, "timestamp"},
		{"more than 32 KiB", `{"type":"page",` + who + `,"x":"` + strings.Repeat("x", MaxBytes) + `"}`, CodeTooLarge, "32 KiB"},
	} {
		t.Run(c.name, func(t *testing.T) {
			good := `{"type":"page","messageId":"good","anonymousId":"0123456789abcdef"}`
			e, err := ParseBatch([]byte(`{"batch":[` + good + `,` + c.item + `,` + good + `]}`))
			if err != nil {
				t.Fatal(err)
			}
			bad := e.Items[1].Invalid
			if bad == nil || bad.Code != c.code || !strings.Contains(bad.Detail, c.field) {
				t.Fatalf("want %s naming %s, got %v", c.code, c.field, bad)
			}
			if e.Items[0].Invalid != nil || e.Items[2].Invalid != nil || e.Items[2].MessageID != "good" {
				t.Error("its neighbours were lost")
			}
			if strings.Contains(c.item, `"messageId":"m"`) && e.Items[1].MessageID != "m" {
				t.Error("the answer cannot name the message")
			}
		})
	}
}

// A bad envelope field is no reason to lose the whole batch silently: each item
// says why.
func TestAnUnreadableSentAtOfTheEnvelopeMakesItsItemsInvalid(t *testing.T) {
	e, err := ParseBatch([]byte(`{"batch":[{"type":"page",` + who + `}],"sentAt":"x"}`))
	if err != nil || e.Items[0].Invalid == nil || e.Items[0].Invalid.Code != CodeTimestamp {
		t.Fatalf("got %v, %v", e.Items[0].Invalid, err)
	}
}

func TestEventsThatAreFine(t *testing.T) {
	for name, item := range map[string]string{
		"an unknown event name":              `{"type":"track","event":"Confetti Thrown",` + who + `}`,
		"odd properties of an unknown event": `{"type":"track","event":"Confetti Thrown","properties":{"step":"x","products":5},` + who + `}`,
		"nulls":                              `{"type":"track","event":"Cart Viewed","properties":null,"context":null,"timestamp":null,` + who + `}`,
		"unknown members":                    `{"type":"page","integrations":true,"whatever":[{}],` + who + `}`,
		"an account only":                    `{"type":"identify","userId":"7"}`,
		"an offset without a colon":          `{"type":"page","timestamp":"2026-11-21T10:00:00.123+0100",` + who + `}`,
		"microseconds":                       `{"type":"page","timestamp":"2026-11-21T10:00:00.123456+00:00",` + who + `}`,
		"a price in quotes":                  `{"type":"track","event":"Product Added","properties":{"quantity":"2"},` + who + `}`,
		"exactly 32 KiB":                     `{"type":"page",` + who + `,"x":"` + strings.Repeat("x", MaxBytes-len(`{"type":"page",`+who+`,"x":""}`)) + `"}`,
	} {
		t.Run(name, func(t *testing.T) {
			if m := one(t, item); m.Invalid != nil {
				t.Fatal(m.Invalid)
			}
		})
	}
}

// A message sent again is known again, also if its sender gave it no id.
func TestAMessageWithoutAnIDIsKnownByItsContent(t *testing.T) {
	const item = `{"type":"page","anonymousId":"0123456789abcdef","timestamp":"2026-11-21T10:00:0%dZ"}`
	a, again, b := one(t, fmt.Sprintf(item, 0)), one(t, fmt.Sprintf(item, 0)), one(t, fmt.Sprintf(item, 1))
	if a.MessageID != "" || a.Raw.MessageID() == "" {
		t.Fatalf("want no id in the answer and one to go by, got %q and %q", a.MessageID, a.Raw.MessageID())
	}
	if a.Raw.MessageID() != again.Raw.MessageID() || a.Raw.MessageID() == b.Raw.MessageID() {
		t.Error("the content does not decide")
	}
}

func TestASingleCallIsABatchOfOne(t *testing.T) {
	e, err := ParseSingle("track", []byte(`{"writeKey":"k","identity":"j","type":"page","event":"Cart Viewed",`+
		`"sentAt":"2026-11-21T12:00:00Z","timestamp":"2026-11-21T11:00:00Z",`+who+`}`))
	if err != nil || len(e.Items) != 1 || e.Items[0].Invalid != nil {
		t.Fatalf("%v %v", err, e.Items)
	}
	raw := e.Items[0].Raw
	if e.WriteKey != "k" || e.Identity != "j" || raw.Kind() != CartViewed || raw.Type() != "track" {
		t.Error("the route's type and the body's fields must count")
	}
	if got := raw.Occurred(noon.Add(time.Hour)); !got.Equal(noon) {
		t.Errorf("occurred %v", got)
	}
	if _, err := ParseSingle("track", []byte(`[]`)); err == nil {
		t.Error("want *Malformed")
	}
}

// The shapes of the two npm clients' bodies.
func TestOfficialClientsBodies(t *testing.T) {
	segment := `{"batch":[{"type":"track","event":"Cart Viewed","properties":{},"userId":"u1","messageId":"node-next-1795-x",` +
		`"timestamp":"2026-11-21T11:59:00.000Z","integrations":{},"context":{"library":{"name":"@segment/analytics-node","version":"3.1.0"},` +
		`"consent":{"categoryPreferences":{"Analytics":true}}},"_metadata":{"nodeVersion":"v22","jsRuntime":"node"}}],` +
		`"writeKey":"wk","sentAt":"2026-11-21T11:59:30.000Z"}`
	rudder := `{"batch":[{"anonymousId":"0123456789abcdef","event":"Cart Viewed","type":"track","channel":"server","messageId":"r1",` +
		`"context":{"library":{"name":"analytics-node","version":"3.0"},"consentManagement":{"allowedConsentIds":["Analytics"],` +
		`"deniedConsentIds":["Advertising"],"provider":"custom"},"sessionId":1795000000},"_metadata":{"nodeVersion":"22"},` +
		`"originalTimestamp":"2026-11-21T11:59:00.000Z","sentAt":"2026-11-21T11:59:30.000Z"}],` +
		`"timestamp":"2026-11-21T11:59:30.000Z","sentAt":"2026-11-21T11:59:30.000Z"}`
	for name, body := range map[string]string{"segment": segment, "rudder": rudder} {
		e, err := ParseBatch([]byte(body))
		if err != nil || e.Items[0].Invalid != nil {
			t.Fatalf("%s: %v %v", name, err, e.Items)
		}
		if got := e.Items[0].Raw.Occurred(noon); !got.Equal(noon.Add(-30 * time.Second)) {
			t.Errorf("%s occurred %v", name, got)
		}
		prefs, allowed, denied, present := e.Items[0].Raw.Consent()
		if !present || name == "segment" && prefs["Analytics"] != true ||
			name == "rudder" && (!slices.Equal(allowed, []string{"Analytics"}) || !slices.Equal(denied, []string{"Advertising"})) {
			t.Errorf("%s says %v %v %v %v", name, prefs, allowed, denied, present)
		}
	}
}

func TestConsentOfAMessage(t *testing.T) {
	for _, c := range []struct {
		name, context string
		present       bool
		analytics     any
	}{
		{"none", `{}`, false, nil},
		{"empty object", `{"consent":{}}`, false, nil},
		{"empty preferences", `{"consent":{"categoryPreferences":{}}}`, false, nil},
		{"empty lists", `{"consentManagement":{"allowedConsentIds":[],"deniedConsentIds":[]}}`, false, nil},
		{"yes", `{"consent":{"categoryPreferences":{"Analytics":true}}}`, true, true},
		{"no", `{"consent":{"categoryPreferences":{"Analytics":false}}}`, true, false},
		{"a word is no yes", `{"consent":{"categoryPreferences":{"Analytics":"true"}}}`, true, nil},
		{"a number is no yes", `{"consent":{"categoryPreferences":{"Analytics":1}}}`, true, nil},
		{"another category", `{"consent":{"categoryPreferences":{"Other":true}}}`, true, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := one(t, `{"type":"page",`+who+`,"context":`+c.context+`}`)
			prefs, _, _, present := m.Raw.Consent()
			if m.Invalid != nil || present != c.present || prefs["Analytics"] != c.analytics {
				t.Errorf("got %v %v %v", m.Invalid, present, prefs)
			}
		})
	}
}

// Contexts that repeat are read once; each message still has its own.
func TestEachMessageHasItsOwnContext(t *testing.T) {
	yes, no := `{"consent":{"categoryPreferences":{"A":true}}}`, `{"consent":{"categoryPreferences":{"A":false}}}`
	bad := `{"consent":{"categoryPreferences":{"A":true}},"locale":5}`
	item := func(c string) string { return `{"type":"page",` + who + `,"context":` + c + `}` }
	e, err := ParseBatch([]byte(`{"context":` + no + `,"batch":[` + strings.Join([]string{item(yes), item(yes), item(no), item(bad),
		item(bad), item(yes), item(`null`), `{"type":"page",` + who + `}`}, ",") + `]}`))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []any{true, true, false, "invalid", "invalid", true, false, false} {
		m := e.Items[i]
		if prefs, _, _, _ := m.Raw.Consent(); m.Invalid == nil && prefs["A"] != want || (m.Invalid != nil) != (want == "invalid") {
			t.Errorf("item %d: %v %v, want %v", i, m.Invalid, prefs, want)
		}
	}
}

func TestSignalsOfAMessage(t *testing.T) {
	for context, want := range map[string][2]bool{
		`{}`: {}, `{"gpc":true}`: {true, false}, `{"gpc":"1","dnt":1}`: {true, true}, `{"gpc":false,"dnt":"0"}`: {}, `{"gpc":{"a":1}}`: {},
	} {
		gpc, dnt := one(t, `{"type":"page",`+who+`,"context":`+context+`}`).Raw.Signals()
		if gpc != want[0] || dnt != want[1] {
			t.Errorf("%s: %v %v", context, gpc, dnt)
		}
	}
}

func TestOccurred(t *testing.T) {
	at := func(s string) string { return `"2026-11-21T` + s + `Z"` }
	for _, c := range []struct {
		name, times string
		want        time.Duration // from noon, when it is received
	}{
		{"without times, when received", ``, 0},
		{"without sentAt, as it says", `,"timestamp":` + at("11:00:00"), -time.Hour},
		{"a clock one hour slow", `,"timestamp":` + at("10:58:00") + `,"sentAt":` + at("11:00:00"), -2 * time.Minute},
		{"a clock one hour fast", `,"timestamp":` + at("12:58:00") + `,"sentAt":` + at("13:00:00"), -2 * time.Minute},
		{"queued for three hours", `,"timestamp":` + at("09:00:00") + `,"sentAt":` + at("12:00:00"), -3 * time.Hour},
		{"sent before it happened stays ahead", `,"timestamp":` + at("12:10:00") + `,"sentAt":` + at("12:00:00"), 10 * time.Minute},
		{"ahead without sentAt stays ahead", `,"timestamp":` + at("12:10:00"), 10 * time.Minute},
		{"of two times the earlier counts: timestamp", `,"timestamp":` + at("11:00:00") + `,"originalTimestamp":` + at("11:30:00"), -time.Hour},
		{"of two times the earlier counts: originalTimestamp (BAT-02)", `,"timestamp":` + at("11:30:00") + `,"originalTimestamp":` + at("11:00:00"), -time.Hour},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := one(t, `{"type":"page",`+who+c.times+`}`)
			if m.Invalid != nil {
				t.Fatal(m.Invalid)
			}
			if got := m.Raw.Occurred(noon).Sub(noon); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestAnAliasNamesADevice(t *testing.T) {
	m := one(t, `{"type":"alias","userId":"u","previousId":"0123456789abcdef"}`)
	if m.Raw.PreviousID().Reveal() != "0123456789abcdef" || m.Raw.Kind() != Alias {
		t.Error("previousId is lost")
	}
	if m := one(t, `{"type":"alias","userId":"u","previousId":"short"}`); !m.Raw.PreviousID().IsZero() || m.Invalid != nil {
		t.Error("an account's previousId is no device")
	}
}

// Nothing that prints a Raw prints what is in it.
func TestRawIsWithheld(t *testing.T) {
	e, err := ParseBatch([]byte(`{"writeKey":"secret","batch":[{"type":"track","event":"secret","userId":"secret","messageId":"x","properties":{"product_id":"secret"}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	raw := e.Items[0].Raw
	type holder struct {
		Raw   Raw
		inner Raw
		p     *Raw
	}
	var log bytes.Buffer
	text, logger := slog.New(slog.NewTextHandler(&log, nil)), slog.New(slog.NewJSONHandler(&log, nil))
	for _, v := range []any{raw, &raw, raw.Trusted(), e.Items[0], e, &e, holder{raw, raw, &raw}, []Raw{raw}, map[string]Raw{"a": raw}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%T", "%t"} {
			fmt.Fprintf(&log, verb+"\n", v)
		}
		text.Info("event", "v", v)
		logger.Info("event", "v", v)
		b, err := json.Marshal(v)
		fmt.Fprintf(&log, "%s %v\n", b, err)
	}
	fmt.Fprintf(&log, "%p", raw)
	if strings.Contains(log.String(), "secret") || strings.Contains(log.String(), "736563726574") {
		t.Errorf("something leaks:\n%s", log.String())
	}
	if !strings.Contains(log.String(), withheld) {
		t.Error("nothing says that it is withheld")
	}
}

func TestTheZeroRawIsNothing(t *testing.T) {
	var raw Raw
	if raw.Kind() != Other || raw.MessageID() != "" || !raw.Device().IsZero() || !raw.User().IsZero() || !raw.PreviousID().IsZero() {
		t.Error("it is something")
	}
	if _, _, _, present := raw.Consent(); present || !raw.Occurred(noon).Equal(noon) {
		t.Error("it says something")
	}
}
