package segment

import "time"

// The sections of the report that need no learning: they are read from what the
// night has, and filled in report*.go.

// Freshness says how old the newest of what the night rests on is.
type Freshness struct {
	LastDay string   `json:"last_ingest_day"` // "" if there is none
	AgeDays int      `json:"age_days"`        // from its end to as of
	Events  int64    `json:"events_last_day"` // stored, whoever may use them
	Missing []string `json:"missing_days"`    // of the last 28 that have no events, after the first that has
}

// SegmentChange compares a segment with the last night's of the same predicate.
type SegmentChange struct {
	Segment  string `json:"segment"`
	Before   *int64 `json:"before"`             // members in the last report; null: withheld, or none
	Change   *int64 `json:"change"`             // of what is told, so in steps of k; null: not known
	Withheld string `json:"withheld,omitempty"` // no_report | other_predicate | other_step | withheld_before | withheld_now
}

// Unmet is products that persons need and do not get (R20): their text, sizes or
// search words want mending, rather than one adviser more.
type Unmet struct {
	Days     int            `json:"days"`                    // ingest days looked at
	Products []UnmetProduct `json:"products"`                // most persons first, then by id; at most 20
	Searches *int64         `json:"searches_without_result"` // persons who had one
	Asked    *int64         `json:"searches"`                // persons who searched
}

// UnmetProduct counts persons who wanted a product and did not order it.
type UnmetProduct struct {
	Product  string `json:"product_id"`
	Persons  *int64 `json:"persons"`  // with any of the below, without an order
	Searched *int64 `json:"searched"` // came to it after a search without result
	Returned *int64 `json:"returned"` // looked at it three times or more
	Guide    *int64 `json:"size_guide"`
	Compared *int64 `json:"compared"`
	Left     *int64 `json:"left_in_basket"`
	NoHelp   *int64 `json:"offer_not_helped"` // were offered help on its page
	Ordered  *int64 `json:"ordered"`          // the same needs, but ordered
}

// PriceFairness is what price decisions say about equal treatment. Quotes are acts
// and name no person.
type PriceFairness struct {
	Since       *time.Time        `json:"since,omitempty"` // first decision looked at
	Storefronts []StorefrontPrice `json:"storefronts"`
	Denied      []RuleCount       `json:"denied_by_rule"`
}

// StorefrontPrice counts the quotes of a storefront and channel.
type StorefrontPrice struct {
	Storefront   string `json:"storefront"`
	Channel      string `json:"channel"`
	Quotes       int64  `json:"quotes"`
	PriceDenied  int64  `json:"price_denied"`
	Claims       int64  `json:"claims"`
	ClaimDenied  int64  `json:"claim_denied"`
	Personalised int64  `json:"personalised"`
	Instants     int64  `json:"equal_quotes"`   // groups of two or more equal quotes at one instant
	Unequal      int64  `json:"unequal_prices"` // of them, with two prices: must be none
}

// Cost is what consent and minimisation cost, in numbers that are known.
type Cost struct {
	Channels []ChannelCost `json:"channels"`
	Fields   []FieldCost   `json:"fields_left_out"` // of the last ingest day's events
	Events   int64         `json:"events_last_day"` // that Fields counts in
}

// ChannelCost is whom consent keeps from a channel, of all who are in a segment.
type ChannelCost struct {
	Channel   string `json:"channel"`
	Purpose   string `json:"purpose"`
	Persons   *int64 `json:"persons"` // in a segment
	Reached   *int64 `json:"reached"`
	Lost      *int64 `json:"lost"`
	Buyers    *int64 `json:"lost_buyers"`        // of the lost, who ordered in 90 days
	LostCents *int64 `json:"lost_net_cents_90d"` // what they ordered, less returns; null with Buyers
}

// FieldCost is a field that the rules leave out of the purpose that segments rest on.
type FieldCost struct {
	Field  string `json:"field"`
	Events int64  `json:"events"` // in which it may not be read
}

// Kept is a class of data with its term.
type Kept struct {
	Class  Words  `json:"class"`
	Days   int    `json:"days"`             // 0: by another term
	Term   *Words `json:"term,omitempty"`   // where it is no number of days
	Oldest string `json:"oldest,omitempty"` // day of the oldest that is there
	Until  string `json:"until,omitempty"`  // when that goes
	By     Words  `json:"carried_out_by"`
}

// LetGo is what is past its term: gone since the last night, or going after this one.
type LetGo struct {
	Class Words    `json:"class"`
	Days  []string `json:"days"`
	Rows  *int64   `json:"rows"` // null: not counted, or too few
}
