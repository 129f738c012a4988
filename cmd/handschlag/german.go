package main

import (
	"regexp"
	"strings"
)

// lawDE are the names of laws and courts as German lawyers write them. Rules name
// their legal basis once, in English; what is German stays.
var lawDE = []struct {
	en *regexp.Regexp
	de string
}{
	{regexp.MustCompile(`\bGDPR\b`), "DSGVO"},
	{regexp.MustCompile(`\brecitals\b`), "Erwägungsgründe"},
	{regexp.MustCompile(`\brecital\b`), "Erwägungsgrund"},
	{regexp.MustCompile(`\bno\. `), "Nr. "},
	{regexp.MustCompile(`(\d) (and) (\d)`), "$1 und $3"},
	{regexp.MustCompile(`(\d) to (\d)`), "$1 bis $2"},
	{regexp.MustCompile(`Art\. (\d+)-(\d+)\b`), "Art. $1 bis $2"},
	{regexp.MustCompile(`\bePrivacy Directive\b`), "ePrivacy-Richtlinie"},
	{regexp.MustCompile(`\bDir\. `), "Richtlinie "},
	{regexp.MustCompile(`\bReg\. `), "Verordnung "},
	{regexp.MustCompile(`\bEDPB Guidelines\b`), "EDSA-Leitlinien"},
	{regexp.MustCompile(`\bEDPB Recommendations\b`), "EDSA-Empfehlungen"},
	{regexp.MustCompile(`\bEDPB\b`), "EDSA"},
	{regexp.MustCompile(`\bCJEU\b`), "EuGH"},
	{regexp.MustCompile(`\bAI Act\b`), "KI-Verordnung"},
	{regexp.MustCompile(`\bCRD\b`), "Verbraucherrechte-Richtlinie"},
	{regexp.MustCompile(`\bAnnex to\b`), "Anhang zu"},
	{regexp.MustCompile(`^none; design rule$`), "keine; Regel dieses Programms"},
	{regexp.MustCompile(`^none; a decision of the shop$`), "keine; eine Entscheidung des Shops"},
	{regexp.MustCompile(`^none; a promise of the shop that binds once advertised`), "keine; ein Versprechen des Shops, das bindet, sobald es beworben ist"},
}

// law is a legal basis in a language.
func law(basis, lang string) string {
	if lang != "de" {
		return basis
	}
	for _, x := range lawDE {
		basis = x.en.ReplaceAllString(basis, x.de)
	}
	return basis
}

// paperWords are the closed lists of the register in plain words: English, German.
// Keys of fideslang stay in CSV and JSON.
var paperWords = map[string][2]string{
	// persons
	"customer": {"customers with an account", "Kundinnen und Kunden mit Konto"}, "anonymous_user": {"visitors without an account", "Besuchende ohne Konto"},
	"employee": {"employees", "Beschäftigte"}, "prospect": {"prospects", "Interessierte"},
	// kinds of data
	"user.account": {"customer account", "Kundenkonto"}, "user.behavior": {"behaviour in the shop", "Verhalten im Shop"},
	"user.behavior.browsing_history": {"pages and products looked at", "Angesehenes"}, "user.behavior.search_history": {"searches", "Suchen"},
	"user.behavior.purchase_history": {"baskets and orders", "Warenkörbe und Bestellungen"}, "user.biometrics": {"biometric data", "biometrische Angaben"},
	"user.contact.email": {"e-mail address", "E-Mail-Adresse"}, "user.contact.phone_number": {"telephone number", "Telefonnummer"}, "user.contact.address": {"postal address", "Postanschrift"},
	"user.device": {"coarse kind of device", "grobe Geräteart"}, "user.device.cookie": {"cookies", "Cookies"}, "user.device.ip_address": {"IP address", "IP-Adresse"},
	"user.device.telemetry":               {"technical signals of the device", "technische Signale des Geräts"},
	"user.demographic.sexual_orientation": {"sexual orientation", "sexuelle Orientierung"}, "user.demographic.religious_belief": {"religious belief", "Religion"},
	"user.demographic.political_opinion": {"political opinion", "politische Meinung"}, "user.demographic.union_membership": {"union membership", "Gewerkschaftszugehörigkeit"},
	"user.demographic.race_ethnicity": {"ethnic origin", "ethnische Herkunft"}, "user.health": {"health", "Gesundheit"},
	"user.health.reproductive_or_sexual": {"pregnancy and fertility", "Schwangerschaft und Fruchtbarkeit"}, "user.privacy_preferences": {"choices about consent", "Entscheidungen zur Einwilligung"},
	"user.unique_id.pseudonymous": {"random pseudonym", "zufälliges Pseudonym"}, "user.unique_id": {"identifier", "Kennung"}, "user.content": {"what the person wrote or said", "was die Person schrieb oder sagte"},
	"user.content.private": {"messages to advisers", "Nachrichten an die Beratung"}, "user.biometrics.voice": {"voice", "Stimme"}, "user.contact": {"contact details", "Kontaktdaten"}, "user.sensor": {"voice and picture", "Stimme und Bild"}, "user.name": {"name", "Name"},
	// roles and transfers of recipients
	"own": {"the shop itself", "der Shop selbst"}, "processor": {"processor", "Auftragsverarbeiter"}, "controller": {"controller of its own", "eigener Verantwortlicher"},
	"joint": {"joint controller", "gemeinsam Verantwortlicher"}, "none": {"none", "keine"}, "dpf": {"EU-US Data Privacy Framework", "EU-US-Datenschutzrahmen"},
	"scc": {"standard contractual clauses", "Standardvertragsklauseln"}, "adequacy": {"adequacy decision", "Angemessenheitsbeschluss"},
	// risks
	"low": {"low", "niedrig"}, "medium": {"medium", "mittel"}, "high": {"high", "hoch"},
	// controls and patterns
	"banner": {"banner", "Banner"}, "preference_centre": {"preference centre", "Einstellungen"}, "off": {"off", "aus"}, "on": {"on", "an"},
	"overloading": {"overloading", "Überfrachten"}, "skipping": {"skipping", "Ablenken"}, "stirring": {"stirring", "Gefühle ansprechen"}, "obstructing": {"obstructing", "Behindern"},
	"fickle": {"fickle", "Unbeständigkeit"}, "left_in_the_dark": {"left in the dark", "Im-Dunkeln-Lassen"},
	"found": {"found", "gefunden"}, "not found": {"not found", "nicht gefunden"}, "not reviewed": {"not reviewed", "nicht geprüft"},
}

// inWords says a key of a closed list in a language; an unknown one stays.
func inWords(key, lang string) string {
	w, known := paperWords[key]
	switch {
	case !known:
		return key
	case lang == "de":
		return w[1]
	}
	return w[0]
}

func allInWords(keys []string, lang string) string {
	out := make([]string, len(keys))
	for i, k := range keys {
		out[i] = inWords(k, lang)
	}
	return strings.Join(out, ", ")
}

// pick is the English or the German of two.
func pick(lang, en, de string) string {
	if lang == "de" {
		return de
	}
	return en
}

// factWords say the keys of the table of cases in words. The keys never change and
// stand in records, so the table prints them.
var factWords = map[string][]string{
	"en": {
		"kind: type of event · purpose · state: what the book says about the purpose · stamp: what the event itself says · gpc, dnt: signals of the browser · tag: how sensitive · age",
		"state unknown: never asked · given, renewed: a yes in force · refused · withdrawn: taken back · expired · invalidated: the control was unfair · revoked: ended by the shop",
		"state before_grant: it happened before the yes · unlinked: device and account without a yes on both sides · restricted: Art. 18 or an objection · late: over 7 days late",
		"state ahead: over 5 minutes in the future · unregistered: the purpose is not fully registered · switched_off: by the kill switch",
		"stamp missing: no consent with the event · silent: it does not name the purpose · no, yes: what it says · trusted: none is needed, as for orders from the shop's server",
		"gpc true: Global Privacy Control is sent · dnt true: Do Not Track is sent · tag none, special: nothing or something sensitive · special_explicit: sensitive, with an explicit yes",
		"age u16: under 16 · 16_17: 16 or 17 · adult · unknown",
	},
	"de": {
		"kind: Ereignisart · purpose: Zweck · state: was das Buch zum Zweck sagt · stamp: was das Ereignis selbst sagt · gpc, dnt: Signale des Browsers · tag: wie sensibel · age: Alter",
		"state unknown: nie gefragt · given, renewed: ein Ja gilt · refused: abgelehnt · withdrawn: widerrufen · expired: abgelaufen · invalidated: die Abfrage war unfair · revoked: vom Shop beendet",
		"state before_grant: geschah vor dem Ja · unlinked: Gerät und Konto ohne Ja auf beiden Seiten · restricted: eingeschränkt (Art. 18) oder Widerspruch · late: über 7 Tage zu spät",
		"state ahead: über 5 Minuten in der Zukunft · unregistered: der Zweck steht nicht vollständig im Verzeichnis · switched_off: abgeschaltet",
		"stamp missing: keine Einwilligung am Ereignis · silent: sie nennt den Zweck nicht · no, yes: Nein, Ja · trusted: keine nötig, etwa bei Bestellungen vom Server des Shops",
		"gpc true: Global Privacy Control gesendet · dnt true: Do Not Track gesendet · tag none, special: nichts oder etwas Sensibles · special_explicit: sensibel, mit ausdrücklichem Ja",
		"age u16: unter 16 · 16_17: 16 oder 17 · adult: erwachsen · unknown: unbekannt",
	},
}
