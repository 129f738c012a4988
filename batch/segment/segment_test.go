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

	if len(res.Members) != 120 {
		t.Errorf("%d members, want 120", len(res.Members))
	}
	buyer := res.Members[subject(4)]
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
	if *email.Rows != 30 || *email.Loss != 60 {
		t.Errorf("lookers by e-mail: %d rows, %d lost", *email.Rows, *email.Loss)
	}
	if ads := reach(t, res.Report.Segments, "buyers", "ads"); ads.Published || ads.Rows != nil { // 10 of 30 agreed
		t.Errorf("a group under k was published: %+v", ads)
	}
	if _, err := os.Stat(filepath.Join(dir, "buyers.ads.csv")); !errors.Is(err, os.ErrNotExist) {
		t.Error("a group under k has a file")
	}
	if r := res.Report; len(r.Refusals) != 1 || r.Refusals[0].Count != 9 || r.Totals["admitted"] != 800 || len(r.Offers) != 1 || r.Offers[0].Offer != "human" {
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
	listed := map[string]bool{manifestFile: true}
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
			if got := strings.Contains(files["lookers.email.csv"], keys.row("post-house", who[:])); got != tt.email {
				t.Errorf("e-mail row there: %v, want %v", got, tt.email)
			}
			if got := strings.Contains(files["lookers.ads.csv"], keys.row("ad-house", who[:])); got != tt.ads {
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
		if len(rows) != 2 || rows[1][0] != keys.row(recipient, who[:]) || rows[1][1] != "lookers" {
			t.Errorf("tombstones of %s: %v", channel, rows)
		}
	}
	s.write(filepath.Join(in.Out, "2026-11-04", "lookers.email.parquet"), []byte("damaged"))
	if _, err := Run(context.Background(), s.night(monday.AddDate(0, 0, 3))); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("a damaged earlier export gave %v", err)
	}
}

func TestRecipientsCannotJoinTheirFiles(t *testing.T) {
	dir, who := t.TempDir(), subject(1)
	keys, err := openKeys(dir)
	if err != nil {
		t.Fatal(err)
	}
	again, err := openKeys(dir)
	if err != nil {
		t.Fatal(err)
	}
	if keys.row("a", who[:]) == keys.row("b", who[:]) {
		t.Error("two recipients have the same key for one person")
	}
	if keys.row("a", who[:]) != again.row("a", who[:]) {
		t.Error("one recipient has two keys for one person")
	}
}

func TestTheNightKeyIsPrivateAndKept(t *testing.T) {
	dir := t.TempDir()
	if _, err := openKeys(dir); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(dir, nightKeyFile))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if err := os.WriteFile(filepath.Join(dir, nightKeyFile), []byte("short"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := openKeys(dir); err == nil {
		t.Error("a damaged key was taken, or replaced")
	}
}

func TestAMergedPersonIsOneRow(t *testing.T) {
	s := newShop(t)
	s.everyday(240, 1)
	device, account := subject(1), subject(2)
	s.subjects[device] = subjectRow{scope: consent.Device}
	s.links[device] = account
	res := s.run(s.night(monday.AddDate(0, 0, 1)))
	if !slices.Equal(res.Members[device].Segments, res.Members[account].Segments) || len(res.Members) != 240 {
		t.Errorf("device %v, account %v, of %d", res.Members[device], res.Members[account], len(res.Members))
	}
	if got := *res.Report.Persons; got != 239 {
		t.Errorf("%d persons, want 239", got)
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
	in.Config.Segments = []config.Segment{{Name: "once", Where: "orders_90d = 2 and order_cents_90d = 5100"}}
	if res := s.run(in); !slices.Equal(res.Members[account].Segments, []string{"once"}) {
		t.Errorf("the account is in %v", res.Members[account].Segments)
	}
}

func TestPredicatesThatAreRefused(t *testing.T) {
	tests := []struct{ name, where, want string }{
		{"an unknown column", "looks_28d > 3", "looks_28d"},
		{"not a yes or no", "orders_90d + 1", "not a yes or no"},
		{"a typo", "orders_90d >", "syntax error"},
		{"empty", "  ", "no predicate"},
		{"a subquery", "orders_90d > (select 1)", "subquery"},
		{"another table", "exists (select 1 from standings)", "subquery"},
		{"a file", "orders_90d in (select x from read_csv('handschlag.yaml'))", "subquery"},
		{"a function that varies", "random() < 0.5", "random"},
		{"a second statement", "true); drop table members; select (true", "SELECT"},
		{"a second query", "true); select (true", "single"},
		{"a second column", "true), (false", "single"},
		{"a clause", "true) from features where (true", "syntax error"},
		{"the person", "person is not null or now() is null", "now"},
		{"a window", "sum(orders_90d) over () > 3", "window"},
		{"an aggregate", "max(orders_90d) > 3", "max"},
		{"a wildcard", "orders_90d > columns(*)", "star"},
	}
	var segments []config.Segment
	for i, tt := range tests {
		segments = append(segments, config.Segment{Name: "s" + string(rune('a'+i)), Where: tt.where, Line: 100 + i})
	}
	c := settings()
	c.Segments = segments
	err := Validate(context.Background(), c)
	if err == nil {
		t.Fatal("all were accepted")
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != len(tests) {
		t.Fatalf("%d errors for %d predicates: %v", len(lines), len(tests), err)
	}
	for i, tt := range tests {
		if !strings.Contains(lines[i], tt.want) || !strings.Contains(lines[i], segments[i].Name) || !strings.Contains(lines[i], "(line 1") {
			t.Errorf("%s: %q does not name segment, line and %q", tt.name, lines[i], tt.want)
		}
	}
}

func TestAWrongPredicateStopsTheNightBeforeItStarts(t *testing.T) {
	s := newShop(t)
	s.everyday(30, 1)
	in := s.night(monday.AddDate(0, 0, 1))
	in.Config.Segments[1].Where = "nonsense = 1"
	if _, err := Run(context.Background(), in); err == nil || !strings.Contains(err.Error(), "buyers") {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(filepath.Join(in.State, "state.json")); !errors.Is(err, os.ErrNotExist) {
		t.Error("the night had begun")
	}
}

func TestThePredicatesOfTheDefaultAreAccepted(t *testing.T) {
	if err := Validate(context.Background(), config.Default()); err != nil {
		t.Error(err)
	}
}

// TestEveryColumnIsDocumented: a column that nobody explains may not be used (LAW-05).
func TestEveryColumnIsDocumented(t *testing.T) {
	n := bench(t)
	var have, want []string
	err := n.db.each(context.Background(), "select column_name, column_type from (describe features) where column_name <> 'person'", func(scan func(...any) error) error {
		var name, kind string
		if err := scan(&name, &kind); err != nil {
			return err
		}
		if kind != "BIGINT" {
			t.Errorf("column %s is %s: features are 64-bit integers", name, kind)
		}
		have = append(have, name)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range Columns {
		want = append(want, c.Name)
		if c.De == "" || c.En == "" || c.Unit == "" {
			t.Errorf("column %s lacks words", c.Name)
		}
	}
	slices.Sort(have)
	slices.Sort(want)
	if !slices.Equal(have, want) {
		t.Errorf("features has %v,\ndocumented are %v", have, want)
	}
}

// TestChecksFindWhatTheyAreFor plants, in the tables of a good night, what each
// check forbids.
func TestChecksFindWhatTheyAreFor(t *testing.T) {
	s := newShop(t)
	s.everyday(240, 1)
	s.run(s.night(monday.AddDate(0, 0, 1)))
	faults := map[string]string{
		"no_small_file":            "update written set rows = 3 where kind = 'segment'",
		"files_hold_the_admitted":  "update written set rows = rows + 1 where kind = 'segment'",
		"no_row_without_verdict":   "insert into exports select segment, channel, 'x', gen_random_uuid() from exports limit 1",
		"no_channel_without_grant": "update standings set status = 'withdrawn' where purpose = 'marketing_email'",
		"no_event_without_consent": "update signatures set state = 'withdrawn'",
		"no_member_twice":          "insert into members select * from members limit 1",
		"shares_sum":               "update shares set ppm = ppm + 1 where variant = 'a'",
		"no_wide_number":           "insert into written_types values ('x', 'sum', 'DOUBLE')",
		"no_small_difference":      "insert into cells values ('more', 181, ''); insert into members select 'more', person from members where segment = 'lookers'",
		"no_key_left_behind":       "delete from exports",
	}
	files, err := checks.ReadDir("check")
	if err != nil || len(files) != len(faults) {
		t.Fatalf("%d checks, %d faults, %v", len(files), len(faults), err)
	}
	in := s.night(monday.AddDate(0, 0, 2))
	for _, f := range files {
		name := strings.TrimSuffix(f.Name(), ".sql")
		t.Run(name, func(t *testing.T) {
			n := until(t, in, "checking")
			defer n.end()
			if err := n.check(context.Background()); err != nil {
				t.Fatalf("before the fault: %v", err)
			}
			if err := n.db.exec(context.Background(), faults[name]); err != nil {
				t.Fatal(err)
			}
			query, err := checks.ReadFile("check/" + f.Name())
			if err != nil {
				t.Fatal(err)
			}
			var failed *FailedCheck
			if err := n.mustBeEmpty(context.Background(), name, string(query)); !errors.As(err, &failed) {
				t.Errorf("the fault was not found: %v", err)
			} else if strings.Contains(failed.Error(), subject(0).String()) {
				t.Errorf("the check prints subjects: %v", failed)
			}
		})
	}
}

// until runs a night up to a step.
func until(t *testing.T, in Inputs, name string) *night {
	t.Helper()
	n, err := begin(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range steps {
		if s.name == name {
			return n
		}
		if err := s.do(n, context.Background()); err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
	}
	t.Fatalf("there is no step %q", name)
	return nil
}

// TestAFailedCheckLeavesYesterday: the audit between write and publish.
func TestAFailedCheckLeavesYesterday(t *testing.T) {
	s := newShop(t)
	s.everyday(120, 1)
	s.run(s.night(monday.AddDate(0, 0, 1)))
	in := s.night(monday.AddDate(0, 0, 2))
	yesterday := tree(t, in.Out)
	good := steps
	defer func() { steps = good }()
	steps = slices.Clone(steps)
	for i, st := range steps {
		if st.name == "weighing variants" {
			steps[i].do = func(n *night, ctx context.Context) error {
				err := st.do(n, ctx)
				n.weights.Slots["home_hero"][""]["a"]++
				return err
			}
		}
	}
	_, err := Run(context.Background(), in)
	var failed *FailedCheck
	if !errors.As(err, &failed) || failed.Check != "shares_sum" {
		t.Errorf("got %v", err)
	}
	visible(t, in.Out, yesterday)
}

func TestExportsSwitchedOff(t *testing.T) {
	s := newShop(t)
	s.everyday(120, 1)
	in := s.night(monday.AddDate(0, 0, 1))
	in.ExportsOff = true
	res := s.run(in)
	for _, r := range res.Records {
		if !slices.Contains(r.Rules, "SWITCH") {
			t.Errorf("a row set was not refused by SWITCH: %v", r.Rules)
		}
	}
	if len(res.Members) == 0 {
		t.Error("the switch for exports also took the day's segments")
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
		config.Segment{Name: "nearly_buyers", Where: "orders_90d >= 1 and net_cents_90d > 2020"},
		config.Segment{Name: "few", Where: "net_cents_90d > 2200"})
	res := s.run(in)
	want := map[string]string{"lookers": "loss_under_k", "nearly_buyers": "difference_under_k", "few": "under_k", "buyers": ""}
	for _, seg := range res.Report.Segments {
		if seg.Withheld != want[seg.Name] || (seg.Members == nil) != (want[seg.Name] != "") {
			t.Errorf("%s: withheld %q, members %v", seg.Name, seg.Withheld, seg.Members)
		}
		if seg.Members == nil {
			for _, c := range seg.Channels {
				if c.Loss != nil {
					t.Errorf("%s: the loss on %s tells the size", seg.Name, c.Channel)
				}
			}
		}
	}
}

func TestFormulasAreNeutralised(t *testing.T) {
	w := scribe
	for in, want := range map[string]string{"=1+1": "'=1+1", "+1": "'+1", "-1": "'-1", "@x": "'@x", "\tx": "'\tx", "plain": "plain", "a=b": "a=b"} {
		var got string
		if err := w.one(context.Background(), "select "+csvSafe("v")+" from (select "+quote(in)+" as v)", &got); err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Errorf("%q is written %q, want %q", in, got, want)
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
	if len(res.Members) != 0 || len(res.Report.Segments) != 2 {
		t.Errorf("%d members, %d segments", len(res.Members), len(res.Report.Segments))
	}
}
