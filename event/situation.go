package event

import "strings"

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
