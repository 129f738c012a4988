package hosttest

import (
	"context"
	"fmt"

	"github.com/handschlag/handschlag/flow"
)

// PriceStanding gives what a price may know of a record.
func (m *Memory) PriceStanding(_ context.Context, recordID string) (flow.PriceStanding, error) {
	if err := m.read("PriceStanding"); err != nil {
		return flow.PriceStanding{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	l, ok := m.leaves[recordID]
	if !ok || l.subject.IsZero() {
		return flow.PriceStanding{}, fmt.Errorf("price standing: %w", flow.ErrNotFound)
	}
	return flow.PriceStandingOf(m.at(l), m.state(l.subject))
}
