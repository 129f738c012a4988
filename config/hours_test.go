package config_test

import (
	"testing"
	"time"

	"github.com/handschlag/handschlag/config"
)

const weekdays = `
time_zone: Europe/Berlin
offers:
  hours:
    - {day: mon, from: "09:00", to: "12:00"}
    - {day: mon, from: "13:00", to: "18:00"}
    - {day: sat, from: "00:00", to: "24:00"}
    - {day: sun, from: "02:30", to: "04:00"}
`

func TestOpeningHours(t *testing.T) {
	c, err := config.Parse([]byte(weekdays))
	if err != nil {
		t.Fatal(err)
	}
	for name, x := range map[string]struct {
		at   string // UTC
		open bool
		next string
	}{
		"opens to the minute":                     {"2026-11-23T08:00:00Z", true, "2026-11-23T08:00:00Z"},
		"and not before":                          {"2026-11-23T07:59:59Z", false, "2026-11-23T08:00:00Z"},
		"closes to the minute":                    {"2026-11-23T11:00:00Z", false, "2026-11-23T12:00:00Z"},
		"in summer the same hour is earlier":      {"2026-07-06T07:00:00Z", true, "2026-07-06T07:00:00Z"},
		"after the last day it is next week":      {"2026-11-23T17:00:00Z", false, "2026-11-27T23:00:00Z"},
		"24:00 is the end of the day":             {"2026-11-28T22:59:00Z", true, "2026-11-28T22:59:00Z"},
		"the next day has its own hours":          {"2026-11-28T23:00:00Z", false, "2026-11-29T01:30:00Z"},
		"an hour that the clock skips opens late": {"2026-03-29T00:59:00Z", false, "2026-03-29T01:30:00Z"},
	} {
		t.Run(name, func(t *testing.T) {
			at, _ := time.Parse(time.RFC3339, x.at)
			want, _ := time.Parse(time.RFC3339, x.next)
			if c.OpenAt(at) != x.open {
				t.Errorf("open is %t", c.OpenAt(at))
			}
			if next, ok := c.NextOpening(at); !ok || !next.Equal(want) {
				t.Errorf("next is %s, want %s", next, want)
			}
		})
	}
}

func TestNextOpeningText(t *testing.T) {
	c, err := config.Parse([]byte(weekdays))
	if err != nil {
		t.Fatal(err)
	}
	closed, open := time.Date(2026, 11, 21, 23, 30, 0, 0, time.UTC), time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	never := config.Default()
	never.Offers.Hours = []config.Hours{{Day: "mon", From: "9", To: "10"}}
	for name, x := range map[string]struct {
		c        *config.Config
		at       time.Time
		language string
		want     string
	}{
		"closed, German":  {c, closed, "de", "Die Beratung ist wieder erreichbar: Sonntag, 22.11., 02:30 Uhr."},
		"closed, English": {c, closed, "en", "Advisers can be reached again on Sunday, 22 November, 02:30."},
		"open, German":    {c, open, "de-AT", "Die Beratung ist jetzt erreichbar."},
		"open, English":   {c, open, "en", "Advisers can be reached now."},
		"never, German":   {never, open, "de", "Zurzeit ist keine Beratung geplant."},
		"never, English":  {never, open, "", "No advice is planned at the moment."},
	} {
		t.Run(name, func(t *testing.T) {
			if got := x.c.NextOpeningText(x.at, x.language); got != x.want {
				t.Errorf("got %q", got)
			}
		})
	}
}

func TestWithoutHoursItIsAlwaysOpen(t *testing.T) {
	at := time.Date(2026, 12, 25, 3, 0, 0, 0, time.UTC)
	if next, ok := config.Default().NextOpening(at); !config.Default().OpenAt(at) || !ok || !next.Equal(at) {
		t.Error("closed")
	}
}
