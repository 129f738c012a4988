package flow

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/policy"
)

// VariantCall asks which content to show in a slot.
type VariantCall struct {
	AnonymousID string `json:"anonymousId,omitempty"`
	UserID      string `json:"userId,omitempty"`
	Slot        string `json:"slot"`
	Locale      string `json:"locale,omitempty"`
}

// VariantAnswer names one variant.
type VariantAnswer struct {
	DecisionID string          `json:"decision_id"`
	Variant    string          `json:"variant"`
	Locale     string          `json:"locale,omitempty"` // of the content, if another than asked for
	Reasons    []policy.Reason `json:"reasons,omitempty"`
	Speaker    string          `json:"speaker"`
	Contact    config.Contact  `json:"contact"`
}

// variantResult is the result of a variant's decision record: the verdict, and
// what was drawn under it.
type variantResult struct {
	policy.VariantVerdict
	drawnContent
}

// drawnContent is what a choice adds to the rules' verdict.
type drawnContent struct {
	Variant     string `json:"variant"`
	Segment     string `json:"segment,omitempty"`      // whose weights were used; "" is everybody's
	LocaleAsked string `json:"locale_asked,omitempty"` // set if the slot had none in it
	LocaleUsed  string `json:"locale_used,omitempty"`
}

// choice is one content choice on its way.
type choice struct {
	*Flow
	now     time.Time
	visitor *visitor
	slot    config.Slot
	pub     *published
	segment string
	in      policy.VariantInput
	out     variantResult
}

// Variant chooses content. With consent the visitor keeps what was drawn and the
// night's weights for its segment count; without, every call is drawn anew and
// nothing is remembered.
func (f *Flow) Variant(ctx context.Context, call VariantCall, c Caller) (VariantAnswer, error) {
	ch := &choice{Flow: f, now: f.now()}
	d, err := device(call.AnonymousID)
	if err != nil {
		return VariantAnswer{}, err
	}
	a, err := c.account(call.UserID)
	if err != nil {
		return VariantAnswer{}, err
	}
	var ok bool
	if ch.slot, ok = f.cfg.Slots[call.Slot]; !ok {
		return VariantAnswer{}, invalid("slot", "not in the configuration")
	}
	if len(call.Locale) > 35 || strings.ContainsFunc(call.Locale, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return VariantAnswer{}, invalid("locale", "want a language tag like de or de-AT")
	}
	ctx = f.ahead(ctx, func() Ahead { return Ahead{Control: 4, Who: []Who{{d, a}}, Membership: f.bySegment(call.Slot)} })
	if ch.visitor, err = f.visitor(ctx, d, a); err != nil {
		return VariantAnswer{}, err
	}
	ch.in.Slot, ch.in.LoggedIn = call.Slot, !a.IsZero()
	return ch.choose(ctx, call.Locale)
}

func (ch *choice) choose(ctx context.Context, locale string) (VariantAnswer, error) {
	if err := ch.facts(ctx, locale); err != nil {
		return VariantAnswer{}, err
	}
	verdict, res, err := ch.rules.Variant(ctx, ch.in)
	if err != nil {
		return VariantAnswer{}, unavailable("judging a content choice", err)
	}
	r := ch.record(ch.now, decide.ActionVariant, ch.about(), verdict.Rules, res)
	ch.out.VariantVerdict = verdict
	ch.draw(&r)
	if r.Result, err = joined(res.Output, ch.out.drawnContent); err != nil {
		return VariantAnswer{}, unavailable("writing a decision record", err)
	}
	if err := ch.decided(ctx, &r); err != nil {
		return VariantAnswer{}, err
	}
	if err := ch.count(ctx, ch.now, "variant/"+ch.in.Slot+"/"+ch.out.Variant); err != nil {
		return VariantAnswer{}, err
	}
	return VariantAnswer{
		DecisionID: r.ID, Variant: ch.out.Variant, Locale: ch.out.LocaleUsed, Speaker: SpeakerMachine, Contact: ch.cfg.Contact,
		Reasons: ch.words(policy.EntryPersonalise, verdict.Rules),
	}, nil
}

// about is the pseudonym that the decision record bears: nobody's where a
// sensitive segment was in play without an explicit yes (SPC-01).
func (ch *choice) about() consent.Subject {
	if ch.in.UsesSpecial {
		return consent.Subject{}
	}
	return ch.visitor.of(consent.PersonalisationContent, ch.now)
}

func (ch *choice) facts(ctx context.Context, locale string) (err error) {
	v := ch.visitor
	ch.in.Consent, ch.in.Experiment = v.fact(consent.PersonalisationContent, ch.now), v.fact(consent.Experimentation, ch.now)
	ch.in.Age, ch.in.Restricted = v.age(ch.cfg.ChildShop), v.restricted()
	ch.in.Objected = v.objected(consent.PersonalisationContent) || v.objected(consent.Experimentation)
	ch.in.SlotKind, ch.in.Test = cmp.Or(ch.slot.Kind, "content"), ch.tested(ch.in.Slot, ch.slot, ch.now)
	ch.in.SegmentFeatures, ch.in.SegmentTags = []string{}, []string{}
	ch.in.Significance, ch.in.Ground = ch.cfg.Decisions[decide.ActionVariant].Significance, ch.cfg.Decisions[decide.ActionVariant].Ground
	if ch.in.SwitchOn, err = ch.on(ctx, SwitchVariants); err != nil {
		return err
	}
	if ch.pub, err = ch.publication(ctx); err != nil {
		return err
	}
	cat, err := ch.catalogue(ctx)
	if err != nil {
		return err
	}
	ch.in.Locale = ch.localised(locale)
	for _, x := range ch.slot.Variants {
		ch.in.Candidates = append(ch.in.Candidates, ch.fits(x, cat))
	}
	return ch.segments(ctx)
}

// localised gives the locale that the slot has: the one asked for, its language,
// or the default variant's. A fall-back is told and recorded.
func (ch *choice) localised(asked string) string {
	if asked == "" {
		return ""
	}
	language, _, _ := strings.Cut(asked, "-")
	for _, l := range []string{asked, language} {
		for _, x := range ch.slot.Variants {
			if speaks(x, l) {
				return l
			}
		}
	}
	ch.out.LocaleAsked = asked
	for _, x := range ch.slot.Variants {
		if x.Default && len(x.Locales) > 0 {
			ch.out.LocaleUsed = x.Locales[0]
		}
	}
	return ch.out.LocaleUsed
}

// speaks reports content in a locale; content without locales speaks every one.
func speaks(x config.Variant, locale string) bool {
	return locale == "" || len(x.Locales) == 0 ||
		slices.ContainsFunc(x.Locales, func(l string) bool { return strings.EqualFold(l, locale) })
}

// fits gathers what makes a variant eligible (R30).
func (ch *choice) fits(x config.Variant, cat event.Catalogue) policy.VariantFact {
	p, known := cat.Product(x.Product)
	return policy.VariantFact{
		ID: x.ID, Default: x.Default, LocaleOK: speaks(x, ch.in.Locale), StockOK: x.Product == "" || known && p.Stock > 0,
		NeedsLogin: x.NeedsLogin, Flags: append([]string{}, x.Flags...), MissingLegal: x.MissingLegal(), HidesGuest: x.HidesGuest,
		Claims: claims(x), UIFair: ch.fairUI(x, ch.now),
	}
}

// segments finds the visitor's segment that has weights of its own in the slot.
// Without consent no segment is read; the choice is then not by profile.
func (ch *choice) segments(ctx context.Context) error {
	bySegment := ch.pub.Weights.Slots[ch.in.Slot]
	own := len(bySegment)
	if _, everybody := bySegment[""]; everybody {
		own--
	}
	if own <= 0 {
		return nil
	}
	ch.in.UsesProfile = true
	if !ch.in.Consent.Status.Valid() {
		return nil
	}
	m, err := ch.membership(ctx, ch.visitor, ch.now)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(ch.cfg.Segments, func(s config.Segment) bool { return bySegment[s.Name] != nil && slices.Contains(m.Segments, s.Name) })
	if ch.in.UsesProfile = i >= 0; !ch.in.UsesProfile {
		return nil // a segment that the configuration has no more is not known to be harmless
	}
	s := ch.cfg.Segments[i]
	ch.segment = s.Name
	ch.in.SegmentFeatures = s.Features()
	ch.in.SegmentTags = ch.tagsOf(ch.in.SegmentFeatures)
	if ch.in.UsesSpecial = s.Special != "" && !ch.visitor.explicit(s.Special, ch.now); ch.in.UsesSpecial {
		ch.in.Consent.RecordID, ch.in.Experiment.RecordID = "", "" // they would lead from the segment to the visitor
	}
	return nil
}

// bySegment guesses, from the publication as last read, whether a slot's choice will
// look at segments.
func (f *Flow) bySegment(slot string) bool {
	p := f.night.Load()
	return p != nil && len(p.Weights.Slots[slot]) > 0
}

// draw picks among the eligible: the default, or by keyed lot under the weights.
func (ch *choice) draw(r *decide.Record) {
	v := ch.out.VariantVerdict
	if v.Mode == "default" || len(v.Eligible) == 0 {
		ch.out.Variant = ch.fallback(v.Eligible)
		return
	}
	if v.Mode == "profile" {
		ch.out.Segment = ch.segment
	}
	weights := ch.pub.Weights.Slots[ch.in.Slot][ch.out.Segment]
	if weights != nil {
		r.Digests.Weights = ch.pub.weightsDigest
	} else {
		weights = decide.Uniform(variantIDs(ch.slot))
	}
	who := r.ID
	if s := ch.visitor.subject(); v.Sticky && !s.IsZero() && !ch.in.UsesSpecial {
		who = s.String()
	}
	ch.out.Variant, r.PPM, r.Seed = decide.DrawVariant(ch.keys.draw, who, ch.in.Slot, weights, v.Eligible)
	if ch.out.Variant == "" {
		ch.out.Variant = ch.fallback(v.Eligible)
	}
}

// fallback is the neutral content: an eligible default, else any eligible one.
// Nothing eligible is "": the shop's own page then stays as it is.
func (ch *choice) fallback(eligible []string) string {
	for _, x := range ch.slot.Variants {
		if x.Default && slices.Contains(eligible, x.ID) {
			return x.ID
		}
	}
	if len(eligible) > 0 {
		return eligible[0]
	}
	return ""
}

func variantIDs(s config.Slot) []string {
	ids := make([]string, len(s.Variants))
	for i, x := range s.Variants {
		ids[i] = x.ID
	}
	return ids
}
