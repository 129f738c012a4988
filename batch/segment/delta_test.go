package segment

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/event"
)

// downstream is a recipient's own copy: the full files of a first night, and then what
// deltas and tombstones say.
type downstream struct {
	t    *testing.T
	rows map[string]bool // "segment.channel key"
	base string          // SHA-256 of the manifest that rows are of
}

// take brings the copy up to a night, by deltas if they are against what it holds.
func (d *downstream) take(dir string, m Manifest) {
	d.t.Helper()
	_, sum, err := digestFile(filepath.Join(dir, manifestFile))
	if err != nil {
		d.t.Fatal(err)
	}
	follows := m.Base != nil && m.Base.Manifest == d.base
	if !follows {
		d.rows = map[string]bool{}
	}
	d.base = sum
	for _, f := range m.Files {
		if filepath.Ext(f.Name) != ".csv" {
			continue
		}
		for _, row := range csvRows(d.t, filepath.Join(dir, f.Name)) {
			at := row["segment"] + "." + f.Channel + " " + row["key"]
			switch {
			case f.Kind == "segment" && !follows, follows && f.Kind == delta && row["change"] == "added":
				d.rows[at] = true
			case follows && (f.Kind == tombstones || f.Kind == delta):
				delete(d.rows, at)
			}
		}
	}
}

// csvRows reads a CSV by the names of its header.
func csvRows(t *testing.T, path string) (out []map[string]string) {
	t.Helper()
	rows := readCSV(t, path)
	for _, r := range rows[1:] {
		row := map[string]string{}
		for i, name := range rows[0] {
			row[name] = r[i]
		}
		out = append(out, row)
	}
	return out
}

// full is what a night's full files hold.
func full(t *testing.T, dir string, m Manifest) map[string]bool {
	t.Helper()
	d := downstream{t: t}
	d.take(dir, Manifest{Files: m.Files})
	return d.rows
}

// erase takes a subject out of everything, as a host does.
func (s *shop) erase(who consent.Subject) {
	delete(s.standings, who)
	delete(s.subjects, who)
	for day, rows := range s.rows {
		kept := slices.DeleteFunc(slices.Clone(rows), func(r event.Row) bool { return r.Subject == who })
		if len(kept) < len(rows) {
			s.rows[day], s.generations[day] = kept, s.generations[day]+1
		}
	}
}

// TestDeltasAndTombstonesLeadToTheFullFiles lets persons come, agree, withdraw and be
// erased over nights, groups fall under k and rise again, and a night be missed.
func TestDeltasAndTombstonesLeadToTheFullFiles(t *testing.T) {
	s := newShop(t)
	s.everyday(130, 1)
	random, people := rand.New(rand.NewPCG(8, 5)), 130
	always, lazy := downstream{t: t}, downstream{t: t}
	kinds := map[string]int64{}
	for night := range 5 {
		asOf := monday.AddDate(0, 0, night+1)
		in := s.night(asOf)
		s.run(in)
		dir := filepath.Join(in.Out, asOf.Format(time.DateOnly))
		m := manifestIn(t, dir)
		always.take(dir, m)
		if night != 2 {
			lazy.take(dir, m)
		}
		for name, d := range map[string]*downstream{"every night": &always, "all but one": &lazy} {
			if want := full(t, dir, m); (night != 2 || d == &always) && !maps.Equal(d.rows, want) {
				t.Fatalf("night %d, %s: holds %d rows, the full files %d", night, name, len(d.rows), len(want))
			}
		}
		for _, f := range m.Files {
			kinds[f.Kind] += f.Rows
		}
		people = s.lives(random, people, asOf)
	}
	if kinds[delta] == 0 || kinds[tombstones] == 0 {
		t.Errorf("nothing changed: %v", kinds)
	}
}

// lives lets some days' worth of things happen, and gives how many there are now.
func (s *shop) lives(random *rand.Rand, people int, at time.Time) int {
	for n := range people {
		who := subject(n)
		if _, there := s.subjects[who]; !there {
			continue
		}
		switch x := random.IntN(100); {
		case x < 3:
			s.erase(who)
		case x < 20:
			s.says(who, consent.Withdrawn, at, consent.MarketingEmail)
		case x < 45:
			s.says(who, consent.Given, at, consent.MarketingEmail)
		case x < 48:
			s.says(who, consent.Withdrawn, at, basis)
		}
	}
	for n := people; n < people+10; n++ {
		s.says(subject(n), consent.Given, at, consent.PersonalisationContent, consent.MarketingEmail, consent.AdsThirdParty)
		s.subjects[subject(n)] = subjectRow{scope: consent.Account}
		s.visit(subject(n), at.Add(time.Duration(n)*time.Second), n, 0)
	}
	return people + 10
}

func manifestIn(t *testing.T, dir string) Manifest {
	t.Helper()
	m, err := readManifest(dir)
	if err != nil || m.Schema == "" {
		t.Fatalf("manifest of %s: %v", dir, err)
	}
	return m
}

// EXP-06: who was a recipient yesterday hears of what it has to delete, though the
// configuration knows neither its channel nor the segment any more.
func TestAFormerChannelIsToldToDelete(t *testing.T) {
	s := newShop(t)
	s.everyday(240, 1)
	first := s.night(monday.AddDate(0, 0, 1))
	s.run(first)
	had := readCSV(t, filepath.Join(first.Out, "2026-11-03", "lookers.ads.csv"))
	for night := 2; night <= 3; night++ {
		in := s.night(monday.AddDate(0, 0, night))
		in.Config.Exports.Channels = in.Config.Exports.Channels[:1]
		in.Config.Segments = in.Config.Segments[1:]
		s.run(in)
		dir := filepath.Join(in.Out, fmt.Sprintf("2026-11-%02d", night+2))
		if got := readCSV(t, filepath.Join(dir, "revocations.ads.csv")); len(got) != len(had) {
			t.Errorf("night %d: %d revocations, want %d", night, len(got)-1, len(had)-1)
		}
		tombs, err := os.ReadFile(filepath.Join(dir, "tombstones.ads.csv"))
		if rows := strings.Count(string(tombs), "\n"); err != nil || night == 2 && rows != len(had) || night == 3 && rows != 1 {
			t.Errorf("night %d: %d tombstones, want those of the night before, %v", night, rows-1, err)
		}
		for _, f := range manifestIn(t, dir).Files {
			if f.Channel == "ads" && f.Recipient != "ad-house" {
				t.Errorf("%s goes to %q", f.Name, f.Recipient)
			}
		}
	}
}
