package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// replayText prints a report as a person reads it.
type replayText struct {
	streams
	lang string
}

// replayWords are the sentences of a report.
var replayWords = map[string]map[string]string{
	"en": {
		"head": "replay from %s to %s (the days go back from the newest decision or event that is kept), policy in force %.16s", "own": "under their own policy: %s of %d replayable decisions are byte-equal (%d decisions, %d distinct inputs)",
		"action": "%-9s %d decided, %d replayed, %d equal", "not": "not replayable, %s: %d", "none": "none",
		"events": "events: %s of %d replayable case decisions are equal (%d decisions, %d distinct cases; %d cases without a stored event)",
		"cpu":    "CPU: %.2f s for decisions (%d/s), %.2f s for cases (%d/s), of these %.2f s to compile the policies",
		"note":   "note: %s", "eg": "e.g. %s %s %s", "under": "under policy %.16s: %d newly allowed, %d newly denied, %d changed otherwise",
		"rule": "rule %s: appears in %d, vanishes from %d", "segment": "%s: %d newly allowed, %d newly denied, %d changed", "field": "field %s: %d",
		"prices": "prices: %d higher, %d lower, %+d cents in all", "then": "events: %d decisions newly denied, %d with other fields; %d cases newly allowed (how often they came is not known)",
		"by": "events refused by %s: %d", "case": "e.g. %s, %d times: %s gains %v loses %v rules %v",
	},
	"de": {
		"head":   "Nachprüfung von %s bis %s (die Tage zählen von der neuesten aufbewahrten Entscheidung oder dem neuesten Ereignis zurück), geltende Regeln %.16s",
		"own":    "nach den eigenen Regeln: %s von %d nachprüfbaren Entscheidungen sind Byte für Byte gleich (%d Entscheidungen, %d verschiedene Eingaben)",
		"action": "%-9s %d entschieden, %d nachgeprüft, %d gleich", "not": "nicht nachprüfbar, %s: %d", "none": "keine",
		"events": "Ereignisse: %s von %d nachprüfbaren Fallentscheidungen sind gleich (%d Entscheidungen, %d verschiedene Fälle; %d Fälle ohne gespeichertes Ereignis)",
		"cpu":    "Rechenzeit: %.2f s für Entscheidungen (%d/s), %.2f s für Fälle (%d/s), davon %.2f s zum Übersetzen der Regeln",
		"note":   "Hinweis: %s", "eg": "z. B. %s %s %s", "under": "nach den Regeln %.16s: %d neu erlaubt, %d neu abgelehnt, %d sonst geändert",
		"rule": "Regel %s: kommt in %d hinzu, fällt in %d weg", "segment": "%s: %d neu erlaubt, %d neu abgelehnt, %d geändert", "field": "Feld %s: %d",
		"prices": "Preise: %d höher, %d niedriger, zusammen %+d Cent", "then": "Ereignisse: %d Entscheidungen neu abgelehnt, %d mit anderen Feldern; %d Fälle neu erlaubt (wie oft sie vorkamen, weiß niemand)",
		"by": "Ereignisse, abgelehnt durch %s: %d", "case": "z. B. %s, %d-mal: %s gewinnt %v verliert %v Regeln %v",
	},
}

// replayKeys are the German of what a report holds as keys; others stay.
var replayKeys = map[string]string{
	"unequal": "ungleich", "newly_denied": "neu abgelehnt", "newly_allowed": "neu erlaubt", "changed": "geändert", "no rule": "keiner Regel",
	"its content was erased": "der Inhalt wurde gelöscht", "no rules judge it: a person's own act": "ein Mensch hat selbst entschieden, keine Regel",
	"no rules judge it: what staff noted or fetched": "Personal hat etwas vermerkt oder geholt, keine Regel urteilt",
	"its case is not kept, or of another program":    "sein Fall ist nicht aufbewahrt oder von einem anderen Programm",
	replayNotes[0]: "Eine gezogene Zahl stammt aus Schlüssel und Pseudonym und wird dem Protokoll entnommen; die Wahl, die daraus mit Gewichten und Regeln folgt, wird neu getroffen.",
	replayNotes[1]: "Ein abgelehntes Ereignis hinterlässt nur Stundenzähler: welcher Fall es war, ist nicht zu sagen; seine Fälle werden beurteilt, nicht gezählt.",
	replayNotes[2]: "Jede verschiedene Eingabe ist eine Auswertung durch OPA, einige Zehntel einer Millisekunde, und das begrenzt das Tempo; eine Eingabe, die schon da war, wird nachgeschlagen.",
	replayNotes[3]: "Ein Export wird Fall für Fall nachgeprüft; welche Dateien hinausgingen, ist eine Tatsache und bleibt.",
}

// key says a key in words.
func (t replayText) key(s string) string {
	if said, ok := replayKeys[s]; ok && t.lang == "de" {
		return said
	}
	return strings.ReplaceAll(s, "_", " ")
}

// line prints a sentence, set in.
func (t replayText) line(in int, key string, args ...any) {
	t.printf("%*s"+replayWords[t.lang][key]+"\n", append([]any{in, ""}, args...)...)
}

func (t replayText) print(r *replayReport, candidate bool) {
	t.line(0, "head", r.Since.Format(time.RFC3339), r.Until.Format(time.RFC3339), r.Current)
	t.line(0, "own", t.share(r.Own.Equal, r.Own.Replayed), r.Own.Replayed, r.Decisions, r.Distinct)
	for _, action := range slices.Sorted(maps.Keys(r.Own.ByAction)) {
		a := r.Own.ByAction[action]
		t.line(2, "action", action, a.Decisions, a.Replayed, a.Equal)
	}
	for _, why := range slices.Sorted(maps.Keys(r.Own.NotReplayable)) {
		action, reason, _ := strings.Cut(why, ": ")
		t.line(2, "not", action+": "+t.key(reason), r.Own.NotReplayable[why])
	}
	for _, e := range r.Own.Unequal {
		t.example(e)
	}
	c := r.Cases
	t.line(0, "events", t.share(c.Equal, c.Replayed), c.Replayed, c.Decisions, c.Distinct, c.Unused)
	for _, why := range slices.Sorted(maps.Keys(c.NotReplayable)) {
		t.line(2, "not", t.key(why), c.NotReplayable[why])
	}
	if candidate {
		t.changes(r)
	}
	t.line(0, "cpu", r.CPUSeconds, r.PerSecond, c.CPUSeconds, c.PerSecond, r.LoadSeconds)
	for _, n := range r.Notes {
		t.line(0, "note", t.key(n))
	}
}

func (t replayText) share(n, of int64) string {
	if of == 0 {
		return replayWords[t.lang]["none"]
	}
	return fmt.Sprintf("%d (%.2f %%)", n, 100*float64(n)/float64(of))
}

func (t replayText) example(e replayExample) {
	t.line(2, "eg", t.key(e.Kind), e.Action, e.ID)
	for _, name := range slices.Sorted(maps.Keys(e.Fields)) {
		t.printf("       %s: %.200s -> %.200s\n", name, e.Fields[name][0], e.Fields[name][1])
	}
}

// changes prints what a candidate would change.
func (t replayText) changes(r *replayReport) {
	t.line(0, "under", r.Policy, r.NewlyAllowed, r.NewlyDenied, r.Changed)
	if x := r.Candidate; x != nil {
		for _, id := range slices.Sorted(maps.Keys(x.ByRule)) {
			t.line(2, "rule", id, x.ByRule[id].Appears, x.ByRule[id].Vanishes)
		}
		for _, name := range slices.Sorted(maps.Keys(x.BySegment)) {
			n := x.BySegment[name]
			t.line(2, "segment", name, n.NewlyAllowed, n.NewlyDenied, n.Changed)
		}
		for _, name := range slices.Sorted(maps.Keys(x.Fields)) {
			t.line(2, "field", name, x.Fields[name])
		}
		if x.Prices.Higher+x.Prices.Lower > 0 {
			t.line(2, "prices", x.Prices.Higher, x.Prices.Lower, x.Prices.Cents)
		}
		for _, e := range x.Examples {
			t.example(e)
		}
	}
	c := r.Cases
	t.line(2, "then", c.NewlyDenied, c.Changed, c.NewlyAllowedCases)
	for _, id := range slices.Sorted(maps.Keys(c.ByRule)) {
		t.line(2, "by", t.key(id), c.ByRule[id])
	}
	for _, e := range c.Examples {
		t.line(2, "case", t.key(e.Kind), e.N, e.Case, e.Gained, e.Lost, e.Rules)
	}
}
