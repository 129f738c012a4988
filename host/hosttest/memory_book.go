package hosttest

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/profile"
)

type leaf struct {
	subject consent.Subject
	version uint64
	salt    [32]byte
	hash    [32]byte
	index   int64 // -1 while queued
}

// State reads a subject's state.
func (m *Memory) State(_ context.Context, s consent.Subject) (consent.State, error) {
	if err := m.read("State"); err != nil {
		return consent.State{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.state(s), nil
}

func (m *Memory) state(s consent.Subject) consent.State {
	st := m.states[s]
	st.Subject = s
	return st
}

// Append tries build against the current state until no other writer came between.
func (m *Memory) Append(_ context.Context, s consent.Subject, build func(consent.State) (consent.Record, error)) (r flow.Receipt, err error) {
	if s.IsZero() {
		return r, errors.New("appending consent record: nobody")
	}
	var own error // build's, which no fault may hide
	err = m.write("Append", func() error {
		for {
			m.mu.Lock()
			before := m.state(s)
			m.mu.Unlock()
			rec, err := build(before)
			if err != nil {
				own = err
				return err
			}
			rec.Subject, rec.Version = s, before.Version+1
			var done bool
			if r, done, err = m.keep(before, rec); done || err != nil {
				return err
			}
		}
	})
	if own != nil {
		err = own
	}
	if err != nil {
		return flow.Receipt{}, err
	}
	return r, nil
}

// keep saves the record if the state is still the one it was built on.
func (m *Memory) keep(before consent.State, rec consent.Record) (flow.Receipt, bool, error) {
	canonical, err := rec.Canonical()
	if err != nil {
		return flow.Receipt{}, false, err
	}
	l := leaf{subject: rec.Subject, version: rec.Version, index: -1}
	_, _ = rand.Read(l.salt[:]) // never fails
	l.hash = sha256.Sum256(append(l.salt[:], canonical...))
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.erased[rec.Subject] {
		return flow.Receipt{}, false, fmt.Errorf("appending consent record: %w", flow.ErrMoved)
	}
	if m.state(rec.Subject).Version != before.Version {
		return flow.Receipt{}, false, nil
	}
	if _, ok := m.leaves[rec.RecordID]; ok || rec.RecordID == "" {
		return flow.Receipt{}, false, fmt.Errorf("appending consent record: id %q is missing or used", rec.RecordID)
	}
	m.records[rec.Subject] = append(m.records[rec.Subject], rec)
	was := m.states[rec.Subject]
	m.states[rec.Subject] = before.Apply(rec)
	m.leaves[rec.RecordID] = l
	m.queue = append(m.queue, rec.RecordID)
	m.dropSections(rec, consent.Broken(was, m.states[rec.Subject], rec))
	return flow.Receipt{Record: rec, Leaf: l.hash, Index: -1}, true, nil
}

// dropSections removes what the record took the ground from: on the subject,
// and on the devices that are linked to it.
func (m *Memory) dropSections(rec consent.Record, broken []consent.Purpose) {
	m.dropInvalid(rec.Subject, rec, broken)
	for device, l := range m.links {
		if l.account == rec.Subject {
			m.dropInvalid(device, rec, broken)
		}
	}
}

func (m *Memory) dropInvalid(s consent.Subject, rec consent.Record, broken []consent.Purpose) {
	held, ok := m.profiles[s]
	if !ok {
		return
	}
	for p := range held.profile.Sections {
		account := m.links[s].account
		standing := m.state(s).At(p, rec.Event.Time)
		if !account.IsZero() {
			standing = consent.Together(m.state(s), m.state(account), p, rec.Event.Time)
		}
		special := slices.ContainsFunc(broken, consent.Purpose.Special)
		if special || s == rec.Subject && slices.Contains(broken, p) || !standing.Status.Valid() {
			held.profile = held.profile.Without(p)
		}
	}
	m.profiles[s] = stamped{held.profile, held.n + 1}
}

// History gives a subject's records.
func (m *Memory) History(_ context.Context, s consent.Subject) ([]consent.Record, error) {
	if err := m.read("History"); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.records[s]), nil
}

// Record finds one record.
func (m *Memory) Record(_ context.Context, id string) (consent.Record, error) {
	if err := m.read("Record"); err != nil {
		return consent.Record{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	l, ok := m.leaves[id]
	if !ok || l.subject.IsZero() {
		return consent.Record{}, fmt.Errorf("consent record: %w", flow.ErrNotFound)
	}
	return m.at(l), nil
}

// at is the record of a leaf. List entries take versions too, so that records have gaps.
func (m *Memory) at(l leaf) consent.Record {
	for _, r := range m.records[l.subject] {
		if r.Version == l.version {
			return r
		}
	}
	return consent.Record{}
}

// Proof of a queued record says ErrMoved and lets the sequencer run, so the next
// call finds it covered.
func (m *Memory) Proof(_ context.Context, id string) (flow.Proof, error) {
	if err := m.read("Proof"); err != nil {
		return flow.Proof{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	l, ok := m.leaves[id]
	if !ok || l.subject.IsZero() {
		return flow.Proof{}, fmt.Errorf("consent record: %w", flow.ErrNotFound)
	}
	if l.index < 0 {
		return flow.Proof{}, errors.Join(fmt.Errorf("record is queued: %w", flow.ErrMoved), m.sequence())
	}
	hashes, checkpoint, err := m.tree.prove(l.index)
	if err != nil {
		return flow.Proof{}, err
	}
	return flow.Proof{
		Record: m.at(l), Salt: hex.EncodeToString(l.salt[:]), Leaf: hex.EncodeToString(l.hash[:]),
		Index: l.index, Hashes: hashes, Checkpoint: checkpoint,
	}, nil
}

func (m *Memory) sequence() error {
	for _, id := range m.queue {
		l := m.leaves[id]
		index, err := m.tree.add(l.hash)
		if err != nil {
			return err
		}
		l.index = index
		m.leaves[id] = l
	}
	m.queue = nil
	return nil
}

// Profile reads a subject's profile.
func (m *Memory) Profile(_ context.Context, s consent.Subject) (profile.Profile, error) {
	if err := m.read("Profile"); err != nil {
		return profile.Profile{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.profiles[s].profile, nil
}

// UpdateProfile applies change until no other writer came between.
func (m *Memory) UpdateProfile(_ context.Context, s consent.Subject, given []flow.StateAt, change func(profile.Profile) profile.Profile) error {
	var moved error
	err := m.write("UpdateProfile", func() error {
		for {
			m.mu.Lock()
			before := m.profiles[s]
			m.mu.Unlock()
			after := stamped{change(before.profile), before.n + 1}
			after.profile.Subject = s
			done, err := m.saveProfile(s, given, before, after)
			if done || err != nil {
				moved = err
				return err
			}
		}
	})
	if moved != nil {
		return moved
	}
	return err
}

func (m *Memory) saveProfile(s consent.Subject, given []flow.StateAt, before, after stamped) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, g := range given {
		if m.states[g.Subject].Version != g.Version {
			return false, fmt.Errorf("saving profile: %w", flow.ErrMoved)
		}
	}
	if m.erased[s] {
		return false, fmt.Errorf("saving profile: %w", flow.ErrMoved)
	}
	if m.profiles[s].n != before.n {
		return false, nil
	}
	m.profiles[s] = after
	return true, nil
}

// tree is an RFC 6962 log in memory under a key of its own.
type tree struct {
	signer note.Signer
	hashes []tlog.Hash
	size   int64
}

func newTree() tree {
	skey, _, err := note.GenerateKey(rand.Reader, "hosttest.example/ledger")
	if err != nil {
		panic(err) // only a failing reader could
	}
	signer, err := note.NewSigner(skey)
	if err != nil {
		panic(err) // the key was just made
	}
	return tree{signer: signer}
}

// ReadHashes makes the tree a tlog.HashReader.
func (t *tree) ReadHashes(at []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(at))
	for i, n := range at {
		if n >= int64(len(t.hashes)) {
			return nil, fmt.Errorf("hash %d is beyond the tree", n)
		}
		out[i] = t.hashes[n]
	}
	return out, nil
}

func (t *tree) add(leaf [32]byte) (int64, error) {
	hs, err := tlog.StoredHashes(t.size, leaf[:], t)
	if err != nil {
		return 0, fmt.Errorf("adding leaf: %w", err)
	}
	t.hashes = append(t.hashes, hs...)
	t.size++
	return t.size - 1, nil
}

func (t *tree) prove(index int64) ([]string, string, error) {
	proof, err := tlog.ProveRecord(t.size, index, t)
	if err != nil {
		return nil, "", fmt.Errorf("proving inclusion: %w", err)
	}
	root, err := tlog.TreeHash(t.size, t)
	if err != nil {
		return nil, "", fmt.Errorf("hashing tree: %w", err)
	}
	text := fmt.Sprintf("%s\n%d\n%s\n", t.signer.Name(), t.size, root)
	signed, err := note.Sign(&note.Note{Text: text}, t.signer)
	if err != nil {
		return nil, "", fmt.Errorf("signing checkpoint: %w", err)
	}
	hashes := make([]string, len(proof))
	for i, h := range proof {
		hashes[i] = base64.StdEncoding.EncodeToString(h[:])
	}
	return hashes, string(signed), nil
}
