package flow

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/policy"
	"github.com/handschlag/handschlag/profile"
)

// decide gathers the facts and asks the ladder.
func (o *offer) decide(ctx context.Context, page PageRef) (err error) {
	v, cfg := o.visitor, o.cfg.Offers
	o.in = policy.EscalateInput{
		Asked: o.asked, Consent: v.fact(consent.AdviserAssist, o.now), Age: v.ageFor(consent.AdviserAssist, o.now, o.cfg.ChildShop), Restricted: v.restricted(),
		Objected: v.objected(consent.AdviserAssist), NeedHint: cfg.NeedHint, NeedHuman: cfg.NeedHuman, Features: map[string]int64{},
		SinceDismiss: -1, SinceOffer: -1, MinGap: int64(cfg.MinGap / time.Second), DismissedFor: int64(cfg.DismissedFor / time.Second),
		HoursOpen: o.cfg.OpenAt(o.now), CostCents: cfg.CostCents,
		Speaker: SpeakerMachine, Disclosed: o.spoken(SpeakerMachine).whole(), Preloaded: o.preloaded(), FeatureTags: []string{},
		Significance: o.cfg.Decisions[decide.ActionEscalate].Significance, Ground: o.cfg.Decisions[decide.ActionEscalate].Ground,
	}
	if o.in.SwitchOn, err = o.on(ctx, SwitchOffers); err != nil {
		return err
	}
	if o.pub, err = o.publication(ctx); err != nil {
		return err
	}
	if err := o.look(ctx, page); err != nil {
		return err
	}
	if err := o.desks(ctx); err != nil {
		return err
	}
	if err := o.value(ctx); err != nil {
		return err
	}
	if err := o.read(ctx); err != nil {
		return err
	}
	o.verdict, o.result, err = o.rules.Escalate(ctx, o.in)
	if err != nil {
		return unavailable("judging an offer", err)
	}
	return nil
}

// pageTypes are the page types that a hand-over may carry.
var pageTypes = []string{"home", "list", "product", "search", "cart", "checkout", "account", "help", "show", "other"}

// look reads the page as the catalogue knows it. A product that could reveal
// something sensitive is not carried on (SPC-01).
func (o *offer) look(ctx context.Context, page PageRef) error {
	cat, err := o.catalogue(ctx)
	if err != nil {
		return err
	}
	if slices.Contains(pageTypes, page.Type) {
		o.page.Type = page.Type
	}
	p, ok := cat.Product(page.ProductID)
	if !ok {
		return nil
	}
	o.in.ProductClass = p.Class
	if o.in.Special = o.visitor.sensitive(cat, p, o.now); o.in.Special {
		o.in.Consent.RecordID = "" // it would lead from the sensitive page to the visitor
		return nil
	}
	o.page.ProductID = p.ID
	return nil
}

// sensitive reports a product with a sensitive tag, its own or its category's,
// for which the visitor gave no explicit consent.
func (v *visitor) sensitive(cat event.Catalogue, p event.Product, now time.Time) bool {
	for _, tags := range [][]string{p.Tags, cat.Tags(p.Category)} {
		for _, tag := range tags {
			if !v.explicit(tag, now) {
				return true
			}
		}
	}
	return false
}

// desks says which channels are open: configured and within hours and, for an
// offer that nobody asked for, with a free adviser.
func (o *offer) desks(ctx context.Context) error {
	advisers, err := o.host.AllAdvisers(ctx)
	if err != nil {
		return unavailable("reading advisers", err)
	}
	manned := map[string]bool{}
	for _, a := range advisers {
		free := a.Capacity - a.Busy
		if !a.Available || free <= 0 {
			continue
		}
		o.in.Capacity += int64(free)
		for _, ch := range a.Channels {
			manned[ch] = true
		}
	}
	o.in.OpenChannels = []string{}
	for _, ch := range o.openChannels(o.now) {
		if o.asked || manned[ch] {
			o.in.OpenChannels = append(o.in.OpenChannels, ch)
		}
	}
	return nil
}

// openChannels are the configured channels, within opening hours.
func (f *Flow) openChannels(now time.Time) []string {
	if !f.cfg.OpenAt(now) {
		return nil
	}
	return f.cfg.Offers.Channels
}

// valueTier is the name of the value tier among the features of the register.
const valueTier = "value_tier"

// value reads the tier that the night published, if the register lists it (LAW-05),
// the consent it rests on is still in force and it has not expired (BAT-08).
func (o *offer) value(ctx context.Context) error {
	reg, err := o.registered(ctx)
	if err != nil || !reg.Uses(consent.AdviserAssist, valueTier) {
		return err
	}
	m, err := o.membership(ctx, o.visitor, o.now)
	o.in.Value = m.ValueTier
	return err
}

func (f *Flow) membership(ctx context.Context, v *visitor, now time.Time) (profile.Membership, error) {
	s := v.subject()
	if s.IsZero() || v.restricted() {
		return profile.Membership{}, nil
	}
	m, err := f.host.Membership(ctx, s)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return profile.Membership{}, unavailable("reading segments", err)
	}
	if v.rests(m.Purpose) || !v.standing(m.Purpose, now).Status.Valid() || !now.Before(m.Until) || v.lapsed(m.AsOf, now) {
		return profile.Membership{}, nil
	}
	return m, nil
}

// CON-07: whoever asks for a human is not asked for a consent; the ladder sees the
// question before any standing.
//
// proactive reports whether the visitor's behaviour may be looked at at all.
func (o *offer) proactive() bool {
	c := o.in.Consent
	return !o.asked && c.Status.Valid() && c.ProofComplete && !o.in.Restricted && !o.in.Objected && o.in.SwitchOn
}

// read takes need and caps from the profile. Without consent nothing is read.
func (o *offer) read(ctx context.Context) error {
	if !o.proactive() {
		return nil
	}
	s := o.visitor.subject()
	p, err := o.host.Profile(ctx, s)
	if err != nil {
		return unavailable("reading profile", err)
	}
	features := p.Features(consent.AdviserAssist, o.now)
	if o.visitor.ranOut(o.now) {
		features = map[string]int64{}
	}
	reg, err := o.registered(ctx)
	if err != nil {
		return err
	}
	maps.DeleteFunc(features, func(name string, _ int64) bool { return !reg.Uses(consent.AdviserAssist, name) }) // LAW-05: a feature that is not listed is not looked at
	for _, name := range o.pub.features {
		if n, ok := features[name]; ok {
			o.in.Features[name] = n
		}
	}
	o.in.FeatureTags = o.tagsOf(slices.Sorted(maps.Keys(o.in.Features)))
	score := o.pub.scorecard.Score(features)
	o.need, o.in.Need = &score, score.Total
	if o.pub.gain != nil {
		o.in.GainCents = max(1, o.pub.gain.Score(features).Total) // 0 says that nothing is known of it
	}
	past := p.Offers(o.now)
	o.in.HintsShown, o.in.EventsAfter, o.in.Dismissed = past.HintsShown, past.EventsAfterHint, past.DismissedInSession
	o.in.SinceDismiss, o.in.SinceOffer = past.SecondsSinceDismissed, past.SecondsSinceOffer
	o.in.ExactArticle, o.in.InShow = past.ExactArticle, past.InShow
	o.in.Holdout, o.ppm, o.seed = decide.Holdout(o.keys.draw, s, o.now, o.cfg.Offers.Holdout)
	return nil
}

// ladderFeatures are those that the kind of hint depends on, beside the scorecard's.
var ladderFeatures = []string{
	profile.SizeGuideOpens, profile.VariantFlipsMax, profile.SearchesZeroResults, profile.SearchReformulated,
}
