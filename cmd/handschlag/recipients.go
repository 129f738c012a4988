package main

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/consent"
)

type auditRecipientsCmd struct {
	place
	Lang   string `enum:"de,en" default:"en" help:"Language: de or en."`
	Format string `enum:"text,csv,json" default:"text" help:"text, csv or json."`
}

// reachedBy is one recipient with what reaches it (A8 of law.md 3.2).
type reachedBy struct {
	ID           string   `json:"id"`
	Name         string   `json:"name"`
	Role         string   `json:"role"`
	Contract     string   `json:"contract"`
	Country      string   `json:"country"`
	Transfer     string   `json:"transfer"`
	Assessment   string   `json:"transfer_assessment,omitempty"`
	DPF          bool     `json:"rests_on_dpf"`
	Sub          []string `json:"sub_processors"`
	Notices      []string `json:"named_in_notices"`
	Purposes     []string `json:"purposes"`
	DeletionDays int      `json:"deletion_days"`
	LastCheck    string   `json:"last_check"`
	Files        int      `json:"files_kept"`
	Rows         int64    `json:"rows_sent"` // of the nights still kept
	LastSent     string   `json:"last_sent,omitempty"`
	Blocked      []string `json:"blocked,omitempty"` // why it gets nothing, by rule
}

// Run prints who gets data.
func (c auditRecipientsCmd) Run(ctx context.Context, s streams) error {
	return askPapers(ctx, c.place, s, func(p papers) error {
		var list []reachedBy
		for _, r := range p.cfg.Register.Recipients {
			list = append(list, p.recipient(r, c.Lang))
		}
		switch c.Format {
		case "json":
			return printJSON(s, list)
		case "csv":
			rows := make([][]string, len(list))
			for i, r := range list {
				rows[i] = []string{r.ID, r.Name, r.Role, r.Contract, r.Country, r.Transfer, strconv.FormatBool(r.DPF), strings.Join(r.Sub, "; "), strings.Join(r.Notices, "; "),
					strings.Join(r.Purposes, "; "), strconv.Itoa(r.DeletionDays), r.LastCheck, strconv.FormatInt(r.Rows, 10), r.LastSent, strings.Join(r.Blocked, "; ")}
			}
			return s.table([]string{"id", "name", "role", "contract", "country", "transfer", "rests_on_dpf", "sub_processors", "named_in_notices", "purposes", "deletion_days", "last_check", "rows_sent", "last_sent", "blocked"}, rows)
		}
		for _, r := range list {
			none := inWords("none", c.Lang)
			s.printf(pick(c.Lang,
				"%s · %s (%s, %s)\n  contract: %s; transfer abroad: %s; sub-processors: %s; named in notices: %s; checked %s\n  for: %s\n  sent: rows %d, files %d%s; deletes within days: %d\n",
				"%s · %s (%s, %s)\n  Vertrag: %s; Übermittlung in Drittländer: %s; Unterauftragsverarbeiter: %s; genannt in Hinweisen: %s; geprüft %s\n  für: %s\n  gesendet: Zeilen %d, Dateien %d%s; löscht binnen Tagen: %d\n"),
				r.ID, r.Name, inWords(r.Role, c.Lang), r.Country, law(joinOr(nonEmpty(r.Contract), pick(c.Lang, "none", "kein Vertrag")), c.Lang), inWords(r.Transfer, c.Lang), joinOr(r.Sub, none), joinOr(r.Notices, none), r.LastCheck, strings.Join(r.Purposes, ", "),
				r.Rows, r.Files, on(r.LastSent, c.Lang), r.DeletionDays)
			for _, b := range r.Blocked {
				s.printf(pick(c.Lang, "  gets nothing: %s\n", "  bekommt nichts: %s\n"), b)
			}
		}
		return nil
	})
}

func (p papers) recipient(r config.Recipient, lang string) reachedBy {
	x := reachedBy{
		ID: r.ID, Name: r.Name, Role: r.Role, Contract: r.Contract, Country: r.Country, Transfer: r.Transfer, Assessment: r.Assessment, DPF: r.Transfer == "dpf",
		Sub: append([]string{}, r.SubProcessor...), Notices: append([]string{}, p.cfg.NoticesNaming(r.ID)...), DeletionDays: r.DeletionDays, LastCheck: r.LastCheck,
		Files: p.Sent[r.ID].Files, Rows: p.Sent[r.ID].Rows, LastSent: day(p.Sent[r.ID].Last), Purposes: []string{},
	}
	for _, purpose := range consent.Purposes {
		for _, e := range p.cfg.Processings(purpose) {
			if slices.Contains(e.Recipients, r.ID) {
				x.Purposes = append(x.Purposes, string(purpose))
			}
		}
		if why := p.Verdicts[purpose].Blocked[r.ID]; len(why) > 0 {
			x.Blocked = append(x.Blocked, string(purpose)+": "+p.why(why, lang))
		}
	}
	x.Purposes = slices.Compact(x.Purposes)
	return x
}
