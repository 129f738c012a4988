package segment

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// What the night, the shop and its host keep, in words.
var (
	keptEvents    = Words{"zugelassene Ereignisse", "admitted events"}
	keptRefused   = Words{"abgelehnte Ereignisse", "refused events"}
	keptFeatures  = Words{"Merkmale je Tag", "features by day"}
	keptSegments  = Words{"Segmente und Zeilen der Exporte", "segments and rows of exports"}
	keptDecisions = Words{"Entscheidungen", "decisions"}
	keptProofs    = Words{"versiegelte Einwilligungsnachweise Gelöschter", "sealed proofs of consent of who was erased"}
	keptLists     = Words{"Listen für den Laden (Erstattungen)", "lists for the shop (refunds)"}

	byHost  = Words{"der Speicher, nach jeder veröffentlichten Nacht", "the host, after each published night"}
	byNight = Words{"die Nacht", "the night"}
	byNone  = Words{"nie gespeichert", "never stored"}
)

// keeps lists what is kept and until when. Terms are counted from the oldest day.
func (n *night) keeps(context.Context) error {
	r, events, features, decisions := n.in.Config.Retention, "", "", ""
	if len(n.snap.Days) > 0 {
		events = n.snap.Days[0].Day
	}
	if len(n.is.Days) > 0 {
		features = n.is.Days[0].Day
	}
	if decisions = n.snap.Decided; decisions == "" && !n.log.since.IsZero() {
		decisions = n.log.since.UTC().Format(time.DateOnly)
	}
	n.report.Retention = []Kept{
		kept(keptEvents, r.EventDays, events, byHost),
		{Class: keptRefused, Term: &Words{"nur ein Zähler", "a counter only"}, By: byNone},
		kept(keptFeatures, r.FeatureDays, features, byNight),
		{Class: keptSegments, Days: r.SegmentDays, Oldest: n.date, Until: n.till.Format(time.DateOnly), By: byNight},
		kept(keptDecisions, r.DecisionDays, decisions, byHost),
		{Class: keptLists, Term: &Words{"bis zur nächsten Nacht", "until the next night"}, Oldest: n.date, By: byNight},
		{Class: keptProofs, Term: &Words{fmt.Sprintf("%d Jahre zum Jahresende", r.ProofYears), fmt.Sprintf("%d years, to the year's end", r.ProofYears)}, By: byHost},
	}
	n.pastTerm(decisions)
	return n.letGo()
}

// pastTerm lists the days of events, and the oldest of decisions, that the host lets go of
// once this night is published. A host whose nights did not run keeps what is past its term
// until then.
func (n *night) pastTerm(decided string) {
	rows, term := int64(0), n.in.Config.Retention.EventDays
	events, decisions := LetGo{Class: keptEvents, Rows: &rows}, LetGo{Class: keptDecisions}
	for _, d := range n.snap.Days {
		if until := kept(keptEvents, term, d.Day, byHost).Until; term > 0 && until <= n.date {
			events.Days, rows = append(events.Days, d.Day), rows+d.Rows
		}
	}
	term = n.in.Config.Retention.DecisionDays
	if until := kept(keptDecisions, term, decided, byHost).Until; term > 0 && until != "" && until <= n.date {
		decisions.Days = append(decisions.Days, decided)
	}
	n.report.PastTerm = listed(events, decisions)
}

// listed leaves out classes of which nothing goes.
func listed(all ...LetGo) []LetGo {
	return slices.DeleteFunc(all, func(g LetGo) bool { return len(g.Days) == 0 })
}

// kept is a class whose oldest day goes when its term is over.
func kept(class Words, term int, oldest string, by Words) Kept {
	k := Kept{Class: class, Days: term, Oldest: oldest, By: by}
	if day, err := time.Parse(time.DateOnly, oldest); err == nil {
		k.Until = day.AddDate(0, 0, term+1).Format(time.DateOnly)
	}
	return k
}

// letGo lists what the last night still had and this one has not, and exports whose
// rows expired since. It is read from what was published, so a re-run says the same; how many
// events went is what the last report told of those days. Without a last night it stays null:
// there is nothing to compare with.
func (n *night) letGo() error {
	dir, last, err := newest(n.in.Out, n.date)
	if err != nil || last.Schema == "" {
		return err
	}
	gone := LetGo{Class: keptEvents}
	for _, s := range last.Sources {
		if !slices.ContainsFunc(n.snap.Days, func(d eventDay) bool { return d.Day == s.Day }) {
			gone.Days = append(gone.Days, s.Day)
		}
	}
	r, err := n.readReport(dir)
	if err != nil {
		return fmt.Errorf("reading the report of %s: %w", filepath.Base(dir), err)
	}
	gone.Rows = r.toldGoing(gone.Days)
	expired, err := n.expiredSince(last.AsOf)
	n.report.LetGo = listed(gone, expired)
	return err
}

// toldGoing is how many events a report told of the days that were to go.
func (r *Report) toldGoing(days []string) *int64 {
	if r == nil {
		return nil
	}
	for _, g := range r.PastTerm {
		if g.Class == keptEvents && slices.Equal(g.Days, days) {
			return g.Rows
		}
	}
	return nil
}

// expiredSince are the dated exports whose rows had to go after a night and by this one.
func (n *night) expiredSince(last time.Time) (LetGo, error) {
	gone := LetGo{Class: keptSegments}
	entries, err := os.ReadDir(n.in.Out)
	if err != nil {
		return gone, fmt.Errorf("looking for expired exports: %w", err)
	}
	for _, e := range entries {
		if _, err := time.Parse(time.DateOnly, e.Name()); err != nil || e.Name() >= n.date {
			continue
		}
		m, err := n.manifestOf(e.Name())
		if err != nil {
			return gone, err
		}
		if m.Schema == "" || !m.Until.After(last) || m.Until.After(n.in.AsOf) {
			continue
		}
		gone.Days = append(gone.Days, e.Name())
	}
	return gone, nil
}
