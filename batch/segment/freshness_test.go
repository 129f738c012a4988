package segment

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/handschlag/handschlag/consent"
)

// changesOfMind are what may happen between the snapshot and publication, each with the
// channels that it closes.
var changesOfMind = []struct {
	name       string
	email, ads bool // stay open
	do         func(*shop, consent.Subject, time.Time)
}{
	{"nothing", true, true, func(*shop, consent.Subject, time.Time) {}},
	{"withdraws mail", false, true, func(s *shop, who consent.Subject, at time.Time) {
		s.says(who, consent.Withdrawn, at, consent.MarketingEmail)
	}},
	{"withdraws ads", true, false, func(s *shop, who consent.Subject, at time.Time) {
		s.says(who, consent.Withdrawn, at, consent.AdsThirdParty)
	}},
	{"withdraws personalisation", false, false, func(s *shop, who consent.Subject, at time.Time) { s.says(who, consent.Withdrawn, at, basis) }},
	{"withdraws, and says yes again", false, false, func(s *shop, who consent.Subject, at time.Time) {
		s.says(who, consent.Withdrawn, at, basis)
		s.says(who, consent.Given, at.Add(time.Minute), basis)
	}},
	{"objects to marketing", false, false, func(s *shop, who consent.Subject, _ time.Time) {
		s.subjects[who] = subjectRow{scope: consent.Account, objected: true}
	}},
	{"objects to mail", false, true, func(s *shop, who consent.Subject, _ time.Time) {
		s.subjects[who] = subjectRow{scope: consent.Account, objections: []string{consent.DirectMarketing + ":" + string(consent.MarketingEmail)}}
	}},
	{"objects to profiling", false, false, func(s *shop, who consent.Subject, _ time.Time) {
		s.subjects[who] = subjectRow{scope: consent.Account, objections: []string{consent.Profiling}}
	}},
	{"is suppressed for mail", false, true, func(s *shop, who consent.Subject, _ time.Time) {
		s.subjects[who] = subjectRow{scope: consent.Account, suppressed: []string{"email"}}
	}},
	{"is restricted", false, false, func(s *shop, who consent.Subject, _ time.Time) {
		s.subjects[who] = subjectRow{scope: consent.Account, restricted: true}
	}},
	{"turns out to be 15", false, false, func(s *shop, who consent.Subject, _ time.Time) {
		s.subjects[who] = subjectRow{scope: consent.Account, age: "u16"}
	}},
	{"is erased", false, false, func(s *shop, who consent.Subject, _ time.Time) { s.erase(who) }},
}

// TestNoRowOutlivesAChangeOfMind lets every person of a shop do one of these things at
// random between the snapshot and publication: a row leaves for exactly those channels
// that stayed open (EXP-06).
func TestNoRowOutlivesAChangeOfMind(t *testing.T) {
	for seed := range uint64(2) {
		s, random := newShop(t), rand.New(rand.NewPCG(seed, 6))
		s.everyday(480, 1)
		for n := range 480 {
			s.says(subject(n), consent.Given, yes, consent.MarketingEmail, consent.AdsThirdParty)
		}
		in := s.night(monday.AddDate(0, 0, 1))
		did := make([]int, 480)
		in.Fresh = func(ctx context.Context, dir string) (bool, error) {
			for n := range did {
				did[n] = max(0, random.IntN(2*len(changesOfMind))-len(changesOfMind)) // half do nothing
				changesOfMind[did[n]].do(s, subject(n), monday.AddDate(0, 0, 1))
			}
			return s.fresh(ctx, dir)
		}
		s.run(in)
		keys, err := openKeys(filepath.Join(in.State, "keys"))
		if err != nil {
			t.Fatal(err)
		}
		rows := full(t, filepath.Join(in.Out, "2026-11-03"), manifestIn(t, filepath.Join(in.Out, "2026-11-03")))
		for n, d := range did {
			who, segment := subject(n), "lookers"
			if n%4 == 0 {
				segment = "buyers"
			}
			x := changesOfMind[d]
			for _, c := range []struct {
				channel, recipient string
				open               bool
			}{{"email", "post-house", x.email}, {"ads", "ad-house", x.ads}} {
				if got := rows[segment+"."+c.channel+" "+keys.row(c.recipient, who[:]).String()]; got != c.open {
					t.Errorf("seed %d: %d %s: row for %s there: %v, want %v", seed, n, x.name, c.channel, got, c.open)
				}
			}
		}
	}
}

// TestConsentThatReadsTheSameIsNotFoldedAgain: a second reading that is the first byte for
// byte leaves what was made of that, and the exports switch of now counts all the same.
func TestConsentThatReadsTheSameIsNotFoldedAgain(t *testing.T) {
	s := newShop(t)
	s.everyday(240, 1)
	again := func(in Inputs, off bool) func(context.Context, string) (bool, error) {
		return func(_ context.Context, dir string) (bool, error) {
			for _, name := range []string{"standings.parquet", "subjects.parquet"} {
				body, err := os.ReadFile(filepath.Join(in.Snapshot, name))
				if err == nil {
					err = os.WriteFile(filepath.Join(dir, name), body, 0o600)
				}
				if err != nil {
					return off, err
				}
			}
			return off, nil
		}
	}
	withdraws := func(ctx context.Context, dir string) (bool, error) {
		s.says(subject(0), consent.Withdrawn, monday.AddDate(0, 0, 1), consent.MarketingEmail)
		return s.fresh(ctx, dir)
	}
	before := s.night(monday.AddDate(0, 0, 1))
	for _, c := range []struct {
		name    string
		fresh   func(context.Context, string) (bool, error)
		folded  int // beside the empty tables that segments are held against
		refused bool
	}{
		{"the same", again(before, false), 1, false},
		{"the same, and exports are switched off", again(before, true), 1, true},
		{"somebody withdrew", withdraws, 2, false},
	} {
		in, folded := before, -1
		in.Fresh = c.fresh
		in.Made = func(name string, _ int64) {
			if name == "own_standings" {
				folded++
			}
		}
		res := s.run(in)
		if folded != c.folded {
			t.Errorf("%s: consent was folded %d times, want %d", c.name, folded, c.folded)
		}
		for _, r := range res.Records {
			if slices.Contains(r.Rules, "SWITCH") != c.refused {
				t.Errorf("%s: rules %v", c.name, r.Rules)
			}
		}
	}
}
