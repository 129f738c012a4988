package event

import (
	"math/bits"
)

// Field is a minimised property that an Event may have. The list is closed: a
// property named nowhere here cannot be stored. Names are those of the Rego
// allow-lists and of the SQL columns.
type Field uint8

// The fields. Append only: the bit is stored.
const (
	FieldProduct       Field = iota // product_id, from the catalogue
	FieldCategory                   // category of the product or list, from the catalogue
	FieldProductClass               // simple | standard | complex | premium | contract, from the catalogue
	FieldPrice                      // price_cents, from the catalogue
	FieldQuantity                   // quantity
	FieldItems                      // items: product, quantity, price of a list, cart or order
	FieldVariant                    // product_variant: size or version chosen, if the catalogue's or a short code
	FieldQueryKey                   // query_key: keyed digest of a search, to count distinct searches
	FieldQueryWords                 // query_words: the search's words that the catalogue knows, nothing else
	FieldQueryExact                 // query_exact: the search was exactly an article number
	FieldResults                    // results: number of hits shown
	FieldCart                       // cart_cents: value of the cart or order
	FieldOrder                      // order_key: keyed digest of the order id
	FieldCurrency                   // currency
	FieldStep                       // step: number of the checkout step
	FieldErrorClass                 // error_class: payment | address | stock | other
	FieldDecision                   // decision_id: the decision that an offer or variant came from
	FieldSlot                       // slot and variant_id of a content variant seen
	FieldPageType                   // page_type: home | list | product | search | cart | checkout | account | help | show | other
	FieldReferrer                   // referrer_host
	FieldUAFamily                   // ua_family: family and major version
	FieldIPPrefix                   // ip_prefix: IPv4 /24 or IPv6 /48
	FieldLocale                     // locale
	FieldHourBand                   // hour_band: local time of day in four bands
	FieldDwell                      // dwell_ms: time on the page that ended, as the page reports it
	FieldAuthenticated              // authenticated: the account's credential came with the event
)

var fieldNames = [...]string{
	"product_id", "category", "product_class", "price_cents", "quantity", "items", "product_variant", "query_key",
	"query_words", "query_exact", "results", "cart_cents", "order_key", "currency", "step", "error_class",
	"decision_id", "slot", "page_type", "referrer_host", "ua_family", "ip_prefix", "locale", "hour_band", "dwell_ms",
	"authenticated",
}

// FieldNames lists every field's name in bit order.
func FieldNames() []string { return fieldNames[:] }

// String is the field's name.
func (f Field) String() string { return fieldNames[f] }

// FieldNamed finds a field by name.
func FieldNamed(name string) (Field, bool) {
	for i, n := range fieldNames {
		if n == name {
			return Field(i), true
		}
	}
	return 0, false
}

// FieldSet is a set of fields, one bit each.
type FieldSet uint64

// AllFields has every field.
const AllFields FieldSet = 1<<len(fieldNames) - 1

// With adds a field.
func (s FieldSet) With(f Field) FieldSet { return s | 1<<f }

// Has reports membership.
func (s FieldSet) Has(f Field) bool { return s&(1<<f) != 0 }

// Names lists the members in bit order.
func (s FieldSet) Names() []string {
	out := make([]string, 0, bits.OnesCount64(uint64(s)))
	for i, n := range fieldNames {
		if s&(1<<i) != 0 {
			out = append(out, n)
		}
	}
	return out
}

// Fields are the values of an event that survived coarsening. Keep is the only
// way to narrow them; policy names what each purpose keeps. The JSON names are
// the field names; items and slot spread over what they hold.
type Fields struct {
	Product       string   `json:"product_id,omitempty" parquet:"product_id,dict"`
	Category      string   `json:"category,omitempty" parquet:"category,dict"`
	ProductClass  string   `json:"product_class,omitempty" parquet:"product_class,dict"`
	PriceCents    int64    `json:"price_cents,omitempty" parquet:"price_cents,dict"`
	Quantity      int64    `json:"quantity,omitempty" parquet:"quantity"`
	Items         []Item   `json:"items,omitempty" parquet:"items,list"`
	Variant       string   `json:"product_variant,omitempty" parquet:"product_variant,dict"`
	QueryKey      int64    `json:"query_key,omitempty" parquet:"query_key"`
	QueryWords    []string `json:"query_words,omitempty" parquet:"query_words,list"`
	QueryExact    bool     `json:"query_exact,omitempty" parquet:"query_exact"`
	Results       int64    `json:"results,omitempty" parquet:"results"` // -1 = not told
	CartCents     int64    `json:"cart_cents,omitempty" parquet:"cart_cents"`
	OrderKey      int64    `json:"order_key,omitempty" parquet:"order_key"`
	Currency      string   `json:"currency,omitempty" parquet:"currency,dict"`
	Step          int64    `json:"step,omitempty" parquet:"step"`
	ErrorClass    string   `json:"error_class,omitempty" parquet:"error_class,dict"`
	Decision      string   `json:"decision_id,omitempty" parquet:"decision_id"`
	Slot          string   `json:"slot,omitempty" parquet:"slot,dict"`
	SlotVariant   string   `json:"slot_variant,omitempty" parquet:"slot_variant,dict"`
	PageType      string   `json:"page_type,omitempty" parquet:"page_type,dict"`
	ReferrerHost  string   `json:"referrer_host,omitempty" parquet:"referrer_host,dict"`
	UAFamily      string   `json:"ua_family,omitempty" parquet:"ua_family,dict"`
	IPPrefix      string   `json:"ip_prefix,omitempty" parquet:"ip_prefix,dict"`
	Locale        string   `json:"locale,omitempty" parquet:"locale,dict"`
	HourBand      string   `json:"hour_band,omitempty" parquet:"hour_band,dict"` // night | morning | afternoon | evening
	DwellMS       int64    `json:"dwell_ms,omitempty" parquet:"dwell_ms"`
	Authenticated bool     `json:"authenticated,omitempty" parquet:"authenticated"`
}

// Item is a line of a list, cart or order.
type Item struct {
	Product    string `json:"product_id" parquet:"product_id,dict"`
	Quantity   int64  `json:"quantity" parquet:"quantity"`
	PriceCents int64  `json:"price_cents" parquet:"price_cents"`
}

// Keep gives the fields that are in the set and drops the rest.
func (f Fields) Keep(s FieldSet) Fields {
	var k Fields
	if s.Has(FieldProduct) {
		k.Product = f.Product
	}
	if s.Has(FieldCategory) {
		k.Category = f.Category
	}
	if s.Has(FieldProductClass) {
		k.ProductClass = f.ProductClass
	}
	if s.Has(FieldPrice) {
		k.PriceCents = f.PriceCents
	}
	if s.Has(FieldQuantity) {
		k.Quantity = f.Quantity
	}
	if s.Has(FieldItems) {
		k.Items = f.Items
	}
	if s.Has(FieldVariant) {
		k.Variant = f.Variant
	}
	if s.Has(FieldQueryKey) {
		k.QueryKey = f.QueryKey
	}
	if s.Has(FieldQueryWords) {
		k.QueryWords = f.QueryWords
	}
	if s.Has(FieldQueryExact) {
		k.QueryExact = f.QueryExact
	}
	if s.Has(FieldResults) {
		k.Results = f.Results
	}
	if s.Has(FieldCart) {
		k.CartCents = f.CartCents
	}
	if s.Has(FieldOrder) {
		k.OrderKey = f.OrderKey
	}
	if s.Has(FieldCurrency) {
		k.Currency = f.Currency
	}
	if s.Has(FieldStep) {
		k.Step = f.Step
	}
	if s.Has(FieldErrorClass) {
		k.ErrorClass = f.ErrorClass
	}
	if s.Has(FieldDecision) {
		k.Decision = f.Decision
	}
	if s.Has(FieldSlot) {
		k.Slot, k.SlotVariant = f.Slot, f.SlotVariant
	}
	if s.Has(FieldPageType) {
		k.PageType = f.PageType
	}
	if s.Has(FieldReferrer) {
		k.ReferrerHost = f.ReferrerHost
	}
	if s.Has(FieldUAFamily) {
		k.UAFamily = f.UAFamily
	}
	if s.Has(FieldIPPrefix) {
		k.IPPrefix = f.IPPrefix
	}
	if s.Has(FieldLocale) {
		k.Locale = f.Locale
	}
	if s.Has(FieldHourBand) {
		k.HourBand = f.HourBand
	}
	if s.Has(FieldDwell) {
		k.DwellMS = f.DwellMS
	}
	if s.Has(FieldAuthenticated) {
		k.Authenticated = f.Authenticated
	}
	return k
}
