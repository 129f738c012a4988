package policy

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/event"
)

var errNotBuilt = errors.New("not built yet")

// Settings are the numbers of the configuration that Rego reads, as data.settings.
type Settings struct {
	ConfigDigest  string // of the configuration they come from, for the decision record
	MaxDiscountBP int64  // a personalised price is at most this far below the list price (PRI-10); 0: 1,500
	K             int    // least members of an exported group (EXP-07); 0: 25
}

// Entry is a question that the rules can answer. Each Lambda loads only its own.
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
)

// Entries lists all entries.
var Entries = []Entry{EntryConsent, EntryEvent, EntryEscalate, EntryHandover, EntryCard, EntryPricing, EntryPersonalise, EntryExport}

// Rules are the compiled rules of some entries. They are safe for concurrent use.
type Rules struct{}

// Load compiles the rules of the given entries, or of all if none is given.
func Load(ctx context.Context, s Settings, entries ...Entry) (*Rules, error) {
	return nil, errNotBuilt
}

// Digests name the rules, the capabilities and the configuration.
func (r *Rules) Digests() decide.Digests { return decide.Digests{} }

// Documents gives the bytes behind the digests, to be kept with the decisions.
func (r *Rules) Documents() map[string][]byte { return nil }

// Event judges a case of the event gate, once per distinct case. The verdict's
// slices are shared: do not change them.
func (r *Rules) Event(ctx context.Context, c EventCase) (Verdict, error) {
	return Verdict{}, errNotBuilt
}

// Export judges a case of the export gate, once per distinct case. The
// verdict's slices are shared: do not change them.
func (r *Rules) Export(ctx context.Context, c ExportCase) (ExportVerdict, error) {
	return ExportVerdict{}, errNotBuilt
}

// Consent says which yeses of a consent call stand.
func (r *Rules) Consent(ctx context.Context, in ConsentInput) (ConsentVerdict, error) {
	return ConsentVerdict{}, errNotBuilt
}

// Escalate climbs the offer ladder.
func (r *Rules) Escalate(ctx context.Context, in EscalateInput) (EscalateVerdict, Result, error) {
	return EscalateVerdict{}, Result{}, errNotBuilt
}

// Handover says whether a click on an offer reaches a human.
func (r *Rules) Handover(ctx context.Context, in HandoverInput) (HandoverVerdict, Result, error) {
	return HandoverVerdict{}, Result{}, errNotBuilt
}

// Card says what an adviser may see.
func (r *Rules) Card(ctx context.Context, in CardInput) (CardVerdict, Result, error) {
	return CardVerdict{}, Result{}, errNotBuilt
}

// Variant says how to choose a variant and among which.
func (r *Rules) Variant(ctx context.Context, in VariantInput) (VariantVerdict, Result, error) {
	return VariantVerdict{}, Result{}, errNotBuilt
}

// Price judges a price and the claim shown with it.
func (r *Rules) Price(ctx context.Context, in PriceInput) (PriceVerdict, Result, error) {
	return PriceVerdict{}, Result{}, errNotBuilt
}

// Reasons puts rule ids into words. An id that no loaded rule has is left out.
func (r *Rules) Reasons(ids []string) []Reason { return nil }

// ReasonsIn is Reasons with the words that the entry's own rules use.
func (r *Rules) ReasonsIn(entry Entry, ids []string) []Reason { return nil }

// NewCases gives the cases judged for the first time since the last call, by id.
func (r *Rules) NewCases() map[event.CaseID][]byte { return nil }

// ParseCase reads what NewCases gave.
func ParseCase(b []byte) (EventCase, error) { return EventCase{}, errNotBuilt }

// EnumerateCases walks the whole input space of the event gate.
func EnumerateCases() iter.Seq[EventCase] { return func(func(EventCase) bool) {} }

// Moment is when an event happened and reached us, and what outranks consent.
type Moment struct {
	Occurred, Received    time.Time
	LateAfter, AheadAfter time.Duration // 0: 7 days and 5 minutes (BAT-04)
	SwitchedOff           bool
	Restricted            bool
	Unlinked              bool
}

// CaseStateOf folds a standing and the circumstances of an event into a state,
// the same way by day and by night. Precedence: switched off, ahead, late,
// restricted, unlinked, then the status; a grant that began after the event
// happened is before_grant.
func CaseStateOf(s consent.Standing, m Moment) CaseState { return StateUnknown }

// Circumstances are the facts about one raw event that are not in it.
type Circumstances struct {
	Subject    consent.Subject
	MessageKey [16]byte
	Received   time.Time
	Occurred   time.Time // skew-corrected

	Standing    func(consent.Purpose) consent.Standing // folded over device and account (CON-14), at Received
	Unlinked    bool
	Restricted  bool
	Age         string // "" is unknown
	SwitchedOff bool
	Trusted     bool // came with the server key

	RequireStamp bool
	Stamp        map[consent.Purpose]bool // a signal.Stamp
	StampPresent bool
	GPC, DNT     bool

	LateAfter, AheadAfter time.Duration
	Coarse                event.Coarse
	SpecialConsent        func(tag string) bool // explicit consent for the tag's category is in force; nil: for none
}

// Admission says what became of a raw event.
type Admission struct {
	Allowed  bool
	Purposes []consent.Purpose // that admitted it, in the order of consent.Purposes
	Rules    []string          // that refused it, sorted; empty if allowed
	Removed  int               // sensitive lines taken out (SPC-02)
}

// Admit judges a raw event for every purpose of the gate and makes of it the
// minimised event, the union of what the purposes keep. The raw event ends here.
func (r *Rules) Admit(ctx context.Context, raw event.Raw, c Circumstances) (event.Event, Admission, error) {
	return event.Event{}, Admission{}, errNotBuilt
}
