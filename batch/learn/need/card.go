package need

import (
	"fmt"
	"math"
	"slices"
	"sort"
	"strconv"

	"github.com/handschlag/handschlag/batch/learn"
	"github.com/handschlag/handschlag/decide"
)

// Card is a fitted scorecard: points by bin, the curve from points to probability, and
// what was found about both by cross-validation.
type Card struct {
	Base     int64    `json:"base"`
	Features []Scored `json:"features"`
	Pairs    []Pair   `json:"pairs,omitempty"`
	Curve    Curve    `json:"curve"`
	Double   int      `json:"double"` // points that double the odds, before the curve
	Shift    int64    `json:"shift"`  // what Anchored added to the base
	Fit      Report   `json:"fit"`
}

// Scored is a feature with its bins in rising order. Where nothing is known (0), it earns nothing.
type Scored struct {
	Name  string `json:"name"`
	Shape string `json:"shape"`
	Bins  []Bin  `json:"bins"`
}

// Bin earns Points from AtLeast to the next bin's AtLeast. The first bin of an ordered
// feature goes down without end; its AtLeast is the lowest value seen.
type Bin struct {
	AtLeast float64 `json:"at_least"`
	Level   string  `json:"level,omitempty"` // of a named feature, whose value is AtLeast
	Points  int64   `json:"points"`
	Rows    int     `json:"rows"`
	Yes     int     `json:"yes"`
}

// Pair is two features that earn points together, beside what each earns: Points[i][j]
// for bin i of A and bin j of B, whose own Points are unused. It is read like a small table.
type Pair struct {
	A      Scored    `json:"a"`
	B      Scored    `json:"b"`
	Points [][]int64 `json:"points"`
	of     [2]int
}

// Report says how the card was chosen and what cross-validation found. Every figure
// is of rows that the points they were judged by had not seen.
type Report struct {
	Rows      int                 `json:"rows"`
	Yes       int                 `json:"yes"`
	MaxBins   int                 `json:"max_bins"`
	Penalty   float64             `json:"penalty"`
	AUC       float64             `json:"auc"`
	Precision float64             `json:"average_precision"`
	Loss      float64             `json:"log_loss"`
	Gain      float64             `json:"gain"` // log loss of the base rate, less Loss
	GainLow   float64             `json:"gain_low"`
	Recent    int                 `json:"recent,omitempty"` // Options.Forward: last blocks that made the curve; 0: all
	Bands     []learn.Reliability `json:"bands"`            // predicted and observed
}

// points gives the rounded card of coefficients.
func (d *design) points(beta []float64, o Options) Card {
	effects := d.effects(beta)
	c := Card{Double: o.Double}
	rows, yes := make([]int, d.size), make([]int, d.size)
	for i, bins := range d.bins {
		for _, k := range bins {
			rows[k]++
			if d.y[i] {
				yes[k]++
			}
		}
	}
	nothing, base := make([]float64, len(d.axes)), beta[0]
	for j, a := range d.axes {
		first := d.first[j]
		unknown := effects[first+a.bin(nothing)]
		base += unknown
		points := func(b int) int64 { return int64(math.Round((effects[first+b] - unknown) * o.unit())) }
		if a.pair != nil {
			c.Pairs = append(c.Pairs, a.table(points))
			continue
		}
		s := a.scored()
		for b := range a.bins() {
			s.add(Bin{AtLeast: a.from(b), Level: a.level(b), Points: points(b), Rows: rows[first+b], Yes: yes[first+b]})
		}
		c.Features = append(c.Features, s)
	}
	c.Base = int64(math.Round(base * o.unit()))
	return c
}

func (a axis) scored() Scored { return Scored{Name: a.Name, Shape: a.Shape.String()} }

// table is a pair's points.
func (a axis) table(points func(bin int) int64) Pair {
	p := Pair{A: a.pair[0].scored(), B: a.pair[1].scored(), of: [2]int{a.pair[0].of, a.pair[1].of}}
	for side, s := range [2]*Scored{&p.A, &p.B} {
		of := a.pair[side]
		for b := range of.bins() {
			s.Bins = append(s.Bins, Bin{AtLeast: of.from(b), Level: of.level(b)})
		}
	}
	for i := range p.A.Bins {
		p.Points = append(p.Points, nil)
		for j := range p.B.Bins {
			p.Points[i] = append(p.Points[i], points(i*len(p.B.Bins)+j))
		}
	}
	return p
}

// from says where a bin begins.
func (a axis) from(b int) float64 {
	switch {
	case a.Shape == Named:
		return float64(b)
	case b == 0:
		return a.lowest
	}
	return a.cuts[b-1]
}

func (a axis) level(b int) string {
	if a.Shape == Named {
		return a.Levels[b]
	}
	return ""
}

// add joins a bin to the one before where both earn the same and have no names.
func (s *Scored) add(b Bin) {
	if n := len(s.Bins); n > 0 && b.Level == "" && s.Bins[n-1].Points == b.Points {
		s.Bins[n-1].Rows += b.Rows
		s.Bins[n-1].Yes += b.Yes
		return
	}
	s.Bins = append(s.Bins, b)
}

// Points adds up what the features of a row earn.
func (c Card) Points(x []float64) int64 {
	total := c.Base
	for j, f := range c.Features {
		total += f.Bins[f.bin(x[j])].Points
	}
	for _, p := range c.Pairs {
		total += p.Points[p.A.bin(x[p.of[0]])][p.B.bin(x[p.of[1]])]
	}
	return total
}

// bin finds the bin of a value. A name that no row had counts as the first.
func (s Scored) bin(x float64) int {
	if n := len(s.Bins); s.named() && (x < 0 || x >= float64(n)) {
		return 0
	}
	return max(0, sort.Search(len(s.Bins), func(i int) bool { return s.Bins[i].AtLeast > x })-1)
}

func (s Scored) named() bool { return s.Shape == Named.String() }

// odds are points as log odds, before the curve.
func (c Card) odds(points int64) float64 {
	return float64(points-c.Shift) * math.Ln2 / float64(c.Double)
}

// Probability is that of the outcome, at so many points.
func (c Card) Probability(points int64) float64 { return c.Curve.at(c.odds(points)) }

// Anchored moves the base so that a number of points stands for a probability: the
// shop's thresholds (offers.need_human) then mean the same after every night. Where
// the curve jumps over the probability, the points are the fewest that reach it; a
// probability that no points reach moves nothing and is an error.
func (c Card) Anchored(points int64, probability float64) (Card, error) {
	low, high := c.span()
	for at := low; at <= high; at++ {
		if c.Probability(at) >= probability {
			c.Base, c.Shift = c.Base+points-at, c.Shift+points-at
			return c, nil
		}
	}
	return c, fmt.Errorf("anchoring the scorecard: no visitor reaches a probability of %v; the highest is %v", probability, c.Probability(high))
}

// span gives the fewest and the most points that can be earned.
func (c Card) span() (low, high int64) {
	low, high = c.Base, c.Base
	for _, f := range c.Features {
		of := make([]int64, len(f.Bins))
		for i, b := range f.Bins {
			of[i] = b.Points
		}
		low, high = low+slices.Min(of), high+slices.Max(of)
	}
	for _, p := range c.Pairs {
		of := slices.Concat(p.Points...)
		low, high = low+slices.Min(of), high+slices.Max(of)
	}
	return low, high
}

// Scorecard is the card as the day reads it, signed with the version of the features
// that it was fitted on (profile.CatalogueVersion). Bins must begin at whole numbers.
func (c Card) Scorecard(features string) (decide.Scorecard, error) {
	if len(c.Pairs) > 0 {
		return decide.Scorecard{}, fmt.Errorf("the day reads points of single features, and this card has %d pairs; fit it without", len(c.Pairs))
	}
	out := decide.Scorecard{Base: c.Base, Features: make([]decide.Feature, 0, len(c.Features))}
	for _, f := range c.Features {
		bins, err := f.whole()
		if err != nil {
			return decide.Scorecard{}, err
		}
		out.Features = append(out.Features, decide.Feature{Name: f.Name, Bins: bins})
	}
	return out.Sign(features), nil
}

// whole gives the bins in whole numbers. A feature without points keeps its place: the
// day then writes what it saw into its records, for the next fit.
func (s Scored) whole() ([]decide.Bin, error) {
	out := []decide.Bin{}
	for i, b := range s.Bins {
		if b.AtLeast != math.Trunc(b.AtLeast) || math.Abs(b.AtLeast) > 1<<53 {
			return nil, fmt.Errorf("feature %q: a bin begins at %v, and the day reads whole numbers", s.Name, b.AtLeast)
		}
		at := int64(b.AtLeast)
		if i == 0 && !s.named() {
			at = math.MinInt64
		}
		if i > 0 || b.Points != 0 { // below the first bin nothing is earned
			out = append(out, decide.Bin{AtLeast: at, Points: b.Points})
		}
	}
	if s.named() {
		out = append(out, decide.Bin{AtLeast: int64(len(s.Bins))})
	}
	return out, nil
}

// Label says which values a bin holds, such as "3 – below 7", "7 and more" or a name.
func (s Scored) Label(i int) string {
	b := s.Bins[i]
	switch {
	case b.Level != "":
		return b.Level
	case len(s.Bins) == 1:
		return "any"
	case i == 0:
		return "below " + short(s.Bins[1].AtLeast)
	case i == len(s.Bins)-1:
		return short(b.AtLeast) + " and more"
	}
	return short(b.AtLeast) + " – below " + short(s.Bins[i+1].AtLeast)
}

func short(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }

// Step is what a sum of points stands for.
type Step struct {
	Points      int64   `json:"points"`
	Probability float64 `json:"probability"`
}

// Table gives the probabilities at every so many points, from the fewest to the most that can be earned.
func (c Card) Table(every int64) (out []Step) {
	low, high := c.span()
	for at := low; at < high; at += every {
		out = append(out, Step{at, c.Probability(at)})
	}
	return append(out, Step{high, c.Probability(high)})
}
