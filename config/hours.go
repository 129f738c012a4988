package config

import (
	"fmt"
	"slices"
	"strings"
	"time"

	_ "time/tzdata" // a Lambda has no time zones of its own
)

// Days are the names of weekdays in offers.hours.
var Days = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"} // as time.Weekday

var daysDe = []string{"Sonntag", "Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag"}

// Location is the shop's time zone.
func (c *Config) Location() *time.Location {
	loc, err := time.LoadLocation(c.TimeZone)
	if err != nil || c.TimeZone == "" {
		return time.UTC
	}
	return loc
}

// OpenAt reports whether advisers may be offered at t by the opening hours, in
// the shop's time zone: from From, up to and without To. No hours is always.
func (c *Config) OpenAt(t time.Time) bool {
	if len(c.Offers.Hours) == 0 {
		return true
	}
	local := t.In(c.Location())
	now := local.Hour()*60 + local.Minute()
	return slices.ContainsFunc(c.Offers.Hours, func(h Hours) bool {
		from, to, ok := h.minutes()
		return ok && h.Day == Days[local.Weekday()] && from <= now && now < to
	})
}

// NextOpening is the first moment at or after t when OpenAt is true; false if
// there is none within the next eight days.
func (c *Config) NextOpening(t time.Time) (time.Time, bool) {
	if c.OpenAt(t) {
		return t, true
	}
	local := t.In(c.Location())
	var next time.Time
	for day := range 8 {
		for _, h := range c.Offers.Hours {
			at := time.Date(local.Year(), local.Month(), local.Day()+day, 0, 0, 0, 0, local.Location())
			from, _, ok := h.minutes()
			if !ok || h.Day != Days[at.Weekday()] {
				continue
			}
			at = time.Date(at.Year(), at.Month(), at.Day(), from/60, from%60, 0, 0, at.Location())
			if at.After(t) && c.OpenAt(at) && (next.IsZero() || at.Before(next)) {
				next = at
			}
		}
	}
	return next, !next.IsZero()
}

// NextOpeningText says when advisers can be reached, in de or else en.
func (c *Config) NextOpeningText(t time.Time, language string) string {
	next, ok := c.NextOpening(t)
	de := strings.HasPrefix(language, "de")
	switch local := next.In(c.Location()); {
	case !ok && de:
		return "Zurzeit ist keine Beratung geplant."
	case !ok:
		return "No advice is planned at the moment."
	case next.Equal(t) && de:
		return "Die Beratung ist jetzt erreichbar."
	case next.Equal(t):
		return "Advisers can be reached now."
	case de:
		return fmt.Sprintf("Die Beratung ist wieder erreichbar: %s, %s Uhr.", daysDe[local.Weekday()], local.Format("2.1., 15:04"))
	default:
		return local.Format("Advisers can be reached again on Monday, 2 January, 15:04.")
	}
}

// minutes reads the hours as minutes of the day; 24:00 is the end of it.
func (h Hours) minutes() (from, to int, ok bool) {
	from, ok1 := minuteOf(h.From)
	to, ok2 := minuteOf(h.To)
	return from, to, ok1 && ok2 && from < to
}

func minuteOf(clock string) (int, bool) {
	if clock == "24:00" {
		return 24 * 60, true
	}
	t, err := time.Parse("15:04", clock)
	return t.Hour()*60 + t.Minute(), err == nil && len(clock) == 5
}
