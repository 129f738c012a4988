package flow

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/policy"
	"github.com/handschlag/handschlag/price"
)

// SignOff is a person who stands for price moves beyond the shop's own limits.
// The name is that of staff; it stands in the decision record.
type SignOff struct {
	By     string `json:"by"`
	Reason string `json:"reason"`
}

// limits are the guard's, as the rules see them.
func (f *Flow) limits() policy.MoveLimits {
	g := f.cfg.Prices.Guard
	return policy.MoveLimits{DropBP: g.MaxDropBP, RiseBP: g.MaxRiseBP, MovesDay: g.MaxMovesDay}
}

// guarded holds the moves of a feed against the shop's limits. What is beyond one is
// refused, all or none, unless somebody signed it off; either way it is a decision
// with a record.
func (f *Flow) guarded(ctx context.Context, moves []price.Move, by *SignOff, now time.Time) error {
	limits := f.limits()
	if limits == (policy.MoveLimits{}) {
		return nil
	}
	if by != nil && (strings.TrimSpace(by.By) == "" || strings.TrimSpace(by.Reason) == "") {
		return invalid("signed_off", "want by, the name of a person, and reason")
	}
	var records []*decide.Record
	var held []string
	for _, m := range moves {
		v, res, err := f.rules.Move(ctx, policy.MoveInput{Move: m, Limits: limits, SignedOff: by != nil})
		if err != nil {
			return unavailable("judging a price move", err)
		}
		if len(v.Rules) == 0 {
			continue
		}
		r := f.moved(now, v, res, by)
		records = append(records, &r)
		if !v.Allowed {
			held = append(held, fmt.Sprintf("%s from %d to %d cents at %s (%s)", m.Product, m.WasCents, m.NowCents, m.At.Format(time.RFC3339), strings.Join(v.Rules, ", ")))
		}
	}
	if err := f.decidedAll(ctx, records); err != nil {
		return err
	}
	if len(held) > 0 {
		return invalid("prices", "%d moves pass the shop's own limits: %s; send signed_off with by and reason to store them all the same", len(held), named3(held))
	}
	return nil
}

func (f *Flow) moved(now time.Time, v policy.MoveVerdict, res policy.Result, by *SignOff) decide.Record {
	r := f.record(now, decide.ActionMove, consent.Subject{}, v.Rules, res)
	if by != nil {
		r.Actor = "ops:" + by.By + ": " + by.Reason
	}
	return r
}

// named3 names the first three of a list and counts the rest.
func named3(list []string) string {
	if len(list) <= 3 {
		return strings.Join(list, "; ")
	}
	return strings.Join(list[:3], "; ") + fmt.Sprintf("; and %d more", len(list)-3)
}

// movesOf tries the merge history by history, so that a row that contradicts what
// is stored is the sender's fault and not the store's, and gives the moves that the
// rows make.
func (f *Flow) movesOf(ctx context.Context, rows []price.Interval) ([]price.Move, error) {
	type key struct{ product, storefront, channel, currency string }
	byKey := map[key][]price.Interval{}
	for _, r := range rows {
		k := key{r.Product, r.Storefront, r.Channel, r.Currency}
		byKey[k] = append(byKey[k], r)
	}
	var out []price.Move
	for k, own := range byKey {
		history, err := f.host.PriceHistory(ctx, k.product, k.storefront, k.channel, k.currency)
		if err != nil {
			return nil, unavailable("reading price history", err)
		}
		moves, err := price.Moves(history, own)
		if err != nil {
			return nil, invalid("prices", "%v", err)
		}
		out = append(out, moves...)
	}
	slices.SortFunc(out, func(a, b price.Move) int {
		return strings.Compare(a.Product+"\x00"+a.Storefront+"\x00"+a.Channel+a.At.Format(time.RFC3339Nano), b.Product+"\x00"+b.Storefront+"\x00"+b.Channel+b.At.Format(time.RFC3339Nano))
	})
	return out, nil
}

// OrderKey is what an order's id is stored as: with it the shop finds its own
// orders again in the night's lists.
func (f *Flow) OrderKey(id string) int64 { return f.keys.value("order", id) }

// AccountKnown gives an account's pseudonym, the zero Subject if it has none.
func (f *Flow) AccountKnown(ctx context.Context, userID string) (consent.Subject, error) {
	id, err := consent.NewID(consent.Account, userID)
	if err != nil {
		return consent.Subject{}, fmt.Errorf("reading account: %w", err)
	}
	return f.find(ctx, id)
}
