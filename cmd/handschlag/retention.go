package main

import (
	"context"
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
		for _, x := range list {
			s.printf("%-28s %-38s oldest %-10s %s; by %s%s\n", x.Class, x.TTL, joinOr(nonEmpty(x.Oldest), "–"), x.Standing, x.By, on(x.LastRun))
			for _, h := range x.Holds {
				s.printf("    held: %s\n", h)
			}
		}
		return nil
	})
}

func nonEmpty(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}

func on(day string) string {
	if day == "" {
		return ""
	}
	return ", last " + day
}

// kept are the classes of law.md 2.6 that this product holds. days is the configured
// term, nil where it is not a number of days.
var kept = []struct {
	id, de, en, termDe, termEn, reason, by string
	days                                   func(*config.Config) int
}{
	{"events", "Ereignisse (zugelassen)", "events (admitted)", "", "", "LAW-05", "host, after a published night", func(c *config.Config) int { return c.Retention.EventDays }},
	{"refused", "abgelehnte Ereignisse", "refused events", "0 Tage: nur ein Zähler", "0 days: a counter only", "CON-11", "never stored", nil},
	{"features", "Merkmale je Tag", "features by day", "", "", "C-446/21", "night", func(c *config.Config) int { return c.Retention.FeatureDays }},
	{"segments", "Segmente und Zuteilungen", "segments and assignments", "", "", "BAT-08", "the day ignores what has expired", func(c *config.Config) int { return c.Retention.SegmentDays }},
	{"exports", "Exporte", "exports", "", "", "EXP-06", "not served after 48 hours; files: operator", func(c *config.Config) int { return c.Retention.SegmentDays }},
	{"decisions", "Entscheidungen", "decisions", "", "", "OPS-01", "host, after a published night", func(c *config.Config) int { return c.Retention.DecisionDays }},
	{"prices", "Preishistorie", "price history", "3 Jahre", "3 years", "PRI-03", "not removed yet: comes with the rights work", nil},
	{"consents", "Einwilligungsnachweise", "proofs of consent", "Laufzeit und 3 Jahre zum Jahresende", "life and 3 years, to the year's end", "Art. 7(1) GDPR", "not removed yet: comes with the rights work", nil},
	{"phone", "Telefoneinwilligung und Nutzungen", "phone consent and its uses", "5 Jahre ab letzter Nutzung", "5 years from the last use", "§ 7a UWG", "host", nil},
	{"suppression", "Sperrliste", "suppression list", "unbegrenzt, nur Prüfsumme und Kanal", "without limit, digest and channel only", "EXP-03", "outlives erasure on purpose", nil},
	{"recordings", "Aufzeichnungen", "recordings", "30 Tage", "30 days", "ESC-06", "never held here: the desk keeps them", nil},
	{"security", "Sicherheitsprotokolle", "security logs", "30 Tage", "30 days", "LAW-02", "operator: ours name nobody", nil},
}

func (p papers) classes(lang string) []class {
	out := make([]class, 0, len(kept))
	for _, k := range kept {
		x := class{Class: k.en, TTL: k.termEn, Reason: k.reason, By: k.by, Oldest: day(p.Oldest[k.id]), Standing: "by its term"}
		if lang == "de" {
			x.Class, x.TTL = k.de, k.termDe
		}
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
	x.Days, x.TTL, x.Oldest, x.Standing = days, strconv.Itoa(days)+" days", day(oldest), "nothing"
	if lang == "de" {
		x.TTL = strconv.Itoa(days) + " Tage"
	}
	if oldest.IsZero() {
		return
	}
	// Terms are counted from the last night: nothing goes as long as none runs.
	x.Standing = "ok"
	if late := int(p.Now.Sub(oldest.AddDate(0, 0, days+2)).Hours() / 24); late > 0 {
		x.Overdue, x.Standing = late, "OVERDUE by "+strconv.Itoa(late)+" days: the next night lets go of it"
	}
}
