package segment

import (
	"fmt"
	"strings"
)

// line is one fact of the head of the page. Mood is good, bad, open or plain.
type line struct{ Head, Text, Mood string }

// Sign says the mood without colour.
func (l line) Sign() string {
	return map[string]string{"good": "✓", "bad": "✗", "open": "?"}[l.Mood]
}

// Glance is what somebody wants to know who reads nothing else.
func (v view) Glance() []line {
	return []line{v.glanceSegments(), v.glanceNeed(), v.glanceOffer(), v.glanceVariants(), v.glancePrices(), v.glanceLoss()}
}

func (v view) glanceSegments() line {
	told := 0
	for _, s := range v.R.Segments {
		if s.Members != nil {
			told++
		}
	}
	l := line{Head: v.t("Segmente", "Segments"), Mood: "plain"}
	l.Text = fmt.Sprintf(v.t("%d eingerichtet, bei %d ist die Größe genannt", "%d configured, the size of %d is told"), len(v.R.Segments), told)
	return l
}

func (v view) glanceNeed() line {
	l := line{Head: v.t("Bedarf", "Need"), Text: v.t("weiß nicht", "don’t know"), Mood: "open"}
	if n := v.R.Need; n != nil && n.Known {
		switch n.Verdict {
		case Calibrated:
			l.Text, l.Mood = v.t("kalibriert, AUC ", "calibrated, AUC ")+v.float(3, n.AUC.Mean), "good"
		case NotCalibrated:
			l.Text, l.Mood = v.t("nicht kalibriert", "not calibrated"), "bad"
		}
	}
	return l
}

func (v view) glanceOffer() line {
	l := line{Head: v.t("Angebote von Hilfe", "Offers of help"), Text: v.t("Wirkung: weiß nicht", "effect: don’t know"), Mood: "open"}
	if o := v.R.Offer; o != nil && o.Known {
		l.Mood, l.Text = "plain", v.t("keine Empfehlung", "no recommendation")
		if o.Recommend {
			l.Mood, l.Text = "good", v.t("empfohlen", "recommended")
		}
		if o.Recommend && o.GainCents != nil {
			l.Text += v.t(", Gewinn je Angebot ", ", gain per offer ") + v.money(o.GainCents.Mean)
		}
	}
	return l
}

func (v view) glanceVariants() line {
	l := line{Head: v.t("Varianten", "Variants"), Text: v.t("weiß nicht", "don’t know"), Mood: "open"}
	var alarms []string
	for _, s := range v.R.Variants {
		if s.Alarm != nil && s.Alarm.Alarm {
			alarms = append(alarms, s.Slot)
		}
		if s.Known {
			l.Text, l.Mood = v.t("geschätzt, kein Alarm", "estimated, no alarm"), "good"
		}
	}
	if len(alarms) > 0 {
		l.Text, l.Mood = v.t("Alarm: Stichprobe von ", "alarm: sample ratio of ")+strings.Join(alarms, ", "), "bad"
	}
	return l
}

func (v view) glancePrices() line {
	l := line{Head: v.t("Faire Preise", "Fair prices"), Mood: v.PriceMood(), Text: v.t("nichts zu vergleichen", "nothing to compare")}
	switch l.Mood {
	case "good":
		l.Text = v.t("gleiche Anfrage, gleicher Preis", "equal quote, equal price")
	case "bad":
		l.Text = v.t("gleiche Anfrage, ungleicher Preis", "equal quote, unequal price")
	}
	return l
}

func (v view) glanceLoss() line {
	refused, admitted := v.R.Totals["refused"], v.R.Totals["admitted"]
	l := line{Head: v.t("Einwilligung", "Consent"), Mood: "plain", Text: v.t("keine Ereignisse", "no events")}
	if all := refused + admitted; all > 0 {
		l.Text = fmt.Sprintf(v.t("%s von %s Ereignissen abgelehnt (%s)", "%s of %s events refused (%s)"), v.int(refused), v.int(all), v.percent(float64(refused)/float64(all)))
	}
	return l
}
