package profile

// The feature names.
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

// catalogue holds every feature once: its words, its definition and its reader.
// The words used in definitions are explained in docs/features.md (Terms).
var catalogue = []feature{
	{
		Searches, "count", forSearch, "Suchen in dieser Sitzung", "searches in this session",
		"Number of products_searched events.",
		func(r *reading) int64 { return r.session.Searches },
	}, {
		SearchesDistinct, "count", forSearch | forDetail, "verschiedene Suchen in dieser Sitzung", "different searches in this session",
		"Number of products_searched events whose query_key is not among the 10 different query_keys searched last before it (a missing query_key is key 0).",
		func(r *reading) int64 { return r.session.Distinct },
	}, {
		SearchClickPct, "percent", forSearch, "Anteil der Suchen, denen ein Klick folgte", "share of searches that led to a click",
		"100 × clicked searches / searches, rounded down; 0 without a search. A search is clicked if a product_clicked, product_viewed or product_added follows it before the next products_searched.",
		(*reading).clickPct,
	}, {
		SearchReformulated, "count", forSearch | forDetail, "neu formulierte Suchen ohne Klick dazwischen", "searches put in other words without a click between",
		"Number of products_searched events whose query_key differs from that of the products_searched before, which was not clicked.",
		func(r *reading) int64 { return r.session.Reformulated },
	}, {
		SearchesZeroResults, "count", forSearch, "Suchen ohne Treffer", "searches without a result",
		"Number of products_searched events with results = 0, where the purpose keeps results (-1 means not told).",
		func(r *reading) int64 { return r.session.Zero },
	}, {
		SearchExactArticle, "0 or 1", forSearch | forDetail, "zuletzt genau eine Artikelnummer gesucht", "the last search was exactly an article number",
		"query_exact of the last products_searched, as 0 or 1.",
		func(r *reading) int64 { return flag(r.session.Exact) },
	}, {
		HourBand, "band", forTime, "Tageszeit beim Besuch (nachts, morgens, nachmittags, abends)", "local time of the visit (night, morning, afternoon, evening)",
		"hour_band of the last event that has one: night 0, morning 1, afternoon 2, evening 3; -1 if none has.",
		func(r *reading) int64 { return r.session.Hour - 1 },
	}, {
		SessionSeconds, "seconds", forTime, "Dauer der Sitzung", "length of the session",
		"(last occurred_ms - first occurred_ms) / 1000, rounded down.",
		func(r *reading) int64 { return (r.session.LastMS - r.session.StartMS) / 1000 },
	}, {
		PastSessions, "count", forTime, "frühere Sitzungen (höchstens 5, 90 Tage)", "earlier sessions (at most 5, 90 days)",
		"Number of past sessions.",
		func(r *reading) int64 { return int64(len(r.past)) },
	}, {
		Pace, "events per minute × 100", forPace, "Tempo: Ereignisse je Minute", "pace: events per minute",
		"events × 6,000,000 / max(60,000, last occurred_ms - first occurred_ms), rounded down. Every event of any kind counts.",
		(*reading).pace,
	}, {
		ProductsViewed, "count", forProduct, "verschiedene angesehene Produkte", "different products viewed",
		"Number of product runs with at least one product_viewed.",
		func(r *reading) int64 { return r.session.Viewed },
	}, {
		ProductViews, "count", forProduct, "Produktansichten", "product views",
		"Number of product_viewed events.",
		func(r *reading) int64 { return r.session.Views },
	}, {
		ProductViewsMax, "count", forProduct, "Ansichten des meistgesehenen Produkts", "views of the product seen most often",
		"Largest number of product_viewed events in one product run.",
		func(r *reading) int64 { return r.session.ViewsMax },
	}, {
		ProductDwellMax, "milliseconds", forProduct, "längste Verweildauer bei einem Produkt", "longest time spent on one product",
		"Largest sum of look lengths in one product run. A look is an event that touches a product; its length is its own dwell_ms if that is above 0, else the time to the session's next event (of any kind) or, if it is the last, to now; at most 600,000 each.",
		(*reading).dwell,
	}, {
		SizeGuideOpens, "count", forProduct, "Größentabelle geöffnet", "size guide opened",
		"Number of size_guide_opened events.",
		func(r *reading) int64 { return r.session.SizeGuides },
	}, {
		VariantFlipsMax, "count", forProduct | forDetail, "Wechsel zwischen Varianten eines Produkts", "changes between variants of one product",
		"Largest number, in one product run, of touches whose product_variant is told and differs from the one told last before in the run.",
		func(r *reading) int64 { return r.session.FlipsMax },
	}, {
		CompareLoops, "count", forProduct, "Hin und Her zwischen Produkten", "going back and forth between products",
		"Number of products_compared events, plus, in the list of products of product_viewed events with repeats in a row taken as one, the number of entries that equal the entry two before.",
		func(r *reading) int64 { return r.session.Loops },
	}, {
		CartAdds, "count", forBasket, "in den Warenkorb gelegt", "put into the basket",
		"Number of product_added events since the session's last order_completed.",
		func(r *reading) int64 { return r.session.Adds },
	}, {
		CartRemoves, "count", forBasket, "aus dem Warenkorb genommen", "taken out of the basket",
		"Number of product_removed events since the session's last order_completed.",
		func(r *reading) int64 { return r.session.Removes },
	}, {
		CartUnits, "count", forBasket, "Artikel im Warenkorb", "articles in the basket",
		"Sum of units, added minus removed, never below 0 after any event, since the session's last basis. A basis is an order_completed (0 units) or a cart report (its units).",
		func(r *reading) int64 { return r.session.Units },
	}, {
		CartValueCents, "cents", forBasket, "Wert des Warenkorbs", "value of the basket",
		"As cart_units with units × price_cents, never below 0 after any event; a cart report counts its cart_cents if above 0, else the sum of its lines. 0 if cart_units is 0.",
		(*reading).cents,
	}, {
		BasketIdleSeconds, "seconds", forBasket, "Zeit seit der letzten Änderung am vollen Warenkorb", "time since the last change of a filled basket",
		"Whole seconds from the last change to now, 0 if cart_units is 0. A change is a product_added, a product_removed or a cart report that changed cart_units.",
		(*reading).basketIdle,
	}, {
		PastBasketsLeft, "count", forBasket, "früher stehen gelassene Warenkörbe", "baskets left behind earlier",
		"Number of past sessions that ended with cart_units above 0 and were followed by no order_completed.",
		func(r *reading) int64 { return r.pastSum(func(p Past) int64 { return flag(p.Left > 0) }) },
	}, {
		CheckoutOpen, "0 or 1", forCheckout, "Kasse begonnen, nicht bestellt", "checkout begun, not ordered",
		"1 if a checkout event came after the session's last order_completed. Checkout events are checkout_started, checkout_step_viewed, checkout_step_completed and checkout_failed.",
		func(r *reading) int64 { return flag(r.session.Checkout) },
	}, {
		CheckoutErrors, "count", forCheckout, "Fehler an der Kasse", "errors at the checkout",
		"Number of checkout_failed events since the session's last order_completed.",
		func(r *reading) int64 { return r.session.Errors },
	}, {
		CheckoutIdleSeconds, "seconds", forCheckout, "Stillstand an der Kasse", "time without progress at the checkout",
		"Whole seconds from the last checkout event to now, 0 if checkout_open is 0.",
		(*reading).checkoutIdle,
	}, {
		Orders, "count", forCheckout, "Bestellungen in dieser Sitzung", "orders in this session",
		"Number of order_completed events, without those whose order_key (not 0) equals that of the order_completed before.",
		func(r *reading) int64 { return r.session.Orders },
	}, {
		PastOrders, "count", forCheckout, "Bestellungen in früheren Sitzungen", "orders in earlier sessions",
		"Sum of orders over the past sessions.",
		func(r *reading) int64 { return r.pastSum(func(p Past) int64 { return p.Orders }) },
	}, {
		HintsShown, "count", forOffers, "gezeigte Hinweise", "hints shown",
		"Number of hints that the day answered with in this session, plus hint_shown events that confirm none of those.",
		func(r *reading) int64 { return r.offers.Hints },
	}, {
		EventsAfterHint, "count", forOffers, "Handlungen seit dem letzten Hinweis", "acts since the last hint",
		"Number of events at or after the session's last hint; adviser_offer_*, hint_shown, promotion_viewed, experiment_viewed, identify, group, alias and consent_preference_updated are not acts.",
		func(r *reading) int64 { return r.offers.After },
	}, {
		OffersDismissed, "count", forOffers, "weggeklickte Angebote", "offers closed",
		"Number of adviser_offer_dismissed events in this session.",
		func(r *reading) int64 { return r.offers.Dismissed },
	},
}
