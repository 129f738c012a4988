package flow

import (
	"context"
	"reflect"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/consent/signal"
	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/policy"
)

// whose says which identifiers of an event count. A userId without its account's
// credential is dropped: the event is the device's alone. link is true if the
// event would tie a device to an account (identify, alias).
func (b *batch) whose(raw event.Raw) (who ids, link bool) {
	who.device = raw.Device()
	if user := raw.User(); b.caller.Server {
		who.account = user
	} else if user.IsZero() || user == b.caller.Account {
		who.account = b.caller.Account
	}
	switch raw.Kind() {
	case event.Alias:
		if previous := raw.PreviousID(); !previous.IsZero() {
			who.device = previous
		}
	case event.Identify:
	default:
		return who, false
	}
	return who, !who.device.IsZero() && (!raw.User().IsZero() || !who.account.IsZero())
}

// visitor looks somebody up once per batch.
func (b *batch) visitor(ctx context.Context, who ids) (*visitor, error) {
	if v, ok := b.crowd[who]; ok {
		return v, nil
	}
	v, err := b.Flow.visitor(ctx, who.device, who.account)
	if err != nil {
		return nil, err
	}
	v.bind(b.now)
	b.crowd[who] = v
	return v, nil
}

// circumstances are the facts about an event that are not in it.
func (b *batch) circumstances(it *item) policy.Circumstances {
	v, raw := it.visitor, it.raw
	c := policy.Circumstances{
		Subject: v.subject(), Received: b.now, Occurred: raw.Occurred(b.now).UTC().Truncate(time.Millisecond),
		Standing:   v.stands,
		Unlinked:   it.link && !v.linkable(b.now),
		Restricted: v.restricted(), Objected: v.objects, Runs: v.runs, Age: v.age(b.cfg.ChildShop), SwitchedOff: !b.on, Trusted: b.caller.Server,
		RequireStamp: b.cfg.Events.RequireStamp,
		LateAfter:    b.cfg.Events.LateAfter, AheadAfter: b.cfg.Events.AheadAfter,
		SpecialConsent: v.explicits,
	}
	c.Stamp, c.StampPresent = b.stamp(raw)
	c.GPC, c.DNT = raw.Signals()
	c.GPC, c.DNT = c.GPC || b.gpc, c.DNT || b.dnt
	c.Coarse = raw.Coarse(b.products, b.keys.value, b.zone, v.explicits, c.Occurred)
	c.Coarse.Fields.Authenticated = !it.ids.account.IsZero()
	if f := &c.Coarse.Fields; f.Slot != "" && !b.configured(f.Slot, f.SlotVariant) {
		f.Slot, f.SlotVariant = "", "" // a pair of the sender's own could say anything
	}
	if !c.Subject.IsZero() {
		c.MessageKey = b.keys.message(c.Subject, raw.MessageID())
	}
	return c
}

// stamp is what the event itself says about consent, in Segment's or
// RudderStack's way. Where it says both, a no wins. An object that names no
// purpose we know is present and silent (SIG-10).
func (b *batch) stamp(raw event.Raw) (signal.Stamp, bool) {
	prefs, allowed, denied, present := raw.Consent()
	if !present {
		return nil, false
	}
	if len(allowed)+len(denied) == 0 {
		return b.segment(prefs), true
	}
	both := signal.Rudder(allowed, denied, b.cfg.Categories)
	if both == nil {
		both = signal.Stamp{}
	}
	for p, yes := range signal.Segment(prefs, b.cfg.Categories) {
		if was, said := both[p]; !said || was {
			both[p] = yes
		}
	}
	return both, true
}

// segment reads preferences, once for messages in a row that share them: the
// parser gives equal contexts of a batch as one map.
func (b *batch) segment(prefs map[string]any) signal.Stamp {
	same := reflect.ValueOf(prefs).Pointer()
	if b.prefs != same || b.said == nil {
		b.prefs, b.said, b.odd = same, signal.Segment(prefs, b.cfg.Categories), signal.Unknown(prefs, b.cfg.Categories)
	}
	if b.odd {
		b.unknown++
	}
	return b.said
}

// linkPurposes are those of which one must be in force on both sides of a link.
var linkPurposes = []consent.Purpose{consent.Analytics, consent.PersonalisationContent, consent.AdviserAssist}

// linkable reports whether the device may be tied to the account (CON-14): both
// known, the account proven, and one purpose in force on each side by itself.
func (v *visitor) linkable(now time.Time) bool {
	if !v.proven || v.device.Subject.IsZero() || v.account.Subject.IsZero() {
		return false
	}
	for _, p := range linkPurposes {
		if v.device.At(p, now).Status.Valid() && v.account.At(p, now).Status.Valid() {
			return true
		}
	}
	return false
}
