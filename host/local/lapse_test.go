package local

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/host/snapshot"
	"github.com/handschlag/handschlag/profile"
)

// remembers gives a subject a profile with a section of a purpose.
func (s *shop) remembers(who consent.Subject, p consent.Purpose) {
	s.t.Helper()
	ok(s.t, s.UpdateProfile(ctx, who, nil, func(was profile.Profile) profile.Profile {
		was.Sections = map[consent.Purpose]profile.Section{p: {}}
		return was
	}))
}

func (s *shop) sections(who consent.Subject) int {
	s.t.Helper()
	p, err := s.Profile(ctx, who)
	ok(s.t, err)
	return len(p.Sections)
}

// T14: what was made of a yes stays for 14 days after the yes has run out.
func TestCON12DenyAProfileTwoWeeksAfterTheYesRanOut(t *testing.T) {
	s := newShop(t)
	ada, bob := s.person(1, consent.AdviserAssist), s.person(2)
	account := s.person(3, consent.AdviserAssist)
	ok(t, s.Link(ctx, bob, account, noon))
	s.remembers(ada, consent.AdviserAssist)
	s.remembers(bob, consent.AdviserAssist) // rests on the account's word
	end := noon.AddDate(1, 0, 0)
	for _, c := range []struct {
		through time.Time
		left    int
	}{{end.Add(13 * aDay), 1}, {end.Add(15 * aDay), 0}} {
		s.now = c.through
		s.nightly(c.through.Truncate(aDay))
		equal(t, []int{s.sections(ada), s.sections(bob)}, []int{c.left, c.left})
	}
}

// T15: a banner that is invalidated takes with it what was given on it: standings
// of the night, rows, profile.
func TestCON06DenyWhatRestsOnAnInvalidatedBanner(t *testing.T) {
	s := newShop(t)
	ada, bob := s.person(1), s.person(2)
	for who, banner := range map[consent.Subject]string{ada: "banner-6", bob: "banner-7"} {
		_, err := s.Append(ctx, who, func(consent.State) (consent.Record, error) {
			return consent.Record{
				RecordID: banner, Scope: consent.Device, Event: consent.Act{Time: noon}, UI: consent.UI{Version: banner},
				Validity: consent.Validity{From: noon, Until: noon.AddDate(1, 0, 0)},
				Purposes: []consent.Choice{{Purpose: consent.Analytics, Status: consent.Given}, {Purpose: consent.AdviserAssist, Status: consent.Given}},
			}, nil
		})
		ok(t, err)
		s.remembers(who, consent.AdviserAssist)
	}
	s.takes(saw(ada, 1, noon.Add(time.Minute)), saw(bob, 2, noon.Add(time.Minute)))
	s.now = noon.Add(2 * aDay)
	equal(t, len(s.read(s.nightly(noon.Add(aDay).Truncate(aDay)).Days[0])), 2)

	s.opts.Invalid = consent.Invalidations{"banner-6": noon}
	dir := filepath.Join(t.TempDir(), "snapshot")
	ok(t, s.Snapshot(ctx, noon.Add(2*aDay).Truncate(aDay), dir))
	rows := s.read(readManifest(t, dir).Days[0])
	equal(t, len(rows), 1)
	equal(t, consent.Subject(rows[0].Subject), bob)
	standings, err := parquet.ReadFile[snapshot.StandingRow](filepath.Join(dir, "standings.parquet"))
	ok(t, err)
	equal(t, []string{standings[0].Status, standings[2].Status}, []string{"invalidated", "given"})
	equal(t, []int{s.sections(ada), s.sections(bob)}, []int{0, 1})
}

// RGT-07: what is restricted is stored and nothing else. What was withdrawn under the
// restriction goes once it is lifted.
func TestRGT07AllowNothingButStorageWhileRestricted(t *testing.T) {
	s := newShop(t)
	ada := s.person(1, consent.Analytics, consent.AdviserAssist)
	s.takes(saw(ada, 1, noon.Add(time.Minute)))
	ok(t, s.Restrict(ctx, ada, true, noon.Add(time.Hour)))
	s.says(ada, noon.Add(2*time.Hour), consent.Withdrawn, consent.Analytics, consent.AdviserAssist)
	s.now = noon.Add(2 * aDay)
	equal(t, len(s.read(s.nightly(noon.Add(aDay).Truncate(aDay)).Days[0])), 1)
	ok(t, s.Restrict(ctx, ada, false, noon.Add(2*aDay)))
	equal(t, len(s.read(s.nightly(noon.Add(2 * aDay).Truncate(aDay)).Days[0])), 0)
}

func TestASnapshotTellsObjectionsAndSuppressions(t *testing.T) {
	s := newShop(t)
	ada := s.person(1, consent.Analytics)
	ok(t, s.Object(ctx, ada, consent.Profiling, true, noon))
	ok(t, s.Restrict(ctx, ada, true, noon))
	ok(t, s.UpdateProfile(ctx, ada, []flow.StateAt{{Subject: ada, Version: 3}}, func(p profile.Profile) profile.Profile { return p }))
	dir := t.TempDir()
	ok(t, s.Standings(ctx, dir))
	subjects, err := parquet.ReadFile[snapshot.SubjectRow](filepath.Join(dir, "subjects.parquet"))
	ok(t, err)
	equal(t, subjects, []snapshot.SubjectRow{{Subject: ada, Scope: "device", Restricted: true, Objected: true, Objections: []string{"profiling"}, Suppressed: []string{}}})
}

// L10: the lists have retention of their own. What stands stays, what was replaced
// goes after three years, and the suppression list is for ever.
func TestListsAreStreamsWithTheirOwnRetention(t *testing.T) {
	s := newShop(t)
	s.opts.Retain = Retain{ListYears: 3}
	id, err := consent.NewID(consent.Account, "ada@shop.example")
	ok(t, err)
	ada, err := s.Assign(ctx, id)
	ok(t, err)
	ok(t, s.Object(ctx, ada, consent.DirectMarketing, true, noon))
	for i, on := range []bool{true, false, true, false} {
		ok(t, s.Restrict(ctx, ada, on, noon.AddDate(0, i, 0)))
	}
	ok(t, s.Object(ctx, ada, consent.Profiling, true, noon))
	ok(t, s.Object(ctx, ada, consent.Profiling, false, noon.AddDate(2, 0, 0)))
	ok(t, s.Suppress(ctx, ada, "email", true, noon))
	was, err := s.State(ctx, ada)
	ok(t, err)
	entries := func(asOf time.Time) int {
		ok(t, s.retain(asOf))
		es, err := s.Listed(ctx, ada)
		ok(t, err)
		is := consent.Retold(nil, es, noon.AddDate(9, 0, 0))
		is.Subject = ada
		equal(t, is, was)
		return len(es)
	}
	last := time.Date(noon.Year()+3, 12, 31, 23, 0, 0, 0, time.UTC)
	equal(t, []int{entries(last), entries(last.Add(2 * time.Hour)), entries(noon.AddDate(50, 0, 0))}, []int{8, 4, 4})
	n := 0
	ok(t, under(s.db, []byte{tabSuppressed}, func(_, _ []byte) error { n++; return nil }))
	equal(t, n, 1)
}

// EXP-03: whoever is suppressed and erased after a backup is suppressed when the
// backup is back, and after the erasure was carried out in it again.
func TestEXP03DenyThatARestoredBackupForgetsASuppression(t *testing.T) {
	s := erasable(t, Options{Restored: true})
	ids := map[string]consent.ID{}
	for _, name := range []string{"ada", "bob", "eve"} {
		id, err := consent.NewID(consent.Account, name)
		ok(t, err)
		_, err = s.Assign(ctx, id)
		ok(t, err)
		ids[name] = id
	}
	find := func(name string) consent.Subject {
		who, err := s.Assign(ctx, ids[name])
		ok(t, err)
		return who
	}
	ok(t, s.Close())
	backup := s.backup("state", "committed")
	s.open()
	ok(t, s.Suppress(ctx, find("ada"), "email", true, s.now))
	ok(t, s.Object(ctx, find("bob"), consent.DirectMarketing, true, s.now))
	for _, name := range []string{"ada", "bob"} {
		_, err := s.Erase(ctx, find(name), s.now)
		ok(t, err)
	}
	ok(t, s.Close())
	s.putBack(backup, "state", "committed")
	s.open()
	for name, want := range map[string]bool{"ada": true, "bob": true, "eve": false} {
		st, err := s.State(ctx, find(name))
		ok(t, err)
		if st.SuppressedFor(consent.MarketingEmail) != want {
			t.Errorf("%s is back as %+v", name, st)
		}
	}
}
