package flow

import (
	"fmt"
	"slices"

	"github.com/handschlag/handschlag/price"
)

// The closed lists of a quote.
var (
	quoteBases      = []string{"static", "dynamic_market", "personalised", "contract", "random_test"}
	quoteCustomers  = []string{"consumer", "business"}
	claimKinds      = []string{"percent", "strike", "highlight", "none"}
	claimLabels     = []string{"30d_low", "uvp", "other"}
	reductionKinds  = []string{"loyalty_card", "bundle", "quantity", "contract", "coupon", "voucher", "short_dated"}
	reductionReach  = []string{"public", "individual"}
	maxCents        = int64(1_000_000_000_00)
	maxListed       = 64
	productNameSize = 128
)

// wrongIn names the first field of a quote that cannot be judged, and what it
// should be. It also writes an absent announcement as "none".
func wrongIn(q *price.Quote) (field, want string) {
	if q.Announcement.Kind == "" && q.Announcement == (price.Announcement{}) {
		q.Announcement.Kind = "none"
	}
	for _, x := range []struct {
		field string
		ok    bool
		want  string
	}{
		{"product_id", named1(q.Product), "want 1 to 128 characters"},
		{"storefront", named1(q.Storefront), "want 1 to 128 characters"},
		{"channel", named1(q.Channel), "want 1 to 128 characters"},
		{"currency", currency(q.Currency), "want three capital letters"},
		{"customer", slices.Contains(quoteCustomers, q.Customer), oneOf(quoteCustomers)},
		{"list_cents", q.ListCents > 0 && q.ListCents <= maxCents, "want more than 0"},
		{"offer_cents", q.OfferCents >= 0 && q.OfferCents <= maxCents, "want 0 or more"},
		{"vat_bp", q.VATBP >= 0 && q.VATBP <= 10_000, "want 0 to 10,000"},
		{"basis", slices.Contains(quoteBases, q.Basis), oneOf(quoteBases)},
		{"inputs", len(q.Inputs) <= maxListed, "want at most 64 names"},
		{"reductions", len(q.Reductions) <= maxListed, "want at most 64"},
		{"promises.stock_left", q.Promises.StockLeft >= 0, "want 0 or more"},
		{"promises.shown_cents", q.Promises.ShownCents >= 0 && q.Promises.ShownCents <= maxCents, "want 0 or more"},
		{"promises.shown_at", q.Promises.ShownCents == 0 || !q.Promises.ShownAt.IsZero(), "want the time when shown_cents was shown"},
		{"promises.fees_cents", q.Promises.FeesCents >= 0 && q.Promises.FeesCents <= maxCents, "want 0 or more"},
		{"consent_record_id", len(q.ConsentID) <= productNameSize, "want a record id"},
	} {
		if !x.ok {
			return x.field, x.want
		}
	}
	for i, r := range q.Reductions {
		if !slices.Contains(reductionKinds, r.Kind) {
			return fmt.Sprintf("reductions[%d].kind", i), oneOf(reductionKinds)
		}
		if !slices.Contains(reductionReach, r.Audience) {
			return fmt.Sprintf("reductions[%d].audience", i), oneOf(reductionReach)
		}
	}
	return wrongInClaim(q.Announcement)
}

func wrongInClaim(a price.Announcement) (field, want string) {
	switch {
	case !slices.Contains(claimKinds, a.Kind):
		return "announcement.kind", oneOf(claimKinds)
	case a.Kind == "none":
		return "", ""
	case !slices.Contains(claimLabels, a.Label):
		return "announcement.label", oneOf(claimLabels)
	case a.Percent < 0 || a.Percent > 100:
		return "announcement.pct", "want 0 to 100"
	case a.ReferenceCents < 0 || a.ReferenceCents > maxCents:
		return "announcement.reference_cents", "want 0 or more"
	case a.Since.IsZero():
		return "announcement.since", "want the time when the reduction began"
	}
	return "", ""
}

func named1(s string) bool { return s != "" && len(s) <= productNameSize }

func currency(s string) bool {
	return len(s) == 3 && s[0] >= 'A' && s[0] <= 'Z' && s[1] >= 'A' && s[1] <= 'Z' && s[2] >= 'A' && s[2] <= 'Z'
}

func oneOf(list []string) string { return fmt.Sprintf("want one of %v", list) }
