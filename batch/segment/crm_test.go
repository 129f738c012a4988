package segment

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/handschlag/handschlag/consent"
)

// crmShop is a shop of 240 accounts who all confirmed an address and said yes to mail,
// and their CRM: customer K0007 is subject 7.
func crmShop(t *testing.T) *shop {
	t.Helper()
	s := newShop(t)
	s.everyday(240, 1)
	asked, clicked := yes.Add(-3*time.Hour), yes
	for n := range 240 {
		s.says(subject(n), consent.Given, yes, consent.MarketingEmail)
		st := s.standings[subject(n)][consent.MarketingEmail]
		st.Proof = &consent.Proof{DOISent: &asked, DOIConfirmed: &clicked, MailVersion: "doi-1"}
		s.standings[subject(n)][consent.MarketingEmail] = st
	}
	return s
}

func number(n int) string { return fmt.Sprintf("K%04d", n) }
func mailOf(n int) string { return fmt.Sprintf("private-%04d@home.example", n) }

// crmRows is the CRM of the shop's customers, and of ten that the shop never saw.
func crmRows() [][]string {
	rows := [][]string{{"name", customerNumber, "email", "birthday"}}
	for n := range 250 {
		rows = append(rows, []string{fmt.Sprintf("Nobody's Business %d", n), number(n), mailOf(n), "1980-01-01"})
	}
	return rows
}

// crmFile writes a CRM where no night writes anything.
func crmFile(t *testing.T, rows [][]string) string {
	t.Helper()
	var b bytes.Buffer
	if err := csv.NewWriter(&b).WriteAll(rows); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "crm.csv")
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// joining is a night with the CRM in a file. The first 240 numbers have a pseudonym.
func (s *shop) joining(asOf time.Time, path string) Inputs {
	in := s.night(asOf)
	in.Config.Exports.Channels[0].DoubleOptIn = "ours"
	in.CRM = &CRM{Path: path, Subjects: func(_ context.Context, numbers []string) (map[string]consent.Subject, error) {
		out := map[string]consent.Subject{}
		for n := range 240 {
			if slices.Contains(numbers, number(n)) {
				out[number(n)] = subject(n)
			}
		}
		return out, nil
	}}
	return in
}

// TestOnlyTheAdmittedMeetTheirAddress lets everybody say yes but those of whom each may
// not be written to for one reason, and looks at every byte that the night left.
func TestOnlyTheAdmittedMeetTheirAddress(t *testing.T) {
	s := crmShop(t)
	not := map[int]func(consent.Subject){
		1: func(who consent.Subject) { s.says(who, consent.Withdrawn, monday, consent.MarketingEmail) },
		2: func(who consent.Subject) { s.subjects[who] = subjectRow{scope: consent.Account, objected: true} },
		3: func(who consent.Subject) {
			s.subjects[who] = subjectRow{scope: consent.Account, suppressed: []string{"email"}}
		},
		5: func(who consent.Subject) {
			s.subjects[who] = subjectRow{scope: consent.Account, suppressed: []string{"all"}}
		},
		6: func(who consent.Subject) { s.subjects[who] = subjectRow{scope: consent.Account, restricted: true} },
		7: func(who consent.Subject) { s.says(who, consent.Given, yes, consent.MarketingEmail) }, // never confirmed
		9: func(who consent.Subject) { s.erase(who) },
	}
	for n, do := range not {
		do(subject(n))
	}
	rows := crmRows()
	rows[11][2] = ""                          // subject 10 has no address
	rows[14][2] = strings.ToUpper(rows[2][2]) // 13 has that of 1, who withdrew
	not[10], not[13] = nil, nil
	in := s.joining(monday.AddDate(0, 0, 1), crmFile(t, rows))
	s.run(in)

	dir := filepath.Join(in.Out, "2026-11-03", crmFolder)
	got := readCSV(t, filepath.Join(dir, "email.csv"))
	if !slices.Equal(got[0], []string{customerNumber, "segment", "as_of", "until", "address"}) {
		t.Errorf("header %v", got[0])
	}
	want := map[string]bool{}
	for n := range 240 {
		if _, refused := not[n]; !refused {
			segment := "lookers"
			if n%4 == 0 {
				segment = "buyers"
			}
			want[strings.Join([]string{number(n), segment, "2026-11-03", "2026-12-03", mailOf(n)}, " ")] = true
		}
	}
	is := map[string]bool{}
	for _, r := range got[1:] {
		is[strings.Join(r, " ")] = true
	}
	if !maps.Equal(is, want) || len(got)-1 != len(want) {
		t.Errorf("%d rows, want %d", len(got)-1, len(want))
	}
	leftNothing(t, s.dir, dir, want)
}

// leftNothing fails for any byte of the CRM outside its own folder, and for an address
// of somebody who is not to be written to anywhere.
func leftNothing(t *testing.T, data, dir string, want map[string]bool) {
	t.Helper()
	admitted := map[string]bool{}
	for row := range want {
		admitted[row[strings.LastIndex(row, " ")+1:]] = true
	}
	files := 0
	err := filepath.WalkDir(data, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files++
		for n := range 250 {
			if bytes.Contains(bytes.ToLower(body), []byte(mailOf(n))) && (filepath.Dir(path) != dir || !admitted[mailOf(n)]) {
				t.Errorf("%s holds the address of %d", path, n)
			}
		}
		if filepath.Dir(path) != dir && bytes.Contains(body, []byte("K00")) || bytes.Contains(body, []byte("Nobody's")) || bytes.Contains(body, []byte("1980-01")) {
			t.Errorf("%s holds what only the CRM knows", path)
		}
		if info, err := d.Info(); err == nil && filepath.Dir(path) == dir && info.Mode().Perm() != 0o600 {
			t.Errorf("%s is %v", path, info.Mode())
		}
		return nil
	})
	if err != nil || files < 20 {
		t.Errorf("looked at %d files, %v", files, err)
	}
}

func TestAJoinIsOfItsNightAlone(t *testing.T) {
	s := crmShop(t)
	path := crmFile(t, crmRows())
	first := s.joining(monday.AddDate(0, 0, 1), path)
	s.run(first)
	dir := filepath.Join(first.Out, "2026-11-03")
	if v, err := Verify(dir, ""); err != nil || v.Files < 10 {
		t.Errorf("%d files, %v", v.Files, err)
	}
	if body, err := os.ReadFile(filepath.Join(dir, manifestFile)); err != nil || bytes.Contains(body, []byte(crmFolder+"/")) {
		t.Errorf("the published manifest knows the CRM: %v", err)
	}
	// Somebody moved: the same night again, every other byte is there already.
	rows := crmRows()
	rows[3][2] = "moved@home.example"
	before := withoutCRM(tree(t, dir))
	again := s.joining(monday.AddDate(0, 0, 1), crmFile(t, rows))
	again.Snapshot = first.Snapshot
	s.run(again)
	sameTree(t, "the export", before, withoutCRM(tree(t, dir)))
	body, err := os.ReadFile(filepath.Join(dir, crmFolder, "email.csv"))
	if err != nil || !bytes.Contains(body, []byte("moved@home.example")) || bytes.Contains(body, []byte(mailOf(2))) {
		t.Errorf("the second join is not there: %v", err)
	}
	// A flipped bit, and the next night, with which the rows are past (EXP-06).
	copied := copyOf(t, first.Out)
	body[len(body)/2] ^= 1
	rewrite(t, filepath.Join(copied, "2026-11-03", crmFolder, "email.csv"), body)
	if _, err := Verify(filepath.Join(copied, "2026-11-03"), ""); err == nil {
		t.Error("an altered join verifies")
	}
	second := s.night(monday.AddDate(0, 0, 2))
	second.Config.Exports.Channels[0].DoubleOptIn = "ours"
	s.run(second)
	if _, err := os.Stat(filepath.Join(dir, crmFolder)); err == nil {
		t.Error("the rows of the last night's CRM are still there")
	}
}

func withoutCRM(files map[string]string) map[string]string {
	maps.DeleteFunc(files, func(name, _ string) bool { return strings.HasPrefix(name, crmFolder) })
	return files
}

func TestParquetJoinsLikeCSV(t *testing.T) {
	s := crmShop(t)
	path := crmFile(t, crmRows())
	in := s.joining(monday.AddDate(0, 0, 1), path)
	s.run(in)
	dir := filepath.Join(in.Out, "2026-11-03", crmFolder)
	want := readCSV(t, filepath.Join(dir, "email.csv"))
	from := filepath.Join(t.TempDir(), "crm.parquet")
	if err := scribe.copyTo(context.Background(), "select * from read_csv("+quote(path)+", all_varchar = true) order by name", from); err != nil {
		t.Fatal(err)
	}
	again := s.joining(monday.AddDate(0, 0, 1), from)
	again.Snapshot = in.Snapshot
	s.run(again)
	got := readCSV(t, filepath.Join(dir, "email.csv"))
	if !slices.EqualFunc(got, want, slices.Equal[[]string]) || len(got) < 200 {
		t.Errorf("%d rows of Parquet, %d of CSV", len(got), len(want))
	}
	var rows int
	query := "select count(*) from read_parquet(" + quote(filepath.Join(dir, "email.parquet")) + ") as p join read_csv(" + quote(filepath.Join(dir, "email.csv")) + ", all_varchar = true) as c on (p.customer_number, p.segment, p.as_of, p.until, p.address) = (c.customer_number, c.segment, c.as_of, c.until, c.address)"
	if err := scribe.one(context.Background(), query, &rows); err != nil || rows != len(want)-1 {
		t.Errorf("%d rows of the Parquet are in the CSV, want %d, %v", rows, len(want)-1, err)
	}
}

func TestABadCRMStopsTheNightAndNamesTheLine(t *testing.T) {
	s := crmShop(t)
	head := "customer_number,email\n"
	for name, c := range map[string]struct{ body, want string }{
		"twice":              {head + "a,\nb,\na,\n", "line 4: the customer number is there twice, first on line 2"},
		"no number":          {head + "a,\n,x@y.example\n", "line 3, column customer_number"},
		"a control sign":     {head + "a\x01,\n", "line 2, column customer_number"},
		"no address":         {head + "a,not an address\n", "line 2, column email: want an e-mail address"},
		"two addresses":      {head + "a,\"x@y.example, z@y.example\"\n", "line 2, column email"},
		"a name with it":     {head + "a,Ada <x@y.example>\n", "line 2, column email"},
		"a field too few":    {head + "a\n", "line 2: wrong number of fields"},
		"a lonely quote":     {head + "a,\"x\n", "line 2, column 6"},
		"Latin-1":            {head + "a\xe4,\n", "line 2, column 1: want UTF-8"},
		"several lines each": {head + "\"a\",\"x@y.example\"\n\n\"b\",nothing\n", "line 4, column email"},
		"no column":          {"id,email\na,\n", "line 1: there is no column customer_number, but id, email"},
		"a column twice":     {"customer_number,email,email\na,,\n", "line 1: column email is there twice"},
		"no channel":         {"customer_number,fax\na,\n", "no column is named like a channel"},
		"empty":              {"", "it is empty: want a header"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "crm.csv")
			if err := os.WriteFile(path, []byte(c.body), 0o600); err != nil {
				t.Fatal(err)
			}
			in := s.joining(monday.AddDate(0, 0, 1), path)
			_, err := Run(context.Background(), in)
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "not an address") {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if _, err := os.Stat(filepath.Join(in.Out, "2026-11-03")); err == nil {
				t.Error("something was published")
			}
		})
	}
}

// EXP-04: where the addresses are ours, so is the proof that their owners confirmed them.
func TestEXP04DenyTheCRMWithoutOurOwnProof(t *testing.T) {
	s := crmShop(t)
	in := s.joining(monday.AddDate(0, 0, 1), crmFile(t, crmRows()))
	in.Config.Exports.Channels[0].DoubleOptIn = ""
	if _, err := Run(context.Background(), in); err == nil || !strings.Contains(err.Error(), "double_opt_in: ours (EXP-04)") {
		t.Errorf("got %v", err)
	}
}

func TestNoCustomerNumberOpensAsAFormula(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.csv")
	err := writeCSV(path, []joinedColumn{{"number", func(i int) string { return hostile[i] }}, {"z", func(int) string { return "a;=1" }}}, len(hostile))
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range readCSV(t, path)[1:] {
		if want := strings.ReplaceAll(safeCell(hostile[i]), "\r\n", "\n"); r[0] != want || !opensAsText(r[0]) || r[1] != "a;=1" {
			t.Errorf("%q is written %q", hostile[i], r)
		}
	}
	body, err := os.ReadFile(path)
	if err != nil || bytes.Contains(bytes.ReplaceAll(body, []byte(`"a;=1"`), nil), []byte(";")) {
		t.Errorf("a cell with a separator stands without quotes: %v", err)
	}
}
