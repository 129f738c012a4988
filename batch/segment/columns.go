package segment

import (
	"regexp"
	"slices"
	"strconv"

	"github.com/handschlag/handschlag/batch/segment/predicate"
	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/consent"
)

// Column documents a column of table features: what a segment's predicate may name.
type Column struct {
	Name   string `json:"feature"`
	Unit   string `json:"unit"`
	Family string `json:"-"` // of families: what it tells, and for which purposes it may be used
	De     string `json:"de"`
	En     string `json:"en"`
}

// windowed are the columns that exist for 28 and for 90 days.
var windowed = []Column{
	{"active_days", "days", "visit", "Tage mit Besuch", "days with a visit"},
	{"sessions", "count", "visit", "Sitzungen", "sessions"},
	{"events", "count", "visit", "Ereignisse", "events"},
	{"dwell_ms", "milliseconds", "attention", "Verweildauer auf Produkten", "time spent on products"},
	{"product_views", "count", "product", "Produktansichten", "product views"},
	{"products_viewed", "count", "product", "verschiedene Produkte, je Sitzung gezählt", "different products, counted per session"},
	{"premium_views", "count", "product", "Ansichten erklärungsbedürftiger Produkte", "views of premium, complex or contract products"},
	{"searches", "count", "search", "Suchen", "searches"},
	{"searches_clicked", "count", "search", "Suchen mit Klick", "searches that led to a click"},
	{"searches_zero_results", "count", "search", "Suchen ohne Treffer", "searches without a result"},
	{"search_reformulations", "count", "query", "neu formulierte Suchen", "searches put in other words"},
	{"search_exact_articles", "count", "query", "Suchen nach genau einer Artikelnummer", "searches for exactly an article number"},
	{"size_guide_opens", "count", "product", "Größentabelle geöffnet", "size guide opened"},
	{"variant_flips", "count", "version", "Wechsel zwischen Varianten", "changes between variants"},
	{"compare_loops", "count", "attention", "Hin und Her zwischen Produkten", "going back and forth between products"},
	{"cart_adds", "count", "basket", "in den Warenkorb gelegt", "put into the basket"},
	{"cart_removes", "count", "basket", "aus dem Warenkorb genommen", "taken out of the basket"},
	{"baskets_left", "count", "basket", "Sitzungen mit stehen gelassenem Warenkorb", "sessions that left a basket behind"},
	{"orders", "count", "order", "Bestellungen", "orders"},
	{"order_cents", "cents", "money", "Bestellwert", "value of orders"},
	{"refunds", "count", "order", "Rückgaben und Stornos", "returns and cancellations"},
	{"refund_cents", "cents", "money", "Wert der Rückgaben", "value of returns"},
	{"sessions_night", "count", "time", "Sitzungen nachts", "sessions at night"},
	{"sessions_morning", "count", "time", "Sitzungen morgens", "sessions in the morning"},
	{"sessions_afternoon", "count", "time", "Sitzungen nachmittags", "sessions in the afternoon"},
	{"sessions_evening", "count", "time", "Sitzungen abends", "sessions in the evening"},
	{"gpc_events", "count", "signal", "Ereignisse mit Global Privacy Control", "events with Global Privacy Control"},
	{"dnt_events", "count", "signal", "Ereignisse mit Do Not Track", "events with Do Not Track"},
	{"special_events", "count", "special", "Ereignisse zu besonderen Kategorien (ausdrücklich erlaubt)", "events about special categories (explicitly allowed)"},
}

// single are the columns that exist once.
var single = []Column{
	{"days_since_visit", "days", "visit", "Tage seit dem letzten Besuch", "days since the last visit"},
	{"days_since_first_visit", "days", "visit", "Tage seit dem ersten Besuch, höchstens 90", "days since the first visit, at most 90"},
	{"break_days", "days", "visit", "Pause vor dem ersten Besuch der letzten 28 Tage, 0 ohne", "break before the first visit of the last 28 days, 0 without"},
	{"lifecycle", "stage 1 to 5", "visit", "Lebenszyklus: 1 neu (erster Besuch in 28 Tagen), 2 aktiv, 3 zurückgekehrt (nach mehr als 28 Tagen Pause), 4 abkühlend (mehr als 28 Tage fort), 5 verloren (mehr als 56)", "lifecycle: 1 new (first visit within 28 days), 2 active, 3 returning (after a break of more than 28 days), 4 cooling (away for more than 28 days), 5 lapsed (more than 56)"},
	{"churn_risk", "tier 0 to 3", "visit", "Abwanderungsrisiko: Tage seit dem letzten Besuch gegen den eigenen Rhythmus (mittlerer Abstand der Besuchstage, mindestens 3): 1 bis zum Doppelten, 2 bis zum Vierfachen, 3 darüber; 0 = unter drei Besuchstagen", "churn risk: days since the last visit against the person's own rhythm (mean days between visits, at least 3): 1 up to twice, 2 up to four times, 3 beyond; 0 = fewer than three days of visits"},
	{"days_since_order", "days", "order", "Tage seit der letzten Bestellung, -1 ohne", "days since the last order, -1 without"},
	{"net_cents_90d", "cents", "money", "Bestellwert abzüglich Rückgaben, 90 Tage", "value of orders less returns, 90 days"},
	{"viewed_price_cents_90d", "cents", "price", "mittlerer Preis angesehener Produkte, 90 Tage", "mean price of products viewed, 90 days"},
	{"recency", "class 0 to 5", "order", "RFM: wie kürzlich gekauft", "RFM: how recently bought"},
	{"frequency", "class 0 to 5", "order", "RFM: wie oft gekauft", "RFM: how often bought"},
	{"monetary", "class 0 to 5", "money", "RFM: für wie viel gekauft", "RFM: for how much bought"},
	{"value_tier", "tier 0 to 5", "money", "Wertstufe, 0 = nicht bekannt", "value tier, 0 = not known"},
	{"expected_orders_x1000", "count ×1000", "order", "erwartete Bestelltage bis zum Horizont (learning.horizon_days), -1 = nicht bekannt", "order days expected within the horizon (learning.horizon_days), -1 = not known"},
	{"expected_value_cents", "cents", "money", "erwarteter Bestellwert bis zum Horizont, -1 = nicht bekannt", "value of orders expected within the horizon, -1 = not known"},
	{"alive_pct", "percent", "order", "Wahrscheinlichkeit, noch Kunde zu sein, -1 = nicht bekannt", "probability of still being a customer, -1 = not known"},
	{"micro_segment", "group 0 to 8", "money", "Mikrosegment: Gruppe ähnlicher Käufer nach Zeitpunkt, Häufigkeit und Wert (k-Means), 0 = keine; report.json nennt jede beim Namen", "micro-segment: group of like buyers by recency, frequency and money (k-means), 0 = none; report.json names each"},
	{"need_signs_28d", "count 0 to 6", "need", "Arten von Schwierigkeiten: vergeblich gesucht, neu formuliert, Größe oder Version unsicher, verglichen, Warenkorb stehen gelassen, viel geschaut; 28 Tage", "kinds of trouble: searched in vain, rephrased, unsure about size or version, compared, left a basket, looked a lot; 28 days"},
	{"need_tier", "tier 0 to 3", "need", "Bedarfsstufe aus diesen Anzeichen", "need tier from these signs"},
}

// family is what columns tell of a person, with the fields of events that they are
// made of and the purposes that they may be used for.
type family struct {
	needs    []string
	purposes []consent.Purpose
}

// Purposes that a family may be used for. Content follows what a person does here.
// Direct mail follows it too, but not how somebody hesitates, words a search or turns
// down tracking. Who gets rows for advertising elsewhere, or for sharing, learns of
// products, visits and orders: no more than that purpose keeps of events (LAW-06).
var (
	onsite  = []consent.Purpose{consent.PersonalisationContent, consent.AdviserAssist}
	own     = append(slices.Clone(onsite), consent.Analytics, consent.ModelTraining)
	mail    = append(slices.Clone(own), consent.MarketingEmail, consent.MarketingSMS, consent.MarketingPush, consent.MarketingPhone, consent.MarketingPost)
	tested  = append(slices.Clone(mail), consent.Experimentation)
	outside = append(slices.Clone(tested), consent.AdsThirdParty, consent.DataSharing)
)

// families say what each column may be used for. personalised_price and recording_av
// are in none: a price sees no behaviour, and a recording needs no segment.
var families = map[string]family{
	"visit":     {nil, outside},
	"product":   {[]string{"product_id"}, outside},
	"basket":    {[]string{"product_id"}, outside},
	"order":     {nil, outside},
	"money":     {[]string{"cart_cents"}, tested},
	"time":      {[]string{"hour_band"}, mail},
	"price":     {[]string{"price_cents"}, mail},
	"search":    {[]string{"results"}, mail},
	"attention": {[]string{"dwell_ms"}, own},
	"version":   {[]string{"product_variant"}, append(slices.Clone(onsite), consent.ModelTraining)},
	"query":     {[]string{"query_key"}, onsite},
	"need":      {[]string{"results", "query_key", "product_variant"}, onsite},
	"signal":    {nil, onsite[:1]},
	"special":   {nil, onsite[:1]},
}

// Purposes are those that a segment over the column may be used for.
func (c Column) Purposes() []consent.Purpose { return families[c.Family].purposes }

// Columns documents every column of features but the person.
var Columns = func() []Column {
	var out []Column
	for _, c := range windowed {
		for _, w := range []struct{ suffix, de, en string }{{"_28d", ", 28 Tage", ", 28 days"}, {"_90d", ", 90 Tage", ", 90 days"}} {
			out = append(out, Column{c.Name + w.suffix, c.Unit, c.Family, c.De + w.de, c.En + w.en})
		}
	}
	return append(out, single...)
}()

// columnNamed finds a column.
func columnNamed(name string) (Column, bool) {
	i := slices.IndexFunc(Columns, func(c Column) bool { return c.Name == name })
	if i < 0 {
		return Column{}, false
	}
	return Columns[i], true
}

// ranged is a range that a unit states, such as "class 0 to 5".
var ranged = regexp.MustCompile(`(\d+) to (\d+)$`)

// domain is which values columns may have.
var domain = func() predicate.Domain {
	d := predicate.Domain{}
	for _, c := range Columns {
		of := predicate.Interval{Least: 0, Most: 9e18}
		if m := ranged.FindStringSubmatch(c.Unit); m != nil {
			of.Least, _ = strconv.ParseFloat(m[1], 64)
			of.Most, _ = strconv.ParseFloat(m[2], 64)
		}
		switch c.Unit {
		case "days":
			of.Most = 90
			if _, window := config.Windowed(c.Name); window > 0 {
				of.Most = float64(window)
			}
		case "percent":
			of.Most = 100
		}
		switch c.Name {
		case "net_cents_90d": // more may come back than was bought in the time
			of.Least = -of.Most
		case "days_since_order", "expected_orders_x1000", "expected_value_cents", "alive_pct": // -1: none, or not known
			of.Least = -1
		}
		d[c.Name] = of
	}
	return d
}()
