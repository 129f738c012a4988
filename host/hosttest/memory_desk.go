package hosttest

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/price"
	"github.com/handschlag/handschlag/profile"
)

// OpenContact keeps the first contact of a token.
func (m *Memory) OpenContact(_ context.Context, c flow.Contact) (first flow.Contact, opened bool, err error) {
	err = m.write("OpenContact", func() error {
		m.mu.Lock()
		defer m.mu.Unlock()
		if id, ok := m.tokens[c.TokenKey]; ok {
			first = m.contacts[id]
			return nil
		}
		if _, ok := m.contacts[c.ID]; ok || c.ID == "" || c.TokenKey == "" {
			return fmt.Errorf("opening contact: id or token key is missing or used")
		}
		if m.erased[c.Subject] || m.erased[c.Account] {
			c.Subject, c.Account = consent.Subject{}, consent.Subject{}
		}
		m.tokens[c.TokenKey], m.contacts[c.ID] = c.ID, c
		first, opened = c, true
		return nil
	})
	if err != nil {
		return flow.Contact{}, false, err
	}
	return first, opened, nil
}

// Waiting lists the queue.
func (m *Memory) Waiting(context.Context) ([]flow.Contact, error) {
	if err := m.read("Waiting"); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []flow.Contact
	for _, c := range m.contacts {
		if c.AcceptedAt == nil && c.ClosedAt == nil {
			out = append(out, c)
		}
	}
	slices.SortFunc(out, func(a, b flow.Contact) int {
		return cmp.Or(cmp.Compare(b.Priority, a.Priority), a.OpenedAt.Compare(b.OpenedAt), cmp.Compare(a.ID, b.ID))
	})
	return out, nil
}

// Contact finds one.
func (m *Memory) Contact(_ context.Context, id string) (flow.Contact, error) {
	if err := m.read("Contact"); err != nil {
		return flow.Contact{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	c, ok := m.contacts[id]
	if !ok {
		return flow.Contact{}, fmt.Errorf("contact: %w", flow.ErrNotFound)
	}
	return c, nil
}

// ChangeContact holds the lock while change runs: change must not call the host.
func (m *Memory) ChangeContact(_ context.Context, id string, change func(flow.Contact) (flow.Contact, error)) (out flow.Contact, err error) {
	var own error
	err = m.write("ChangeContact", func() error {
		m.mu.Lock()
		defer m.mu.Unlock()
		was, ok := m.contacts[id]
		if !ok {
			own = fmt.Errorf("contact: %w", flow.ErrNotFound)
			return own
		}
		if out, own = change(was); own != nil {
			return own
		}
		out.ID, out.TokenKey = was.ID, was.TokenKey
		m.contacts[id] = out
		return nil
	})
	if own != nil {
		err = own
	}
	if err != nil {
		return flow.Contact{}, err
	}
	return out, nil
}

// PutAdviser keeps an adviser's word.
func (m *Memory) PutAdviser(_ context.Context, a flow.Adviser) error {
	return m.write("PutAdviser", func() error {
		m.mu.Lock()
		defer m.mu.Unlock()
		a.Busy, a.Channels = 0, slices.Clone(a.Channels)
		m.advisers[a.Name] = a
		return nil
	})
}

// AllAdvisers lists them by name with the contacts that keep them busy.
func (m *Memory) AllAdvisers(context.Context) ([]flow.Adviser, error) {
	if err := m.read("AllAdvisers"); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []flow.Adviser
	for _, name := range slices.Sorted(maps.Keys(m.advisers)) {
		a := m.advisers[name]
		for _, c := range m.contacts {
			if c.Adviser == name && c.AcceptedAt != nil && c.ClosedAt == nil {
				a.Busy++
			}
		}
		out = append(out, a)
	}
	return out, nil
}

// PutSwitch sets one.
func (m *Memory) PutSwitch(_ context.Context, s flow.Switch) error {
	return m.write("PutSwitch", func() error {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.switches[s.Name] = s
		return nil
	})
}

// AllSwitches lists those ever set.
func (m *Memory) AllSwitches(context.Context) (map[string]flow.Switch, error) {
	if err := m.read("AllSwitches"); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.switches), nil
}

// PutProducts replaces or adds.
func (m *Memory) PutProducts(_ context.Context, ps []event.Product) error {
	for _, p := range ps {
		if p.ID == "" {
			return fmt.Errorf("putting products: one has no id")
		}
	}
	return m.write("PutProducts", func() error {
		m.mu.Lock()
		defer m.mu.Unlock()
		for _, p := range ps {
			m.products[p.ID] = p
		}
		m.version++
		return nil
	})
}

// Product finds one.
func (m *Memory) Product(_ context.Context, id string) (event.Product, error) {
	if err := m.read("Product"); err != nil {
		return event.Product{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	p, ok := m.products[id]
	if !ok {
		return event.Product{}, fmt.Errorf("product: %w", flow.ErrNotFound)
	}
	return p, nil
}

// AllProducts lists them by id.
func (m *Memory) AllProducts(context.Context) ([]event.Product, error) {
	if err := m.read("AllProducts"); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.SortedFunc(maps.Values(m.products), func(a, b event.Product) int { return cmp.Compare(a.ID, b.ID) }), nil
}

// ProductsVersion counts PutProducts.
func (m *Memory) ProductsVersion(context.Context) (uint64, error) {
	if err := m.read("ProductsVersion"); err != nil {
		return 0, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.version, nil
}

// PutPrices merges all rows or none.
func (m *Memory) PutPrices(_ context.Context, rows []price.Interval) error {
	var own error
	err := m.write("PutPrices", func() error {
		m.mu.Lock()
		defer m.mu.Unlock()
		merged, err := price.Merge(m.prices, rows)
		if err != nil {
			own = err
			return err
		}
		m.prices = merged
		return nil
	})
	if own != nil {
		return own
	}
	return err
}

// PriceHistory reads one history.
func (m *Memory) PriceHistory(_ context.Context, product, storefront, channel, currency string) ([]price.Interval, error) {
	if err := m.read("PriceHistory"); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []price.Interval
	for _, i := range m.prices {
		if i.Product == product && i.Storefront == storefront && i.Channel == channel && i.Currency == currency {
			out = append(out, i)
		}
	}
	return out, nil
}

// Publish replaces what the last night published.
func (m *Memory) Publish(_ context.Context, p flow.Publication, members *profile.Members) error {
	return m.write("Publish", func() error {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.night, m.members = p, maps.Collect(members.All())
		drop(m.members, func(s consent.Subject, _ profile.Membership) bool { return m.erased[s] })
		return nil
	})
}

// Published reads it.
func (m *Memory) Published(context.Context) (flow.Publication, error) {
	if err := m.read("Published"); err != nil {
		return flow.Publication{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.night, nil
}

// Membership reads one subject's.
func (m *Memory) Membership(_ context.Context, s consent.Subject) (profile.Membership, error) {
	if err := m.read("Membership"); err != nil {
		return profile.Membership{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.members[s], nil
}

// Exports is what WithExports said.
func (m *Memory) Exports(context.Context) fs.FS { return m.exports }
