package config

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/handschlag/handschlag/consent"
)

// checker finds what is well written and still wrong. Each check says what is
// wanted, so that the text is also the way to mend it.
type checker struct {
	r *reader
	c *Config
}

func (k *checker) all() {
	k.shop()
	k.notices()
	k.interfaces()
	k.categories()
	k.times()
	k.offers()
	k.scorecard()
	k.slots()
	k.segments()
	k.exports()
	k.learning()
	k.service()
	k.register()
}

// bad reports a problem at a path, in the line of the nearest thing that the
// file names. What was unreadable, or reported already, is not judged again.
func (k *checker) bad(path, format string, args ...any) {
	if k.r.judged(path) {
		return
	}
	k.r.bad(path, k.line(path), format, args...)
}

func (k *checker) line(path string) int {
	for path != "" {
		if at, ok := k.r.lines[path]; ok {
			return at
		}
		path = parent(path)
	}
	return 0
}

// want reports unless ok.
func (k *checker) want(ok bool, path, format string, args ...any) {
	if !ok {
		k.bad(path, format, args...)
	}
}

func (k *checker) text(s, path string) {
	k.want(strings.TrimSpace(s) != "", path, "is empty; write something")
}

func (k *checker) oneOf(s, path string, words []string) {
	if !slices.Contains(words, s) {
		k.bad(path, "%q is not one of the values; %s", s, instead(s, words))
	}
}

func (k *checker) eachOneOf(list []string, path string, words []string) {
	for i, s := range list {
		k.oneOf(s, at(path, i), words)
		k.want(!slices.Contains(list[:i], s), at(path, i), "%q is listed twice; remove one", s)
	}
}

func (k *checker) within(n, least, most int64, path string) {
	k.want(least <= n && n <= most, path, "is %d; want %d to %d", n, least, most)
}

// unique reports names that come twice in a list.
func (k *checker) unique(names []string, path, key string) {
	first := make(map[string]int, len(names))
	for i, n := range names {
		if j, taken := first[n]; !taken {
			first[n] = i
		} else if n != "" {
			k.bad(at(path, i)+"."+key, "%q is taken already, by line %d; give it a name of its own", n, k.line(at(path, j)))
		}
	}
}

func at(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }

func names[T any](list []T, name func(T) string) []string {
	out := make([]string, len(list))
	for i, x := range list {
		out[i] = name(x)
	}
	return out
}

var (
	plainName = matching(`^[a-z][a-z0-9_]{0,62}$`)
	tenant    = matching(`^[a-z0-9][a-z0-9-]{0,62}$`)
	country   = matching(`^[A-Z]{2}$`)
	language  = matching(`^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$`)
	email     = matching(`^[^@\s]+@[^@\s]+\.[^@\s]+$`)
)

func (k *checker) shop() {
	k.want(tenant.MatchString(k.c.Tenant), "tenant", "is %q; want lower-case letters, digits and -", k.c.Tenant)
	k.want(country.MatchString(k.c.Country), "country", "is %q; want two capital letters (ISO 3166) such as DE", k.c.Country)
	k.zone(k.c.TimeZone, "time_zone")
	k.text(k.c.Controller.ID, "controller.id")
	k.text(k.c.Controller.Name, "controller.name")
	for _, name := range slices.Sorted(maps.Keys(k.c.Storefronts)) {
		k.zone(k.c.Storefronts[name], under("storefronts", name))
	}
	for i, origin := range k.c.CORS {
		u, err := url.Parse(origin)
		ok := err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && origin == u.Scheme+"://"+u.Host
		k.want(ok, at("cors_origins", i), "%q is no origin; want https://shop.example, without a path and never *", origin)
	}
	k.contact()
}

func (k *checker) contact() {
	c := k.c.Contact
	k.want(c.Phone != "" || c.Email != "" || c.URL != "", "contact", "names no way to a human; give phone, email or url (R19)")
	k.want(c.Email == "" || email.MatchString(c.Email), "contact.email", "%q is no address; want name@shop.example", c.Email)
	k.address(c.URL, "contact.url")
}

// address checks a link: absolute, or a path of the shop; none is fine.
func (k *checker) address(s, path string) {
	u, err := url.Parse(s)
	ok := s == "" || err == nil && (strings.HasPrefix(s, "/") || (u.Scheme == "https" || u.Scheme == "http") && u.Host != "")
	k.want(ok, path, "%q is no link; want https://… or a path that begins with /", s)
}

func (k *checker) zone(name, path string) {
	_, err := time.LoadLocation(name)
	k.want(err == nil && name != "" && name != "Local", path, "%q is no time zone; want an IANA name such as Europe/Berlin", name)
}

func (k *checker) notices() {
	k.want(len(k.c.Notices) > 0, "notices", "is empty; a consent rests on a notice (CON-09)")
	for i, n := range k.c.Notices {
		path := at("notices", i)
		k.text(n.Version, path+".version")
		k.want(len(n.Languages) > 0, path+".languages", "has no texts; give one per language, de: and en: for instance")
		for _, l := range slices.Sorted(maps.Keys(n.Languages)) {
			k.want(language.MatchString(l), path+".languages."+l, "%q is no language; want a tag such as de or en", l)
			k.text(n.Languages[l], path+".languages."+l)
		}
		k.want(len(n.Purposes) > 0, path+".purposes", "is empty; name the purposes that the text explains")
		k.purposes(n.Purposes, path+".purposes", consent.Purpose.Gated, "needs no consent; remove it")
	}
	k.unique(names(k.c.Notices, func(n Notice) string { return n.Version }), "notices", "version")
}

// purposes checks that all are known and fit.
func (k *checker) purposes(list []consent.Purpose, path string, fits func(consent.Purpose) bool, unfit string) {
	for i, p := range list {
		if k.purpose(p, at(path, i)); p.Known() {
			k.want(fits(p), at(path, i), "%s %s", p, unfit)
		}
		k.want(!slices.Contains(list[:i], p), at(path, i), "%s is listed twice; remove one", p)
	}
}

func (k *checker) purpose(p consent.Purpose, path string) {
	if !p.Known() {
		k.bad(path, "%q is not a purpose; %s", p, instead(string(p), names(consent.Purposes, func(p consent.Purpose) string { return string(p) })))
	}
}

func (k *checker) interfaces() {
	k.want(len(k.c.UI) > 0, "ui_versions", "is empty; a consent names the banner it was given on")
	for i, u := range k.c.UI {
		path := at("ui_versions", i)
		k.text(u.Version, path+".version")
		k.text(u.Component, path+".component")
		k.oneOf(u.Default, path+".default_state", []string{"off", "on"})
	}
	k.unique(names(k.c.UI, func(u UI) string { return u.Version }), "ui_versions", "version")
}

// categories: some purposes can never be spoken of by an event's stamp (law.md 2.1).
func (k *checker) categories() {
	stampable := func(p consent.Purpose) bool {
		return p.Gated() && !p.Special() && p != consent.RecordingAV && !strings.HasPrefix(string(p), "marketing_")
	}
	for _, name := range slices.Sorted(maps.Keys(k.c.Categories)) {
		path := under("segment_categories", name)
		k.want(len(k.c.Categories[name]) > 0, path, "has no purposes; name some, or remove the category")
		k.purposes(k.c.Categories[name], path, stampable, "can never be given by a category (law.md 2.1); remove it")
	}
	for _, name := range slices.Sorted(maps.Keys(k.c.Sensitive)) {
		k.oneOf(k.c.Sensitive[name], under("sensitive_categories", name), consent.SpecialCategories)
	}
	k.want(k.c.TCF.VendorID >= 0, "tcf.vendor_id", "is %d; want 0 (none) or your number in the Global Vendor List", k.c.TCF.VendorID)
}

func (k *checker) span(d, least, most time.Duration, path string) {
	k.want(least <= d && d <= most, path, "is %s; want %s to %s", d, least, most)
}

const day = 24 * time.Hour

func (k *checker) times() {
	k.span(k.c.Events.LateAfter, time.Minute, 7*day, "events.late_after")
	k.span(k.c.Events.AheadAfter, 0, time.Hour, "events.ahead_after")
	k.within(int64(k.c.Consent.GrantMonths), 1, 24, "consent.grant_months")
	k.within(int64(k.c.Consent.ReaskMonths), 1, 24, "consent.reask_months")
	r := k.c.Retention
	k.within(int64(r.EventDays), 1, 3650, "retention.event_days")
	k.within(int64(r.FeatureDays), 1, 3650, "retention.feature_days")
	k.within(int64(r.SegmentDays), 1, 3650, "retention.segment_days")
	k.within(int64(r.DecisionDays), 1, 3650, "retention.decision_days")
	k.within(int64(r.ProofYears), 0, 10, "retention.proof_years")
}

// learning judges what nights may learn.
func (k *checker) learning() {
	l := k.c.Learning
	k.within(int64(l.RewardDays), 1, 60, "learning.reward_days")
	k.within(l.MarginBP, 0, 10_000, "learning.margin_bp")
	k.within(int64(l.HorizonDays), 1, 730, "learning.horizon_days")
	k.eachOneOf(l.Publish, "learning.publish", LearningParts)
}
