package local

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/price"
	"github.com/handschlag/handschlag/profile"
)

// PutProducts replaces or adds products in one batch.
func (h *Host) PutProducts(_ context.Context, ps []event.Product) error {
	h.shop.Lock()
	defer h.shop.Unlock()
	version := h.products.Load() + 1
	err := h.save(func(b *pebble.Batch) error {
		for _, p := range ps {
			v, err := json.Marshal(p)
			if p.ID == "" {
				err = errors.New("a product has no id")
			}
			if err = errors.Join(err, b.Set(key(tabProduct, []byte(p.ID)), v, nil)); err != nil {
				return err
			}
		}
		return b.Set(meta(metaProducts), u64(version), nil)
	})
	if err != nil {
		return fmt.Errorf("putting products: %w", err)
	}
	h.products.Store(version)
	return nil
}

// Product finds one.
func (h *Host) Product(_ context.Context, id string) (p event.Product, err error) {
	if err := getJSON(h.db, key(tabProduct, []byte(id)), &p); err != nil {
		return event.Product{}, fmt.Errorf("product: %w", err)
	}
	return p, nil
}

// AllProducts lists them by id.
func (h *Host) AllProducts(context.Context) (out []event.Product, err error) {
	err = productsIn(h.db, func(p event.Product) error { out = append(out, p); return nil })
	return out, err
}

func productsIn(r pebble.Reader, do func(event.Product) error) error {
	return under(r, []byte{tabProduct}, func(_, v []byte) error {
		var p event.Product
		if err := json.Unmarshal(v, &p); err != nil {
			return fmt.Errorf("unreadable product: %w", err)
		}
		return do(p)
	})
}

// ProductsVersion counts PutProducts.
func (h *Host) ProductsVersion(context.Context) (uint64, error) { return h.products.Load(), nil }

// historyKey ends each part, so that no two histories share a key.
func historyKey(product, storefront, channel, currency string) []byte {
	k := []byte{tabPrice}
	for _, part := range []string{product, storefront, channel, currency} {
		k = append(binary.AppendUvarint(k, uint64(len(part))), part...)
	}
	return k
}

// PutPrices merges all rows in one batch, or none.
func (h *Host) PutPrices(_ context.Context, rows []price.Interval) error {
	h.shop.Lock()
	defer h.shop.Unlock()
	added := map[string][]price.Interval{}
	for _, r := range rows {
		k := string(historyKey(r.Product, r.Storefront, r.Channel, r.Currency))
		added[k] = append(added[k], r)
	}
	err := h.save(func(b *pebble.Batch) error {
		for k, rows := range added {
			was, err := h.history([]byte(k))
			if err != nil {
				return err
			}
			merged, err := price.Merge(was, rows)
			if err != nil {
				return err
			}
			v, err := json.Marshal(merged)
			if err = errors.Join(err, b.Set([]byte(k), v, nil)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("putting prices: %w", err)
	}
	return nil
}

// PriceHistory gives one history in time order.
func (h *Host) PriceHistory(_ context.Context, product, storefront, channel, currency string) ([]price.Interval, error) {
	return h.history(historyKey(product, storefront, channel, currency))
}

func (h *Host) history(k []byte) (out []price.Interval, err error) {
	if err := getJSON(h.db, k, &out); err != nil && !errors.Is(err, flow.ErrNotFound) {
		return nil, fmt.Errorf("price history: %w", err)
	}
	return out, nil
}

// published is the publication in force and its number, under which its
// memberships lie.
type published struct {
	Number      uint64           `json:"number"`
	Publication flow.Publication `json:"publication"`
}

// Publish writes memberships under a new number, then publication, pointer and
// the removal of the old ones in one synced batch. A crash before leaves members
// of a number that nobody points at; the next Publish removes them.
//
// What the night has seen and nobody may keep any longer goes then (Retain).
func (h *Host) Publish(_ context.Context, p flow.Publication, members *profile.Members) error {
	if err := h.publish(p, members); err != nil {
		return err
	}
	if err := h.retain(p.AsOf); err != nil {
		h.opts.Log.Error("letting go of what is past its time failed; the next night tries again", "err", err)
	}
	return nil
}

func (h *Host) publish(p flow.Publication, members *profile.Members) error {
	h.shop.Lock()
	defer h.shop.Unlock()
	next := published{h.night.Load().Number + 1, p}
	err := h.commit(pebble.NoSync, func(b *pebble.Batch) error {
		return b.DeleteRange(key(tabMember, u64(next.Number)), []byte{tabMember + 1}, nil)
	})
	for part := range members.Chunks(10_000) { // so that no batch grows without bound
		err = errors.Join(err, h.commit(pebble.NoSync, func(b *pebble.Batch) error { return h.putMembers(b, next.Number, part) }))
	}
	v, e := json.Marshal(next)
	if err = errors.Join(err, e); err != nil {
		return fmt.Errorf("publishing: %w", err)
	}
	if err = h.save(func(b *pebble.Batch) error { return b.Set(meta(metaNight), v, nil) }); err != nil {
		return fmt.Errorf("publishing: %w", err)
	}
	h.night.Store(&next)
	err = h.commit(pebble.NoSync, func(b *pebble.Batch) error { // not earlier: a reader may still look for the old ones
		return b.DeleteRange([]byte{tabMember}, key(tabMember, u64(next.Number)), nil)
	})
	if err != nil {
		h.opts.Log.Error("removing the last night's memberships failed; the next night tries again", "err", err)
	}
	return nil
}

// putMembers leaves out whoever was erased while the night was at it.
func (h *Host) putMembers(b *pebble.Batch, number uint64, members *profile.Members) error {
	for s, m := range members.All() {
		if h.buried(s) {
			continue
		}
		v, err := json.Marshal(m)
		if err = errors.Join(err, b.Set(key(tabMember, u64(number), s[:]), v, nil)); err != nil {
			return err
		}
	}
	return nil
}

// Published gives the publication in force.
func (h *Host) Published(context.Context) (flow.Publication, error) {
	return h.night.Load().Publication, nil
}

// Membership gives a subject's segments under the publication in force. If a
// night replaced it while we were looking, it looks again.
func (h *Host) Membership(_ context.Context, s consent.Subject) (m profile.Membership, err error) {
	for {
		n := h.night.Load().Number
		err = getJSON(h.db, key(tabMember, u64(n), s[:]), &m)
		if errors.Is(err, flow.ErrNotFound) {
			m, err = profile.Membership{}, nil
		}
		if err != nil || h.night.Load().Number == n {
			return m, err
		}
	}
}

// openShop reads the catalogue's version and the publication.
func (h *Host) openShop() error {
	v, err := get(h.db, meta(metaProducts))
	if err != nil {
		return err
	}
	if len(v) == 8 {
		h.products.Store(binary.BigEndian.Uint64(v))
	}
	var n published
	if err := getJSON(h.db, meta(metaNight), &n); err != nil && !errors.Is(err, flow.ErrNotFound) {
		return err
	}
	h.night.Store(&n)
	return nil
}
