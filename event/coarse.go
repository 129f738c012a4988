package event

import (
	"strings"
	"time"

	"github.com/handschlag/handschlag/consent"
)

// Keyed is a keyed digest of a value, under a key of its domain. Two callers with
// the same key get the same number; nobody else learns the value from it.
type Keyed func(domain, value string) int64

// CON-03: what else could know a device again (a fingerprint, a hash of one, an id in
// a link, a pixel's parameter) has no field here, and so ends with the message; the
// message itself needs the purpose's consent, wherever it came from.
//
// Coarse are a message's candidate fields: what a purpose may keep at most. No
// address, query string, free text, name or identifier of the visitor is among
// them, and what they hold shares no memory with the message.
type Coarse struct {
	Fields  Fields   // Authenticated is for the caller to set
	Tags    []string // sensitive tags of what cannot be taken out of the event, sorted
	Removed int      // sensitive lines taken out (SPC-02)
}

// Coarse makes the candidate fields of an event that occurred then. Products are
// looked up in cat; queries and orders are digested by key; the hour is that of
// zone; explicit says whether there is explicit consent for a sensitive tag (nil:
// for none). Fields that a message does not have stay empty.
func (r Raw) Coarse(cat Catalogue, key Keyed, zone *time.Location, explicit func(tag string) bool, occurred time.Time) Coarse {
	if explicit == nil {
		explicit = func(string) bool { return false }
	}
	m := r.read()
	c := coarsening{message: m, cat: cat, key: key, explicit: explicit, trusted: r.trusted && m.kind.Order()}
	c.surroundings(zone, occurred)
	c.ownProduct()
	if m.kind != Other {
		c.ownProperties()
		c.search()
		c.basket()
	}
	return c.out
}

type coarsening struct {
	*message
	cat      Catalogue
	key      Keyed
	explicit func(tag string) bool
	trusted  bool // an order that the shop's own server tells
	out      Coarse
}

func (c *coarsening) tag(tags []string) { c.out.Tags = union(c.out.Tags, tags) }

// surroundings are where, when and with what; they say nothing about a product,
// but a path can.
func (c *coarsening) surroundings(zone *time.Location, occurred time.Time) {
	f, about := &c.out.Fields, c.about
	f.IPPrefix, f.UAFamily, f.Locale = about.ipPrefix, about.uaFamily, about.locale
	f.PageType = c.pageType()
	if f.ReferrerHost = c.referrerHost; f.ReferrerHost == "" {
		f.ReferrerHost = about.referrerHost
	}
	if f.ReferrerHost = strings.Clone(f.ReferrerHost); len(c.cat.TextTags(f.ReferrerHost)) > 0 {
		f.ReferrerHost = "" // where somebody comes from can give away as much as what they search for (SPC-01)
	}
	f.HourBand = hourBand(occurred, zone)
	c.tag(c.cat.TextTags(c.path))
	c.tag(c.cat.TextTags(about.path))
	c.tag(c.cat.Tags(c.pageCategory))
}

func hourBand(t time.Time, zone *time.Location) string {
	if zone == nil {
		zone = time.UTC
	}
	return [...]string{"night", "morning", "afternoon", "evening"}[t.In(zone).Hour()/6]
}

// ownProduct takes the product's facts from the catalogue. What the message says
// about a product only ever adds a sensitive tag.
func (c *coarsening) ownProduct() {
	f := &c.out.Fields
	c.tag(c.cat.Tags(c.category))
	if name, ok := c.cat.Category(c.category); ok && c.kind != Other {
		f.Category = name
	}
	p, ok := c.cat.Product(c.product)
	if !ok || c.product == "" {
		return
	}
	f.Product, f.Category, f.ProductClass, f.PriceCents = p.ID, p.Category, p.Class, p.PriceCents
	c.tag(p.Tags)
	if f.PageType == "" && c.kind == ProductViewed || c.kind == Page && f.PageType == "other" {
		f.PageType = "product"
	}
}

// ownProperties are the event's own numbers and short codes.
func (c *coarsening) ownProperties() {
	f := &c.out.Fields
	if f.Product != "" {
		f.Quantity = within(c.quantity, 0, 1e6)
		f.Variant = c.code(c.variant)
	}
	f.Step = within(c.step, 0, 100)
	f.DwellMS = within(c.dwell, 0, (30 * time.Minute).Milliseconds())
	f.Decision = decisionID(c.decision)
	if f.Slot = c.code(c.slot); f.Slot != "" {
		f.SlotVariant = c.code(c.variantID)
	}
	if c.order != "" && c.key != nil {
		f.OrderKey = c.key("order", c.order)
	}
	if letters(c.currency, 3, 3) {
		f.Currency = strings.ToUpper(strings.Clone(c.currency))
	}
	if c.kind == CheckoutFailed {
		f.ErrorClass = errorClass(c.errorText)
	}
}

// search keeps of a search what the catalogue knows, and a digest to tell one
// search from another.
func (c *coarsening) search() {
	if c.kind != ProductsSearched {
		return
	}
	f := &c.out.Fields
	f.Results = -1
	if c.results.sent {
		f.Results = within(c.results, 0, 1e6)
	}
	query := normal(c.query)
	if query == "" {
		return
	}
	if c.key != nil {
		f.QueryKey = c.key("query", query)
	}
	f.QueryWords, f.QueryExact = c.cat.Words(query), c.cat.Article(query)
	c.tag(c.cat.TextTags(query))
}

// normal is a query as it is compared: lower case, spaces collapsed, at most some
// 256 bytes.
func normal(query string) string {
	var b strings.Builder
	for w := range strings.FieldsSeq(strings.ToLower(query)) {
		if b.Len()+len(w) > 256 {
			break
		}
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(w)
	}
	return b.String()
}

// within is the number, held between two bounds; 0 if it was not sent.
func within(n number, least, most int64) int64 {
	if !n.sent {
		return 0
	}
	return max(least, min(n.n, most))
}

// code is a copy of a text that looks like a short code, as of an article or a
// slot, and has nothing of the visitor's own identifiers; else "".
func (c *coarsening) code(s string) string {
	if len(s) > 32 || c.identifies(s) {
		return ""
	}
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		case c == '_', c == '.', c == '/', c == '-':
		default:
			return ""
		}
	}
	return strings.Clone(s)
}

// run is how many characters in a row a code may share with an identifier.
const run = 8

// identifies reports a text that holds an identifier of the message, or a run of one.
func (c *coarsening) identifies(s string) bool {
	s = strings.ToLower(s)
	for _, id := range []consent.ID{c.device, c.user, c.previous} {
		id := strings.ToLower(id.Reveal())
		if id != "" && strings.Contains(s, id) {
			return true
		}
		for i := 0; i+run <= len(id); i++ {
			if strings.Contains(s, id[i:i+run]) {
				return true
			}
		}
	}
	return false
}

// decisionID is a UUIDv7 in lower case, as decisions have, else "".
func decisionID(s string) string {
	if s = uuid(s); s == "" || s[14] != '7' || !strings.ContainsRune("89ab", rune(s[19])) {
		return ""
	}
	return s
}

// uuid is a UUID in lower case, else "".
func uuid(s string) string {
	if len(s) != 36 {
		return ""
	}
	for i := range len(s) {
		dash := i == 8 || i == 13 || i == 18 || i == 23
		c := s[i] | 0x20
		if dash != (s[i] == '-') || !dash && (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return ""
		}
	}
	return strings.ToLower(strings.Clone(s))
}

// errorClass is the class of what went wrong, by the words that tell it.
func errorClass(text string) string {
	text = strings.ToLower(text)
	for _, class := range errorClasses {
		for _, word := range class[1:] {
			if strings.Contains(text, word) {
				return class[0]
			}
		}
	}
	return "other"
}

var errorClasses = [][]string{
	{"address", "address", "adresse", "postcode", "postal", "zip", "plz"},
	{"stock", "stock", "sold out", "unavailable", "ausverkauft", "lager", "inventory"},
	{"payment", "payment", "card", "zahlung", "declined", "funds", "paypal", "iban", "bank"},
}
