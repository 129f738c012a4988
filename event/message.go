package event

import "strings"

// line is an entry of properties.products.
type line struct {
	product, category string
	quantity, cents   number
}

// property reads one member of an event's properties.
func (p *parser) property(m *item) {
	switch p.name() {
	case "product_id":
		p.text("properties.product_id", &m.product)
	case "category":
		p.text("properties.category", &m.category)
	case "variant":
		p.text("properties.variant", &m.variant)
	case "quantity":
		p.amount("properties.quantity", 0, &m.quantity)
	case "products":
		p.products(m)
	case "query":
		p.text("properties.query", &m.query)
	case "results":
		p.amount("properties.results", 0, &m.results)
	case "order_id":
		p.text("properties.order_id", &m.order)
	case "total":
		p.amount("properties.total", 2, &m.total)
	case "revenue":
		p.amount("properties.revenue", 2, &m.revenue)
	case "currency":
		p.text("properties.currency", &m.currency)
	case "step":
		p.amount("properties.step", 0, &m.step)
	case "error_class", "reason", "error":
		p.errorWords(m)
	case "decision_id":
		p.text("properties.decision_id", &m.decision)
	case "slot", "experiment_id":
		p.either("properties.slot", "slot", &m.slot)
	case "variant_id", "variation_id":
		p.either("properties.variant_id", "variant_id", &m.variantID)
	case "dwell_ms":
		p.amount("properties.dwell_ms", 0, &m.dwell)
	case "path", "url", "referrer":
		p.place("properties.", &m.path, &m.referrerHost)
	default:
		p.skip()
	}
}

// either reads a field that has two names; ours wins over Segment's.
func (p *parser) either(field, ours string, to *string) {
	if *to == "" || p.name() == ours {
		p.text(field, to)
		return
	}
	p.text(field, new(string))
}

// errorWords reads what went wrong, in whatever form it is told: only a class of
// four is kept of it.
func (p *parser) errorWords(m *item) {
	if p.peek() == '"' && (m.errorText == "" || p.name() == "error_class") {
		m.errorText = p.str()
		return
	}
	p.skip()
}

func (p *parser) products(m *item) {
	from := len(p.lines)
	if !p.list("properties.products") {
		return
	}
	for p.element() {
		if !p.object("properties.products[]") {
			continue
		}
		var l line
		for p.next() {
			switch p.name() {
			case "product_id":
				p.text("properties.products[].product_id", &l.product)
			case "category":
				p.text("properties.products[].category", &l.category)
			case "quantity":
				p.amount("properties.products[].quantity", 0, &l.quantity)
			case "price":
				p.amount("properties.products[].price", 2, &l.cents)
			default:
				p.skip()
			}
		}
		p.lines = append(p.lines, l)
	}
	m.lines = p.lines[from:len(p.lines):len(p.lines)]
}

// situation is a message's context, coarsened while it is read: no full address,
// user agent or query string ever gets further than the parser.
type situation struct {
	ipPrefix, uaFamily, locale string
	path, referrerHost         string
	pageType                   string // by path; "" without one
	gpc, dnt                   bool
	prefs                      preferences // Segment's consent object
	allowed, denied            []string    // RudderStack's
}

type preferences map[string]any

func (p *parser) situation() *situation {
	if s, ok := recall(p, &p.context); ok {
		return s
	}
	at, before := p.i, p.wrongs
	p.wrongs = nil
	var s *situation
	if p.object("context") {
		s = &situation{}
		p.readSituation(s)
		p.context = memo[situation]{p.s[at:p.i], s, p.wrongs}
	}
	p.wrongs = first(before, p.wrongs)
	return s
}

// recall gives what the same text gave before.
func recall[T any](p *parser, m *memo[T]) (*T, bool) {
	if m.text == "" || !strings.HasPrefix(p.s[p.i:], m.text) {
		return nil, false
	}
	p.i += len(m.text)
	p.wrongs = first(p.wrongs, m.wrong)
	return m.value, true
}

func (p *parser) readSituation(s *situation) {
	var ip, agent, locale string
	for p.next() {
		switch p.name() {
		case "ip":
			p.text("context.ip", &ip)
		case "userAgent":
			p.text("context.userAgent", &agent)
		case "locale":
			p.text("context.locale", &locale)
		case "page":
			p.page(s)
		case "consent":
			p.consent(s)
		case "consentManagement":
			p.consentManagement(s)
		case "gpc":
			p.flag(&s.gpc)
		case "dnt":
			p.flag(&s.dnt)
		default:
			p.skip()
		}
	}
	s.ipPrefix, s.uaFamily, s.locale = IPPrefix(ip), UAFamily(agent), coarseLocale(locale)
	s.pageType = pathType(s.path)
}

func (p *parser) page(s *situation) {
	if !p.object("context.page") {
		return
	}
	for p.next() {
		switch p.name() {
		case "path", "url", "referrer":
			p.place("context.page.", &s.path, &s.referrerHost)
		default:
			p.skip()
		}
	}
}

// place reads path, url or referrer. A path counts before a url's path.
func (p *parser) place(parent string, path, referrer *string) {
	var text string
	name := p.name()
	if c := p.peek(); c != '"' && c != 'n' {
		p.wrong(parent+name, "a string")
	}
	if p.peek() == '"' {
		text = p.str()
	} else {
		p.skip()
	}
	switch {
	case name == "referrer":
		*referrer = publicHost(text)
	case name == "path" && text != "":
		*path = pathOf(text)
	case name == "url" && *path == "":
		*path = pathOf(text)
	}
}

func (p *parser) consent(s *situation) {
	if !p.object("context.consent") {
		return
	}
	for p.next() {
		if p.name() == "categoryPreferences" {
			s.prefs = p.preferences()
		} else {
			p.skip()
		}
	}
}

func (p *parser) preferences() preferences {
	if known, ok := recall(p, &p.choices); ok {
		return *known
	}
	at := p.i
	if !p.object("context.consent.categoryPreferences") {
		return nil
	}
	prefs := make(preferences)
	for p.next() {
		from := p.i
		p.skip()
		switch p.s[from:p.i] {
		case "true":
			prefs[p.name()] = true
		case "false":
			prefs[p.name()] = false
		default:
			prefs[p.name()] = nil
		}
	}
	p.choices = memo[preferences]{text: p.s[at:p.i], value: &prefs}
	return prefs
}

func (p *parser) consentManagement(s *situation) {
	if !p.object("context.consentManagement") {
		return
	}
	for p.next() {
		switch p.name() {
		case "allowedConsentIds":
			p.strings("context.consentManagement.allowedConsentIds", &s.allowed)
		case "deniedConsentIds":
			p.strings("context.consentManagement.deniedConsentIds", &s.denied)
		default:
			p.skip()
		}
	}
}

func (p *parser) strings(field string, to *[]string) {
	if !p.list(field) {
		return
	}
	for p.element() {
		var one string
		p.text(field+"[]", &one)
		if one != "" {
			*to = append(*to, one)
		}
	}
}
