package local

import (
	"slices"
	"sync"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/profile"
)

// people keeps the states and profiles of subjects who are active now in memory,
// in stripes by pseudonym. A stripe's lock is also what orders writes about its
// subjects: whoever changes a state holds it until the change is durable, so no
// reader acts on a consent that a crash could take back.
type people struct {
	stripes [1024]stripe
}

type stripe struct {
	sync.RWMutex
	states   map[consent.Subject]stored
	accounts map[consent.Subject]consent.Subject // of devices; zero: not linked
	profiles map[consent.Subject]held
}

// stored is a state as it lies in the store.
type stored struct {
	consent.State
	Scope consent.Scope `json:"scope,omitempty"` // of the last record
}

// held is a profile in memory. Dirty ones are not in the store yet.
type held struct {
	profile profile.Profile
	dirty   bool
}

// limits of one stripe: 1,024 stripes of these are about 64 MB at most, unless
// more than that is dirty.
const (
	statesPerStripe   = 64
	profilesPerStripe = 24
)

func (p *people) of(s consent.Subject) *stripe { return &p.stripes[s.Bucket()%uint16(len(p.stripes))] }

// lock locks the stripes of some subjects, in an order that cannot deadlock.
func (p *people) lock(subjects ...consent.Subject) (unlock func()) {
	at := make([]uint16, 0, 4)
	for _, s := range subjects {
		at = append(at, s.Bucket()%uint16(len(p.stripes)))
	}
	slices.Sort(at)
	at = slices.Compact(at)
	for _, i := range at {
		p.stripes[i].Lock()
	}
	return func() {
		for _, i := range at {
			p.stripes[i].Unlock()
		}
	}
}

// keepState remembers a state, in the place of any other if there are many.
func (s *stripe) keepState(who consent.Subject, st stored) {
	if s.states == nil {
		s.states = map[consent.Subject]stored{}
	}
	for other := range s.states {
		if len(s.states) < statesPerStripe {
			break
		}
		delete(s.states, other)
	}
	s.states[who] = st
}

// keepAccount remembers a device's link, in the place of any other if there are many.
func (s *stripe) keepAccount(device, account consent.Subject) {
	if s.accounts == nil {
		s.accounts = map[consent.Subject]consent.Subject{}
	}
	for other := range s.accounts {
		if len(s.accounts) < statesPerStripe {
			break
		}
		delete(s.accounts, other)
	}
	s.accounts[device] = account
}

// keepProfile remembers a profile, in the place of clean ones if there are many.
func (s *stripe) keepProfile(who consent.Subject, p profile.Profile, dirty bool) {
	if s.profiles == nil {
		s.profiles = map[consent.Subject]held{}
	}
	if len(s.profiles) >= profilesPerStripe {
		for other, h := range s.profiles {
			if !h.dirty && other != who {
				delete(s.profiles, other)
				break
			}
		}
	}
	s.profiles[who] = held{p, dirty}
}
