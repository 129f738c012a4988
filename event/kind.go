package event

// Kind is what an event is about: Segment's call types and its ecommerce spec,
// plus our own few. The list is closed; anything else is Other.
type Kind uint8

// The kinds. Append only: the number is stored.
const (
	Other Kind = iota
	Page
	Screen
	Identify
	Group
	Alias
	ProductsSearched
	ProductListViewed
	ProductListFiltered
	ProductClicked
	ProductViewed
	ProductAdded
	ProductRemoved
	ProductsCompared
	VariantSelected
	SizeGuideOpened
	WishlistChanged
	CartViewed
	CheckoutStarted
	CheckoutStepViewed
	CheckoutStepCompleted
	CheckoutFailed
	OrderCompleted
	OrderRefunded
	OrderCancelled
	PromotionViewed
	PromotionClicked
	CouponChanged
	AdviserOfferShown
	AdviserOfferDismissed
	AdviserOfferAccepted
	ExperimentViewed
	HintShown
	ConsentPreferenceUpdated
)

// KindCount is how many kinds there are.
const KindCount = len(kindNames)

// Kinds is every kind in order of its number.
var Kinds = func() []Kind {
	out := make([]Kind, KindCount)
	for i := range out {
		out[i] = Kind(i)
	}
	return out
}()

var kindNames = [...]string{
	"other", "page", "screen", "identify", "group", "alias", "products_searched", "product_list_viewed",
	"product_list_filtered", "product_clicked", "product_viewed", "product_added", "product_removed",
	"products_compared", "variant_selected", "size_guide_opened", "wishlist_changed", "cart_viewed",
	"checkout_started", "checkout_step_viewed", "checkout_step_completed", "checkout_failed", "order_completed",
	"order_refunded", "order_cancelled", "promotion_viewed", "promotion_clicked", "coupon_changed",
	"adviser_offer_shown", "adviser_offer_dismissed", "adviser_offer_accepted", "experiment_viewed", "hint_shown",
	"consent_preference_updated",
}

// trackKinds maps the event names of track calls (Segment ecommerce spec v2 and
// design.md) to kinds.
var trackKinds = map[string]Kind{
	"Products Searched":                  ProductsSearched,
	"Product List Viewed":                ProductListViewed,
	"Product List Filtered":              ProductListFiltered,
	"Product Clicked":                    ProductClicked,
	"Product Viewed":                     ProductViewed,
	"Product Added":                      ProductAdded,
	"Product Removed":                    ProductRemoved,
	"Products Compared":                  ProductsCompared,
	"Product Variant Selected":           VariantSelected,
	"Size Guide Opened":                  SizeGuideOpened,
	"Product Added to Wishlist":          WishlistChanged,
	"Product Removed from Wishlist":      WishlistChanged,
	"Wishlist Product Added to Cart":     ProductAdded,
	"Cart Viewed":                        CartViewed,
	"Checkout Started":                   CheckoutStarted,
	"Checkout Step Viewed":               CheckoutStepViewed,
	"Checkout Step Completed":            CheckoutStepCompleted,
	"Checkout Error":                     CheckoutFailed,
	"Payment Failed":                     CheckoutFailed,
	"Payment Info Entered":               CheckoutStepCompleted,
	"Order Completed":                    OrderCompleted,
	"Order Refunded":                     OrderRefunded,
	"Order Cancelled":                    OrderCancelled,
	"Promotion Viewed":                   PromotionViewed,
	"Promotion Clicked":                  PromotionClicked,
	"Coupon Entered":                     CouponChanged,
	"Coupon Applied":                     CouponChanged,
	"Coupon Denied":                      CouponChanged,
	"Coupon Removed":                     CouponChanged,
	"Adviser Offer Shown":                AdviserOfferShown,
	"Adviser Offer Dismissed":            AdviserOfferDismissed,
	"Adviser Offer Accepted":             AdviserOfferAccepted,
	"Experiment Viewed":                  ExperimentViewed,
	"Hint Shown":                         HintShown,
	"Segment Consent Preference Updated": ConsentPreferenceUpdated,
}

// TrackKind is the kind of a track call's event name, Other if the list does
// not have it. Names are compared as written.
func TrackKind(name string) Kind { return trackKinds[name] }

// String is the kind's key, as in Rego and SQL.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return kindNames[Other]
}

// Order reports whether the kind is one of the order events that the shop's own
// server may send for essential_service.
func (k Kind) Order() bool { return k == OrderCompleted || k == OrderRefunded || k == OrderCancelled }

// basket reports whether the event's lines are what somebody is about to buy, or
// bought, so that their sum means something.
func (k Kind) basket() bool { return k >= CartViewed && k <= OrderCancelled }
