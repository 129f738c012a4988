package main

import "strings"

// vocabulary says the register's own words in one language.
type vocabulary map[string]string

// of gives a word, or the key itself where the language needs no other.
func (v vocabulary) of(key string) string {
	if w, ok := v[key]; ok {
		return w
	}
	return key
}

func (v vocabulary) list(keys []string) string {
	out := make([]string, len(keys))
	for i, k := range keys {
		out[i] = v.of(k)
	}
	return strings.Join(out, ", ")
}

// each says every part of a key that has several.
func (v vocabulary) each(key, between string) string {
	return v.list(strings.FieldsFunc(key, func(r rune) bool { return strings.ContainsRune(between, r) }))
}

// registerWords are the words of audit register. What a rule says is not here: it
// comes from the rule.
var registerWords = map[string]vocabulary{
	"de": {
		"title":  "Register der Regeln",
		"intro":  "Jede Regel, nach der dieses Programm entscheidet: was sie sagt, worauf sie beruht, was sie liest, wo sie durchgesetzt wird und welche Prüfungen sie belegen. Erzeugt aus den Angaben an den Regeln selbst.",
		"counts": "Übersicht", "law": "Regeln des Katalogs", "held": "umgesetzt", "due": "fällig (angekündigt)", "excluded": "ausgenommen (Aufgabe von Menschen)",
		"missing": "fehlt", "own": "eigene Regeln des Produkts", "tests": "Prüfungen", "passed": "davon bestanden", "failed": "davon fehlgeschlagen", "notrun": "davon von diesem Programm nicht ausgeführt",
		"live":     "Die Prüfungen in Rego hat dieses Programm eben ausgeführt.",
		"recorded": "Die %d Prüfungen in Go wurden zuletzt für Stand %s am %s ausgeführt.", "unrecorded": "Für die Prüfungen in Go liegt keine Aufzeichnung vor.",
		"state": "Stand", "catalogue": "Wortlaut des Katalogs (englisch)", "basis": "Rechtsgrundlage", "source": "Quelle (englisch)", "force": "Verbindlichkeit", "sdm": "Gewährleistungsziel (SDM)",
		"where": "Orte", "inputs": "Gelesene Angaben", "shown": "Prüfungen", "enforced": "Durchgesetzt in", "since": "Seit Fassung",
		"ran":     "%d, davon %d bestanden, %d fehlgeschlagen, %d hier nicht ausgeführt:",
		"binding": "verbindlich", "guidance": "Leitlinie", "contested": "umstritten", "voluntary": "freiwillig", "design": "eigene Festlegung",
		"ingest": "Erfassung", "escalate": "Beratungsangebot", "price": "Preis", "variant": "Inhalte", "export": "Weitergabe", "batch": "Nachtlauf", "rights": "Betroffenenrechte", "ops": "Betrieb",
		"CON": "Einwilligung (CON)", "SIG": "Signale (SIG)", "LAW": "Rechtmäßigkeit und Grundsätze (LAW)", "SPC": "Besondere Kategorien, Kinder, Schutzbedürftige (SPC)", "ESC": "Weg zum Menschen (ESC)",
		"PRI": "Preise (PRI)", "VAR": "Inhalte und Tests (VAR)", "EXP": "Weitergabe und Werbung (EXP)", "BAT": "Nachtlauf (BAT)", "RGT": "Rechte der Betroffenen (RGT)", "ADM": "Automatisierte Entscheidungen (ADM)",
		"OPS": "Rechenschaft und Betrieb (OPS)", "OFFER": "Angebotsleiter (eigene Regeln)", "SWITCH": "Schalter (eigene Regel)",
	},
	"en": {
		"title":  "Register of the rules",
		"intro":  "Every rule by which this program decides: what it says, what it rests on, what it reads, where it is enforced, and which tests show it. Generated from what the rules say of themselves.",
		"counts": "Overview", "law": "rules of the catalogue", "held": "implemented", "due": "due (announced)", "excluded": "excluded (a task of people)",
		"missing": "missing", "own": "rules of the product's own", "tests": "tests", "passed": "of these passed", "failed": "of these failed", "notrun": "of these not run by this binary",
		"live":     "This program ran the Rego tests just now.",
		"recorded": "The %d Go tests were last run for revision %s on %s.", "unrecorded": "There is no recorded run of the Go tests.",
		"state": "State", "catalogue": "Catalogue", "basis": "Legal basis", "source": "Source", "force": "Force", "sdm": "Protection goal (SDM)",
		"where": "Places", "inputs": "Facts read", "shown": "Tests", "enforced": "Enforced in", "since": "Since revision",
		"ran":                "%d, of which %d passed, %d failed, %d not run here:",
		"design":             "own decision",
		"Intervenierbarkeit": "intervenability", "Transparenz": "transparency", "Nichtverkettung": "unlinkability", "Datenminimierung": "data minimisation",
		"Vertraulichkeit": "confidentiality", "Integrität": "integrity", "Verfügbarkeit": "availability",
		"CON": "Consent (CON)", "SIG": "Signals (SIG)", "LAW": "Lawfulness and principles (LAW)", "SPC": "Special categories, children, vulnerability (SPC)", "ESC": "The way to a human (ESC)",
		"PRI": "Prices (PRI)", "VAR": "Content and tests (VAR)", "EXP": "Exports and marketing (EXP)", "BAT": "Night (BAT)", "RGT": "Data-subject rights (RGT)", "ADM": "Automated decisions (ADM)",
		"OPS": "Accountability and operations (OPS)", "OFFER": "Offer ladder (our own rules)", "SWITCH": "Switches (our own rule)",
	},
}
