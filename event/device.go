package event

import (
	"net/netip"
	"strings"
)

// UAFamily reduces a user agent to family and major version, "Chrome/142"; to
// "bot" or "other" if it is none of the families; to "" if there is none. What was
// reduced already stays as it is.
func UAFamily(userAgent string) string {
	if userAgent == "" || reduced(userAgent) {
		return userAgent
	}
	for _, mark := range botMarks {
		if strings.Contains(userAgent, mark) {
			return "bot"
		}
	}
	for _, f := range families {
		if i := strings.Index(userAgent, f.mark); i >= 0 && (f.also == "" || strings.Contains(userAgent, f.also)) {
			return f.name + major(userAgent[i+len(f.mark):])
		}
	}
	return "other"
}

// reduced reports what UAFamily gives for a family.
func reduced(s string) bool {
	name, version, _ := strings.Cut(s, "/")
	for _, f := range families {
		if f.name == name {
			return s == name || s == name+major(version)
		}
	}
	return false
}

var botMarks = []string{"bot", "Bot", "crawl", "Crawl", "spider", "Spider", "slurp", "Headless"}

// families in the order in which they must be tried: most agents claim to be
// Chrome or Safari as well.
var families = []struct{ name, mark, also string }{
	{"Edge", "Edg/", ""}, {"Edge", "EdgA/", ""}, {"Edge", "EdgiOS/", ""}, {"Edge", "Edge/", ""},
	{"Opera", "OPR/", ""}, {"Opera", "Opera/", ""},
	{"Samsung", "SamsungBrowser/", ""},
	{"Firefox", "Firefox/", ""}, {"Firefox", "FxiOS/", ""},
	{"Chrome", "CriOS/", ""}, {"Chrome", "Chrome/", ""},
	{"Safari", "Version/", "Safari/"},
}

// major is "/142" for "142.0.7444.60", "" if no version of up to four digits follows.
func major(version string) string {
	n := 0
	for n < len(version) && version[n] >= '0' && version[n] <= '9' {
		n++
	}
	if n == 0 || n > 4 {
		return ""
	}
	return "/" + version[:n]
}

// IPPrefix truncates an address to its network, IPv4 /24 or IPv6 /48
// ("203.0.113.0/24"). A port is left out. It is "" for what is no address.
func IPPrefix(address string) string {
	if address == "" || len(address) > 64 {
		return ""
	}
	a, err := netip.ParseAddr(address)
	if err != nil {
		ap, err := netip.ParseAddrPort(address)
		if err != nil {
			return ""
		}
		a = ap.Addr()
	}
	a = a.Unmap().WithZone("")
	bits := 48
	if a.Is4() {
		bits = 24
	}
	prefix, err := a.Prefix(bits)
	if err != nil {
		return ""
	}
	return prefix.String()
}

// coarseLocale keeps language, script and region of a BCP 47 tag ("de-DE"),
// written in the usual case. Variants and extensions single people out and go.
func coarseLocale(tag string) string {
	if len(tag) < 2 || len(tag) > 35 {
		return ""
	}
	parts := strings.FieldsFunc(tag, func(r rune) bool { return r == '-' || r == '_' })
	if len(parts) == 0 || !letters(parts[0], 2, 3) {
		return ""
	}
	out := strings.Clone(strings.ToLower(parts[0]))
	parts = parts[1:]
	if len(parts) > 0 && letters(parts[0], 4, 4) {
		out += "-" + strings.ToUpper(parts[0][:1]) + strings.ToLower(parts[0][1:])
		parts = parts[1:]
	}
	if len(parts) > 0 && (letters(parts[0], 2, 2) || digits(parts[0], 3)) {
		out += "-" + strings.ToUpper(parts[0])
	}
	return out
}

func letters(s string, least, most int) bool {
	for i := range len(s) {
		if c := s[i] | 0x20; c < 'a' || c > 'z' {
			return false
		}
	}
	return len(s) >= least && len(s) <= most
}

func digits(s string, n int) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return len(s) == n
}
