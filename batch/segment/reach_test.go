package segment

import (
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/handschlag/handschlag/consent"
)

// agreeToMail lets lookers (not those who agreed before) say yes to mail.
func (s *shop) agreeToMail(from, count int, at time.Time) {
	for n := range count {
		s.says(subject(4*(from+n)+1), consent.Given, at, consent.MarketingEmail)
	}
}

// EXP-07: one more who agrees to mail, or two, is in the file and its manifest, and in no
// number that readers of the report see; once 25 did, it is told anew.
func TestEXP07DenyAStepOfConsentBetweenTwoNights(t *testing.T) {
	s := newShop(t)
	s.everyday(240, 1) // 180 look, 60 of them agreed to mail
	agreed := 0
	for night, want := range []struct {
		agree            int
		exact, row, loss int64
		last             *ToldReach
	}{
		{0, 60, 60, 120, nil},
		{1, 61, 60, 120, &ToldReach{"2026-11-03", 60, 120}},
		{1, 62, 60, 120, &ToldReach{"2026-11-03", 60, 120}},
		{23, 85, 85, 95, nil},
		{0, 85, 85, 95, nil},
	} {
		asOf := monday.AddDate(0, 0, night+1)
		s.agreeToMail(agreed, want.agree, asOf.Add(-time.Minute))
		agreed += want.agree
		in := s.night(asOf)
		s.run(in)
		dir := filepath.Join(in.Out, asOf.Format(time.DateOnly))
		var r Report
		if err := json.Unmarshal(s.read(filepath.Join(dir, "report.json")), &r); err != nil {
			t.Fatal(err)
		}
		m := manifestIn(t, dir)
		for _, told := range [][]Segment{r.Segments, m.Segments} {
			c := reach(t, told, "lookers", "email")
			if *c.Rows != want.row || *c.Loss != want.loss || (c.Last == nil) != (want.last == nil) || c.Last != nil && *c.Last != *want.last {
				t.Errorf("night %d tells %s, want %+v", night, mustJSON(t, c), want)
			}
		}
		at := slices.IndexFunc(m.Files, func(f File) bool { return f.Name == "lookers.email.csv" })
		if rows := readCSV(t, filepath.Join(dir, "lookers.email.csv")); m.Files[at].Rows != want.exact || int64(len(rows))-1 != want.exact {
			t.Errorf("night %d: the file has %d rows, the manifest says %d, want %d", night, len(rows)-1, m.Files[at].Rows, want.exact)
		}
		for _, f := range r.Files {
			if f.Name == "lookers.email.csv" && *f.Rows != want.row || strings.Contains(f.Name, ".delta.") && f.Rows != nil {
				t.Errorf("night %d: the report tells %s", night, mustJSON(t, f))
			}
		}
		if page := string(s.read(filepath.Join(dir, "report.html"))); strings.Contains(page, "<small>as of 2026-11-03</small>") != (want.last != nil) {
			t.Errorf("night %d: the page says otherwise of when its numbers are from", night)
		}
	}
}

// A night that is done again after one more agreed tells neither number: what its first run
// told is known.
func TestASecondRunOfADateTellsNoStepOfConsent(t *testing.T) {
	s := newShop(t)
	s.everyday(240, 1)
	asOf := monday.AddDate(0, 0, 1)
	for run := range 3 {
		if run > 0 {
			s.agreeToMail(run-1, 1, asOf.Add(-time.Minute))
		}
		c := reach(t, s.run(s.night(asOf)).Report.Segments, "lookers", "email")
		if (c.Rows != nil) != (run == 0) || (c.Loss != nil) != (run == 0) {
			t.Errorf("run %d tells %s", run, mustJSON(t, c))
		}
	}
}

// The check finds a step in rows, and one in losses, that a night would tell.
func TestTheCheckFindsAStepOfConsent(t *testing.T) {
	s := newShop(t)
	s.everyday(240, 1)
	s.run(s.night(monday.AddDate(0, 0, 1)))
	n, ctx := until(t, s.night(monday.AddDate(0, 0, 2)), "checking"), context.Background()
	defer n.end()
	if err := n.check(ctx); err != nil {
		t.Fatal(err)
	}
	query, err := checks.ReadFile("check/no_small_step.sql")
	if err != nil {
		t.Fatal(err)
	}
	for _, column := range []string{"rows", "loss"} {
		if err := n.db.exec(ctx, "begin; update reaches_told set "+column+" = "+column+" + 1 where segment = 'lookers' and channel = 'email'"); err != nil {
			t.Fatal(err)
		}
		var failed *FailedCheck
		if err := n.mustBeEmpty(ctx, "no_small_step", string(query)); !errors.As(err, &failed) || !strings.Contains(failed.Error(), column+" on email") {
			t.Errorf("one more in %s, and the check found %v", column, err)
		}
		if err := n.db.exec(ctx, "rollback"); err != nil {
			t.Fatal(err)
		}
	}
}
