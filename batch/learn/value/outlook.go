package value

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// Outlook tells what buyers will do in a fixed number of days. It keeps what
// expectations of like trails share; it is not for several goroutines.
type Outlook struct {
	m      Model
	weeks  float64
	leave  map[[2]int][]leaveNode
	pauses pauses
}

// leaveNode is a probability p to pause and its weight.
type leaveNode struct{ p, weight float64 }

// Outlook opens the coming days.
func (m Model) Outlook(days float64) *Outlook {
	return &Outlook{m: m, weeks: days / week, leave: map[[2]int][]leaveNode{}}
}

// Expect tells what a buyer will do: by Returning where that was fitted, else by
// BG/NBD. Alive is then the probability that they do not pause.
func (o *Outlook) Expect(t Trail, spend Spend) Expectation {
	if o.m.Returning == nil || o.m.Buyers == 0 || t.fault() != "" {
		return o.m.Expect(t.History(), spend, max(o.weeks, 0)*week)
	}
	e := Expectation{Alive: 1}
	if len(t.Days) == 0 {
		e.Orders = o.first(t)
	} else {
		e.Orders, e.Alive = o.repeat(t)
	}
	e.Orders = min(e.Orders, max(o.weeks, 0)*week)
	if o.m.Spend.P > 0 {
		e.Cents = e.Orders * o.m.Spend.Mean(spend)
	}
	return e
}

// first is the expected orders of who ordered once: λ is Gamma(r, α + T).
func (o *Outlook) first(t Trail) float64 {
	m := *o.m.Returning
	scale := m.Alpha + float64(t.Age)/week
	lgamma, _ := math.Lgamma(m.R)
	low, high, step := math.Log(1e-6/scale), math.Log((m.R+20+10*math.Sqrt(m.R))/scale), min(.2, .8/math.Sqrt(m.R+1))
	sum := 0.0
	for u := low; u < high; u += step {
		density := math.Exp(m.R*(u+math.Log(scale)) - lgamma - math.Exp(u)*scale)
		sum += step * density * o.orders(math.Exp(u), 1, o.nodes(0, 0))
	}
	return sum
}

// repeat is the expected orders of who ordered again, and the probability that they
// do not pause: a mean over the rates, the numbers of pauses and the states that
// their trail leaves open.
func (o *Outlook) repeat(t Trail) (orders, awake float64) {
	m, x := *o.m.Returning, len(t.Days)
	o.pauses = o.pauses.of(m, x)
	low, step, n := t.grid(m.R)
	points := make([]openPoint, n)
	top := math.Inf(-1)
	for i := range points {
		points[i] = m.open(t, low+float64(i)*step, len(o.pauses.share)-1)
		top = max(top, points[i].log)
	}
	total := 0.0
	for _, p := range points {
		scale := math.Exp(p.log - top)
		if scale < 1e-12 {
			continue
		}
		for j, share := range o.pauses.share {
			if w := scale * share * p.awake[j]; w > 0 {
				orders, awake, total = orders+w*o.orders(p.rate, 1, o.nodes(x, j)), awake+w, total+w
			}
			if w := scale * share * p.paused[j]; w > 0 {
				orders, total = orders+w*o.orders(p.rate, 0, o.nodes(x, j)), total+w
			}
		}
	}
	if !(total > 0) { // more than mostPauses are the only way
		return m.Orders(t.History(), o.weeks*week), m.Alive(t.History())
	}
	return orders / total, awake / total
}

// openPoint is a rate with the likelihood of a trail by number of pauses, apart for
// buyers who pause now and who do not.
type openPoint struct {
	rate, log     float64
	awake, paused [mostPauses + 1]float64
}

func (m Returning) open(t Trail, logRate float64, most int) openPoint {
	x, rate := len(t.Days), math.Exp(logRate)
	slow, _ := m.slow(rate)
	gone := t.gap(x)
	var w ways
	m.gaps(&w, t, rate, most)
	p := openPoint{rate: rate, log: w.log + m.R*logRate - m.Alpha*rate}
	for j := 0; j <= most; j++ {
		p.awake[j] = w.ways[j] * math.Exp(-rate*gone)
		if j > 0 {
			p.paused[j] = w.ways[j-1] * math.Exp(-slow*gone)
		}
	}
	return p
}

// orders is the expected orders at rate λ in the coming weeks from a state, awake or
// paused, over the given p. Awake turns to paused at pλ, paused to awake at (1−p)ρ;
// the share of time awake is π in the long run, from now on it nears π at κ.
func (o *Outlook) orders(rate, awake float64, nodes []leaveNode) float64 {
	slow, _ := o.m.Returning.slow(rate)
	sum := 0.0
	for _, n := range nodes {
		k := n.p*rate + (1-n.p)*slow
		pi := (1 - n.p) * slow / k
		time := pi*o.weeks - (awake-pi)*math.Expm1(-k*o.weeks)/k
		sum += n.weight * (slow*o.weeks + (rate-slow)*time)
	}
	return sum
}

// nodes are 8 points of Gauss-Jacobi quadrature for p after x repeats and j pauses,
// p ~ Beta(a+j, b+x−j) (Golub and Welsch, 1969).
func (o *Outlook) nodes(x, j int) []leaveNode {
	key := [2]int{x, j}
	if o.leave[key] == nil {
		o.leave[key] = jacobi(o.m.Returning.A+float64(j), o.m.Returning.B+float64(x-j), 8)
	}
	return o.leave[key]
}

// jacobi integrates over Beta(a, b): its points are the eigenvalues of the matrix of
// the recurrence of the orthogonal polynomials.
func jacobi(a, b float64, n int) []leaveNode {
	al, be := b-1, a-1 // weight (1−u)^al (1+u)^be on [−1, 1]
	matrix := mat.NewSymDense(n, nil)
	for i := range n {
		k := float64(i)
		s := 2*k + al + be
		if i == 0 {
			matrix.SetSym(0, 0, (be-al)/(s+2))
			continue
		}
		matrix.SetSym(i, i, (be*be-al*al)/(s*(s+2)))
		off := 4 * k * (k + al) * (k + be) * (k + al + be) / (s * s * (s + 1) * (s - 1))
		if i == 1 {
			off = 4 * (1 + al) * (1 + be) / ((2 + al + be) * (2 + al + be) * (3 + al + be))
		}
		matrix.SetSym(i-1, i, math.Sqrt(off))
	}
	var eigen mat.EigenSym
	if !eigen.Factorize(matrix, true) {
		return []leaveNode{{a / (a + b), 1}}
	}
	var vectors mat.Dense
	eigen.VectorsTo(&vectors)
	nodes := make([]leaveNode, n)
	for i, u := range eigen.Values(nil) {
		nodes[i] = leaveNode{min(max((1+u)/2, 0), 1), vectors.At(0, i) * vectors.At(0, i)}
	}
	return nodes
}
