package hosttest

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/price"
	"github.com/handschlag/handschlag/profile"
)

// Memory is a whole host in memory: every promise of flow/ports.go except that
// it outlives the process. It keeps no raw id either. Its maps are guarded by
// one mutex that is never held while a caller's function runs, so that a second
// writer really can come between.
type Memory struct {
	tenant  string
	exports fs.FS

	mu       sync.Mutex
	ids      map[[32]byte]consent.Subject
	links    map[consent.Subject]link
	records  map[consent.Subject][]consent.Record
	states   map[consent.Subject]consent.State
	entries  map[consent.Subject][]consent.Entry
	hushed   map[[32]byte][]consent.Entry // by id: the suppression list, kept after erasure
	erased   map[consent.Subject]bool
	leaves   map[string]leaf // by record id
	queue    []string        // record ids, not yet in the tree
	tree     tree
	rows     []event.Row
	cases    map[event.CaseID][]byte
	counts   map[hourName]int64
	profiles map[consent.Subject]stamped
	decided  []decide.Record
	decision map[string]int
	docs     map[string][]byte
	contacts map[string]flow.Contact
	tokens   map[string]string
	advisers map[string]flow.Adviser
	switches map[string]flow.Switch
	products map[string]event.Product
	version  uint64
	prices   []price.Interval
	night    flow.Publication
	members  map[consent.Subject]profile.Membership

	faults sync.Mutex
	plan   Plan
	calls  map[string]uint64
	queued map[string][]Fate
}

var _ flow.Host = (*Memory)(nil)

type link struct {
	account consent.Subject
	at      time.Time
}

type hourName struct {
	hour int64
	name string
}

type stamped struct {
	profile profile.Profile
	n       uint64
}

// Option changes a Memory.
type Option func(*Memory)

// WithExports says where finished exports lie.
func WithExports(dir string) Option { return func(m *Memory) { m.exports = os.DirFS(dir) } }

// WithFaults starts with a fault plan in force.
func WithFaults(p Plan) Option { return func(m *Memory) { m.plan = p } }

// NewMemory gives an empty host.
func NewMemory(opts ...Option) *Memory {
	m := &Memory{
		tenant: "memory",
		ids:    map[[32]byte]consent.Subject{}, links: map[consent.Subject]link{},
		records: map[consent.Subject][]consent.Record{}, states: map[consent.Subject]consent.State{},
		entries: map[consent.Subject][]consent.Entry{}, hushed: map[[32]byte][]consent.Entry{},
		erased: map[consent.Subject]bool{}, leaves: map[string]leaf{}, tree: newTree(), cases: map[event.CaseID][]byte{}, counts: map[hourName]int64{},
		profiles: map[consent.Subject]stamped{}, decision: map[string]int{}, docs: map[string][]byte{},
		contacts: map[string]flow.Contact{}, tokens: map[string]string{}, advisers: map[string]flow.Adviser{},
		switches: map[string]flow.Switch{}, products: map[string]event.Product{},
		members: map[consent.Subject]profile.Membership{}, calls: map[string]uint64{}, queued: map[string][]Fate{},
	}
	for _, o := range opts {
		o(m)
	}
	return m
}

// Keys are fixed, so that what is drawn from them is the same in every run.
func (m *Memory) Keys() flow.Keys {
	return flow.Keys{Token: fixedKey("token"), Draw: fixedKey("draw"), Digest: fixedKey("digest")}
}

func fixedKey(name string) []byte { k := sha256.Sum256([]byte("hosttest " + name)); return k[:] }

// Ready fails only by plan.
func (m *Memory) Ready(context.Context) error { return m.read("Ready") }

// Close has nothing to wait for.
func (m *Memory) Close() error { return nil }

// Find looks an identifier up.
func (m *Memory) Find(_ context.Context, id consent.ID) (consent.Subject, error) {
	if err := m.read("Find"); err != nil {
		return consent.Subject{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.ids[m.idKey(id)], nil
}

// Assign looks an identifier up and gives it a random pseudonym at first.
func (m *Memory) Assign(_ context.Context, id consent.ID) (s consent.Subject, err error) {
	if id.IsZero() {
		return s, fmt.Errorf("assigning pseudonym: no identifier")
	}
	err = m.write("Assign", func() error {
		m.mu.Lock()
		defer m.mu.Unlock()
		key := m.idKey(id)
		if m.ids[key].IsZero() {
			m.ids[key] = newSubject()
			m.hush(m.ids[key], m.hushed[key])
		}
		s = m.ids[key]
		return nil
	})
	if err != nil {
		return consent.Subject{}, err
	}
	return s, nil
}

func newSubject() (s consent.Subject) {
	_, _ = rand.Read(s[:]) // never fails
	return s
}

func (m *Memory) idKey(id consent.ID) (key [32]byte) {
	mac := hmac.New(sha256.New, fixedKey("subjects"))
	fmt.Fprintf(mac, "%s\x00%s\x00%s", m.tenant, id.Scope, id.Reveal())
	mac.Sum(key[:0])
	return key
}

// Link notes the account of a device.
func (m *Memory) Link(_ context.Context, device, account consent.Subject, at time.Time) error {
	return m.write("Link", func() error {
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.erased[device] || m.erased[account] {
			return fmt.Errorf("linking device: %w", flow.ErrMoved)
		}
		m.links[device] = link{account, at}
		return nil
	})
}

// AccountOf reads a link.
func (m *Memory) AccountOf(_ context.Context, device consent.Subject) (consent.Subject, error) {
	if err := m.read("AccountOf"); err != nil {
		return consent.Subject{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.links[device].account, nil
}
