package flow

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/policy"
)

// Desk is where a hand-over goes.
type Desk interface {
	// Send hands a contact to the people who answer it and gives the visitor's
	// link. Flow calls it once per contact; after a crash, or when two processes
	// take the same click, it may call again with the same contact id, and a desk
	// must treat that as the same hand-over.
	Send(ctx context.Context, c Contact) (joinURL string, err error)
}

// LinkDesk is a desk that sends nothing: what waits is the contact itself, and the link
// follows from it. Flow then keeps the contact with its link at once.
type LinkDesk interface {
	Desk
	Link(c Contact) (joinURL string)
}

// HandoverCall is the visitor's click on an offer.
type HandoverCall struct {
	Token    string `json:"token"`
	Channel  string `json:"channel"`
	Question string `json:"question,omitempty"` // the visitor's own words, at most 2,000 characters

	Callback *Callback `json:"callback,omitempty"` // the visitor asks to be called (ESC-07)
}

// HandoverAnswer is where the visitor meets the human (201).
type HandoverAnswer struct {
	ContactID  string         `json:"contact_id"`
	JoinURL    string         `json:"join_url"`
	DecisionID string         `json:"decision_id"`
	Speaker    string         `json:"speaker"`    // human; machine where a bot answers the channel first
	Disclosure Disclosure     `json:"disclosure"` // and the words that say so (ESC-05)
	Contact    config.Contact `json:"contact"`
}

// Handover turns one click into one contact. The same token always gives the
// same contact: a double click is answered as the first one was. The decision
// record of a hand-over has the contact's id.
func (f *Flow) Handover(ctx context.Context, call HandoverCall, _ Caller) (HandoverAnswer, error) {
	now := f.now()
	t, ok := f.keys.open(call.Token)
	if !ok {
		return HandoverAnswer{}, &Fault{Status: 422, Code: "token_invalid", Detail: "token: not one of ours"}
	}
	if utf8.RuneCountInString(call.Question) > 2000 || !utf8.ValidString(call.Question) {
		return HandoverAnswer{}, invalid("question", "want at most 2,000 characters of text")
	}
	callback, err := call.Callback.checked()
	if err != nil {
		return HandoverAnswer{}, err
	}
	key, id := f.keys.contact(t)
	ctx = f.ahead(ctx, func() Ahead { return Ahead{Control: 1, Click: Click{Contact: id, Decision: id}} })
	speaker, _ := f.answerer(call.Channel)
	stripe, _ := strconv.ParseUint(key[:2], 16, 8) // key is hex: its first byte, not its first letter
	lock := &f.clicks[stripe%uint64(len(f.clicks))]
	lock.Lock()
	defer lock.Unlock()

	c, err := f.host.Contact(ctx, id)
	switch {
	case err == nil && c.JoinURL != "":
		return f.handed(c), nil
	case err != nil && !errors.Is(err, ErrNotFound):
		return HandoverAnswer{}, unavailable("reading a contact", err)
	case err != nil: // the first click
		c = Contact{
			ID: id, TokenKey: key, Subject: t.Subject, Account: t.Account, Decision: t.Decision, Channel: call.Channel, Page: t.Page,
			Question: strings.TrimSpace(call.Question), Priority: t.Priority, Speaker: speaker, OpenedAt: now,
			Callback: callback, Suggested: !t.Asked,
		}
		if c, err = f.click(ctx, t, c, now); err != nil {
			return HandoverAnswer{}, err
		}
	}
	if c.JoinURL != "" {
		return f.handed(c), nil
	}
	return f.send(ctx, c)
}

// click judges a first click and makes its record and its contact durable. It gives
// the contact that is kept: of two clicks at once, the first one's.
func (f *Flow) click(ctx context.Context, t token, c Contact, now time.Time) (Contact, error) {
	on, err := f.on(ctx, SwitchOffers)
	if err != nil {
		return c, err
	}
	in := policy.HandoverInput{
		TokenValid: now.Before(t.Expires), Asked: t.Asked, SwitchOn: on, Channel: f.channel(c.Channel), Offered: t.Channels,
		Open: slices.Clone(f.openChannels(now)),
	}
	if in.Open == nil {
		in.Open = []string{}
	}
	speaker, says := f.answerer(in.Channel)
	d := f.cfg.Offers.Desks[in.Channel]
	in.ThirdParty, in.Preloaded = d.ThirdParty(), d.ThirdParty() && d.Preload
	in.Bot, in.Disclosed = speaker == SpeakerMachine, says.whole()
	verdict, res, err := f.rules.Handover(ctx, in)
	if err != nil {
		return c, unavailable("judging a hand-over", err)
	}
	r := f.record(now, decide.ActionHandover, t.Subject, verdict.Rules, res)
	if verdict.Allowed {
		r.ID = c.ID
	}
	if err := f.decidedOnce(ctx, &r); err != nil {
		return c, err
	}
	if !verdict.Allowed {
		return c, refusedClick(in, verdict.Rules)
	}
	if l, is := f.desk.(LinkDesk); is {
		c.JoinURL = l.Link(c)
	}
	kept, _, err := f.host.OpenContact(ctx, c)
	if err != nil {
		return c, unavailable("opening a contact", err)
	}
	return kept, f.count(ctx, now, "contact/opened/"+c.Channel)
}

// channel keeps a channel's name for the record only if it is one.
func (f *Flow) channel(name string) string {
	if slices.Contains(f.cfg.Offers.Channels, name) {
		return name
	}
	return ""
}

// decidedOnce writes a record whose id may have been written by an earlier try.
func (f *Flow) decidedOnce(ctx context.Context, r *decide.Record) error {
	if _, err := f.host.Decision(ctx, r.ID); err == nil {
		return nil
	} else if !errors.Is(err, ErrNotFound) {
		return unavailable("reading a decision record", err)
	}
	return f.decided(ctx, r)
}

// refusedClick says which field of a click made it fail.
func refusedClick(in policy.HandoverInput, rules []string) error {
	because := "refused by " + strings.Join(rules, ", ")
	switch {
	case !in.TokenValid:
		return &Fault{Status: 422, Code: "token_expired", Detail: "token: " + because}
	case !slices.Contains(in.Offered, in.Channel):
		return &Fault{Status: 422, Code: "channel_not_offered", Detail: "channel: " + because}
	case !slices.Contains(in.Open, in.Channel):
		return conflict("channel_closed", "channel: %s", because)
	}
	return forbidden("handover_refused", "token: %s", because)
}

// send gives the contact to the desk, once, and keeps the visitor's link.
func (f *Flow) send(ctx context.Context, c Contact) (HandoverAnswer, error) {
	url, err := f.desk.Send(ctx, c)
	if err != nil {
		return HandoverAnswer{}, unavailable("handing over", err)
	}
	c, err = f.host.ChangeContact(ctx, c.ID, func(c Contact) (Contact, error) {
		c.JoinURL = url
		return c, nil
	})
	if err != nil {
		return HandoverAnswer{}, unavailable("keeping the visitor's link", err)
	}
	return f.handed(c), nil
}

func (f *Flow) handed(c Contact) HandoverAnswer {
	says := f.spoken(SpeakerHuman)
	if c.Speaker == SpeakerMachine {
		says = f.spoken("bot")
	}
	return HandoverAnswer{ContactID: c.ID, JoinURL: c.JoinURL, DecisionID: c.ID, Speaker: c.Speaker, Disclosure: says, Contact: f.cfg.Contact}
}
