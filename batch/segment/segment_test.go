package segment

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/policy"
)

// reach finds a segment's numbers on a channel.
func reach(t *testing.T, segments []Segment, name, channel string) Reach {
	t.Helper()
	for _, s := range segments {
		for _, c := range s.Channels {
			if s.Name == name && c.Channel == channel {
				return c
			}
		}
	}
	t.Fatalf("no segment %s on %s", name, channel)
	return Reach{}
}

func readCSV(t *testing.T, path string) [][]string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// TestANightPublishes follows 120 shoppers, 30 of whom buy, to the files.
func TestANightPublishes(t *testing.T) {
	s := newShop(t)
	s.everyday(120, 2)
	s.counters = []string{
		`{"hour":"2026-11-02T10:00:00Z","name":"refused/CON-11","n":7}`, `{"hour":"2026-11-02T11:00:00Z","name":"refused/CON-11","n":2}`,
		`{"hour":"2026-11-02T11:00:00Z","name":"admitted","n":800}`, `{"hour":"2026-11-04T00:00:00Z","name":"admitted","n":99}`,
	}
	s.decisions = []decide.Record{
		{Time: monday, Action: decide.ActionEscalate, Rules: []string{"ESC-01"}, Input: []byte(`{}`), Result: []byte(`{"offer":"human"}`)},
		{Time: monday, Action: decide.ActionVariant, Input: []byte(`{}`), Result: []byte(`{}`)},
	}
	s.decisions = append(s.decisions, slices.Repeat(s.decisions[:1], 29)...)
	in := s.night(monday.AddDate(0, 0, 2))
	var committed []decide.Record
	in.Commit = func(_ context.Context, records []decide.Record) error {
		if _, err := os.Stat(filepath.Join(in.Out, "2026-11-04")); err == nil {
			t.Error("the export was visible before its records were durable")
		}
		committed = records
		return nil
	}
	res := s.run(in)

	if res.Members.Len() != 120 {
		t.Errorf("%d members, want 120", res.Members.Len())
	}
	buyer := held(res)[subject(4)]
	if !slices.Equal(buyer.Segments, []string{"buyers"}) || buyer.ValueTier < 1 || buyer.Purpose != basis || !buyer.Until.Equal(in.AsOf.AddDate(0, 0, 30)) {
		t.Errorf("a buyer's membership is %+v", buyer)
	}
	dir := filepath.Join(in.Out, "2026-11-04")
	rows := readCSV(t, filepath.Join(dir, "lookers.email.csv"))
	if !slices.Equal(rows[0], []string{"key", "segment", "as_of", "until"}) || len(rows) != 31 { // 90 look, 30 of them agreed to e-mail
		t.Errorf("lookers.email.csv has header %v and %d rows", rows[0], len(rows)-1)
	}
	if key := regexp.MustCompile(`^[0-9a-f]{32}$`); !key.MatchString(rows[1][0]) || rows[1][1] != "lookers" || rows[1][2] != "2026-11-04" || rows[1][3] != "2026-12-04" {
		t.Errorf("a row is %v", rows[1])
	}
	email := reach(t, res.Report.Segments, "lookers", "email")
	if *email.Rows != 25 || *email.Loss != 50 { // of 30 and 60
		t.Errorf("lookers by e-mail: %d rows, %d lost", *email.Rows, *email.Loss)
	}
	if ads := reach(t, res.Report.Segments, "buyers", "ads"); ads.Published || ads.Rows != nil { // 10 of 30 agreed
		t.Errorf("a group under k was published: %+v", ads)
	}
	if _, err := os.Stat(filepath.Join(dir, "buyers.ads.csv")); !errors.Is(err, os.ErrNotExist) {
		t.Error("a group under k has a file")
	}
	if r := res.Report; len(r.Refusals) != 1 || r.Refusals[0].Count != 9 || r.Totals["admitted"] != 800 || len(r.Offers) != 1 || r.Offers[0].Offer != "human" || r.Offers[0].Count != 25 {
		t.Errorf("refusals %v, totals %v, offers %v", r.Refusals, r.Totals, r.Offers)
	}
	if len(res.Records) != 4 || len(committed) != 4 || res.Records[0].Action != decide.ActionExport || !res.Records[0].Subject.IsZero() {
		t.Errorf("%d records, %d committed", len(res.Records), len(committed))
	}
	checkManifest(t, dir)
}

// checkManifest holds a manifest to the folder that it describes.
func checkManifest(t *testing.T, dir string) {
	t.Helper()
	body, err := os.ReadFile(filepath.Join(dir, manifestFile))
	if err != nil {
		t.Fatal(err)
	}
	var m Manifest
	if err := json.Unmarshal(body, &m); err != nil {
		t.Fatal(err)
	}
	if m.Checkpoint == "" || m.Digests.Policy == "" || m.Digests.Weights == "" || len(m.Sources) != 2 || len(m.Suppressed) != 1 {
		t.Errorf("manifest is incomplete: %s", body)
	}
	listed := map[string]bool{manifestFile: true, signatureFile: true}
	for _, f := range m.Files {
		listed[f.Name] = true
		if n, sum, err := digestFile(filepath.Join(dir, f.Name)); err != nil || sum != f.SHA256 || n != f.Bytes {
			t.Errorf("%s is not what the manifest says: %v", f.Name, err)
		}
	}
	for name := range tree(t, dir) {
		if !listed[name] {
			t.Errorf("%s is not in the manifest", name)
		}
		if strings.Contains(tree(t, dir)[name], subject(0).String()) {
			t.Errorf("%s holds a pseudonym", name)
		}
	}
}

// TestConsentPerChannel: each row of the law's export rules, alone, for one of 40.
func TestConsentPerChannel(t *testing.T) {
	tests := []struct {
		name  string
		about func(*shop, consent.Subject)
		email bool
		ads   bool
	}{
		{"EXP-01: yes to both", func(*shop, consent.Subject) {}, true, true},
		{"EXP-01: e-mail only", func(s *shop, who consent.Subject) { delete(s.standings[who], consent.AdsThirdParty) }, true, false},
		{"EXP-01: withdrawn", func(s *shop, who consent.Subject) {
			s.says(who, consent.Withdrawn, monday.Add(time.Hour), consent.MarketingEmail)
		}, false, true},
		{"CON-12: expired", func(s *shop, who consent.Subject) {
			st := s.standings[who][consent.MarketingEmail]
			st.Until = monday.Add(time.Hour)
			s.standings[who][consent.MarketingEmail] = st
		}, false, true},
		{"T16: objection", func(s *shop, who consent.Subject) {
			s.subjects[who] = subjectRow{scope: consent.Account, objected: true}
		}, false, false},
		{"SPC-06: 16 or 17", func(s *shop, who consent.Subject) { s.subjects[who] = subjectRow{scope: consent.Account, age: "16_17"} }, false, false},
		{"CON-14: a device cannot agree to e-mail", func(s *shop, who consent.Subject) { s.subjects[who] = subjectRow{scope: consent.Device} }, false, true},
		{"SIG-02: GPC blocks ads", func(s *shop, who consent.Subject) {
			s.stores(who, event.ProductViewed, monday.Add(time.Hour), event.Fields{Product: "p1"}, policy.TagNone, true)
		}, true, false},
		{"SIG-04: a choice in knowledge of GPC lifts it", func(s *shop, who consent.Subject) {
			s.stores(who, event.ProductViewed, monday.Add(time.Hour), event.Fields{Product: "p1"}, policy.TagNone, true)
			st := s.standings[who][consent.AdsThirdParty]
			st.Lifts = true
			s.standings[who][consent.AdsThirdParty] = st
		}, true, true},
		{"SPC-03: explicit consent covers no export", func(s *shop, who consent.Subject) {
			s.says(who, consent.Given, monday.Add(-time.Hour), consent.SpecialCategory("health"))
			s.stores(who, event.ProductViewed, monday.Add(time.Hour), event.Fields{Product: "p1"}, policy.TagExplicit, false)
		}, false, false},
	}
	s := newShop(t)
	s.everyday(240, 1)
	for n := range 240 {
		s.says(subject(n), consent.Given, monday.Add(-time.Hour), consent.MarketingEmail, consent.AdsThirdParty)
	}
	for n, tt := range tests {
		tt.about(s, subject(n*4+1))
	}
	in := s.night(monday.AddDate(0, 0, 1))
	s.run(in)
	keys, err := openKeys(filepath.Join(in.State, "keys"))
	if err != nil {
		t.Fatal(err)
	}
	files := tree(t, filepath.Join(in.Out, "2026-11-03"))
	for n, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			who := subject(n*4 + 1)
			if got := strings.Contains(files["lookers.email.csv"], keys.row("post-house", who[:]).String()); got != tt.email {
				t.Errorf("e-mail row there: %v, want %v", got, tt.email)
			}
			if got := strings.Contains(files["lookers.ads.csv"], keys.row("ad-house", who[:]).String()); got != tt.ads {
				t.Errorf("ads row there: %v, want %v", got, tt.ads)
			}
		})
	}
}

// TestTombstonesNameWhatIsGone: a withdrawal reaches every recipient that had the row.
func TestTombstonesNameWhatIsGone(t *testing.T) {
	s := newShop(t)
	s.everyday(240, 1)
	s.run(s.night(monday.AddDate(0, 0, 1)))
	s.says(subject(6), consent.Withdrawn, monday.AddDate(0, 0, 1), basis)
	in := s.night(monday.AddDate(0, 0, 2))
	s.run(in)
	keys, err := openKeys(filepath.Join(in.State, "keys"))
	if err != nil {
		t.Fatal(err)
	}
	who := subject(6)
	for channel, recipient := range map[string]string{"email": "post-house", "ads": "ad-house"} {
		rows := readCSV(t, filepath.Join(in.Out, "2026-11-04", "tombstones."+channel+".csv"))
		if len(rows) != 2 || rows[1][0] != keys.row(recipient, who[:]).String() || rows[1][1] != "lookers" {
			t.Errorf("tombstones of %s: %v", channel, rows)
		}
	}
	s.write(filepath.Join(in.Out, "2026-11-04", "lookers.email.parquet"), []byte("damaged"))
	if _, err := Run(context.Background(), s.night(monday.AddDate(0, 0, 3))); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("a damaged earlier export gave %v", err)
	}
}

func TestAMergedPersonIsOneRow(t *testing.T) {
	s := newShop(t)
	s.everyday(240, 1)
	device, account := subject(1), subject(2)
	s.subjects[device] = subjectRow{scope: consent.Device}
	s.says(account, consent.Given, monday.Add(-time.Hour), consent.AdsThirdParty)
	s.says(device, consent.Refused, monday.Add(-time.Hour), consent.AdsThirdParty) // one no is a no
	s.links[device] = account
	in := s.night(monday.AddDate(0, 0, 1))
	res := s.run(in)
	keys, err := openKeys(filepath.Join(in.State, "keys"))
	if err != nil {
		t.Fatal(err)
	}
	files := tree(t, filepath.Join(in.Out, "2026-11-03"))
	if !strings.Contains(files["lookers.email.csv"], keys.row("post-house", account[:]).String()) || strings.Contains(files["lookers.ads.csv"], keys.row("ad-house", account[:]).String()) {
		t.Error("the person must be in the e-mail file and not in the ads file")
	}
	if !slices.Equal(held(res)[device].Segments, held(res)[account].Segments) || res.Members.Len() != 240 {
		t.Errorf("device %v, account %v, of %d", held(res)[device], held(res)[account], res.Members.Len())
	}
	n := until(t, in, "deciding exports")
	defer n.end()
	var persons int64
	if err := n.db.one(t.Context(), "select count(*) from features", &persons); err != nil || persons != 239 {
		t.Errorf("%d persons, want 239, %v", persons, err)
	}
}

// TestAnOrderToldTwiceIsOneOrder: by the browser for the device and by the server
// for the account, or on two days.
func TestAnOrderToldTwiceIsOneOrder(t *testing.T) {
	s := newShop(t)
	device, account := subject(1), subject(2)
	for _, who := range []consent.Subject{device, account} {
		s.says(who, consent.Given, monday.Add(-time.Hour), basis)
		s.sees(who, event.OrderCompleted, monday, event.Fields{OrderKey: 77, CartCents: 5000})
	}
	s.sees(account, event.OrderCompleted, monday.AddDate(0, 0, 1), event.Fields{OrderKey: 77, CartCents: 5000})
	s.sees(account, event.OrderCompleted, monday.AddDate(0, 0, 1), event.Fields{OrderKey: 78, CartCents: 100})
	s.subjects[account] = subjectRow{scope: consent.Account}
	s.links[device] = account
	in := s.night(monday.AddDate(0, 0, 2))
	in.Config.Segments = []config.Segment{{Name: "once", Where: "orders_90d = 2 and order_cents_90d = 5100", Purposes: []consent.Purpose{consent.MarketingEmail}}}
	if res := s.run(in); !slices.Equal(held(res)[account].Segments, []string{"once"}) {
		t.Errorf("the account is in %v", held(res)[account].Segments)
	}
}

func TestTheExportsSwitchBinds(t *testing.T) {
	for _, c := range []struct {
		name           string
		before, during bool // switched off
	}{
		{"off all along", true, true},
		{"thrown during the run", false, true},
		{"back on during the run", true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newShop(t)
			s.everyday(120, 1)
			in := s.night(monday.AddDate(0, 0, 1))
			in.ExportsOff = c.before
			in.Fresh = func(ctx context.Context, dir string) (bool, error) {
				_, err := s.fresh(ctx, dir)
				return c.during, err
			}
			res := s.run(in)
			for _, r := range res.Records {
				if slices.Contains(r.Rules, "SWITCH") != c.during {
					t.Errorf("switched off: %v; a row set was decided by %v", c.during, r.Rules)
				}
			}
			if res.Members.Len() == 0 {
				t.Error("the switch for exports also took the day's segments")
			}
		})
	}
}

func TestSmallNumbersAreWithheld(t *testing.T) {
	s := newShop(t)
	s.everyday(240, 1) // 180 look, 60 buy
	in := s.night(monday.AddDate(0, 0, 1))
	for n := range 240 { // all but 5 lookers agree to e-mail
		if n%4 == 0 || n > 6 {
			s.says(subject(n), consent.Given, monday.Add(-time.Hour), consent.MarketingEmail)
		}
	}
	in = s.night(monday.AddDate(0, 0, 1))
	in.Config.Segments = append(in.Config.Segments,
		config.Segment{Name: "nearly_buyers", Where: "orders_90d >= 1 and net_cents_90d > 2020", Purposes: []consent.Purpose{consent.MarketingEmail}},
		config.Segment{Name: "few", Where: "net_cents_90d > 2200", Purposes: []consent.Purpose{consent.MarketingEmail}})
	res := s.run(in)
	want := map[string]string{"lookers": "", "nearly_buyers": "", "few": "under_k", "buyers": ""}
	for _, seg := range res.Report.Segments {
		if seg.Withheld != want[seg.Name] || (seg.Members == nil) != (want[seg.Name] != "") {
			t.Errorf("%s: withheld %q, members %v", seg.Name, seg.Withheld, seg.Members)
		}
		for _, c := range seg.Channels {
			for _, told := range []*int64{seg.Members, c.Rows, c.Loss} {
				if told != nil && *told%25 != 0 {
					t.Errorf("%s on %s tells %d, between two steps", seg.Name, c.Channel, *told)
				}
			}
		}
	}
}

func TestASnapshotThatEndsTooEarlyIsRefused(t *testing.T) {
	s := newShop(t)
	s.everyday(30, 1)
	in := s.night(monday.AddDate(0, 0, 1))
	in.AsOf = monday.AddDate(0, 0, 5)
	if _, err := Run(context.Background(), in); err == nil || !strings.Contains(err.Error(), "ends at") {
		t.Errorf("got %v", err)
	}
}

func TestANightWithoutAnyEvent(t *testing.T) {
	s := newShop(t)
	res := s.run(s.night(monday))
	if res.Members.Len() != 0 || len(res.Report.Segments) != 2 {
		t.Errorf("%d members, %d segments", res.Members.Len(), len(res.Report.Segments))
	}
}

// SPC-01: a segment that gives a health matter away leaves on no channel, though
// each of its members agreed to both.
func TestASensitiveSegmentIsNotExported(t *testing.T) {
	s := newShop(t)
	s.everyday(240, 1)
	for n := range 240 {
		s.says(subject(n), consent.Given, monday.Add(-time.Hour), consent.MarketingEmail, consent.AdsThirdParty)
	}
	in := s.night(monday.AddDate(0, 0, 1))
	in.Config.Segments[1].Special = "health"
	for _, f := range s.run(in).Report.Segments {
		for _, c := range f.Channels {
			if want := f.Name == "lookers"; c.Published != want {
				t.Errorf("%s on %s is published: %t, want %t", f.Name, c.Channel, c.Published, want)
			}
		}
	}
}
