package decide

// Weights are the shares of each slot's variants, by segment ("" for everybody),
// in parts per million that sum to 1,000,000.
type Weights struct {
	Version string                                 `json:"version"`
	Slots   map[string]map[string]map[string]int64 `json:"slots"` // slot → segment → variant → ppm
}
