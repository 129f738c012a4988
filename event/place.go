package event

import (
	"net/netip"
	"net/url"
	"strings"
)

// pathOf is the path of a URL or of a path, unescaped: no scheme, host, query or
// fragment.
func pathOf(u string) string {
	u, _, _ = strings.Cut(u, "#")
	u, _, _ = strings.Cut(u, "?")
	if _, rest, found := strings.Cut(u, "://"); found {
		_, path, _ := strings.Cut(rest, "/")
		u = "/" + path
	}
	if plain, err := url.PathUnescape(u); err == nil {
		return plain
	}
	return u
}

// publicHost is the host of a referrer if it looks like one that the public knows:
// a dotted name of plain labels. Addresses, ports, user names, local names and
// whatever else a URL can carry give "".
func publicHost(referrer string) string {
	_, rest, found := strings.Cut(referrer, "://")
	if !found || len(referrer) > 2048 {
		return ""
	}
	host := rest
	if i := strings.IndexAny(rest, "/?#\\"); i >= 0 {
		host = rest[:i]
	}
	host = host[strings.LastIndexByte(host, '@')+1:]
	host, _, _ = strings.Cut(host, ":")
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if len(host) > 253 || !strings.Contains(host, ".") {
		return ""
	}
	labels := strings.Split(host, ".")
	for _, l := range labels {
		if !hostLabel(l) {
			return ""
		}
	}
	top := labels[len(labels)-1]
	if local[top] || !letters(top, 2, 63) && !strings.HasPrefix(top, "xn--") {
		return ""
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return ""
	}
	return host
}

var local = map[string]bool{
	"local": true, "localhost": true, "internal": true, "lan": true, "home": true, "corp": true, "intranet": true,
	"test": true, "invalid": true, "arpa": true, "onion": true,
}

func hostLabel(l string) bool {
	for i := range len(l) {
		if c := l[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return len(l) > 0 && len(l) <= 63 && l[0] != '-' && l[len(l)-1] != '-'
}

// PageType is the page type that a path suggests, one of a closed list: it says
// where without saying what was looked at. No path, or one that suggests nothing,
// gives "".
func PageType(path string) string {
	path, _, _ = strings.Cut(path, "?")
	path, _, _ = strings.Cut(path, "#")
	return pathType(path)
}

// pathType is the page type that a path suggests: the first of its parts that
// has a meaning decides. No path gives "".
func pathType(path string) string {
	if path == "" {
		return ""
	}
	rest, empty := strings.ToLower(path), true
	for rest != "" {
		var part string
		part, rest, _ = strings.Cut(rest, "/")
		part, _, _ = strings.Cut(part, ".")
		if part == "" || part == "index" || letters(part, 2, 2) && rest == "" {
			continue // also the language of a storefront: /de
		}
		if t, ok := pageWords[part]; ok {
			if t == "product" && strings.Trim(rest, "/") == "" {
				return "list" // /products
			}
			return t
		}
		empty = false
	}
	if empty {
		return "home"
	}
	return "other"
}

// pageWords maps path parts and page names to page types.
var pageWords = func() map[string]string {
	m := make(map[string]string)
	for t, words := range map[string]string{
		"home":     "home homepage startseite start",
		"product":  "product products produkt produkte p dp pdp item artikel article",
		"list":     "category categories kategorie kategorien collection collections c catalog katalog list sale shop brand brands marke marken",
		"search":   "search suche suchergebnis results",
		"cart":     "cart basket bag warenkorb",
		"checkout": "checkout kasse payment bezahlen order bestellung bestellen thank-you danke",
		"account":  "account konto my-account mein-konto login signin sign-in register registrieren profile profil wishlist merkzettel",
		"show":     "show live live-shopping liveshopping livestream",
		"help":     "help hilfe faq support contact kontakt service returns retoure shipping versand size-guide groessenberatung",
	} {
		for w := range strings.FieldsSeq(words) {
			m[w] = t
		}
	}
	return m
}()

// pageType is the page type of a message: what a page call is named counts
// first, then its path, then the context's path.
func (m *message) pageType() string {
	if m.kind == Page || m.kind == Screen {
		for _, name := range []string{m.pageCategory, m.category, m.pageName} {
			if t, ok := pageWords[strings.ToLower(strings.TrimSpace(name))]; ok {
				return t
			}
		}
	}
	if t := pathType(m.path); t != "" {
		return t
	}
	if m.about.pageType == "" && (m.kind == Page || m.kind == Screen) {
		return "other"
	}
	return m.about.pageType
}
