package flow

import (
	"fmt"
	"strings"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/decide"
)

// proofWords are the words of a proof in one language.
type proofWords struct {
	title, record, person, scope, controller, when, client, skew, choices, shown, preset, how, equal, notice, lost, replaces, rules, uses, sealed string
	noUse, cut, unnamed, gone, ledger, check, law, withdraw, yes, no, on, off, until                                                              string
	why                                                                                                                                           string // of a claim
	status                                                                                                                                        map[consent.Status]string
	said                                                                                                                                          map[string]string // closed lists of the record and the log; what is not in it is printed as it is
}

var proofIn = map[string]proofWords{
	"de": {
		title: "Nachweis einer Einwilligung", record: "Datensatz", person: "Person", scope: "gilt für", controller: "Verantwortlicher",
		when: "Zeitpunkt (Uhr des Servers)", client: "Uhr des Geräts, nur zur Kenntnis", skew: "Sekunden Abweichung", choices: "Entscheidung je Zweck",
		shown: "Gezeigte Zwecke", preset: "Voreinstellung", how: "Bedienung", equal: "Ablehnen war gleich leicht",
		notice: "Hinweistext, wie er gezeigt wurde", lost: "Der Text wurde nicht aufbewahrt; sein SHA-256 steht im Datensatz.", replaces: "Ersetzt",
		rules: "Regeln, die ein Ja zu einem Nein gemacht haben", uses: "Entscheidungen, die sich auf den Datensatz stützen, bis", noUse: "keine",
		cut:     "nur die jüngsten %d; es gibt mehr",
		unnamed: "Nicht dabei, weil sie mit Absicht keinen Datensatz nennen: Preise, abgelehnte Zwecke und was eine sensible Seite berührt.",
		gone:    "mit der Person gelöscht: von hier aus nicht mehr zu finden",
		sealed:  "Die Person wurde gelöscht. Dieser Nachweis ist gesperrt und dient nur der Abwehr von Ansprüchen.",
		ledger:  "Beleg: Blatt %d im Protokoll, dessen Stand unten unterschrieben ist",
		check: "Dieser Text lässt sich nicht prüfen, die JSON-Form schon, ohne Netz:\n  handschlag consent proof --record %[1]s%[2]s --format json > %[1]s.json\n" +
			"  handschlag-verify proof -key '%[3]s' %[1]s.json\nDer Schlüssel soll von woanders kommen als dieser Text, etwa aus einer Veröffentlichung des Shops.", why: "GRUND",
		law: "Recht", withdraw: "Widerruf", yes: "ja", no: "nein", on: "an", off: "aus", until: "bis",
		status: map[consent.Status]string{consent.Given: "erteilt", consent.Renewed: "erneuert", consent.Refused: "abgelehnt", consent.Withdrawn: "widerrufen",
			consent.Expired: "abgelaufen", consent.Invalidated: "für unwirksam erklärt", consent.Revoked: "zurückgezogen", consent.Requested: "angefragt",
			consent.RequestDeferred: "Anfrage aufgeschoben", consent.Unknown: "unbekannt"},
		said: map[string]string{
			"device": "ein Gerät", "account": "ein Kundenkonto", "number": "eine Rufnummer", "case": "ein Anliegen",
			"accept": "allem zugestimmt", "reject": "alles abgelehnt", "save": "Auswahl gespeichert", "individual_notice": "einzeln gefragt", "gpc": "Signal des Browsers (GPC)",
			"script": "durch ein Skript", "dismiss": "Hinweis geschlossen", "acknowledge": "zur Kenntnis genommen", "external_provider": "über einen anderen Anbieter", "call": "Anruf",
			"same control, same effort": "dieselbe Bedienung, derselbe Aufwand", "GDPR, TDDDG": "DSGVO, TDDDG",
			decide.ActionEscalate: "Angebot eines Menschen", decide.ActionHandover: "Übergabe an einen Menschen", decide.ActionVariant: "Variante einer Seite",
			decide.ActionPrice: "Preis", decide.ActionCard: "Blick auf die Kundenkarte", decide.ActionExport: "Weitergabe von Daten", decide.ActionRights: "Rechte der Person",
			decide.ActionSwitch: "Schalter", decide.ActionConduct: "Aufzeichnung oder Anruf", decide.ActionMove: "Preisänderung",
		},
	},
	"en": {
		title: "Proof of a consent", record: "Record", person: "Person", scope: "applies to", controller: "Controller",
		when: "Time (the server's clock)", client: "The device's clock, for information only", skew: "seconds apart", choices: "Decision for each purpose",
		shown: "Purposes shown", preset: "Preset", how: "Control", equal: "Refusing was as easy",
		notice: "Notice, as it was shown", lost: "The text was not kept; its SHA-256 is in the record.", replaces: "Replaces",
		rules: "Rules that turned a yes into a no", uses: "Decisions that rest on the record, until", noUse: "none",
		cut:     "only the newest %d; there are more",
		unnamed: "Not among them, because they name no record on purpose: prices, refused purposes, and what touches a sensitive page.",
		gone:    "erased with the person: they cannot be found from here any more",
		sealed:  "The person was erased. This proof is restricted and serves only to defend claims.",
		ledger:  "Evidence: leaf %d of the log whose state is signed below",
		check: "This text cannot be checked; its JSON form can, without a network:\n  handschlag consent proof --record %[1]s%[2]s --format json > %[1]s.json\n" +
			"  handschlag-verify proof -key '%[3]s' %[1]s.json\nTake the key from elsewhere than this text, such as what the shop has published.", why: "WHY",
		law: "Law", withdraw: "Withdrawal", yes: "yes", no: "no", on: "on", off: "off", until: "until",
		status: map[consent.Status]string{consent.Given: "given", consent.Renewed: "renewed", consent.Refused: "refused", consent.Withdrawn: "withdrawn",
			consent.Expired: "expired", consent.Invalidated: "declared invalid", consent.Revoked: "revoked"},
	},
}

// Text is the proof as a person reads it, in German (de) or English (en).
func (p ConsentProof) Text(lang string) string {
	w, known := proofIn[lang]
	if !known {
		w, lang = proofIn["en"], "en"
	}
	var b strings.Builder
	line := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "%s: %s\n", name, fmt.Sprintf(format, args...))
	}
	r := p.Proof.Record
	fmt.Fprintf(&b, "%s\n%s\n", w.title, strings.Repeat("=", len([]rune(w.title))))
	if p.Sealed {
		fmt.Fprintln(&b, w.sealed)
	}
	line(w.record, "%s (%d)", r.RecordID, r.Version)
	line(w.person, "%s, %s %s", r.Subject, w.scope, w.say(string(r.Scope)))
	line(w.controller, "%s, %s, %s", r.Controller.Name, r.Controller.Address, r.Controller.Contact)
	line(w.when, "%s", r.Event.Time.UTC().Format(time.RFC3339))
	if r.Event.ClientTime != nil {
		line(w.client, "%s (%d %s)", r.Event.ClientTime.UTC().Format(time.RFC3339), r.Event.Skew(), w.skew)
	}
	fmt.Fprintf(&b, "%s:\n", w.choices)
	for i, c := range r.Purposes {
		fmt.Fprintf(&b, "  %s (%s): %s%s\n", c.Purpose, p.Purposes[i].Name[lang], w.statusOf(c.Status), w.end(c, r))
	}
	p.shownText(&b, w)
	p.evidence(&b, w)
	return b.String()
}

func (w proofWords) statusOf(s consent.Status) string {
	if word, known := w.status[s]; known {
		return word
	}
	return string(s)
}

// say is a word of a closed list in the language; the record keeps its own.
func (w proofWords) say(word string) string {
	if said, known := w.said[word]; known {
		return said
	}
	return word
}

func (w proofWords) end(c consent.Choice, r consent.Record) string {
	if !c.Status.Valid() {
		return ""
	}
	return " " + w.until + " " + r.Validity.Until.UTC().Format(time.RFC3339)
}

func (w proofWords) truth(is bool) string {
	if is {
		return w.yes
	}
	return w.no
}

// shownText says what the person saw.
func (p ConsentProof) shownText(b *strings.Builder, w proofWords) {
	r := p.Proof.Record
	shown := make([]string, 0, len(r.PurposesShown))
	for _, s := range r.PurposesShown {
		shown = append(shown, string(s))
	}
	preset := w.off
	if r.DefaultState == "on" {
		preset = w.on
	}
	fmt.Fprintf(b, "%s: %s\n%s: %s\n", w.shown, strings.Join(shown, ", "), w.preset, preset)
	fmt.Fprintf(b, "%s: %s, %s; %s: %s\n", w.how, r.UI.Version, w.say(r.Event.Method), w.equal, w.truth(r.UI.RejectEqual))
	if len(r.Rules) > 0 {
		fmt.Fprintf(b, "%s: %s\n", w.rules, strings.Join(r.Rules, ", "))
	}
	if r.Supersedes != "" {
		fmt.Fprintf(b, "%s: %s\n", w.replaces, r.Supersedes)
	}
	fmt.Fprintf(b, "%s: %s, %s\n%s: %s, %s\n", w.law, r.Jurisdiction, w.say(r.Law), w.withdraw, w.say(r.Withdrawal.How), r.Withdrawal.URLPath)
	fmt.Fprintf(b, "%s (%s, %s):\n", w.notice, r.Notice.Version, r.Notice.Language)
	text := p.Notice
	if text == "" {
		text = w.lost
	}
	for _, l := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
		fmt.Fprintf(b, "  | %s\n", l)
	}
	fmt.Fprintf(b, "  SHA-256 %s\n", r.Notice.TextSHA256)
}

// evidence says what it was used for and where it stands.
func (p ConsentProof) evidence(b *strings.Builder, w proofWords) {
	p.usedFor(b, w)
	fmt.Fprintf(b, w.ledger+":\n", p.Proof.Index)
	for _, l := range strings.Split(strings.TrimRight(p.Proof.Checkpoint, "\n"), "\n") {
		fmt.Fprintf(b, "  | %s\n", l)
	}
	claim := ""
	if p.Sealed {
		claim = " --claim '" + w.why + "'"
	}
	fmt.Fprintf(b, w.check+"\n", p.Proof.Record.RecordID, claim, p.Verifier)
}

// usedFor lists the decisions that rest on the record.
func (p ConsentProof) usedFor(b *strings.Builder, w proofWords) {
	fmt.Fprintf(b, "%s %s:\n", w.uses, p.Until.UTC().Format(time.RFC3339))
	if p.Sealed {
		fmt.Fprintf(b, "  %s\n", w.gone)
		return
	}
	if len(p.Uses) == 0 {
		fmt.Fprintf(b, "  %s\n", w.noUse)
	}
	for _, u := range p.Uses {
		fmt.Fprintf(b, "  %s %s %s %s\n", u.Time.Format(time.RFC3339), w.say(u.Action), u.Decision+u.Noted, strings.Join(u.Rules, ","))
	}
	if p.Cut {
		fmt.Fprintf(b, "  "+w.cut+"\n", UsesMost)
	}
	fmt.Fprintf(b, "  %s\n", w.unnamed)
}
