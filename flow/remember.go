package flow

import (
	"context"
	"errors"
	"maps"
	"sync"

	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/profile"
)

// write makes what was admitted durable: cases, then the log, then profiles and
// links. Before it, what was seen already is set aside.
func (b *batch) write(ctx context.Context) error {
	if err := b.duplicates(ctx); err != nil {
		return err
	}
	rows := make([]event.Row, 0, len(b.items))
	crowds := map[*visitor][]*item{}
	for i := range b.items {
		if it := &b.items[i]; it.result.Outcome == Admitted {
			rows = append(rows, it.event.Row())
			crowds[it.visitor] = append(crowds[it.visitor], it)
		}
	}
	if len(rows) == 0 {
		return nil
	}
	if err := b.cases.keep(ctx, b.rules.NewCases, b.host); err != nil {
		return unavailable("keeping cases", err)
	}
	if err := b.host.AppendEvents(ctx, rows); err != nil {
		return unavailable("writing events", err)
	}
	return b.rememberAll(ctx, crowds)
}

// rememberAtOnce is how many visitors' profiles are written side by side where a
// write is a journey.
const rememberAtOnce = 16

// rememberAll writes the visitors of a batch into their profiles.
func (b *batch) rememberAll(ctx context.Context, crowds map[*visitor][]*item) (err error) {
	if b.foresight == nil || len(crowds) == 1 {
		for v, items := range crowds {
			if err := b.remember(ctx, v, items); err != nil {
				return err
			}
		}
		return nil
	}
	var work sync.WaitGroup
	var mu sync.Mutex
	slots := make(chan struct{}, rememberAtOnce)
	for v, items := range crowds {
		slots <- struct{}{}
		work.Go(func() {
			if e := b.remember(ctx, v, items); e != nil {
				mu.Lock()
				err = e
				mu.Unlock()
			}
			<-slots
		})
	}
	work.Wait()
	return err
}

// duplicates sets aside what the subject's profile remembers, and what the batch
// itself holds twice.
func (b *batch) duplicates(ctx context.Context) error {
	seen := make(map[[16]byte]bool, len(b.items))
	known := make(map[[16]byte]profile.Profile, 1)
	for i := range b.items {
		it := &b.items[i]
		if it.result.Outcome != Admitted {
			continue
		}
		p, read := known[it.event.Subject]
		if !read {
			var err error
			if p, err = b.host.Profile(ctx, it.event.Subject); err != nil {
				return unavailable("reading profile", err)
			}
			known[it.event.Subject] = p
		}
		if seen[it.event.MessageKey] || p.Has(it.event.MessageKey) {
			it.result.Outcome, it.result.Purposes = Duplicate, nil
			continue
		}
		seen[it.event.MessageKey] = true
	}
	return nil
}

// moves is how often a state may move under one batch before the sender is told
// to come back.
const moves = 8

// remember writes one visitor's events into the profile, if the consent that
// admitted them is still current. If it moved, the gate is asked again: what it
// no longer admits is refused, and the night drops its line from the log.
//
// The link comes first: once the profile knows a message, sending it again is a
// duplicate that links nothing. A link that a withdrawal overtakes is left, like
// one from before it: alone it allows nothing (CON-14).
func (b *batch) remember(ctx context.Context, v *visitor, items []*item) error {
	for range moves {
		if err := b.link(ctx, v, items); err != nil {
			return err
		}
		subject := items[0].event.Subject
		var twice []*item
		err := b.host.UpdateProfile(ctx, subject, v.given(), func(p profile.Profile) profile.Profile {
			var first []event.Event
			first, twice = fresh(p, items)
			p.Subject = subject
			return p.Apply(first)
		})
		if err == nil {
			for _, it := range twice {
				it.result.Outcome, it.result.Purposes = Duplicate, nil
			}
			return nil
		}
		if !errors.Is(err, ErrMoved) {
			return unavailable("writing profile", err)
		}
		if v, items, err = b.readmit(ctx, v, items); err != nil || len(items) == 0 {
			return err
		}
	}
	return unavailable("writing profile", ErrMoved)
}

// fresh parts what is new from what another call with the same messages wrote
// meanwhile. The log has those lines twice; the night drops one.
func fresh(p profile.Profile, items []*item) (first []event.Event, twice []*item) {
	first = make([]event.Event, 0, len(items))
	for _, it := range items {
		if p.Has(it.event.MessageKey) {
			twice = append(twice, it)
			continue
		}
		first = append(first, it.event)
	}
	return first, twice
}

// readmit asks the gate again about admitted events, under the state as it is now.
func (b *batch) readmit(ctx context.Context, v *visitor, items []*item) (*visitor, []*item, error) {
	v, err := b.again(ctx, v)
	if err != nil {
		return nil, nil, err
	}
	b.judging.Lock()
	defer b.judging.Unlock()
	v.bind(b.now)
	var left []*item
	for _, it := range items {
		it.visitor = v
		it.facts = b.circumstances(it)
		if err := b.admit(ctx, it); err != nil {
			return nil, nil, err
		}
		if it.result.Outcome == Admitted {
			left = append(left, it)
		}
	}
	return v, left, nil
}

// link ties a device to its account, once an identify or alias was admitted.
func (b *batch) link(ctx context.Context, v *visitor, items []*item) error {
	for _, it := range items {
		if !it.link {
			continue
		}
		if err := b.host.Link(ctx, v.device.Subject, v.account.Subject, b.now); err != nil {
			return unavailable("linking a device", err)
		}
		return nil
	}
	return nil
}

// pending are cases that the host does not have yet.
type pending struct {
	mu    sync.Mutex
	cases map[event.CaseID][]byte
}

// keep returns once every case that was new so far is with the host: an event
// must not be acknowledged while its case is only on the way.
func (p *pending) keep(ctx context.Context, news func() map[event.CaseID][]byte, to Events) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := news(); len(n) > 0 {
		if p.cases == nil {
			p.cases = make(map[event.CaseID][]byte, len(n))
		}
		maps.Copy(p.cases, n)
	}
	if len(p.cases) == 0 {
		return nil
	}
	if err := to.PutCases(ctx, p.cases); err != nil {
		return err
	}
	p.cases = nil
	return nil
}

// outcomes counts what admitted events say about variants and offers, for live
// figures. Only configured names count, so that a sender cannot invent counters.
func (b *batch) outcomes(names map[string]int64) {
	for i := range b.items {
		it := &b.items[i]
		if it.result.Outcome != Admitted {
			continue
		}
		kind := it.event.Kind
		switch kind {
		case event.AdviserOfferShown, event.AdviserOfferDismissed, event.AdviserOfferAccepted:
			names["offer_event/"+kind.String()]++
		}
		if it.facts.Coarse.Fields.Slot == "" {
			continue
		}
		if f := it.event.Row().Fields; b.configured(f.Slot, f.SlotVariant) { // as kept
			names["variant_event/"+f.Slot+"/"+f.SlotVariant+"/"+kind.String()]++
		}
	}
}

func (f *Flow) configured(slot, variant string) bool {
	for _, v := range f.cfg.Slots[slot].Variants {
		if v.ID == variant {
			return true
		}
	}
	return false
}
