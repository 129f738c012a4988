package fairness

import (
	"fmt"
	"math"
)

// z is the two-sided 95 % quantile of the normal distribution.
const z = 1.959963984540054

// Share is how many of a group had the outcome.
type Share struct {
	Group string  `json:"group"`
	N     int64   `json:"n"`
	With  int64   `json:"with_outcome"`
	Share float64 `json:"share"` // With/N; 0 of an empty group
	Low   float64 `json:"low"`   // 95 % interval of the share (Wilson's score interval)
	High  float64 `json:"high"`
}

// The verdicts.
const (
	Disparity   = "disparity"
	NoDisparity = "no disparity found"
	TooFew      = "too few to say"
)

// Least is the fewest rows of a group, and the fewest clusters of a comparison,
// from which a verdict is given.
const Least = 25

// Comparison is the difference of two groups' shares: Worse minus Better.
type Comparison struct {
	Column     string  `json:"column"`
	Worse      Share   `json:"group"`
	Better     Share   `json:"compared_with"`
	Difference float64 `json:"difference"`
	Low        float64 `json:"low"` // 95 % interval of the difference
	High       float64 `json:"high"`
	Clusters   int     `json:"clusters,omitempty"` // 0: rows were taken as independent
	Method     string  `json:"method"`
	Verdict    string  `json:"verdict"`
}

// wilson is Wilson's score interval (E. B. Wilson, JASA 22, 1927).
func wilson(k, n int64) (low, high float64) {
	if n == 0 {
		return 0, 1
	}
	p, m := float64(k)/float64(n), float64(n)
	mid := (p + z*z/(2*m)) / (1 + z*z/m)
	half := z / (1 + z*z/m) * math.Sqrt(p*(1-p)/m+z*z/(4*m*m))
	return max(0, mid-half), min(1, mid+half)
}

func share(group string, c cell) Share {
	s := Share{Group: group, N: c.n, With: c.with}
	if c.n > 0 {
		s.Share = float64(c.with) / float64(c.n)
	}
	s.Low, s.High = wilson(c.with, c.n)
	return s
}

// compare gives the difference of two shares with its interval.
//
// Rows of one cluster (a street, a session, a campaign) resemble each other, so
// with clusters the variance is that of the linearised difference summed per
// cluster (the "sandwich" with C/(C-1); Cameron and Miller, J. Human Resources
// 50, 2015). Without, it is Newcombe's hybrid score interval (method 10,
// Statistics in Medicine 17, 1998), which holds near 0 and 1, too.
func compare(a, b Share, per map[string]*[2]cell) Comparison {
	c := Comparison{Worse: a, Better: b, Difference: a.Share - b.Share}
	if per == nil {
		c.Method = "Newcombe"
		c.Low = c.Difference - math.Hypot(a.Share-a.Low, b.High-b.Share)
		c.High = c.Difference + math.Hypot(a.High-a.Share, b.Share-b.Low)
	} else {
		c.Method, c.Clusters = "clustered", len(per)
		half := z * math.Sqrt(clusteredVariance(a, b, per))
		c.Low, c.High = max(-1, c.Difference-half), min(1, c.Difference+half)
	}
	c.Verdict = c.verdict()
	return c
}

func clusteredVariance(a, b Share, per map[string]*[2]cell) float64 {
	if len(per) < 2 || a.N == 0 || b.N == 0 {
		return math.Inf(1)
	}
	var sum float64
	for _, c := range per {
		u := (float64(c[0].with)-a.Share*float64(c[0].n))/float64(a.N) - (float64(c[1].with)-b.Share*float64(c[1].n))/float64(b.N)
		sum += u * u
	}
	m := float64(len(per))
	return sum * m / (m - 1)
}

// verdict is a disparity only if the interval leaves out zero: what chance alone
// would show as well is none.
func (c Comparison) verdict() string {
	switch {
	case min(c.Worse.N, c.Better.N) < Least, c.Method == "clustered" && c.Clusters < Least:
		return TooFew
	case c.Low > 0, c.High < 0:
		return Disparity
	}
	return NoDisparity
}

// String is one line for a person.
func (c Comparison) String() string {
	return fmt.Sprintf("%s: %s %.4f (of %d), %s %.4f (of %d); difference %+.4f, 95 %% interval %+.4f to %+.4f: %s",
		c.Column, c.Worse.Group, c.Worse.Share, c.Worse.N, c.Better.Group, c.Better.Share, c.Better.N, c.Difference, c.Low, c.High, c.Verdict)
}
