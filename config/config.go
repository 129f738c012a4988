package config

import (
	"slices"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/decide"
)

// Config is what handschlag.yaml says. Default gives the commented default.
type Config struct {
	Tenant      string                       `yaml:"tenant"`
	Country     string                       `yaml:"country"`   // ISO 3166, DE
	TimeZone    string                       `yaml:"time_zone"` // IANA, Europe/Berlin
	Controller  consent.Controller           `yaml:"controller"`
	Contact     Contact                      `yaml:"contact"`
	Notices     []Notice                     `yaml:"notices"`
	UI          []UI                         `yaml:"ui_versions"`
	Categories  map[string][]consent.Purpose `yaml:"segment_categories"` // law.md 2.1
	TCF         TCF                          `yaml:"tcf"`
	Events      Events                       `yaml:"events"`
	Consent     Consent                      `yaml:"consent"`
	Sensitive   map[string]string            `yaml:"sensitive_categories"` // category → tag of consent.SpecialCategories
	ChildShop   bool                         `yaml:"child_directed"`
	Offers      Offers                       `yaml:"offers"`
	Scorecard   decide.Scorecard             `yaml:"scorecard"`
	Prices      Prices                       `yaml:"prices"`
	Slots       map[string]Slot              `yaml:"slots"`
	Segments    []Segment                    `yaml:"segments"`
	Micro       MicroSegments                `yaml:"micro_segments"`
	Exports     Exports                      `yaml:"exports"`
	Storefronts map[string]string            `yaml:"storefronts"` // storefront → IANA time zone
	CORS        []string                     `yaml:"cors_origins"`
	Learning    Learning                     `yaml:"learning"`
	Retention   Retention                    `yaml:"retention"`
	Experiments []Experiment                 `yaml:"experiments"`    // VAR-06
	Decisions   map[string]DecisionType      `yaml:"decision_types"` // ADM-01
	FeatureTags map[string][]string          `yaml:"feature_tags"`   // feature or column → tags (SPC-04, SPC-07)
	DPO         DPO                          `yaml:"dpo"`
	Register    Register                     `yaml:"register"`
}

// Contact is the static way to a human that every answer carries (CON-07, R19).
type Contact struct {
	Phone string `yaml:"phone" json:"phone,omitempty"`
	Email string `yaml:"email" json:"email,omitempty"`
	URL   string `yaml:"url" json:"url,omitempty"`
	Hours string `yaml:"hours" json:"hours,omitempty"`
}

// Notice is a privacy notice version that a consent may rest on.
type Notice struct {
	Version    string            `yaml:"version"`
	Languages  map[string]string `yaml:"languages"` // language → text shown
	Purposes   []consent.Purpose `yaml:"purposes"`  // named in it
	Material   bool              `yaml:"material_change"`
	Elements   []string          `yaml:"elements"`   // of NoticeElements; the key left out: all
	Recipients []string          `yaml:"recipients"` // named in it; the key left out: all of the register
}

// UI is a banner or preference-centre version (CON-06).
type UI struct {
	Version     string `yaml:"version"`
	Component   string `yaml:"component"`
	Default     string `yaml:"default_state"` // off | on
	RejectEqual bool   `yaml:"reject_equal"`

	RejectFirst     bool   `yaml:"reject_first_layer"` // the key left out: as reject_equal
	Equal           bool   `yaml:"equal_prominence"`   // the key left out: as reject_equal
	Layer           int    `yaml:"layer"`
	AcceptClicks    int    `yaml:"accept_clicks"` // 0: not counted
	RejectClicks    int    `yaml:"reject_clicks"`
	WithdrawClicks  int    `yaml:"withdraw_clicks"`
	ScreenshotHash  string `yaml:"screenshot_sha256"`
	Review          Review `yaml:"review"`
	InvalidatedFrom string `yaml:"invalidated_from"` // RFC 3339; from then on its consents do not count
}

// TCF names our vendor in TC strings.
type TCF struct {
	VendorID int `yaml:"vendor_id"`
}

// Events is about ingest.
type Events struct {
	RequireStamp bool          `yaml:"require_stamp"`
	LateAfter    time.Duration `yaml:"late_after"`  // 168h
	AheadAfter   time.Duration `yaml:"ahead_after"` // 5m
}

// Consent is about the age of decisions (CON-12).
type Consent struct {
	GrantMonths int `yaml:"grant_months"` // 12
	ReaskMonths int `yaml:"reask_months"` // 6
}

// Offers is the offer ladder's configuration.
type Offers struct {
	Channels     []string      `yaml:"channels"` // call chat video
	Hours        []Hours       `yaml:"hours"`    // empty: always open
	Holdout      float64       `yaml:"holdout"`  // share, 0.05
	NeedHint     int64         `yaml:"need_hint"`
	NeedHuman    int64         `yaml:"need_human"`
	MinGap       time.Duration `yaml:"min_gap"`
	DismissedFor time.Duration `yaml:"dismissed_for"` // 168h
	TokenFor     time.Duration `yaml:"token_for"`     // 10m
	CostCents    int64         `yaml:"adviser_cost_cents"`
	JoinURL      string        `yaml:"join_url"` // base of join_url

	Desks       map[string]Desk              `yaml:"desks"`        // by channel; none: the shop's own people
	Disclosures map[string]map[string]string `yaml:"disclosures"`  // machine, bot, human → de, en (ESC-05)
	ReviewCases int                          `yaml:"review_cases"` // 200: so many without one override raise an alarm (ADM-03)
}

// Hours are opening hours of one weekday in the shop's time zone, "09:00" to "18:00".
type Hours struct {
	Day  string `yaml:"day"`
	From string `yaml:"from"`
	To   string `yaml:"to"`
}

// Prices is about personalised and fixed prices.
type Prices struct {
	Personalised  bool       `yaml:"personalised"`
	MaxDiscountBP int64      `yaml:"max_discount_bp"`      // 1500
	Regulated     []string   `yaml:"regulated_categories"` // of the catalogue; their prices are fixed by law (PRI-15)
	Guard         Guard      `yaml:"guard"`
	Protection    Protection `yaml:"protection"`
}

// Guard limits the size and speed of price moves (R48); 0 is no limit.
type Guard struct {
	MaxDropBP   int64 `yaml:"max_drop_bp"` // hundredths of a percent
	MaxRiseBP   int64 `yaml:"max_rise_bp"`
	MaxMovesDay int64 `yaml:"max_moves_day"` // of one price in 24 hours
}

// Protection is price-drop protection: whoever bought within Days before a public
// price fell gets the difference back (PRI-14). 0 days: not offered.
type Protection struct {
	Days       int    `yaml:"days"`
	Storefront string `yaml:"storefront"` // whose prices orders are held against
	Channel    string `yaml:"channel"`
}

// Slot is a place on a page that takes one of many variants.
type Slot struct {
	Variants []Variant `yaml:"variants"`
	Kind     string    `yaml:"kind"`    // of SlotKinds; "": content
	NoTest   string    `yaml:"no_test"` // why drawing here is no test (VAR-06); "": it is one
}

// Variant is one content of a slot, with what makes it eligible.
type Variant struct {
	ID         string            `yaml:"id"`
	Factors    map[string]string `yaml:"factors"` // headline, image, proof, …
	Locales    []string          `yaml:"locales"`
	Product    string            `yaml:"product"` // must be in stock, if named
	NeedsLogin bool              `yaml:"needs_login"`
	Default    bool              `yaml:"default"`
	Flags      []string          `yaml:"pattern_flags"`
	Blocks     []string          `yaml:"legal_blocks"`
	HidesGuest bool              `yaml:"hides_guest_order"` // it takes ordering without an account away (LAW-07)
	Claims     []Claim           `yaml:"claims"`            // about the environment (VAR-05)
	UI         string            `yaml:"ui"`                // of a consent_ui slot: the version shown
}

// Segment is a named SQL predicate over the feature catalogue.
type Segment struct {
	Name    string            `yaml:"name"`
	Title   map[string]string `yaml:"title"` // de, en
	Where   string            `yaml:"where"`
	Special string            `yaml:"special"` // tag of consent.SpecialCategories that membership reveals (SPC-01); "": none

	Purposes []consent.Purpose `yaml:"purposes"` // of the channels that its members may leave through; none: of all

	Line  int  `yaml:"-"` // in the file; 0: the file does not name it
	place span `yaml:"-"` // of Where
}

// Leaves says whether members of the segment may leave for a purpose.
func (s Segment) Leaves(p consent.Purpose) bool {
	return len(s.Purposes) == 0 || slices.Contains(s.Purposes, p)
}

// MicroSegments are groups of like buyers that the night finds itself.
type MicroSegments struct {
	K      int `yaml:"k"`      // how many, 2 to 8; 0: none are looked for
	Buyers int `yaml:"buyers"` // fewer who agreed to training: none are looked for
}

// Exports is about what leaves at night.
type Exports struct {
	K        int       `yaml:"k"` // 25, at least 10
	Channels []Channel `yaml:"channels"`
}

// Channel is one recipient of segment exports.
type Channel struct {
	Name      string          `yaml:"name"`
	Purpose   consent.Purpose `yaml:"purpose"`
	Recipient string          `yaml:"recipient"`
	Role      string          `yaml:"role"` // processor | controller

	DoubleOptIn string            `yaml:"double_opt_in"` // whose proves the address: recipient (the key left out) | ours (EXP-04)
	Existing    ExistingCustomers `yaml:"existing_customers"`
	Fields      []string          `yaml:"fields"` // of ExportFields that its files hold; the key left out: all (EXP-08)
}

// ExistingCustomers lets an e-mail channel write to customers without consent (EXP-02).
type ExistingCustomers struct {
	On            bool     `yaml:"on"`
	Goods         []string `yaml:"goods"`           // categories of the catalogue that its mails advertise, all of them own
	NoticeAtOrder string   `yaml:"notice_at_order"` // version of the order form's text that says how to object
	NoticeInMail  bool     `yaml:"notice_in_mail"`  // every mail says it too
}

// ExportFields are the columns that a file of rows may have.
var ExportFields = []string{"key", "segment", "as_of", "until"}

// DoubleOptIns are the places where an address may be confirmed.
var DoubleOptIns = []string{"recipient", "ours"}

// Learning says what nights learn from, and what of it the day may use.
type Learning struct {
	Publish     []string `yaml:"publish"`      // of LearningParts; the report tells of the others all the same
	RewardDays  int      `yaml:"reward_days"`  // orders so many days after a decision count for it
	MarginBP    int64    `yaml:"margin_bp"`    // of what was sold and not returned, in hundredths of a percent
	BySegment   bool     `yaml:"by_segment"`   // segments have shares of contents of their own
	HorizonDays int      `yaml:"horizon_days"` // over which a person's value is expected
}

// LearningParts are what a night may hand to the day: the scorecard of need, what an
// offer gains, and the weights of contents.
var LearningParts = []string{"need", "offers", "variants"}

// Retention in days (law.md 2.6).
type Retention struct {
	EventDays    int `yaml:"event_days"`
	FeatureDays  int `yaml:"feature_days"`
	SegmentDays  int `yaml:"segment_days"`
	DecisionDays int `yaml:"decision_days"`
	ProofYears   int `yaml:"proof_years"` // sealed proofs of erased subjects; 0: none are kept

	RecordingDays int `yaml:"recording_days"` // agreed for recordings (ESC-06)
}
