package local

import (
	"bytes"
	"maps"
	"slices"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/handschlag/handschlag/consent"
)

// grace is how long what was made of a yes outlives the end of its time (CON-12, T14).
const grace = 14 * 24 * time.Hour

// standingIn is a stored state as it stands at a moment: without what rests on a
// banner that was invalidated (CON-06).
func (h *Host) standingIn(s consent.State, at time.Time) consent.State {
	return h.opts.Invalid.In(s, at)
}

func (h *Host) standingAt(at time.Time) func(consent.State) consent.State {
	return func(s consent.State) consent.State { return h.standingIn(s, at) }
}

// fell reports whether a yes in the state stopped counting with its banner.
func (h *Host) fell(s consent.State, at time.Time) bool {
	is := h.standingIn(s, at)
	for p, was := range s.Standings {
		if now := is.Standings[p]; now.Status != was.Status || !now.Since.Equal(was.Since) {
			return true
		}
	}
	return false
}

// lapsed names those of whom a profile may hold what no yes carries any more: since
// the last compaction the grace of one ended, or its banner was invalidated.
func (c *compaction) lapsed(since int64, st consent.State) bool {
	for _, s := range st.Standings {
		if ms := s.Until.Add(grace).UnixMilli(); s.Status.Valid() && ms > since && ms <= c.through.UnixMilli() {
			return true
		}
	}
	return c.fell(st, c.through)
}

// forget takes out of profiles what no yes carries at the moment of the compaction.
func (c *compaction) forget() error {
	for _, s := range slices.SortedFunc(maps.Keys(c.stale), func(a, b consent.Subject) int { return bytes.Compare(a[:], b[:]) }) {
		if err := c.keepFounded(s, c.through); err != nil {
			return err
		}
	}
	return nil
}

// keepFounded saves a subject's profile with those sections alone whose purposes
// are in force, by its own decision or its account's. What is restricted rests (RGT-07).
func (h *Host) keepFounded(s consent.Subject, at time.Time) error {
	defer h.people.lock(s)()
	p, err := h.lockedProfile(s)
	if err != nil || len(p.Sections) == 0 {
		return err
	}
	if st, err := h.lockedState(s); err != nil || st.Restricted {
		return err
	}
	ground, err := h.ground(s, consent.State{})
	if err != nil {
		return err
	}
	gone := p.Unfounded(ground, at)
	if len(gone) == 0 {
		return nil
	}
	p = p.Without(gone...)
	v, err := p.MarshalBinary()
	if err != nil {
		return err
	}
	if err := h.save(func(b *pebble.Batch) error { return b.Set(key(tabProfile, s[:]), v, nil) }); err != nil {
		return err
	}
	h.people.of(s).keepProfile(s, p, false)
	return nil
}
