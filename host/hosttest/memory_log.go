package hosttest

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/flow"
)

// AppendEvents keeps the rows.
func (m *Memory) AppendEvents(_ context.Context, rows []event.Row) error {
	return m.write("AppendEvents", func() error {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.rows = append(m.rows, rows...)
		return nil
	})
}

// ReadEvents gives every row kept, in the order taken in.
func (m *Memory) ReadEvents(context.Context) ([]event.Row, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.rows), nil
}

// PutCases remembers cases.
func (m *Memory) PutCases(_ context.Context, cases map[event.CaseID][]byte) error {
	return m.write("PutCases", func() error {
		m.mu.Lock()
		defer m.mu.Unlock()
		for id, body := range cases {
			if _, ok := m.cases[id]; !ok {
				m.cases[id] = bytes.Clone(body)
			}
		}
		return nil
	})
}

// ReadCases gives every case kept.
func (m *Memory) ReadCases(context.Context) (map[event.CaseID][]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.cases), nil
}

// Count adds to counters.
func (m *Memory) Count(_ context.Context, at time.Time, names map[string]int64) error {
	return m.write("Count", func() error {
		m.mu.Lock()
		defer m.mu.Unlock()
		for name, n := range names {
			m.counts[hourName{hourOf(at), name}] += n
		}
		return nil
	})
}

func hourOf(t time.Time) int64 { return t.UTC().Truncate(time.Hour).Unix() }

// Counts sums counters.
func (m *Memory) Counts(_ context.Context, from, to time.Time, prefix string) (map[string]int64, error) {
	if err := m.read("Counts"); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	out := map[string]int64{}
	for at, n := range m.counts {
		hour := time.Unix(at.hour, 0)
		if !hour.Before(from) && hour.Before(to) && strings.HasPrefix(at.name, prefix) {
			out[at.name] += n
		}
	}
	return out, nil
}

// AppendDecision chains and keeps a record.
func (m *Memory) AppendDecision(_ context.Context, r *decide.Record) error {
	return m.write("AppendDecision", func() error {
		m.mu.Lock()
		defer m.mu.Unlock()
		r.Writer, r.N, r.Prev = "memory", uint64(len(m.decided)+1), ""
		if len(m.decided) > 0 {
			h := m.decided[len(m.decided)-1].Hash()
			r.Prev = hex.EncodeToString(h[:])
		}
		m.decision[r.ID] = len(m.decided)
		m.decided = append(m.decided, *r)
		return nil
	})
}

// ReadDecisions gives every record kept, oldest first.
func (m *Memory) ReadDecisions(context.Context) ([]decide.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.decided), nil
}

// Decision finds one record.
func (m *Memory) Decision(_ context.Context, id string) (decide.Record, error) {
	if err := m.read("Decision"); err != nil {
		return decide.Record{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	i, ok := m.decision[id]
	if !ok {
		return decide.Record{}, fmt.Errorf("decision: %w", flow.ErrNotFound)
	}
	return m.decided[i], nil
}

// SearchDecisions looks through all records; the cursor is the last record's n.
func (m *Memory) SearchDecisions(_ context.Context, q flow.DecisionQuery) ([]decide.Record, string, error) {
	if err := m.read("SearchDecisions"); err != nil {
		return nil, "", err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	all := slices.Clone(m.decided)
	slices.SortFunc(all, newestFirst)
	if q.Cursor != "" {
		n, err := strconv.ParseUint(q.Cursor, 36, 64)
		if err != nil || n == 0 || n > uint64(len(m.decided)) {
			return nil, "", fmt.Errorf("searching decisions: cursor is not one of ours")
		}
		last := m.decided[n-1]
		all = slices.DeleteFunc(all, func(r decide.Record) bool { return newestFirst(r, last) <= 0 })
	}
	all = slices.DeleteFunc(all, func(r decide.Record) bool { return !matches(q, r) })
	limit := q.Limit
	if limit <= 0 {
		limit = 50
	}
	if limit = min(limit, 500); len(all) <= limit {
		return all, "", nil
	}
	return all[:limit], strconv.FormatUint(all[limit-1].N, 36), nil
}

func newestFirst(a, b decide.Record) int {
	if c := b.Time.Compare(a.Time); c != 0 {
		return c
	}
	return int(int64(b.N) - int64(a.N))
}

func matches(q flow.DecisionQuery, r decide.Record) bool {
	return (q.Action == "" || q.Action == r.Action) && (q.Subject.IsZero() || q.Subject == r.Subject) &&
		(q.Rule == "" || contains(r.Rules, q.Rule)) && (q.From.IsZero() || !r.Time.Before(q.From)) &&
		(q.To.IsZero() || r.Time.Before(q.To))
}

// PutDocument keeps a document.
func (m *Memory) PutDocument(_ context.Context, digest string, body []byte) error {
	return m.write("PutDocument", func() error {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.docs[digest] = bytes.Clone(body)
		return nil
	})
}

// Document finds one.
func (m *Memory) Document(_ context.Context, digest string) ([]byte, error) {
	if err := m.read("Document"); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	body, ok := m.docs[digest]
	if !ok {
		return nil, fmt.Errorf("document: %w", flow.ErrNotFound)
	}
	return bytes.Clone(body), nil
}
