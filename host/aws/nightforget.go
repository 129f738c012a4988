//go:build !lambda.norpc

package aws

import (
	"context"
	"errors"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/profile"
)

// grace is how long what was made of a yes outlives the end of its time (CON-12, T14).
const grace = 14 * 24 * time.Hour

// forget takes out of profiles what no yes carries at the moment of the compaction:
// of whoever had one whose grace ended since the last, or whose banner was
// invalidated.
func (n *Night) forget(ctx context.Context, b *bookCopy, was marks, through time.Time) error {
	stale := map[consent.Subject]bool{}
	for i := range b.states.all {
		p, err := b.person(i)
		if err != nil {
			return err
		}
		stale[p.Subject] = n.lapsed(p.State, was.Through, through)
	}
	for _, l := range b.links { // profiles of devices may rest on their account's word
		stale[l.Device] = stale[l.Device] || stale[consent.Subject(l.Account)]
	}
	var all []consent.Subject
	for _, s := range b.everybody() {
		if stale[s] {
			all = append(all, s)
		}
	}
	return each(ctx, len(all), atOnce, func(ctx context.Context, i int) error { return n.h.keepFounded(ctx, all[i], through) })
}

func (n *Night) lapsed(st consent.State, since, through time.Time) bool {
	is := n.h.opts.Invalid.In(st, through)
	for p, s := range st.Standings {
		if end := s.Until.Add(grace); s.Status.Valid() && end.After(since) && !end.After(through) {
			return true
		}
		if now := is.Standings[p]; now.Status != s.Status || !now.Since.Equal(s.Since) {
			return true
		}
	}
	return false
}

// keepFounded saves a subject's profile with those sections alone whose purposes are
// in force, by its own decision or its account's. What is restricted rests (RGT-07).
func (h *Host) keepFounded(ctx context.Context, s consent.Subject, at time.Time) error {
	p, err := h.Profile(ctx, s)
	if err != nil || len(p.Sections) == 0 {
		return err
	}
	ground, err := h.ground(ctx, s, consent.State{})
	if err != nil || ground.Own.Restricted || len(p.Unfounded(ground, at)) == 0 {
		return err
	}
	given := []flow.StateAt{{Subject: s, Version: ground.Own.Version}, {Subject: ground.Account.Subject, Version: ground.Account.Version}}
	err = h.UpdateProfile(ctx, s, given, func(p profile.Profile) profile.Profile { return p.Without(p.Unfounded(ground, at)...) })
	if errors.Is(err, flow.ErrMoved) { // whoever came between looked at the profile too
		return nil
	}
	return err
}
