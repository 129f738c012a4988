package bench

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/policy"
)

// drawKey keys the lots of every made-up shop.
var drawKey = []byte("lots of handschlag bench, no secret")

// slotDraw is a slot with what the rules let be drawn, without and with a log-in.
type slotDraw struct {
	name    string
	equal   map[string]int64
	factors map[string]map[string]string // of each variant
	judged  [2]judgedSlot
}

type judgedSlot struct {
	in       policy.VariantInput
	eligible []string
	rules    []string
	output   []byte
	digests  decide.Digests
}

// judgedOffer is what the ladder says of a visit in need: that a human is offered, or held out.
type judgedOffer struct {
	in      policy.EscalateInput
	rules   []string
	output  []byte
	digests decide.Digests
}

// judgeLots asks the rules about contents and offers, once for each kind.
func (s *shop) judgeLots(ctx context.Context, rules *policy.Rules) error {
	for i, held := range []bool{false, true} {
		if err := s.judgeOffer(ctx, rules, &s.ladder[i], held); err != nil {
			return fmt.Errorf("judging offers: %w", err)
		}
	}
	s.card = s.cfg.Scorecard.Digest()
	for _, name := range slices.Sorted(maps.Keys(s.cfg.Slots)) {
		d := slotDraw{name: name, factors: map[string]map[string]string{}}
		var ids []string
		for _, v := range s.cfg.Slots[name].Variants {
			d.factors[v.ID], ids = v.Factors, append(ids, v.ID)
		}
		d.equal = decide.Uniform(ids)
		for login := range d.judged {
			if err := s.judgeSlot(ctx, rules, name, &d.judged[login], login == 1); err != nil {
				return fmt.Errorf("judging slot %q: %w", name, err)
			}
		}
		s.slots = append(s.slots, d)
	}
	return nil
}

func (s *shop) judgeOffer(ctx context.Context, rules *policy.Rules, j *judgedOffer, held bool) error {
	cfg := s.cfg.Offers
	j.in = policy.EscalateInput{
		Consent: s.fact(&person{}, consent.AdviserAssist), Age: "adult", SwitchOn: true, ProductClass: "complex", Need: cfg.NeedHuman,
		NeedHint: cfg.NeedHint, NeedHuman: cfg.NeedHuman, Features: map[string]int64{}, HintsShown: 1, EventsAfter: 100, SinceDismiss: -1,
		SinceOffer: -1, MinGap: int64(cfg.MinGap / time.Second), DismissedFor: int64(cfg.DismissedFor / time.Second),
		OpenChannels: cfg.Channels, HoursOpen: true, Capacity: 4, Holdout: held, CostCents: cfg.CostCents, Speaker: "machine", Disclosed: true,
		Preloaded: []string{}, FeatureTags: []string{}, Significance: s.cfg.Decisions[decide.ActionEscalate].Significance,
		Ground: s.cfg.Decisions[decide.ActionEscalate].Ground,
	}
	v, res, err := rules.Escalate(ctx, j.in)
	j.rules, j.output, j.digests = v.Rules, res.Output, res.Digests
	if err == nil && (v.HeldOut != held || !held && v.Offer != "human") {
		err = fmt.Errorf("the rules say %s to a visit in need", res.Output)
	}
	return err
}

func (s *shop) judgeSlot(ctx context.Context, rules *policy.Rules, name string, j *judgedSlot, login bool) error {
	j.in = policy.VariantInput{
		Slot: name, Consent: s.fact(&person{}, consent.PersonalisationContent), Experiment: s.fact(&person{}, consent.Experimentation),
		Age: "adult", SwitchOn: true, Locale: "de", LoggedIn: login, SlotKind: "content", Test: s.test(name), SegmentFeatures: []string{}, SegmentTags: []string{},
		Significance: s.cfg.Decisions[decide.ActionVariant].Significance, Ground: s.cfg.Decisions[decide.ActionVariant].Ground,
	}
	for _, v := range s.cfg.Slots[name].Variants {
		j.in.Candidates = append(j.in.Candidates, fits(v))
	}
	v, res, err := rules.Variant(ctx, j.in)
	j.eligible, j.rules, j.output, j.digests = v.Eligible, v.Rules, res.Output, res.Digests
	if err == nil && (v.Mode == "default" || len(v.Eligible) < 2) {
		err = errors.New("the rules let nothing be drawn")
	}
	return err
}

func (s *shop) test(slot string) policy.TestFact {
	e, ok := s.cfg.Experiment(slot)
	return policy.TestFact{Registered: ok, Running: ok && e.Running(s.AsOf, time.UTC), Metrics: e.Metrics}
}

// fits are the facts of a variant; the whole catalogue is in stock.
func fits(v config.Variant) policy.VariantFact {
	return policy.VariantFact{
		ID: v.ID, Default: v.Default, LocaleOK: len(v.Locales) == 0 || slices.Contains(v.Locales, "de"), StockOK: true, NeedsLogin: v.NeedsLogin,
		Flags: append([]string{}, v.Flags...), MissingLegal: v.MissingLegal(), HidesGuest: v.HidesGuest, Claims: []policy.ClaimFact{},
	}
}

// fact is a yes with its record.
func (s *shop) fact(p *person, q consent.Purpose) policy.ConsentFact {
	since := s.first().AddDate(0, 0, -2).UnixMilli()
	return policy.ConsentFact{Status: consent.Given, RecordID: stamped(p.no<<6|uint64(q.Bit()), since), ProofComplete: true}
}
