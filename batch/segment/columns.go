package segment

// Column documents a column of table features: what a segment's predicate may name.
type Column struct {
	Name string `json:"feature"`
	Unit string `json:"unit"`
	De   string `json:"de"`
	En   string `json:"en"`
}

// windowed are the columns that exist for 28 and for 90 days.
var windowed = []Column{
	{"active_days", "days", "Tage mit Besuch", "days with a visit"},
	{"sessions", "count", "Sitzungen", "sessions"},
	{"events", "count", "Ereignisse", "events"},
	{"dwell_ms", "milliseconds", "Verweildauer auf Produkten", "time spent on products"},
	{"product_views", "count", "Produktansichten", "product views"},
	{"products_viewed", "count", "verschiedene Produkte, je Sitzung gezählt", "different products, counted per session"},
	{"premium_views", "count", "Ansichten erklärungsbedürftiger Produkte", "views of premium, complex or contract products"},
	{"searches", "count", "Suchen", "searches"},
	{"searches_clicked", "count", "Suchen mit Klick", "searches that led to a click"},
	{"searches_zero_results", "count", "Suchen ohne Treffer", "searches without a result"},
	{"search_reformulations", "count", "neu formulierte Suchen", "searches put in other words"},
	{"search_exact_articles", "count", "Suchen nach genau einer Artikelnummer", "searches for exactly an article number"},
	{"size_guide_opens", "count", "Größentabelle geöffnet", "size guide opened"},
	{"variant_flips", "count", "Wechsel zwischen Varianten", "changes between variants"},
	{"compare_loops", "count", "Hin und Her zwischen Produkten", "going back and forth between products"},
	{"cart_adds", "count", "in den Warenkorb gelegt", "put into the basket"},
	{"cart_removes", "count", "aus dem Warenkorb genommen", "taken out of the basket"},
	{"baskets_left", "count", "Sitzungen mit stehen gelassenem Warenkorb", "sessions that left a basket behind"},
	{"orders", "count", "Bestellungen", "orders"},
	{"order_cents", "cents", "Bestellwert", "value of orders"},
	{"refunds", "count", "Rückgaben und Stornos", "returns and cancellations"},
	{"refund_cents", "cents", "Wert der Rückgaben", "value of returns"},
	{"sessions_night", "count", "Sitzungen nachts", "sessions at night"},
	{"sessions_morning", "count", "Sitzungen morgens", "sessions in the morning"},
	{"sessions_afternoon", "count", "Sitzungen nachmittags", "sessions in the afternoon"},
	{"sessions_evening", "count", "Sitzungen abends", "sessions in the evening"},
	{"gpc_events", "count", "Ereignisse mit Global Privacy Control", "events with Global Privacy Control"},
	{"dnt_events", "count", "Ereignisse mit Do Not Track", "events with Do Not Track"},
	{"special_events", "count", "Ereignisse zu besonderen Kategorien (ausdrücklich erlaubt)", "events about special categories (explicitly allowed)"},
}

// single are the columns that exist once.
var single = []Column{
	{"days_since_visit", "days", "Tage seit dem letzten Besuch", "days since the last visit"},
	{"days_since_order", "days", "Tage seit der letzten Bestellung, -1 ohne", "days since the last order, -1 without"},
	{"net_cents_90d", "cents", "Bestellwert abzüglich Rückgaben, 90 Tage", "value of orders less returns, 90 days"},
	{"viewed_price_cents_90d", "cents", "mittlerer Preis angesehener Produkte, 90 Tage", "mean price of products viewed, 90 days"},
	{"recency", "class 0 to 5", "RFM: wie kürzlich gekauft", "RFM: how recently bought"},
	{"frequency", "class 0 to 5", "RFM: wie oft gekauft", "RFM: how often bought"},
	{"monetary", "class 0 to 5", "RFM: für wie viel gekauft", "RFM: for how much bought"},
	{"value_tier", "tier 0 to 5", "Wertstufe, 0 = nicht bekannt", "value tier, 0 = not known"},
	{"expected_orders_x1000", "count ×1000", "erwartete Bestelltage bis zum Horizont (learning.horizon_days), -1 = nicht bekannt", "order days expected within the horizon (learning.horizon_days), -1 = not known"},
	{"expected_value_cents", "cents", "erwarteter Bestellwert bis zum Horizont, -1 = nicht bekannt", "value of orders expected within the horizon, -1 = not known"},
	{"alive_pct", "percent", "Wahrscheinlichkeit, noch Kunde zu sein, -1 = nicht bekannt", "probability of still being a customer, -1 = not known"},
	{"need_signs_28d", "count 0 to 6", "Arten von Schwierigkeiten: vergeblich gesucht, neu formuliert, Größe oder Version unsicher, verglichen, Warenkorb stehen gelassen, viel geschaut; 28 Tage", "kinds of trouble: searched in vain, rephrased, unsure about size or version, compared, left a basket, looked a lot; 28 days"},
	{"need_tier", "tier 0 to 3", "Bedarfsstufe aus diesen Anzeichen", "need tier from these signs"},
}

// Columns documents every column of features but the person.
var Columns = func() []Column {
	var out []Column
	for _, c := range windowed {
		for _, w := range []struct{ suffix, de, en string }{{"_28d", ", 28 Tage", ", 28 days"}, {"_90d", ", 90 Tage", ", 90 days"}} {
			out = append(out, Column{c.Name + w.suffix, c.Unit, c.De + w.de, c.En + w.en})
		}
	}
	return append(out, single...)
}()
