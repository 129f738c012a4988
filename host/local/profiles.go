package local

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/profile"
)

// Profile reads a subject's profile. What it shares with the host is read only.
func (h *Host) Profile(_ context.Context, s consent.Subject) (profile.Profile, error) {
	stripe := h.people.of(s)
	stripe.RLock()
	p, ok := stripe.profiles[s]
	stripe.RUnlock()
	if ok {
		return p.profile, nil
	}
	stripe.Lock()
	defer stripe.Unlock()
	return h.lockedProfile(s)
}

// lockedProfile is for whoever holds the subject's stripe.
func (h *Host) lockedProfile(s consent.Subject) (profile.Profile, error) {
	stripe := h.people.of(s)
	if p, ok := stripe.profiles[s]; ok {
		return p.profile, nil
	}
	v, err := get(h.db, key(tabProfile, s[:]))
	if err != nil {
		return profile.Profile{}, err
	}
	var p profile.Profile
	if v != nil {
		if err := p.UnmarshalBinary(v); err != nil {
			return profile.Profile{}, fmt.Errorf("reading profile: %w", err)
		}
	}
	stripe.keepProfile(s, p, false)
	return p, nil
}

// UpdateProfile holds the locks of all subjects that it depends on while change
// runs: change must not call the host.
//
// What a change takes in from events can be made again from the event log, so it
// is written behind (flush) and caught up at open (catchUp). Any other change, an
// offer made say, is synced before UpdateProfile returns.
func (h *Host) UpdateProfile(_ context.Context, s consent.Subject, given []flow.StateAt, change func(profile.Profile) profile.Profile) error {
	subjects := append(make([]consent.Subject, 0, 4), s)
	for _, g := range given {
		subjects = append(subjects, g.Subject)
	}
	defer h.people.lock(subjects...)()
	for _, g := range given {
		now, err := h.lockedState(g.Subject)
		if err != nil {
			return err
		}
		if now.Version != g.Version {
			return fmt.Errorf("saving profile: %w", flow.ErrMoved)
		}
	}
	before, err := h.lockedProfile(s)
	if err != nil {
		return err
	}
	if before.Subject.IsZero() && h.buried(s) {
		return fmt.Errorf("saving profile: %w", flow.ErrMoved)
	}
	p := change(before)
	p.Subject = s
	if last(p) != last(before) {
		h.people.of(s).keepProfile(s, p, true)
		return nil
	}
	if err := h.saveProfile(s, p); err != nil {
		return err
	}
	h.people.of(s).keepProfile(s, p, false)
	return nil
}

// last is the message that a profile took in last.
func last(p profile.Profile) profile.Seen {
	if n := len(p.Recent); n > 0 {
		return p.Recent[n-1]
	}
	return profile.Seen{}
}

func (h *Host) saveProfile(s consent.Subject, p profile.Profile) error {
	v, err := p.MarshalBinary()
	if err != nil {
		return fmt.Errorf("writing profile: %w", err)
	}
	return h.save(func(b *pebble.Batch) error { return b.Set(key(tabProfile, s[:]), v, nil) })
}

// flushEvery is how often what is only in memory is written behind; flushLag is
// how long a request may take from its events to its profile. What is older is in
// the store, so catching up starts there.
const (
	flushEvery = time.Second
	flushLag   = 30 * time.Second
)

// mark is where the logs ended at some time.
type mark struct {
	next uint64
	head head
	at   time.Time
}

// flusher writes behind while the host is open.
func (h *Host) flusher(stop <-chan struct{}) {
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	var marks []mark
	for {
		select {
		case <-stop:
			return
		case now := <-tick.C:
			marks = append(marks, mark{h.events.Next(), h.chainHead(), now})
			var done mark
			for len(marks) > 0 && now.Sub(marks[0].at) >= flushLag {
				done, marks = marks[0], marks[1:]
			}
			err := h.flush(done.next)
			if err == nil && done.next > 0 {
				err = h.saveHead(done.head)
			}
			if err != nil {
				h.opts.Log.Error("writing profiles and counters behind failed; trying again", "err", err)
			}
			h.watchSpace()
		}
	}
}

// flush writes dirty profiles and counters. A done above zero says that every
// profile has the events before that number; it is noted once they are durable.
func (h *Host) flush(done uint64) error {
	h.flushing.Lock()
	defer h.flushing.Unlock()
	if err := h.flushCounts(); err != nil {
		return err
	}
	for i := range h.people.stripes {
		if err := h.flushStripe(&h.people.stripes[i]); err != nil {
			return err
		}
	}
	if done == 0 {
		return nil
	}
	return h.save(func(b *pebble.Batch) error { return b.Set(meta(metaProfiles), u64(done), nil) })
}

// flushStripe writes a stripe's dirty profiles. One that was listed may have been
// saved, and let go, before the lock is held: what is dirty then counts.
func (h *Host) flushStripe(s *stripe) error {
	dirty := s.dirty()
	if len(dirty) == 0 {
		return nil
	}
	s.Lock()
	defer s.Unlock()
	dirty = slices.DeleteFunc(dirty, func(who consent.Subject) bool { return !s.profiles[who].dirty })
	err := h.commit(pebble.NoSync, func(b *pebble.Batch) error {
		for _, who := range dirty {
			v, err := s.profiles[who].profile.MarshalBinary()
			if err = errors.Join(err, b.Set(key(tabProfile, who[:]), v, nil)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("writing profiles: %w", err)
	}
	for _, who := range dirty {
		s.profiles[who] = held{s.profiles[who].profile, false}
	}
	return nil
}

// dirty lists whose profiles are not in the store yet.
func (s *stripe) dirty() (out []consent.Subject) {
	s.RLock()
	defer s.RUnlock()
	for who, p := range s.profiles {
		if p.dirty {
			out = append(out, who)
		}
	}
	return out
}

// catchUp takes those events into the profiles that were in the log but not yet
// written behind when the process ended. Consent counts as it is now: what was
// withdrawn since does not come back.
func (h *Host) catchUp() error {
	v, err := get(h.db, meta(metaProfiles))
	if err != nil {
		return err
	}
	from := uint64(0)
	if v != nil {
		from = binary.BigEndian.Uint64(v)
	}
	gate := h.gateOf(h.db)
	behind := map[consent.Subject][]event.Event{}
	n := 0
	err = h.scanEvents(from, func(_ uint64, r event.Row) error {
		if r, err = gate.Narrow(r, h.opts.Clock()); err != nil || r.Purposes == 0 {
			return err
		}
		behind[r.Subject] = append(behind[r.Subject], r.Event())
		if n++; n%100_000 == 0 {
			err = h.takeIn(behind)
			clear(behind)
		}
		return err
	})
	if err == nil {
		err = h.takeIn(behind)
	}
	if err != nil {
		return fmt.Errorf("catching profiles up with the event log: %w", err)
	}
	return h.flush(h.events.Next())
}

// takeIn applies events that the profiles may lack; those that they have change nothing.
func (h *Host) takeIn(events map[consent.Subject][]event.Event) error {
	for s := range maps.Keys(events) {
		stripe := h.people.of(s)
		stripe.Lock()
		p, err := h.lockedProfile(s)
		if err == nil {
			p = p.Apply(events[s])
			p.Subject = s
			stripe.keepProfile(s, p, true)
		}
		stripe.Unlock()
		if err != nil {
			return err
		}
	}
	return h.flush(0)
}
