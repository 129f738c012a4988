package flow

import (
	"context"
	"errors"
	"time"

	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/policy"
	"github.com/handschlag/handschlag/profile"
)

// The speakers.
const (
	SpeakerHuman   = "human"
	SpeakerMachine = "machine"
)

// The offers.
const (
	OfferNone  = "none"
	OfferHint  = "hint"
	OfferHuman = "human"
)

// EscalateCall asks whether to offer help now. Asked means that the visitor
// asks for a human; that needs no consent, no score and no identifier.
type EscalateCall struct {
	AnonymousID string  `json:"anonymousId,omitempty"`
	UserID      string  `json:"userId,omitempty"`
	Page        PageRef `json:"page,omitzero"`
	Asked       bool    `json:"asked,omitempty"`
}

// EscalateAnswer is the offer. Scores stay in the decision record.
type EscalateAnswer struct {
	DecisionID string          `json:"decision_id"`
	Offer      string          `json:"offer"`          // none | hint | human
	Hint       string          `json:"hint,omitempty"` // filter | size_guide | search_help
	Channels   []string        `json:"channels,omitempty"`
	Token      string          `json:"token,omitempty"`
	ExpiresAt  *time.Time      `json:"expires_at,omitempty"`
	Speaker    string          `json:"speaker"`    // who speaks now: the machine
	Disclosure Disclosure      `json:"disclosure"` // and the words that say so (ESC-05)
	Reasons    []policy.Reason `json:"reasons"`
	Contact    config.Contact  `json:"contact"`
	OpensAt    *time.Time      `json:"opens_at,omitempty"` // when advisers are back, outside opening hours
}

// offer is one offer decision on its way.
type offer struct {
	*Flow
	now     time.Time
	asked   bool
	visitor *visitor
	page    PageRef
	pub     *published
	in      policy.EscalateInput
	need    *decide.Score
	seed    string // of the hold-out draw
	ppm     int64
	verdict policy.EscalateVerdict
	result  policy.Result
}

// Escalate decides whether to offer help. The decision record is durable before
// the answer, and the consent that it rests on was still current when the
// profile took note of the offer.
func (f *Flow) Escalate(ctx context.Context, call EscalateCall, c Caller) (EscalateAnswer, error) {
	now := f.now()
	d, err := device(call.AnonymousID)
	if err != nil {
		return EscalateAnswer{}, err
	}
	a, err := c.account(call.UserID)
	if err != nil {
		return EscalateAnswer{}, err
	}
	if d.IsZero() && a.IsZero() && !call.Asked {
		return EscalateAnswer{}, invalid("anonymousId", "missing; only a visitor who asks needs none")
	}
	ctx = f.ahead(ctx, func() Ahead {
		return Ahead{Control: 4, Who: []Who{{d, a}}, Profile: true, Membership: true, Advisers: true}
	})
	v, err := f.visitor(ctx, d, a)
	if err != nil {
		return EscalateAnswer{}, err
	}
	for range moves {
		o := &offer{Flow: f, now: now, asked: call.Asked, visitor: v}
		if err := o.decide(ctx, call.Page); err != nil {
			return EscalateAnswer{}, err
		}
		err := o.note(ctx)
		if err == nil {
			return o.answer(ctx)
		}
		if !errors.Is(err, ErrMoved) {
			return EscalateAnswer{}, unavailable("noting an offer", err)
		}
		if v, err = f.again(ctx, v); err != nil {
			return EscalateAnswer{}, err
		}
	}
	return EscalateAnswer{}, unavailable("noting an offer", ErrMoved)
}

// note tells the profile that an offer is made, so that caps hold. Who is held
// out is noted too: both arms of the comparison then see the same caps. ErrMoved
// means that the consent changed meanwhile; nothing was noted.
func (o *offer) note(ctx context.Context) error {
	kind := profile.OfferedHuman
	switch {
	case !o.proactive(), o.verdict.Offer == OfferNone && !o.verdict.HeldOut:
		return nil
	case o.verdict.Offer == OfferHint:
		kind = profile.OfferedHint
	}
	s := o.visitor.subject()
	return o.host.UpdateProfile(ctx, s, o.visitor.given(), func(p profile.Profile) profile.Profile {
		p.Subject = s
		return p.Offered(kind, o.now)
	})
}

// answer records the decision and says it.
func (o *offer) answer(ctx context.Context) (EscalateAnswer, error) {
	r := o.record(o.now, decide.ActionEscalate, o.about(), o.verdict.Rules, o.result)
	r.Digests.Scorecard, r.Digests.Gain = o.pub.scorecardDigest, o.pub.gainDigest
	r.Need, r.Seed, r.PPM = o.need, o.seed, o.ppm
	if err := o.decided(ctx, &r); err != nil {
		return EscalateAnswer{}, err
	}
	if err := o.count(ctx, o.now, o.counts()...); err != nil {
		return EscalateAnswer{}, err
	}
	a := EscalateAnswer{
		DecisionID: r.ID, Offer: o.verdict.Offer, Hint: o.verdict.Hint, Speaker: SpeakerMachine, Disclosure: o.spoken(SpeakerMachine),
		Reasons: o.words(policy.EntryEscalate, o.verdict.Rules), Contact: o.cfg.Contact,
	}
	if next, ok := o.cfg.NextOpening(o.now); ok && !o.in.HoursOpen {
		a.OpensAt = &next
	}
	if a.Offer != OfferHuman {
		return a, nil
	}
	t := token{
		Decision: r.ID, Subject: o.visitor.subject(), Channels: o.verdict.Channels, Asked: o.asked, Page: o.page,
		Priority: o.in.Value, Offered: o.now, Expires: o.now.Add(o.cfg.Offers.TokenFor),
	}
	if o.visitor.proven {
		t.Account = o.visitor.account.Subject
	}
	a.Channels, a.ExpiresAt = t.Channels, &t.Expires
	var err error
	a.Token, err = o.keys.seal(t)
	return a, err
}

// about is the pseudonym that the decision record bears. Where the page could
// reveal something sensitive it is nobody's: a reason without a visitor is a
// count, with one it would be health data (SPC-01).
func (o *offer) about() consent.Subject {
	if o.in.Special {
		return consent.Subject{}
	}
	return o.visitor.of(consent.AdviserAssist, o.now)
}

func (o *offer) counts() []string {
	names := []string{"offer/" + o.verdict.Offer}
	if o.verdict.HeldOut {
		names = append(names, "offer/held_out")
	}
	if o.asked {
		names = append(names, "offer/asked")
	}
	return names
}
