package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/handschlag/handschlag/consent"
)

// silent gives the keys of a notice or control that the file leaves out what
// their silence means: such a file was written before there were these keys, and
// says all with the text and with reject_equal.
func (r *reader) silent(c *Config) {
	said := func(path, key string) bool {
		_, whole := r.lines[path]
		_, it := r.lines[path+"."+key]
		return !whole || it
	}
	for i := range c.Notices {
		if n := &c.Notices[i]; !said(at("notices", i), "elements") {
			n.Elements = slices.Clone(NoticeElements)
		}
		if n := &c.Notices[i]; !said(at("notices", i), "recipients") {
			n.Recipients = names(c.Register.Recipients, func(x Recipient) string { return x.ID })
		}
	}
	for i := range c.UI {
		u, path := &c.UI[i], at("ui_versions", i)
		u.RejectFirst = u.RejectFirst || u.RejectEqual && !said(path, "reject_first_layer")
		u.Equal = u.Equal || u.RejectEqual && !said(path, "equal_prominence")
	}
}

// The values of the register's closed lists.
var (
	Bases           = []string{"6-1-a", "6-1-b", "6-1-c", "6-1-f"}
	Roles           = []string{"own", "processor", "controller", "joint"}
	TransferTools   = []string{"none", "adequacy", "dpf", "scc"}
	IdentifierKinds = []string{"cookie", "storage", "token", "server"}
	RiskLevels      = []string{"low", "medium", "high"}
)

var sha256Hex = matching(`^[0-9a-f]{64}$`)

// register checks that the register can be read and that its references lead
// somewhere. Whether a purpose may run on what it says is for policy to judge.
func (k *checker) register() {
	r := k.c.Register
	k.text(k.c.DPO.Name, "dpo.name")
	k.text(k.c.DPO.Contact, "dpo.contact")
	k.unique(names(r.Measures, func(m Measure) string { return m.ID }), "register.measures", "id")
	for i, m := range r.Measures {
		k.bothLanguages(m.Text, at("register.measures", i)+".text")
	}
	k.recipients()
	k.identifiers()
	k.processings()
	k.assessments()
	for i, h := range r.Holds {
		path := at("register.holds", i)
		k.text(h.What, path+".what")
		k.text(h.Reason, path+".reason")
		k.date(h.Until, path+".until")
	}
	k.shown()
}

func (k *checker) bothLanguages(text map[string]string, path string) {
	for _, l := range slices.Sorted(maps.Keys(text)) {
		k.oneOf(l, path+"."+l, []string{"de", "en"})
	}
	for _, l := range []string{"de", "en"} {
		k.want(strings.TrimSpace(text[l]) != "", path+"."+l, "is missing; it is read in both languages")
	}
}

func (k *checker) date(s, path string) {
	_, ok := Date(s)
	k.want(ok || s == "", path, "%q is no date; want YYYY-MM-DD", s)
}

func (k *checker) recipients() {
	list := k.c.Register.Recipients
	k.unique(names(list, func(r Recipient) string { return r.ID }), "register.recipients", "id")
	for i, r := range list {
		path := at("register.recipients", i)
		k.text(r.ID, path+".id")
		k.oneOf(r.Role, path+".role", Roles)
		k.want(country.MatchString(r.Country), path+".country", "is %q; want two capital letters (ISO 3166) such as DE", r.Country)
		k.oneOf(r.Transfer, path+".transfer", TransferTools)
		k.want(r.DeletionDays >= 0, path+".deletion_days", "is %d; want days, 0 or more", r.DeletionDays)
		k.date(r.LastCheck, path+".last_check")
	}
}

func known(consent.Purpose) bool { return true }

func (k *checker) identifiers() {
	list := k.c.Register.Identifiers
	k.unique(names(list, func(x Identifier) string { return x.ID }), "register.identifiers", "id")
	for i, x := range list {
		path := at("register.identifiers", i)
		k.text(x.ID, path+".id")
		k.oneOf(x.Kind, path+".kind", IdentifierKinds)
		k.bothLanguages(x.Text, path+".text")
		k.purposes(x.Purposes, path+".allowed_purposes", known, "")
		k.purposes(x.Exempt, path+".exempt_purposes", func(p consent.Purpose) bool {
			return slices.Contains(x.Purposes, p)
		}, "is not among allowed_purposes; add it there")
		k.want(x.Days >= 0, path+".days", "is %d; want days, 0 or more", x.Days)
	}
}

// named checks that each word names something of the register.
func (k *checker) named(words []string, path, what string, list []string) {
	for i, w := range words {
		if !slices.Contains(list, w) {
			k.bad(at(path, i), "%q is no %s of the register; %s", w, what, mend(w, list))
		}
	}
}

func mend(word string, list []string) string {
	if len(list) == 0 {
		return "it has none"
	}
	return instead(word, list)
}

func (k *checker) processings() {
	r := k.c.Register
	for i, p := range r.Processings {
		path := at("register.processings", i)
		k.purpose(p.Purpose, path+".purpose")
		k.bothLanguages(p.Name, path+".name")
		if p.Basis != "" { // none is for the rules to judge
			k.oneOf(p.Basis, path+".basis", Bases)
		}
		if p.Art9 != "" {
			k.oneOf(p.Art9, path+".art_9", []string{"9-2-a"})
		}
		k.within(int64(p.RetentionDays), 0, 36_600, path+".retention_days")
		k.within(int64(p.LookbackDays), 0, 3_660, path+".lookback_days")
		k.purposes(p.Sources, path+".sources", known, "")
		k.purposes(p.Compatible, path+".compatible", known, "")
		k.named(p.Recipients, path+".recipients", "recipient", names(r.Recipients, func(x Recipient) string { return x.ID }))
		k.named(p.Identifiers, path+".identifiers", "identifier", names(r.Identifiers, func(x Identifier) string { return x.ID }))
		k.named(p.Measures, path+".measures", "measure", names(r.Measures, func(x Measure) string { return x.ID }))
		k.named(filled(p.DPIA), path+".dpia", "dpia", names(r.DPIA, func(x DPIA) string { return x.ID }))
		k.named(filled(p.LIA), path+".lia", "lia", names(r.LIA, func(x LIA) string { return x.ID }))
		k.features(p.Features, path+".features")
	}
}

func filled(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}

func (k *checker) features(list []string, path string) {
	for i, f := range list {
		_, days := Windowed(f)
		k.want(plainName.MatchString(f) && days == 0, at(path, i), "%q is no feature; want its name without a window such as _28d", f)
	}
}

func (k *checker) assessments() {
	r := k.c.Register
	k.unique(names(r.LIA, func(l LIA) string { return l.ID }), "register.lia", "id")
	for i, l := range r.LIA {
		path := at("register.lia", i)
		k.purposes(l.Purposes, path+".purposes", known, "")
		k.date(l.ApprovedAt, path+".approved_at")
	}
	k.unique(names(r.DPIA, func(d DPIA) string { return d.ID }), "register.dpia", "id")
	for i, d := range r.DPIA {
		path := at("register.dpia", i)
		k.bothLanguages(d.Title, path+".title")
		k.purposes(d.Purposes, path+".purposes", known, "")
		k.features(d.Features, path+".features")
		for j, risk := range d.Risks {
			k.oneOf(risk.Inherent, at(path+".risks", j)+".inherent", RiskLevels)
			k.oneOf(risk.Residual, at(path+".risks", j)+".residual", RiskLevels)
		}
		k.date(d.Opinion.At, path+".opinion.at")
		k.date(d.Decision.At, path+".decision.at")
		k.date(d.ReviewBy, path+".review_by")
	}
}

// shown checks what the register's rules read of notices and controls.
func (k *checker) shown() {
	for i, n := range k.c.Notices {
		path := at("notices", i)
		k.eachOneOf(n.Elements, path+".elements", NoticeElements)
		k.named(n.Recipients, path+".recipients", "recipient", names(k.c.Register.Recipients, func(x Recipient) string { return x.ID }))
	}
	for i, u := range k.c.UI {
		path := at("ui_versions", i)
		k.want(!u.RejectEqual || u.RejectFirst && u.Equal, path+".reject_equal", "is true, but reject_first_layer or equal_prominence is false; make them agree")
		for _, c := range []struct {
			key string
			n   int
		}{{"layer", u.Layer}, {"accept_clicks", u.AcceptClicks}, {"reject_clicks", u.RejectClicks}, {"withdraw_clicks", u.WithdrawClicks}} {
			k.within(int64(c.n), 0, 99, path+"."+c.key)
		}
		k.want(u.ScreenshotHash == "" || sha256Hex.MatchString(u.ScreenshotHash), path+".screenshot_sha256", "is no SHA-256; want 64 hexadecimal digits")
		k.eachOneOf(u.Review.Patterns, path+".review.patterns", PatternFlags)
		k.date(u.Review.At, path+".review.at")
		_, err := time.Parse(time.RFC3339, u.InvalidatedFrom)
		k.want(u.InvalidatedFrom == "" || err == nil, path+".invalidated_from", "%q is no time; want %s", u.InvalidatedFrom, fmt.Sprintf("%q", "2026-11-25T00:00:00Z"))
	}
}
