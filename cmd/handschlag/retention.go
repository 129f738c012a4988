package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/handschlag/handschlag/config"
)

type auditRetentionCmd struct {
	place
	Lang   string `enum:"de,en" default:"en" help:"Language: de or en."`
	Format string `enum:"text,csv,json" default:"text" help:"text, csv or json."`
}

// class is a kind of data with its term and what is there of it.
type class struct {
	Class    string   `json:"class"`
	TTL      string   `json:"ttl"`
	Days     int      `json:"ttl_days,omitempty"` // 0: by another term, or none
	Reason   string   `json:"reason"`
	Oldest   string   `json:"oldest,omitempty"`
	Unknown  bool     `json:"oldest_not_measured,omitempty"`
	Overdue  int      `json:"overdue_days"` // that the oldest is past its term
	By       string   `json:"carried_out_by"`
	LastRun  string   `json:"last_deletion_run,omitempty"`
	Holds    []string `json:"holds,omitempty"`
	Standing string   `json:"standing"` // ok | OVERDUE … | nothing | by its term
}

// Run prints what is kept, for how long, how old the oldest is, and who deletes it
// (A7 of law.md 3.2).
func (c auditRetentionCmd) Run(ctx context.Context, s streams) error {
	return askPapers(ctx, c.place, s, func(p papers) error {
		list := p.classes(c.Lang)
		switch c.Format {
		case "json":
			return printJSON(s, list)
		case "csv":
			rows := make([][]string, len(list))
			for i, x := range list {
				rows[i] = []string{x.Class, x.TTL, x.Reason, x.Oldest, strconv.Itoa(x.Overdue), x.By, x.LastRun, strings.Join(x.Holds, "; "), x.Standing}
			}
			return s.table([]string{"class", "ttl", "reason", "oldest", "overdue_days", "carried_out_by", "last_deletion_run", "holds", "standing"}, rows)
		}
		s.printf("%s\n", p.asOf(c.Lang))
		late := false
		for _, x := range list {
			late = late || x.Overdue > 0
			s.printf(pick(c.Lang, "%-33s %-38s oldest %-12s %s; deleted by: %s%s\n", "%-33s %-38s Ältestes %-12s %s; löscht: %s%s\n"),
				x.Class, x.TTL, x.oldest(c.Lang), x.Standing, x.By, on(x.LastRun, c.Lang))
			for _, h := range x.Holds {
				s.printf(pick(c.Lang, "    held: %s\n", "    Aufbewahrung ausgesetzt: %s\n"), h)
			}
		}
		if late {
			s.printf(pick(c.Lang, "overdue: a night as of today lets go of it: handschlag nightly --data %s --as-of %s\n",
				"überfällig: eine Nacht mit heutigem Stand lässt es los: handschlag nightly --data %s --as-of %s\n"), c.Data, day(p.Now))
		}
		if p.newest.forgotten() {
			s.printf(pick(c.Lang, "the newest decision or event is of %s and HANDSCHLAG_CLOCK is not set: this folder seems to be a demo of that day; with a clock of that day nothing here need be overdue\n",
				"die neueste Entscheidung oder das neueste Ereignis ist vom %s, und HANDSCHLAG_CLOCK ist nicht gesetzt: dieser Ordner scheint eine Vorführung von diesem Tag zu sein; mit einer Uhr von diesem Tag muss hier nichts überfällig sein\n"), day(p.newest.last()))
		}
		return nil
	})
}

// oldest is the day of the oldest, or why there is none to name.
func (x class) oldest(lang string) string {
	if x.Unknown {
		return pick(lang, "not measured", "unbekannt")
	}
	return cmp.Or(x.Oldest, "–")
}

// unmeasured are classes that live in the state store, which no command goes through
// for its oldest row.
var unmeasured = []string{"prices", "phone", "suppression"}

func nonEmpty(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}

func on(day, lang string) string {
	if day == "" {
		return ""
	}
	return pick(lang, ", last ", ", zuletzt ") + day
}

// asOf says by which clock terms are judged, and how long ago a night last deleted:
// nothing goes as long as none runs.
func (p papers) asOf(lang string) string {
	out := pick(lang, "as of ", "Stand ") + day(p.Now)
	if p.Published.IsZero() {
		return out + pick(lang, "; no night has run: nothing was deleted yet", "; noch keine Nacht ist gelaufen: gelöscht wurde noch nichts")
	}
	return out + fmt.Sprintf(pick(lang, "; the last night ran for %s, %d days before", "; die letzte Nacht lief für den %s, %d Tage davor"), day(p.Published), int(p.Now.Sub(p.Published).Hours()/24))
}

// kept are the classes of law.md 2.6 that this product holds. days is the configured
// term, nil where it is not a number of days.
var kept = []struct {
	id, de, en, termDe, termEn, reason, by, byDe string
	days                                         func(*config.Config) int
}{
	{"events", "Ereignisse (zugelassen)", "events (admitted)", "", "", "LAW-05", "host, after a published night", "der Speicher, nach jeder veröffentlichten Nacht", func(c *config.Config) int { return c.Retention.EventDays }},
	{"refused", "abgelehnte Ereignisse", "refused events", "0 Tage: nur ein Zähler", "0 days: a counter only", "CON-11", "never stored", "nie gespeichert", nil},
	{"features", "Merkmale je Tag", "features by day", "", "", "C-446/21", "night", "die Nacht", func(c *config.Config) int { return c.Retention.FeatureDays }},
	{"segments", "Segmente und Zuteilungen", "segments and assignments", "", "", "BAT-08", "the day ignores what has expired", "am Tag gilt Abgelaufenes als nicht da", func(c *config.Config) int { return c.Retention.SegmentDays }},
	{"exports", "Exporte", "exports", "", "", "EXP-06", "not served after 48 hours; files: operator", "nach 48 Stunden nicht mehr ausgeliefert; Dateien: der Betrieb", func(c *config.Config) int { return c.Retention.SegmentDays }},
	{"decisions", "Entscheidungen", "decisions", "", "", "OPS-01", "host, after a published night", "der Speicher, nach jeder veröffentlichten Nacht", func(c *config.Config) int { return c.Retention.DecisionDays }},
	{"prices", "Preishistorie", "price history", "3 Jahre", "3 years", "PRI-03", "not removed yet: comes with the rights work", "noch niemand: kommt mit der Arbeit an den Betroffenenrechten", nil},
	{"consents", "Einwilligungsnachweise", "proofs of consent", "Laufzeit und 3 Jahre zum Jahresende", "life and 3 years, to the year's end", "Art. 7(1) GDPR", "not removed yet: comes with the rights work", "noch niemand: kommt mit der Arbeit an den Betroffenenrechten", nil},
	{"phone", "Telefoneinwilligung und Nutzungen", "phone consent and its uses", "5 Jahre ab letzter Nutzung", "5 years from the last use", "§ 7a UWG", "host", "der Speicher", nil},
	{"suppression", "Sperrliste", "suppression list", "unbegrenzt, nur Prüfsumme und Kanal", "without limit, digest and channel only", "EXP-03", "outlives erasure on purpose", "niemand: überdauert die Löschung mit Absicht", nil},
	{"recordings", "Aufzeichnungen", "recordings", "30 Tage", "30 days", "ESC-06", "never held here: the desk keeps them", "nie hier: das Beratungssystem hält sie", nil},
	{"security", "Sicherheitsprotokolle", "security logs", "30 Tage", "30 days", "LAW-02", "operator: ours name nobody", "der Betrieb: unsere nennen niemanden", nil},
}

func (p papers) classes(lang string) []class {
	out := make([]class, 0, len(kept))
	for _, k := range kept {
		x := class{Class: k.en, TTL: k.termEn, Reason: k.reason, By: pick(lang, k.by, k.byDe), Oldest: day(p.Oldest[k.id]), Standing: pick(lang, "by its term", "nach seiner Frist")}
		if lang == "de" {
			x.Class, x.TTL = k.de, k.termDe
		}
		x.Unknown = slices.Contains(unmeasured, k.id)
		if k.days != nil {
			p.counted(&x, k.days(p.cfg), p.Oldest[k.id], lang)
			x.LastRun = day(p.Published)
		}
		for _, h := range p.cfg.Register.Holds {
			if h.What == k.id {
				x.Holds = append(x.Holds, h.Reason+" ("+h.By+", "+h.Until+")")
			}
		}
		out = append(out, x)
	}
	return out
}

func (p papers) counted(x *class, days int, oldest time.Time, lang string) {
	x.Days, x.TTL, x.Oldest, x.Standing = days, strconv.Itoa(days)+pick(lang, " days", " Tage"), day(oldest), pick(lang, "nothing is there", "nichts ist da")
	if oldest.IsZero() {
		return
	}
	// Terms are counted from the last night: nothing goes as long as none runs.
	x.Standing = "ok"
	if late := int(p.Now.Sub(oldest.AddDate(0, 0, days+2)).Hours() / 24); late > 0 {
		x.Overdue, x.Standing = late, fmt.Sprintf(pick(lang, "OVERDUE by %d days: the next night lets go of it", "ÜBERFÄLLIG seit %d Tagen: die nächste Nacht lässt es los"), late)
	}
}
