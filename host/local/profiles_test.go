package local

import (
	"context"
	"sync"
	"testing"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/profile"
)

// TestWritingBehindKeepsWhatWasStored crowds one stripe with more subjects than it
// keeps in memory: profiles become dirty, are saved and let go while they are
// written behind.
func TestWritingBehindKeepsWhatWasStored(t *testing.T) {
	h := openAt(t, t.TempDir(), options())
	defer func() { ok(t, h.Close()) }()
	crowd := make([]consent.Subject, 60)
	for i := range crowd {
		crowd[i] = consent.Subject{7, 0, byte(i + 1)} // the first 12 bits are the stripe
	}
	stripe := h.people.of(crowd[0])
	done, stop := context.WithCancel(ctx)
	var flushes, writes sync.WaitGroup
	for range 2 {
		flushes.Go(func() {
			for done.Err() == nil {
				if err := h.flushStripe(stripe); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	const rounds = 8
	for _, who := range crowd {
		writes.Go(func() {
			for n := range byte(rounds) {
				seen := saw(who, n, noon).Event()
				for _, change := range []func(profile.Profile) profile.Profile{
					func(p profile.Profile) profile.Profile { return p.Apply([]event.Event{seen}) },
					func(p profile.Profile) profile.Profile { return p.Offered(profile.OfferedHint, noon) },
				} {
					if err := h.UpdateProfile(ctx, who, nil, change); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	writes.Wait()
	stop()
	flushes.Wait()
	for _, who := range crowd {
		p, err := h.Profile(ctx, who)
		ok(t, err)
		for n := range byte(rounds) {
			if p.Subject != who || !p.Has([16]byte{n}) {
				t.Fatalf("subject %x lost message %d: %d are left", who[2], n, len(p.Recent))
			}
		}
	}
}
