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
// number that readers of the report see; once 25 did beyond its step, it is told anew.
func TestEXP07DenyAStepOfConsentBetweenTwoNights(t *testing.T) {
	s := newShop(t)
	s.everyday(240, 1) // 180 look, 60 of them agreed to mail
	agreed := 0
	for night, want := range []struct {
		agree            int
		exact, row, loss int64
	}{
		{0, 60, 50, 100}, // 120 lost
		{1, 61, 50, 100},
		{37, 98, 50, 100}, // 82 lost: whoever reads 50 knows only that it was 50 to 74
		{7, 105, 100, 75}, // 75 lost
		{0, 105, 100, 75},
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
			if *c.Rows != want.row || *c.Loss != want.loss {
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
	}
}

// A night that is done again after one more agreed tells what its first run told.
func TestASecondRunOfADateTellsNoStepOfConsent(t *testing.T) {
	s := newShop(t)
	s.everyday(240, 1)
	asOf := monday.AddDate(0, 0, 1)
	for run := range 3 {
		if run > 0 {
			s.agreeToMail(run-1, 1, asOf.Add(-time.Minute))
		}
		if c := reach(t, s.run(s.night(asOf)).Report.Segments, "lookers", "email"); *c.Rows != 50 || *c.Loss != 100 {
			t.Errorf("run %d tells %s", run, mustJSON(t, c))
		}
	}
}

// The check finds a number between two steps, one that moved by less than a step, and a figure
// that is told anew beside a number that is told again.
func TestTheCheckFindsASmallStep(t *testing.T) {
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
	for what, fault := range map[string]string{
		"lookers": "update report_told set told = told + 1 where name = 'segments[lookers].channels[email].rows'",
		"email":   "update report_before set told = told + 1 where name = 'segments[lookers].channels[email].consent_loss'",
		"need":    "update report_figures set figure = figure || ' 1' where name = 'need.auc'",
		"buyers":  "update report_figures set figure = figure || ' 1' where name = 'rfm_thresholds.monetary_cents'",
	} {
		if err := n.db.exec(ctx, "begin; "+fault); err != nil {
			t.Fatal(err)
		}
		var failed *FailedCheck
		if err := n.mustBeEmpty(ctx, "no_small_step", string(query)); !errors.As(err, &failed) || !strings.Contains(failed.Error(), what) {
			t.Errorf("%s, and the check found %v", fault, err)
		}
		if err := n.db.exec(ctx, "rollback"); err != nil {
			t.Fatal(err)
		}
	}
}
