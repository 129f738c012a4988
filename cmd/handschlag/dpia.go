package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/consent"
)

type auditDPIACmd struct {
	place
	ID   string `arg:"" optional:"" help:"Of the register; default: every one."`
	Lang string `enum:"de,en" default:"en" help:"Language: de or en."`
	JSON bool   `help:"Print as JSON."`
}

// Run prints impact assessments in the sections of the EDPB's template of 2026, filled
// in from the register and from what is deployed now.
func (c auditDPIACmd) Run(ctx context.Context, s streams) error {
	return askPapers(ctx, c.place, s, func(p papers) error {
		list := p.cfg.Register.DPIA
		if c.ID != "" {
			d, ok := p.cfg.DPIANamed(c.ID)
			if !ok {
				return fmt.Errorf("the register has no impact assessment %q; it has %s", c.ID, joinOr(namesOf(list), "none"))
			}
			list = []config.DPIA{d}
		}
		if len(list) == 0 {
			return fmt.Errorf("the register has no impact assessment")
		}
		out := make([]assessment, len(list))
		for i, d := range list {
			out[i] = p.assess(d, c.Lang)
		}
		if c.JSON {
			return printJSON(s, out)
		}
		for i, a := range out {
			if i > 0 {
				s.printf("\n")
			}
			s.assessment(a, c.Lang)
		}
		return nil
	})
}

func namesOf(list []config.DPIA) (out []string) {
	for _, d := range list {
		out = append(out, d.ID)
	}
	return out
}

// assessment is an impact assessment, section by section.
type assessment struct {
	Overview    overview          `json:"0_overview"`
	Data        []described       `json:"1_1_data_and_purposes"`
	Functional  []string          `json:"1_2_functional_description"`
	Assets      []string          `json:"1_3_assets"`
	Compliance  []check           `json:"2_compliance"`
	Necessity   string            `json:"3_necessity_and_proportionality"`
	Risks       []config.Risk     `json:"4_risks"`
	Measures    map[string]string `json:"4_measures"`
	Stakeholder stakeholders      `json:"5_stakeholders"`
	Conclusion  conclusion        `json:"6_conclusion"`
}

type overview struct {
	ID         string `json:"id"`
	Version    string `json:"version"`
	Title      string `json:"title"`
	Controller string `json:"controller"`
	DPO        string `json:"dpo"`
	AsOf       string `json:"as_of"`
	ReviewBy   string `json:"review_by"`
	Policy     string `json:"policy"` // digest of the rules in force
}

// described is 1.1 a to d: data, purposes and basis, persons and recipients, retention.
type described struct {
	Purpose    consent.Purpose `json:"purpose"`
	Name       string          `json:"name"`
	Data       []string        `json:"data"`
	Basis      string          `json:"legal_basis"`
	Persons    []string        `json:"persons"`
	Recipients string          `json:"recipients"`
	Retention  string          `json:"retention"`
	Features   []string        `json:"features_deployed"`
	Abroad     string          `json:"third_countries"`
}

// check is one thing that the live registry answers.
type check struct {
	What  string `json:"what"`
	Holds bool   `json:"holds"`
	Why   string `json:"why,omitempty"`
}

type stakeholders struct {
	Views   string         `json:"views_of_the_persons"`
	Opinion config.Opinion `json:"dpo_opinion"` // advice, no decision (Art. 38(3), 39)
}

type conclusion struct {
	Decision config.Decision `json:"controller_decision"`
	InForce  bool            `json:"in_force"` // every purpose of it may run today
	Missing  []string        `json:"missing,omitempty"`
}

func (p papers) assess(d config.DPIA, lang string) assessment {
	a := assessment{
		Overview: overview{d.ID, d.Version, text(d.Title, lang), p.cfg.Controller.Name + ", " + p.cfg.Controller.Address, p.cfg.DPO.Name + ", " + p.cfg.DPO.Contact, day(p.Now), d.ReviewBy, p.Policy},
		Data:     []described{}, Necessity: d.Necessity, Risks: d.Risks, Measures: map[string]string{}, Stakeholder: stakeholders{d.Views, d.Opinion},
		Conclusion: conclusion{Decision: d.Decision, InForce: true},
		Functional: flows[lang], Assets: assets[lang],
	}
	for _, purpose := range d.Purposes {
		for _, x := range p.cfg.Processings(purpose) {
			a.Data = append(a.Data, described{purpose, text(x.Name, lang), x.DataCategories, p.basis(x, lang), x.Subjects, p.recipients(x.Recipients, lang), text(x.Retention, lang), p.Deployed[purpose], p.abroad(x, lang)})
			for _, id := range x.Measures {
				for _, m := range p.cfg.Register.Measures {
					if m.ID == id {
						a.Measures[id] = text(m.Text, lang)
					}
				}
			}
		}
		v := p.Verdicts[purpose]
		a.Compliance = append(a.Compliance, check{string(purpose), v.Allowed, p.why(v.Rules, lang)})
		if !v.Allowed {
			a.Conclusion.InForce = false
			a.Conclusion.Missing = append(a.Conclusion.Missing, p.why(v.Rules, lang))
		}
		for _, f := range p.Deployed[purpose] {
			if feature, _ := config.Windowed(f); !slices.Contains(d.Features, feature) {
				a.Conclusion.Missing = append(a.Conclusion.Missing, drifted(lang, f))
			}
		}
	}
	return a
}

func drifted(lang, feature string) string {
	if lang == "de" {
		return "Merkmal im Einsatz, aber nicht bewertet: " + feature
	}
	return "deployed, but not assessed: " + feature
}

// flows and assets describe this software, the same for every shop.
var flows = map[string][]string{
	"en": {
		"An event passes the consent gate (Rego), is cut to the fields that the purpose needs, and only then is stored under a random pseudonym.",
		"Decisions in real time (offer of a human, content, price) ask the rules; each leaves a chained record with its reasons.",
		"At night DuckDB builds features and segments from admitted events; consent is read again before anything is published.",
		"Exports leave per channel, under consent for just that, from groups of k persons, with tombstones for who withdrew.",
	},
	"de": {
		"Ein Ereignis durchläuft die Einwilligungsprüfung (Rego), wird auf die Felder gekürzt, die der Zweck braucht, und erst dann unter zufälligem Pseudonym gespeichert.",
		"Entscheidungen in Echtzeit (Angebot eines Menschen, Inhalt, Preis) fragen die Regeln; jede hinterlässt ein verkettetes Protokoll mit Gründen.",
		"Nachts bildet DuckDB Merkmale und Segmente aus zugelassenen Ereignissen; vor jeder Veröffentlichung wird die Einwilligung noch einmal gelesen.",
		"Exporte gehen je Kanal hinaus, nur mit Einwilligung genau dafür, aus Gruppen von mindestens k Personen, mit Löschlisten für alle, die widerrufen haben.",
	},
}

var assets = map[string][]string{
	"en": {"state store (consent book, profiles, contacts)", "event log and daily Parquet files", "decision log (chained)", "consent ledger (Merkle tree, signed checkpoints)", "exports with signed manifests", "keys, apart from the data"},
	"de": {"Zustandsspeicher (Einwilligungen, Profile, Kontakte)", "Ereignisprotokoll und tägliche Parquet-Dateien", "Entscheidungsprotokoll (verkettet)", "Einwilligungsverzeichnis (Merkle-Baum, signierte Prüfpunkte)", "Exporte mit signierten Manifesten", "Schlüssel, getrennt von den Daten"},
}

// dpiaWords are the headings, by language.
var dpiaWords = map[string][]string{
	"en": {
		"Data protection impact assessment (Art. 35 GDPR; sections of the EDPB template 2026)", "0 Overview", "1.1 Data, purposes, persons, retention", "1.2 Functional description",
		"1.3 Assets", "2 Compliance, judged by the rules in force", "3 Necessity and proportionality", "4 Risks to the persons, before and after measures", "5 Stakeholders",
		"6 Conclusion", "views of the persons concerned", "OPINION of the data protection officer", "DECISION of the controller", "approved", "not approved", "holds", "does not hold", "missing", "nothing",
		"version", "as of", "to be reviewed by", "rules", "free texts: as they stand in the register of the configuration", "third countries: ", "features in use: ",
	},
	"de": {
		"Datenschutz-Folgenabschätzung (Art. 35 DSGVO; Abschnitte der EDSA-Vorlage 2026)", "0 Überblick", "1.1 Daten, Zwecke, Personen, Fristen", "1.2 Funktionsbeschreibung",
		"1.3 Betriebsmittel", "2 Rechtmäßigkeit, beurteilt von den geltenden Regeln", "3 Notwendigkeit und Verhältnismäßigkeit", "4 Risiken für die Personen, vor und nach Maßnahmen", "5 Beteiligte",
		"6 Ergebnis", "Standpunkt der betroffenen Personen", "STELLUNGNAHME der Datenschutzbeauftragten", "ENTSCHEIDUNG des Verantwortlichen", "genehmigt", "nicht genehmigt", "erfüllt", "nicht erfüllt", "es fehlt", "nichts",
		"Fassung", "Stand", "zu überprüfen bis", "Regelwerk", "Freitexte: so, wie sie im Register der Konfiguration stehen", "Drittländer: ", "eingesetzte Merkmale: ",
	},
}

func (s streams) assessment(a assessment, lang string) {
	w := dpiaWords[lang]
	o := a.Overview
	s.printf("%s\n\n%s\n  %s, %s %s: %s\n  %s\n  %s\n  %s %s; %s %s\n  %s %.16s\n  %s\n", w[0], w[1], o.ID, w[19], o.Version, o.Title, o.Controller, o.DPO, w[20], o.AsOf, w[21], o.ReviewBy, w[22], o.Policy, w[23])
	s.printf("\n%s\n", w[2])
	for _, d := range a.Data {
		s.printf("  %s · %s\n    a) %s\n    b) %s\n    c) %s → %s; %s\n    d) %s\n", d.Purpose, d.Name, allInWords(d.Data, lang), d.Basis, allInWords(d.Persons, lang), d.Recipients, w[24]+d.Abroad, d.Retention)
		if len(d.Features) > 0 {
			s.printf("       %s%s\n", w[25], strings.Join(d.Features, ", "))
		}
	}
	s.list(w[3], a.Functional)
	s.list(w[4], a.Assets)
	s.printf("\n%s\n", w[5])
	for _, c := range a.Compliance {
		word := w[15]
		if !c.Holds {
			word = w[16] + " – " + c.Why
		}
		s.printf("  %s: %s\n", c.What, word)
	}
	s.printf("\n%s\n  %s\n\n%s\n", w[6], a.Necessity, w[7])
	for _, r := range a.Risks {
		s.printf("  %s: %s → %s\n", r.Risk, inWords(r.Inherent, lang), inWords(r.Residual, lang))
		for _, id := range r.Measures {
			s.printf("    - %s\n", cmp.Or(a.Measures[id], id))
		}
	}
	s.printf("\n%s\n  %s: %s\n  %s: %s, %s: %s\n", w[8], w[10], a.Stakeholder.Views, w[11], a.Stakeholder.Opinion.By, a.Stakeholder.Opinion.At, a.Stakeholder.Opinion.Text)
	said := w[14]
	if a.Conclusion.Decision.Approved {
		said = w[13]
	}
	s.printf("\n%s\n  %s: %s, %s: %s – %s\n", w[9], w[12], a.Conclusion.Decision.By, a.Conclusion.Decision.At, said, a.Conclusion.Decision.Text)
	s.printf("  %s: %s\n", w[17], joinOr(a.Conclusion.Missing, w[18]))
}

func (s streams) list(title string, items []string) {
	s.printf("\n%s\n", title)
	for _, x := range items {
		s.printf("  - %s\n", x)
	}
}
