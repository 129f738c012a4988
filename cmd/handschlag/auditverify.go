package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"

	"github.com/handschlag/handschlag/host/snapshot"
)

type auditVerifyCmd struct {
	place
	Lang string `enum:"de,en" default:"en" help:"Language: de or en."`
	JSON bool   `help:"Print the report as JSON."`
}

// Run verifies the chain of decisions against itself and against what the ledger
// sealed of it.
func (c auditVerifyCmd) Run(ctx context.Context, s streams) error {
	return c.within(ctx, s, func(r *reached) error {
		var out snapshot.ChainReport
		if err := r.call(ctx, "GET", "/admin/chain", nil, &out); err != nil {
			return err
		}
		if !c.JSON {
			return s.chain(out, c.Lang)
		}
		if err := printJSON(s, out); err != nil {
			return err
		}
		return brokenChain(out)
	})
}

// chain prints what a walk along the decision log found.
func (s streams) chain(r snapshot.ChainReport, lang string) error {
	for _, c := range r.Chains {
		s.printf(pick(lang, "decisions: %d records of writer %.8s, %d to %d, %d erased, sealed up to %d in the ledger\n",
			"Entscheidungen: %d Protokolle von Schreiber %.8s, Nummer %d bis %d, %d gelöscht, bis %d im Einwilligungsbuch versiegelt\n"), c.Count, c.Writer, c.First, c.N, c.Erased, r.Sealed)
	}
	if len(r.Chains) == 0 {
		s.printf("%s\n", pick(lang, "decisions: none", "Entscheidungen: keine"))
	}
	if r.Broken == 0 {
		s.printf("%s\n", pick(lang, "no record was removed, edited, inserted or moved", "kein Protokoll wurde entfernt, geändert, eingefügt oder verschoben"))
	}
	for _, b := range r.Breaks {
		s.printf(pick(lang, "  record %d (decision %s): %s\n", "  Protokoll %d (Entscheidung %s): %s\n"), b.N, b.ID, breakWhy(b.Why, lang))
	}
	return brokenChain(r)
}

// breaksDE are the German of why a chain does not hold.
var breaksDE = []struct {
	en *regexp.Regexp
	de string
}{
	{regexp.MustCompile(`^its content is gone, and the ledger knows of no erasure$`), "sein Inhalt fehlt, und das Einwilligungsbuch kennt keine Löschung"},
	{regexp.MustCompile(`^a chain cannot begin so$`), "so kann eine Kette nicht beginnen"},
	{regexp.MustCompile(`^(\d+) records before it are missing, from (\d+) on$`), "davor fehlen $1 Protokolle, ab Nummer $2"},
	{regexp.MustCompile(`^it stands behind record (\d+): inserted, repeated or moved$`), "es steht hinter Protokoll $1: eingefügt, wiederholt oder verschoben"},
	{regexp.MustCompile(`^it does not commit to record (\d+) \(decision (.*)\): one of the two was changed$`), "es legt sich nicht auf Protokoll $1 (Entscheidung $2) fest: eines der beiden wurde geändert"},
	{regexp.MustCompile(`^it is not the record that the ledger sealed on (.*)$`), "es ist nicht das Protokoll, das das Einwilligungsbuch am $1 versiegelt hat"},
	{regexp.MustCompile(`^the log ends here, but record (\d+) was written$`), "das Protokoll endet hier, aber Nummer $1 wurde geschrieben"},
	{regexp.MustCompile(`^the last record is not the one that was written$`), "das letzte Protokoll ist nicht das geschriebene"},
	{regexp.MustCompile(`^the log begins here, but retention let go of record (\d+) and before only$`), "das Protokoll beginnt hier, aber gelöscht wurde nach Frist nur bis Nummer $1"},
}

func breakWhy(why, lang string) string {
	for _, b := range breaksDE {
		if lang == "de" && b.en.MatchString(why) {
			return b.en.ReplaceAllString(why, b.de)
		}
	}
	return why
}

func brokenChain(r snapshot.ChainReport) error {
	if r.Broken == 0 {
		return nil
	}
	err := fmt.Errorf("the decision log does not hold in %d places", r.Broken)
	if len(r.Breaks) > 0 {
		err = fmt.Errorf("%w, the first: %w", err, r.Breaks[0])
	}
	return errors.Join(err)
}
