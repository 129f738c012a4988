package decide

// Scorecard is an additive score: each feature falls into one bin and earns that
// bin's points. Features are names of the profile catalogue. No feature is a
// device, place or person.
type Scorecard struct {
	Version  string    `json:"version" yaml:"version"`
	Base     int64     `json:"base" yaml:"base"`
	Features []Feature `json:"features" yaml:"features"`
}

// Feature has bins in rising order of AtLeast.
type Feature struct {
	Name string `json:"name" yaml:"name"`
	Bins []Bin  `json:"bins" yaml:"bins"`
}

// Bin earns Points from AtLeast (inclusive) to the next bin's AtLeast.
type Bin struct {
	AtLeast int64 `json:"at_least" yaml:"at_least"`
	Points  int64 `json:"points" yaml:"points"`
}

// Score adds up the points of the features; a missing one is 0. Parts come in the
// scorecard's order; those without points are left out.
func (s Scorecard) Score(features map[string]int64) Score { return Score{} }

// Digest is the hex SHA-256 of the canonical scorecard.
func (s Scorecard) Digest() string { return "" }
