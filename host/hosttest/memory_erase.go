package hosttest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/consent/ledger"
	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/flow"
)

// Erase forgets a subject at once: this host seals no proofs.
func (m *Memory) Erase(_ context.Context, s consent.Subject, at time.Time) (e flow.Erasure, err error) {
	err = m.write("Erase", func() error {
		m.mu.Lock()
		defer m.mu.Unlock()
		e, err = m.erase(s, at)
		return err
	})
	if err != nil {
		return flow.Erasure{}, err
	}
	return e, nil
}

func (m *Memory) erase(s consent.Subject, at time.Time) (flow.Erasure, error) {
	e := flow.Erasure{At: at}
	if s.IsZero() || m.erased[s] {
		return e, nil
	}
	if err := m.sequence(); err != nil { // every record gets its index
		return e, err
	}
	gone := func(store string, n int) {
		if n > 0 {
			e.Stores = append(e.Stores, flow.ErasedStore{Store: store, Count: int64(n), Method: "deleted", Done: true})
		}
	}
	for id, l := range m.leaves {
		if l.subject == s {
			e.Leaves = append(e.Leaves, l.index)
			delete(m.leaves, id)
		}
	}
	slices.Sort(e.Leaves)
	m.hushErased(s, at)
	gone("ids", drop(m.ids, func(_ [32]byte, v consent.Subject) bool { return v == s }))
	gone("consent_records", len(m.records[s]))
	gone("lists", len(m.entries[s]))
	gone("profiles", drop(m.profiles, func(k consent.Subject, _ stamped) bool { return k == s }))
	gone("segments", m.dropMember(s))
	gone("links", drop(m.links, func(d consent.Subject, l link) bool { return d == s || l.account == s }))
	before := len(m.rows)
	m.rows = slices.DeleteFunc(slices.Clone(m.rows), func(r event.Row) bool { return r.Subject == s })
	gone("events", before-len(m.rows))
	gone("contacts", m.redactContacts(s))
	hashes := m.redactDecisions(s)
	gone("decisions", len(hashes))
	delete(m.records, s)
	delete(m.entries, s)
	delete(m.states, s)
	if len(e.Stores) == 0 {
		return e, nil
	}
	m.erased[s] = true
	e.ID = newSubject().String()
	return m.bury(e, hashes)
}

// bury queues the erasure leaf.
func (m *Memory) bury(e flow.Erasure, decisions []string) (flow.Erasure, error) {
	content, err := json.Marshal(ledger.Tombstone{
		Schema: ledger.TombstoneSchema, ID: e.ID, Time: e.At.UTC(), Leaves: e.Leaves, Proofs: "erased", Decisions: decisions,
	})
	if err != nil {
		return e, err
	}
	l := leaf{index: -1}
	_, _ = rand.Read(l.salt[:]) // never fails
	l.hash = ledger.NewLeaf(l.salt, content)
	m.leaves[e.ID] = l
	m.queue = append(m.queue, e.ID)
	e.Leaf = hex.EncodeToString(l.hash[:])
	return e, nil
}

// drop removes what fits from a map and counts it.
func drop[K comparable, V any](from map[K]V, fits func(K, V) bool) int {
	n := len(from)
	maps.DeleteFunc(from, fits)
	return n - len(from)
}

// dropMember replaces the members: their map is the publisher's.
func (m *Memory) dropMember(s consent.Subject) int {
	if _, is := m.members[s]; !is {
		return 0
	}
	m.members = maps.Clone(m.members)
	delete(m.members, s)
	return 1
}

// redactContacts takes who asked, and their words, out of contacts.
func (m *Memory) redactContacts(s consent.Subject) (n int) {
	for id, c := range m.contacts {
		if c.Subject == s || c.Account == s {
			c.Subject, c.Account, c.Question, c.Callback = consent.Subject{}, consent.Subject{}, "", nil
			m.contacts[id] = c
			n++
		}
	}
	return n
}

// redactDecisions leaves of a subject's decisions what the chain needs, and gives
// the hashes that they had.
func (m *Memory) redactDecisions(s consent.Subject) (hashes []string) {
	m.decided = slices.Clone(m.decided)
	for i, r := range m.decided {
		if r.Subject == s {
			m.decided[i] = flow.Redacted(r)
			hashes = append(hashes, m.decided[i].Erased)
		}
	}
	return hashes
}
