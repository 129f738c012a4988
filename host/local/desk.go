package local

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/flow"
)

// desk is the queue's part that every offer asks for: who is there and how busy.
// mu orders all changes; what is read lies in memory and is replaced whole, after
// the change is durable.
type desk struct {
	mu       sync.Mutex
	advisers map[string]flow.Adviser
	open     map[string]flow.Contact // not closed, by id
	switches atomic.Pointer[map[string]flow.Switch]
	listed   atomic.Pointer[[]flow.Adviser]
}

// openDesk reads advisers, open contacts and switches into memory.
func (h *Host) openDesk() error {
	h.desk.advisers, h.desk.open = map[string]flow.Adviser{}, map[string]flow.Contact{}
	switches := map[string]flow.Switch{}
	err := errors.Join(
		under(h.db, []byte{tabAdviser}, func(_, v []byte) error {
			var a flow.Adviser
			err := json.Unmarshal(v, &a)
			h.desk.advisers[a.Name] = a
			return err
		}),
		under(h.db, []byte{tabContact}, func(_, v []byte) error {
			var c flow.Contact
			err := json.Unmarshal(v, &c)
			if c.ClosedAt == nil {
				h.desk.open[c.ID] = c
			}
			return err
		}),
		under(h.db, []byte{tabSwitch}, func(_, v []byte) error {
			var s flow.Switch
			err := json.Unmarshal(v, &s)
			switches[s.Name] = s
			return err
		}))
	h.desk.switches.Store(&switches)
	h.desk.list()
	return err
}

// list counts anew who is busy with what.
func (d *desk) list() {
	busy := map[string]int{}
	for _, c := range d.open {
		if c.AcceptedAt != nil {
			busy[c.Adviser]++
		}
	}
	out := make([]flow.Adviser, 0, len(d.advisers))
	for _, name := range slices.Sorted(maps.Keys(d.advisers)) {
		a := d.advisers[name]
		a.Busy = busy[name]
		out = append(out, a)
	}
	d.listed.Store(&out)
}

// OpenContact keeps the first contact of a token key.
func (h *Host) OpenContact(_ context.Context, c flow.Contact) (flow.Contact, bool, error) {
	if c.ID == "" || c.TokenKey == "" {
		return flow.Contact{}, false, errors.New("opening contact: id or token key is missing")
	}
	h.desk.mu.Lock()
	defer h.desk.mu.Unlock()
	if h.buried(c.Subject) || h.buried(c.Account) { // by an offer from before the erasure
		c.Subject, c.Account = consent.Subject{}, consent.Subject{}
	}
	if id, err := get(h.db, key(tabToken, []byte(c.TokenKey))); err != nil {
		return flow.Contact{}, false, err
	} else if id != nil {
		first, err := h.contact(string(id))
		return first, false, err
	}
	if taken, err := get(h.db, key(tabContact, []byte(c.ID))); err != nil || taken != nil {
		return flow.Contact{}, false, errors.Join(fmt.Errorf("opening contact: id %q is used", c.ID), err)
	}
	if err := h.saveContact(c); err != nil {
		return flow.Contact{}, false, fmt.Errorf("opening contact: %w", err)
	}
	return c, true, nil
}

// saveContact makes a contact durable, then visible to those who ask for capacity.
func (h *Host) saveContact(c flow.Contact) error {
	v, err := json.Marshal(c)
	if err != nil {
		return err
	}
	err = h.save(func(b *pebble.Batch) error {
		return errors.Join(b.Set(key(tabContact, []byte(c.ID)), v, nil), b.Set(key(tabToken, []byte(c.TokenKey)), []byte(c.ID), nil))
	})
	if err != nil {
		return err
	}
	if h.desk.open[c.ID] = c; c.ClosedAt != nil {
		delete(h.desk.open, c.ID)
	}
	h.desk.list()
	return nil
}

// Waiting lists open, unaccepted contacts.
func (h *Host) Waiting(context.Context) ([]flow.Contact, error) {
	h.desk.mu.Lock()
	defer h.desk.mu.Unlock()
	var out []flow.Contact
	for _, c := range h.desk.open {
		if c.AcceptedAt == nil {
			out = append(out, c)
		}
	}
	slices.SortFunc(out, func(a, b flow.Contact) int {
		return cmp.Or(cmp.Compare(b.Priority, a.Priority), a.OpenedAt.Compare(b.OpenedAt), cmp.Compare(a.ID, b.ID))
	})
	return out, nil
}

// Contact finds one.
func (h *Host) Contact(_ context.Context, id string) (flow.Contact, error) { return h.contact(id) }

func (h *Host) contact(id string) (c flow.Contact, err error) {
	if err := getJSON(h.db, key(tabContact, []byte(id)), &c); err != nil {
		return flow.Contact{}, fmt.Errorf("contact: %w", err)
	}
	return c, nil
}

// ChangeContact orders all changes of contacts: change must not call the host.
// Id and token key stay.
func (h *Host) ChangeContact(_ context.Context, id string, change func(flow.Contact) (flow.Contact, error)) (flow.Contact, error) {
	h.desk.mu.Lock()
	defer h.desk.mu.Unlock()
	was, err := h.contact(id)
	if err != nil {
		return flow.Contact{}, err
	}
	c, err := change(was)
	if err != nil {
		return flow.Contact{}, err
	}
	c.ID, c.TokenKey = was.ID, was.TokenKey
	if err := h.saveContact(c); err != nil {
		return flow.Contact{}, fmt.Errorf("changing contact: %w", err)
	}
	return c, nil
}

// PutAdviser keeps an adviser's own word.
func (h *Host) PutAdviser(_ context.Context, a flow.Adviser) error {
	h.desk.mu.Lock()
	defer h.desk.mu.Unlock()
	a.Busy, a.Channels = 0, slices.Clone(a.Channels)
	if err := h.saveJSON(key(tabAdviser, []byte(a.Name)), a); err != nil {
		return fmt.Errorf("keeping adviser: %w", err)
	}
	h.desk.advisers[a.Name] = a
	h.desk.list()
	return nil
}

// AllAdvisers lists them by name.
func (h *Host) AllAdvisers(context.Context) ([]flow.Adviser, error) {
	return slices.Clone(*h.desk.listed.Load()), nil
}

// PutSwitch sets a switch; whoever reads after it returned sees it.
func (h *Host) PutSwitch(_ context.Context, s flow.Switch) error {
	h.desk.mu.Lock()
	defer h.desk.mu.Unlock()
	if err := h.saveJSON(key(tabSwitch, []byte(s.Name)), s); err != nil {
		return fmt.Errorf("setting switch: %w", err)
	}
	next := maps.Clone(*h.desk.switches.Load())
	next[s.Name] = s
	h.desk.switches.Store(&next)
	return nil
}

// AllSwitches gives every switch that was ever set.
func (h *Host) AllSwitches(context.Context) (map[string]flow.Switch, error) {
	return maps.Clone(*h.desk.switches.Load()), nil
}
