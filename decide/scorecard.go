package decide

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
)

// Scorecard is an additive score: each feature falls into one bin and earns that
// bin's points. Features are names of the profile catalogue. No feature is a
// device, place or person.
type Scorecard struct {
	Version         string    `json:"version" yaml:"version"`
	FeaturesVersion string    `json:"features_version,omitempty" yaml:"features_version,omitempty"` // of the catalogue it was fitted on; a shop's own may leave it out
	Base            int64     `json:"base" yaml:"base"`
	Features        []Feature `json:"features" yaml:"features"`
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

// Score adds up the points of the features; a missing one is 0, and a value below
// the first bin earns nothing. Parts come in the scorecard's order. Those without
// points are left out, unless the scorecard is signed: then every feature that is
// not 0 is a part, so that the next fit can read from a record what was seen.
func (s Scorecard) Score(features map[string]int64) Score {
	out := Score{Version: s.Version, Total: s.Base, Parts: []Point{}}
	for _, f := range s.Features {
		value := features[f.Name]
		if points := f.points(value); points != 0 || value != 0 && s.FeaturesVersion != "" {
			out.Total += points
			out.Parts = append(out.Parts, Point{Feature: f.Name, Value: value, Points: points})
		}
	}
	return out
}

func (f Feature) points(value int64) (points int64) {
	for _, b := range f.Bins {
		if value < b.AtLeast {
			break
		}
		points = b.Points
	}
	return points
}

// Highest is the largest total that any features can reach.
func (s Scorecard) Highest() int64 {
	total := s.Base
	for _, f := range s.Features {
		best := int64(math.MinInt64)
		if len(f.Bins) == 0 || f.Bins[0].AtLeast > math.MinInt64 {
			best = 0
		}
		for _, b := range f.Bins {
			best = max(best, b.Points)
		}
		total += best
	}
	return total
}

// Digest is the hex SHA-256 of the canonical scorecard.
func (s Scorecard) Digest() string { return digest(s) }

// Sign names the catalogue of features that a scorecard was fitted on. Its version
// becomes the digest of all it says, so that neither the catalogue nor a point can be
// changed afterwards without Fits noticing.
func (s Scorecard) Sign(features string) Scorecard {
	s.FeaturesVersion, s.Version = features, ""
	s.Version = s.Digest()[:16]
	return s
}

// Fits says why a scorecard that a night fitted must not score features of a
// catalogue; nil if it may.
func (s Scorecard) Fits(features string) error {
	switch {
	case s.FeaturesVersion == "":
		return fmt.Errorf("scorecard %s does not name the version of the features it was fitted on", s.Version)
	case s.FeaturesVersion != features:
		return fmt.Errorf("scorecard %s was fitted on features of version %s, and these are %s", s.Version, s.FeaturesVersion, features)
	case s.Version != s.Sign(features).Version:
		return fmt.Errorf("scorecard %s was changed after it was signed", s.Version)
	}
	return nil
}

// digest is for values of this package, whose canonical form cannot fail: they
// hold strings and integers only.
func digest(v any) string {
	b, err := Canonical(v)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
