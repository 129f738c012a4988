package flow_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/flow"
)

// What stood at a moment is what was decided up to it, whatever came after.
func TestAStateAsOfAMomentIsThatOfThen(t *testing.T) {
	s := newShop(t)
	before := s.now
	s.wait(time.Hour)
	s.grant(ada, consent.Analytics)
	given := s.now
	s.wait(time.Hour)
	s.withdraw(ada, consent.Analytics)
	withdrawn := s.now
	s.wait(time.Hour)
	s.grant(ada, consent.Analytics, consent.AdviserAssist)
	for _, x := range []struct {
		at      time.Time
		version uint64
		status  consent.Status
	}{
		{before, 0, ""}, {given.Add(-time.Millisecond), 0, ""}, {given, 1, consent.Given}, {withdrawn.Add(-time.Millisecond), 1, consent.Given},
		{withdrawn, 2, consent.Withdrawn}, {s.now, 3, consent.Given},
	} {
		a, err := s.ConsentState(ctx, flow.StateCall{AnonymousID: ada, AsOf: &x.at}, browser)
		ok(t, err)
		want(t, a.Version, x.version)
		want(t, len(a.History), int(x.version))
		want(t, a.Purposes[consent.Analytics].Status, x.status)
	}
	expired := given.AddDate(1, 0, 1)
	_, err := s.ConsentState(ctx, flow.StateCall{AnonymousID: ada, AsOf: &expired}, browser)
	faulted(t, err, 422, "as_of")
}

func TestConsentGivesAReceipt(t *testing.T) {
	s := newShop(t)
	call := gives(ada, consent.Analytics)
	call.PurposesShown = append(call.PurposesShown, consent.AdviserAssist)
	a, err := s.Consent(ctx, call, browser)
	ok(t, err)
	want(t, a.Version, 1)
	want(t, len(a.Leaf), 64)
	want(t, a.Time, noon)
	want(t, a.Purposes[consent.Analytics].Status, consent.Given)
	want(t, *a.Purposes[consent.Analytics].Until, noon.AddDate(1, 0, 0))
	want(t, a.Purposes[consent.AdviserAssist].Status, consent.Refused) // shown, not chosen
	want(t, len(a.Purposes), 2)
	b, err := json.Marshal(a)
	ok(t, err)
	if bytes.Contains(b, []byte(ada)) {
		t.Error("the answer names the identifier")
	}
}

func TestARecordHasEveryMandatoryField(t *testing.T) {
	s := newShop(t)
	call := gives(ada, consent.Analytics)
	call.PagePath = "/checkout/ada-lovelace/4711?email=ada@example.org"
	call.Signals.GPP = "DBAA"
	a, err := s.Consent(ctx, call, flow.Caller{GPC: []string{"1"}, DNT: "1", UserAgent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"})
	ok(t, err)
	r, err := s.host.Record(ctx, a.RecordID)
	ok(t, err)
	b, err := json.Marshal(r)
	ok(t, err)
	for _, leak := range []string{ada, "ada@example.org", "DBAA", "X11", "Linux"} {
		if bytes.Contains(b, []byte(leak)) {
			t.Errorf("the record holds %q", leak)
		}
	}
	var fields map[string]any
	ok(t, json.Unmarshal(b, &fields))
	for _, f := range []string{
		"schema", "record_id", "version", "subject_ref", "scope", "controller", "purposes", "purposes_shown", "default_state", "notice",
		"ui", "event", "validity", "jurisdiction", "law", "storage", "withdrawal", "rights_url", "authority", "signals", "source",
	} {
		if v := fields[f]; v == nil || v == "" {
			t.Errorf("%s is missing", f)
		}
	}
	want(t, r.Source.UAFamily, "Chrome/142")
	want(t, r.Source.PagePath, "checkout")
	want(t, r.Signals.SecGPC && r.Signals.DNT, true)
	want(t, len(r.Notice.TextSHA256), 64)
}

func TestGivingRefusingAndWithdrawingAreOneCall(t *testing.T) {
	s := newShop(t)
	var got []string
	for _, yes := range []bool{false, true, true, false, false, true} {
		a, err := s.Consent(ctx, says(ada, yes, consent.Analytics), browser)
		ok(t, err)
		got = append(got, string(a.Purposes[consent.Analytics].Status))
		s.wait(time.Minute)
	}
	want(t, strings.Join(got, " "), "refused given renewed withdrawn withdrawn given")
}

func TestPurposesNotNamedStayAsTheyAre(t *testing.T) {
	s := newShop(t)
	s.grant(ada, consent.Analytics, consent.AdviserAssist)
	s.wait(time.Minute)
	s.withdraw(ada, consent.Analytics)
	state, err := s.ConsentState(ctx, flow.StateCall{AnonymousID: ada}, browser)
	ok(t, err)
	want(t, state.Purposes[consent.Analytics].Status, consent.Withdrawn)
	want(t, state.Purposes[consent.AdviserAssist].Status, consent.Given)
	want(t, len(state.History), 2)
	want(t, state.History[1].Purposes[consent.Analytics], consent.Withdrawn)
}

func TestAYesThatDoesNotStandBecomesANo(t *testing.T) {
	for _, x := range []struct {
		name   string
		change func(*flow.ConsentCall)
		caller flow.Caller
		rule   string
	}{
		{"closing the banner is no consent", func(c *flow.ConsentCall) { c.Method = "dismiss" }, browser, "CON-04"},
		{"a script is no consent", func(c *flow.ConsentCall) { c.Method = "script" }, browser, "CON-04"},
		{"what was not shown is not given", func(c *flow.ConsentCall) { c.PurposesShown = []consent.Purpose{consent.Analytics} }, browser, "CON-05"},
		{"a broken TC string gives nothing", func(c *flow.ConsentCall) { c.Signals.TCString = "broken" }, browser, ""},
		{"GPC outweighs accept all", func(*flow.ConsentCall) {}, flow.Caller{GPC: []string{"1"}}, ""},
	} {
		t.Run(x.name, func(t *testing.T) {
			s := newShop(t)
			call := gives(ada, consent.AdsThirdParty)
			x.change(&call)
			a, err := s.Consent(ctx, call, x.caller)
			ok(t, err)
			got := a.Purposes[consent.AdsThirdParty]
			want(t, got.Status, consent.Refused)
			if len(got.Rules) == 0 || x.rule != "" && !strings.Contains(strings.Join(a.Rules, " "), x.rule) {
				t.Errorf("rules are %v and %v, want %s", got.Rules, a.Rules, x.rule)
			}
		})
	}
}

func TestAConsentCallNamesTheFieldThatIsWrong(t *testing.T) {
	for _, x := range []struct {
		field  string
		status int
		change func(*flow.ConsentCall)
	}{
		{"anonymousId", 422, func(c *flow.ConsentCall) { c.AnonymousID = "short" }},
		{"anonymousId", 422, func(c *flow.ConsentCall) { c.AnonymousID = "nul\x00nulnulnulnulnul" }},
		{"anonymousId", 422, func(c *flow.ConsentCall) { c.AnonymousID = "bidi\u202ebidibidibidibidi" }},
		{"anonymousId", 422, func(c *flow.ConsentCall) { c.AnonymousID = "" }},
		{"userId", 403, func(c *flow.ConsentCall) { c.UserID = adaAcc }},
		{"purposes.tracking", 422, func(c *flow.ConsentCall) { c.Purposes["tracking"] = true }},
		{"purposes.essential_service", 422, func(c *flow.ConsentCall) { c.Purposes[consent.EssentialService] = true }},
		{"purposes_shown.everything", 422, func(c *flow.ConsentCall) { c.PurposesShown = append(c.PurposesShown, "everything") }},
		{"purposes:", 422, func(c *flow.ConsentCall) { c.Purposes, c.PurposesShown = nil, nil }},
		{"method", 422, func(c *flow.ConsentCall) { c.Method = "telepathy" }},
		{"notice.version", 422, func(c *flow.ConsentCall) { c.Notice.Version = "99" }},
		{"notice.language", 422, func(c *flow.ConsentCall) { c.Notice.Language = "tlh" }},
		{"ui.version", 422, func(c *flow.ConsentCall) { c.UI.Version = "banner-0" }},
	} {
		t.Run(x.field, func(t *testing.T) {
			s := newShop(t)
			call := gives(ada, consent.Analytics)
			x.change(&call)
			_, err := s.Consent(ctx, call, browser)
			faulted(t, err, x.status, x.field)
			if !s.subject(consent.Device, ada).IsZero() {
				t.Error("a pseudonym was made")
			}
		})
	}
}

func TestAnAccountSpeaksForItselfAndItsDevice(t *testing.T) {
	s := newShop(t)
	mine, err := consent.NewID(consent.Account, adaAcc)
	ok(t, err)
	a, err := s.Consent(ctx, gives(ada, consent.AdviserAssist), flow.Caller{Account: mine})
	ok(t, err)
	if a.DeviceRecordID == "" || a.DeviceRecordID == a.RecordID {
		t.Errorf("records are %q and %q", a.RecordID, a.DeviceRecordID)
	}
	for id, scope := range map[string]consent.Scope{a.RecordID: consent.Account, a.DeviceRecordID: consent.Device} {
		r, err := s.host.Record(ctx, id)
		ok(t, err)
		want(t, r.Scope, scope)
	}
	_, err = s.ConsentState(ctx, flow.StateCall{UserID: adaAcc}, browser)
	faulted(t, err, http.StatusForbidden, "userId")
	state, err := s.ConsentState(ctx, flow.StateCall{UserID: adaAcc}, backend)
	ok(t, err)
	want(t, state.Purposes[consent.AdviserAssist].Status, consent.Given)
}

func TestAStateSaysWhatTheReceiptSaid(t *testing.T) {
	s := newShop(t)
	call := gives("", consent.Analytics, consent.MarketingEmail) // the one counts on a device only, the other for an account
	call.UserID = adaAcc
	receipt, err := s.Consent(ctx, call, backend)
	ok(t, err)
	state, err := s.ConsentState(ctx, flow.StateCall{UserID: adaAcc}, backend)
	ok(t, err)
	for p, told := range receipt.Purposes {
		want(t, told.Status, consent.Given)
		want(t, state.Purposes[p].Status, told.Status)
	}
}

func TestAStateOfNobodyIsEmptyAndMakesNobody(t *testing.T) {
	s := newShop(t)
	state, err := s.ConsentState(ctx, flow.StateCall{AnonymousID: bob}, browser)
	ok(t, err)
	want(t, state.Version, 0)
	want(t, len(state.Purposes)+len(state.History), 0)
	if !s.subject(consent.Device, bob).IsZero() {
		t.Error("a pseudonym was made")
	}
}

func TestAProofIsPendingUntilACheckpointCoversIt(t *testing.T) {
	s := newShop(t)
	a := s.grant(ada, consent.Analytics)
	p, err := s.ConsentProof(ctx, a.RecordID, browser)
	ok(t, err)
	for range 100 {
		if !p.Pending {
			break
		}
		want(t, p.Status, "pending")
		time.Sleep(time.Millisecond)
		p, err = s.ConsentProof(ctx, a.RecordID, browser)
		ok(t, err)
	}
	if p.Pending || p.Proof == nil || p.Proof.Leaf != a.Leaf {
		t.Errorf("got %+v, want the proof of leaf %s", p, a.Leaf)
	}
	_, err = s.ConsentProof(ctx, "0193-none", browser)
	faulted(t, err, http.StatusNotFound, "record_id")
}

func TestMonthsAreCountedByTheCalendar(t *testing.T) {
	s := newShop(t)
	s.now = time.Date(2028, 2, 29, 9, 30, 0, 0, time.UTC)
	a := s.grant(ada, consent.Analytics)
	want(t, *a.Purposes[consent.Analytics].Until, time.Date(2029, 2, 28, 9, 30, 0, 0, time.UTC))
}
