package segment

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// view is the report in one language.
type view struct {
	tongue
	R Report
}

// section is a part of the page with a title.
type section struct{ ID, Title string }

// Sections lists the parts of the page in order.
func (v view) Sections() []section {
	return []section{
		{"segments", v.t("Segmente", "Segments")}, {"value", v.t("Wert", "Value")}, {"need", v.t("Bedarf", "Need")},
		{"offer", v.t("Angebote von Hilfe", "Offers of help")}, {"variants", v.t("Varianten", "Variants")},
		{"unmet", v.t("Ungedeckter Bedarf", "Unmet needs")}, {"prices", v.t("Faire Preise", "Fair prices")},
		{"cost", v.t("Kosten der Einwilligung", "Cost of consent")}, {"retention", v.t("Aufbewahrung", "Retention")},
		{"files", v.t("Grundlagen", "What this rests on")},
	}
}

// because says that something is not known, and why.
type because struct{ Head, Text string }

// Unknown writes a reason for not knowing; none: nobody has measured it yet.
func (v view) Unknown(why *Words) because {
	b := because{Head: v.t("Weiß nicht.", "Don’t know."), Text: v.t("Heute Nacht wurde dazu nichts gemessen.", "Nothing was measured about it tonight.")}
	if why != nil {
		b.Text = v.words(*why)
	}
	return b
}

// ruled is a table of rules with its caption.
type ruled struct {
	Head string
	Rows []RuleCount
}

func (v view) Rules(head string, rows []RuleCount) ruled { return ruled{head, rows} }

// Freshness says in a sentence how old the newest events are.
func (v view) Freshness() string {
	f := v.R.Fresh
	if f.LastDay == "" {
		return v.t("Es gibt noch keinen abgeschlossenen Tag mit Ereignissen.", "There is no closed day with events yet.")
	}
	ended := fmt.Sprintf(v.t("vor dem Stichtag seit %s Tagen vorbei", "over for %s days"), v.int(int64(f.AgeDays)))
	switch f.AgeDays {
	case 0:
		ended = v.t("gestern zu Ende gegangen", "ended yesterday")
	case 1:
		ended = v.t("vor dem Stichtag seit einem Tag vorbei", "over for one day")
	}
	return fmt.Sprintf(v.t("Neuester Tag mit Ereignissen: %s, %s, %s Ereignisse. Wann Einwilligungen gelesen wurden, steht im Manifest.",
		"Newest day with events: %s, %s, %s events. When consent was read is in the manifest."), f.LastDay, ended, v.int(f.Events))
}

// Gone writes what goes, or went: each day, or the first and the last of many.
func (v view) Gone(all []LetGo) (out []string) {
	for _, g := range all {
		days := strings.Join(g.Days, ", ")
		if len(g.Days) > 3 {
			days = fmt.Sprintf(v.t("%s Tage von %s bis %s", "%s days from %s to %s"), v.int(int64(len(g.Days))), g.Days[0], g.Days[len(g.Days)-1])
		}
		if g.Rows != nil && *g.Rows > 0 {
			days += " (" + v.int(*g.Rows) + v.t(" Zeilen)", " rows)")
		}
		out = append(out, v.words(g.Class)+": "+days)
	}
	return out
}

// FirstNight tells whether there was no night before to compare with.
func (v view) FirstNight() bool { return v.R.LetGo == nil }

// segmentRow is a segment as the table shows it.
type segmentRow struct {
	Segment
	Shown    string // its title
	Why      string // its size is withheld
	Delta    *int64
	DeltaWhy string
}

// withheldWords says why a number is not told.
var withheldWords = map[string]Words{
	"under_k":             fewWords,
	"one_sensitive_value": {"alle teilen etwas Sensibles", "all share something sensitive"},
	"no_report":           {"kein früherer Bericht", "no earlier report"},
	"other_predicate":     {"neu oder anders bestimmt", "new, or defined otherwise"},
	"other_step":          {"zuvor in anderen Schritten", "in other steps before"},
	"withheld_before":     {"zuvor zurückgehalten", "withheld before"},
	"withheld_now":        {"heute zurückgehalten", "withheld tonight"},
}

// SegmentRows lists segments with their change.
func (v view) SegmentRows() []segmentRow {
	out := make([]segmentRow, len(v.R.Segments))
	for i, s := range v.R.Segments {
		out[i] = segmentRow{Segment: s, Shown: v.title(s), Why: v.words(withheldWords[s.Withheld])}
		at := slices.IndexFunc(v.R.Changes, func(c SegmentChange) bool { return c.Segment == s.Name })
		if at >= 0 {
			out[i].Delta, out[i].DeltaWhy = v.R.Changes[at].Change, v.words(withheldWords[v.R.Changes[at].Withheld])
		}
	}
	return out
}

func (v view) title(s Segment) string { return cmp.Or(s.Title[v.Lang], s.Title["en"], s.Name) }

// NeedVerdict says whether the scorecard's chances may be believed.
func (v view) NeedVerdict() string {
	switch v.R.Need.Verdict {
	case Calibrated:
		return v.t("Kalibriert: die vorhergesagten Anteile treffen zu.", "Calibrated: predicted shares come true.")
	case NotCalibrated:
		return v.t("Nicht kalibriert: die vorhergesagten Anteile treffen nicht zu.", "Not calibrated: predicted shares do not come true.")
	}
	return v.t("Ob die vorhergesagten Anteile zutreffen, ist nicht bekannt.", "It is not known whether predicted shares come true.")
}

// unequal counts equal quotes that got two prices.
func (v view) unequal() (groups, unequal int64) {
	if v.R.Prices == nil {
		return 0, 0
	}
	for _, s := range v.R.Prices.Storefronts {
		groups, unequal = groups+s.Instants, unequal+s.Unequal
	}
	return groups, unequal
}

// PriceVerdict says whether equal quotes got equal prices.
func (v view) PriceVerdict() string {
	switch groups, unequal := v.unequal(); {
	case unequal > 0:
		return fmt.Sprintf(v.t("Gleiche Anfragen bekamen in %s von %s Fällen im selben Augenblick ungleiche Preise.", "Equal quotes got unequal prices at one instant in %s of %s cases."), v.int(unequal), v.int(groups))
	case groups > 0:
		return fmt.Sprintf(v.t("Gleiche Anfragen bekamen im selben Augenblick gleiche Preise, in allen %s Fällen.", "Equal quotes got equal prices at one instant, in all %s cases."), v.int(groups))
	}
	return v.t("Keine zwei gleichen Anfragen fielen in denselben Augenblick: nichts zu vergleichen.", "No two equal quotes fell into one instant: nothing to compare.")
}

func (v view) PriceMood() string {
	switch groups, unequal := v.unequal(); {
	case unequal > 0:
		return "bad"
	case groups > 0:
		return "good"
	}
	return "open"
}
