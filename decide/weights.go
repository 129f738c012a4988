package decide

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

// Weights are the shares of each slot's variants, by segment ("" for everybody),
// in parts per million that sum to 1,000,000.
type Weights struct {
	Version string                                 `json:"version"`
	Slots   map[string]map[string]map[string]int64 `json:"slots"` // slot → segment → variant → ppm
}

// Validate reports every slot and segment whose weights do not sum to 1,000,000
// or give a variant less than the floor (R28: nothing is starved).
func (w Weights) Validate(floorPPM int64) error {
	var errs []error
	for _, slot := range slices.Sorted(maps.Keys(w.Slots)) {
		if _, ok := w.Slots[slot][""]; !ok {
			errs = append(errs, fmt.Errorf("weights of slot %q: none for everybody (segment \"\")", slot))
		}
		for _, segment := range slices.Sorted(maps.Keys(w.Slots[slot])) {
			if err := validShares(w.Slots[slot][segment], max(0, floorPPM)); err != nil {
				errs = append(errs, fmt.Errorf("weights of slot %q, segment %q: %w", slot, segment, err))
			}
		}
	}
	return errors.Join(errs...)
}

func validShares(shares map[string]int64, floor int64) error {
	sum := int64(0)
	for _, id := range slices.Sorted(maps.Keys(shares)) {
		if shares[id] < floor || shares[id] > Million {
			return fmt.Errorf("variant %q has %d ppm, want %d to %d", id, shares[id], floor, Million)
		}
		sum += shares[id]
	}
	if sum != Million {
		return fmt.Errorf("they sum to %d ppm, want %d", sum, Million)
	}
	return nil
}

// For gives a slot's weights for a segment, or those for everybody; nil if the
// slot has none, and a draw then counts all variants alike.
func (w Weights) For(slot, segment string) map[string]int64 {
	if shares, ok := w.Slots[slot][segment]; ok {
		return shares
	}
	return w.Slots[slot][""]
}

// Uniform shares 1,000,000 evenly; what does not divide goes to the first ids.
func Uniform(variants []string) map[string]int64 { return Propensities(nil, variants) }

// Digest is the hex SHA-256 of the canonical weights.
func (w Weights) Digest() string { return digest(w) }
