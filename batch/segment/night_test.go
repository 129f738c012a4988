package segment

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/event"
)

// tree is every file below a folder, by path.
func tree(t testing.TB, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := os.ReadFile(path)
		within, _ := filepath.Rel(dir, path)
		out[within] = string(body)
		return err
	})
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return out
}

func sameTree(t testing.TB, what string, a, b map[string]string) {
	t.Helper()
	for name := range a {
		if a[name] != b[name] {
			t.Errorf("%s: %s differs", what, name)
		}
	}
	if len(a) != len(b) || len(a) == 0 {
		t.Errorf("%s: %d files and %d", what, len(a), len(b))
	}
}

func TestANightRunTwiceGivesEqualBytes(t *testing.T) {
	s := newShop(t)
	s.everyday(120, 2)
	in := s.night(monday.AddDate(0, 0, 2))
	first := s.run(in)
	before := tree(t, in.Out)
	second := s.run(in)
	sameTree(t, "second run", before, tree(t, in.Out))
	if first.Publication.Run != second.Publication.Run || first.Records[0].ID != second.Records[0].ID {
		t.Error("the runs have different names")
	}
	for _, name := range []string{"manifest.json", "report.json", "report.html", "lookers.email.parquet", "lookers.email.csv", "tombstones.email.parquet"} {
		if before["2026-11-04/"+name] == "" {
			t.Errorf("%s is missing", name)
		}
	}
}

// TestThreadsDoNotShow needs more rows than one row group, or threads have nothing
// to reorder.
func TestThreadsDoNotShow(t *testing.T) {
	s := newShop(t)
	s.everyday(120, 2)
	var trees []map[string]string
	key := bytes.Repeat([]byte{7}, 32)
	for _, threads := range []int{1, 4} {
		in := s.night(monday.AddDate(0, 0, 2))
		in.Threads = threads
		in.State, in.Out = filepath.Join(s.dir, fmt.Sprint("night", threads)), filepath.Join(s.dir, fmt.Sprint("exports", threads))
		s.mkdir(filepath.Join(in.State, "keys"))
		s.write(filepath.Join(in.State, "keys", nightKeyFile), key)
		s.run(in)
		trees = append(trees, tree(t, in.Out))
	}
	sameTree(t, "four threads", trees[0], trees[1])
}

// TestOrderedFilesAreEqualAtAnySize writes more rows than a row group holds.
func TestOrderedFilesAreEqualAtAnySize(t *testing.T) {
	var sums []string
	for _, threads := range []int{1, 2, 4} {
		w, err := openWarehouse(context.Background(), filepath.Join(t.TempDir(), "spill"), 512, threads)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.exec(context.Background(), "create table x as select md5(range::varchar) as key, range % 7 as n from range(400000)"); err != nil {
			t.Fatal(err)
		}
		for _, ext := range []string{".parquet", ".csv"} {
			path := filepath.Join(t.TempDir(), "x"+ext)
			if err := w.copyTo(context.Background(), "select key, n from x order by key", path); err != nil {
				t.Fatal(err)
			}
			_, sum, err := digestFile(path)
			if err != nil {
				t.Fatal(err)
			}
			sums = append(sums, sum)
		}
		w.close()
	}
	if sums[0] != sums[2] || sums[0] != sums[4] || sums[1] != sums[3] || sums[1] != sums[5] {
		t.Errorf("digests differ by threads: %v", sums)
	}
}

// changes are the things that happen between two nights.
var changes = map[string]func(*shop){
	"many change their minds": func(s *shop) {
		s.says(subject(3), consent.Withdrawn, monday.Add(30*time.Hour), basis)
		s.says(subject(4), consent.Given, monday.Add(20*time.Hour), basis) // again, after a withdrawal
		renewed := s.standings[subject(5)][basis]
		renewed.Status, renewed.Until = consent.Renewed, renewed.Until.AddDate(0, 3, 0)
		s.standings[subject(5)][basis] = renewed
		s.subjects[subject(6)] = subjectRow{scope: consent.Account, restricted: true}
		delete(s.standings, subject(7)) // erased
		delete(s.subjects, subject(7))
		s.subjects[subject(8)] = subjectRow{scope: consent.Device}
		s.links[subject(8)] = subject(9)
		s.subjects[subject(10)] = subjectRow{scope: consent.Device}
		s.says(subject(11), consent.Given, monday.Add(10*time.Second), basis) // between the device's events
		s.links[subject(10)] = subject(11)
	},
	"a withdrawal, and the host dropped the rows": func(s *shop) {
		s.says(subject(3), consent.Withdrawn, monday.Add(30*time.Hour), basis)
		day := monday.Format(time.DateOnly)
		s.rows[day] = slices.DeleteFunc(s.rows[day], func(r event.Row) bool { return r.Subject == subject(3) })
		s.generations[day]++
	},
	"a product that became sensitive": func(s *shop) {
		s.products = []event.Product{{ID: "p2", Category: "tea", Tags: []string{"health"}}}
	},
}

// TestTwoNightsEqualOneRebuild is the law of the daily state: whatever happened in
// between, summing what two nights kept gives what one night makes of everything.
func TestTwoNightsEqualOneRebuild(t *testing.T) {
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			s := newShop(t)
			s.everyday(100, 1)
			s.products = []event.Product{{ID: "p2", Category: "tea"}}
			first := s.night(monday.AddDate(0, 0, 1))
			s.run(first)
			for n := range 100 {
				s.visit(subject(n), monday.Add(30*time.Hour+time.Duration(n)*time.Minute), n, 2)
			}
			change(s)
			second := s.night(monday.AddDate(0, 0, 2))
			told := copyOf(t, first.Out) // what readers know already
			s.run(second)

			rebuild := second
			rebuild.State, rebuild.Out = filepath.Join(s.dir, "night2"), told
			s.mkdir(filepath.Join(rebuild.State, "keys"))
			key, err := os.ReadFile(filepath.Join(second.State, "keys", nightKeyFile))
			if err != nil {
				t.Fatal(err)
			}
			s.write(filepath.Join(rebuild.State, "keys", nightKeyFile), key)
			s.run(rebuild)
			sameDaily(t, second.State, rebuild.State)
			for _, file := range []string{"report.json", "lookers.email.parquet", "lookers.ads.csv", "buyers.email.csv"} {
				a, _ := os.ReadFile(filepath.Join(second.Out, "2026-11-04", file))
				b, _ := os.ReadFile(filepath.Join(rebuild.Out, "2026-11-04", file))
				if !bytes.Equal(a, b) {
					t.Errorf("%s differs", file)
				}
			}
		})
	}
}

func sameDaily(t *testing.T, a, b string) {
	t.Helper()
	one, err := readState(a)
	if err != nil {
		t.Fatal(err)
	}
	two, err := readState(b)
	if err != nil {
		t.Fatal(err)
	}
	if len(one.Days) != len(two.Days) {
		t.Fatalf("%d days and %d", len(one.Days), len(two.Days))
	}
	for i := range one.Days {
		x, y := quote(filepath.Join(a, one.Days[i].File)), quote(filepath.Join(b, two.Days[i].File))
		var more, less int64
		query := fmt.Sprintf(`select (select count(*) from (from read_parquet(%[1]s) except from read_parquet(%[2]s))),
			(select count(*) from (from read_parquet(%[2]s) except from read_parquet(%[1]s)))`, x, y)
		if err := scribe.one(context.Background(), query, &more, &less); err != nil {
			t.Fatal(err)
		}
		if more+less > 0 {
			t.Errorf("day %s: %d rows too many, %d missing", one.Days[i].Day, more, less)
		}
	}
}

// TestAnUnchangedDayIsNotReadAgain removes the events of a day that is longer ago than
// the report looks back (unmetDays): a night that would rescan them could not run.
func TestAnUnchangedDayIsNotReadAgain(t *testing.T) {
	s := newShop(t)
	s.everyday(60, 1)
	s.run(s.night(monday.AddDate(0, 0, 1)))
	for n := range 60 {
		s.visit(subject(n), monday.Add(8*24*time.Hour+time.Duration(n)*time.Minute), n, 2)
	}
	in := s.night(monday.AddDate(0, 0, 9))
	s.write(filepath.Join(s.dir, "events", "dt=2026-11-02", "events.parquet"), []byte("gone"))
	res := s.run(in)
	if res.Members.Len() != 60 {
		t.Errorf("%d members, want 60", res.Members.Len())
	}
	state, err := readState(in.State)
	if err != nil {
		t.Fatal(err)
	}
	if state.Days[0].File != "daily/day=2026-11-02/000001.parquet" {
		t.Errorf("the first day was written again: %s", state.Days[0].File)
	}
}

// TestRowsOutliveRawEvents: the host keeps events for 30 days, the night its rows
// for 90, and a withdrawal reaches those too.
func TestRowsOutliveRawEvents(t *testing.T) {
	s := newShop(t)
	s.everyday(60, 1)
	s.run(s.night(monday.AddDate(0, 0, 1)))
	delete(s.rows, monday.Format(time.DateOnly))
	res := s.run(s.night(monday.AddDate(0, 0, 40)))
	if res.Members.Len() != 15 { // the 15 buyers; the lookers' 28 days are over
		t.Errorf("after 40 days: %d members, want 15", res.Members.Len())
	}
	s.says(subject(0), consent.Withdrawn, monday.AddDate(0, 0, 40), basis)
	in := s.night(monday.AddDate(0, 0, 41))
	if res := s.run(in); res.Members.Len() != 14 {
		t.Errorf("after a withdrawal: %d members, want 14", res.Members.Len())
	}
	for name := range tree(t, in.State) {
		if !strings.HasPrefix(name, "daily") {
			continue
		}
		var rows int64
		query := fmt.Sprintf("select count(*) from read_parquet(%s) where subject = '%s'", quote(filepath.Join(in.State, name)), subject(0))
		if err := scribe.one(context.Background(), query, &rows); err != nil || rows > 0 {
			t.Errorf("%s still holds a subject who withdrew: %d rows, %v", name, rows, err)
		}
	}
	if res := s.run(s.night(monday.AddDate(0, 0, 95))); res.Members.Len() != 0 {
		t.Errorf("after 95 days: %d members, want none", res.Members.Len())
	}
}

// TestAWithdrawalDuringTheRunBinds is T10.
func TestAWithdrawalDuringTheRunBinds(t *testing.T) {
	s := newShop(t)
	s.everyday(120, 1)
	in := s.night(monday.AddDate(0, 0, 1))
	in.Fresh = func(ctx context.Context, dir string) (bool, error) {
		for n := range 120 {
			if n%2 == 0 && n < 100 {
				s.says(subject(n), consent.Withdrawn, monday.AddDate(0, 0, 1), basis)
			}
		}
		s.says(subject(102), consent.Withdrawn, monday.AddDate(0, 0, 1), consent.MarketingEmail)
		return s.fresh(ctx, dir)
	}
	res := s.run(in)
	if _, still := held(res)[subject(10)]; still {
		t.Error("a subject who withdrew during the run is a member")
	}
	for _, seg := range res.Report.Segments {
		for _, c := range seg.Channels {
			if c.Channel == "email" && c.Published {
				t.Errorf("segment %s is exported by e-mail although withdrawals left fewer than k", seg.Name)
			}
		}
	}
}

// TestAGrantThatRanOutBeforeTheRunIsNone: the snapshot is read an hour after the
// midnight that the night counts to (CON-12, BAT-01 at the run's ledger time).
func TestAGrantThatRanOutBeforeTheRunIsNone(t *testing.T) {
	for name, x := range map[string]struct {
		after time.Duration
		want  bool
	}{
		"an hour and a half after midnight": {90 * time.Minute, true},
		"half an hour after midnight":       {30 * time.Minute, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShop(t)
			s.everyday(60, 1)
			asOf := monday.AddDate(0, 0, 1)
			st := s.standings[subject(10)][basis]
			st.Until = asOf.Add(x.after)
			s.standings[subject(10)][basis] = st
			if _, is := held(s.run(s.night(asOf)))[subject(10)]; is != x.want {
				t.Errorf("member: %v, want %v", is, x.want)
			}
		})
	}
}

// TestAStoppedNightLeavesYesterday cancels the night at every step that it reports.
func TestAStoppedNightLeavesYesterday(t *testing.T) {
	s := newShop(t)
	s.everyday(60, 2)
	first := s.night(monday.AddDate(0, 0, 1))
	s.run(first)
	yesterday := tree(t, first.Out)
	in := s.night(monday.AddDate(0, 0, 2))
	steps := 0
	in.Progress = func(string, int64, int64) { steps++ }
	clean := in
	clean.State, clean.Out = copyOf(t, in.State), copyOf(t, in.Out)
	s.run(clean)
	want, total := tree(t, clean.Out), steps
	for at := 1; at < total; at += 5 {
		ctx, cancel := context.WithCancel(context.Background())
		steps = 0
		in.Progress = func(string, int64, int64) {
			if steps++; steps == at {
				cancel()
			}
		}
		if _, err := Run(ctx, in); err == nil {
			t.Logf("stopped at %d of %d: too late, it was published", at, total)
			break
		}
		visible(t, in.Out, yesterday)
		cancel()
	}
	in.Progress = nil
	s.run(in)
	sameTree(t, "after many stops", want, tree(t, in.Out))
}

// visible holds what a reader of the exports folder may see after a stop.
func visible(t *testing.T, out string, yesterday map[string]string) {
	t.Helper()
	for name, body := range tree(t, out) {
		if strings.Contains(strings.Split(name, string(filepath.Separator))[0], tmpRun) {
			continue
		}
		if yesterday[name] != body {
			t.Errorf("after a stop, %s is not yesterday's", name)
		}
	}
}

func copyOf(t *testing.T, dir string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), filepath.Base(dir))
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return to
}

// TestKilledNight is not a test but the child of the next one: it dies at the
// step that its environment names.
func TestKilledNight(t *testing.T) {
	at, err := strconv.Atoi(os.Getenv("NIGHT_DIES_AT"))
	if err != nil {
		return
	}
	for id, body := range rules.NewCases() {
		casesSeen[id] = body
	}
	steps := 0
	_, err = Run(context.Background(), Inputs{
		Snapshot: os.Getenv("NIGHT_SNAPSHOT"), State: os.Getenv("NIGHT_STATE"), Out: os.Getenv("NIGHT_OUT"),
		AsOf: monday.AddDate(0, 0, 2), Config: settings(), Rules: rules, Threads: 2, MemoryMB: 512, Binary: "test",
		Progress: func(string, int64, int64) {
			if steps++; steps == at {
				os.Exit(9)
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestAKilledNightLeavesYesterday kills the process at steps all over the night;
// the next run gives the bytes of a night that was never killed.
func TestAKilledNightLeavesYesterday(t *testing.T) {
	s := newShop(t)
	s.everyday(60, 2)
	first := s.night(monday.AddDate(0, 0, 1))
	s.run(first)
	yesterday := tree(t, first.Out)
	in := s.night(monday.AddDate(0, 0, 2))
	in.Fresh = nil
	clean := in
	clean.State, clean.Out = copyOf(t, in.State), copyOf(t, in.Out)
	steps := 0
	clean.Progress = func(string, int64, int64) { steps++ }
	s.run(clean)
	for _, at := range []int{4, steps / 3, 2 * steps / 3, steps - 2, steps - 1} {
		child := exec.Command(os.Args[0], "-test.run", "^TestKilledNight$")
		child.Env = append(os.Environ(), fmt.Sprint("NIGHT_DIES_AT=", at), "NIGHT_SNAPSHOT="+in.Snapshot, "NIGHT_STATE="+in.State, "NIGHT_OUT="+in.Out)
		out, err := child.CombinedOutput()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 9 {
			t.Fatalf("dying at step %d of %d: %v: %s", at, steps, err, out)
		}
		visible(t, in.Out, yesterday)
	}
	s.run(in)
	sameTree(t, "after many deaths", tree(t, clean.Out), tree(t, in.Out))
	if left, _ := filepath.Glob(filepath.Join(in.Out, "*"+tmpRun)); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestAReplacedExportComesBack: a death between the two renames of a re-run.
func TestAReplacedExportComesBack(t *testing.T) {
	out := t.TempDir()
	for path, body := range map[string]string{"2026-11-03" + oldRun + "/manifest.json": "old", "2026-11-04/manifest.json": "new", "2026-11-04" + oldRun + "/manifest.json": "older", "2026-11-05" + tmpRun + "/x": "half"} {
		if err := os.MkdirAll(filepath.Join(out, filepath.Dir(path)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(out, path), []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := recoverExports(out); err != nil {
		t.Fatal(err)
	}
	got := tree(t, out)
	if len(got) != 2 || got["2026-11-03/manifest.json"] != "old" || got["2026-11-04/manifest.json"] != "new" {
		t.Errorf("after recovery: %v", got)
	}
}
