package segment

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/flow"
)

// newcomers is a shop after a night of 240 persons, to which 40 more came the day after: 30
// of them are lookers who agreed to mail, and nobody has got their rows.
func newcomers(t *testing.T) (s *shop, lookers []consent.Subject) {
	t.Helper()
	s = newShop(t)
	s.everyday(240, 1)
	s.run(s.night(monday.AddDate(0, 0, 1)))
	day := monday.AddDate(0, 0, 1)
	for n := 240; n < 280; n++ {
		s.says(subject(n), consent.Given, day, basis, consent.MarketingEmail)
		s.subjects[subject(n)] = subjectRow{scope: consent.Account}
		s.visit(subject(n), day.Add(1e9), n, 1)
		if n%4 != 0 {
			lookers = append(lookers, subject(n))
		}
	}
	return s, lookers
}

// EXP-06: a row counts as delivered when it is published. The first run of a date delivers
// the newcomers' rows; they withdraw, and so does somebody whose row the base has: the second
// run of the date revokes both, and a third that finds the same is the second byte for byte.
func TestASecondRunRevokesWhatTheFirstDelivered(t *testing.T) {
	s, lookers := newcomers(t)
	in := s.night(monday.AddDate(0, 0, 2))
	s.run(in)
	if got := len(readCSV(t, filepath.Join(in.Out, "2026-11-04", "lookers.email.csv"))) - 1; got != 90 {
		t.Fatalf("the first run delivers %d rows, want 90", got)
	}
	for _, who := range append([]consent.Subject{subject(6)}, lookers...) {
		s.says(who, consent.Withdrawn, monday.AddDate(0, 0, 2), consent.MarketingEmail)
	}
	in = s.night(monday.AddDate(0, 0, 2))
	s.run(in)
	second := tree(t, in.Out)
	for name, want := range map[string]int{"lookers.email": 59, "revocations.email": 31, "tombstones.email": 1, "lookers.email.delta": 1} {
		if got := len(readCSV(t, filepath.Join(in.Out, "2026-11-04", name+".csv"))) - 1; got != want {
			t.Errorf("%s of the second run: %d rows, want %d", name, got, want)
		}
	}
	s.run(in)
	sameTree(t, "a third run of the date", second, tree(t, in.Out))
	in = s.night(monday.AddDate(0, 0, 3))
	s.run(in)
	for _, who := range lookers {
		if !has(t, in, "revocations.email.csv", "post-house", who) {
			t.Fatal("the night after does not tell the recipient to delete what the first run delivered")
		}
	}
}

// EXP-06: a word for the first run's file says nothing of what the second run of the date
// revokes; one for the file that lies there does, and what was revoked before is covered by both.
func TestAnAcknowledgementCoversWhatItsRunTold(t *testing.T) {
	s, lookers := newcomers(t)
	withdraws := func(who consent.Subject) {
		s.says(who, consent.Withdrawn, monday.AddDate(0, 0, 1), consent.MarketingEmail)
	}
	withdraws(subject(6))
	s.run(s.night(monday.AddDate(0, 0, 2))) // Wednesday revokes 6
	withdraws(subject(10))
	in := s.night(monday.AddDate(0, 0, 3))
	s.run(in) // Thursday revokes 10
	first := revokedBy(t, in)
	withdraws(lookers[0])
	s.run(s.night(monday.AddDate(0, 0, 3))) // and, run again, a newcomer
	for _, word := range []struct {
		sha  string
		left []consent.Subject
	}{
		{first, []consent.Subject{subject(10), lookers[0]}},
		{revokedBy(t, in), nil},
		{"", nil}, // of a version that did not say
	} {
		s.decisions = []decide.Record{{
			Time: monday.AddDate(0, 0, 3).Add(time.Hour), Action: decide.ActionExport, Input: body(t, map[string]any{"ack": flow.ExportAck{Date: "2026-11-05", Channel: "email"}}),
			Result: body(t, map[string]any{"rows": 1, "sha256": word.sha}),
		}}
		next := s.night(monday.AddDate(0, 0, 4))
		s.run(next)
		for _, who := range []consent.Subject{subject(6), subject(10), lookers[0]} {
			if want := slices.Contains(word.left, who); has(t, next, "revocations.email.csv", "post-house", who) != want {
				t.Errorf("after the word for %q: %s is to be deleted still: %t", word.sha, who, !want)
			}
		}
	}
}

// revokedBy is the SHA-256 of the file that tells the mail house what to delete.
func revokedBy(t *testing.T, in Inputs) string {
	for _, f := range manifestAt(t, in).Files {
		if f.Kind == revocations && f.Channel == "email" {
			return f.SHA256
		}
	}
	t.Fatal("no file of revocations")
	return ""
}

// TestWhoeverComesBackWithinADateIsNoLongerRevoked: against the base the row is new.
func TestWhoeverComesBackWithinADateIsNoLongerRevoked(t *testing.T) {
	s, lookers := newcomers(t)
	asOf := monday.AddDate(0, 0, 2)
	for _, status := range []consent.Status{consent.Given, consent.Withdrawn, consent.Given} {
		s.says(lookers[0], status, monday.AddDate(0, 0, 1), consent.MarketingEmail)
		in := s.night(asOf)
		s.run(in)
		given := status == consent.Given
		if has(t, in, "lookers.email.delta.csv", "post-house", lookers[0]) != given {
			t.Errorf("the newcomer said %s: want the row in the delta: %t", status, given)
		}
	}
	in := s.night(asOf)
	if has(t, in, "revocations.email.csv", "post-house", lookers[0]) {
		t.Error("the row is published and revoked")
	}
}

// TestTheCheckKnowsWhatTheFirstRunDelivered though the list of deliveries forgets it.
func TestTheCheckKnowsWhatTheFirstRunDelivered(t *testing.T) {
	s, lookers := newcomers(t)
	s.run(s.night(monday.AddDate(0, 0, 2)))
	for _, who := range lookers {
		s.says(who, consent.Withdrawn, monday.AddDate(0, 0, 2), consent.MarketingEmail)
	}
	n, ctx := until(t, s.night(monday.AddDate(0, 0, 2)), "checking"), t.Context()
	defer n.end()
	if err := n.check(ctx); err != nil {
		t.Fatal(err)
	}
	query, err := checks.ReadFile("check/no_delivery_forgotten.sql")
	if err != nil {
		t.Fatal(err)
	}
	for _, fault := range []string{"delete from recalled", "delete from recalled; delete from deliveries_before"} {
		if err := n.db.exec(ctx, "begin; "+fault); err != nil {
			t.Fatal(err)
		}
		var failed *FailedCheck
		err := n.mustBeEmpty(ctx, "no_delivery_forgotten", string(query))
		if want := fmt.Sprintf("channel=email segment=lookers keys=%d", len(lookers)); !errors.As(err, &failed) || failed.Rows[0] != want {
			t.Errorf("%s: %v, want %s", fault, err, want)
		}
		if err := n.db.exec(ctx, "rollback"); err != nil {
			t.Fatal(err)
		}
	}
}

// TestADamagedListOfTheDateStopsItsSecondRun: nobody would know what the first delivered.
func TestADamagedListOfTheDateStopsItsSecondRun(t *testing.T) {
	s := newShop(t)
	s.everyday(120, 1)
	in := s.night(monday.AddDate(0, 0, 1))
	s.run(in)
	flip(t, filepath.Join(in.Out, "2026-11-03", deliveries+".parquet"), 5)
	if _, err := Run(t.Context(), in); !errors.Is(err, errDigest) {
		t.Errorf("got %v", err)
	}
}
