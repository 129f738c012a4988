package hosttest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/handschlag/handschlag/consent"
)

// Object puts an objection on the list, or takes it off.
func (m *Memory) Object(_ context.Context, s consent.Subject, scope string, on bool, at time.Time) error {
	return m.write("Object", func() error {
		return m.note(s, consent.Entry{List: consent.ObjectionList, Scope: scope, On: on, At: at})
	})
}

// Restrict restricts a subject's processing, or lifts that.
func (m *Memory) Restrict(_ context.Context, s consent.Subject, on bool, at time.Time) error {
	return m.write("Restrict", func() error { return m.note(s, consent.Entry{List: consent.RestrictionList, On: on, At: at}) })
}

// Suppress closes a channel to whoever has the subject's identifier.
func (m *Memory) Suppress(_ context.Context, s consent.Subject, channel string, on bool, at time.Time) error {
	return m.write("Suppress", func() error {
		m.mu.Lock()
		defer m.mu.Unlock()
		key, found := m.keyOf(s)
		if !found {
			return fmt.Errorf("suppressing: %s has no identifier", s)
		}
		e := consent.Entry{List: consent.SuppressionList, Scope: channel, On: on, At: at}
		if err := m.noteLocked(s, e); err != nil {
			return err
		}
		m.hushed[key] = slices.DeleteFunc(m.hushed[key], func(was consent.Entry) bool { return was.Scope == channel })
		if on {
			m.hushed[key] = append(m.hushed[key], e)
		}
		return nil
	})
}

// keyOf is the key of a subject's identifier.
func (m *Memory) keyOf(s consent.Subject) (key [32]byte, found bool) {
	for key, who := range m.ids {
		if who == s {
			return key, true
		}
	}
	return key, false
}

// hush gives a new pseudonym what its identifier was suppressed for.
func (m *Memory) hush(s consent.Subject, born []consent.Entry) {
	for _, e := range born {
		_ = m.noteLocked(s, e) // s is somebody
	}
}

func (m *Memory) note(s consent.Subject, e consent.Entry) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.noteLocked(s, e)
}

func (m *Memory) noteLocked(s consent.Subject, e consent.Entry) error {
	if s.IsZero() {
		return errors.New("listing: nobody")
	}
	before := m.state(s)
	if before.Listed(e.List, e.Scope) == e.On {
		return nil
	}
	e.At, e.Version = e.At.UTC(), before.Version+1
	m.states[s] = before.Note(e)
	m.entries[s] = append(m.entries[s], e)
	return nil
}

// Listed gives a subject's entries.
func (m *Memory) Listed(_ context.Context, s consent.Subject) ([]consent.Entry, error) {
	if err := m.read("Listed"); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.entries[s]), nil
}

// hushErased is an erasure's last word on direct marketing, under the lock and
// before the subject's identifier goes.
func (m *Memory) hushErased(s consent.Subject, at time.Time) {
	key, found := m.keyOf(s)
	if !found {
		return
	}
	for _, c := range m.states[s].Outliving() {
		m.hushed[key] = append(m.hushed[key], consent.Entry{List: consent.SuppressionList, Scope: c, On: true, At: at})
	}
}
