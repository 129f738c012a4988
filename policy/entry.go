package policy

import "slices"

// Entry is a question that the rules can answer. Each Lambda loads only its own.
// Its value is the name of the Rego package that answers, as data.<entry>.verdict.
type Entry string

// The entries.
const (
	EntryConsent     Entry = "consent"
	EntryEvent       Entry = "minimise"
	EntryEscalate    Entry = "escalate"
	EntryHandover    Entry = "handover"
	EntryCard        Entry = "card"
	EntryPricing     Entry = "pricing"
	EntryPersonalise Entry = "personalise"
	EntryExport      Entry = "export"
	EntryPrompt      Entry = "prompt"
	EntryConduct     Entry = "conduct"
	EntryProcessing  Entry = "processing"
	EntryMoves       Entry = "moves"
)

// Entries lists all entries.
var Entries = []Entry{EntryConsent, EntryEvent, EntryEscalate, EntryHandover, EntryCard, EntryPricing, EntryPersonalise, EntryExport, EntryPrompt, EntryConduct, EntryProcessing, EntryMoves}

// schemas names the schema of each entry's input.
var schemas = map[Entry]string{
	EntryConsent: "consent", EntryEvent: "event", EntryEscalate: "escalate", EntryHandover: "handover", EntryCard: "card",
	EntryPricing: "price", EntryPersonalise: "variant", EntryExport: "export", EntryPrompt: "prompt", EntryConduct: "conduct",
	EntryProcessing: "processing", EntryMoves: "move",
}

// shared is the package that others import.
const shared = "standing"

// known reports whether there is such an entry.
func (e Entry) known() bool { return slices.Contains(Entries, e) }
