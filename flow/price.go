package flow

import "github.com/handschlag/handschlag/policy"

// PriceAnswer judges one quote: price and claim apart.
type PriceAnswer struct {
	DecisionID  string          `json:"decision_id"`
	Price       PriceVerdict    `json:"price"`
	Claim       ClaimVerdict    `json:"claim"`
	Disclosures []string        `json:"disclosures"`
	Flags       []string        `json:"flags"`
	Rules       []string        `json:"rules"`
	Reasons     []policy.Reason `json:"reasons"`
}

// PriceVerdict is the price to show: the offer if allowed, else the list price.
type PriceVerdict struct {
	Allowed bool  `json:"allowed"`
	Cents   int64 `json:"cents"`
}

// ClaimVerdict says whether the announcement may stand.
type ClaimVerdict struct {
	Allowed    bool   `json:"allowed"`
	LowCents   *int64 `json:"low30_cents"` // null: unknown
	MaxPercent *int64 `json:"max_pct"`     // null: no reduction
}
