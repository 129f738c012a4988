package price

import "time"

// Quote is one price that a shop is about to show, and what it wants to claim
// about it. Device, place, browsing and consent status have no field here; what
// a shop names in Inputs is judged by name.
type Quote struct {
	Product      string       `json:"product_id"`
	Storefront   string       `json:"storefront"`
	Channel      string       `json:"channel"`
	Currency     string       `json:"currency"`
	Customer     string       `json:"customer"` // consumer | business
	ListCents    int64        `json:"list_cents"`
	OfferCents   int64        `json:"offer_cents"`
	VATBP        int64        `json:"vat_bp"` // basis points
	Basis        string       `json:"basis"`  // static | dynamic_market | personalised | contract | random_test
	Inputs       []string     `json:"inputs"`
	Reductions   []Reduction  `json:"reductions"`
	Announcement Announcement `json:"announcement"`
	Disclosed    bool         `json:"disclosure_shown"`
	ConsentID    string       `json:"consent_record_id"`
	Promises     Promises     `json:"promises"`
}

// Promises are what is said beside a price, and what the basket showed before
// (PRI-13). Zero is not said.
type Promises struct {
	Deadline   time.Time `json:"deadline"`    // the price ends then
	StockLeft  int64     `json:"stock_left"`  // only so many are left
	ShownCents int64     `json:"shown_cents"` // what this basket or page showed for the product before …
	ShownAt    time.Time `json:"shown_at"`    // … and when
	FeesCents  int64     `json:"fees_cents"`  // comes on top at the checkout, not in the offer
}

// Hold is how long a price that was shown in a basket does not rise (PRI-13).
const Hold = 30 * time.Minute

// Inputs are the names that Quote.Inputs may hold. The policy denies any other.
var Inputs = []string{
	"hour", "weekday", "date", "stock", "cost", "competitor", "demand_aggregate", "expiry", "quantity", "basket_value",
	"contract", "membership", "delivery_vat",
}

// Reduction is a named reason for a lower price.
type Reduction struct {
	Kind      string `json:"kind"` // loyalty_card | bundle | quantity | contract | coupon | voucher | short_dated
	Reference string `json:"reference"`
	Audience  string `json:"audience"` // public | individual
	Marked    bool   `json:"marked"`
}

// Announcement is the claim shown with the price.
type Announcement struct {
	Kind           string    `json:"kind"` // percent | strike | highlight | none
	Percent        int64     `json:"pct"`
	Since          time.Time `json:"since"`
	Label          string    `json:"label"` // 30d_low | uvp | other
	ReferenceCents int64     `json:"reference_cents"`
}

// Interval is a stored gross price in force from From (inclusive) to To
// (exclusive; zero = still in force), for one product, storefront, channel and
// currency.
type Interval struct {
	Product    string    `json:"product_id"`
	Storefront string    `json:"storefront"`
	Channel    string    `json:"channel"`
	Currency   string    `json:"currency"`
	From       time.Time `json:"from"`
	To         time.Time `json:"to"`
	GrossCents int64     `json:"gross_cents"`
	Announced  bool      `json:"announced"`
}

// Facts are what the history says about a claim (PRI-01 to PRI-07). Package
// policy judges them.
type Facts struct {
	WindowFrom   time.Time `json:"window_from"`
	WindowTo     time.Time `json:"window_to"`
	Covered      bool      `json:"covered"`       // the history covers the window, or the product is younger
	LowCents     int64     `json:"low30_cents"`   // lowest price in the window; 0 if unknown
	MaxPercent   int64     `json:"max_pct"`       // floor(100*(low-offer)/low), never below 0
	Restarted    bool      `json:"restarted"`     // the claimed start was not uninterrupted (PRI-05)
	RaisedBefore bool      `json:"raised_before"` // a rise within 60 days before since (PRI-07)
	DeadlineTrue bool      `json:"deadline_true"` // none was promised, or the price in force now ends then (PRI-13)
	StockTrue    bool      `json:"stock_true"`    // none was promised, or the catalogue has no more; set by who knows the catalogue
	Rose         bool      `json:"rose"`          // above what was shown within Hold before now (PRI-13)
}
