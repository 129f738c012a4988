package decide

// Weights are the shares of each slot's variants, by segment ("" for everybody),
// in parts per million that sum to 1,000,000.
type Weights struct {
	Version string                                 `json:"version"`
	Slots   map[string]map[string]map[string]int64 `json:"slots"` // slot → segment → variant → ppm
}

// Validate reports weights that do not sum to 1,000,000 or fall below the floor.
func (w Weights) Validate(floorPPM int64) error { return nil }

// Uniform shares 1,000,000 evenly.
func Uniform(variants []string) map[string]int64 { return nil }

// Digest is the hex SHA-256 of the canonical weights.
func (w Weights) Digest() string { return "" }
