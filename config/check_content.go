package config

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/profile"
)

func (k *checker) offers() {
	o := k.c.Offers
	k.want(len(o.Channels) > 0, "offers.channels", "is empty; name at least one of %s", strings.Join(Channels, ", "))
	k.eachOneOf(o.Channels, "offers.channels", Channels)
	k.hours()
	k.want(o.Holdout >= 0 && o.Holdout <= 1, "offers.holdout", "is %g; want a share from 0 to 1, 0.05 is 5 %%", o.Holdout)
	k.want(o.NeedHint > 0, "offers.need_hint", "is %d; want points above 0", o.NeedHint)
	k.want(o.NeedHuman > o.NeedHint, "offers.need_human", "is %d; want more than need_hint (%d): a hint comes first (R7)", o.NeedHuman, o.NeedHint)
	k.span(o.MinGap, 0, 365*day, "offers.min_gap")
	k.span(o.DismissedFor, 0, 365*day, "offers.dismissed_for")
	k.span(o.TokenFor, time.Minute, day, "offers.token_for")
	k.want(o.CostCents >= 0, "offers.adviser_cost_cents", "is %d; want cents, 0 or more", o.CostCents)
	k.address(o.JoinURL, "offers.join_url")
	k.within(k.c.Prices.MaxDiscountBP, 0, 10_000, "prices.max_discount_bp")
	k.within(k.c.Prices.Guard.MaxDropBP, 0, 10_000, "prices.guard.max_drop_bp")
	k.within(k.c.Prices.Guard.MaxRiseBP, 0, 1_000_000, "prices.guard.max_rise_bp")
	k.within(k.c.Prices.Guard.MaxMovesDay, 0, 86_400, "prices.guard.max_moves_day")
	k.within(int64(k.c.Prices.Protection.Days), 0, 30, "prices.protection.days")
	for i, c := range k.c.Prices.Regulated {
		k.text(c, at("prices.regulated_categories", i))
	}
}

func (k *checker) hours() {
	for i, h := range k.c.Offers.Hours {
		path := at("offers.hours", i)
		k.oneOf(h.Day, path+".day", Days)
		from, ok1 := minuteOf(h.From)
		to, ok2 := minuteOf(h.To)
		k.want(ok1 && from < 24*60, path+".from", "%q is no time of day; want 00:00 to 23:59", h.From)
		k.want(ok2, path+".to", "%q is no time of day; want 00:01 to 24:00", h.To)
		k.want(!ok1 || !ok2 || from < to, path+".to", "%s is not after %s; split hours that pass midnight into two days", h.To, h.From)
	}
}

// scorecard: only documented features that the purpose may use, in rising bins,
// and thresholds that can be reached.
func (k *checker) scorecard() {
	s := k.c.Scorecard
	k.text(s.Version, "scorecard.version")
	k.want(s.FeaturesVersion == "" || s.FeaturesVersion == profile.CatalogueVersion(), "scorecard.features_version",
		"is %q, but the features are of version %s; take the scorecard of a night that ran with this program, or leave the version out", s.FeaturesVersion, profile.CatalogueVersion())
	k.want(len(s.Features) > 0, "scorecard.features", "is empty; no visitor would ever seem to need help")
	allowed := needFeatures()
	for i, f := range s.Features {
		path := at("scorecard.features", i)
		if !slices.Contains(allowed, f.Name) {
			k.bad(path+".name", "%q is not a feature that may be used here (docs/features.md); %s", f.Name, instead(f.Name, allowed))
		}
		k.want(len(f.Bins) > 0, path+".bins", "is empty; give at least one {at_least, points}")
		for j := 1; j < len(f.Bins); j++ {
			before, b := f.Bins[j-1].AtLeast, f.Bins[j].AtLeast
			k.want(b > before, at(path+".bins", j)+".at_least", "%d does not rise above %d before it; put the bins in order", b, before)
		}
	}
	k.unique(names(s.Features, func(f decide.Feature) string { return f.Name }), "scorecard.features", "name")
	k.want(s.Highest() >= k.c.Offers.NeedHuman, "offers.need_human", "is %d, but the scorecard ends at %d points; nobody would ever be offered a human", k.c.Offers.NeedHuman, s.Highest())
}

// needFeatures are the features that may say that somebody needs help.
func needFeatures() (out []string) {
	for _, f := range profile.Catalogue() {
		if slices.Contains(f.Purposes, consent.AdviserAssist) {
			out = append(out, f.Name)
		}
	}
	return out
}

func (k *checker) slots() {
	for _, name := range slices.Sorted(maps.Keys(k.c.Slots)) {
		path, variants := under("slots", name), k.c.Slots[name].Variants
		k.want(plainName.MatchString(name), path, "the name %q must be lower-case letters, digits and _", name)
		k.want(len(variants) > 0, path+".variants", "is empty; a slot needs a default variant")
		k.unique(names(variants, func(v Variant) string { return v.ID }), path+".variants", "id")
		defaults := 0
		for i, v := range variants {
			k.variant(v, at(path+".variants", i))
			if v.Default {
				defaults++
			}
		}
		k.slotService(name, k.c.Slots[name])
		k.want(len(variants) == 0 || defaults == 1, path+".variants", "has %d default variants; mark exactly one with default: true (VAR-01)", defaults)
	}
}

func (k *checker) variant(v Variant, path string) {
	k.text(v.ID, path+".id")
	k.eachOneOf(v.Flags, path+".pattern_flags", PatternFlags)
	k.eachOneOf(v.Blocks, path+".legal_blocks", LegalBlocks)
	for i, l := range v.Locales {
		k.want(language.MatchString(l), at(path+".locales", i), "%q is no locale; want a tag such as de or de-AT", l)
	}
	if v.Default {
		k.want(v.Product == "" && !v.NeedsLogin && len(v.Locales) == 0, path, "the default must suit everybody; remove product, needs_login and locales")
		k.want(!v.HidesGuest, path+".hides_guest_order", "is true; the default must let everybody order without an account (LAW-07)")
		k.want(len(v.Flags) == 0 && !v.MissingLegal(), path, "the default must have no pattern_flags and all legal_blocks: %s", strings.Join(LegalBlocks, ", "))
	}
}

// segments: the night checks the predicates against its tables; here only what
// cannot be one.
func (k *checker) segments() {
	for i, s := range k.c.Segments {
		path := at("segments", i)
		k.want(plainName.MatchString(s.Name) && s.Name != "tombstones" && s.Name != "revocations", path+".name", "%q cannot name a file; want lower-case letters, digits and _, and not tombstones or revocations", s.Name)
		for _, l := range []string{"de", "en"} {
			k.want(strings.TrimSpace(s.Title[l]) != "", path+".title."+l, "is missing; marketing reads it in both languages")
		}
		k.want(strings.TrimSpace(s.Where) != "", path+".where", "is empty; write a condition over the night's columns")
		if s.Special != "" {
			k.oneOf(s.Special, path+".special", consent.SpecialCategories)
		}
		for j, p := range s.Purposes {
			k.purpose(p, at(path+".purposes", j))
			k.want(!p.Known() || exportable(p), at(path+".purposes", j), "%s is no purpose that segments may leave for; want one of a channel, such as marketing_email", p)
		}
		for _, not := range []string{";", "--", "/*"} {
			k.want(!strings.Contains(s.Where, not), path+".where", "has %q; want one condition and no comment", not)
		}
	}
	k.unique(names(k.c.Segments, func(s Segment) string { return s.Name }), "segments", "name")
	m := k.c.Micro
	k.want(m.K == 0 || m.K >= 2 && m.K <= 8, "micro_segments.k", "is %d; want 2 to 8, or 0 for none", m.K)
	k.within(int64(m.Buyers), 100, 1_000_000, "micro_segments.buyers")
}

func (k *checker) exports() {
	k.want(k.c.Exports.K >= 10, "exports.k", "is %d; groups below 10 point at persons, want 10 or more (EXP-07)", k.c.Exports.K)
	for i, c := range k.c.Exports.Channels {
		path := at("exports.channels", i)
		k.want(plainName.MatchString(c.Name), path+".name", "%q cannot name a file; want lower-case letters, digits and _", c.Name)
		k.text(c.Recipient, path+".recipient")
		k.channel(c, path)
		k.oneOf(c.Role, path+".role", []string{"processor", "controller"})
		if k.purpose(c.Purpose, path+".purpose"); c.Purpose.Known() {
			k.want(exportable(c.Purpose), path+".purpose", "%s is no purpose that segments may leave for; want one that a visitor decides on, such as marketing_email", c.Purpose)
			// The export gate stops these two, and only these, where the browser objects (SIG-02).
			sharing := c.Purpose == consent.AdsThirdParty || c.Purpose == consent.DataSharing
			k.want(c.Role != "controller" || sharing, path+".role", "a recipient that is a controller of its own gets rows under ads_third_party or data_sharing only, not %s (SIG-02)", c.Purpose)
		}
	}
	k.unique(names(k.c.Exports.Channels, func(c Channel) string { return c.Name }), "exports.channels", "name")
}

// exportable reports a purpose that a visitor decides on and that segments may leave for.
func exportable(p consent.Purpose) bool {
	return (p.Gated() || p == consent.MarketingPost) && !p.Special()
}

// channel checks what a channel says beside its recipient.
func (k *checker) channel(c Channel, path string) {
	if c.DoubleOptIn != "" {
		k.oneOf(c.DoubleOptIn, path+".double_opt_in", DoubleOptIns)
	}
	k.eachOneOf(c.Fields, path+".fields", ExportFields)
	for _, must := range []string{"key", "segment"} {
		k.want(len(c.Fields) == 0 || slices.Contains(c.Fields, must), path+".fields", "lacks %s; without it nobody could delete a row again (EXP-06)", must)
	}
	if x := c.Existing; x.On {
		path += ".existing_customers"
		k.want(c.Purpose == consent.MarketingEmail, path, "is for marketing_email alone; a number or a push needs consent (EXP-02)")
		k.want(len(x.Goods) > 0, path+".goods", "is empty; name the categories that the mails advertise (EXP-02)")
		k.text(x.NoticeAtOrder, path+".notice_at_order")
		k.want(x.NoticeInMail, path+".notice_in_mail", "is false; every mail must say how to object (EXP-02)")
	}
}
