package flow_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/flow"
)

var rewriteGolden = flag.Bool("golden", false, "write the golden files of proofs anew")

// example is a proof whose every part is known.
func example() flow.ConsentProof {
	at := time.Date(2026, 11, 21, 9, 4, 11, 0, time.UTC)
	client := at.Add(-90 * time.Second)
	r := consent.Record{
		Schema: consent.RecordSchema, RecordID: "019aa5d1-0000-7000-8000-000000000001", Version: 2, Subject: consent.Subject{0x9f, 1}, Scope: consent.Device,
		Controller: consent.Controller{ID: "shop-gmbh", Name: "Beispiel GmbH", Address: "Musterstraße 1, 10115 Berlin", Contact: "privacy@shop.example"},
		Purposes: []consent.Choice{{Purpose: consent.Analytics, Status: consent.Given, Basis: "6-1-a"},
			{Purpose: consent.PersonalisationContent, Status: consent.Withdrawn, Basis: "6-1-a"},
			{Purpose: consent.SpecialCategory("health"), Status: consent.Given, Basis: "9-2-a", Explicit: true}},
		PurposesShown: []consent.Purpose{consent.Analytics, consent.PersonalisationContent}, DefaultState: "off",
		Notice:   consent.Notice{Version: "12", Language: "de", TextSHA256: strings.Repeat("ab", 32)},
		UI:       consent.UI{Version: "banner-7", Component: "banner", Layer: 1, RejectEqual: true},
		Event:    consent.Act{Time: at, ClientTime: &client, Type: "expressed", Method: "save", Actor: "subject"},
		Validity: consent.Validity{From: at, Until: at.AddDate(1, 0, 0)}, Jurisdiction: "DE", Law: "GDPR, TDDDG",
		Storage:    consent.Storage{Locations: []string{"DE"}, Retention: "life of the consent and 3 years, to the year's end"},
		Withdrawal: consent.Withdrawal{How: "same control, same effort", URLPath: "/v1/consent"}, RightsURL: "/v1/rights", Authority: "data protection authority of DE",
		Source: consent.Source{SDK: "http", UAFamily: "firefox"}, Supersedes: "019aa5d0-0000-7000-8000-000000000000", Rules: []string{"SIG-06"},
	}
	names := func(p consent.Purpose, de, en, dpv string) flow.Named {
		return flow.Named{Purpose: p, Name: map[string]string{"de": de, "en": en}, DPV: dpv, Data: []string{"user.behavior"}, Recipients: []string{"hosting"}}
	}
	return flow.ConsentProof{
		Proof: flow.Proof{Record: r, Salt: strings.Repeat("01", 32), Leaf: strings.Repeat("02", 32), Index: 7, Hashes: []string{"AAAA"},
			Checkpoint: "handschlag/shop\n9\nAAAA\n\n— handschlag/shop BBBB\n"},
		Notice: "Wir möchten festhalten, was Sie ansehen.\nJe Zweck nur mit Ihrem Ja.", Verifier: "handschlag/shop+1+AAAA", Until: at.Add(time.Hour),
		Purposes: []flow.Named{names(consent.Analytics, "Reichweite messen", "Measure use", "ServiceOptimisation"),
			names(consent.PersonalisationContent, "Inhalte nach Ihrem Verhalten", "Content by your behaviour", "ServicePersonalisation"),
			names(consent.SpecialCategory("health"), "Angaben zur Gesundheit", "Health data", "")},
		Uses: []flow.Use{{Decision: "d1", Time: at.Add(time.Minute), Action: decide.ActionVariant, Rules: []string{"VAR-01"}}},
	}
}

// TestL07AProofReadsTheSameInGermanEnglishAndJSONLD, with the notice as it was shown.
func TestL07AProofReadsTheSameInGermanEnglishAndJSONLD(t *testing.T) {
	p := example()
	ld, err := p.LD()
	ok(t, err)
	var pretty strings.Builder
	enc := json.NewEncoder(&pretty)
	enc.SetIndent("", " ")
	ok(t, enc.Encode(json.RawMessage(ld)))
	sealed := p
	sealed.Sealed, sealed.Notice, sealed.Uses = true, "", nil
	for name, is := range map[string]string{"proof.de.txt": p.Text("de"), "proof.en.txt": p.Text("en"), "proof.jsonld": pretty.String(), "sealed.de.txt": sealed.Text("de")} {
		path := filepath.Join("testdata", name)
		if *rewriteGolden {
			ok(t, os.WriteFile(path, []byte(is), 0o644))
		}
		golden, err := os.ReadFile(path)
		ok(t, err)
		if string(golden) != is {
			t.Errorf("%s differs (go test ./flow -run L07 -golden writes it anew):\n%s", name, is)
		}
	}
}

// TestL07TheNoticeIsKeptAsItWasShown, whatever the configuration says later.
func TestL07TheNoticeIsKeptAsItWasShown(t *testing.T) {
	s := newShop(t)
	a, err := s.Consent(ctx, gives(ada, consent.Analytics), browser)
	ok(t, err)
	r, err := s.host.Record(ctx, a.RecordID)
	ok(t, err)
	text, err := s.host.Document(ctx, r.Notice.TextSHA256)
	ok(t, err)
	n, _ := s.cfg.Notice(r.Notice.Version)
	want(t, string(text), n.Languages[r.Notice.Language])
	p, err := s.ConsentProofOf(ctx, flow.Proof{Record: r})
	ok(t, err)
	want(t, p.Notice, string(text))
	if len(p.Purposes) != len(r.Purposes) || p.Purposes[0].Name["de"] == "" || p.Purposes[0].DPV == "" {
		t.Errorf("purposes %+v", p.Purposes)
	}
}

// proofOf is the report of a record.
func (s *shop) proofOf(recordID string) flow.ConsentProof {
	s.t.Helper()
	r, err := s.host.Record(ctx, recordID)
	ok(s.t, err)
	p, err := s.ConsentProofOf(ctx, flow.Proof{Record: r})
	ok(s.t, err)
	return p
}

// TestCON08AProofNamesEveryDecisionThatRestsOnTheRecord: under whichever pseudonym it
// was made, linked or not, and after records that decide on something else. What
// names another record is not among them.
func TestCON08AProofNamesEveryDecisionThatRestsOnTheRecord(t *testing.T) {
	s := newShop(t)
	rests := s.grantAccount(adaAcc, consent.AdviserAssist).RecordID
	device := s.grant(ada, consent.Analytics).RecordID
	s.wait(time.Minute)
	later := s.grantAccount(adaAcc, consent.MarketingEmail).RecordID
	decided := func(id string, about consent.Subject, input string) {
		s.wait(time.Second)
		r := decide.Record{ID: id, Time: s.clock(), Action: decide.ActionEscalate, Subject: about, Input: []byte(input), Result: []byte("{}")}
		ok(t, s.host.AppendDecision(ctx, &r))
	}
	decided("under the device", s.subject(consent.Device, ada), `{"consent":{"record_id":"`+rests+`","status":"given"}}`)
	decided("under the account", s.subject(consent.Account, adaAcc), `{"blocks":{"a":{"record_id":"`+rests+`"},"b":{"record_id":"`+rests+`"}}}`)
	decided("under nobody", consent.Subject{}, `{"consent":{"record_id":"`+device+`"},"more":{"record_id":"`+rests+`"}}`)
	decided("of another record", s.subject(consent.Account, adaAcc), `{"consent":{"record_id":"`+later+`"},"text":"`+rests+`"}`)
	decided("of none", s.subject(consent.Account, adaAcc), `{"consent":{"status":"refused"}}`)
	for id, uses := range map[string]string{rests: "under the device, under the account, under nobody", device: "under nobody", later: "of another record"} {
		var got []string
		for _, u := range s.proofOf(id).Uses {
			got = append(got, u.Decision)
		}
		want(t, strings.Join(got, ", "), uses)
	}
}

// TestCON08ADevicesDecisionIsInTheProofOfItsAccountsRecord, by the flow's own decision.
func TestCON08ADevicesDecisionIsInTheProofOfItsAccountsRecord(t *testing.T) {
	s := newShop(t, needy)
	s.grant(ada, consent.Analytics)
	record := s.grantAccount(adaAcc, consent.AdviserAssist).RecordID
	s.wait(time.Minute)
	a, err := s.Escalate(ctx, flow.EscalateCall{AnonymousID: ada, UserID: adaAcc}, backend)
	ok(t, err)
	d, err := s.host.Decision(ctx, a.DecisionID)
	ok(t, err)
	if !strings.Contains(string(d.Input), record) {
		t.Fatalf("the decision does not rest on the account's record: %s", d.Input)
	}
	want(t, d.Subject, s.subject(consent.Device, ada))
	if p := s.proofOf(record); len(p.Uses) != 1 || p.Uses[0].Decision != a.DecisionID || p.Cut {
		t.Errorf("uses %+v", p.Uses)
	}
}

// TestESC08AProofNamesTheCallsUnderIt: the decision, and the note in the file.
func TestESC08AProofNamesTheCallsUnderIt(t *testing.T) {
	s := newShop(t, needy)
	record := s.grantAccount(adaAcc, consent.MarketingPhone).RecordID
	id := s.accountTalk()
	s.wait(time.Minute)
	a := s.mayCall(id, "030 123456", "a better lens")
	p := s.proofOf(record)
	var decision, note bool
	for _, u := range p.Uses {
		decision, note = decision || u.Decision == a.DecisionID, note || u.Action == "call" && u.Noted != ""
	}
	if !decision || !note {
		t.Errorf("uses %+v", p.Uses)
	}
}

// TestCON08AProofSaysThatItsUsesAreCut: the newest are kept.
func TestCON08AProofSaysThatItsUsesAreCut(t *testing.T) {
	p := flow.ConsentProof{Cut: true}
	if !strings.Contains(p.Text("de"), "nur die jüngsten 10000") || !strings.Contains(p.Text("en"), "only the newest 10000") {
		t.Error(p.Text("de"))
	}
}

// TestAGermanProofHasGermanWords: every word of the closed lists has one.
func TestAGermanProofHasGermanWords(t *testing.T) {
	for _, method := range consent.Methods {
		for _, scope := range []consent.Scope{consent.Device, consent.Account} {
			p := example()
			p.Proof.Record.Event.Method, p.Proof.Record.Scope = method, scope
			said := p.Text("de")
			for _, english := range []string{", " + method + ";", "gilt für " + string(scope), "same control", "GDPR", " variant "} {
				if strings.Contains(said, english) {
					t.Errorf("%q is not German:\n%s", english, said)
				}
			}
		}
	}
	for _, action := range []string{decide.ActionEscalate, decide.ActionHandover, decide.ActionVariant, decide.ActionPrice, decide.ActionCard, decide.ActionExport,
		decide.ActionRights, decide.ActionSwitch, decide.ActionConduct, decide.ActionMove} {
		p := example()
		p.Uses[0].Action = action
		if strings.Contains(p.Text("de"), "Z "+action+" ") {
			t.Errorf("%s is not German", action)
		}
	}
}

// TestAProofNamesTheCommandsThatCheckIt, in full.
func TestAProofNamesTheCommandsThatCheckIt(t *testing.T) {
	p := example()
	id := p.Proof.Record.RecordID
	for _, lang := range []string{"de", "en"} {
		for _, command := range []string{"handschlag consent proof --record " + id + " --format json > " + id + ".json\n", "handschlag-verify proof -key 'handschlag/shop+1+AAAA' " + id + ".json\n"} {
			if !strings.Contains(p.Text(lang), command) {
				t.Errorf("no %q in\n%s", command, p.Text(lang))
			}
		}
	}
	p.Sealed = true
	if !strings.Contains(p.Text("de"), "--claim 'GRUND' --format json") {
		t.Error(p.Text("de"))
	}
}

// TestL09OnlyTheServersTimeCounts: a device's clock informs, and how far it is off
// can be read from the proof.
func TestL09OnlyTheServersTimeCounts(t *testing.T) {
	for name, off := range map[string]time.Duration{"back-dated": -400 * 24 * time.Hour, "ahead": 400 * 24 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			s := newShop(t)
			call := gives(ada, consent.Analytics)
			client := s.now.Add(off)
			call.ClientTime = &client
			a, err := s.Consent(ctx, call, browser)
			ok(t, err)
			want(t, a.Time, s.now)
			r, err := s.host.Record(ctx, a.RecordID)
			ok(t, err)
			want(t, r.Event.Time, s.now)
			want(t, r.Validity.From, s.now)
			st, err := s.host.State(ctx, r.Subject)
			ok(t, err)
			want(t, st.At(consent.Analytics, s.now).Since, s.now)
			p, err := s.ConsentProofOf(ctx, flow.Proof{Record: r})
			ok(t, err)
			ld, err := p.LD()
			ok(t, err)
			var doc map[string]any
			ok(t, json.Unmarshal(ld, &doc))
			want(t, doc["hs:clockSkewSeconds"], any(off.Seconds()))
		})
	}
}
