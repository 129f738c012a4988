package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/handschlag/handschlag/config"
)

type auditROPACmd struct {
	place
	Lang    string `enum:"de,en" default:"en" help:"Language: de or en."`
	Format  string `enum:"text,csv,json" default:"text" help:"text; csv; json: fideslang."`
	Purpose string `help:"One purpose only."`
}

// Run prints the record of processing activities (Art. 30(1) GDPR), with what may run
// today by the rules.
func (c auditROPACmd) Run(ctx context.Context, s streams) error {
	return askPapers(ctx, c.place, s, func(p papers) error {
		var list []config.Processing
		for _, x := range p.cfg.Register.Processings {
			if c.Purpose == "" || string(x.Purpose) == c.Purpose {
				list = append(list, x)
			}
		}
		if len(list) == 0 {
			return fmt.Errorf("the register has no processing for %q", c.Purpose)
		}
		switch c.Format {
		case "csv":
			return p.ropaCSV(s, list, c.Lang)
		case "json":
			return printJSON(s, p.fides(list, c.Lang))
		}
		p.ropaText(s, list, c.Lang)
		return nil
	})
}

// bases are the grounds of Art. 6(1), with fideslang's names.
var bases = map[string]struct{ law, fides string }{
	"6-1-a": {"Art. 6(1)(a) GDPR", "Consent"}, "6-1-b": {"Art. 6(1)(b) GDPR", "Contract"},
	"6-1-c": {"Art. 6(1)(c) GDPR", "Legal Obligations"}, "6-1-f": {"Art. 6(1)(f) GDPR", "Legitimate Interests"},
}

func (p papers) basis(x config.Processing, lang string) string {
	out := bases[x.Basis].law
	if x.Art9 != "" {
		out += ", Art. 9(2)(" + strings.TrimPrefix(x.Art9, "9-2-") + ") GDPR"
	}
	if x.DeviceAccess {
		out += ", § 25 TDDDG"
	}
	return law(out, lang)
}

// runs says whether a purpose may run today, and why not.
func (p papers) runs(x config.Processing, lang string) string {
	v := p.Verdicts[x.Purpose]
	yes, no := "runs", "does not run: "
	if lang == "de" {
		yes, no = "läuft", "läuft nicht: "
	}
	if v.Allowed {
		return yes
	}
	return no + p.why(v.Rules, lang)
}

// abroad names transfers to third countries with their safeguards (Art. 30(1)(e)).
func (p papers) abroad(x config.Processing, lang string) string {
	var out []string
	for _, id := range x.Recipients {
		if r, ok := p.cfg.RecipientNamed(id); ok && r.Transfer != "none" {
			out = append(out, fmt.Sprintf("%s (%s, %s)", r.Name, r.Country, inWords(r.Transfer, lang)))
		}
	}
	return joinOr(out, pick(lang, "none (EU/EEA)", "keine (nur EU/EWR)"))
}

func (p papers) measures(x config.Processing, lang string) string {
	var out []string
	for _, id := range x.Measures {
		for _, m := range p.cfg.Register.Measures {
			if m.ID == id {
				out = append(out, text(m.Text, lang))
			}
		}
	}
	return strings.Join(out, "; ")
}

func (p papers) recipients(ids []string, lang string) string {
	var out []string
	for _, id := range ids {
		r, ok := p.cfg.RecipientNamed(id)
		if !ok {
			r.Name = id
		}
		out = append(out, fmt.Sprintf("%s (%s)", r.Name, inWords(r.Role, lang)))
	}
	return strings.Join(out, "; ")
}

var ropaHeader = []string{
	"purpose", "name", "controller", "dpo", "legal_basis", "data_subjects", "data_categories", "recipients", "third_countries", "retention_days", "retention",
	"measures", "data_use", "dpia", "lia", "owner", "status",
}

func (p papers) ropaCSV(s streams, list []config.Processing, lang string) error {
	rows := make([][]string, len(list))
	for i, x := range list {
		rows[i] = []string{
			string(x.Purpose), text(x.Name, lang), p.cfg.Controller.Name + ", " + p.cfg.Controller.Address + ", " + p.cfg.Controller.Contact, p.cfg.DPO.Name + ", " + p.cfg.DPO.Contact,
			p.basis(x, lang), strings.Join(x.Subjects, " "), strings.Join(x.DataCategories, " "), p.recipients(x.Recipients, lang), p.abroad(x, lang),
			strconv.Itoa(x.RetentionDays), text(x.Retention, lang), p.measures(x, lang), strings.Join(x.DataUse, " "), x.DPIA, x.LIA, x.Owner, p.runs(x, lang),
		}
	}
	return s.table(ropaHeader, rows)
}

// ropaWords are the headings, by language.
var ropaWords = map[string][]string{
	"en": {"Record of processing activities (Art. 30(1) GDPR)", "controller", "data protection officer", "as of", "legal basis", "persons", "data", "recipients", "third countries", "kept", "measures", "DPIA", "interest assessment", "owner", "today"},
	"de": {"Verzeichnis von Verarbeitungstätigkeiten (Art. 30 Abs. 1 DSGVO)", "Verantwortlicher", "Datenschutzbeauftragte Person", "Stand", "Rechtsgrundlage", "Personen", "Daten", "Empfänger", "Drittländer", "Löschfrist", "Maßnahmen", "DSFA", "Interessenabwägung", "zuständig", "heute"},
}

func (p papers) ropaText(s streams, list []config.Processing, lang string) {
	w := ropaWords[lang]
	s.printf("%s\n%s: %s, %s, %s\n%s: %s, %s\n%s: %s\n", w[0], w[1], p.cfg.Controller.Name, p.cfg.Controller.Address, p.cfg.Controller.Contact, w[2], p.cfg.DPO.Name, p.cfg.DPO.Contact, w[3], day(p.Now))
	for _, x := range list {
		s.printf("\n%s · %s\n", x.Purpose, text(x.Name, lang))
		for _, line := range [][2]string{
			{w[4], p.basis(x, lang)}, {w[5], allInWords(x.Subjects, lang)}, {w[6], allInWords(x.DataCategories, lang)}, {w[7], p.recipients(x.Recipients, lang)}, {w[8], p.abroad(x, lang)},
			{w[9], text(x.Retention, lang)}, {w[10], p.measures(x, lang)}, {w[11], x.DPIA}, {w[12], x.LIA}, {w[13], x.Owner}, {w[14], p.runs(x, lang)},
		} {
			if line[1] != "" {
				s.printf("  %s: %s\n", line[0], line[1])
			}
		}
	}
}

// fidesSystem is a system of fideslang's taxonomy (CC-BY-4.0), with the members that
// the record of processing fills.
type fidesSystem struct {
	Key          string             `json:"fides_key"`
	Name         string             `json:"name"`
	Description  string             `json:"description"`
	Type         string             `json:"system_type"`
	Legal        string             `json:"legal_name"`
	Address      string             `json:"legal_address"`
	DPO          string             `json:"dpo"`
	Processes    bool               `json:"processes_personal_data"`
	Declarations []fidesDeclaration `json:"privacy_declarations"`
}

type fidesDeclaration struct {
	Name       string   `json:"name"`
	Use        string   `json:"data_use"`
	Categories []string `json:"data_categories"`
	Subjects   []string `json:"data_subjects"`
	Basis      string   `json:"legal_basis_for_processing"`
	Assessment string   `json:"legitimate_interest_impact_assessment,omitempty"`
	Impact     string   `json:"impact_assessment_location,omitempty"`
	Retention  string   `json:"retention_period"`
	Special    bool     `json:"processes_special_category_data"`
	SpecialOn  string   `json:"special_category_legal_basis,omitempty"`
	Shared     bool     `json:"data_shared_with_third_parties"`
	Third      string   `json:"third_parties,omitempty"`
	Egress     []string `json:"egress"` // recipients' keys
	Runs       bool     `json:"x_runs_today"`
}

// fides is the register in fideslang's form: one system, one declaration for each
// purpose and data use.
func (p papers) fides(list []config.Processing, lang string) map[string][]fidesSystem {
	sys := fidesSystem{
		Key: key(p.cfg.Tenant), Name: p.cfg.Tenant, Description: "Handschlag at " + p.cfg.Controller.Name, Type: "Application", Legal: p.cfg.Controller.Name,
		Address: p.cfg.Controller.Address, DPO: p.cfg.DPO.Name + ", " + p.cfg.DPO.Contact, Processes: true,
	}
	for _, x := range list {
		for _, use := range x.DataUse {
			d := fidesDeclaration{
				Name: string(x.Purpose), Use: use, Categories: x.DataCategories, Subjects: x.Subjects, Basis: bases[x.Basis].fides, Assessment: x.LIA, Impact: x.DPIA,
				Retention: text(x.Retention, lang), Special: x.Art9 != "", Runs: p.Verdicts[x.Purpose].Allowed, Egress: []string{},
			}
			if x.Art9 != "" {
				d.SpecialOn = "Explicit consent"
			}
			for _, id := range x.Recipients {
				if r, ok := p.cfg.RecipientNamed(id); ok && r.Role != "own" {
					d.Shared, d.Third, d.Egress = true, p.recipients(x.Recipients, lang), append(d.Egress, key(id))
				}
			}
			sys.Declarations = append(sys.Declarations, d)
		}
	}
	return map[string][]fidesSystem{"system": {sys}}
}

// key makes a fides_key of a name.
func key(name string) string { return strings.ReplaceAll(strings.ToLower(name), " ", "_") }
