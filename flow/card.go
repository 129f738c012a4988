package flow

import (
	"context"
	"slices"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/policy"
	"github.com/handschlag/handschlag/profile"
)

// CardAnswer is what an adviser may see of a contact. Every block is there: one
// that must not be shown says why, and how to ask for it (R22, R23).
type CardAnswer struct {
	DecisionID string               `json:"decision_id"`
	ContactID  string               `json:"contact_id"`
	Channel    string               `json:"channel"`
	OpenedAt   time.Time            `json:"opened_at"`
	Page       PageRef              `json:"page"`
	JoinURL    string               `json:"join_url"`
	Blocks     map[string]CardBlock `json:"blocks"`              // orders cart searches products question
	Callback   *Callback            `json:"callback,omitempty"`  // shown with the question it came with
	Recording  *Recording           `json:"recording,omitempty"` // who agreed, and whether it runs
	MustStop   bool                 `json:"must_stop,omitempty"` // a recording runs, and the visitor's yes is gone (ESC-06)
}

// CardBlock is one block of a card.
type CardBlock struct {
	Shown   bool            `json:"shown"`
	Data    any             `json:"data,omitempty"`
	Reasons []policy.Reason `json:"reasons,omitempty"` // why it is hidden
	Ask     *CardAsk        `json:"ask,omitempty"`     // how to ask the visitor for it
}

// CardAsk is what the adviser may ask the visitor to allow, in words.
type CardAsk struct {
	Purpose consent.Purpose `json:"purpose"`
	De      string          `json:"de"`
	En      string          `json:"en"`
}

// CardCart is the basket as the adviser sees it.
type CardCart struct {
	Items      []event.Item `json:"items"`
	TotalCents int64        `json:"total_cents"`
}

// CardProducts are products looked at and compared, in order.
type CardProducts struct {
	Viewed   []profile.Viewed `json:"viewed"`
	Compared [][2]string      `json:"compared"`
}

// cardBlocks are the blocks that rest on adviser_assist; the question rests on
// the case that the visitor opened.
var cardBlocks = []string{"orders", "cart", "searches", "products"}

// askFor are the words with which an adviser asks for hidden blocks.
var askFor = CardAsk{
	Purpose: consent.AdviserAssist,
	De:      "Darf ich sehen, was Sie sich angesehen, gesucht und bestellt haben? Sie können das in den Datenschutz-Einstellungen freigeben und jederzeit zurücknehmen.",
	En:      "May I see what you looked at, searched for and ordered? You can allow it in the privacy settings and take it back at any time.",
}

// Card shows an adviser an accepted contact. Each look is a decision record; a
// closed contact, or somebody else's, is a 403 that is recorded too.
func (f *Flow) Card(ctx context.Context, contactID string, c Caller) (CardAnswer, error) {
	who, err := c.staff(RoleAdviser)
	if err != nil {
		return CardAnswer{}, err
	}
	now := f.now()
	k, err := f.host.Contact(ctx, contactID)
	if err != nil {
		return CardAnswer{}, found("contact", "contact_unknown", err)
	}
	v, err := f.party(ctx, k)
	if err != nil {
		return CardAnswer{}, err
	}
	in := policy.CardInput{
		Role: who.Role, Open: k.ClosedAt == nil, Assigned: k.AcceptedAt != nil && k.Adviser == who.Name,
		Blocks: map[string]policy.ConsentFact{"question": v.fact(consent.AdviserCase, now)}, Fields: append([]string{"question"}, cardBlocks...),
	}
	fact := v.fact(consent.AdviserAssist, now)
	if fact.Status.Valid() && v.rests(consent.AdviserAssist) {
		fact.Status = consent.Unknown // RGT-07
	}
	data := map[string]any{"question": k.Question}
	if in.Open && in.Assigned {
		if in.Special, err = f.trail(ctx, &k, v, fact, now, data); err != nil {
			return CardAnswer{}, err
		}
	}
	for _, b := range cardBlocks {
		in.Blocks[b] = fact
	}
	about := k.Subject
	if in.Special { // a record that knows of it leads to nobody
		about = consent.Subject{}
		for b, fact := range in.Blocks {
			fact.RecordID = ""
			in.Blocks[b] = fact
		}
	}
	verdict, res, err := f.rules.Card(ctx, in)
	if err != nil {
		return CardAnswer{}, unavailable("judging a card", err)
	}
	r := f.record(now, decide.ActionCard, about, verdict.Rules, res)
	r.Actor = who.actor()
	if err := f.decided(ctx, &r); err != nil {
		return CardAnswer{}, err
	}
	if !verdict.Allowed {
		return CardAnswer{}, closedCard(in)
	}
	a := f.card(k, in, verdict, data, r.ID)
	a.MustStop = k.Recording != nil && k.Recording.On && (!v.fact(consent.RecordingAV, now).Status.Valid() || v.restricted())
	return a, nil
}

func closedCard(in policy.CardInput) error {
	if !in.Open {
		return forbidden("card_closed", "contact: it was closed, and its card with it")
	}
	return forbidden("card_not_yours", "contact: accept it first")
}

// party reads the states of a contact's two sides again.
func (f *Flow) party(ctx context.Context, k Contact) (*visitor, error) {
	device := k.Subject
	if device == k.Account {
		device = consent.Subject{}
	}
	return f.known(ctx, device, k.Account, !device.IsZero())
}

func (f *Flow) card(k Contact, in policy.CardInput, verdict policy.CardVerdict, data map[string]any, decision string) CardAnswer {
	a := CardAnswer{
		DecisionID: decision, ContactID: k.ID, Channel: k.Channel, OpenedAt: k.OpenedAt, Page: k.Page, JoinURL: k.JoinURL,
		Blocks: map[string]CardBlock{},
	}
	if slices.Contains(verdict.Shown, "question") {
		a.Callback, a.Recording = k.Callback, k.Recording
	}
	for _, b := range in.Fields {
		switch {
		case slices.Contains(verdict.Shown, b):
			a.Blocks[b] = CardBlock{Shown: true, Data: data[b]}
		case in.Special: // to name the rule, or to offer to ask, would give away that there is something
			a.Blocks[b] = CardBlock{Reasons: f.words(policy.EntryCard, []string{"ESC-04"})}
		default:
			ask := askFor
			a.Blocks[b] = CardBlock{Reasons: f.words(policy.EntryCard, verdict.Hidden[b]), Ask: &ask}
		}
	}
	return a
}

// trail reads what the profile remembers for the card, if its consent is in force
// and no older than it may be used. It reports whether a product or search on the
// card could reveal something sensitive (ESC-04); such a page is taken off k.
func (f *Flow) trail(ctx context.Context, k *Contact, v *visitor, fact policy.ConsentFact, now time.Time, data map[string]any) (special bool, err error) {
	cat, err := f.catalogue(ctx)
	if err != nil {
		return false, err
	}
	hidden := func(id string) bool {
		x, ok := cat.Product(id)
		sensitive := ok && v.sensitive(cat, x, now)
		special = special || sensitive
		return !ok || sensitive
	}
	if k.Page.ProductID != "" && hidden(k.Page.ProductID) {
		k.Page.ProductID = ""
	}
	if !fact.Status.Valid() || !fact.ProofComplete {
		return special, nil
	}
	p, err := f.host.Profile(ctx, k.Subject)
	if err != nil {
		return false, unavailable("reading profile", err)
	}
	t := p.Fresh(now).Trail()
	lines := func(items []event.Item) []event.Item {
		return slices.DeleteFunc(append([]event.Item{}, items...), func(i event.Item) bool { return hidden(i.Product) })
	}
	orders := append([]profile.Order{}, t.Orders...)
	for i := range orders {
		orders[i].Items = lines(orders[i].Items)
	}
	cart := CardCart{Items: lines(t.Basket)}
	for _, i := range cart.Items {
		cart.TotalCents += i.Quantity * i.PriceCents
	}
	data["orders"], data["cart"] = orders, cart
	data["searches"] = slices.DeleteFunc(append([]profile.Search{}, t.Searches...), func(s profile.Search) bool {
		gave := v.gaveAway(cat, s.Words, now)
		special = special || gave
		return gave
	})
	data["products"] = CardProducts{
		Viewed:   slices.DeleteFunc(append([]profile.Viewed{}, t.Viewed...), func(x profile.Viewed) bool { return hidden(x.Product) }),
		Compared: slices.DeleteFunc(append([][2]string{}, t.Compared...), func(x [2]string) bool { return hidden(x[0]) || hidden(x[1]) }),
	}
	return special, nil
}

// gaveAway reports search words with a sensitive tag without explicit consent.
func (v *visitor) gaveAway(cat event.Catalogue, words []string, now time.Time) bool {
	for _, w := range words {
		for _, tag := range cat.TextTags(w) {
			if !v.explicit(tag, now) {
				return true
			}
		}
	}
	return false
}
