package segment

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/consent/ledger"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/policy"
)

// yes is everyday's hour of consent.
var yes = monday.Add(-time.Hour)

// crash fails a shop that belongs to no one test.
type crash struct{}

func (crash) Helper()          {}
func (crash) Fatal(why ...any) { panic(fmt.Sprint(why...)) }

// plain is one night over 120 everyday people, made once for all tests that only
// look at it.
var plain = sync.OnceValues(func() (Inputs, Result) {
	s := newShopIn(crash{}, filepath.Join(scribeDir, "plain"))
	s.everyday(120, 1)
	in := s.night(monday.AddDate(0, 0, 1))
	return in, s.run(in)
})

// has reports whether a night's file holds a subject's row.
func has(t *testing.T, in Inputs, file, recipient string, who consent.Subject) bool {
	t.Helper()
	keys, err := openKeys(filepath.Join(in.State, "keys"))
	if err != nil {
		t.Fatal(err)
	}
	body, err := os.ReadFile(filepath.Join(in.Out, in.AsOf.Format(time.DateOnly), file))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Contains(string(body), keys.row(recipient, who[:]).String())
}

// manifestAt reads a night's manifest.
func manifestAt(t *testing.T, in Inputs) Manifest {
	t.Helper()
	m, err := readManifest(filepath.Join(in.Out, in.AsOf.Format(time.DateOnly)))
	if err != nil || m.Schema == "" {
		t.Fatalf("no manifest: %v", err)
	}
	return m
}

// socks is a shop of which everybody looks and some bought running shoes (EXP-02);
// its e-mail channel writes to customers about running goods.
func socks(t *testing.T) (*shop, Inputs) {
	s := newShop(t)
	s.everyday(120, 1)
	s.products = []event.Product{{ID: "shoe", Category: "running"}, {ID: "cover", Category: "insurance"}}
	for n := range 60 { // odd subjects never said anything about e-mail
		s.sees(subject(2*n+1), event.OrderCompleted, monday.Add(time.Hour), event.Fields{OrderKey: int64(900 + n), Items: []event.Item{{Product: "shoe", Quantity: 1, PriceCents: 9000}}})
	}
	in := s.night(monday.AddDate(0, 0, 1))
	in.Config.Exports.Channels[0].Existing = config.ExistingCustomers{On: true, Goods: []string{"running"}, NoticeAtOrder: "order-form-9", NoticeInMail: true}
	return s, in
}

func TestEXP02AllowACustomerHearsOfRunningSocks(t *testing.T) {
	s, in := socks(t)
	s.run(in)
	if !has(t, in, "buyers.email.csv", "post-house", subject(1)) {
		t.Error("who bought running shoes gets no mail about running socks")
	}
}

// The facts about a person, in one night; the channel's are policy/export's tests.
func TestEXP02DenyWithoutOneOfTheFour(t *testing.T) {
	s, in := socks(t)
	s.subjects[subject(1)] = subjectRow{scope: consent.Account, objected: true}
	s.subjects[subject(3)] = subjectRow{scope: consent.Device} // no account, so no address
	s.says(subject(5), consent.Refused, yes, consent.MarketingEmail)
	s.says(subject(7), consent.Withdrawn, monday.Add(2*time.Hour), basis)
	in.Snapshot = s.snapshot(in.AsOf)
	s.run(in)
	for n, want := range map[int]bool{1: false, 3: false, 5: false, 7: false, 9: true} {
		if has(t, in, "buyers.email.csv", "post-house", subject(n)) != want {
			t.Errorf("subject %d gets a mail: %v, want %v", n, !want, want)
		}
	}
	in = s.night(in.AsOf)
	in.Config.Exports.Channels[0].Existing = config.ExistingCustomers{On: true, Goods: []string{"insurance"}, NoticeAtOrder: "order-form-9", NoticeInMail: true}
	s.run(in)
	m := manifestAt(t, in)
	at := slices.IndexFunc(m.Files, func(f File) bool { return f.Name == "buyers.email.csv" })
	if rows := m.Files[at].Rows; rows != 30 { // of who agreed to e-mail
		t.Errorf("a partner's insurance reaches %d buyers", rows)
	}
}

// An objection to direct marketing leaves what the visitor asked of the shop itself.
func TestEXP03AllowTheShopItselfAfterAnObjection(t *testing.T) {
	s := newShop(t)
	s.everyday(120, 1)
	s.subjects[subject(2)] = subjectRow{scope: consent.Account, objected: true}
	if _, is := held(s.run(s.night(monday.AddDate(0, 0, 1))))[subject(2)]; !is {
		t.Error("an objection to marketing took away the shop's own content")
	}
}

// EXP-03: a segment still computed "only internally", and an address that an
// erasure took from the list of objections but not from that of suppressions.
func TestEXP03DenyASegmentComputedInternally(t *testing.T) {
	s := newShop(t)
	s.everyday(240, 1)
	for n := range 240 {
		s.says(subject(n), consent.Given, yes, consent.MarketingEmail, consent.AdsThirdParty)
	}
	s.subjects[subject(1)] = subjectRow{scope: consent.Account, objected: true}
	s.subjects[subject(2)] = subjectRow{scope: consent.Account, suppressed: []string{"email"}}
	s.subjects[subject(3)] = subjectRow{scope: consent.Account, suppressed: []string{consent.AllChannels}}
	s.subjects[subject(5)] = subjectRow{scope: consent.Account, objections: []string{consent.Profiling}}
	s.subjects[subject(6)] = subjectRow{scope: consent.Account, objections: []string{"direct_marketing:ads_third_party"}}
	n := until(t, s.night(monday.AddDate(0, 0, 1)), "reporting")
	defer n.end()
	for who, want := range map[int][2]int64{1: {0, 0}, 2: {0, 1}, 3: {0, 0}, 5: {0, 0}, 6: {1, 0}, 7: {1, 1}} {
		var email, ads, member int64
		query := fmt.Sprintf(`select count(*) filter (where channel = 'email'), count(*) filter (where channel = 'ads'),
			(select count(*) from members where person = '%[1]s') from candidates where person = '%[1]s'`, subject(who))
		if err := n.db.one(context.Background(), query, &email, &ads, &member); err != nil {
			t.Fatal(err)
		}
		if email != want[0] || ads != want[1] || (member == 0) != (who == 5) {
			t.Errorf("subject %d: considered %d times for e-mail, %d for ads, in %d segments", who, email, ads, member)
		}
	}
}

// objectors.sql says what consent.State says, for every list and purpose.
func TestEXP03DenyLikeTheDay(t *testing.T) {
	n := bench(t)
	lists := [][]string{{}, {"direct_marketing"}, {"profiling"}, {"tracking"}, {"direct_marketing:marketing_email"}, {"li:marketing_post"}, {"profiling", "li:marketing_post"}}
	suppressed := [][]string{{}, {"email"}, {"ads"}, {"post", "sms"}, {consent.AllChannels}}
	var states []consent.State
	query := "delete from no_subjects; delete from no_standings; delete from links"
	for _, o := range lists {
		for _, x := range suppressed {
			who := subject(len(states))
			states = append(states, consent.State{Subject: who, Objections: o, Suppressed: x})
			query += fmt.Sprintf("; insert into no_subjects values ('%s', 'account', false, '', false, %s, %s)", who, list(o), list(x))
		}
	}
	ctx := context.Background()
	if err := n.db.exec(ctx, query); err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"own_standings", "standings_now", "subjects_now", "persons", "objectors"} {
		if err := n.db.table(ctx, table); err != nil {
			t.Fatal(err)
		}
	}
	for _, st := range states {
		for _, p := range consent.Purposes {
			var objected, suppressed bool
			query := fmt.Sprintf("select coalesce(bool_or(objected), false), coalesce(bool_or(suppressed), false) from objectors where person = '%s' and purpose = '%s'", st.Subject, p)
			if err := n.db.one(ctx, query, &objected, &suppressed); err != nil {
				t.Fatal(err)
			}
			if objected != st.Objected(p) || suppressed != st.SuppressedFor(p) {
				t.Errorf("%v %v for %s: SQL says %v %v, consent %v %v", st.Objections, st.Suppressed, p, objected, suppressed, st.Objected(p), st.SuppressedFor(p))
			}
		}
	}
}

func TestEXP04AllowTheRecipientConfirms(t *testing.T) {
	in, _ := plain()
	if !has(t, in, "lookers.email.csv", "post-house", subject(2)) {
		t.Error("a row for a recipient with its own double opt-in is missing")
	}
}

// EXP-04, where nobody else has the address confirmed: by link after 3 h; a checkbox
// only; a link clicked after 15 days.
func TestEXP04DenyACheckboxOnly(t *testing.T) {
	s := newShop(t)
	s.everyday(240, 1)
	for n := range 240 {
		asked, clicked := yes.AddDate(0, 0, -15), yes
		if n != 2 {
			asked = clicked.Add(-3 * time.Hour)
		}
		s.says(subject(n), consent.Given, yes, consent.MarketingEmail)
		if st := s.standings[subject(n)][consent.MarketingEmail]; n != 1 {
			st.Proof = &consent.Proof{DOISent: &asked, DOIConfirmed: &clicked, MailVersion: "doi-1"}
			s.standings[subject(n)][consent.MarketingEmail] = st
		}
	}
	in := s.night(monday.AddDate(0, 0, 1))
	in.Config.Exports.Channels[0].DoubleOptIn = "ours"
	s.run(in)
	for n, want := range map[int]bool{1: false, 2: false, 3: true} {
		if got := has(t, in, "lookers.email.csv", "post-house", subject(n)); got != want {
			t.Errorf("subject %d gets mail: %v, want %v", n, got, want)
		}
	}
}

// EXP-05: one event with Do Not Track in 90 days keeps the person out of uploads,
// and a notice that does not name the platform keeps everybody out.
func TestEXP05DenyAnUploadOfWhoObjectsOrWasNotTold(t *testing.T) {
	s := newShop(t)
	s.everyday(240, 1)
	s.signal(subject(3), event.ProductViewed, monday.Add(time.Hour), policy.EventCase{DNT: true})
	in := s.night(monday.AddDate(0, 0, 1))
	s.run(in)
	if has(t, in, "lookers.ads.csv", "ad-house", subject(3)) || !has(t, in, "lookers.ads.csv", "ad-house", subject(9)) {
		t.Error("Do Not Track: want subject 9 in the upload, and not subject 3")
	}
	in = s.night(monday.AddDate(0, 0, 2))
	in.Config.Notices[0].Recipients = []string{"post-house"}
	for _, r := range s.run(in).Records {
		var x exportInput
		if err := json.Unmarshal(r.Input, &x); err != nil {
			t.Fatal(err)
		}
		if named := !slices.Contains(r.Rules, "EXP-05") && !slices.Contains(r.Rules, "EXP-08"); x.Channel == "ads" && named {
			t.Errorf("%s left for a platform that no notice names: %v", x.Segment, r.Rules)
		}
	}
}

func TestEXP05AllowConsentedAdults(t *testing.T) {
	in, _ := plain()
	if !has(t, in, "lookers.ads.csv", "ad-house", subject(9)) {
		t.Error("who said yes to ads_third_party is not in the upload")
	}
}

// EXP-06: withdrawal, revoke message, acknowledgement. Until the recipient says so,
// every night tells it again.
func TestEXP06AllowAWithdrawalIsRevokedUntilAcknowledged(t *testing.T) {
	s := newShop(t)
	s.everyday(240, 1)
	s.run(s.night(monday.AddDate(0, 0, 1)))
	s.says(subject(6), consent.Withdrawn, monday.AddDate(0, 0, 1), basis)
	for d := 2; d <= 3; d++ {
		in := s.night(monday.AddDate(0, 0, d))
		s.run(in)
		if !has(t, in, "revocations.email.csv", "post-house", subject(6)) || !has(t, in, "revocations.ads.csv", "ad-house", subject(6)) {
			t.Errorf("night %d does not tell both recipients", d)
		}
	}
	s.decisions = append(s.decisions, decide.Record{Time: monday.AddDate(0, 0, 3), Action: decide.ActionExport, Input: []byte(`{"ack":{"date":"2026-11-05","channel":"email","by":"post-house"}}`), Result: []byte(`{}`)})
	in := s.night(monday.AddDate(0, 0, 4))
	s.run(in)
	if has(t, in, "revocations.email.csv", "post-house", subject(6)) || !has(t, in, "revocations.ads.csv", "ad-house", subject(6)) {
		t.Error("after one recipient's word, want the row in the other's file alone")
	}
	m := manifestAt(t, in)
	if got := m.Expires.Sub(m.Created); got != 48*time.Hour {
		t.Errorf("the files expire after %s", got)
	}
}

// EXP-06: what was read an hour ago is not shown, and yesterday's stays.
func TestEXP06DenyAStaleReading(t *testing.T) {
	s := newShop(t)
	s.everyday(60, 1)
	in := s.night(monday.AddDate(0, 0, 1))
	at := in.AsOf.Add(time.Hour)
	in.Now = func() time.Time { at = at.Add(9 * time.Minute); return at } // begin, reading, publishing
	if _, err := Run(context.Background(), in); err != nil {
		t.Fatalf("nine minutes are refused: %v", err)
	}
	in = s.night(monday.AddDate(0, 0, 2))
	at = in.AsOf.Add(time.Hour)
	in.Now = func() time.Time { at = at.Add(16 * time.Minute); return at }
	if _, err := Run(context.Background(), in); err == nil || !strings.Contains(err.Error(), "EXP-06") {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(filepath.Join(in.Out, "2026-11-04")); err == nil {
		t.Error("it was published")
	}
}

// The vectors of law.md 4.6: ARX's test.csv (7 rows of age, gender, zip) and
// test2.csv (9 rows with a disease).
var (
	arx = []Class{
		{Name: "<50 81***", Persons: 4, Outcomes: map[string]int64{}},
		{Name: ">=50 81***", Persons: 3, Outcomes: map[string]int64{}},
	}
	arxFiner = []Class{{Persons: 2}, {Persons: 3}, {Persons: 2}}
	diseases = []Class{
		{Name: "476** 2x", Persons: 3, Outcomes: map[string]int64{"stomach": 3}},
		{Name: "4790* >=40", Persons: 3, Outcomes: map[string]int64{"stomach": 1, "flu": 1, "bronchitis": 1}},
		{Name: "476** 3x", Persons: 3, Outcomes: map[string]int64{"stomach": 1, "bronchitis": 1, "pneumonia": 1}},
	}
)

func TestEXP07AllowLargeMixedCells(t *testing.T) {
	if Smallest(arx) != 3 || Smallest(arxFiner) != 2 || Smallest(diseases) != 3 || Diversity(diseases[1:]) < 2 {
		t.Errorf("k %d, %d, %d", Smallest(arx), Smallest(arxFiner), Smallest(diseases))
	}
	cells := []Class{{Name: "80 30-39", Persons: 25, Outcomes: map[string]int64{"none": 25}}, {Name: "81 30-39", Persons: 90, Outcomes: map[string]int64{"special": 4, "none": 86}}}
	if why := notAnonymous([]byte(`{"members":25}`), cells, 25); len(why) > 0 {
		t.Errorf("refused: %v", why)
	}
	if Isolates(100, 100, 25) || Isolates(100, 125, 25) {
		t.Error("equal numbers, or those that differ by k, isolate nobody")
	}
}

// EXP-07: cell 7; all members of a cell share one value; report A 100 persons, report
// B without district X 99.
func TestEXP07DenyWhatPointsAtAPerson(t *testing.T) {
	if Diversity(diseases) != 1 {
		t.Errorf("stomach diseases only: l is %d", Diversity(diseases))
	}
	if !Isolates(100, 99, 25) {
		t.Error("the difference of one person is not seen")
	}
	mixed := map[string]int64{"none": 100}
	for name, c := range map[string]struct {
		cells []Class
		k     int
	}{
		"cell 7":                {[]Class{{Name: "a", Persons: 7, Outcomes: mixed}}, 25},
		"a small k":             {[]Class{{Name: "a", Persons: 70, Outcomes: mixed}}, 10},
		"one value":             {[]Class{{Name: "a", Persons: 70, Outcomes: map[string]int64{"special": 70}}}, 25},
		"district X in and out": {[]Class{{Name: "a", Persons: 100, Outcomes: mixed}, {Name: "a", Persons: 99, Outcomes: mixed}}, 25},
	} {
		if len(notAnonymous([]byte("{}"), c.cells, c.k)) == 0 {
			t.Errorf("%s passes the test of anonymity", name)
		}
	}
}

// EXP-07: two reports about the same day. Who knows both would know the one who
// withdrew in between. A third run tells no more than the second.
func TestEXP07DenyTheDifferenceOfTwoReports(t *testing.T) {
	s := newShop(t)
	s.everyday(240, 1)
	first := s.run(s.night(monday.AddDate(0, 0, 1)))
	if got := first.Report.Segments[0]; got.Members == nil || *got.Members != 175 { // of 180
		t.Fatalf("the first report: %+v", got)
	}
	s.says(subject(1), consent.Withdrawn, monday.AddDate(0, 0, 1), basis)
	var before map[string]string
	for run := range 2 {
		in := s.night(monday.AddDate(0, 0, 1))
		again := s.run(in).Report
		if one, two := string(mustJSON(t, again.Segments)), string(mustJSON(t, first.Report.Segments)); one != two {
			t.Errorf("run %d tells %s, the first %s", run+2, one, two)
		}
		after := tree(t, in.Out)
		if run > 0 {
			sameTree(t, "the third run", before, after)
		}
		before = after
	}
}

// EXP-07: each member of the segment looked at something sensitive.
func TestEXP07DenyACellOfOneSensitiveValue(t *testing.T) {
	s := newShop(t)
	s.everyday(240, 1)
	for n := range 240 {
		if n%4 == 0 { // the buyers
			s.says(subject(n), consent.Given, yes, consent.SpecialCategory("health"))
			s.stores(subject(n), event.ProductViewed, monday.Add(time.Hour), event.Fields{Product: "p1"}, policy.TagExplicit, false)
		}
	}
	for _, seg := range s.run(s.night(monday.AddDate(0, 0, 1))).Report.Segments {
		if want := map[string]string{"buyers": "one_sensitive_value"}[seg.Name]; seg.Withheld != want || (seg.Members == nil) != (want != "") {
			t.Errorf("%s: members %v, withheld %q", seg.Name, seg.Members, seg.Withheld)
		}
	}
}

func TestEXP08AllowARegisteredRecipientAndASignedManifest(t *testing.T) {
	s := newShop(t)
	s.everyday(120, 1)
	in := s.night(monday.AddDate(0, 0, 1))
	in.Config.Exports.Channels[0].Fields = []string{"key", "segment"}
	s.run(in)
	dir := filepath.Join(in.Out, "2026-11-03")
	v, err := Verify(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	if m := v.Manifest; m.Purpose == "" || m.Ledger.Root == "" || m.Expires.IsZero() || m.Digests.Policy == "" || v.Signer != "test/exports" {
		t.Errorf("the manifest lacks something: %+v", m)
	}
	if rows := readCSV(t, filepath.Join(dir, "lookers.email.csv")); !slices.Equal(rows[0], []string{"key", "segment"}) {
		t.Errorf("the file has %v, the channel lists key and segment", rows[0])
	}
	if rows := readCSV(t, filepath.Join(dir, "lookers.ads.csv")); len(rows[0]) != 4 {
		t.Errorf("the other channel's file has %v", rows[0])
	}
}

// postHouse is the mail provider's entry in the register.
func postHouse(c *config.Config) *config.Recipient {
	at := slices.IndexFunc(c.Register.Recipients, func(r config.Recipient) bool { return r.ID == "post-house" })
	return &c.Register.Recipients[at]
}

// EXP-08: a US tool with a lapsed DPF entry and no SCC; a recipient that no
// register names, "pseudonymised, so no need to".
func TestEXP08DenyARecipientWithoutItsPapers(t *testing.T) {
	for name, change := range map[string]func(*config.Config){
		"not registered": func(c *config.Config) { postHouse(c).ID = "somebody" },
		"DPF lapsed": func(c *config.Config) {
			postHouse(c).Country, postHouse(c).Transfer, c.Register.Transfers.DPF = "US", "dpf", false
		},
		"not named": func(c *config.Config) { c.Notices[0].Recipients = []string{"ad-house"} },
	} {
		t.Run(name, func(t *testing.T) {
			s := newShop(t)
			s.everyday(60, 1)
			in := s.night(monday.AddDate(0, 0, 1))
			in.Config.Register.Recipients = slices.Clone(in.Config.Register.Recipients)
			change(in.Config)
			for _, r := range s.run(in).Records {
				if strings.Contains(string(r.Input), `"channel":"email"`) && !slices.Contains(r.Rules, "EXP-08") {
					t.Errorf("decided by %v", r.Rules)
				}
			}
		})
	}
}

func rewrite(t *testing.T, path string, body []byte) {
	t.Helper()
	if err := os.WriteFile(path, body, 0o600); err != nil {
		t.Fatal(err)
	}
}

// EXP-08: any byte of the manifest, its signature or a file.
func TestEXP08DenyAnAlteredExport(t *testing.T) {
	in, _ := plain()
	for _, name := range []string{manifestFile, signatureFile, "lookers.email.csv", "report.json"} {
		out := copyOf(t, in.Out)
		path := filepath.Join(out, "2026-11-03", name)
		body, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		body[len(body)/2] ^= 1
		rewrite(t, path, body)
		if _, err := Verify(filepath.Dir(path), ""); err == nil {
			t.Errorf("%s with a flipped bit verifies", name)
		}
	}
	out := copyOf(t, in.Out)
	rewrite(t, filepath.Join(out, "2026-11-03", "more.csv"), []byte("key\n"))
	if _, err := Verify(filepath.Join(out, "2026-11-03"), ""); err == nil {
		t.Error("a file more verifies")
	}
	_, other, err := ledger.GenerateKey(strings.NewReader(strings.Repeat("x", 64)), "test/exports")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Verify(filepath.Join(in.Out, "2026-11-03"), other); err == nil {
		t.Error("it verifies by somebody else's key")
	}
}

// left is what the report says was left out on the last day.
func left(r Report) map[string]int64 {
	out := map[string]int64{}
	for _, c := range r.LeftOut {
		out[c.Rule] = c.Count
	}
	return out
}

// BAT-01: given 1 Nov, event 3 Nov, run 5 Nov counts; event 3 Nov, withdrawn, given
// again, run later does not, and the report says so by name.
func TestBAT01AllowGivenAtBothTimes(t *testing.T) {
	if _, res := plain(); len(left(res.Report)) != 0 {
		got := left(res.Report)
		t.Errorf("left out: %v", got)
	}
}

func TestBAT01DenyIsNamedInTheReport(t *testing.T) {
	s := newShop(t)
	s.everyday(60, 1)
	s.says(subject(1), consent.Given, monday.AddDate(0, 0, 1), basis) // withdrawn and given again since
	if got := left(s.run(s.night(monday.AddDate(0, 0, 1))).Report); got["BAT-01"] != 3 || got["BAT-03"] != 0 {
		t.Errorf("left out: %v", got)
	}
}

// BAT-03: yesterday's partition with the subject is read tonight without them.
func TestBAT03DenyIsNamedInTheReport(t *testing.T) {
	s := newShop(t)
	s.everyday(60, 1)
	s.says(subject(1), consent.Withdrawn, monday.Add(5*time.Hour), basis)
	res := s.run(s.night(monday.AddDate(0, 0, 1)))
	if got := left(res.Report); got["BAT-03"] != 3 || got["BAT-01"] != 0 {
		t.Errorf("left out: %v", got)
	}
	if _, still := held(res)[subject(1)]; still {
		t.Error("who withdrew is a member")
	}
}

// BAT-05: root verified, 4 min old; and a re-run on the same root gives the same
// bytes, even hours later.
func TestBAT05AllowAVerifiedRoot(t *testing.T) {
	s := newShop(t)
	s.everyday(60, 1)
	in, note, key := s.sealed(t, 5)
	in.Now = func() time.Time { return in.AsOf.Add(time.Hour + 4*time.Minute) }
	s.run(in)
	if m := manifestAt(t, in); m.Ledger.Size != 5 || !m.Ledger.Time.Equal(in.AsOf.Add(time.Hour)) || m.Checkpoint != note {
		t.Errorf("the run names %+v", m.Ledger)
	}
	before := tree(t, in.Out)
	s.taken = in.AsOf.Add(6 * time.Hour)
	again := s.night(in.AsOf)
	s.checkpoint(again, note)
	again.LedgerKey = key
	s.run(again)
	sameTree(t, "a re-run on the same root", before, tree(t, in.Out))
}

// BAT-05: "ledger unreachable, use last night's copy".
func TestBAT05DenyAnOldOrForeignLedger(t *testing.T) {
	s := newShop(t)
	s.everyday(60, 1)
	refused := func(what string, in Inputs) {
		t.Helper()
		if _, err := Run(context.Background(), in); err == nil || !strings.Contains(err.Error(), "BAT-05") {
			t.Errorf("%s: got %v", what, err)
		}
	}
	in, note, _ := s.sealed(t, 5)
	late := in
	late.Now = func() time.Time { return in.AsOf.Add(2*time.Hour + time.Second) }
	refused("61 minutes old", late)
	forged := s.night(in.AsOf)
	forged.LedgerKey = in.LedgerKey
	s.checkpoint(forged, strings.Replace(note, "\n5\n", "\n6\n", 1))
	refused("a changed size", forged)
	s.run(in)
	behind, _, _ := s.sealed(t, 4)
	behind.LedgerKey = ""
	refused("fewer leaves than the night before knew", behind)
	stale := s.night(monday.AddDate(0, 0, 2))
	stale.Fresh = func(ctx context.Context, dir string) (bool, error) {
		s.version = 0
		return s.fresh(ctx, dir)
	}
	refused("a second reading that is behind the first", stale)
}

// BAT-06: one person has a key of their own for each recipient.
func TestBAT06AllowAKeyPerRecipient(t *testing.T) {
	in, _ := plain()
	who := subject(6) // said yes to both
	if !has(t, in, "lookers.email.csv", "post-house", who) || !has(t, in, "lookers.ads.csv", "ad-house", who) || has(t, in, "lookers.ads.csv", "post-house", who) {
		t.Error("want one key in each file, and each recipient's only in its own")
	}
}

// BAT-06: sha256(email) as a join key. No exported value is a digest that anybody
// could compute of a pseudonym.
func TestBAT06DenyAnUnkeyedHash(t *testing.T) {
	in, _ := plain()
	var guesses []string
	for n := range 120 {
		text := subject(n).String()
		var row string
		for _, form := range []string{text, strings.ReplaceAll(text, "-", "")} {
			if err := scribe.one(context.Background(), "select concat_ws(' ', md5("+quote(form)+"), left(sha256("+quote(form)+"), 32), left(sha1("+quote(form)+"), 32))", &row); err != nil {
				t.Fatal(err)
			}
			guesses = append(guesses, strings.Fields(row)...)
		}
		guesses = append(guesses, text)
	}
	for name, body := range tree(t, filepath.Join(in.Out, "2026-11-03")) {
		for _, guess := range guesses {
			if strings.Contains(body, guess) {
				t.Fatalf("%s holds %s", name, guess)
			}
		}
	}
}

// BAT-07: counts with k of 25 and no id.
func TestBAT07AllowCountsWithoutIDs(t *testing.T) {
	in, _ := plain()
	for _, f := range manifestAt(t, in).Files {
		if f.Kind == "report" && f.Label != anonymous {
			t.Errorf("%s is labelled %q", f.Name, f.Label)
		}
	}
}

// BAT-07: per-device rows with hashed ids are pseudonymous, and so is a report with a
// small k or an id in it.
func TestBAT07DenyTheLabelToRows(t *testing.T) {
	s := newShop(t)
	s.everyday(120, 1)
	in := s.night(monday.AddDate(0, 0, 1))
	in.Config.Exports.K = 10
	s.run(in)
	for _, f := range manifestAt(t, in).Files {
		if f.Label == anonymous {
			t.Errorf("%s is called anonymous with k of 10", f.Name)
		}
		if f.Kind == "segment" && f.Label != pseudonymous {
			t.Errorf("%s is labelled %q", f.Name, f.Label)
		}
	}
	if len(notAnonymous([]byte(`{"note":"`+subject(1).String()+`"}`), nil, 25)) == 0 || len(notAnonymous([]byte(`{"key":"`+strings.Repeat("0f", 16)+`"}`), nil, 25)) == 0 {
		t.Error("a report with an id is called anonymous")
	}
}

// BAT-08: a segment that expires after 30 days, with all that it was made of.
func TestBAT08AllowASegmentWithItsLineage(t *testing.T) {
	in, _ := plain()
	body, err := os.ReadFile(filepath.Join(in.Out, "2026-11-03", lineageFile))
	if err != nil {
		t.Fatal(err)
	}
	var l Lineage
	if err := json.Unmarshal(body, &l); err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(l.Outputs, func(o Output) bool { return o.Name == "lookers.email.csv" })
	if at < 0 {
		t.Fatal("the file has no lineage")
	}
	o := l.Outputs[at]
	if !slices.Equal(o.Purposes, []string{string(basis), string(consent.MarketingEmail)}) || !slices.Contains(o.Inputs, "segment/lookers") || !o.Expires.Equal(in.AsOf.AddDate(0, 0, 30)) {
		t.Errorf("its lineage is %+v", o)
	}
}

// BAT-08: after 30 days the rows are gone from our folders too; what proves them stays.
func TestBAT08AllowExpiredRowsGo(t *testing.T) {
	s := newShop(t)
	s.everyday(120, 1)
	first := s.night(monday.AddDate(0, 0, 1))
	s.run(first)
	dir := filepath.Join(first.Out, "2026-11-03")
	s.run(s.night(monday.AddDate(0, 0, 30)))
	if v, err := Verify(dir, ""); err != nil || len(v.Gone) > 0 {
		t.Errorf("after 29 days: %v gone, %v", v.Gone, err)
	}
	last := s.night(monday.AddDate(0, 0, 31))
	manifest, err := os.ReadFile(filepath.Join(dir, manifestFile))
	if err != nil {
		t.Fatal(err)
	}
	s.write(filepath.Join(dir, manifestFile), []byte("damaged"))
	if _, err := Run(context.Background(), last); err == nil {
		t.Error("rows that cannot be removed are passed over")
	}
	if _, err := os.Stat(filepath.Join(last.Out, "2026-12-03")); err == nil {
		t.Error("a night that fails to remove them shows its files")
	}
	s.write(filepath.Join(dir, manifestFile), manifest)
	s.run(last)
	for name := range tree(t, dir) {
		if !slices.Contains([]string{manifestFile, signatureFile, lineageFile, "report.html", "report.json", "aggregates.csv", "aggregates.parquet"}, name) {
			t.Errorf("after 30 days %s is still there", name)
		}
	}
	if v, err := Verify(dir, ""); err != nil || len(v.Gone) == 0 {
		t.Errorf("after 30 days: %v gone, %v", v.Gone, err)
	}
}

// BAT-08: training on rows granted only for analytics; a job without lineage.
func TestBAT08DenyTrainingOnAnotherPurposesRows(t *testing.T) {
	s := newShop(t)
	s.says(subject(1), consent.Given, yes, consent.Analytics)
	s.says(subject(2), consent.Given, yes, consent.Analytics, consent.ModelTraining)
	for n := 1; n <= 2; n++ {
		s.visit(subject(n), monday, n, 1)
	}
	n := until(t, s.night(monday.AddDate(0, 0, 1)), "building days")
	defer n.end()
	ctx := context.Background()
	if err := n.attach(ctx, []string{n.snap.Days[0].Path}); err != nil {
		t.Fatal(err)
	}
	if err := n.decide(ctx, consent.ModelTraining); err != nil {
		t.Fatal(err)
	}
	var own, others int64
	query := fmt.Sprintf("select count(*) filter (where subject = '%s'), count(*) filter (where subject <> '%[1]s') from %s", subject(2), viewOf(consent.ModelTraining))
	if err := n.db.one(ctx, query, &own, &others); err != nil || own == 0 || others != 0 {
		t.Errorf("for training: %d rows of who agreed, %d of who did not, %v", own, others, err)
	}
}

// VAR-06: a report's cell of three persons is suppressed, one of sixty is shown.
func TestVAR06DenyACellOfThreePersons(t *testing.T) {
	s := newShop(t)
	s.everyday(120, 1)
	in := s.night(monday.AddDate(0, 0, 1))
	in.Config.Segments = []config.Segment{{Name: "few", Where: "net_cents_90d > 2110", Purposes: []consent.Purpose{consent.MarketingEmail}}, {Name: "many", Where: "product_views_28d >= 2"}}
	for _, seg := range s.run(in).Report.Segments {
		if (seg.Members == nil) != (seg.Name == "few") {
			t.Errorf("%s: %v", seg.Name, seg.Members)
		}
	}
}
