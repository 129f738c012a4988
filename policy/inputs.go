package policy

import (
	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/price"
)

// Reason is a rule in words, from the rule's own metadata.
type Reason struct {
	Rule       string `json:"rule"`
	De         string `json:"de"`
	En         string `json:"en"`
	Title      string `json:"title,omitempty"`
	LegalBasis string `json:"legal_basis,omitempty"`
}

// ConsentFact is one purpose's standing as a decision sees it.
type ConsentFact struct {
	Status        consent.Status `json:"status"`
	RecordID      string         `json:"record_id,omitempty"`
	ProofComplete bool           `json:"proof_complete"`
	Explicit      bool           `json:"explicit"`
}

// ConsentInput is a consent call, purpose by purpose, before it becomes a record.
type ConsentInput struct {
	Method         string                     `json:"method"`
	DefaultState   string                     `json:"default_state"` // off | on
	Asked          map[consent.Purpose]bool   `json:"asked"`         // what the call says
	PurposesShown  []consent.Purpose          `json:"purposes_shown"`
	Scope          consent.Scope              `json:"scope"`
	NoticeComplete bool                       `json:"notice_complete"` // its text is there
	NoticeElements []string                   `json:"notice_elements"` // that it names (CON-09)
	RejectEqual    bool                       `json:"reject_equal"`
	RejectFirst    bool                       `json:"reject_first_layer"`
	Equal          bool                       `json:"equal_prominence"`
	AcceptClicks   int64                      `json:"accept_clicks"` // 0: not counted
	RejectClicks   int64                      `json:"reject_clicks"`
	WithdrawClicks int64                      `json:"withdraw_clicks"`
	Unregistered   []consent.Purpose          `json:"unregistered"` // of those asked for (LAW-01)
	Parental       bool                       `json:"parental"`     // those who bear parental responsibility agreed (SPC-05)
	GPC            bool                       `json:"gpc"`
	ConflictShown  bool                       `json:"conflict_shown"`
	TCF            map[consent.Purpose]string `json:"tcf"` // yes | no | broken, for the purposes that the string touches
	GPP            map[consent.Purpose]string `json:"gpp"`
	Age            string                     `json:"age"`
}

// ConsentVerdict says which of the yeses stand.
type ConsentVerdict struct {
	Given   []consent.Purpose            // stand
	Refused map[consent.Purpose][]string // fell, with the rules that felled them
	Rules   []string                     // all rule ids, sorted
}

// PromptInput asks which purposes a banner may ask a visitor for (CON-12).
type PromptInput struct {
	Purposes    map[consent.Purpose]PromptFact `json:"purposes"`     // that the banner would ask for
	ReaskMonths int64                          `json:"reask_months"` // a no is not asked again before this
}

// PromptFact is where one purpose stands for the visitor who would be asked.
type PromptFact struct {
	Status         consent.Status `json:"status"`
	MonthsSinceNo  int64          `json:"months_since_no"` // whole calendar months since the last refusal or withdrawal; -1: never
	MaterialChange bool           `json:"material_change"` // a notice since then says that the processing changed materially
}

// PromptVerdict says what a banner may ask for.
type PromptVerdict struct {
	Ask      []consent.Purpose            // may be asked for
	Withheld map[consent.Purpose][]string // not now, with the rules that say so
	Rules    []string                     // all rule ids, sorted
}

// EscalateInput holds the facts of one offer decision. Without consent for
// adviser_assist flow reads no profile: Need, Value and the features are absent.
type EscalateInput struct {
	Asked        bool             `json:"asked"` // the visitor asks for a human
	Consent      ConsentFact      `json:"consent"`
	Age          string           `json:"age"`
	Restricted   bool             `json:"restricted"`
	Objected     bool             `json:"objected"`
	SwitchOn     bool             `json:"switch_on"`
	ProductClass string           `json:"product_class"` // "" if no product page
	Special      bool             `json:"special"`       // the page's product bears a sensitive tag without explicit consent
	Need         int64            `json:"need"`          // points of the scorecard
	NeedHint     int64            `json:"need_hint"`     // thresholds
	NeedHuman    int64            `json:"need_human"`
	Value        int              `json:"value"`         // tier 0 to 5: moves up the queue, never hides the human
	ExactArticle bool             `json:"exact_article"` // the last search was an article number
	Features     map[string]int64 `json:"features"`      // session features used, by catalogue name
	HintsShown   int64            `json:"hints_shown"`   // in this session
	EventsAfter  int64            `json:"events_after_hint"`
	Dismissed    bool             `json:"dismissed_in_session"`
	SinceDismiss int64            `json:"seconds_since_dismissed"` // -1: never
	SinceOffer   int64            `json:"seconds_since_offer"`     // -1: never
	MinGap       int64            `json:"min_gap_seconds"`
	DismissedFor int64            `json:"dismissed_for_seconds"` // 7 days
	InShow       bool             `json:"in_show"`
	OpenChannels []string         `json:"open_channels"` // configured, open now, with a free adviser for proactive offers
	HoursOpen    bool             `json:"hours_open"`
	Capacity     int64            `json:"capacity"` // free advisers
	Holdout      bool             `json:"holdout"`  // drawn; never applied when asked
	GainCents    int64            `json:"expected_gain_cents"`
	CostCents    int64            `json:"adviser_cost_cents"`
	Speaker      string           `json:"speaker"`            // machine: who would speak first
	Disclosed    bool             `json:"disclosed"`          // the answer says so, in both languages (ESC-05)
	Preloaded    []string         `json:"preloaded_channels"` // whose vendor loads before the click (ESC-02)
	FeatureTags  []string         `json:"feature_tags"`       // of the features used (SPC-04, SPC-07)
	Significance string           `json:"significance"`       // none | low | significant (ADM-01)
	Ground       string           `json:"art22_ground"`       // contract | law | explicit_consent, or ""
}

// EscalateVerdict is the answer of the offer ladder.
type EscalateVerdict struct {
	Offer    string   `json:"offer"` // none | hint | human
	Hint     string   `json:"hint,omitempty"`
	Channels []string `json:"channels,omitempty"`
	HeldOut  bool     `json:"held_out,omitempty"` // would have been human, but for the hold-out
	Rules    []string `json:"rules"`
}

// HandoverInput holds the facts of one click on a way to a human.
type HandoverInput struct {
	TokenValid bool     `json:"token_valid"` // sealed by us, and in time
	Asked      bool     `json:"asked"`       // the decision behind the token answered a visitor who asked
	SwitchOn   bool     `json:"switch_on"`
	Channel    string   `json:"channel"`          // that was clicked
	Offered    []string `json:"offered_channels"` // in the decision behind the token
	Open       []string `json:"open_channels"`    // configured and open now
	ThirdParty bool     `json:"third_party"`      // a vendor runs the channel (ESC-02)
	Preloaded  bool     `json:"preloaded"`        // and was loaded before the click
	Bot        bool     `json:"bot"`              // a machine answers first (ESC-05)
	Disclosed  bool     `json:"disclosed"`        // and the answer says so, in both languages
}

// HandoverVerdict says whether the click becomes a contact.
type HandoverVerdict struct {
	Allowed bool     `json:"allowed"`
	Rules   []string `json:"rules"`
}

// CardInput asks what an adviser may see of a contact (ESC-04).
type CardInput struct {
	Role     string                 `json:"role"`
	Open     bool                   `json:"open"`     // the contact is not closed
	Assigned bool                   `json:"assigned"` // to the adviser who asks
	Blocks   map[string]ConsentFact `json:"blocks"`   // by block: orders cart searches products question
	Fields   []string               `json:"fields"`   // that the card would hold
	Special  bool                   `json:"special"`
}

// CardVerdict names the blocks shown and, for each hidden one, why.
type CardVerdict struct {
	Allowed bool                `json:"allowed"`
	Shown   []string            `json:"shown"`
	Hidden  map[string][]string `json:"hidden"`
	Rules   []string            `json:"rules"`
}

// ConductInput asks what the shop's people may do with a contact (ESC-06, ESC-07).
type ConductInput struct {
	Act        string        `json:"act"` // record | stop | call
	Role       string        `json:"role"`
	Assigned   bool          `json:"assigned"` // to the adviser who asks
	Open       bool          `json:"open"`     // the contact is not closed
	Restricted bool          `json:"restricted"`
	Objected   bool          `json:"objected"` // to direct marketing, or on the list of those not to be called
	Recording  RecordingFact `json:"recording"`
	Call       CallFact      `json:"call"`
}

// RecordingFact is about a recording that would start now.
type RecordingFact struct {
	Kind         string            `json:"kind"`      // audio | video | transcript | listen
	Analytics    []string          `json:"analytics"` // what would be computed from it
	Consent      ConsentFact       `json:"consent"`   // recording_av, of the visitor
	Participants []ParticipantFact `json:"participants"`
}

// ParticipantFact is one person who would be heard or would listen.
type ParticipantFact struct {
	Who    string `json:"who"` // visitor | adviser | coach
	Agreed bool   `json:"agreed"`
	Before bool   `json:"before"` // the start
}

// CallFact compares a call with what the visitor asked for.
type CallFact struct {
	Requested bool        `json:"requested"` // the visitor asked to be called, and the contact is open
	Number    bool        `json:"as_asked_number"`
	Topic     bool        `json:"as_asked_topic"`
	Time      bool        `json:"as_asked_time"`
	Consent   ConsentFact `json:"consent"` // marketing_phone
}

// ConductVerdict says whether it may be done, and what it rests on.
type ConductVerdict struct {
	Allowed bool     `json:"allowed"`
	Basis   string   `json:"basis"`  // request | marketing_phone | consent | ""
	Delete  string   `json:"delete"` // with a stop: now | agreed
	Rules   []string `json:"rules"`
}

// VariantInput holds the facts of one content choice.
type VariantInput struct {
	Slot        string        `json:"slot"`
	Consent     ConsentFact   `json:"consent"`    // personalisation_content
	Experiment  ConsentFact   `json:"experiment"` // experimentation
	Age         string        `json:"age"`
	Restricted  bool          `json:"restricted"`
	SwitchOn    bool          `json:"switch_on"`
	Locale      string        `json:"locale"`
	LoggedIn    bool          `json:"logged_in"`
	Candidates  []VariantFact `json:"candidates"`
	UsesProfile bool          `json:"uses_profile"` // a segment would take part in the choice
	UsesSpecial bool          `json:"uses_special"` // that segment is sensitive

	Objected        bool     `json:"objected"`         // Art. 21, to being profiled or tested
	SlotKind        string   `json:"slot_kind"`        // content | layout | price_display | consent_ui
	Test            TestFact `json:"test"`             // that the slot belongs to (VAR-06)
	SegmentFeatures []string `json:"segment_features"` // names in that segment's condition (SPC-04, SPC-07)
	SegmentTags     []string `json:"segment_tags"`     // and their tags
	Significance    string   `json:"significance"`     // none | low | significant (ADM-01)
	Ground          string   `json:"art22_ground"`     // contract | law | explicit_consent, or ""
}

// TestFact is a slot's test as the register of experiments has it.
type TestFact struct {
	Registered bool     `json:"registered"`
	Running    bool     `json:"running"` // begun, and not past its end
	Exempt     bool     `json:"exempt"`  // the slot says why its draw is no test
	Metrics    []string `json:"metrics"` // that the test is decided by
}

// ClaimFact is an environmental claim of a variant (VAR-05).
type ClaimFact struct {
	Text    string `json:"text"`
	ProofID string `json:"proof_id"` // "": unproven
}

// VariantFact is one variant with the facts of its eligibility.
type VariantFact struct {
	ID           string   `json:"id"`
	Default      bool     `json:"default"`
	LocaleOK     bool     `json:"locale_ok"`
	StockOK      bool     `json:"stock_ok"`
	NeedsLogin   bool     `json:"needs_login"`
	Flags        []string `json:"pattern_flags"` // deceptive-pattern review (VAR-04)
	MissingLegal bool     `json:"missing_legal_blocks"`
	HidesGuest   bool     `json:"hides_guest_order"` // ordering without an account (LAW-07)

	Claims []ClaimFact `json:"claims"`  // about the environment (VAR-05)
	UIFair bool        `json:"ui_fair"` // of a consent UI: refusing is as easy as accepting (CON-06)
}

// VariantVerdict says how to choose: by profile, at random without an id, or the default.
type VariantVerdict struct {
	Mode     string   `json:"mode"`   // profile | contextual | default
	Sticky   bool     `json:"sticky"` // the same visitor may be given the same variant again (VAR-02)
	Eligible []string `json:"eligible"`
	Rules    []string `json:"rules"`
}

// PriceInput is a quote with the facts about it.
type PriceInput struct {
	Quote          price.Quote `json:"quote"`
	Facts          price.Facts `json:"facts"`
	Personalised   bool        `json:"personalised_on"` // configuration and switch
	ConsentGiven   bool        `json:"consent_given"`   // flow looked the record up: one boolean
	RegulatedPrice bool        `json:"regulated_price"`
	SpecialProduct bool        `json:"special_product"`
	Significance   string      `json:"significance"` // none | low | significant (ADM-01)
	Ground         string      `json:"art22_ground"` // contract | law | explicit_consent, or ""
}

// PriceVerdict judges price and claim apart: a forbidden claim leaves the price.
type PriceVerdict struct {
	PriceAllowed bool     `json:"price_allowed"`
	ClaimAllowed bool     `json:"claim_allowed"`
	Disclosures  []string `json:"disclosures"`
	Flags        []string `json:"flags"`
	Rules        []string `json:"rules"`
}

// MoveInput is a price move with the limits that the shop set for itself (R48).
type MoveInput struct {
	Move      price.Move `json:"move"`
	Limits    MoveLimits `json:"limits"`
	SignedOff bool       `json:"signed_off"` // a named person stands for it
}

// MoveLimits guard size and speed of price moves; 0 is no limit.
type MoveLimits struct {
	DropBP   int64 `json:"drop_bp"` // hundredths of a percent
	RiseBP   int64 `json:"rise_bp"`
	MovesDay int64 `json:"moves_day"` // in 24 hours
}

// MoveVerdict says whether a move may be stored. Rules name the limits that it
// passes, signed off or not.
type MoveVerdict struct {
	Allowed bool     `json:"allowed"`
	Rules   []string `json:"rules"`
}

// Result bundles what a decision record needs from a judgement.
type Result struct {
	Input   []byte         // canonical JSON as judged
	Output  []byte         // canonical JSON of the verdict
	Digests decide.Digests // Policy, Capabilities, Config
}
