package consent

import (
	"testing"
	"time"
)

var berlin = func() *time.Location {
	l, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		panic(err)
	}
	return l
}()

func TestRGT01AllowAnswersWithinAMonthByReg1182(t *testing.T) {
	for _, c := range []struct{ what, received, due string }{
		{"the same day of the next month", "2027-03-05T10:00:00+01:00", "2027-04-05"},
		{"the last day of a shorter month", "2027-01-31T23:59:00+01:00", "2027-03-01"}, // 28 February 2027 is a Sunday
		{"the last day of a shorter month, a Saturday", "2026-01-31T10:00:00+01:00", "2026-02-28"},
		{"Easter Sunday and Monday", "2026-03-05T10:00:00+01:00", "2026-04-07"},
		{"Good Friday", "2026-03-03T10:00:00+01:00", "2026-04-04"},
		{"Ascension", "2026-04-14T10:00:00+02:00", "2026-05-15"},
		{"Whit Monday", "2026-04-25T10:00:00+02:00", "2026-05-26"},
		{"Christmas", "2026-11-25T10:00:00+01:00", "2026-12-28"},
		{"the shop's day, not London's", "2026-11-20T23:30:00Z", "2026-12-21"},
	} {
		at, err := time.Parse(time.RFC3339, c.received)
		if err != nil {
			t.Fatal(err)
		}
		if got := RightsDue(at, berlin).Format(time.DateOnly); got != c.due {
			t.Errorf("%s: received %s is due %s, want %s", c.what, c.received, got, c.due)
		}
	}
}

func TestRGT01DenyIsNeverDueLaterThanTheNextWorkingDay(t *testing.T) {
	for at := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC); at.Year() < 2031; at = at.AddDate(0, 0, 1) {
		due := RightsDue(at, berlin)
		plain := GrantUntil(at, 1, berlin)
		if due.Weekday() == time.Sunday || holiday(due) {
			t.Fatalf("received %s is due on %s, a day off", at, due)
		}
		if late := due.Sub(plain); late > 4*24*time.Hour || late < -24*time.Hour {
			t.Fatalf("received %s is due %s, %s after the month", at, due, late)
		}
	}
}
