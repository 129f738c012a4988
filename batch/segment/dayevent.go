package segment

import (
	"context"

	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/policy"
)

// event takes the i-th event of a block in, if the gate lets it.
func (w *dayWalk) event(ctx context.Context, b *block, i, cases, to, items int) error {
	e := entry{purposes: b.purposes[i], cases: b.cases[cases:to], keeps: b.keeps[cases:to], occurred: b.occurred[i], received: b.received[i]}
	e.tags = b.words.asProduct[b.product[i]]
	if b.category != nil {
		e.tags |= b.words.asCategory[b.category[i]]
	}
	lines := b.itemProduct[items : items+int(b.lines[i])]
	for _, p := range lines {
		e.tags |= b.words.asProduct[p]
	}
	keep, tag, c, ok, err := w.door.admit(ctx, &w.fact, &e)
	if err != nil || !ok {
		return err
	}
	r := &w.out
	r.saw(e.occurred)
	if c.GPC {
		r.GPC++
	}
	if c.DNT {
		r.DNT++
	}
	if tag != policy.TagNone {
		r.SpecialEvents++
	}
	w.acts = append(w.acts, act{})
	a := &w.acts[len(w.acts)-1]
	total := b.act(a, i, keep, items)
	class := b.class[i]
	if !keep.Has(event.FieldProductClass) {
		class = 0
	}
	var key int64
	if keep.Has(event.FieldOrder) {
		key = b.orderKey[i]
	}
	r.did(a, class >= firstPremium && class <= lastPremium, key, total)
	return nil
}

// act narrows the i-th event to the fields that may be kept. total is what its order
// is worth: the value that was told, or the lines'.
func (b *block) act(a *act, i int, keep event.FieldSet, items int) (total int64) {
	*a = act{at: b.occurred[i], kind: event.Kind(b.kinds[i]), own: true, results: -1}
	if keep.Has(event.FieldProduct) {
		a.product = b.product[i]
	}
	if keep.Has(event.FieldVariant) {
		a.variant = b.variant[i]
	}
	if keep.Has(event.FieldPrice) {
		a.price = b.price[i]
	}
	if keep.Has(event.FieldQuantity) {
		a.quantity = b.quantity[i]
	}
	if keep.Has(event.FieldQueryKey) {
		a.query = b.query[i]
	}
	if keep.Has(event.FieldQueryExact) {
		a.exact = b.exact[i]
	}
	if keep.Has(event.FieldResults) {
		a.results = b.results[i]
	}
	if keep.Has(event.FieldDwell) {
		a.dwell = b.dwell[i]
	}
	if h := b.hour[i]; keep.Has(event.FieldHourBand) && h >= firstHour && h <= lastHour {
		a.hour = int8(h-firstHour) + 1
	}
	if keep.Has(event.FieldCart) {
		a.cart = b.cart[i]
	}
	if keep.Has(event.FieldItems) {
		total = b.basket(a, items, items+int(b.lines[i]))
	}
	if a.cart > 0 {
		total = a.cart
	}
	return total
}

// basket sums a cart's lines up: bounded for the session, as told for the order.
func (b *block) basket(a *act, from, to int) (total int64) {
	a.lines = to > from
	for j := from; j < to; j++ {
		units := min(max(1, b.itemQuantity[j]), 1000)
		a.units += units
		a.cents += units * boundedCents(b.itemPrices[j])
		total += max(1, b.itemQuantity[j]) * b.itemPrices[j]
	}
	return total
}
