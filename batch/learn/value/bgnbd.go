package value

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

// BGNBD is a fitted BG/NBD model. While a customer, a buyer orders at random with a
// rate of their own, spread over buyers as Gamma(r, α) per week; after every repeat
// order they leave for good with a probability of their own, spread as Beta(a, b).
type BGNBD struct {
	R     float64 `json:"r"`
	Alpha float64 `json:"alpha"` // weeks
	A     float64 `json:"a"`
	B     float64 `json:"b"`
}

// LogLikelihood sums over all buyers (eq. 6, times in weeks).
func (m BGNBD) LogLikelihood(histories []History) float64 {
	sum := 0.0
	for _, h := range histories {
		sum += h.Weight * m.curve(h.Repeat).at(h).value
	}
	return sum
}

// curve is the part of the likelihood that all histories with x repeats share, with
// its derivatives by r, a and b.
type curve struct {
	m                 BGNBD
	x                 float64
	value, byR        float64
	byA, byB, logOdds float64 // logOdds: of a against b+x−1
}

// curve splits eq. 6 as in the authors' note on Excel: ln A1 + ln A2 without the
// terms of t_x and T.
func (m BGNBD) curve(repeat int) curve {
	x := float64(repeat)
	c := curve{m: m, x: x}
	c.value = rising(m.R, x) + m.R*math.Log(m.Alpha) + rising(m.B, x) - rising(m.A+m.B, x)
	c.byR = risingBy(m.R, x) + math.Log(m.Alpha)
	c.byA = -risingBy(m.A+m.B, x)
	c.byB = c.byA + risingBy(m.B, x)
	c.logOdds = math.Log(m.A) - math.Log(m.B+x-1)
	return c
}

// rising is ln Γ(a+x)/Γ(a) for a whole x. As a product it keeps its digits where a
// is large, which the difference of two ln Γ does not.
func rising(a, x float64) float64 {
	if x > 60 {
		upper, _ := math.Lgamma(a + x)
		lower, _ := math.Lgamma(a)
		return upper - lower
	}
	product := 1.0
	for i := 0.0; i < x; i++ {
		product *= a + i
		if product > 1e200 {
			return math.Log(product) + rising(a+i+1, x-i-1)
		}
	}
	return math.Log(product)
}

// risingBy is the derivative of rising by a.
func risingBy(a, x float64) float64 {
	if x > 60 {
		return mathext.Digamma(a+x) - mathext.Digamma(a)
	}
	sum := 0.0
	for i := 0.0; i < x; i++ {
		sum += 1 / (a + i)
	}
	return sum
}

// slope is one buyer's log-likelihood and its derivatives by r, α, a, b.
type slope struct{ value, byR, byAlpha, byA, byB float64 }

// at adds ln(A3 + A4): the buyer is still a customer, or left after the last order.
// The larger of the two is taken out of the logarithm, so that nothing underflows.
func (c curve) at(h History) slope {
	m, age, last := c.m, float64(h.Age)/week, float64(h.Last)/week
	logAge := math.Log(m.Alpha + age)
	stayed := -(m.R + c.x) * logAge
	if h.Repeat == 0 {
		return slope{c.value + stayed, c.byR - logAge, m.R/m.Alpha - m.R/(m.Alpha+age), 0, 0}
	}
	logLast := math.Log(m.Alpha + last)
	left := c.logOdds - (m.R+c.x)*logLast
	both := max(stayed, left) + math.Log1p(math.Exp(-math.Abs(stayed-left)))
	s := math.Exp(stayed - both) // P(alive)
	l := 1 - s
	return slope{
		value:   c.value + both,
		byR:     c.byR - s*logAge - l*logLast,
		byAlpha: m.R/m.Alpha - (m.R+c.x)*(s/(m.Alpha+age)+l/(m.Alpha+last)),
		byA:     c.byA + l/m.A,
		byB:     c.byB - l/(m.B+c.x-1),
	}
}

// Alive is the probability that a buyer is still a customer: 1 before the first
// repeat, as nobody can leave without one (eq. 7 of the authors' note on P(alive)).
func (m BGNBD) Alive(h History) float64 {
	if h.Repeat == 0 {
		return 1
	}
	x := float64(h.Repeat)
	odds := math.Log(m.A) - math.Log(m.B+x-1) +
		(m.R+x)*(math.Log(m.Alpha+float64(h.Age)/week)-math.Log(m.Alpha+float64(h.Last)/week))
	return 1 / (1 + math.Exp(odds))
}

// Orders is the expected number of order days in the coming days (eq. 10).
//
// Equation 10 has the form 0/0 at a = 1 and cancels digits near it. This is the same
// expectation as a sum of positive terms: over n, the probability that a buyer who
// never left would order n times (negative binomial), times the expected number of
// those that come before they leave, Σ_{k<n} Π_{j<k} (b+x+j)/(a+b+x+j).
func (m BGNBD) Orders(h History, days float64) float64 {
	x, t := float64(h.Repeat), days/week
	shape, z := m.R+x, t/(m.Alpha+float64(h.Age)/week+t)
	if !(z > 0) {
		return 0
	}
	logP := shape * math.Log1p(-z) // ln P(n orders), from n = 0
	seen, made, stay, sum := math.Exp(logP), 0.0, 1.0, 0.0
	for n := 1.0; n < most && seen < 1-1e-13; n++ {
		made += stay
		stay *= (m.B + x + n - 1) / (m.A + m.B + x + n - 1)
		logP += math.Log(z) + math.Log((shape+n-1)/n)
		p := math.Exp(logP)
		seen += p
		sum += p * made
	}
	return m.Alive(h) * (sum + (1-min(seen, 1))*made)
}

// most is where the sum of Orders ends at the latest; only horizons of some hundred
// mean waiting times come near it.
const most = 20_000
