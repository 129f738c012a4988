package profile

import "github.com/handschlag/handschlag/consent"

// The feature names. Each is documented in Catalogue.
const (
	Searches            = "searches"
	SearchesDistinct    = "searches_distinct"
	SearchClickPct      = "search_click_pct"
	SearchReformulated  = "search_reformulations"
	SearchesZeroResults = "searches_zero_results"
	SearchExactArticle  = "search_exact_article"
	HourBand            = "hour_band"
	SessionSeconds      = "session_seconds"
	PastSessions        = "past_sessions"
	Pace                = "pace_per_minute_x100"
	ProductsViewed      = "products_viewed"
	ProductViews        = "product_views"
	ProductViewsMax     = "product_views_max"
	ProductDwellMax     = "product_dwell_ms_max"
	SizeGuideOpens      = "size_guide_opens"
	VariantFlipsMax     = "variant_flips_max"
	CompareLoops        = "compare_loops"
	CartAdds            = "cart_adds"
	CartRemoves         = "cart_removes"
	CartUnits           = "cart_units"
	CartValueCents      = "cart_value_cents"
	BasketIdleSeconds   = "basket_idle_seconds"
	PastBasketsLeft     = "past_baskets_left"
	CheckoutOpen        = "checkout_open"
	CheckoutErrors      = "checkout_errors"
	CheckoutIdleSeconds = "checkout_idle_seconds"
	Orders              = "orders"
	PastOrders          = "past_orders"
	HintsShown          = "hints_shown"
	EventsAfterHint     = "events_after_hint"
	OffersDismissed     = "offers_dismissed"
)

// FeatureInfo documents one feature.
type FeatureInfo struct {
	Name       string            `json:"name"`
	Unit       string            `json:"unit"`
	Family     string            `json:"family"` // search | time | pace | product | basket | checkout | offers
	De         string            `json:"de"`
	En         string            `json:"en"`
	Definition string            `json:"definition"`
	Purposes   []consent.Purpose `json:"purposes"`
}

// Catalogue documents every feature.
func Catalogue() []FeatureInfo { return nil }
