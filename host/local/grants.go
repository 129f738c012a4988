package local

import (
	"context"

	"github.com/handschlag/handschlag/flow"
)

// PriceStanding gives what a price may know of a record.
func (h *Host) PriceStanding(_ context.Context, recordID string) (flow.PriceStanding, error) {
	if err := h.trusted(); err != nil {
		return flow.PriceStanding{}, err
	}
	_, r, err := h.record(recordID)
	if err != nil {
		return flow.PriceStanding{}, err
	}
	s, err := h.state(r.Subject)
	if err != nil {
		return flow.PriceStanding{}, err
	}
	return flow.PriceStandingOf(r, s.State)
}
