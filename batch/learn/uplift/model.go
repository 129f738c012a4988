package uplift

import (
	"cmp"
	"errors"
	"math"
	"slices"

	"github.com/handschlag/handschlag/decide"
)

// Model expects the effect of an offer from features. A nil model expects nothing.
type Model struct {
	names []string
	cuts  [][]float64
	base  float64 // of everybody
	scale float64 // of the trees' answers
	trees []tree
}

// newModel centres an ensemble on the average effect and stretches it by the slope.
func newModel(t *table, e ensemble, average, slope float64) *Model {
	sum := 0.0
	for i := range t.psi {
		sum += e.at(t.bins, int32(i))
	}
	center := sum / float64(len(t.psi))
	return &Model{names: t.Names, cuts: t.cuts, base: average + slope*(e.base-center), scale: slope * e.rate, trees: e.trees}
}

// Effect is what an offer is expected to change, in units of the outcome. x has the
// features in the order of Options.Names.
func (m *Model) Effect(x []float64) float64 {
	if m == nil {
		return 0
	}
	bins, sum := m.binned(x), 0.0
	for _, t := range m.trees {
		sum += t.at(bins, 0)
	}
	return m.base + m.scale*sum
}

// binned is x as a table of one row.
func (m *Model) binned(x []float64) [][]uint8 {
	bins := make([][]uint8, len(m.cuts))
	for j, c := range m.cuts {
		bins[j] = []uint8{binOf(c, x[j])}
	}
	return bins
}

// Part is how much a feature's value moves the expected effect.
type Part struct {
	Feature string  `json:"feature"`
	Value   float64 `json:"value"`
	Effect  float64 `json:"effect"` // in units of the outcome
}

// Reasons are the parts of an effect, the largest first. A step down a tree moves its
// answer from the node's mean to the child's; the step belongs to the feature asked about
// (Palczewska et al., Interpreting Random Forest Classification Models, 2014). The parts
// and the base, which is everybody's, add up to the effect.
func (m *Model) Reasons(x []float64) (base float64, parts []Part) {
	if m == nil {
		return 0, nil
	}
	bins, by := m.binned(x), make([]float64, len(m.names))
	base = m.base
	for _, t := range m.trees {
		n := &t[0]
		for base += m.scale * n.value; n.feature >= 0; {
			next := &t[n.right]
			if bins[n.feature][0] <= n.bin {
				next = &t[n.left]
			}
			by[n.feature] += m.scale * (next.value - n.value)
			n = next
		}
	}
	for j, effect := range by {
		if effect != 0 {
			parts = append(parts, Part{m.names[j], x[j], effect})
		}
	}
	slices.SortStableFunc(parts, func(a, b Part) int { return cmp.Compare(math.Abs(b.Effect), math.Abs(a.Effect)) })
	return base, parts
}

// ErrInteracts says that a model cannot be written as a scorecard.
var ErrInteracts = errors.New("features act together in this model; fit it with the form Additive")

// Scorecard writes an additive model for whole-numbered features. Its total is the
// expected effect times perUnit, rounded by half a point per feature at most: with
// outcomes in cents and perUnit 100 a total of 1,250 means 12.50 euro cents. A feature's
// lowest bin earns nothing, the base is the effect with all features in their lowest. It
// bears no version; that comes with Sign.
func (m *Model) Scorecard(perUnit float64) (decide.Scorecard, error) {
	card := decide.Scorecard{Features: []decide.Feature{}}
	if m == nil {
		return card, nil
	}
	base := m.base
	points, err := m.points()
	if err != nil {
		return card, err
	}
	for j, p := range points {
		if len(p) == 0 {
			continue
		}
		base += p[0]
		if f := m.feature(j, p, perUnit); len(f.Bins) > 0 {
			card.Features = append(card.Features, f)
		}
	}
	card.Base = int64(math.Round(base * perUnit))
	return card, nil
}

// points adds up the trees, by feature and bin; trees without a question count for the
// first bin of an extra feature, whose points go to the base.
func (m *Model) points() ([][]float64, error) {
	points := make([][]float64, len(m.names)+1)
	points[len(m.names)] = []float64{0}
	for _, t := range m.trees {
		root := t[0]
		if root.feature < 0 {
			points[len(m.names)][0] += m.scale * root.value
			continue
		}
		if t[root.left].feature >= 0 || t[root.right].feature >= 0 {
			return nil, ErrInteracts
		}
		p := &points[root.feature]
		if *p == nil {
			*p = make([]float64, len(m.cuts[root.feature])+1)
		}
		for b := range *p {
			if uint8(b) <= root.bin {
				(*p)[b] += m.scale * t[root.left].value
			} else {
				(*p)[b] += m.scale * t[root.right].value
			}
		}
	}
	return points, nil
}

// feature writes one feature's points over those of its lowest bin.
func (m *Model) feature(j int, points []float64, perUnit float64) decide.Feature {
	if j == len(m.names) {
		return decide.Feature{}
	}
	f := decide.Feature{Name: m.names[j]}
	for b, cut := range m.cuts[j] {
		bin := decide.Bin{AtLeast: int64(math.Ceil(cut)), Points: int64(math.Round((points[b+1] - points[0]) * perUnit))}
		if n := len(f.Bins); n > 0 && f.Bins[n-1].AtLeast == bin.AtLeast {
			f.Bins[n-1] = bin // no whole number lies between
		} else {
			f.Bins = append(f.Bins, bin)
		}
	}
	return plain(f)
}

// plain leaves out bins that change nothing.
func plain(f decide.Feature) decide.Feature {
	var last int64
	bins := f.Bins[:0]
	for _, b := range f.Bins {
		if b.Points != last {
			bins, last = append(bins, b), b.Points
		}
	}
	f.Bins = bins
	return f
}
