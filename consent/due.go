package consent

import "time"

// RightsDue is the last day on which a rights request that was received at a
// moment may be answered (RGT-01, Reg. 1182/71): the same day of the next month
// in loc, or that month's last day; on a Sunday or a public holiday the next
// working day. A Saturday is not taken as a reason to answer later.
func RightsDue(received time.Time, loc *time.Location) time.Time {
	due := GrantUntil(received, 1, loc).In(loc)
	for due.Weekday() == time.Sunday || holiday(due) {
		due = due.AddDate(0, 0, 1)
	}
	return time.Date(due.Year(), due.Month(), due.Day(), 0, 0, 0, 0, time.UTC)
}

// holiday reports the public holidays that all of Germany has.
func holiday(d time.Time) bool {
	switch d.Format("01-02") {
	case "01-01", "05-01", "10-03", "12-25", "12-26":
		return true
	}
	easter := easterSunday(d.Year(), d.Location())
	for _, days := range []int{-2, 1, 39, 50} { // Good Friday, Easter Monday, Ascension, Whit Monday
		if e := easter.AddDate(0, 0, days); e.YearDay() == d.YearDay() {
			return true
		}
	}
	return false
}

// easterSunday is Easter by the anonymous Gregorian computus.
func easterSunday(y int, loc *time.Location) time.Time {
	a, b, c := y%19, y/100, y%100
	h := (19*a + b - b/4 - (b-(b+8)/25+1)/3 + 15) % 30
	l := (32 + 2*(b%4) + 2*(c/4) - h - c%4) % 7
	m := (a + 11*h + 22*l) / 451
	n := h + l - 7*m + 114
	return time.Date(y, time.Month(n/31), n%31+1, 12, 0, 0, 0, loc)
}
