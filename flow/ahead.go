package flow

import (
	"context"

	"github.com/handschlag/handschlag/consent"
)

// Foresight is what a host may have beside its promises where a read is a journey:
// it makes the reads of a call at once, before it is asked for them one by one.
//
// Reads stay inside of the call that they are for, and each is handed out once, so
// that whoever reads again sees what was written meanwhile. A host without it
// answers each question when it is asked.
type Foresight interface {
	// Ahead begins to read what a call will ask for and gives the context under
	// which it is handed out. What cannot be read is an error when it is asked for.
	Ahead(ctx context.Context, a Ahead) context.Context
}

// Ahead is what a call will ask for.
type Ahead struct {
	Control    int // how many questions about switches, the catalogue's version, the publication and who is in it
	Who        []Who
	Profile    bool // of each, and each state and link
	Membership bool
	Advisers   bool
	Prices     []PriceName
	Click      Click // the zero one is none
}

// Click names what a click on an offer leaves, as an earlier one may have done.
type Click struct{ Contact, Decision string }

// Who is whom a call names: a device, an account, or both.
type Who struct{ Device, Account consent.ID }

// PriceName names one price history.
type PriceName struct{ Product, Storefront, Channel, Currency string }

// ahead lets the host read ahead, if it can.
func (f *Flow) ahead(ctx context.Context, a func() Ahead) context.Context {
	if f.foresight == nil {
		return ctx
	}
	return f.foresight.Ahead(ctx, a())
}

// lookAhead reads ahead what judging a batch will ask for.
func (b *batch) lookAhead(ctx context.Context) context.Context {
	return b.ahead(ctx, func() Ahead {
		a := Ahead{Control: 2, Profile: true}
		seen := make(map[ids]bool, 1)
		for i := range b.items {
			who, _ := b.whose(b.items[i].raw)
			if !seen[who] {
				seen[who] = true
				a.Who = append(a.Who, Who{who.device, who.account})
			}
		}
		return a
	})
}
