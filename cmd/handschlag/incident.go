package main

import (
	"context"
	"fmt"
	"time"
)

// notifyWithin is how long after awareness an authority must know (Art. 33 GDPR).
// The clock counts hours, weekends too, and waits for no root cause.
const notifyWithin = 72 * time.Hour

// notifyBy is OPS-05: awareness starts the clock, whatever is known by then.
func notifyBy(aware time.Time) time.Time { return aware.Add(notifyWithin) }

type auditIncidentCmd struct {
	Config string `help:"handschlag.yaml; the commented default if none." env:"HANDSCHLAG_CONFIG"`
	Aware  moment `required:"" placeholder:"TIME" help:"When the first person here knew, RFC 3339."`
	Kind   string `required:"" enum:"leaked_key,wrong_recipient,after_withdrawal,open_store,reversed_pseudonyms,other" help:"leaked_key, wrong_recipient, after_withdrawal, open_store, reversed_pseudonyms or other."`
	Lang   string `enum:"de,en" default:"de" help:"de or en; German unless told."`
}

// Run prints when the authority must know, and a report with what is known here.
func (c auditIncidentCmd) Run(_ context.Context, s streams) error {
	cfg, _, err := loadConfig(c.Config)
	if err != nil {
		return err
	}
	clock, err := clockFromEnv()
	if err != nil {
		return err
	}
	if c.Aware.After(clock.Now()) {
		return fmt.Errorf("--aware %s is in the future", c.Aware.Format(time.RFC3339))
	}
	w, due := incidentWords[c.Lang], notifyBy(c.Aware.Time)
	s.printf("# %s\n\n", w["title"])
	left := due.Sub(clock.Now()).Truncate(time.Minute)
	state := fmt.Sprintf(w["left"], hours(left))
	if left < 0 {
		state = fmt.Sprintf(w["late"], hours(-left))
	}
	for _, line := range [][2]string{
		{w["aware"], c.Aware.Format(time.RFC3339)}, {w["due"], due.Format(time.RFC3339) + ", " + state}, {w["nature"], w[c.Kind]},
		{w["controller"], cfg.Controller.Name + ", " + cfg.Controller.Contact}, {w["dpo"], cfg.DPO.Name + ", " + cfg.DPO.Contact},
		{w["people"], w["fill"]}, {w["consequences"], w["fill"]}, {w["measures"], w["fill"]}, {w["told"], w["fill"]},
	} {
		s.printf("- **%s:** %s\n", line[0], line[1])
	}
	return nil
}

// hours says a duration as a form wants it.
func hours(d time.Duration) string {
	return fmt.Sprintf("%d h %02d min", int(d.Hours()), int(d.Minutes())%60)
}

// incidentWords are the headings of Art. 33(3) and 34 GDPR.
var incidentWords = map[string]map[string]string{
	"de": {
		"title": "Meldung einer Verletzung des Schutzes personenbezogener Daten (Art. 33 DSGVO)", "aware": "Bekannt geworden", "due": "Zu melden bis",
		"left": "noch %s", "late": "seit %s überfällig: die Verzögerung ist zu begründen", "nature": "Art der Verletzung", "controller": "Verantwortlicher",
		"dpo": "Anlaufstelle", "people": "Kategorien und ungefähre Zahl der Personen und Datensätze", "consequences": "Wahrscheinliche Folgen",
		"measures": "Ergriffene und vorgeschlagene Maßnahmen", "told": "Benachrichtigung der Betroffenen (Art. 34)", "fill": "noch einzutragen",
		"leaked_key": "ein Schlüssel ist bekannt geworden", "wrong_recipient": "Weitergabe an einen falschen Empfänger",
		"after_withdrawal": "Verarbeitung nach Widerruf in größerem Umfang", "open_store": "ein Speicher war öffentlich zugänglich",
		"reversed_pseudonyms": "unbefugte Aufhebung der Pseudonymisierung", "other": "noch einzutragen",
	},
	"en": {
		"title": "Notification of a personal data breach (Art. 33 GDPR)", "aware": "Aware since", "due": "To be notified by",
		"left": "%s left", "late": "overdue by %s: the delay must be explained", "nature": "Nature of the breach", "controller": "Controller",
		"dpo": "Contact point", "people": "Categories and approximate numbers of people and records", "consequences": "Likely consequences",
		"measures": "Measures taken and proposed", "told": "Communication to the people concerned (Art. 34)", "fill": "to be filled in",
		"leaked_key": "a key has leaked", "wrong_recipient": "data went to a wrong recipient",
		"after_withdrawal": "processing after withdrawal at scale", "open_store": "a store was open to the public",
		"reversed_pseudonyms": "unauthorised reversal of pseudonymisation", "other": "to be filled in",
	},
}
