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
	tables slowTables
	leave  map[int][]leaveNode
}

// leaveNode is a probability p to slow down and its weight.
type leaveNode struct{ p, weight float64 }

// Outlook opens the coming days.
func (m Model) Outlook(days float64) *Outlook {
	return &Outlook{m: m, weeks: max(days, 0) / week, leave: map[int][]leaveNode{}}
}

// Expect tells what a buyer will do: by Slowing where that was fitted, else by
// BG/NBD. Alive is then the probability that they have not slowed down.
func (o *Outlook) Expect(t Trail, spend Spend) Expectation {
	if o.m.Slowing == nil || o.m.Buyers == 0 || t.fault() != "" {
		return o.m.Expect(t.History(), spend, o.weeks*week)
	}
	x := len(t.Days)
	if x >= len(o.tables.own) {
		o.tables = o.m.Slowing.tables(2*x + 1)
	}
	var e Expectation
	e.Orders, e.Alive = o.tables.expect(t, o.weeks, o.nodes(x))
	e.Orders = min(e.Orders, o.weeks*week)
	if o.m.Spend.P > 0 {
		e.Cents = e.Orders * o.m.Spend.Mean(spend)
	}
	return e
}

// nodes are 8 points of Gauss-Jacobi quadrature for p of who has not slowed down
// after x repeats, p ~ Beta(a, b+x) (Golub and Welsch, 1969).
func (o *Outlook) nodes(x int) []leaveNode {
	if o.leave[x] == nil {
		o.leave[x] = jacobi(o.m.Slowing.A, o.m.Slowing.B+float64(x), 8)
	}
	return o.leave[x]
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
